package fhirstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A body says where a version's bytes are.
type body struct{ pack, off, len, seq int64 }

// A row is the current state of a resource.
type row struct {
	rid     int64
	typ, id string
	live    bool
	vid, at int64
	org     string
	body
}

const rowColumns = "r.rid, r.type, r.id, r.live, r.vid, r.at, r.org, r.pack, r.off, r.len, r.seq"

func (r *row) columns() []any {
	return []any{&r.rid, &r.typ, &r.id, &r.live, &r.vid, &r.at, &r.org, &r.pack, &r.off, &r.body.len, &r.seq}
}

func (r *row) resource(json []byte) Resource {
	res := Resource{Type: r.typ, ID: r.id, Version: r.vid, At: fromMillis(r.at), Organization: r.org, JSON: json, Op: OpUpdate}
	switch {
	case !r.live:
		res.Op = OpDelete
	case r.vid == 1:
		res.Op = OpCreate
	}
	return res
}

// A querier is a pool of readers or a transaction.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func lookUp(ctx context.Context, q querier, typ, id string) (*row, error) {
	var r row
	err := q.QueryRowContext(ctx, "SELECT "+rowColumns+" FROM resource r WHERE r.type = ? AND r.id = ?", typ, id).Scan(r.columns()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, &NotFoundError{Type: typ, ID: id}
	}
	if err != nil {
		return nil, fmt.Errorf("look up %s/%s: %w", typ, id, err)
	}
	return &r, nil
}

func (p *packs) readBody(ctx context.Context, q querier, b body) ([]byte, error) {
	if b.pack == 0 {
		var json []byte
		if err := q.QueryRowContext(ctx, "SELECT json FROM loose WHERE seq = ?", b.seq).Scan(&json); err != nil {
			return nil, fmt.Errorf("read version %d: %w", b.seq, err)
		}
		return json, nil
	}
	f, err := p.file(b.pack)
	if err != nil {
		return nil, err
	}
	json := make([]byte, b.len)
	if _, err := f.ReadAt(json, b.off); err != nil {
		return nil, fmt.Errorf("read pack %d at %d: %w", b.pack, b.off, err)
	}
	return json, nil
}

// Read returns the current version of a resource (FHIR R4, http, read). Its
// errors are *ForbiddenError, *NotFoundError and *GoneError.
func (s *Store) Read(ctx context.Context, v View, typ, id string) (*Resource, error) {
	g, err := s.gate(ctx, v, typ, LetterRead)
	if err != nil {
		return nil, err
	}
	d := s.cur.Load()
	r, err := lookUp(ctx, d.db.Read(), typ, id)
	if err != nil {
		return nil, err
	}
	if err := g.organization(r.typ, r.id, r.org); err != nil {
		return nil, err
	}
	if !r.live {
		if err := g.tombstone(ctx, d.db.Read(), r); err != nil {
			return nil, err
		}
		return nil, &GoneError{Type: typ, ID: id, Version: r.vid, At: fromMillis(r.at)}
	}
	json, err := d.packs.readBody(ctx, d.db.Read(), r.body)
	if err != nil {
		return nil, err
	}
	res := r.resource(json)
	return &res, g.content(&res)
}

// ReadVersion returns one version of a resource (FHIR R4, http, vread). Its
// errors are those of Read; a *GoneError also for the version that records the
// deletion.
func (s *Store) ReadVersion(ctx context.Context, v View, typ, id, version string) (*Resource, error) {
	g, err := s.gate(ctx, v, typ, LetterRead)
	if err != nil {
		return nil, err
	}
	d := s.cur.Load()
	r, err := lookUp(ctx, d.db.Read(), typ, id)
	if err != nil {
		return nil, err
	}
	if err := g.organization(r.typ, r.id, r.org); err != nil {
		return nil, err
	}
	vid, err := strconv.ParseInt(version, 10, 64)
	if err != nil || strconv.FormatInt(vid, 10) != version {
		return nil, &NotFoundError{Type: typ, ID: id, Version: version}
	}
	versions, err := d.versions(ctx, r, "vid = ?", vid)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, &NotFoundError{Type: typ, ID: id, Version: version}
	}
	res := &versions[0]
	if res.Op == OpDelete {
		if err := g.tombstone(ctx, d.db.Read(), r); err != nil {
			return nil, err
		}
		return nil, &GoneError{Type: typ, ID: id, Version: vid, At: res.At}
	}
	return res, g.content(res)
}

// A HistoryQuery narrows a history (FHIR R4, http, history).
type HistoryQuery struct {
	Since  time.Time // versions written at or after it; zero for all
	Count  int       // the most versions wanted; 0 for all
	Before int64     // versions below this one, for the next page; 0 for all
}

