package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func patient(id string) string { return fmt.Sprintf(`{"resourceType":"Patient","id":%q}`, id) }

func TestCreate(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	sent := `{ "resourceType" : "Patient", "id": "not-taken", "meta": {"versionId": "9", "lastUpdated": "2001-01-01T00:00:00Z", "tag": [{"code": "kept"}]}, "active": true }`
	a := p.post(t, "/Patient", sent).want(t, 201)
	r := a.resource(t)
	location := w.FHIRURL() + "/Patient/" + r.ID + "/_history/1"
	a.wantHeader(t, "Location", location).wantHeader(t, "ETag", `W/"1"`).wantHeader(t, "Content-Type", fhirJSON) // FR-CR-01
	if r.ID == "" || r.ID == "not-taken" || r.Meta.VersionID != "1" || strings.HasPrefix(r.Meta.LastUpdated, "2001") {
		t.Errorf("FR-CR-02: got %+v, want id, versionId and lastUpdated of the server", r)
	}
	if want := `"tag":[{"code":"kept"}]`; !strings.Contains(strings.ReplaceAll(string(a.body), " ", ""), want) {
		t.Errorf("FR-CR-02: got %s, want %s kept", a.body, want)
	}
	for _, url := range []string{location, w.FHIRURL() + "/Patient/" + r.ID} {
		if got := p.get(t, url).want(t, 200); string(got.body) != string(a.body) {
			t.Errorf("%s: got %s, want %s", url, got.body, a.body)
		}
	}
	if again := p.post(t, "/Patient", sent).want(t, 201).resource(t); again.ID == r.ID {
		t.Error("two creates got one id")
	}
	for _, contentType := range []string{"application/json", fhirJSON + "; charset=utf-8", fhirJSON + "; fhirVersion=4.0", "APPLICATION/FHIR+JSON"} {
		p.post(t, "/Patient", sent, "Content-Type", contentType).want(t, 201) // FR-CN-03
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	at := w.FHIRURL() + "/Patient/mine/_history/"
	p.put(t, "/Patient/mine", patient("mine")).want(t, 201).wantHeader(t, "Location", at+"1").wantHeader(t, "ETag", `W/"1"`) // FR-UP-02, FR-UP-03
	second := p.put(t, "/Patient/mine", patient("mine")).want(t, 200).wantHeader(t, "ETag", `W/"2"`)                         // FR-UP-04: identical, and a new version
	if second.header.Get("Last-Modified") == "" || second.header.Get("Location") != "" && second.header.Get("Location") != at+"2" {
		t.Errorf("FR-UP-02: got Last-Modified %q and Location %q", second.header.Get("Last-Modified"), second.header.Get("Location"))
	}
	steps := []struct {
		name   string
		header []string
		body   string
		status int
		code   string
	}{
		{"FR-UP-05 other version", []string{"If-Match", `W/"1"`}, patient("mine"), 412, "conflict"},
		{"FR-UP-05 later version", []string{"If-Match", `W/"9"`}, patient("mine"), 412, "conflict"},
		{"FR-UP-08 not quoted", []string{"If-Match", "2"}, patient("mine"), 400, "value"},
		{"FR-UP-08 W/ and not quoted", []string{"If-Match", "W/2"}, patient("mine"), 400, "value"},
		{"FR-UP-08 half quoted", []string{"If-Match", `"2`}, patient("mine"), 400, "value"},
		{"FR-UP-08 empty tag", []string{"If-Match", `W/""`}, patient("mine"), 400, "value"},
		{"FR-UP-06 If-None-Match", []string{"If-None-Match", "*"}, patient("mine"), 412, "conflict"},
		{"FR-UP-01 other id", nil, patient("other"), 400, "invalid"},
		{"FR-UP-01 no id", nil, `{"resourceType":"Patient"}`, 400, "required"},
		{"FR-CR-03 other type", nil, `{"resourceType":"Group","id":"mine"}`, 400, "invalid"},
		{"FR-UP-05 this version", []string{"If-Match", `W/"2"`}, patient("mine"), 200, ""},
		{"FR-UP-05 strong tag", []string{"If-Match", `"3"`}, patient("mine"), 200, ""},
		{"FR-UP-05 any version", []string{"If-Match", "*"}, patient("mine"), 200, ""},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			a := p.put(t, "/Patient/mine", s.body, s.header...)
			if s.code == "" {
				a.want(t, s.status)
			} else {
				a.refused(t, s.status, s.code)
			}
		})
	}
	p.get(t, "/Patient/mine").wantHeader(t, "ETag", `W/"5"`) // what was refused left no version
	for _, c := range []struct {
		name, id string
		header   []string
		status   int
	}{
		{"FR-UP-06 If-Match * without a resource", "nobody", []string{"If-Match", "*"}, 412},
		{"FR-UP-05 If-Match without a resource", "nobody", []string{"If-Match", `W/"1"`}, 412},
		{"FR-UP-06 If-None-Match without a resource", "only-new", []string{"If-None-Match", "*"}, 201},
		{"FR-UP-03 longest id", strings.Repeat("a", 64), nil, 201},
		{"FR-UP-03 id too long", strings.Repeat("a", 65), nil, 400},
		{"FR-UP-03 id outside of the grammar", "a_b", nil, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := p.put(t, "/Patient/"+c.id, patient(c.id), c.header...).want(t, c.status)
			if c.status >= 400 {
				p.get(t, "/Patient/"+c.id).want(t, 404)
			} else {
				a.wantHeader(t, "Location", w.FHIRURL()+"/Patient/"+c.id+"/_history/1")
			}
		})
	}
	t.Run("FR-GE-11 one of many wins", func(t *testing.T) {
		p.put(t, "/Patient/race", patient("race")).want(t, 201)
		var wg sync.WaitGroup
		var mu sync.Mutex
		count := map[int]int{}
		for range 8 {
			wg.Go(func() {
				a, err := p.try(t.Context(), http.MethodPut, "/Patient/race", strings.NewReader(patient("race")), "Content-Type", fhirJSON, "If-Match", `W/"1"`)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				count[a.status]++
			})
		}
		wg.Wait()
		if count[200] != 1 || count[412] != 7 {
			t.Errorf("got %v, want one 200 and seven 412", count)
		}
	})
}

