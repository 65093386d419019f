package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// typesOf counts the matches of a Bundle by type.
func typesOf(b bundle) map[string]int {
	count := map[string]int{}
	for _, e := range b.Entry {
		if e.Search.Mode == "match" {
			count[e.Resource.ResourceType]++
		}
	}
	return count
}

// TestSystemSearch is about searches across types.
func TestSystemSearch(t *testing.T) {
	t.Parallel()
	w := start(t)
	tag := `"meta":{"tag":[{"system":"urn:t","code":"mine"}]}`
	w.all.put(t, "/Patient/sys", `{"resourceType":"Patient","id":"sys",`+tag+`}`).want(t, 201)
	w.all.put(t, "/Group/sys", `{"resourceType":"Group","id":"sys","type":"person","actual":true,`+tag+`}`).want(t, 201)
	w.all.put(t, "/Observation/sys", `{"resourceType":"Observation","id":"sys","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/sys"},`+tag+`}`).want(t, 201)
	w.all.put(t, "/Observation/sys", `{"resourceType":"Observation","id":"sys","status":"final","code":{"coding":[{"code":"sys-code"}]},"subject":{"reference":"Patient/sys"},`+tag+`}`).want(t, 200)
	w.all.put(t, "/Condition/sys", `{"resourceType":"Condition","id":"sys","code":{"coding":[{"code":"sys-code"}]},"subject":{"reference":"Patient/sys"},`+tag+`}`).want(t, 201)
	w.all.put(t, "/List/sys", `{"resourceType":"List","id":"sys","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/sys"}},{"item":{"reference":"Observation/sys"}}]}`).want(t, 201)
	for _, c := range []struct {
		name, path string
		as         party
		want       string
	}{
		{"FR-SE-02 all types", "?_tag=urn:t|mine", w.all, "map[Condition:1 Group:1 Observation:1 Patient:1]"},
		{"FR-SE-02 with a slash", "/?_tag=urn:t|mine", w.all, "map[Condition:1 Group:1 Observation:1 Patient:1]"},
		{"FR-SE-02 _type", "?_tag=urn:t|mine&_type=Patient,Group", w.all, "map[Group:1 Patient:1]"},
		{"FR-SE-02 _id", "?_id=sys&_type=Patient,Observation", w.all, "map[Observation:1 Patient:1]"},
		{"FR-CH-02 _has", "?_type=Patient,Group&_has:Observation:patient:_tag=urn:t|mine", w.all, "map[Patient:1]"},
		{"FR-CH-02 _has of no type that is searched for", "?_type=Group&_has:Observation:patient:_tag=urn:t|mine&_tag=urn:t|mine", w.all, "map[]"},
		{"FR-SE-02 shared parameter", "?_type=Observation,Condition&patient=Patient/sys", w.all, "map[Condition:1 Observation:1]"},
		{"FR-SE-02 shared parameter by id", "?_type=Observation,Condition&patient=sys&_tag=urn:t|mine", w.all, "map[Condition:1 Observation:1]"},
		{"FR-SE-02 shared token", "?_type=Observation,Condition&code=sys-code", w.all, "map[Condition:1 Observation:1]"},
		{"FR-SE-02 shared token, :not", "?_type=Observation,Condition&code:not=sys-code&_tag=urn:t|mine", w.all, "map[]"},
		{"FR-SE-02 shared token, :missing", "?_type=Observation,Condition&encounter:missing=true&_tag=urn:t|mine", w.all, "map[Condition:1 Observation:1]"},
		{"FR-SE-08 _list", "?_type=Patient,Observation&_list=sys", w.all, "map[Observation:1 Patient:1]"},
		{"FR-SC-07 without _type what the scopes allow", "?_tag=urn:t|mine", w.grant(t, "system/Patient.rs system/Group.s"), "map[Group:1 Patient:1]"},
		{"FR-SC-33 a constrained scope", "?_tag=urn:t|mine", w.grant(t, "system/Patient.rs system/Observation.rs?status=amended"), "map[Patient:1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := c.as.get(t, c.path).bundle(t)
			if got := fmt.Sprint(typesOf(b)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	t.Run("FR-SE-02 by POST", func(t *testing.T) {
		b := w.all.search(t, "/_search", form("_tag", "urn:t|mine", "_type", "Patient")).bundle(t)
		if got := fmt.Sprint(typesOf(b)); got != "map[Patient:1]" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("FR-RC-05 pages", func(t *testing.T) {
		seen := 0
		for next := "?_count=100"; next != ""; {
			b := w.all.get(t, next).bundle(t)
			seen += len(b.ids("match"))
			next = b.link("next")
			if int(*b.Total) < seen {
				t.Fatalf("%d resources of %d", seen, *b.Total)
			}
			if next == "" && seen != int(*b.Total) {
				t.Errorf("pages show %d resources of %d", seen, *b.Total)
			}
		}
	})
	t.Run("FR-SC-07 an explicit type without a scope", func(t *testing.T) {
		w.grant(t, "system/Patient.rs").get(t, "?_type=Patient,Group").refused(t, 403, "forbidden")
		w.grant(t, "system/Patient.r").get(t, "?_tag=x").refused(t, 403, "forbidden")
	})
	t.Run("FR-SE-02 parameters of one type", func(t *testing.T) {
		for _, query := range []string{"family=x", "_type=Patient,Group&family=x", "_type=Observation,Condition&date=2020", "_type=Observation,DiagnosticReport&status=http://hl7.org/fhir/observation-status|final", "_type=Observation,Condition&patient.name=x"} {
			w.all.get(t, "?"+query).refused(t, 400, "not-supported")
		}
		w.all.get(t, "?nonsense=x").want(t, 200)
		w.all.get(t, "?nonsense=x", "Prefer", "handling=strict").refused(t, 400, "not-supported")
		w.all.get(t, "?_type=Patient,Nothing").refused(t, 400, "value")
	})
	t.Run("SB-RS-15 without a token", func(t *testing.T) { w.stranger().get(t, "").refused(t, 401, "login") })
	t.Run("FR-RC-08 _include", func(t *testing.T) {
		b := w.all.get(t, "?_type=Observation,Group&_id=sys&_include=Observation:subject").want(t, 200).bundle(t)
		included := ""
		for _, e := range b.Entry {
			if e.Search.Mode == "include" {
				included += e.FullURL
			}
		}
		if !strings.HasSuffix(included, "/Patient/sys") {
			t.Errorf("included are %q, want the patient", included)
		}
	})
}

// TestSearchByList is about the resources that a List has.
func TestSearchByList(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.put(t, "/List/mine", `{"resourceType":"List","id":"mine","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/pt-000002"}},{"item":{"reference":"Observation/none"}}]}`).want(t, 201)
	b := w.all.get(t, "/Patient?_list=mine&active=true", "Prefer", "handling=strict").bundle(t)
	if got := b.ids("match"); !slices.Equal(got, []string{"pt-000002"}) {
		t.Errorf("FR-SE-08: got %v", got)
	}
	if self := b.link("self"); !strings.Contains(self, "_list=mine") {
		t.Errorf("FR-RC-02: got self %q", self)
	}
	if b := w.all.get(t, "/Patient?_list=nobody").bundle(t); *b.Total != 0 {
		t.Errorf("FR-SE-08: a List that is not there has %d patients", *b.Total)
	}
	w.grant(t, "system/Patient.rs").get(t, "/Patient?_list=mine").refused(t, 403, "forbidden") // FR-SC-20
	w.grant(t, "system/Patient.rs system/List.r").get(t, "/Patient?_list=mine").refused(t, 403, "forbidden")
	w.grant(t, "system/Patient.rs system/List.s").get(t, "/Patient?_list=mine").want(t, 200)
}

// TestCompartmentSearch is about searches within a patient's compartment.
func TestCompartmentSearch(t *testing.T) {
	t.Parallel()
	w := start(t)
	of := func(typ, patient string) []string {
		ids := w.all.get(t, "/"+typ+"?patient="+patient+"&_count=1000").bundle(t).ids("match")
		slices.Sort(ids)
		return ids
	}
	for _, c := range []struct{ name, path string }{
		{"FR-SE-03 FR-PC-01 by GET", "/Patient/pt-000002/Observation?_count=1000"},
		{"FR-SE-03 by POST", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bundle
			if c.path != "" {
				b = w.all.get(t, c.path).bundle(t)
				if self := b.link("self"); self != w.FHIRURL()+c.path {
					t.Errorf("got self %q", self)
				}
			} else {
				b = w.all.search(t, "/Patient/pt-000002/Observation/_search", "_count=1000").bundle(t)
			}
			got := b.ids("match")
			slices.Sort(got)
			if want := of("Observation", "pt-000002"); len(want) == 0 || !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	t.Run("FR-SE-03 with a parameter", func(t *testing.T) {
		got := w.all.get(t, "/Patient/pt-000002/Observation?category=vital-signs&_count=1000").bundle(t).ids("match")
		want := w.all.get(t, "/Observation?patient=pt-000002&category=vital-signs&_count=1000").bundle(t).ids("match")
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("FR-SE-03 all types", func(t *testing.T) {
		types := typesOf(w.all.get(t, "/Patient/pt-000002/*?_count=1000").bundle(t))
		if types["Patient"] != 1 || types["Observation"] == 0 || types["Encounter"] == 0 || types["Practitioner"] > 0 {
			t.Errorf("got %v", types)
		}
		if types = typesOf(w.all.get(t, "/Patient/pt-000002/*?_type=Encounter").bundle(t)); len(types) != 1 || types["Encounter"] == 0 {
			t.Errorf("FR-SE-03 _type: got %v", types)
		}
	})
	t.Run("FR-SC-05 scopes", func(t *testing.T) {
		w.grant(t, "system/Patient.rs").get(t, "/Patient/pt-000002/Observation").refused(t, 403, "forbidden")
		w.grant(t, "system/Observation.s").get(t, "/Patient/pt-000002/Observation").want(t, 200)
	})
	t.Run("FR-PC-03 context is no member", func(t *testing.T) {
		w.all.get(t, "/Patient/pt-000002/Practitioner").refused(t, 404, "not-supported")
		w.all.get(t, "/Patient/pt-000002/Nothing").refused(t, 404, "not-supported")
		w.all.get(t, "/Patient/pt-000002/$nothing").refused(t, 404, "not-supported")
	})
	t.Run("FR-SE-03 an unknown patient", func(t *testing.T) {
		if b := w.all.get(t, "/Patient/nobody/Observation").bundle(t); *b.Total != 0 {
			t.Errorf("got %d", *b.Total)
		}
	})
}

// SB-RS-13: what includes leave out for want of a scope is said.
func TestIncludesLeftOut(t *testing.T) {
	t.Parallel()
	w := start(t)
	a := w.grant(t, "system/Observation.rs").get(t, "/Observation?_include=Observation:patient&_include=Observation:encounter&_count=2").want(t, 200)
	for _, typ := range []string{"Patient", "Encounter"} {
		if !strings.Contains(string(a.body), "ask for system/"+typ+".r as well") {
			t.Errorf("SB-RS-13: nothing says that %s was left out: %s", typ, a.excerpt())
		}
	}
	if b := a.bundle(t); len(b.ids("match")) != 2 || len(b.ids("include")) != 0 {
		t.Errorf("got %v and %v", b.ids("match"), b.ids("include"))
	}
}

// FR-RC-10, FR-RD-03: a part of a resource, marked as one.
func TestSubsets(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.put(t, "/Patient/part", `{"resourceType":"Patient","id":"part","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"active":true,"name":[{"family":"Part"}],"photo":[{"title":"p"}]}`).want(t, 201)
	for _, c := range []struct {
		query    string
		has, not []string
	}{
		{"_summary=true", []string{"SUBSETTED", `"name"`, `"active"`}, []string{`"photo"`, `"text"`}},
		{"_summary=text", []string{"SUBSETTED", `"text"`}, []string{`"photo"`, `"name"`}},
		{"_summary=data", []string{"SUBSETTED", `"photo"`, `"name"`}, []string{`"text"`}},
		{"_summary=false", []string{`"photo"`, `"text"`}, []string{"SUBSETTED"}},
		{"_elements=name,photo", []string{"SUBSETTED", `"photo"`, `"name"`}, []string{`"active"`, `"text"`}},
		{"_elements=Patient.name", []string{"SUBSETTED", `"name"`}, []string{`"active"`}},
	} {
		for name, a := range map[string]*answer{
			"FR-RD-03 read":          w.all.get(t, "/Patient/part?"+c.query).want(t, 200),
			"FR-RD-03 vread":         w.all.get(t, "/Patient/part/_history/1?"+c.query).want(t, 200),
			"FR-RC-10 search":        w.all.get(t, "/Patient?_id=part&"+c.query).want(t, 200),
			"FR-RC-10 system search": w.all.get(t, "?_type=Patient&_id=part&"+c.query).want(t, 200),
		} {
			for _, text := range c.has {
				if !strings.Contains(string(a.body), text) {
					t.Errorf("%s, %s: %s is not in %s", name, c.query, text, a.body)
				}
			}
			for _, text := range c.not {
				if strings.Contains(string(a.body), text) {
					t.Errorf("%s, %s: %s is in %s", name, c.query, text, a.body)
				}
			}
		}
	}
	w.all.get(t, "/Patient/part?_summary=short").refused(t, 400, "value")
	w.all.get(t, "/Patient/part?_elements=nome").refused(t, 400, "value")
	w.all.get(t, "/Patient?_summary=short").refused(t, 400, "value")
	w.all.get(t, "/Patient?_elements=nome", "Prefer", "handling=strict").refused(t, 400, "not-supported")
	w.all.get(t, "/Patient?_summary=text&_include=Patient:organization").refused(t, 400, "not-supported")
	if self := w.all.get(t, "/Patient?_elements=name&_count=1").bundle(t).link("self"); !strings.Contains(self, "_elements=name") {
		t.Errorf("FR-RC-02: got self %q", self)
	}
}
