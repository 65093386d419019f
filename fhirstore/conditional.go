package fhirstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// Criteria reads the search parameters that say which resource a conditional
// write is for. Each has to be honoured, and there has to be one: what was
// ignored would match resources that are not meant. Its errors are *QueryError.
func (s *Store) Criteria(typ string, params []Param, base string) (*Query, error) {
	q, err := s.Query(typ, params, QueryOptions{Strict: true, FilterOnly: true, Base: base})
	if err == nil && len(q.clauses) == 0 {
		err = &QueryError{Code: "required", Message: "a conditional write needs criteria: without any, every " + typ + " would match"}
	}
	return q, err
}

// CreateUnless is Create where no resource matches the criteria. Where one does,
// it stores nothing and returns that one (FHIR R4, http, conditional create).
// Only what the view may search for matches. Its errors are those of Create and
// *MultipleMatchesError.
func (s *Store) CreateUnless(ctx context.Context, v View, criteria *Query, body []byte) (res *Resource, created bool, err error) {
	w, err := s.conditional(ctx, v, criteria, LetterCreate)
	if err != nil {
		return nil, false, err
	}
	d, err := s.incoming(criteria.Type, body)
	if err != nil {
		return nil, false, err
	}
	err = s.write(ctx, func(tx *writeTx) error {
		match, err := w.match(ctx, tx)
		if err != nil {
			return err
		}
		if match != nil {
			json, err := tx.readBody(ctx, match.body)
			if err != nil {
				return err
			}
			matched := match.resource(json)
			res = &matched
			return errNothingToDo
		}
		created = true
		res, err = tx.put(ctx, &newVersion{typ: criteria.Type, id: s.newID(), org: v.Owner, draft: d, gate: w.gate, op: OpCreate})
		return err
	})
	if errors.Is(err, errNothingToDo) {
		return res, false, nil
	}
	return res, created, err
}

// UpdateWhere is Update of the resource that matches the criteria (FHIR R4,
// http, conditional update). The body's id is its id or absent. Where none
// matches, it creates one, under the body's id or one that the store chooses; a
// view needs the letter c for it, too. Its errors are those of Update,
// *MultipleMatchesError, and *IDTakenError where the body's id belongs to a
// resource that does not match.
func (s *Store) UpdateWhere(ctx context.Context, v View, criteria *Query, body []byte, cond Condition) (res *Resource, created bool, err error) {
	typ := criteria.Type
	w, err := s.conditional(ctx, v, criteria, LetterUpdate)
	if err != nil {
		return nil, false, err
	}
	d, err := s.incoming(typ, body)
	if err != nil {
		return nil, false, err
	}
	id := d.root.Get("id")
	if id != nil && !ValidID(d.id()) {
		return nil, false, &InvalidError{Code: "value", Expression: typ + ".id", Message: fmt.Sprintf("%q is no id: 1 to 64 of A-Z a-z 0-9 - and the dot", d.id())}
	}
	err = s.write(ctx, func(tx *writeTx) error {
		match, err := w.match(ctx, tx)
		switch {
		case err != nil:
			return err
		case match == nil:
			created = true
			res, err = w.create(ctx, tx, v, d, cond)
			return err
		case id != nil && d.id() != match.id:
			return &InvalidError{Code: "invalid", Expression: typ + ".id", Message: fmt.Sprintf("the body's id is %q, and the resource that the criteria match is %s/%s; leave the id out, or let it be the same", d.id(), typ, match.id)}
		}
		res, _, err = tx.update(ctx, w.gate, v.Owner, match.id, d, cond)
		return err
	})
	return res, created, err
}

