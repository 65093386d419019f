package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

const categories = "http://terminology.hl7.org/CodeSystem/observation-category"

// observation is the JSON of an Observation with a category.
func observation(id, category string) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final","code":{"text":"x"},"category":[{"coding":[{"system":%q,"code":%q}]}],"subject":{"reference":"Patient/mine"}}`, id, categories, category)
}

// TestConstrainedScopes is about scopes with a query (SB-RS-11, FR-SC-33).
func TestConstrainedScopes(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.put(t, "/Patient/mine", `{"resourceType":"Patient","id":"mine"}`).want(t, 201)
	for _, category := range []string{"laboratory", "vital-signs", "survey"} {
		w.all.put(t, "/Observation/"+category, observation(category, category)).want(t, 201)
	}
	const constraint = "?category=" + categories + "|"
	lab := w.grant(t, "system/Observation.cruds"+constraint+"laboratory")

	t.Run("search", func(t *testing.T) {
		want := w.all.ids(t, "/Observation?category=laboratory")
		if len(want) < 2 || len(want) == len(w.all.ids(t, "/Observation")) {
			t.Fatalf("the population has %d laboratory results, which proves nothing", len(want))
		}
		for _, path := range []string{"/Observation", "/Observation?_count=7", "/Observation?category=laboratory"} {
			if got := lab.ids(t, path); !slices.Equal(got, want) {
				t.Errorf("%s: got %d, want the %d laboratory results", path, len(got), len(want))
			}
		}
		for _, path := range []string{"/Observation?category=vital-signs", "/Observation?_id=survey", "/Observation?category:not=laboratory"} {
			if b := lab.get(t, path).bundle(t); *b.Total != 0 || b.Entry != nil {
				t.Errorf("%s: got %d, want none", path, *b.Total)
			}
		}
		if b := lab.search(t, "/Observation/_search", "_id=laboratory,survey").bundle(t); !slices.Equal(b.ids("match"), []string{"laboratory"}) {
			t.Errorf("_search: got %v, want [laboratory]", b.ids("match"))
		}
	})
	t.Run("include", func(t *testing.T) {
		both := w.grant(t, "system/Patient.rs", "system/Observation.rs"+constraint+"laboratory")
		got := both.get(t, "/Patient?_id=mine&_revinclude=Observation:subject").bundle(t).ids("include")
		if !slices.Equal(got, []string{"laboratory"}) {
			t.Errorf("got %v included, want [laboratory]", got)
		}
	})
	for name, path := range map[string]string{"read": "", "vread": "/_history/1", "history": "/_history"} {
		t.Run(name, func(t *testing.T) {
			lab.get(t, "/Observation/laboratory"+path).want(t, 200)
			for _, hidden := range []string{"vital-signs", "survey"} {
				a := lab.get(t, "/Observation/"+hidden+path)
				w.outsideConstraint(t, a, "Observation/"+hidden, "r")
				if strings.Contains(string(a.body), "Patient/mine") {
					t.Error("the refusal shows the resource")
				}
			}
		})
	}
	t.Run("writes", func(t *testing.T) {
		lab.post(t, "/Observation", observation("x", "laboratory")).want(t, 201)
		w.outsideConstraint(t, lab.post(t, "/Observation", observation("x", "survey")), "Observation/", "c")
		lab.put(t, "/Observation/new", observation("new", "laboratory")).want(t, 201)
		lab.put(t, "/Observation/other", observation("other", "survey")).refused(t, 403, "forbidden")
		w.all.get(t, "/Observation/other").refused(t, 404, "not-found")
		w.outsideConstraint(t, lab.put(t, "/Observation/new", observation("new", "survey")), "Observation/new", "u")              // outside after
		w.outsideConstraint(t, lab.put(t, "/Observation/survey", observation("survey", "laboratory")), "Observation/survey", "u") // outside before
		w.outsideConstraint(t, lab.send(t, "DELETE", "/Observation/survey", ""), "Observation/survey", "d")
		w.all.get(t, "/Observation/survey").want(t, 200).wantHeader(t, "ETag", `W/"1"`)
		lab.send(t, "DELETE", "/Observation/new", "").want(t, 204)
	})
	t.Run("history of a resource that came in", func(t *testing.T) {
		w.all.put(t, "/Observation/moved", observation("moved", "survey")).want(t, 201)
		w.all.put(t, "/Observation/moved", observation("moved", "laboratory")).want(t, 200)
		lab.get(t, "/Observation/moved/_history/2").want(t, 200)
		lab.get(t, "/Observation/moved/_history/1").want(t, 403)
		for _, e := range lab.get(t, "/Observation/moved/_history").bundle(t).Entry {
			if e.Resource != nil && e.Resource.Meta.VersionID == "1" {
				t.Error("the history shows a version outside of the constraint")
			}
		}
	})
	t.Run("SB-RS-12 union", func(t *testing.T) {
		two := w.grant(t, "system/Observation.rs"+constraint+"laboratory", "system/Observation.rs"+constraint+"survey")
		two.get(t, "/Observation/laboratory").want(t, 200)
		two.get(t, "/Observation/survey").want(t, 200)
		two.get(t, "/Observation/vital-signs").want(t, 403)
		whole := w.grant(t, "system/Observation.s"+constraint+"laboratory", "system/Observation.r")
		whole.get(t, "/Observation/vital-signs").want(t, 200)
		if got, all := len(whole.ids(t, "/Observation")), len(lab.ids(t, "/Observation")); got != all {
			t.Errorf("an unconstrained r widened s: got %d, want %d", got, all)
		}
	})
	t.Run("BD-SEC-11 export", func(t *testing.T) {
		for path, results := range map[string]string{"/$export": "", "/Patient/$export": "", "/$export?_type=Observation": "", "/$export?_type=Observation&_typeFilter=Observation%3Fstatus%3Dfinal": "?status=final"} {
			m := lab.export(t, path)
			want := lab.ids(t, "/Observation"+results)
			got := idsOf(lab.exported(t, m, "Observation"))
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) || !slices.Equal(m.types(), []string{"Observation"}) {
				t.Errorf("%s: got %d of %v, want the %d laboratory results", path, len(got), m.types(), len(want))
			}
		}
	})
	t.Run("BD-SEC-11 deletions", func(t *testing.T) {
		since := lab.export(t, "/$export").TransactionTime
		for _, category := range []string{"laboratory", "survey"} {
			w.all.send(t, "DELETE", "/Observation/"+category, "").want(t, 204)
		}
		lab.get(t, "/Observation/laboratory").refused(t, 410, "deleted")
		if a := lab.get(t, "/Observation/survey"); a.status != 403 && a.status != 404 {
			t.Errorf("got status %d for what was deleted outside of the constraint, want 403 or 404", a.status)
		}
		m := lab.export(t, "/$export?_since="+since)
		if got := lab.deletions(t, m); !slices.Equal(got, []string{"Observation/laboratory"}) {
			t.Errorf("got %v deleted, want [Observation/laboratory]", got)
		}
	})
}

