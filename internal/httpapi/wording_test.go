package httpapi_test

import (
	"bytes"
	"strings"
	"testing"
)

// TestWording holds the texts of refusals that are made of parts.
func TestWording(t *testing.T) {
	t.Parallel()
	w := start(t)
	p, reader := w.all, w.grant(t, "system/Patient.rs")
	status := p.kickOff(t, "/Patient/$export?_type=Patient,Observation")
	for _, c := range []struct {
		name string
		a    *answer
		want string
	}{
		{"method with one alternative", p.get(t, "/Patient/_search"), "GET is not offered here; use POST"},
		{"method with several", p.put(t, "/_history", "{}"), "PUT is not offered here; use GET, HEAD"},
		{"other type", p.put(t, "/Patient/x", `{"resourceType":"Observation","id":"x"}`), `the body's resourceType is "Observation", the URL's type is Patient; they have to be the same`},
		{"no JSON", p.put(t, "/Patient/x", "not json"), "the body's JSON cannot be read: line 1, column 1: expected a value, got the word not; JSON has the words true, false and null, and strings in double quotes"},
		{"member twice", p.put(t, "/Patient/x", `{"resourceType":"Patient","id":"x","active":true,"active":true}`), `the body's JSON cannot be read: line 1, column 50 (/active): the member "active" occurs twice in one object`},
		{"nested too deep", p.put(t, "/Patient/x", strings.Repeat("[", 300)), "the body's JSON cannot be read: line 1, column 201 (" + strings.Repeat("/0", 20) + "…" + strings.Repeat("/0", 20) + "): objects and arrays are nested more than 200 deep"},
		{"S11 export of a group", reader.get(t, "/Group/all/$export", exportHeader()...), "S11: GET /fhir/Group/all/$export is the export of a group; the token's scopes are system/Patient.rs. None of them covers Group. Ask for system/Group.r, which the client's registration must hold as well."},
		{"S11 kick-off", reader.get(t, "/$export?_type=Observation", exportHeader()...), "S11: GET /fhir/$export exports Observation; the token's scopes are system/Patient.rs. None of them covers Observation. Ask for system/Observation.rs, which the client's registration must hold as well."},
		{"S11 status", reader.get(t, status), "S11: GET " + strings.TrimPrefix(status, w.URL()) + " is about an export that holds Observation; the token's scopes are system/Patient.rs. None of them covers Observation. Ask for system/Observation.rs, which the client's registration must hold as well."},
		{"S08 export of everything", w.grant(t, "system/Patient.r").get(t, "/$export", exportHeader()...), "GET /fhir/$export exports everything; the token's scopes are system/Patient.r."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.a.reason(t); got != c.want && !strings.Contains(got, ": "+c.want+" ") {
				t.Errorf("%s: got\n%q, want\n%q", c.a.request, got, c.want)
			}
		})
	}
	for query, want := range map[string]string{
		"_contained=true": "_contained is not offered, so it was ignored",
		"nome=x":          `nome was ignored: Patient has no search parameter "nome"`,
	} {
		t.Run("ignored "+query, func(t *testing.T) {
			var found struct {
				Entry []struct {
					Resource struct{ Issue []issue }
				}
			}
			p.get(t, "/Patient?_count=0&"+query).want(t, 200).decode(t, &found)
			if len(found.Entry) != 1 || len(found.Entry[0].Resource.Issue) != 1 || found.Entry[0].Resource.Issue[0].Diagnostics != want {
				t.Errorf("got %+v, want %q", found.Entry, want)
			}
		})
	}
}

// TestTypeComesFirst proves that a resource that the server makes begins with
// its type, and that texts in it are as they are read.
func TestTypeComesFirst(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		a    *answer
		want string
	}{
		{w.stranger().get(t, "/Patient"), `{"resourceType":"OperationOutcome","issue":[`},
		{w.stranger().get(t, "/metadata"), `{"resourceType":"CapabilityStatement","`},
		{w.all.get(t, "/Patient"), `{"resourceType":"Bundle","`},
	} {
		if !bytes.HasPrefix(c.a.body, []byte(c.want)) || bytes.Count(c.a.body, []byte(`{"resourceType":"CapabilityStatement"`)) > 1 {
			t.Errorf("%s: got %s, want it to begin with %s", c.a.request, c.a.excerpt(), c.want)
		}
		c.a.object(t)
	}
	a := w.all.get(t, "/Patient/x?_format=%3Ca%26b%3E")
	if !bytes.Contains(a.body, []byte("_format=<a&b>")) {
		t.Errorf("got %s, want the text as it was sent", a.excerpt())
	}
}
