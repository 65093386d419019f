package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// usCore18 is what system/*.read stands for in Aidbox.
func usCore18() []string {
	return []string{
		"AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Device", "DiagnosticReport", "DocumentReference",
		"Encounter", "Goal", "Immunization", "Location", "MedicationRequest", "Observation", "Organization", "Patient",
		"Practitioner", "Procedure", "Provenance",
	}
}

// TestWildcardOfEighteenTypes proves that answer, introspection, reads,
// searches and exports agree on what a token for system/*.read covers (S10,
// AX-31).
func TestWildcardOfEighteenTypes(t *testing.T) {
	t.Parallel()
	x := newLab(t, newRS384(t, "rs-1"), sandbox.WithSwitch("scope.wildcard", "uscore18"))
	var scopes []string
	for _, typ := range usCore18() {
		scopes = append(scopes, "system/"+typ+".read")
	}
	all := strings.Join(scopes, " ")
	var got tokenAnswer
	x.askFor(x.rs, "system/*.read").want(t, 200).decode(t, &got)
	if got.Scope != all {
		t.Errorf("AX-31: got scope %q, want %q", got.Scope, all)
	}
	p := party{web: x.web, base: x.FHIRURL(), token: got.AccessToken}

	t.Run("S10 the check tells that it is not all types", func(t *testing.T) {
		seen := x.Exchanges()
		for _, check := range seen[len(seen)-1].Checks {
			if check.Requirement == "SB-NEG-01" && (check.ID != "S10" || !strings.Contains(check.Text, "18 types")) {
				t.Errorf("got %+v", check)
			}
		}
	})
	t.Run("S10 introspection", func(t *testing.T) {
		a := x.at().search(t, "/auth/introspect", form("token", got.AccessToken), "Authorization", "Bearer "+got.AccessToken).want(t, 200)
		if scope := a.object(t)["scope"]; scope != all {
			t.Errorf("got %v", scope)
		}
	})
	t.Run("S10 reads and searches", func(t *testing.T) {
		p.get(t, "/Patient").want(t, 200)
		p.get(t, "/Patient/pt-000001").want(t, 200)
		for _, path := range []string{"/ExplanationOfBenefit", "/ExplanationOfBenefit/eob-1", "/ExplanationOfBenefit?patient=pt-000001", "/Group/all/$export", "/$export?_type=ExplanationOfBenefit"} {
			a := p.get(t, path, exportHeader()...)
			issue := a.refused(t, 403, "forbidden")
			typ, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
			typ, _, _ = strings.Cut(typ, "?")
			if strings.HasPrefix(typ, "$") {
				typ = "ExplanationOfBenefit"
			}
			if want := "S10: Here system/*.read expands to 18 types; " + typ + " is not one of them. Ask for system/" + typ + ".read."; issue.Diagnostics != want {
				t.Errorf("%s: got %s, want %s", path, issue.Diagnostics, want)
			}
			if c := a.challenge(t, "insufficient_scope"); !strings.Contains(c, `scope="system/`+typ+`.read"`) {
				t.Errorf("%s: got WWW-Authenticate %q", path, c)
			}
		}
	})
	t.Run("S10 writes are refused as ever", func(t *testing.T) {
		issue := p.post(t, "/Patient", `{"resourceType":"Patient"}`).refused(t, 403, "forbidden")
		if strings.HasPrefix(issue.Diagnostics, "S10") {
			t.Errorf("got %s", issue.Diagnostics)
		}
	})
	t.Run("S10 an include of another type", func(t *testing.T) {
		includes := func(p party) bool { // Coverage is none of the eighteen
			body := string(p.get(t, "/Patient?_revinclude=Coverage:beneficiary&_count=200").want(t, 200).body)
			return strings.Contains(body, `"resourceType":"Coverage"`)
		}
		if includes(p) || !includes(x.token(x.rs, "system/*.rs")) {
			t.Error("the answer holds Coverage, or does not where it should")
		}
	})
	t.Run("S10 an export", func(t *testing.T) {
		types := p.export(t, "/$export").types()
		for _, typ := range types {
			if !slices.Contains(usCore18(), typ) {
				t.Errorf("it holds %s", typ)
			}
		}
		if !slices.Contains(types, "Patient") {
			t.Errorf("it holds %v", types)
		}
	})
	t.Run("S10 asked for by name", func(t *testing.T) {
		x.token(x.rs, "system/ExplanationOfBenefit.read").get(t, "/ExplanationOfBenefit").want(t, 200)
		both := x.token(x.rs, "system/*.read system/ExplanationOfBenefit.read")
		both.get(t, "/ExplanationOfBenefit").want(t, 200)
		both.get(t, "/Patient").want(t, 200)
	})
	t.Run("S10 a registration of less", func(t *testing.T) {
		s := x.enrol(x.rs.signer, sandbox.ClientConfig{Scopes: []string{"system/Patient.rs", "system/ExplanationOfBenefit.rs"}})
		if got := x.told(x.askFor(s, "system/*.read"), "scope"); got != "system/Patient.read" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("S10 a registration that is asked for as a whole", func(t *testing.T) {
		y := newLab(t, x.rs.signer, sandbox.WithBehaviour("aidbox"), sandbox.WithSwitch("token.omit_scope", "false"))
		s := y.enrol(y.rs.signer, sandbox.ClientConfig{Scopes: []string{"system/*.read"}})
		if got := y.told(y.askFor(s, ""), "scope"); got != all {
			t.Errorf("got %s", got)
		}
		if got := y.told(y.askFor(s, "system/*.read"), "scope"); got != all {
			t.Errorf("AX-28: the wildcard is no more than is registered; got %s", got)
		}
	})
	t.Run("S10 a strict server", func(t *testing.T) {
		y := newLab(t, x.rs.signer)
		y.token(y.rs, "system/*.read").get(t, "/ExplanationOfBenefit").want(t, 200)
		issue := y.token(y.rs, all).get(t, "/ExplanationOfBenefit").refused(t, 403, "forbidden")
		if !strings.HasPrefix(issue.Diagnostics, "S11") {
			t.Errorf("got %s", issue.Diagnostics)
		}
	})
	t.Run("S10 a token from before the switch keeps its scopes", func(t *testing.T) {
		y := newLab(t, x.rs.signer)
		old := y.token(y.rs, "system/*.read")
		if err := y.SetBehaviour("", map[string]string{"scope.wildcard": "uscore18"}); err != nil {
			t.Fatal(err)
		}
		old.get(t, "/ExplanationOfBenefit").want(t, 200)
		y.token(y.rs, "system/*.read").get(t, "/ExplanationOfBenefit").refused(t, 403, "forbidden")
	})
}
