package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// An outcome is an OperationOutcome with places in the text.
type outcome struct {
	ResourceType string
	Issue        []struct {
		issue
		Extension []struct {
			URL          string
			ValueInteger int
		}
	}
}

// outcome returns the issues of an OperationOutcome in short: severity, code
// and expression.
func (a *answer) outcome(t *testing.T) (said []string) {
	t.Helper()
	var o outcome
	a.wantHeader(t, "Content-Type", fhirJSON).decode(t, &o)
	if o.ResourceType != "OperationOutcome" || len(o.Issue) == 0 {
		t.Fatalf("%s: got %s, want an OperationOutcome with issues", a.request, a.excerpt())
	}
	for _, i := range o.Issue {
		if i.Diagnostics == "" {
			t.Errorf("%s: an issue without diagnostics: %+v", a.request, i)
		}
		said = append(said, strings.TrimSpace(i.Severity+" "+i.Code+" "+strings.Join(i.Expression, " ")))
	}
	return said
}

// TestWritesAreValidated sends resources that are invalid, by create and by
// update. All that is wrong is said, and nothing is stored.
func TestWritesAreValidated(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	before := p.put(t, "/Observation/mine", `{"resourceType":"Observation","id":"mine","status":"final","code":{"text":"x"}}`).want(t, 201).body
	for _, c := range []struct {
		name, members string
		status        int
		issues        []string
	}{
		{"FR-ER-08 unknown element", `,"status":"final","code":{"text":"x"},"vaule":1`, 400, []string{"error structure Observation.vaule"}},
		{"FR-ER-08 wrong type", `,"status":"final","code":"x"`, 400, []string{"error structure Observation.code"}},
		{"FR-ER-09 missing elements", ``, 400, []string{"error required Observation", "error required Observation"}},
		{"FR-ER-10 bad value", `,"status":"final","code":{"text":"x"},"effectiveDateTime":"2020-02-30"`, 400, []string{"error value Observation.effective"}},
		{"FR-ER-11 unbound code", `,"status":"done","code":{"text":"x"}`, 422, []string{"error code-invalid Observation.status"}},
		{"FR-ER-12 invariant", `,"status":"final","code":{"text":"x"},"valueString":"x","dataAbsentReason":{"text":"x"}`, 422, []string{"error invariant Observation"}},
		{"FR-CR-04 several at once", `,"status":"done","code":{"text":"x"},"valueString":5,"dataAbsentReason":{"text":"x"}`, 400,
			[]string{"error invariant Observation", "error code-invalid Observation.status", "error structure Observation.value"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := `{"resourceType":"Observation","id":"mine"` + c.members + `}`
			for _, a := range []*answer{p.post(t, "/Observation", body), p.put(t, "/Observation/mine", body), p.put(t, "/Observation/new", strings.Replace(body, "mine", "new", 1))} {
				if got := a.want(t, c.status).outcome(t); !slices.Equal(got, c.issues) {
					t.Errorf("%s: got %q, want %q", a.request, got, c.issues)
				}
			}
		})
	}
	if after := p.get(t, "/Observation/mine").want(t, 200).body; string(after) != string(before) {
		t.Errorf("got %s, want what was there before: %s", after, before)
	}
	p.get(t, "/Observation/new").want(t, 404)

	t.Run("FR-GE-01 place in the text", func(t *testing.T) {
		var o outcome
		p.post(t, "/Patient", "{\n  \"resourceType\": \"Patient\",\n  \"birthdate\": \"1980-01-01\"\n}").want(t, 400).decode(t, &o)
		const extension = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-"
		if len(o.Issue) != 1 || len(o.Issue[0].Extension) != 2 || o.Issue[0].Extension[0].URL != extension+"line" || o.Issue[0].Extension[0].ValueInteger != 3 ||
			o.Issue[0].Extension[1].URL != extension+"col" || o.Issue[0].Extension[1].ValueInteger != 3 {
			t.Errorf("got %+v, want line 3, column 3", o.Issue)
		}
		if want := "Patient.birthdate is no element of Patient in FHIR R4; did you mean birthDate? (line 3, column 3)"; len(o.Issue) != 1 || o.Issue[0].Diagnostics != want {
			t.Errorf("got %+v, want %q", o.Issue, want)
		}
	})
	t.Run("FR-CR-02 what the server replaces is not judged", func(t *testing.T) {
		p.post(t, "/Patient", `{"resourceType":"Patient","id":"a_b","meta":{"versionId":"a b","lastUpdated":"yesterday"}}`).want(t, 201)
		p.put(t, "/Patient/mine", `{"resourceType":"Patient","id":"mine","meta":{"versionId":"a b","lastUpdated":"yesterday"}}`).want(t, 201)
	})
	t.Run("FR-SC-09 scopes come first", func(t *testing.T) {
		w.grant(t, "system/Patient.r").post(t, "/Patient", `{"resourceType":"Patient","foo":1}`).refused(t, 403, "forbidden")
	})
}

// TestWithoutValidation writes what FHIR does not allow, as a test of a client
// may need it.
func TestWithoutValidation(t *testing.T) {
	t.Parallel()
	p := start(t, sandbox.WithoutValidation()).all
	body := `{"resourceType":"Observation","id":"mine","meta":{"tag":[]},"status":7,"foo":{}}`
	p.put(t, "/Observation/mine", body).want(t, 201)
	if got := p.get(t, "/Observation/mine").want(t, 200).body; !strings.Contains(string(got), `"status":7,"foo":{}`) {
		t.Errorf("got %s, want the broken content", got)
	}
	p.put(t, "/Observation/mine", `{"resourceType":"Observation","id":"mine"`).refused(t, 400, "structure")
}
