package httpapi_test

import (
	"strings"
	"sync"
	"testing"
)

// identified is a Patient with an identifier.
func identified(id, value string) string {
	if id != "" {
		id = `"id":"` + id + `",`
	}
	return `{"resourceType":"Patient",` + id + `"identifier":[{"system":"http://e","value":"` + value + `"}]}`
}

func TestConditionalCreate(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	const same = "identifier=http://e|1"
	first := p.post(t, "/Patient", identified("", "1"), "If-None-Exist", same).want(t, 201)
	location := first.header.Get("Location")
	for _, c := range []struct{ prefer, body, applied string }{
		{"", "Patient", ""},
		{"return=minimal", "", "return=minimal"},
		{"return=OperationOutcome", "OperationOutcome", "return=OperationOutcome"},
	} {
		a := p.post(t, "/Patient", `{"resourceType":"Patient","active":true}`, "If-None-Exist", same, "Prefer", c.prefer).want(t, 200)
		a.wantHeader(t, "Location", location).wantHeader(t, "ETag", `W/"1"`).wantHeader(t, "Preference-Applied", c.applied) // FR-CO-01
		typ := ""
		if len(a.body) > 0 {
			typ = a.resource(t).ResourceType
		}
		if typ != c.body || c.body == "Patient" && string(a.body) != string(first.body) {
			t.Errorf("FR-CO-01 Prefer %q: got %s, want a %s, which is the match", c.prefer, a.body, c.body)
		}
		if c.body == "OperationOutcome" && !strings.Contains(string(a.body), "nothing was stored") {
			t.Errorf("FR-CO-01: got %s, want that nothing was stored", a.body)
		}
	}
	p.get(t, location).want(t, 200)
	p.post(t, "/Patient", identified("", "1")).want(t, 201)
	p.post(t, "/Patient", identified("", "1"), "If-None-Exist", same).refused(t, 412, "multiple-matches")
	if n := len(p.ids(t, "/Patient?"+same)); n != 2 {
		t.Errorf("FR-CO-01: there are %d, want 2", n)
	}
	before := *p.get(t, "/Patient?_summary=count").bundle(t).Total
	for _, c := range []struct {
		name, criteria string
		codes          []string
	}{
		{"FR-CO-05 empty", "", []string{"required"}},
		{"FR-CO-05 white space", " ", []string{"required", "not-supported"}},
		{"FR-CO-05 no value", "identifier=", []string{"value"}},
		{"FR-CO-06 unknown", "colour=red", []string{"not-supported"}},
		{"FR-CO-06 unknown beside known", same + "&colour=red", []string{"not-supported"}},
		{"FR-CO-06 shape of a result", same + "&_count=1", []string{"not-supported"}},
		{"FR-CO-06 chain", "organization.name=x", []string{"not-supported"}},
		{"FR-CO-01 with ?", "?" + same, []string{"value"}},
		{"FR-CO-01 with type", "Patient?" + same, []string{"value"}},
		{"FR-SE-06 bad value", "birthdate=yesterday", []string{"value"}},
		{"FR-SE-05 bad modifier", "identifier:nonsense=x", []string{"not-supported"}},
		{"not encoded", "identifier=%zz", []string{"invalid"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.post(t, "/Patient", identified("", "9"), "If-None-Exist", c.criteria).refused(t, 400, c.codes...)
		})
	}
	t.Run("FR-CO-01 a value with ?", func(t *testing.T) {
		odd := `{"resourceType":"Patient","identifier":[{"system":"http://e/a?b","value":"1"}]}`
		w := start(t)
		w.all.post(t, "/Patient", odd, "If-None-Exist", "identifier=http://e/a?b|1").want(t, 201)
		w.all.post(t, "/Patient", odd, "If-None-Exist", "identifier=http://e/a?b|1").want(t, 200)
	})
	t.Run("FR-CO-06 criteria twice", func(t *testing.T) {
		p.post(t, "/Patient", identified("", "9"), "If-None-Exist", "identifier=x", "If-None-Exist", "identifier=y").refused(t, 400, "invalid")
	})
	t.Run("FR-CR-04 body", func(t *testing.T) {
		p.post(t, "/Patient", `{"resourceType":"Group"}`, "If-None-Exist", "identifier=9").refused(t, 400, "invalid")
		p.post(t, "/Patient", "x", "Content-Type", "text/plain", "If-None-Exist", "identifier=9").refused(t, 415, "not-supported")
	})
	if now := *p.get(t, "/Patient?_summary=count").bundle(t).Total; now != before {
		t.Errorf("FR-CO-05 FR-CO-06: refused requests made %d patients of %d", now, before)
	}
	t.Run("FR-CO-07 one of many creates", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				a, err := p.try(t.Context(), "POST", "/Patient", strings.NewReader(identified("", "race")), "Content-Type", fhirJSON, "If-None-Exist", "identifier=http://e|race")
				if err != nil || a.status != 200 && a.status != 201 {
					t.Errorf("got %v, error %v", a, err)
				}
			})
		}
		wg.Wait()
		if n := len(p.ids(t, "/Patient?identifier=http://e|race")); n != 1 {
			t.Errorf("20 conditional creates made %d", n)
		}
	})
	t.Run("FR-SC-30 a match is for whoever may read it", func(t *testing.T) {
		a := w.grant(t, "system/Patient.cs").post(t, "/Patient", identified("", "race"), "If-None-Exist", "identifier=http://e|race", "Prefer", "return=representation").want(t, 200)
		if len(a.body) > 0 || a.header.Get("Location") == "" {
			t.Errorf("got Location %q and body %s, want only the first", a.header.Get("Location"), a.body)
		}
	})
}

