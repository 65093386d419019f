package fhirstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// FuzzQuery reads searches: what is refused is refused as a *QueryError, what is
// read can be run, and the index finds what the same query says of each
// resource by itself.
func FuzzQuery(f *testing.F) {
	s := must(fhirstore.Open(f.Context(), "", fhirstore.Options{}))
	f.Cleanup(func() { s.Close() })
	types := map[string][]string{}
	for _, body := range append(sample, composites...) {
		typ := strings.Split(body, `"`)[3]
		id := strings.Split(body, `"`)[7]
		if _, _, err := s.Update(f.Context(), all, typ, id, []byte(body), fhirstore.Condition{}); err != nil {
			f.Fatal(err)
		}
		types[typ] = append(types[typ], id)
	}
	for _, c := range compositeCases {
		f.Add(c.query)
	}
	for _, query := range []string{
		"Patient?name=a&_sort=-birthdate,name&_count=3&_total=none", "Observation?date=ge2026-01-14T10:00:00.5%2B01:00,ap2026", "Observation?patient.name:contains=a&_include=Observation:*",
		"Patient?_has:Observation:patient:code=a|b,|c&_revinclude:iterate=Provenance:target", `Patient?name=a\,b\|c\$d\\&_id=x,y`, "Condition?onset-date:missing=true&_lastUpdated=lt2026",
		"Observation?value-quantity=ne1.0e2||mg&_summary=text", "Patient?_page=eyJyIjoxfQ&_elements=name", "Patient?organization:Organization=Organization/a/_history/2,http://x/y",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typ, query, _ := strings.Cut(text, "?")
		if types[typ] == nil {
			typ = "Observation"
		}
		var refused *fhirstore.QueryError
		params, err := fhirstore.ParseParams(query)
		if err != nil {
			if !errors.As(err, &refused) {
				t.Fatalf("%q: %v", query, err)
			}
			return
		}
		q, err := s.Query(typ, params, fhirstore.QueryOptions{Base: "http://here/fhir"})
		if err != nil {
			if !errors.As(err, &refused) {
				t.Fatalf("%s?%s: %v", typ, query, err)
			}
			return
		}
		page, err := s.Search(t.Context(), all, q)
		if err != nil {
			t.Fatalf("%s?%s: %v", typ, query, err)
		}
		if len(page.Matches) > q.Count {
			t.Fatalf("%s?%s: %d matches on a page of %d", typ, query, len(page.Matches), q.Count)
		}
		if _, err := s.Query(typ, params, fhirstore.QueryOptions{Strict: true, FilterOnly: true}); err != nil || len(params) == 0 || query == "" {
			return
		}
		found := map[string]bool{}
		for _, match := range page.Matches {
			found[match.ID] = true
		}
		v := fhirstore.View{Permissions: []fhirstore.Permission{{Type: typ, Letters: fhirstore.AllLetters, Query: query}}}
		for _, id := range types[typ] {
			_, err := s.Read(t.Context(), v, typ, id)
			var forbidden *fhirstore.ForbiddenError
			if err != nil && !errors.As(err, &forbidden) {
				t.Fatalf("read of %s/%s under %s: %v", typ, id, query, err)
			}
			if (err == nil) != found[id] && !strings.Contains(query, "http%3A%2F%2Fhere") && !strings.Contains(query, "http://here") {
				t.Errorf("%s?%s: the index says %t for %s, the resource itself says %t", typ, query, found[id], id, err == nil)
			}
		}
	})
}
