package httpapi_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestExportHasEverything compares a system export with what searches find.
func TestExportHasEverything(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	people(t, p, 3, "Added")
	var s capabilityStatement
	p.get(t, "/metadata").want(t, 200).decode(t, &s)
	var want []string // the types with resources
	counts := map[string]int{}
	for _, r := range s.Rest[0].Resource {
		if n := *p.get(t, "/"+r.Type+"?_summary=count").bundle(t).Total; n > 0 {
			want = append(want, r.Type)
			counts[r.Type] = n
		}
	}
	if len(want) < 10 {
		t.Fatalf("the population has %v", want)
	}
	m := p.export(t, "/$export")
	if got := m.types(); !slices.Equal(got, want) {
		t.Errorf("BD-PA-11: got %v, want %v", got, want)
	}
	for _, i := range m.Output {
		if got := len(p.lines(t, i.URL)); got != counts[i.Type] || got != i.Count {
			t.Errorf("BD-MF-05: got %d of %s, count %d, and a search finds %d", got, i.Type, i.Count, counts[i.Type])
		}
	}
	for _, path := range []string{"/Patient/$export", "/Group/all/$export"} {
		got := p.export(t, path).types()
		if !containsAll(got, "Patient", "Observation", "Provenance", "Practitioner") || slices.Contains(got, "Group") {
			t.Errorf("BD-DA-01 BD-PA-19: %s has %v, want the compartment with Provenance and context, and no Group", path, got)
		}
	}
	if got := p.export(t, "/Patient/$export?_type=Patient,Observation").types(); slices.Contains(got, "Provenance") {
		t.Errorf("BD-PA-19: got %v though _type leaves Provenance out", got)
	}
	if got := p.export(t, "/Patient/$export?_type=Group,Patient").types(); !slices.Contains(got, "Group") {
		t.Errorf("got %v, want Group where _type names it", got)
	}
}

// TestGroupExport is about whose data a group export has.
func TestGroupExport(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	ids := p.ids(t, "/Patient")
	member := func(id, more string) string { return `{"entity":{"reference":"Patient/` + id + `"}` + more + `}` }
	p.put(t, "/Group/mine", `{"resourceType":"Group","id":"mine","type":"person","actual":true,"member":[`+
		member(ids[0], "")+`,`+member(ids[1], `,"inactive":true`)+`,`+member(ids[2], `,"period":{"end":"2020-01-01"}`)+`]}`).want(t, 201)
	m := p.export(t, "/Group/mine/$export")
	if got := idsOf(p.exported(t, m, "Patient")); !slices.Equal(got, ids[:1]) {
		t.Errorf("BD-GR-05: got %v, want the active member %v", got, ids[:1])
	}
	if slices.Contains(m.types(), "Group") {
		t.Error("a group export without _type has Groups")
	}
	for _, line := range p.fileOf(t, m, "Observation") {
		if !strings.Contains(line, "Patient/"+ids[0]+`"`) {
			t.Fatalf("BD-DA-10: got an Observation of somebody else: %s", line)
		}
	}
	since := url.QueryEscape(m.TransactionTime)
	var lost []string
	for _, owner := range ids[:2] {
		id := p.ids(t, "/Observation?subject=Patient/"+owner)[0]
		p.send(t, "DELETE", "/Observation/"+id, "").want(t, 204)
		lost = append(lost, "Observation/"+id)
	}
	if got := p.deletions(t, p.export(t, "/Group/mine/$export?_since="+since)); !slices.Equal(got, lost[:1]) {
		t.Errorf("BD-DL-05 FR-DE-05: got %v deleted, want the member's %v alone", got, lost[:1])
	}
	if m := p.export(t, "/Group/empty/$export?_type=Patient,Observation"); len(m.Output) != 0 {
		t.Errorf("BD-MF-04: the export of an empty group has %v", m.types())
	}
}