// History returns the versions of a resource, newest first (FHIR R4, http,
// history), and how many there are without Count and Before. Versions outside a
// constraint of the view are left out; if that leaves none but deletions, the
// error is a *ForbiddenError.
func (s *Store) History(ctx context.Context, v View, typ, id string, q HistoryQuery) (versions []Resource, total int64, err error) {
	g, err := s.gate(ctx, v, typ, LetterRead)
	if err != nil {
		return nil, 0, err
	}
	d := s.cur.Load()
	r, err := lookUp(ctx, d.db.Read(), typ, id)
	if err != nil {
		return nil, 0, err
	}
	if err := g.organization(r.typ, r.id, r.org); err != nil {
		return nil, 0, err
	}
	all, err := d.versions(ctx, r, "at >= ?", max(0, toMillis(q.Since)))
	if err != nil {
		return nil, 0, err
	}
	shown, err := g.shown(ctx, d.db.Read(), r, all)
	if err != nil {
		return nil, 0, err
	}
	for _, res := range shown {
		if (q.Before == 0 || res.Version < q.Before) && (q.Count == 0 || len(versions) < q.Count) {
			versions = append(versions, res)
		}
	}
	return versions, int64(len(shown)), nil
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
		return versions, g.tombstone(ctx, db, r)
	}
	return versions, nil
}

// versions returns the versions of a resource for which a condition on the
// version table holds, newest first.
func (d *data) versions(ctx context.Context, r *row, where string, args ...any) ([]Resource, error) {
	var list []Resource
	var bodies []body
	err := each(ctx, d.db.Read(), func(rows *sql.Rows) error {
		var b body
		var vid, at int64
		var op string
		if err := rows.Scan(&b.seq, &vid, &at, &op, &b.pack, &b.off, &b.len); err != nil {
			return err
		}
		list = append(list, Resource{Type: r.typ, ID: r.id, Version: vid, At: fromMillis(at), Op: Op(op[0]), Organization: r.org})
		bodies = append(bodies, b)
		return nil
	}, "SELECT seq, vid, at, op, pack, off, len FROM version WHERE rid = ? AND "+where+" ORDER BY vid DESC", append([]any{r.rid}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("versions of %s/%s: %w", r.typ, r.id, err)
	}
	for i := range list {
		if list[i].Op == OpDelete {
			continue
		}
		if list[i].JSON, err = d.packs.readBody(ctx, d.db.Read(), bodies[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

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
	return s.gateIn(ctx, s.cur.Load().db.Read(), v, typ, letter)
}

// gateIn is gate inside a transaction.
func (s *Store) gateIn(ctx context.Context, db querier, v View, typ string, letter Letters) (*gate, error) {
	queries, ok := v.queries(typ, letter)
	if !ok {
		return nil, &ForbiddenError{Reason: NoLetter, Type: typ, Letter: letter}
	}
	g := &gate{store: s, typ: typ, letter: letter, queries: queries}
	for _, q := range queries {
		f, err := s.filter(typ, q)
		if err != nil {
			return nil, fmt.Errorf("constraint %s?%s: %w", typ, q, err)
		}
		g.filters = append(g.filters, f)
	}
	if v.Organizations == nil {
		return g, nil
	}
	var err error
	g.organizations, err = s.organizationsBelow(ctx, db, v.Organizations)
	return g, err
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

// organization refuses a resource of an organization that is not visible.
func (g *gate) organization(typ, id, org string) error {
	if g.organizations == nil || org == "" || g.organizations[org] {
		return nil
	}
	return &ForbiddenError{Reason: OtherOrganization, Type: typ, ID: id, Letter: g.letter, Organization: org}
}

// tombstone refuses a deleted resource whose last live version was outside of
// every constraint: it kept its search rows.
func (g *gate) tombstone(ctx context.Context, db querier, r *row) error {
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
	where, args := "1", []any(nil)
	if g.organizations != nil {
		where += " AND r.org IN ('', " + placeholders(len(g.organizations)) + ")"
		for id := range g.organizations {
			args = append(args, id)
		}
	}
	if len(g.filters) > 0 {
		where += " AND ("
		for i, f := range g.filters {
			if i > 0 {
				where += " OR "
			}
			sql, a := f.where()
			where, args = where+"("+sql+")", append(args, a...)
		}
		where += ")"
	}
	return where, args
}

// where is the query's clauses as a condition on the resource r.
func (q *Query) where() (string, []any) {
	where, args := "1", []any(nil)
	for i := range q.clauses {
		sql, a := q.clauses[i].exists()
		where, args = where+" AND "+sql, append(args, a...)
	}
	return where, args
}