func TestPreferReturn(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct{ prefer, body, applied string }{
		{"", "Patient", ""},
		{"return=representation", "Patient", "return=representation"},
		{"return=minimal", "", "return=minimal"},
		{"return=OperationOutcome", "OperationOutcome", "return=OperationOutcome"},
		{"handling=lenient, return=minimal", "", "return=minimal"},
		{"return=minimal; foo", "", "return=minimal"},
		{"return=nonsense", "Patient", ""},
	} {
		t.Run("FR-PR-01 FR-PR-02 "+c.prefer, func(t *testing.T) {
			for _, a := range []*answer{
				w.all.post(t, "/Patient", patient("x"), "Prefer", c.prefer).want(t, 201),
				w.all.put(t, "/Patient/x", patient("x"), "Prefer", c.prefer),
			} {
				typ := ""
				if len(a.body) > 0 {
					typ = a.resource(t).ResourceType
				}
				if typ != c.body || a.header.Get("Preference-Applied") != c.applied || a.header.Get("ETag") == "" {
					t.Errorf("%s: got a body of %q, Preference-Applied %q, ETag %q; want %q, %q and an ETag", a.request, typ, a.header.Get("Preference-Applied"), a.header.Get("ETag"), c.body, c.applied)
				}
				if len(a.body) == 0 && a.header.Get("Content-Type") != "" {
					t.Errorf("%s: got Content-Type %q of no body", a.request, a.header.Get("Content-Type"))
				}
			}
		})
	}
	t.Run("FR-PR-02 FR-SC-30 what a writer may not read is not said to be returned", func(t *testing.T) {
		writer := w.grant(t, "system/Patient.cud")
		a := writer.put(t, "/Patient/x", patient("x"), "Prefer", "return=representation").want(t, 200)
		if applied := a.header.Get("Preference-Applied"); len(a.body) > 0 || applied != "" {
			t.Errorf("got Preference-Applied %q and the body %s, want neither", applied, a.body)
		}
	})
	a := w.all.put(t, "/Patient/x", patient("y"), "Prefer", "return=minimal")
	a.refused(t, 400, "invalid") // FR-PR-01: a failure always says why
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/mine", `{"resourceType":"Patient","id":"mine","name":[{"family":"Deleteme"}]}`).want(t, 201)
	p.send(t, "DELETE", "/Patient/mine", "", "If-Match", `W/"7"`).refused(t, 412, "conflict") // FR-DE-04
	p.get(t, "/Patient/mine").want(t, 200)
	a := p.send(t, "DELETE", "/Patient/mine", "").want(t, 204) // FR-DE-01
	if len(a.body) != 0 {
		t.Errorf("got body %q of a 204", a.body)
	}
	a.wantHeader(t, "ETag", `W/"2"`)
	p.get(t, "/Patient/mine").refused(t, 410, "deleted") // FR-DE-02
	if n := *p.get(t, "/Patient?name=Deleteme").bundle(t).Total; n != 0 {
		t.Errorf("FR-DE-02: a search finds %d of what was deleted", n)
	}
	p.send(t, "DELETE", "/Patient/mine", "").want(t, 204)
	p.send(t, "DELETE", "/Patient/nobody", "").want(t, 204)
	if n := *p.get(t, "/Patient/mine/_history").bundle(t).Total; n != 2 {
		t.Errorf("FR-DE-01: a second DELETE made a version: got %d", n)
	}
	p.put(t, "/Patient/mine", patient("mine")).want(t, 201).wantHeader(t, "ETag", `W/"3"`) // FR-UP-02
	p.get(t, "/Patient/mine").want(t, 200)
}

// TestInstantsRise proves that whatever is written later has a later
// lastUpdated, however fast it is written and whichever way the clock goes
// (FR-GE-11).
func TestInstantsRise(t *testing.T) {
	t.Parallel()
	w := start(t)
	var last time.Time
	for i := range 60 {
		if i == 30 {
			w.Clock().Advance(-time.Hour)
		}
		at := w.all.put(t, "/Patient/mine", patient("mine")).resource(t).at(t)
		if !at.After(last) {
			t.Fatalf("version %d is of %v, the one before of %v", i+1, at, last)
		}
		last = at
	}
}