// create is UpdateWhere where nothing matches. What is created has to be within
// the constraints of both letters.
func (w *conditional) create(ctx context.Context, tx *writeTx, v View, d *draft, cond Condition) (*Resource, error) {
	if cond.IfMatch != "" {
		return nil, &NoMatchError{Type: w.criteria.Type, Want: "If-Match: " + cond.IfMatch}
	}
	creating, err := tx.store.gateIn(ctx, tx, v, w.criteria.Type, LetterCreate)
	if err != nil {
		return nil, err
	}
	id := cmp.Or(d.id(), tx.store.newID())
	old, err := lookUp(ctx, tx, w.criteria.Type, id)
	var missing *NotFoundError
	switch {
	case errors.As(err, &missing):
	case err != nil:
		return nil, err
	case old.live:
		return nil, &IDTakenError{Type: w.criteria.Type, ID: id}
	}
	res, _, err := tx.update(ctx, w.gate, v.Owner, id, d, cond)
	if err != nil {
		return nil, err
	}
	return res, creating.content(res)
}

// PatchWhere is Patch of the resource that matches the criteria (FHIR R4, http,
// patch). Its errors are those of Patch, *NoMatchError and
// *MultipleMatchesError.
func (s *Store) PatchWhere(ctx context.Context, v View, criteria *Query, cond Condition, apply func(json []byte) ([]byte, error)) (*Resource, error) {
	w, err := s.conditional(ctx, v, criteria, LetterUpdate)
	if err != nil {
		return nil, err
	}
	var res *Resource
	err = s.write(ctx, func(tx *writeTx) error {
		match, err := w.match(ctx, tx)
		switch {
		case err != nil:
			return err
		case match == nil:
			return &NoMatchError{Type: criteria.Type}
		}
		res, err = tx.patch(ctx, w.gate, match.id, cond, apply)
		return err
	})
	return res, err
}

// DeleteWhere is Delete of the resource that matches the criteria (FHIR R4,
// http, conditional delete). It deletes none where several match. Its errors are
// those of Delete and *MultipleMatchesError.
func (s *Store) DeleteWhere(ctx context.Context, v View, criteria *Query, cond Condition) (*Resource, error) {
	w, err := s.conditional(ctx, v, criteria, LetterDelete)
	if err != nil {
		return nil, err
	}
	var tombstone *Resource
	err = s.write(ctx, func(tx *writeTx) error {
		match, err := w.match(ctx, tx)
		switch {
		case err != nil:
			return err
		case match == nil && cond.IfMatch != "":
			return &NoMatchError{Type: criteria.Type, Want: "If-Match: " + cond.IfMatch}
		case match == nil:
			return errNothingToDo
		}
		tombstone, err = tx.delete(ctx, w.gate, match.id, cond)
		return err
	})
	if errors.Is(err, errNothingToDo) {
		return nil, nil
	}
	return tombstone, err
}

// A conditional is a write of the resource that criteria match.
type conditional struct {
	criteria     *Query
	gate, search *gate // what the view may write, and what it may search for
}

// conditional returns a write for which the view needs the letter and that of a
// search.
func (s *Store) conditional(ctx context.Context, v View, criteria *Query, letter Letters) (*conditional, error) {
	w := &conditional{criteria: criteria}
	var err error
	if w.gate, err = s.gate(ctx, v, criteria.Type, letter); err != nil {
		return nil, err
	}
	w.search, err = s.gate(ctx, v, criteria.Type, LetterSearch)
	return w, err
}

// match returns the one resource that the criteria match, nil for none, as the
// write's transaction sees it.
func (w *conditional) match(ctx context.Context, tx *writeTx) (*row, error) {
	d := &data{read: tx, packs: tx.packs}
	where, args, err := d.plan(ctx, w.criteria)
	if err != nil {
		return nil, fmt.Errorf("plan the search of a conditional write: %w", err)
	}
	visible, more := w.search.where()
	rows, err := d.rows(ctx, where+" AND "+visible+" LIMIT 2", append(args, more...)...)
	switch {
	case err != nil:
		return nil, fmt.Errorf("search for a conditional write: %w", err)
	case len(rows) > 1:
		return nil, &MultipleMatchesError{Type: w.criteria.Type}
	case len(rows) == 0:
		return nil, nil
	}
	return &rows[0], nil
}
