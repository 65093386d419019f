package fhirstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A pending is a change on its way into the store.
type pending struct {
	Change
	store *Store
	view  View

	gate, search *gate // what the view may write, and what it may search for
	creating     *gate // what it may create, of an update that does because nothing matches
	draft        *draft
	judged       bool // the draft, by Options.Check

	// In a transaction:
	index      int                                    // of the change
	link       func(*pending, *draft) (*draft, error) // replaces references to other changes
	incomplete bool                                   // link found conditional references; what is written passes its gates once they are resolved

	// Once located:
	id      string // of what is written
	found   *row   // what is there, deleted or not; nil for nothing
	matched bool   // by Criteria

	// Once written:
	written *draft
	changed Changed
}

// prepare does what needs no transaction: it judges the body by itself, and
// what the view may do at all.
func (s *Store) prepare(ctx context.Context, v View, c Change) (*pending, error) {
	p, err := s.admit(ctx, v, c)
	if err != nil || p.draft == nil {
		return p, err
	}
	p.judged = true
	return p, s.judge(p.draft)
}

// admit is prepare without the judgement of the body by Options.Check.
func (s *Store) admit(ctx context.Context, v View, c Change) (*pending, error) {
	p := &pending{Change: c, store: s, view: v}
	var err error
	if p.gate, err = s.gate(ctx, v, c.Type, c.letter()); err != nil {
		return nil, err
	}
	if c.Criteria != nil {
		if p.search, err = s.gate(ctx, v, c.Type, LetterSearch); err != nil {
			return nil, err
		}
	}
	if c.Interaction == Create || c.Interaction == Update {
		if p.draft, err = newDraft(c.Type, c.Body); err != nil {
			return nil, err
		}
	}
	if c.Interaction == Update {
		return p, p.checkID()
	}
	return p, nil
}

// letter is the letter that a view needs for a change.
func (c *Change) letter() Letters {
	switch c.Interaction {
	case Create:
		return LetterCreate
	case Delete:
		return LetterDelete
	}
	return LetterUpdate
}

// checkID refuses a body of an update whose id is none, or not that of the URL.
func (p *pending) checkID() error {
	wrong := func(code, format string, args ...any) error {
		return &InvalidError{Code: code, Expression: p.Type + ".id", Message: fmt.Sprintf(format, args...)}
	}
	own, has := p.draft.id(), p.draft.root.Get("id") != nil
	switch {
	case p.Criteria == nil && !ValidID(p.ID):
		return wrong("value", noID, p.ID)
	case p.Criteria == nil && own == "":
		return wrong("required", "the body of an update has to carry the id of its URL; it has none")
	case p.Criteria == nil && own != p.ID:
		return wrong("invalid", "the body's id is %q, the URL's is %q; they have to be the same", own, p.ID)
	case p.Criteria != nil && has && !ValidID(own):
		return wrong("value", noID, own)
	}
	return nil
}

const noID = "%q is no id: 1 to 64 of A-Z a-z 0-9 - and the dot"

// locate finds what is there of the resource that the change is about.
func (p *pending) locate(ctx context.Context, d *data) (err error) {
	p.id, p.found, p.matched, p.creating = p.ID, nil, false, nil
	switch {
	case p.Criteria != nil:
		return p.match(ctx, d)
	case p.Interaction == Create:
		p.id = p.store.newID()
		return nil
	}
	p.found, err = lookUpIfAny(ctx, d.read, p.Type, p.ID)
	return err
}

// match finds the one resource that the criteria find.
func (p *pending) match(ctx context.Context, d *data) error {
	found, err := p.matches(ctx, d, 2)
	switch {
	case err != nil:
		return err
	case len(found) > 1:
		return &MultipleMatchesError{Type: p.Type}
	case len(found) == 1:
		p.found, p.id, p.matched = &found[0], found[0].id, true
		if own := p.ownID(); p.Interaction == Update && own != "" && own != p.id {
			return &InvalidError{Code: "invalid", Expression: p.Type + ".id", Message: fmt.Sprintf("the body's id is %q, and the resource that the criteria match is %s/%s; leave the id out, or let it be the same", own, p.Type, p.id)}
		}
		return nil
	case p.Interaction != Create && p.Condition.IfMatch != "":
		return &NoMatchError{Type: p.Type, Want: "If-Match: " + p.Condition.IfMatch}
	case p.Interaction == Patch:
		return &NoMatchError{Type: p.Type}
	case p.Interaction == Delete:
		return nil
	}
	p.id = cmp.Or(p.ownID(), p.store.newID())
	if p.Interaction == Create {
		p.id = p.store.newID()
		return nil
	}
	return p.occupy(ctx, d)
}

// ownID is the id in the body, or "".
func (p *pending) ownID() string {
	if p.draft == nil {
		return ""
	}
	return p.draft.id()
}

// occupy prepares an update that creates, because nothing matches. Its id must
// be free, and what is created has to be within the constraints of both letters.
func (p *pending) occupy(ctx context.Context, d *data) (err error) {
	if p.found, err = lookUpIfAny(ctx, d.read, p.Type, p.id); err != nil {
		return err
	}
	if p.found != nil && p.found.live {
		return &IDTakenError{Type: p.Type, ID: p.id}
	}
	p.creating, err = p.store.gateIn(ctx, d.read, p.view, p.Type, LetterCreate)
	return err
}

// matches returns the resources that the criteria find, as far as the view may
// search for them, up to a number.
func (p *pending) matches(ctx context.Context, d *data, most int) ([]row, error) {
	where, args, err := d.plan(ctx, p.Criteria)
	if err != nil {
		return nil, fmt.Errorf("plan the search of a conditional write: %w", err)
	}
	visible, more := p.search.where()
	rows, err := d.rows(ctx, where+" AND "+visible+fmt.Sprintf(" LIMIT %d", most), append(args, more...)...)
	if err != nil {
		return nil, fmt.Errorf("search for a conditional write: %w", err)
	}
	return rows, nil
}