// outsideConstraint checks a refusal of what no constraint of the token lets
// through: by the rule's id, in the answer and in the exchange, and without a
// scope in the challenge.
func (w *world) outsideConstraint(t *testing.T, a *answer, resource, letters string) {
	t.Helper()
	i := a.refused(t, 403, "forbidden")
	if !strings.HasPrefix(i.Diagnostics, "SB-RS-11: "+resource) || !strings.Contains(i.Diagnostics, "the token's scopes allow "+letters+" on Observation only where category="+categories+"|laboratory.") {
		t.Errorf("SB-RS-11: %s: got %q, want what and the constraint", a.request, i.Diagnostics)
	}
	w.deniedBy(t, a, "SB-RS-11", "SB-RS-11")
}

// deniedBy checks that the exchange of a refusal shows that the scopes did and
// which check then failed.
func (w *world) deniedBy(t *testing.T, a *answer, requirement, id string) {
	t.Helper()
	if c := a.header.Get("WWW-Authenticate"); c != "" {
		t.Errorf("SB-RS-05: %s: got WWW-Authenticate %q: another token of these scopes would not help", a.request, c)
	}
	checks := w.lastRefused(t).Checks
	n := len(checks)
	if n < 2 || checks[n-1].Requirement != requirement || checks[n-1].ID != id || checks[n-1].Result != sandbox.Fail || checks[n-2].Requirement != "SB-RS-04" || checks[n-2].Result != sandbox.Pass {
		t.Errorf("%s: the exchange ends with the checks %+v, want SB-RS-04 passed and %s failed", a.request, checks[max(0, n-2):], id)
	}
}

