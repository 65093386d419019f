package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestFHIRErrors has a request for each row of FHIR's errors that can be met
// without a failure of the server: the status, the code, and that it is
// explained.
func TestFHIRErrors(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	for _, id := range []string{"a", "b"} {
		p.put(t, "/Patient/"+id, `{"resourceType":"Patient","id":"`+id+`","identifier":[{"value":"twice"}]}`).want(t, 201)
	}
	p.put(t, "/Patient/gone", `{"resourceType":"Patient","id":"gone"}`).want(t, 201)
	p.send(t, "DELETE", "/Patient/gone", "").want(t, 204)
	expired := w.grant(t, "system/Patient.rs")
	w.Clock().Advance(10 * time.Minute)
	p = w.grant(t, "system/*.cruds")
	reader := w.grant(t, "system/Patient.rs")
	observation := func(members string) string {
		return `{"resourceType":"Observation","status":"final","code":{"text":"x"}` + members + `}`
	}
	for _, c := range []struct {
		name   string
		a      *answer
		status int
		code   string
	}{
		{"FR-ER-01 no token", w.stranger().get(t, "/Patient/a"), 401, "login"},
		{"FR-ER-01 a bad token", p.as("nonsense").get(t, "/Patient/a"), 401, "login"},
		{"FR-ER-01 an expired token", expired.get(t, "/Patient/a"), 401, "expired"},
		{"FR-ER-02 scope", reader.get(t, "/Observation"), 403, "forbidden"},
		{"FR-ER-03 unknown id", p.get(t, "/Patient/none"), 404, "not-found"},
		{"FR-ER-03 unknown type", p.get(t, "/Nothing/1"), 404, "not-supported"},
		{"FR-ER-03 unknown operation", p.get(t, "/Patient/a/$nothing"), 404, "not-supported"},
		{"FR-ER-04 deleted", p.get(t, "/Patient/gone"), 410, "deleted"},
		{"FR-ER-05 method", p.post(t, "/Patient/a", "{}"), 405, "not-supported"},
		{"FR-ER-06 not acceptable", p.get(t, "/Patient/a", "Accept", "application/fhir+xml"), 406, "not-supported"},
		{"FR-ER-06 media type", p.send(t, "PUT", "/Patient/a", "<a/>", "Content-Type", "application/fhir+xml"), 415, "not-supported"},
		{"FR-ER-07 syntax", p.post(t, "/Patient", "{"), 400, "structure"},
		{"FR-ER-08 unknown element", p.post(t, "/Patient", `{"resourceType":"Patient","nothing":1}`), 400, "structure"},
		{"FR-ER-09 required element", p.post(t, "/Observation", `{"resourceType":"Observation","status":"final"}`), 400, "required"},
		{"FR-ER-10 bad primitive", p.post(t, "/Patient", `{"resourceType":"Patient","birthDate":"x"}`), 400, "value"},
		{"FR-ER-10 bad parameter", p.get(t, "/Patient?birthdate=x"), 400, "value"},
		{"FR-ER-11 unbound code", p.post(t, "/Patient", `{"resourceType":"Patient","gender":"x"}`), 422, "code-invalid"},
		{"FR-ER-12 invariant", p.post(t, "/Observation", observation(`,"valueString":"x","dataAbsentReason":{"text":"x"}`)), 422, "invariant"},
		{"FR-ER-13 business rule", p.patch(t, "/Patient/a", `[{"op":"replace","path":"/id","value":"x"}]`), 422, "business-rule"},
		{"FR-ER-14 id", p.put(t, "/Patient/a", `{"resourceType":"Patient","id":"b"}`), 400, "invalid"},
		{"FR-ER-15 If-Match", p.put(t, "/Patient/a", `{"resourceType":"Patient","id":"a"}`, "If-Match", `W/"9"`), 412, "conflict"},
		{"FR-ER-17 several matches", p.send(t, "DELETE", "/Patient?identifier=twice", ""), 412, "multiple-matches"},
		{"FR-ER-19 unsupported modifier", p.get(t, "/Patient?birthdate:exact=2020"), 400, "not-supported"},
		{"FR-ER-19 unknown parameter", p.get(t, "/Patient?colour=red", "Prefer", "handling=strict"), 400, "not-supported"},
		{"FR-ER-22 duplicate", p.post(t, "", requests("transaction", does("DELETE", "Patient/a"), does("DELETE", "Patient/a"))), 400, "duplicate"},
		{"FR-CN-08 two versions of FHIR", p.put(t, "/Patient/a", `{"resourceType":"Patient","id":"a"}`, "Accept", fhirJSON+"; fhirVersion=4.0", "Content-Type", fhirJSON+"; fhirVersion=3.0"), 400, "invalid"},
		{"FR-CN-08 two versions in Accept", p.get(t, "/Patient/a", "Accept", fhirJSON+"; fhirVersion=4.0, "+fhirJSON+"; fhirVersion=3.0"), 400, "invalid"},
		{"FR-CO-08 a conditional write by whoever may not search", w.grant(t, "system/Patient.cud").send(t, "DELETE", "/Patient?identifier=twice", ""), 403, "forbidden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.a.refused(t, c.status, c.code)
			wantExplained(t, w.at(), c.a)
		})
	}
}