// live reports whether there is a resource that is not deleted.
func (p *pending) live() bool { return p.found != nil && p.found.live }

// allowed checks that the view may touch what was found, and that the change's
// condition holds.
func (p *pending) allowed(ctx context.Context, d *data) error {
	if err := p.gate.touches(ctx, d, p.found); err != nil {
		return err
	}
	return p.Condition.check(p.Type, p.id, p.found)
}

// write writes the change that was located. Its error is errNothingToDo where
// there is nothing to write; changed tells of that, too.
func (p *pending) write(ctx context.Context, tx *writeTx) (err error) {
	d, op, old := p.draft, OpCreate, p.found
	switch p.Interaction {
	case Create:
		if p.matched {
			return p.keep(ctx, tx.data())
		}
	case Update:
		if err := p.allowed(ctx, tx.data()); err != nil {
			return err
		}
		if p.live() {
			op = OpUpdate
		}
	case Patch:
		if d, err = p.patched(ctx, tx.data()); err != nil {
			return err
		}
		op = OpUpdate
	case Delete:
		return p.delete(ctx, tx)
	}
	if p.written, err = p.final(d); err != nil {
		return err
	}
	if err := p.keepsHierarchy(); err != nil {
		return err
	}
	next := &newVersion{typ: p.Type, id: p.id, org: p.view.Owner, old: old, draft: p.written, op: op}
	if !p.incomplete {
		next.gates = p.gates()
	}
	p.changed.Resource, err = tx.put(ctx, next)
	return err
}

// final returns a draft as it is written.
func (p *pending) final(d *draft) (*draft, error) {
	if p.link != nil {
		var err error
		if d, err = p.link(p, d); err != nil {
			return nil, err
		}
	}
	if p.judged || p.incomplete {
		return d, nil
	}
	return d, p.store.judge(d)
}

// gates are those that what is written has to pass.
func (p *pending) gates() []*gate {
	if p.creating != nil {
		return []*gate{p.gate, p.creating}
	}
	return []*gate{p.gate}
}

// keep takes what a create found for its outcome.
func (p *pending) keep(ctx context.Context, d *data) error {
	json, err := d.packs.readBody(ctx, d.read, p.found.body)
	if err != nil {
		return err
	}
	res := p.found.resource(json)
	p.changed = Changed{Resource: &res, Matched: true}
	return errNothingToDo
}

// keepsHierarchy refuses a write of an Organization by which a view that is
// bound to some would come to see others: Organization.partOf says who sees
// whose resources. Such a view writes its own organizations and new ones, and
// puts them below its own alone.
func (p *pending) keepsHierarchy() error {
	own := p.gate.organizations
	if p.Type != "Organization" || own == nil {
		return nil
	}
	outside := func(id string) error {
		return &ForbiddenError{Reason: OtherOrganization, Type: "Organization", ID: id, Letter: p.gate.letter, Organization: id}
	}
	if p.Interaction != Create && !own[p.id] {
		return outside(p.id)
	}
	if p.written == nil {
		return nil
	}
	partOf := p.written.root.Get("partOf").Str("reference")
	if above := strings.TrimPrefix(partOf, "Organization/"); partOf != "" && !own[above] {
		return outside(above)
	}
	return nil
}

// delete writes a tombstone, where there is something to delete.
func (p *pending) delete(ctx context.Context, tx *writeTx) (err error) {
	if err := p.keepsHierarchy(); err != nil {
		return err
	}
	if err := p.allowed(ctx, tx.data()); err != nil {
		return err
	}
	if !p.live() {
		return errNothingToDo
	}
	p.changed.Resource, err = tx.appendTombstone(ctx, p.found)
	return err
}

// patched returns what the patch makes of the resource. That there is none goes
// before the change's condition: a condition is for what would succeed without
// it (RFC 9110 section 13.2.1).
func (p *pending) patched(ctx context.Context, d *data) (*draft, error) {
	if p.found == nil {
		return nil, &NotFoundError{Type: p.Type, ID: p.id}
	}
	if err := p.gate.organization(p.found.typ, p.found.id, p.found.org); err != nil {
		return nil, err
	}
	res, err := p.gate.current(ctx, d.read, d.packs, p.found)
	if err != nil {
		return nil, err
	}
	if err := p.Condition.check(p.Type, p.id, p.found); err != nil {
		return nil, err
	}
	body, err := p.Patch(res.JSON)
	if err != nil {
		return nil, err
	}
	return patchedDraft(res, body)
}

// patchedDraft reads what a patch made of a resource, and refuses a patch of
// what only the store sets.
func patchedDraft(res *Resource, body []byte) (*draft, error) {
	root, err := fhirjson.Parse(body)
	var syntax *fhirjson.SyntaxError
	if errors.As(err, &syntax) {
		return nil, &InvalidError{Code: "structure", Message: "what the patch leaves is no JSON: " + syntax.Error()}
	}
	if err != nil {
		return nil, err
	}
	meta := root.Get("meta")
	for _, fixed := range []struct{ element, got, want string }{
		{"resourceType", root.Str("resourceType"), res.Type},
		{res.Type + ".id", root.Str("id"), res.ID},
		{res.Type + ".meta.versionId", meta.Str("versionId"), res.VersionID()},
		{res.Type + ".meta.lastUpdated", meta.Str("lastUpdated"), FormatInstant(res.At)},
	} {
		if fixed.got != fixed.want {
			return nil, &ImmutableError{Type: res.Type, ID: res.ID, Element: fixed.element}
		}
	}
	return &draft{body: body, root: root}, nil
}
