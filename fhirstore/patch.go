package fhirstore

import (
	"context"
	"errors"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// Patch stores what apply makes of a resource as its next version, also where
// that is what it was (FHIR R4, http, patch). apply gets the JSON of the current
// version, which it must not change; while it runs nobody else writes. What only
// the store sets has to stay as it is: resourceType, id, meta.versionId and
// meta.lastUpdated. The errors are those of Read and *ConflictError,
// *InvalidError for what no longer is a resource, *ImmutableError, and whatever
// apply returns.
func (s *Store) Patch(ctx context.Context, v View, typ, id string, cond Condition, apply func(json []byte) ([]byte, error)) (*Resource, error) {
	g, err := s.gate(ctx, v, typ, LetterUpdate)
	if err != nil {
		return nil, err
	}
	var res *Resource
	err = s.write(ctx, func(tx *writeTx) error {
		res, err = tx.patch(ctx, g, id, cond, apply)
		return err
	})
	return res, err
}

// patch writes the next version of a resource of the gate's type. That there is
// none goes before the write's condition: a condition is for what would succeed
// without it (RFC 9110 section 13.2.1).
func (tx *writeTx) patch(ctx context.Context, g *gate, id string, cond Condition, apply func(json []byte) ([]byte, error)) (*Resource, error) {
	old, err := lookUp(ctx, tx, g.typ, id)
	if err != nil {
		return nil, err
	}
	if err := g.organization(old.typ, old.id, old.org); err != nil {
		return nil, err
	}
	res, err := g.current(ctx, tx, tx.packs, old)
	if err != nil {
		return nil, err
	}
	if err := cond.check(g.typ, id, old); err != nil {
		return nil, err
	}
	body, err := apply(res.JSON)
	if err != nil {
		return nil, err
	}
	d, err := tx.store.patched(res, body)
	if err != nil {
		return nil, err
	}
	return tx.put(ctx, &newVersion{typ: g.typ, id: id, org: old.org, old: old, draft: d, gate: g, op: OpUpdate})
}

// May reports whether the view lets its holder do what the letter stands for
// with a resource as it is: whoever patches one need not be one who may see it.
func (s *Store) May(ctx context.Context, v View, letter Letters, res *Resource) (bool, error) {
	return s.gates(s.cur.Load().read, v).shows(ctx, res, letter)
}

// patched reads what a patch made of a resource, and judges it as a write is.
func (s *Store) patched(res *Resource, body []byte) (*draft, error) {
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
	if s.check != nil {
		if err := s.check(root, body); err != nil {
			return nil, err
		}
	}
	return newDraft(root, body)
}
