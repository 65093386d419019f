package fhirstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// An EverythingQuery narrows Patient/$everything (FHIR R4, Patient-everything).
type EverythingQuery struct {
	// Types are the types of the patient's compartment that are wanted.
	Types []string
	// Start and End bound the dates of care; zero is open. Resources without
	// such a date are within.
	Start, End time.Time
	// Since keeps what was last updated at or after it.
	Since time.Time
	Count int    // the size of a page; 0 for all
	Page  string // the token of the page, empty for the first
}

// PatientEverything returns what is known about a patient: the resources of the
// compartment, and with them what they refer to outside of it. The view has to
// be able to search each of the types; what is referred to and what it may not
// read is left out.
func (s *Store) PatientEverything(ctx context.Context, v View, patient string, want EverythingQuery) (*Page, error) {
	var params []Param
	if want.Page != "" {
		params = append(params, Param{pageParam, want.Page})
	}
	q, err := s.QueryAll(want.Types, params, QueryOptions{Patient: patient})
	if err != nil {
		return nil, err
	}
	q.Count = want.Count
	if q.Count == 0 {
		q.Count = maxEverything
	}
	if !want.Since.IsZero() {
		q.clauses = append(q.clauses, clause{column: "r.at >= ?", columnArgs: []any{toMillis(want.Since)}})
	}
	if !want.Start.IsZero() || !want.End.IsZero() {
		q.clauses = append(q.clauses, s.careClause(want))
	}
	d := s.cur.Load()
	gs := s.gates(d.read, v)
	page, rows, err := s.search(ctx, d, gs, q)
	if err != nil {
		return nil, err
	}
	page.Included, err = s.supporting(ctx, d, gs, rows)
	return page, err
}

// maxEverything bounds a page that asks for all at once.
const maxEverything = 10_000

// careDates are the search parameters with the date of care, the most telling
// first.
var careDates = [...]string{"date", "onset-date", "occurrence", "period", "authoredon", "whenhandedover", "effective-time", "authored", "created", "collected", "start-date", "recorded-date", "sent"}

// careClause holds for resources whose date of care overlaps the bounds, and
// for those that have none.
func (s *Store) careClause(want EverythingQuery) clause {
	var ids []any
	for _, typ := range want.Types {
		for _, code := range careDates {
			if def, ok := s.defs.Param(typ, code); ok && def.Kind == r4.Date {
				ids = append(ids, def.ID)
				break
			}
		}
	}
	if len(ids) == 0 {
		return clause{column: "1"}
	}
	lo, hi := int64(minMillis), int64(maxMillis)
	if !want.Start.IsZero() {
		lo = toMillis(want.Start)
	}
	if !want.End.IsZero() {
		hi = toMillis(want.End)
	}
	dates := "EXISTS (SELECT 1 FROM ix_date x WHERE x.rid = r.rid AND x.param IN (" + placeholders(len(ids)) + ")"
	return clause{column: "(NOT " + dates + ") OR " + dates + " AND x.hi > ? AND x.lo < ?))", columnArgs: append(slices.Concat(ids, ids), lo, hi)}
}

// supporting returns the live resources that others refer to and that are in no
// patient's compartment by their type, as far as the view may read them.
func (s *Store) supporting(ctx context.Context, d *data, gs *gates, rows []row) ([]Resource, error) {
	seen := map[int64]bool{}
	var list []Resource
	for part := range slices.Chunk(rows, 500) {
		args := make([]any, len(part))
		for i := range part {
			args[i] = part[i].rid
		}
		found, err := d.rows(ctx, "r.live = 1 AND r.rid IN (SELECT t.rid FROM "+targets+" WHERE x.rid IN ("+placeholders(len(part))+")) ORDER BY r.rid", args...)
		if err != nil {
			return nil, fmt.Errorf("supporting resources: %w", err)
		}
		for i := range found {
			r := &found[i]
			if seen[r.rid] || s.defs.InPatientCompartment(r.typ) {
				continue
			}
			seen[r.rid] = true
			json, err := d.packs.readBody(ctx, d.read, r.body)
			if err != nil {
				return nil, err
			}
			res := r.resource(json)
			if ok, err := gs.shows(ctx, &res, LetterRead); err != nil {
				return nil, err
			} else if ok {
				list = append(list, res)
			}
		}
	}
	slices.SortFunc(list, func(a, b Resource) int {
		return strings.Compare(a.Type+"/"+a.ID, b.Type+"/"+b.ID)
	})
	return list, nil
}
