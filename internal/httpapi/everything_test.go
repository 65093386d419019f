package httpapi_test

import (
	"slices"
	"testing"
)

// TestEverything is about Patient/$everything.
func TestEverything(t *testing.T) {
	t.Parallel()
	w := start(t)
	const patient = "pt-000002"
	all := w.all.get(t, "/Patient/"+patient+"/$everything").bundle(t)
	types := typesOf(all)
	t.Run("FR-OP-01 the compartment", func(t *testing.T) {
		for _, typ := range []string{"Observation", "Encounter", "Condition", "Immunization", "Coverage"} {
			if want := len(w.all.get(t, "/"+typ+"?patient="+patient+"&_count=1000").bundle(t).ids("match")); types[typ] < want || want == 0 {
				t.Errorf("got %d of %s, want %d", types[typ], typ, want)
			}
		}
		if types["Patient"] != 1 || all.Entry[0].FullURL == "" || *all.Total != len(all.ids("match")) {
			t.Errorf("got %v of %d", types, *all.Total)
		}
	})
	t.Run("FR-OP-01 what it refers to", func(t *testing.T) {
		included := map[string]int{}
		for _, e := range all.Entry {
			if e.Search.Mode == "include" {
				included[e.Resource.ResourceType]++
			}
		}
		if included["Practitioner"] == 0 || included["Organization"] == 0 || included["Patient"] > 0 || included["Observation"] > 0 {
			t.Errorf("got %v", included)
		}
	})
	t.Run("FR-OP-01 by POST", func(t *testing.T) {
		b := w.all.post(t, "/Patient/"+patient+"/$everything", `{"resourceType":"Parameters","parameter":[{"name":"_type","valueCode":"Encounter"},{"name":"_count","valueInteger":1000}]}`).bundle(t)
		if got := typesOf(b); len(got) != 1 || got["Encounter"] != types["Encounter"] {
			t.Errorf("got %v", got)
		}
	})
	t.Run("FR-OP-01 pages", func(t *testing.T) {
		var ids []string
		for next := "/Patient/" + patient + "/$everything?_count=20"; next != ""; {
			b := w.all.get(t, next).bundle(t)
			if n := len(b.ids("match")); n > 20 {
				t.Fatalf("a page of %d", n)
			}
			ids = append(ids, b.ids("match")...)
			next = b.link("next")
		}
		if !slices.Equal(ids, all.ids("match")) {
			t.Errorf("pages show %d resources, all at once %d", len(ids), len(all.ids("match")))
		}
	})
	t.Run("FR-OP-01 start and end", func(t *testing.T) {
		before := typesOf(w.all.get(t, "/Patient/"+patient+"/$everything?end=1900").bundle(t))
		if before["Patient"] != 1 || before["Observation"] > 0 || before["Encounter"] > 0 {
			t.Errorf("until 1900 got %v", before)
		}
		some := typesOf(w.all.get(t, "/Patient/"+patient+"/$everything?start=2024-01-01").bundle(t))
		if some["Encounter"] >= types["Encounter"] && some["Observation"] >= types["Observation"] {
			t.Errorf("from 2024 got %v of %v", some, types)
		}
	})
	t.Run("FR-OP-01 _since", func(t *testing.T) {
		w.all.put(t, "/Observation/fresh", `{"resourceType":"Observation","id":"fresh","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/`+patient+`"}}`).want(t, 201)
		if got := w.all.get(t, "/Patient/"+patient+"/$everything?_since=2026-06-01T00:00:00Z").bundle(t).ids("match"); !slices.Equal(got, []string{"fresh"}) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("FR-OP-01 unknown patient", func(t *testing.T) {
		w.all.get(t, "/Patient/nobody/$everything").refused(t, 404, "not-found")
	})
	t.Run("FR-OP-03 FR-SC-21 scopes", func(t *testing.T) {
		p := w.grant(t, "system/Patient.r system/Encounter.s")
		if got := typesOf(p.get(t, "/Patient/"+patient+"/$everything").bundle(t)); len(got) != 2 || got["Encounter"] == 0 || got["Patient"] != 1 {
			t.Errorf("got %v, want Patient and Encounter", got)
		}
		p.get(t, "/Patient/"+patient+"/$everything?_type=Patient,Observation").refused(t, 403, "forbidden")
		w.grant(t, "system/Encounter.rs").get(t, "/Patient/"+patient+"/$everything").refused(t, 403, "forbidden")
		w.stranger().get(t, "/Patient/"+patient+"/$everything").refused(t, 401, "login")
	})
	t.Run("FR-OP-01 wrong parameters", func(t *testing.T) {
		for _, q := range []string{"start=soon", "_count=0", "_since=2026", "_type=Practitioner", "_type=Nothing", "colour=blue"} {
			w.all.get(t, "/Patient/"+patient+"/$everything?"+q).refused(t, 400, "value", "not-supported")
		}
		w.all.post(t, "/Patient/"+patient+"/$everything", `{"resourceType":"Parameters","parameter":{"name":"_type","valueString":"Nonsense"}}`).refused(t, 400, "structure")
		w.all.get(t, "/Patient/"+patient+"/$everything?_pretty=true").want(t, 200)
	})
}
