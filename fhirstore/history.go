package fhirstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// historyChunk is how many versions are looked at between two looks at what
// they make visible.
const historyChunk = 200

// HistoryOf returns the versions of all resources of some types, newest first
// (FHIR R4, http, history). The view has to have the search letter on each of
// the types. Versions that it does not show are left out. q.Before is what
// another call returned as next, which is 0 at the end. total counts all
// versions where that takes no look into each, else it is -1.
func (s *Store) HistoryOf(ctx context.Context, v View, types []string, q HistoryQuery) (versions []Resource, next, total int64, err error) {
	d := s.cur.Load()
	gates, narrowed := map[string]*gate{}, false
	for _, typ := range types {
		g, err := s.gate(ctx, v, typ, LetterSearch)
		if err != nil {
			return nil, 0, 0, err
		}
		gates[typ] = g
		narrowed = narrowed || len(g.filters) > 0 || g.organizations != nil
	}
	list, args := inList(types)
	where, since := "r.type IN "+list+" AND v.at >= ?", max(0, toMillis(q.Since))
	args = append(args, since)
	total = -1
	if !narrowed {
		err := d.read.QueryRowContext(ctx, "SELECT count(*) FROM version v JOIN resource r ON r.rid = v.rid WHERE "+where, args...).Scan(&total)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("count versions: %w", err)
		}
	}
	before := q.Before
	for {
		found, err := d.versionsBefore(ctx, where, args, before)
		if err != nil {
			return nil, 0, 0, err
		}
		for i := range found {
			f := &found[i]
			before = f.seq
			ok, err := s.shows(ctx, d, gates[f.res.Type], f)
			if err != nil {
				return nil, 0, 0, err
			}
			if !ok {
				continue
			}
			if q.Count > 0 && len(versions) == q.Count {
				return versions, next, total, nil
			}
			versions, next = append(versions, f.res), f.seq
		}
		if len(found) < historyChunk {
			return versions, 0, total, nil
		}
	}
}

// A loggedVersion is a version with its place in the log.
type loggedVersion struct {
	res Resource
	row row // of the resource, as far as permission goes
	seq int64
}

// versionsBefore returns versions for which a condition holds, newest first,
// from a place in the log on; 0 is the end.
func (d *data) versionsBefore(ctx context.Context, where string, args []any, before int64) ([]loggedVersion, error) {
	if before > 0 {
		where, args = where+" AND v.seq < ?", append(slices.Clone(args), before)
	}
	var list []loggedVersion
	var bodies []body
	err := each(ctx, d.read, func(rows *sql.Rows) error {
		var f loggedVersion
		var b body
		var at int64
		var op string
		if err := rows.Scan(&f.seq, &f.res.Version, &at, &op, &b.pack, &b.off, &b.len, &f.row.rid, &f.row.typ, &f.row.id, &f.row.org); err != nil {
			return err
		}
		b.seq = f.seq
		f.res.Type, f.res.ID, f.res.Organization, f.res.At, f.res.Op = f.row.typ, f.row.id, f.row.org, fromMillis(at), Op(op[0])
		list, bodies = append(list, f), append(bodies, b)
		return nil
	}, "SELECT v.seq, v.vid, v.at, v.op, v.pack, v.off, v.len, r.rid, r.type, r.id, r.org FROM version v JOIN resource r ON r.rid = v.rid WHERE "+where+
		" ORDER BY v.seq DESC LIMIT ?", append(slices.Clone(args), historyChunk)...)
	if err != nil {
		return nil, fmt.Errorf("read the log of versions: %w", err)
	}
	for i := range list {
		if list[i].res.Op == OpDelete {
			continue
		}
		if list[i].res.JSON, err = d.packs.readBody(ctx, d.read, bodies[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// shows reports whether a gate lets a version through: a deletion by what the
// last live version was.
func (s *Store) shows(ctx context.Context, d *data, g *gate, f *loggedVersion) (bool, error) {
	err := g.organization(f.res.Type, f.res.ID, f.res.Organization)
	if err == nil && f.res.Op == OpDelete {
		err = g.deletion(ctx, d.read, &f.row)
	} else if err == nil {
		err = g.content(&f.res)
	}
	var forbidden *ForbiddenError
	if errors.As(err, &forbidden) {
		return false, nil
	}
	return err == nil, err
}