// TestOrganizations is about clients that may reach one organization's data.
func TestOrganizations(t *testing.T) {
	t.Parallel()
	w := start(t)
	var owners [2]party
	for i := range owners {
		id := fmt.Sprintf("payer-%d", i)
		w.all.put(t, "/Organization/"+id, fmt.Sprintf(`{"resourceType":"Organization","id":%[1]q,"name":%[1]q}`, id)).want(t, 201)
		c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{Organization: id})
		if err != nil {
			t.Fatal(err)
		}
		owners[i] = w.holder(t, c)
		owners[i].put(t, "/Patient/of-"+id, fmt.Sprintf(`{"resourceType":"Patient","id":"of-%s","name":[{"family":"Orgtest"}]}`, id)).want(t, 201)
	}
	owners[0].get(t, "/Patient/of-payer-0").want(t, 200)
	for _, c := range []struct{ name, method, path, body string }{
		{"read", "GET", "/Patient/of-payer-1", ""},
		{"vread", "GET", "/Patient/of-payer-1/_history/1", ""},
		{"update", "PUT", "/Patient/of-payer-1", patient("of-payer-1")},
		{"delete", "DELETE", "/Patient/of-payer-1", ""},
	} {
		t.Run("SB-REG-15 SB-RS-05 S13 "+c.name, func(t *testing.T) {
			a := owners[0].send(t, c.method, c.path, c.body, "Content-Type", "application/fhir+json")
			if i := a.refused(t, 403, "forbidden"); !strings.HasPrefix(i.Diagnostics, "S13: Patient/of-payer-1 belongs to Organization/payer-1; client is bound to Organization/payer-0 (not a parent).") {
				t.Errorf("%s: got %q, want both organizations", a.request, i.Diagnostics)
			}
			w.deniedBy(t, a, "SB-RS-05", "S13")
		})
	}
	if got := owners[0].ids(t, "/Patient?name=Orgtest"); !slices.Equal(got, []string{"of-payer-0"}) {
		t.Errorf("SB-RS-05: a search found %v, want [of-payer-0]", got)
	}
	if got := w.all.ids(t, "/Patient?name=Orgtest"); len(got) != 2 {
		t.Errorf("a client of all organizations found %v, want both", got)
	}
	exported := idsOf(owners[0].exported(t, owners[0].export(t, "/$export?_type=Patient&_typeFilter=Patient%3Fname%3DOrgtest"), "Patient"))
	if !slices.Equal(exported, []string{"of-payer-0"}) {
		t.Errorf("BD-SEC-05: an export has %v, want [of-payer-0]", exported)
	}
}

// TestChainWithoutScope proves that the refusal of a chain names the scope that
// would do (SB-RS-04, SB-RS-13).
func TestChainWithoutScope(t *testing.T) {
	t.Parallel()
	w := start(t)
	observer := w.grant(t, "system/Observation.rs")
	for _, query := range []string{"patient.name=x", "subject:Patient.name=x"} {
		a := observer.get(t, "/Observation?"+query)
		i := a.refused(t, 403, "forbidden")
		if challenge := a.challenge(t, "insufficient_scope"); !strings.Contains(challenge, "system/Patient.s") || !strings.HasPrefix(i.Diagnostics, "S11: GET /fhir/Observation needs s on Patient; ") {
			t.Errorf("%s: got %q and %q, want system/Patient.s in both", query, challenge, i.Diagnostics)
		}
	}
}