func TestConditionalUpdate(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/one", identified("one", "1")).want(t, 201)
	p.put(t, "/Patient/two", identified("two", "2")).want(t, 201)
	p.put(t, "/Patient/three", identified("three", "2")).want(t, 201)
	at := w.FHIRURL() + "/Patient/"
	for _, c := range []struct {
		name, query, body string
		header            []string
		status            int
		code              string // of a refusal
		location          string
	}{
		{name: "FR-CO-03 one, no id", query: "identifier=http://e|1", body: identified("", "1"), status: 200},
		{name: "FR-CO-03 one, its id", query: "identifier=http://e|1", body: identified("one", "1"), status: 200},
		{name: "FR-CO-03 one, another id", query: "identifier=http://e|1", body: identified("other", "1"), status: 400, code: "invalid"},
		{name: "FR-CO-03 one, its version", query: "identifier=http://e|1", body: identified("", "1"), header: []string{"If-Match", `W/"3"`}, status: 200},
		{name: "FR-CO-03 one, another version", query: "identifier=http://e|1", body: identified("", "1"), header: []string{"If-Match", `W/"3"`}, status: 412, code: "conflict"},
		{name: "FR-CO-03 several", query: "identifier=http://e|2", body: identified("", "2"), status: 412, code: "multiple-matches"},
		{name: "FR-CO-03 none, no id", query: "identifier=http://e|3", body: identified("", "3"), status: 201, location: at},
		{name: "FR-CO-03 none, new id", query: "identifier=http://e|4&_format=json", body: identified("four", "4"), status: 201, location: at + "four/_history/1"},
		{name: "FR-CO-03 none, the id of another", query: "identifier=http://e|5", body: identified("one", "5"), status: 409, code: "conflict"},
		{name: "FR-CO-03 none, no id at all", query: "identifier=http://e|5", body: identified("a_b", "5"), status: 400, code: "value"},
		{name: "FR-UP-06 none, any version", query: "identifier=http://e|5", body: identified("", "5"), header: []string{"If-Match", "*"}, status: 412, code: "conflict"},
		{name: "FR-CO-05 no criteria", query: "", body: identified("", "5"), status: 400, code: "required"},
		{name: "FR-CO-05 _format alone", query: "_format=json", body: identified("", "5"), status: 400, code: "required"},
		{name: "FR-CO-06 unknown criteria", query: "identifier=http://e|1&colour=red", body: identified("", "5"), status: 400, code: "not-supported"},
		{name: "FR-CO-06 unknown criteria alone", query: "colour=red", body: identified("", "5"), status: 400, code: "not-supported"},
		{name: "FR-CR-03 another type", query: "identifier=http://e|1", body: `{"resourceType":"Group"}`, status: 400, code: "invalid"},
		{name: "FR-CN-03 another media type", query: "identifier=http://e|1", body: "x", header: []string{"Content-Type", "text/plain"}, status: 415, code: "not-supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := p.put(t, "/Patient?"+c.query, c.body, c.header...)
			if c.code != "" {
				a.refused(t, c.status, c.code)
				return
			}
			a.want(t, c.status)
			if got := a.header.Get("Location"); (c.location == "") != (got == "") || !strings.HasPrefix(got, c.location) || a.header.Get("ETag") == "" {
				t.Errorf("got Location %q and ETag %q, want %q… and an ETag", got, a.header.Get("ETag"), c.location)
			}
		})
	}
	p.get(t, "/Patient/one").wantHeader(t, "ETag", `W/"4"`)
	t.Run("FR-SC-12 creating needs c", func(t *testing.T) {
		updater := w.grant(t, "system/Patient.us")
		updater.put(t, "/Patient?identifier=http://e|1", identified("", "1")).want(t, 200)
		a := updater.put(t, "/Patient?identifier=http://e|9", identified("", "9"))
		a.refused(t, 403, "forbidden")
		if got := a.challenge(t, "insufficient_scope"); !strings.Contains(got, `scope="system/Patient.cus"`) {
			t.Errorf("FR-SC-35: got WWW-Authenticate %q", got)
		}
		w.grant(t, "system/Patient.us", "system/Patient.c").put(t, "/Patient?identifier=http://e|9", identified("", "9")).want(t, 201)
	})
}

