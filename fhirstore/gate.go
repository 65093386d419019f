package fhirstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A gate is a view's permission for one letter on one type.
type gate struct {
	store         *Store
	typ           string
	letter        Letters
	queries       []string
	filters       []*Query        // queries, parsed
	organizations map[string]bool // nil means all
}

// gate returns the view's permission, or a *ForbiddenError where it has none.
func (s *Store) gate(ctx context.Context, v View, typ string, letter Letters) (*gate, error) {
	return s.gateIn(ctx, s.cur.Load().read, v, typ, letter)
}

// gateIn is gate inside a transaction.
func (s *Store) gateIn(ctx context.Context, db querier, v View, typ string, letter Letters) (*gate, error) {
	return s.gates(db, v).gate(ctx, typ, letter)
}

// gates are a view's permissions within one call of the store. Each is made
// when it is first asked for, and the organizations are looked up once for all.
type gates struct {
	store         *Store
	db            querier
	view          View
	made          map[permission]*gate
	organizations map[string]bool // nil: not looked up yet, or all
}

type permission struct {
	typ    string
	letter Letters
}

func (s *Store) gates(db querier, v View) *gates {
	return &gates{store: s, db: db, view: v, made: map[permission]*gate{}}
}

// gate returns the view's permission, or a *ForbiddenError where it has none.
func (gs *gates) gate(ctx context.Context, typ string, letter Letters) (*gate, error) {
	if g := gs.made[permission{typ, letter}]; g != nil {
		return g, nil
	}
	queries, ok := gs.view.Queries(typ, letter)
	if !ok {
		return nil, &ForbiddenError{Reason: NoLetter, Type: typ, Letter: letter}
	}
	g := &gate{store: gs.store, typ: typ, letter: letter, queries: queries}
	for _, q := range queries {
		f, err := gs.store.filter(typ, q)
		if err != nil {
			return nil, fmt.Errorf("constraint %s?%s: %w", typ, q, err)
		}
		g.filters = append(g.filters, f)
	}
	if gs.view.Organizations != nil && gs.organizations == nil {
		var err error
		if gs.organizations, err = gs.store.organizationsBelow(ctx, gs.db, gs.view.Organizations); err != nil {
			return nil, err
		}
	}
	g.organizations = gs.organizations
	gs.made[permission{typ, letter}] = g
	return g, nil
}

// shows reports whether the view may do with a resource, as it is, what the
// letter stands for.
func (gs *gates) shows(ctx context.Context, res *Resource, letter Letters) (bool, error) {
	g, err := gs.gate(ctx, res.Type, letter)
	if err == nil {
		err = g.organization(res.Type, res.ID, res.Organization)
	}
	if err == nil {
		err = g.content(res)
	}
	var forbidden *ForbiddenError
	if errors.As(err, &forbidden) {
		return false, nil
	}
	return err == nil, err
}

// find looks a resource up for a view that may read it as far as its type and
// its organization go.
func (s *Store) find(ctx context.Context, db querier, v View, typ, id string) (*gate, *row, error) {
	g, err := s.gateIn(ctx, db, v, typ, LetterRead)
	if err != nil {
		return nil, nil, err
	}
	r, err := lookUp(ctx, db, typ, id)
	if err != nil {
		return nil, nil, err
	}
	return g, r, g.organization(r.typ, r.id, r.org)
}

// current returns the resource as it is now, or why the gate does not show it.
func (g *gate) current(ctx context.Context, db querier, p *packs, r *row) (*Resource, error) {
	if !r.live {
		if err := g.deletion(ctx, db, r); err != nil {
			return nil, err
		}
		return nil, &GoneError{Type: r.typ, ID: r.id, Version: r.vid, At: fromMillis(r.at)}
	}
	json, err := p.readBody(ctx, db, r.body)
	if err != nil {
		return nil, err
	}
	res := r.resource(json)
	if err := g.content(&res); err != nil {
		return nil, err
	}
	return &res, nil
}

// touches refuses a write of what the gate does not let through as it is now;
// nil is nothing.
func (g *gate) touches(ctx context.Context, d *data, r *row) error {
	if r == nil {
		return nil
	}
	if err := g.organization(r.typ, r.id, r.org); err != nil {
		return err
	}
	if g.organizations != nil && r.org == "" && r.typ != "Organization" { // those keepsHierarchy judges
		return &ForbiddenError{Reason: OfNobody, Type: r.typ, ID: r.id, Letter: g.letter}
	}
	if !r.live || len(g.filters) == 0 {
		return nil
	}
	json, err := d.packs.readBody(ctx, d.read, r.body)
	if err != nil {
		return err
	}
	res := r.resource(json)
	return g.content(&res)
}

