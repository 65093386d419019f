package fhirstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sandfhir/sandfhir/internal/reference"
)

// A Transaction is a list of changes of which all are made or none.
type Transaction struct {
	Changes []Change
	// Base is the FHIR base URL that references within conditional references may
	// begin with; empty for none.
	Base string
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
// is written. No two changes may be about the same resource, and none may be
// about what the criteria of another one match.
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
		run := &transaction{tx: tx, view: v, base: t.Base, list: list, claimed: map[string]int{}, named: map[string]string{}, resolved: map[string]string{}}
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
	tx   *writeTx
	view View
	base string
	list []*pending

	claimed  map[string]int    // Type/id to the change that is about it
	named    map[string]string // FullURL to Type/id
	resolved map[string]string // conditional reference to Type/id
}

func (t *transaction) all(ctx context.Context) error {
	d := t.tx.data()
	isDelete := func(p *pending) bool { return p.Interaction == Delete }
	isCreate := func(p *pending) bool { return p.Interaction == Create }
	isOther := func(p *pending) bool { return !isDelete(p) && !isCreate(p) }
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
		{func(p *pending) bool { return p.incomplete }, func(p *pending) error { return t.complete(ctx, p) }},
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
	key := p.Type + "/" + p.id
	if p.Interaction == Delete && p.id == "" {
		return nil // nothing matches
	}
	if !p.matched || p.Interaction != Create { // else nothing is written
		if other, taken := t.claimed[key]; taken {
			return &OverlapError{Other: other, Type: p.Type, ID: p.id}
		}
		t.claimed[key] = p.index
	}
	if p.Interaction == Delete {
		return nil
	}
	p.link = t.link
	if p.FullURL == "" {
		return nil
	}
	if other, taken := t.named[p.FullURL]; taken && other != key {
		return &InvalidError{Code: "duplicate", Message: fmt.Sprintf("the fullUrl %s stands for both %s and %s", p.FullURL, other, key)}
	}
	t.named[p.FullURL] = key
	return nil
}

// link returns a draft in which every reference to a change's FullURL is
// Type/id, and notes whether there are conditional ones.
func (t *transaction) link(p *pending, d *draft) (*draft, error) {
	var unknown string
	linked, err := t.edited(p, d, func(kind reference.Kind, text string, _ int) string {
		switch key, known := t.named[text]; {
		case known:
			return key
		case kind != reference.Reference:
			return ""
		case isURN(text):
			unknown = text
		case t.isConditional(text):
			p.incomplete = true
		case p.FullURL != "": // relative to it (FHIR R4, Bundle, resolving references in bundles)
			root, _, _ := cutLiteral(p.FullURL)
			return t.named[root+text]
		}
		return ""
	})
	if err == nil && unknown != "" {
		err = &InvalidError{Code: "invalid", Message: fmt.Sprintf("the reference %s means no entry: none that is created or updated here has that fullUrl", unknown)}
	}
	return linked, err
}

// edited returns a draft with what become makes of the places in it.
func (t *transaction) edited(p *pending, d *draft, become func(reference.Kind, string, int) string) (*draft, error) {
	edits := reference.Edits(d.root, d.body, become)
	if len(edits) == 0 {
		return d, nil
	}
	return newDraft(p.Type, reference.Apply(d.body, 0, len(d.body), edits))
}

func isURN(s string) bool {
	return strings.HasPrefix(s, "urn:uuid:") || strings.HasPrefix(s, "urn:oid:")
}

// cutLiteral cuts an absolute literal reference before its type:
// http://h/fhir/ and Patient/1.
func cutLiteral(s string) (root, rest string, ok bool) {
	if i := strings.LastIndexByte(s, '/'); i > 0 {
		if j := strings.LastIndexByte(s[:i], '/'); j > 0 {
			return s[:j+1], s[j+1:], true
		}
	}
	return "", s, false
}

// isConditional reports whether a reference is a search (FHIR R4, http,
// conditional references).
func (t *transaction) isConditional(text string) bool {
	typ, _, ok := strings.Cut(text, "?")
	return ok && t.tx.store.defs.IsType(typ)
}

// complete replaces the conditional references of what was written by what they
// match.
func (t *transaction) complete(ctx context.Context, p *pending) error {
	var failed error
	d, err := t.edited(p, p.written, func(kind reference.Kind, text string, _ int) string {
		if kind != reference.Reference || !t.isConditional(text) || failed != nil {
			return ""
		}
		key, err := t.resolve(ctx, text)
		failed = err
		return key
	})
	if err = errors.Join(failed, err); err != nil {
		return err
	}
	if err := t.tx.store.judge(d); err != nil {
		return err
	}
	p.changed.Resource, err = t.tx.amend(ctx, p.changed.Resource, d, p.gates())
	return err
}

// resolve returns the Type/id of the one resource that a conditional reference
// matches.
func (t *transaction) resolve(ctx context.Context, text string) (string, error) {
	if key, ok := t.resolved[text]; ok {
		return key, nil
	}
	typ, query, _ := strings.Cut(text, "?")
	wrong := func(err error) error {
		var of *QueryError
		if errors.As(err, &of) {
			return &QueryError{Code: of.Code, Parameter: of.Parameter, Message: "the conditional reference " + text + ": " + of.Message}
		}
		return fmt.Errorf("the conditional reference %s: %w", text, err)
	}
	params, err := ParseParams(query)
	if err != nil {
		return "", wrong(err)
	}
	criteria, err := t.tx.store.Criteria(typ, params, t.base)
	if err != nil {
		return "", wrong(err)
	}
	search, err := t.tx.store.gateIn(ctx, t.tx, t.view, typ, LetterSearch)
	if err != nil {
		return "", wrong(err)
	}
	target := &pending{Change: Change{Type: typ, Criteria: criteria}, store: t.tx.store, search: search}
	found, err := target.matches(ctx, t.tx.data(), 2)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", wrong(&NoTargetError{Reference: text})
	case len(found) > 1:
		return "", wrong(&MultipleMatchesError{Type: typ})
	}
	t.resolved[text] = typ + "/" + found[0].id
	return t.resolved[text], nil
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
