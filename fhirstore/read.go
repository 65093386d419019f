package fhirstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"
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

// lookUpIfAny is lookUp, and nil where the resource never existed.
func lookUpIfAny(ctx context.Context, q querier, typ, id string) (*row, error) {
	r, err := lookUp(ctx, q, typ, id)
	var missing *NotFoundError
	if errors.As(err, &missing) {
		return nil, nil
	}
	return r, err
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
	d := s.cur.Load()
	g, r, err := s.find(ctx, d.read, v, typ, id)
	if err != nil {
		return nil, err
	}
	return g.current(ctx, d.read, d.packs, r)
}

// ReadVersion returns one version of a resource (FHIR R4, http, vread). Its
// errors are those of Read; a *GoneError also for the version that records the
// deletion.
func (s *Store) ReadVersion(ctx context.Context, v View, typ, id, version string) (*Resource, error) {
	d := s.cur.Load()
	g, r, err := s.find(ctx, d.read, v, typ, id)
	if err != nil {
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
		if err := g.deletion(ctx, d.read, r); err != nil {
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
	d := s.cur.Load()
	g, r, err := s.find(ctx, d.read, v, typ, id)
	if err != nil {
		return nil, 0, err
	}
	all, err := d.versions(ctx, r, "at >= ?", max(0, toMillis(q.Since)))
	if err != nil {
		return nil, 0, err
	}
	shown, err := g.shown(ctx, d.read, r, all)
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

// versions returns the versions of a resource for which a condition on the
// version table holds, newest first.
func (d *data) versions(ctx context.Context, r *row, where string, args ...any) ([]Resource, error) {
	var list []Resource
	var bodies []body
	err := each(ctx, d.read, func(rows *sql.Rows) error {
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
		if list[i].JSON, err = d.packs.readBody(ctx, d.read, bodies[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}
