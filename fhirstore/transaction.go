package fhirstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/reference"
)

// A Transaction is a list of changes of which all are made or none.
type Transaction struct {
	Changes []Change
	// Base is the FHIR base URL that conditional references may begin with;
	// empty for none.
	Base string
	// Judged says that Options.Check has judged the bodies: only what is changed
	// in them is judged again.
	Judged bool
}

// A ChangeError says which change of a transaction failed and why.
type ChangeError struct {
	Index int // of Transaction.Changes
	Err   error
}

func (e *ChangeError) Error() string { return fmt.Sprintf("change %d: %v", e.Index+1, e.Err) }

// Unwrap returns what Change would have returned.
func (e *ChangeError) Unwrap() error { return e.Err }

// Transact makes the changes of a transaction at one instant, or none of them
// (FHIR R4, http, transaction). Deletes come first, then creates, then updates
// and patches, in whatever order they stand; what they lead to does not depend
// on that order.
//
// In the bodies every reference to a FullURL becomes Type/id, and a conditional
// reference (Patient?identifier=…) the one resource that matches once everything
// is written but conditional references themselves. No two changes may be about
// the same resource, but for creates that find one there, and no create, update
// or patch may write what the criteria of another one match.
//
// then, if it is not nil, sees the outcome before it is final, in a store that
// can only be read; its error undoes everything. The error of a change is a
// *ChangeError around one of Change's.
func (s *Store) Transact(ctx context.Context, v View, t Transaction, then func(after *Store, done []Changed) error) ([]Changed, error) {
	list := make([]*pending, len(t.Changes))
	for i, c := range t.Changes {
		p, err := s.admit(ctx, v, c)
		if err != nil {
			return nil, &ChangeError{i, err}
		}
		p.index, list[i] = i, p
	}
	done := make([]Changed, len(list))
	err := s.write(ctx, func(tx *writeTx) error {
		run := &transaction{tx: tx, view: v, base: t.Base, judged: t.Judged, list: list,
			claimed: map[string]int{}, matched: map[string]int{}, named: map[string]target{}, resolved: map[string]string{}}
		if err := run.all(ctx); err != nil {
			return err
		}
		for i, p := range list {
			done[i] = p.changed
		}
		if then == nil {
			return nil
		}
		return then(tx.readOnly(), done)
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// A transaction is a Transaction on its way.
type transaction struct {
	tx     *writeTx
	view   View
	base   string
	judged bool
	list   []*pending

	claimed  map[string]int    // Type/id to the change that writes it
	matched  map[string]int    // Type/id to a create that found it there
	named    map[string]target // FullURL, as nameOf writes it
	resolved map[string]string // conditional reference to Type/id
}

// A target is what a FullURL stands for.
type target struct {
	key     string // Type/id
	version int64  // that it will have
}

func (t *transaction) all(ctx context.Context) error {
	d := t.tx.data()
	isDelete := func(p *pending) bool { return p.Interaction == Delete }
	isCreate := func(p *pending) bool { return p.Interaction == Create }
	isOther := func(p *pending) bool { return !isDelete(p) && !isCreate(p) }
	incomplete := func(p *pending) bool { return p.incomplete }
	locate := func(p *pending) error { return p.locate(ctx, d) }
	write := func(p *pending) error {
		if err := p.write(ctx, t.tx); !errors.Is(err, errNothingToDo) {
			return err
		}
		return nil
	}
	for _, step := range []struct {
		of func(*pending) bool
		do func(*pending) error
	}{
		{isDelete, locate},
		{isDelete, t.claim},
		{isDelete, write},
		{isCreate, locate},
		{isOther, locate},
		{isCreate, t.claim},
		{isOther, t.claim},
		{isCreate, write},
		{isOther, write},
		{incomplete, func(p *pending) error { return t.resolveAll(ctx, p) }},
		{incomplete, func(p *pending) error { return t.complete(ctx, p) }},
		{func(p *pending) bool { return p.Criteria != nil && !isDelete(p) }, func(p *pending) error { return t.unmixed(ctx, p) }},
	} {
		for i, p := range t.list {
			if !step.of(p) {
				continue
			}
			if err := step.do(p); err != nil {
				return &ChangeError{i, err}
			}
		}
	}
	return nil
}

// claim notes what a change is about and by what name others refer to it, and
// refuses it where another change is about the same.
func (t *transaction) claim(p *pending) error {
	if p.Interaction == Delete && p.id == "" {
		return nil // nothing matches
	}
	key := p.Type + "/" + p.id
	finds := p.Interaction == Create && p.matched // and writes nothing
	other, taken := t.claimed[key]
	if !taken && !finds {
		other, taken = t.matched[key]
	}
	switch {
	case taken:
		return &OverlapError{Other: other, Type: p.Type, ID: p.id}
	case finds:
		t.matched[key] = p.index
	default:
		t.claimed[key] = p.index
	}
	if p.Interaction == Delete {
		return nil
	}
	p.link = t.link
	if p.FullURL == "" {
		return nil
	}
	will := target{key, 1}
	if p.found != nil {
		will.version = p.found.vid
		if !finds {
			will.version++
		}
	}
	name := nameOf(p.FullURL)
	if other, taken := t.named[name]; taken && other != will {
		return &InvalidError{Code: "duplicate", Message: fmt.Sprintf("the fullUrl %s stands for both %s and %s", p.FullURL, other.key, key)}
	}
	t.named[name] = will
	return nil
}

// nameOf is a name as it is compared: of a URN case does not matter in what is
// a UUID or an OID (RFC 8141 section 3).
func nameOf(url string) string {
	if isURN(url) {
		return strings.ToLower(url)
	}
	return url
}

func isURN(s string) bool {
	prefix := strings.ToLower(s[:min(len(s), len("urn:uuid:"))])
	return prefix == "urn:uuid:" || strings.HasPrefix(prefix, "urn:oid:")
}

// link returns a draft in which every reference to a change's FullURL is
// Type/id, and notes whether there are conditional ones. What a patch leaves may
// hold names that were there before: of those it replaces what it knows.
func (t *transaction) link(p *pending, d *draft) (*draft, error) {
	var unknown *InvalidError
	linked, err := t.edited(p, d, func(kind reference.Kind, text string, at int) string {
		key := t.meant(p, text)
		switch {
		case key != "", kind != reference.Reference, p.Interaction == Patch:
		case t.conditional(text) != "":
			p.incomplete = true
		case isURN(text) && unknown == nil:
			unknown = &InvalidError{Code: "invalid", Expression: expressionAt(d.root, p.Type, at),
				Message: fmt.Sprintf("the reference %s means no entry: none that is created or updated here has that fullUrl", text)}
		}
		return key
	})
	if err == nil && unknown != nil {
		return nil, unknown
	}
	p.judged = t.judged && linked == d && p.Interaction != Patch
	return linked, err
}

// meant returns what a name in a body stands for, or "": a FullURL, or what is
// relative to that of the body (FHIR R4, Bundle, resolving references in
// bundles). A reference to a version stays one, and a fragment is kept.
func (t *transaction) meant(p *pending, text string) string {
	text, fragment, hasFragment := strings.Cut(text, "#")
	base, _, versioned := strings.Cut(text, "/_history/")
	is, ok := t.named[nameOf(base)]
	if root := rootOf(p.FullURL); !ok && root != "" {
		is, ok = t.named[root+base]
	}
	if !ok {
		return ""
	}
	key := is.key
	if versioned {
		key += "/_history/" + strconv.FormatInt(is.version, 10)
	}
	if hasFragment {
		key += "#" + fragment
	}
	return key
}

// rootOf is an absolute literal reference up to its type: http://h/fhir/ of
// http://h/fhir/Patient/1; "" where it has none.
func rootOf(url string) string {
	i := strings.LastIndexByte(url, '/')
	if i < 0 || !strings.Contains(url, "://") {
		return ""
	}
	return url[:strings.LastIndexByte(url[:i], '/')+1]
}

// expressionAt is the FHIRPath of the value that stands at a place in what a
// resource was parsed from.
func expressionAt(n *fhirjson.Node, path string, at int) string {
	for i := range n.Members {
		if m := &n.Members[i]; m.Value.Start <= at && at < m.Value.End {
			return expressionAt(&m.Value, path+"."+m.Name, at)
		}
	}
	for i := range n.Items {
		if v := &n.Items[i]; v.Start <= at && at < v.End {
			return expressionAt(v, path+"["+strconv.Itoa(i)+"]", at)
		}
	}
	return path
}

// edited returns a draft with what become makes of the places in it.
func (t *transaction) edited(p *pending, d *draft, become func(reference.Kind, string, int) string) (*draft, error) {
	edits := reference.Edits(d.root, d.body, become)
	if len(edits) == 0 {
		return d, nil
	}
	return newDraft(p.Type, reference.Apply(d.body, 0, len(d.body), edits))
}

// conditional returns the search that a conditional reference is, or "" for any
// other (FHIR R4, http, conditional references).
func (t *transaction) conditional(text string) string {
	if t.base != "" {
		text = strings.TrimPrefix(text, t.base+"/")
	}
	if typ, _, ok := strings.Cut(text, "?"); ok && t.tx.store.defs.IsType(typ) {
		return text
	}
	return ""
}

// resolveAll looks up what the conditional references of a change match, before
// any of them is replaced: what they match must not depend on the order.
func (t *transaction) resolveAll(ctx context.Context, p *pending) (err error) {
	d := p.written
	reference.Edits(d.root, d.body, func(kind reference.Kind, text string, at int) string {
		search := t.conditional(text)
		if kind != reference.Reference || search == "" || err != nil {
			return ""
		}
		if err = t.resolve(ctx, search); err != nil {
			err = &ReferenceError{Reference: text, Expression: expressionAt(d.root, p.Type, at), Err: err}
		}
		return ""
	})
	return err
}

// complete replaces the conditional references of what was written by what they
// match.
func (t *transaction) complete(ctx context.Context, p *pending) error {
	d, err := t.edited(p, p.written, func(kind reference.Kind, text string, _ int) string {
		if kind != reference.Reference {
			return ""
		}
		return t.resolved[t.conditional(text)]
	})
	if err == nil {
		err = t.tx.store.judge(d)
	}
	if err != nil {
		return err
	}
	p.changed.Resource, err = t.tx.amend(ctx, p.changed.Resource, d, p.gates())
	return err
}

// resolve looks up the one resource that a search finds.
func (t *transaction) resolve(ctx context.Context, search string) error {
	if t.resolved[search] != "" {
		return nil
	}
	typ, query, _ := strings.Cut(search, "?")
	params, err := ParseParams(query)
	if err != nil {
		return err
	}
	criteria, err := t.tx.store.Criteria(typ, params, t.base)
	if err != nil {
		return err
	}
	gate, err := t.tx.store.gateIn(ctx, t.tx, t.view, typ, LetterSearch)
	if err != nil {
		return err
	}
	of := &pending{Change: Change{Type: typ, Criteria: criteria}, store: t.tx.store, search: gate}
	found, err := of.matches(ctx, t.tx.data(), 2)
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return &NoMatchError{Type: typ}
	case len(found) > 1:
		return &MultipleMatchesError{Type: typ}
	}
	t.resolved[search] = typ + "/" + found[0].id
	return nil
}

// unmixed refuses a change whose criteria match what another change of the
// transaction wrote: what it leads to would depend on their order.
func (t *transaction) unmixed(ctx context.Context, p *pending) error {
	found, err := p.matches(ctx, t.tx.data(), len(t.list)+2)
	if err != nil {
		return err
	}
	for i := range found {
		key := found[i].typ + "/" + found[i].id
		if other, ok := t.claimed[key]; ok && other != p.index {
			return &OverlapError{Other: other, Type: found[i].typ, ID: found[i].id, Matched: true}
		}
	}
	return nil
}
