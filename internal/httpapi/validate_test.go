package httpapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

func TestValidateOperation(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/mine", patient("mine")).want(t, 201)
	p.put(t, "/Patient/gone", patient("gone")).want(t, 201)
	p.send(t, "DELETE", "/Patient/gone", "").want(t, 204)
	const (
		bare = `{"resourceType":"Patient","birthDate":"x"}`
		fine = "information informational"
		bad  = "error value Patient.birthDate"
		dom6 = "warning invariant Patient"
	)
	parameters := func(resource string, more ...string) string {
		list := []string{}
		if resource != "" {
			list = append(list, `{"name":"resource","resource":`+resource+`}`)
		}
		return `{"resourceType":"Parameters","parameter":[` + strings.Join(append(list, more...), ",") + `]}`
	}
	mode := func(m string) string { return fmt.Sprintf(`{"name":"mode","valueCode":%q}`, m) }
	profile := func(url string) string { return fmt.Sprintf(`{"name":"profile","valueUri":%q}`, url) }
	const whole = `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"}}`
	for _, c := range []struct {
		name, path, body string
		issues           []string
	}{
		{"FR-OP-04 valid", "/Patient/$validate", whole, []string{fine}},
		{"FR-OP-04 a warning", "/Patient/$validate", `{"resourceType":"Patient"}`, []string{dom6}},
		{"FR-OP-04 invalid", "/Patient/$validate", bare, []string{dom6, bad}},
		{"FR-OP-04 in Parameters", "/Patient/$validate", parameters(bare), []string{dom6, bad}},
		{"FR-OP-04 no JSON", "/Patient/$validate", `{"resourceType":"Patient"`, []string{"error structure"}},
		{"FR-OP-04 no resource", "/Patient/$validate", `[]`, []string{"error structure"}},
		{"FR-OP-04 another type", "/Group/$validate", whole, []string{"error invalid Patient"}},
		{"FR-OP-04 create", "/Patient/$validate", parameters(strings.Replace(whole, "{", `{"id":"a_b",`, 1), mode("create")), []string{fine}},
		{"FR-OP-04 create by the query", "/Patient/$validate?mode=create", strings.Replace(whole, "{", `{"id":"a_b",`, 1), []string{fine}},
		{"FR-OP-04 update", "/Patient/$validate", parameters(whole, mode("update")), []string{"error required Patient"}},
		{"FR-OP-04 the base profile", "/Patient/$validate", parameters(whole, profile("http://hl7.org/fhir/StructureDefinition/Patient")), []string{fine}},
		{"FR-OP-04 Parameters as a resource", "/Parameters/$validate", `{"resourceType":"Parameters","parameter":[{"name":"x"}]}`, []string{"error invariant Parameters.parameter[0]"}},
		{"FR-OP-04 Parameters in Parameters", "/Parameters/$validate", parameters(`{"resourceType":"Parameters","parameter":[{"name":"x"}]}`), []string{"error invariant Parameters.parameter[0]"}},
		{"FR-CN-04 _format", "/Patient/$validate?_format=json", whole, []string{fine}},
		{"FR-OP-04 update of an instance", "/Patient/mine/$validate", strings.Replace(whole, "{", `{"id":"mine",`, 1), []string{fine}},
		{"FR-OP-04 update of an instance by another id", "/Patient/mine/$validate", strings.Replace(whole, "{", `{"id":"other",`, 1), []string{"error invalid Patient"}},
		{"FR-OP-04 the instance itself", "/Patient/mine/$validate", ``, []string{dom6}},
		{"FR-OP-04 profile", "/Patient/mine/$validate", parameters("", mode("profile"), profile("http://hl7.org/fhir/StructureDefinition/Patient|4.0.1")), []string{dom6}},
		{"FR-OP-04 delete", "/Patient/mine/$validate", parameters("", mode("delete")), []string{fine}},
		{"FR-OP-04 delete whatever is sent", "/Patient/mine/$validate?mode=delete", bare, []string{fine}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := p.post(t, c.path, c.body).want(t, 200).outcome(t); !slices.Equal(got, c.issues) {
				t.Errorf("got %q, want %q", got, c.issues)
			}
		})
	}
	for _, c := range []struct {
		name, path, body string
		status           int
		code             string
	}{
		{"no body", "/Patient/$validate", "", 400, "required"},
		{"no resource in Parameters", "/Patient/$validate", parameters("", mode("create")), 400, "required"},
		{"an empty resource", "/Patient/$validate", `{"resourceType":"Parameters","parameter":[{"name":"resource"}]}`, 400, "required"},
		{"unknown mode", "/Patient/$validate", parameters(whole, mode("upsert")), 400, "value"},
		{"mode delete of a type", "/Patient/$validate", parameters("", mode("delete")), 400, "invalid"},
		{"mode profile of a type", "/Patient/$validate", parameters(whole, mode("profile")), 400, "invalid"},
		{"mode create of an instance", "/Patient/mine/$validate", parameters(whole, mode("create")), 400, "invalid"},
		{"mode update without a resource", "/Patient/mine/$validate", parameters("", mode("update")), 400, "required"},
		{"mode profile with a resource", "/Patient/mine/$validate", parameters(whole, mode("profile")), 400, "invalid"},
		{"a profile", "/Patient/$validate", parameters(whole, profile("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient")), 400, "not-supported"},
		{"a profile in the query", "/Patient/$validate?profile=http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient", whole, 400, "not-supported"},
		{"a parameter that it does not have", "/Patient/$validate?foo=1", whole, 400, "not-supported"},
		{"Parameters of something else", "/Patient/$validate", `{"resourceType":"Parameters","parameter":[{"name":"x","valueCode":"y"}]}`, 400, "not-supported"},
		{"unknown type", "/Patiens/$validate", whole, 404, "not-supported"},
		{"an instance that never was", "/Patient/nobody/$validate", "", 404, "not-found"},
		{"an instance that was deleted", "/Patient/gone/$validate", parameters("", mode("delete")), 410, "deleted"},
	} {
		t.Run("FR-OP-04 cannot be done: "+c.name, func(t *testing.T) {
			p.post(t, c.path, c.body).refused(t, c.status, c.code)
		})
	}
	t.Run("FR-CN-03 content type", func(t *testing.T) {
		p.post(t, "/Patient/$validate", whole, "Content-Type", "application/fhir+xml").refused(t, 415, "not-supported")
	})
	t.Run("FR-OP-06 by POST only", func(t *testing.T) {
		for _, path := range []string{"/Patient/$validate", "/Patient/mine/$validate"} {
			if a := p.get(t, path); a.status != 405 || !strings.Contains(a.header.Get("Allow"), "POST") {
				t.Errorf("GET %s: got %d with Allow %q, want 405 and POST", path, a.status, a.header.Get("Allow"))
			}
		}
	})
	t.Run("FR-SC-22", func(t *testing.T) {
		w.stranger().post(t, "/Patient/$validate", whole).refused(t, 401, "login")
		other := w.grant(t, "system/Group.s")
		other.post(t, "/Patient/$validate", whole).want(t, 200)
		other.post(t, "/Patient/mine/$validate", "").refused(t, 403, "forbidden")
		reader := w.grant(t, "system/Patient.r")
		reader.post(t, "/Patient/mine/$validate", "").want(t, 200)
		if got := reader.post(t, "/Patient/mine/$validate?mode=delete", "").want(t, 200).outcome(t); !slices.Equal(got, []string{"error forbidden"}) {
			t.Errorf("mode delete without the scope: got %q", got)
		}
		p.put(t, "/Patient/she", `{"resourceType":"Patient","id":"she","gender":"female"}`).want(t, 201)
		for scope, want := range map[string]string{"gender=male": "error forbidden", "gender=female": fine} {
			deleter := w.grant(t, "system/Patient.r", "system/Patient.d?"+scope)
			if got := deleter.post(t, "/Patient/she/$validate?mode=delete", "").want(t, 200).outcome(t); !slices.Equal(got, []string{want}) {
				t.Errorf("mode delete of what the scope holds with %s: got %q", scope, got)
			}
		}
		w.all.post(t, "/Patient/$validate", `{"resourceType":"Parameters","parameter":{"name":"mode","valueCode":"create"}}`).refused(t, 400, "structure")
	})
	t.Run("FR-CA-04 the statement lists it", func(t *testing.T) {
		var s capabilityStatement
		w.at().get(t, "/fhir/metadata").want(t, 200).decode(t, &s)
		for _, r := range s.Rest[0].Resource {
			if !slices.Contains(r.Operation, capabilityOperation{"validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate"}) {
				t.Errorf("%s has no operation validate: %+v", r.Type, r.Operation)
			}
		}
	})
	if n := *p.get(t, "/Patient?_summary=count").bundle(t).Total; n != patients+2 {
		t.Errorf("got %d patients, want %d: what is validated is not stored", n, patients+2)
	}
}

// TestValidateJudgesWhatIsStoredUnjudged asks a server that stores anything.
func TestValidateJudgesWhatIsStoredUnjudged(t *testing.T) {
	t.Parallel()
	p := start(t, sandbox.WithoutValidation()).all
	const body = `{"resourceType":"Patient","id":"mine","foo":1}`
	p.put(t, "/Patient/mine", body).want(t, 201)
	for _, sent := range []string{"", body} {
		if got := p.post(t, "/Patient/mine/$validate", sent).want(t, 200).outcome(t); !slices.Contains(got, "error structure Patient.foo") {
			t.Errorf("got %q, want that it is broken", got)
		}
	}
}