// TestWhatIsNotChecked is about what strict servers may refuse and this one
// takes.
func TestWhatIsNotChecked(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	t.Run("FR-CR-06 FR-DE-03 references", func(t *testing.T) {
		p.put(t, "/Patient/p", `{"resourceType":"Patient","id":"p","generalPractitioner":[{"reference":"Practitioner/nobody"}]}`).want(t, 201)
		p.put(t, "/Observation/o", `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"}}`).want(t, 201)
		p.send(t, "DELETE", "/Patient/p", "").want(t, 204)
		p.get(t, "/Observation/o").want(t, 200)
	})
	t.Run("FR-PR-04 respond-async on a read", func(t *testing.T) {
		a := p.get(t, "/Observation/o", "Prefer", "respond-async").want(t, 200)
		a.wantHeader(t, "Preference-Applied", "")
	})
	t.Run("FR-SC-01 without a token", func(t *testing.T) {
		w.stranger().get(t, "/metadata").want(t, 200)
		w.stranger().get(t, "/.well-known/smart-configuration").want(t, 200)
	})
	t.Run("FR-SC-32 s without r", func(t *testing.T) {
		b := w.grant(t, "system/Observation.s").get(t, "/Observation?_id=o").bundle(t)
		if len(b.Entry) != 1 || !strings.Contains(string(b.Entry[0].raw), `"status":"final"`) {
			t.Errorf("got %+v, want the whole resource", b.Entry)
		}
	})
	t.Run("FR-GE-05 FR-UC-13 every type has versions", func(t *testing.T) {
		p.put(t, "/Medication/m", `{"resourceType":"Medication","id":"m"}`).want(t, 201)
		p.put(t, "/Medication/m", `{"resourceType":"Medication","id":"m","status":"active"}`).want(t, 200)
		p.get(t, "/Medication/m").want(t, 200).wantHeader(t, "ETag", `W/"2"`)
		p.get(t, "/Medication/m/_history/1").want(t, 200)
	})
	t.Run("FR-CN-06 _pretty", func(t *testing.T) {
		for _, path := range []string{"/Medication/m", "/Medication?_id=m", "/Medication/none", "/metadata"} {
			plain, pretty := p.get(t, path), p.get(t, path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"_pretty=true")
			if !strings.HasPrefix(string(pretty.body), "{\n  \"resourceType\"") || strings.Contains(string(plain.body), "\n  ") {
				t.Errorf("%s: got %s, and pretty %s", path, plain.excerpt(), pretty.excerpt())
			}
		}
	})
}

// TestTransactionsWithoutValidation stores what FHIR does not allow, where the server is
// told to take it.
func TestTransactionsWithoutValidation(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithoutValidation())
	w.all.post(t, "", requests("transaction", does("POST", "Patient", `{"resourceType":"Patient","nothing":1}`))).want(t, 200)
	w.all.put(t, "/Binary/odd", `{"resourceType":"Binary","id":"odd","data":"not base64"}`).want(t, 201)
	w.all.get(t, "/Binary/odd", "Accept", "*/*").want(t, 200).wantHeader(t, "Content-Type", fhirJSON)
}