// organizationsBelow returns the organizations with those that are part of
// them, at any depth.
func (s *Store) organizationsBelow(ctx context.Context, db querier, roots []string) (map[string]bool, error) {
	seen := map[string]bool{}
	partOf, ok := s.defs.Param("Organization", "partof")
	if !ok {
		return nil, errors.New("the definitions have no Organization.partof")
	}
	for level := roots; len(level) > 0; {
		var next []string
		for _, id := range level {
			if seen[id] {
				continue
			}
			seen[id] = true
			err := each(ctx, db, func(rows *sql.Rows) error {
				var child string
				if err := rows.Scan(&child); err != nil {
					return err
				}
				next = append(next, child)
				return nil
			}, "SELECT r.id FROM ix_ref x JOIN resource r ON r.rid = x.rid WHERE x.param = ? AND x.target = ?", partOf.ID, "Organization/"+id)
			if err != nil {
				return nil, fmt.Errorf("organizations below %s: %w", id, err)
			}
		}
		level = next
	}
	return seen, nil
}

// IsBelow reports whether an organization is another one or below it, by
// Organization.partOf. What it is not below of need not exist.
func (s *Store) IsBelow(ctx context.Context, id, root string) (bool, error) {
	below, err := s.organizationsBelow(ctx, s.cur.Load().read, []string{root})
	return below[id], err
}

// sharedGroup is the type whose resources are not for everybody where they belong
// to nobody: they list whom other organizations treat, and for what.
const sharedGroup = "Group"

// organization refuses a resource of an organization that is not visible.
func (g *gate) organization(typ, id, org string) error {
	switch {
	case g.organizations == nil || g.organizations[org]:
		return nil
	case org == "" && typ != sharedGroup:
		return nil
	case org == "":
		return &ForbiddenError{Reason: OfNobody, Type: typ, ID: id, Letter: g.letter}
	}
	return &ForbiddenError{Reason: OtherOrganization, Type: typ, ID: id, Letter: g.letter, Organization: org}
}

// deletion refuses a deleted resource whose last live version was outside of
// every constraint: it kept its search rows.
func (g *gate) deletion(ctx context.Context, db querier, r *row) error {
	if len(g.filters) == 0 {
		return nil
	}
	where, args := g.where()
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM resource r WHERE r.rid = ? AND "+where, append([]any{r.rid}, args...)...).Scan(&n); err != nil {
		return fmt.Errorf("look at the tombstone of %s/%s: %w", r.typ, r.id, err)
	}
	if n > 0 {
		return nil
	}
	return &ForbiddenError{Reason: OutsideQuery, Type: r.typ, ID: r.id, Letter: g.letter, Queries: g.queries}
}

// content refuses a resource that is outside of every constraint.
func (g *gate) content(res *Resource) error {
	if len(g.filters) == 0 {
		return nil
	}
	root, err := fhirjson.Parse(res.JSON)
	if err != nil {
		return fmt.Errorf("parse stored %s/%s: %w", res.Type, res.ID, err)
	}
	return g.values(res.ID, res, extract(g.store.defs, res.Type, res.ID, root))
}

func (g *gate) values(id string, res *Resource, v *values) error {
	if len(g.filters) == 0 {
		return nil
	}
	for _, f := range g.filters {
		if f.matches(id, res.At, v) {
			return nil
		}
	}
	return &ForbiddenError{Reason: OutsideQuery, Type: g.typ, ID: id, Letter: g.letter, Queries: g.queries}
}

// where is the gate as a condition on the resource r.
func (g *gate) where() (string, []any) {
	where, args := ofOrganizations(g.organizations)
	filters, more := g.inFilters()
	return where + " AND " + filters, append(args, more...)
}

// ofOrganizations is the condition on r of being visible to organizations; nil
// means all.
func ofOrganizations(ids map[string]bool) (string, []any) {
	if ids == nil {
		return "1", nil
	}
	list, args := inList(append(slices.Sorted(maps.Keys(ids)), "")) // "" is nobody's, so everybody's
	return "(r.org IN " + list + " AND NOT (r.org = '' AND r.type = '" + sharedGroup + "'))", args
}

// inFilters is the condition on r of being within one of the constraints.
func (g *gate) inFilters() (string, []any) {
	if len(g.filters) == 0 {
		return "1", nil
	}
	var filters []string
	var args []any
	for _, f := range g.filters {
		sql, more := f.where()
		filters, args = append(filters, sql), append(args, more...)
	}
	return anyOf(filters), args
}

// shown leaves out the versions that are outside of every constraint.
func (g *gate) shown(ctx context.Context, db querier, r *row, versions []Resource) ([]Resource, error) {
	var hidden error
	live := 0
	versions = slices.DeleteFunc(versions, func(res Resource) bool {
		if res.Op == OpDelete {
			return false
		}
		live++
		err := g.content(&res)
		if err != nil {
			hidden = err
			live--
		}
		return err != nil
	})
	switch {
	case live == 0 && hidden != nil:
		return nil, hidden
	case live == 0 && !r.live: // nothing but deletions, of something that may have to stay hidden
		return versions, g.deletion(ctx, db, r)
	}
	return versions, nil
}

// May reports whether the view lets its holder do what the letter stands for
// with a resource as it is: whoever patches one need not be one who may see it.
func (s *Store) May(ctx context.Context, v View, letter Letters, res *Resource) (bool, error) {
	return s.gates(s.cur.Load().read, v).shows(ctx, res, letter)
}
