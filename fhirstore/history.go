package fhirstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// HistoryOf returns the versions of all resources of some types, newest first
// (FHIR R4, http, history). The view has to have the search letter on each of
// the types. Versions that it does not show are left out. q.Before is what
// another call returned as next, which is 0 at the end. total counts all
// versions where that takes no look into each, else it is -1.
func (s *Store) HistoryOf(ctx context.Context, v View, types []string, q HistoryQuery) (versions []Resource, next, total int64, err error) {
	h, err := s.history(ctx, v, types, q)
	if err != nil {
		return nil, 0, 0, err
	}
	if total, err = h.total(ctx); err != nil {
		return nil, 0, 0, err
	}
	for before := q.Before; ; {
		portion, err := h.before(ctx, before)
		if err != nil {
			return nil, 0, 0, err
		}
		for i := range portion {
			l := &portion[i]
			before = l.seq
			ok, err := h.shows(ctx, l)
			switch {
			case err != nil:
				return nil, 0, 0, err
			case !ok:
				continue
			case q.Count > 0 && len(versions) == q.Count:
				return versions, next, total, nil
			}
			versions, next = append(versions, l.Resource), l.seq
		}
		if len(portion) < h.portion {
			return versions, 0, total, nil
		}
	}
}

// A history is a walk through the log of versions, as far as a view shows it.
type history struct {
	*data
	gates map[string]*gate

	where   string // what SQL can judge: types, time and organizations
	args    []any
	from    string
	since   int64
	portion int // how many versions are looked at between two queries
}

// Sizes of portions, in versions: of those of which some are shown, and of
// those that fill a page.
const (
	sifted = 2000
	whole  = 1000
)

// manyResources is how many resources of its types make it cheaper to walk
// through the log than to sort their versions.
const manyResources = 10_000

func (s *Store) history(ctx context.Context, v View, types []string, q HistoryQuery) (*history, error) {
	h := &history{data: s.cur.Load(), gates: map[string]*gate{}, since: max(0, toMillis(q.Since)), portion: whole}
	if q.Count > 0 {
		h.portion = min(q.Count+1, whole) // one more tells whether there is a next page
	}
	gates := s.gates(h.read, v)
	for _, typ := range types {
		g, err := gates.gate(ctx, typ, LetterSearch)
		if err != nil {
			return nil, err
		}
		if h.gates[typ] = g; len(g.filters) > 0 {
			h.portion = sifted
		}
	}
	list, args := inList(types)
	visible, orgs := ofOrganizations(gates.organizations)
	h.where, h.args = "r.type IN "+list+" AND "+visible, append(args, orgs...)
	if h.since > 0 { // no resource has a version that is newer than itself
		h.where, h.args = h.where+" AND r.at >= ?", append(h.args, h.since)
	}
	var n int
	err := h.read.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM resource r WHERE "+h.where+" LIMIT ?)", append(slices.Clone(h.args), manyResources)...).Scan(&n)
	if err != nil {
		return nil, fmt.Errorf("count resources of a history: %w", err)
	}
	h.from = "resource r CROSS JOIN version v ON v.rid = r.rid"
	if n == manyResources {
		h.from = "version v CROSS JOIN resource r ON r.rid = v.rid"
	}
	return h, nil
}

// total counts the versions. Where each has to be looked at it is -1.
func (h *history) total(ctx context.Context) (total int64, err error) {
	for _, g := range h.gates {
		if len(g.filters) > 0 || g.organizations != nil {
			return -1, nil
		}
	}
	query, args := "SELECT coalesce(sum(r.vid), 0) FROM resource r WHERE "+h.where, h.args // each has its versions from 1
	if h.since > 0 {
		query, args = "SELECT count(*) FROM resource r CROSS JOIN version v ON v.rid = r.rid WHERE "+h.where+" AND v.at >= ?", append(slices.Clone(h.args), h.since)
	}
	if err := h.read.QueryRowContext(ctx, query, args...).Scan(&total); err != nil {
		return 0, fmt.Errorf("count versions: %w", err)
	}
	return total, nil
}

// A logged is a version with its place in the log; its JSON is still to be read.
type logged struct {
	Resource
	rid int64
	body
}

// before returns a portion of the versions before a place in the log, newest
// first; 0 is its end.
func (h *history) before(ctx context.Context, seq int64) ([]logged, error) {
	where, args := h.where+" AND v.at >= ?", append(slices.Clone(h.args), h.since)
	if seq > 0 {
		where, args = where+" AND v.seq < ?", append(args, seq)
	}
	var portion []logged
	err := each(ctx, h.read, func(rows *sql.Rows) error {
		var l logged
		var at int64
		var op string
		if err := rows.Scan(&l.seq, &l.Version, &at, &op, &l.pack, &l.off, &l.len, &l.rid, &l.Type, &l.ID, &l.Organization); err != nil {
			return err
		}
		l.At, l.Op = fromMillis(at), Op(op[0])
		portion = append(portion, l)
		return nil
	}, "SELECT v.seq, v.vid, v.at, v.op, v.pack, v.off, v.len, r.rid, r.type, r.id, r.org FROM "+h.from+" WHERE "+where+" ORDER BY v.seq DESC LIMIT ?", append(args, h.portion)...)
	if err != nil {
		return nil, fmt.Errorf("read the log of versions: %w", err)
	}
	return portion, nil
}

// shows reads a version and reports whether the view shows it: a deletion by
// what the last live version was.
func (h *history) shows(ctx context.Context, l *logged) (ok bool, err error) {
	g := h.gates[l.Type]
	if l.Op == OpDelete {
		err = g.deletion(ctx, h.read, &row{rid: l.rid, typ: l.Type, id: l.ID})
	} else if l.JSON, err = h.packs.readBody(ctx, h.read, l.body); err == nil {
		err = g.content(&l.Resource)
	}
	var forbidden *ForbiddenError
	if errors.As(err, &forbidden) {
		return false, nil
	}
	return err == nil, err
}
