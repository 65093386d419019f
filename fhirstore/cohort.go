package fhirstore

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Cohort returns the ids of the patients whom each of the queries finds, by
// themselves or by something in their compartment, sorted (Bulk Data Access
// 3.0.0, Bulk Cohort Group, member-filter). It looks at what the view may
// search for. among are references to Patients, and to Groups that stand for
// their members, to which the search keeps; nil means all patients. The error of
// a type that may not be searched for is a *ForbiddenError.
func (s *Store) Cohort(ctx context.Context, v View, queries []*Query, among []string) ([]string, error) {
	d := s.cur.Load()
	found, err := s.patientsBy(ctx, d, v, &Query{Type: "Patient"})
	if err != nil {
		return nil, err
	}
	for _, q := range queries {
		also, err := s.patientsBy(ctx, d, v, q)
		if err != nil {
			return nil, err
		}
		maps.DeleteFunc(found, func(id string, _ bool) bool { return !also[id] })
	}
	if among != nil {
		e := exporter{store: s, ctx: ctx, tx: d.read, packs: d.packs, view: v, snap: &Snapshot{At: s.Latest()}}
		members, err := e.membersAmong(among)
		if err != nil {
			return nil, err
		}
		given := map[string]bool{}
		for _, id := range members {
			given[id] = true
		}
		maps.DeleteFunc(found, func(id string, _ bool) bool { return !given[id] })
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// patientsBy returns the ids of the patients that a query finds, or in whose
// compartments it finds something.
func (s *Store) patientsBy(ctx context.Context, d *data, v View, q *Query) (map[string]bool, error) {
	g, err := s.gateIn(ctx, d.read, v, q.Type, LetterSearch)
	if err != nil {
		return nil, err
	}
	shown, args := g.where()
	matching, more := q.where()
	patients := "SELECT DISTINCT c.patient FROM resource r JOIN compartment c ON c.rid = r.rid"
	if q.Type == "Patient" { // a Patient is in the compartments of those that it links to, too
		patients = "SELECT r.id FROM resource r"
	}
	ids := map[string]bool{}
	err = each(ctx, d.read, func(rows *sql.Rows) error {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		ids[id] = true
		return nil
	}, patients+" WHERE r.type = ? AND r.live = 1 AND "+shown+" AND "+matching,
		append(append([]any{q.Type}, args...), more...)...)
	if err != nil {
		return nil, fmt.Errorf("find the patients of a cohort: %w", err)
	}
	return ids, nil
}

// membersAmong returns the ids of the patients that references name, those of
// Groups that the view may read by way of their members.
func (e *exporter) membersAmong(references []string) (ids []string, err error) {
	for _, reference := range references {
		if id, ok := strings.CutPrefix(reference, "Patient/"); ok {
			ids = append(ids, id)
			continue
		}
		id, _ := strings.CutPrefix(reference, "Group/")
		if _, err := e.readable("Group", id); err != nil {
			return nil, err
		}
		e.sel.Group = id
		members, err := e.members()
		if err != nil {
			return nil, fmt.Errorf("members of Group/%s: %w", id, err)
		}
		ids = append(ids, members...)
	}
	return ids, nil
}
