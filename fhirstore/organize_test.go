package fhirstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// blocks are the lines of an export by Patient, shortened to type and id.
func blocks(t *testing.T, s *fhirstore.Store, v fhirstore.View, sel fhirstore.Selection) string {
	t.Helper()
	sel.OrganizeBy = "Patient"
	snap := must(s.Export(t.Context(), v, sel))
	var all []string
	for _, f := range snap.Output {
		for _, line := range lines(t, s, f) {
			name, rest, _ := strings.Cut(strings.TrimPrefix(line, `{"resourceType":"`), `"`)
			if name == "Parameters" {
				_, rest, _ = strings.Cut(rest, `"reference":"Patient/`)
				name = "#"
			} else {
				_, rest, _ = strings.Cut(rest, `"id":"`)
			}
			id, _, _ := strings.Cut(rest, `"`)
			all = append(all, name+"/"+id)
		}
	}
	return strings.Join(all, " ")
}

// TestOrganizedOutputShowsNothingHidden: a block is data, and what leads to it
// has to be visible (BD-SEC-05, BD-SEC-11).
func TestOrganizedOutputShowsNothingHidden(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	put(t, s, `{"resourceType":"Organization","id":"o1"}`, `{"resourceType":"Organization","id":"o2"}`, `{"resourceType":"Organization","id":"pub"}`, `{"resourceType":"Practitioner","id":"dr"}`)
	of := func(org, typ, body string) {
		id := strings.Split(strings.Split(body, `"id":"`)[1], `"`)[0]
		if _, _, err := s.Update(t.Context(), fhirstore.View{Permissions: all.Permissions, Owner: org}, typ, id, []byte(body), fhirstore.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	of("o2", "Patient", `{"resourceType":"Patient","id":"secret","gender":"male","generalPractitioner":[{"reference":"Practitioner/dr"}]}`)
	of("o2", "Encounter", `{"resourceType":"Encounter","id":"e2","class":{"code":"AMB"},"subject":{"reference":"Patient/secret"},"serviceProvider":{"reference":"Organization/pub"}}`)
	of("o1", "Patient", `{"resourceType":"Patient","id":"mine","gender":"female"}`)
	of("o1", "Encounter", `{"resourceType":"Encounter","id":"e1","class":{"code":"IMP"},"subject":{"reference":"Patient/mine"},"serviceProvider":{"reference":"Organization/pub"}}`)
	const want = "#/mine Patient/mine Encounter/e1 Organization/pub"
	bound := fhirstore.View{Permissions: all.Permissions, Organizations: []string{"o1"}}
	var narrow fhirstore.View
	for typ, query := range map[string]string{"Patient": "gender=female", "Encounter": "class=IMP", "Organization": "", "Practitioner": ""} {
		narrow.Permissions = append(narrow.Permissions, view(typ, fhirstore.LetterRead|fhirstore.LetterSearch, query).Permissions...)
	}
	for name, v := range map[string]fhirstore.View{"organization": bound, "constraint": narrow} {
		got := blocks(t, s, v, fhirstore.Selection{Level: fhirstore.PatientLevel, Types: []string{"Patient", "Encounter", "Organization", "Practitioner"}})
		if got != want {
			t.Errorf("by %s: got %s, want %s", name, got, want)
		}
	}
}

// TestBlocksBeginWithTheirPatient: also where another Patient is in the
// compartment, by a link (BD-OR-01).
func TestBlocksBeginWithTheirPatient(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	put(t, s, `{"resourceType":"Patient","id":"aa","link":[{"other":{"reference":"Patient/zz"},"type":"seealso"}]}`, `{"resourceType":"Patient","id":"zz"}`)
	if got, want := blocks(t, s, all, fhirstore.Selection{Level: fhirstore.PatientLevel, Types: []string{"Patient"}}), "#/aa Patient/aa #/zz Patient/zz Patient/aa"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	queries := []*fhirstore.Query{must(s.Query("Patient", must(fhirstore.ParseParams("_id=aa")), fhirstore.QueryOptions{}))}
	if got := must(s.Cohort(t.Context(), all, queries, nil)); strings.Join(got, " ") != "aa" {
		t.Errorf("BD-GR-08 a cohort of aa has %v", got)
	}
	put(t, s, `{"resourceType":"Patient","id":"aa","link":[{"other":{"reference":"Patient/ghost"},"type":"seealso"}]}`)
	if got := must(s.Cohort(t.Context(), all, queries, nil)); strings.Join(got, " ") != "aa" {
		t.Errorf("BD-GR-08 a cohort of aa has %v", got)
	}
}

// TestUntilWithinAMillisecond: what was written in the millisecond that _until
// lies in is before it (BD-PA-07).
func TestUntilWithinAMillisecond(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	res := must(s.Create(t.Context(), all, "Basic", []byte(`{"resourceType":"Basic"}`)))
	for after, want := range map[time.Duration]int{0: 0, time.Microsecond: 1, time.Millisecond: 1} {
		snap := must(s.Export(t.Context(), all, fhirstore.Selection{Types: []string{"Basic"}, Until: res.At.Add(after)}))
		if len(snap.Output) != want {
			t.Errorf("_until %s after it: got %d files, want %d", after, len(snap.Output), want)
		}
	}
}

// TestPagesOfOpenRanges: an open end of a range is no obstacle to the next page.
func TestPagesOfOpenRanges(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	put(t, s, `{"resourceType":"Condition","id":"low-1","onsetRange":{"low":{"value":1,"unit":"a"}}}`, `{"resourceType":"Condition","id":"low-2","onsetRange":{"low":{"value":2,"unit":"a"}}}`,
		`{"resourceType":"Condition","id":"high-1","onsetRange":{"high":{"value":1,"unit":"a"}}}`, `{"resourceType":"Condition","id":"high-2","onsetRange":{"high":{"value":2,"unit":"a"}}}`)
	for _, sort := range []string{"onset-age", "-onset-age"} {
		var found []string
		for next := ""; ; {
			query := "_count=1&_sort=" + sort
			if next != "" {
				query += "&" + fhirstore.NextParam + "=" + next
			}
			page := search(t, s, all, "Condition", query)
			found = append(found, ids(page))
			if next = page.Next; next == "" {
				break
			}
		}
		if len(found) != 4 {
			t.Errorf("_sort=%s: the pages have %v, want each of four once", sort, found)
		}
	}
}

// TestDeletedAssociatedProvenance: of Provenance that comes with what it is
// about, deletions are told where it was about the types asked for (BD-DL-02).
func TestDeletedAssociatedProvenance(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	since := must(s.Create(t.Context(), all, "Basic", []byte(`{"resourceType":"Basic"}`))).At
	put(t, s, `{"resourceType":"Provenance","id":"of-observation","target":[{"reference":"Observation/o"}]}`, `{"resourceType":"Provenance","id":"of-patient","target":[{"reference":"Patient/p"}]}`)
	for _, id := range []string{"of-observation", "of-patient"} {
		must(s.Delete(t.Context(), all, "Provenance", id, fhirstore.Condition{}))
	}
	snap := must(s.Export(t.Context(), all, fhirstore.Selection{Types: []string{"Patient"}, Associated: fhirstore.RelevantProvenance, Since: since}))
	told := ""
	for _, f := range snap.Deleted {
		told += strings.Join(lines(t, s, f), "")
	}
	if !strings.Contains(told, "Provenance/of-patient") || strings.Contains(told, "of-observation") {
		t.Errorf("the deletions are %s, want that of the Patient's Provenance alone", told)
	}
}