func TestConditionalPatchAndDelete(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/one", identified("one", "1")).want(t, 201)
	p.put(t, "/Patient/two", identified("two", "2")).want(t, 201)
	p.put(t, "/Patient/three", identified("three", "2")).want(t, 201)
	const active = `[{"op":"add","path":"/active","value":true}]`
	a := p.patch(t, "/Patient?identifier=http://e|1", active, "If-Match", `W/"1"`).want(t, 200).wantHeader(t, "ETag", `W/"2"`) // FR-PA-05
	if got := a.object(t); got["active"] != true || got["id"] != "one" {
		t.Errorf("FR-PA-05: got %s", a.body)
	}
	p.send(t, "PATCH", "/Patient?identifier=http://e|1", replaceOperation("Patient.active", `"valueBoolean":false`), "Content-Type", fhirJSON).want(t, 200).wantHeader(t, "ETag", `W/"3"`)
	p.patch(t, "/Patient?identifier=http://e|3", active).refused(t, 404, "not-found")
	p.patch(t, "/Patient?identifier=http://e|2", active).refused(t, 412, "multiple-matches")
	p.patch(t, "/Patient?identifier=http://e|1", active, "If-Match", `W/"1"`).refused(t, 412, "conflict")
	p.patch(t, "/Patient?identifier=http://e|1", active, "Content-Type", "application/json").refused(t, 415, "not-supported")
	p.patch(t, "/Patient?colour=red", active).refused(t, 400, "not-supported") // FR-CO-06
	p.patch(t, "/Patient", active).refused(t, 400, "required")                 // FR-CO-05

	p.send(t, "DELETE", "/Patient?identifier=http://e|2", "").refused(t, 412, "multiple-matches") // FR-CO-04
	p.send(t, "DELETE", "/Patient?identifier=http://e|3", "").want(t, 204)
	p.send(t, "DELETE", "/Patient?identifier=http://e|3", "", "If-Match", "*").refused(t, 412, "conflict")
	p.send(t, "DELETE", "/Patient?identifier=http://e|1", "", "If-Match", `W/"1"`).refused(t, 412, "conflict")
	p.send(t, "DELETE", "/Patient?identifier=http://e|1&colour=red", "").refused(t, 400, "not-supported")
	p.send(t, "DELETE", "/Patient?_count=1", "").refused(t, 400, "not-supported")
	p.send(t, "DELETE", "/Patient", "").refused(t, 400, "required")
	p.get(t, "/Patient/one").want(t, 200).wantHeader(t, "ETag", `W/"3"`)
	p.send(t, "DELETE", "/Patient?identifier=http://e|1", "").want(t, 204).wantHeader(t, "ETag", `W/"4"`)
	p.get(t, "/Patient/one").refused(t, 410, "deleted")
	if n := len(p.ids(t, "/Patient?identifier=http://e|2")); n != 2 {
		t.Errorf("FR-CO-04: %d of two are left", n)
	}
	e := p.get(t, "/Patient/one/_history").bundle(t).Entry[0]
	if e.Request.Method != "DELETE" || e.Request.URL != "Patient/one" { // FR-HI-02: like a plain one
		t.Errorf("FR-HI-02: the entry of a conditional delete is %s", e.raw)
	}
}
