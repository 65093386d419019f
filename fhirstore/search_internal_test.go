package fhirstore

import (
	"fmt"
	"testing"
)

// TestNarrowestClauseLeads counts clauses up to a limit, and up to a wider one
// where all reach the first.
func TestNarrowestClauseLeads(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Open(ctx, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	load, err := s.Load(ctx, Everything())
	if err != nil {
		t.Fatal(err)
	}
	const all, most, some, few = 300, 150, 40, 5
	for i := range all {
		body := fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","status":"final"`, i)
		if i < most {
			body += `,"subject":{"reference":"Patient/most"}`
		}
		if i < some {
			body += `,"effectiveDateTime":"2025-01-01"`
		}
		if i < few {
			body += `,"code":{"coding":[{"code":"few"}]}`
		}
		if err := load.Add(ctx, Input{Type: "Observation", ID: fmt.Sprint("o", i), JSON: []byte(body + "}")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := load.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	r := record(s)
	const narrow, wide = 10, 100
	for _, c := range []struct {
		name, query string
		lead        int // index of the clause
		counted     int // how many counts it takes
		total       int64
	}{
		{"one alone leads uncounted", "status=final", 0, 0, all},
		{"few among all", "status=final&code=few", 1, 2, few},
		{"few before all", "code=few&status=final", 0, 2, few},
		{"some among all: both reach the first limit", "status=final&date=2025", 1, 4, some},
		{"some before all", "date=2025&status=final", 0, 4, some},
		{"all reach both limits: the first leads", "status=final&subject=Patient/most", 0, 4, most},
		{"few among several that reach the first limit", "status=final&subject=Patient/most&code=few", 2, 3, few},
		{"what is left out cannot lead, so nothing is counted", "status:not=draft&date=2025", 1, 0, some},
		{"none can lead", "status:not=draft&code:missing=true", -1, 0, all - few},
		{"none of them is there", "status=final&code=none", 1, 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			params, err := ParseParams(c.query)
			if err != nil {
				t.Fatal(err)
			}
			q, err := s.Query("Observation", params, QueryOptions{Strict: true})
			if err != nil {
				t.Fatal(err)
			}
			r.take()
			lead, err := s.cur.Load().narrowest(ctx, q.clauses, narrow, wide)
			if err != nil {
				t.Fatal(err)
			}
			if counted := len(r.take()); lead != c.lead || counted != c.counted {
				t.Errorf("clause %d leads after %d counts; want %d after %d", lead, counted, c.lead, c.counted)
			}
			if page, err := s.Search(ctx, Everything(), q); err != nil || page.Total != c.total {
				t.Errorf("found %+v, %v; want %d", page, err, c.total)
			}
		})
	}
}
