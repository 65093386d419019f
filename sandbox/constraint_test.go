package sandbox_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// SB-SCO-07: a constraint that no search could be made with is no scope, when a
// client is registered and when a token is asked for.
func TestConstraintValues(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.WithPatients(0))
	client := sb.DefaultClient()
	for _, c := range []struct {
		scope string
		ok    bool
	}{
		{"system/Observation.rs?date=rubbish", false},
		{"system/Observation.rs?date=ge2025-01-01", true},
		{"system/Observation.rs?value-quantity=x", false},
		{"system/Observation.rs?value-quantity=gt5.4|http://unitsofmeasure.org|mg", true},
		{"system/*.rs?_lastUpdated=x", false},
		{"system/*.rs?_lastUpdated=gt2025", true},
		{"system/RiskAssessment.rs?probability=abc", false},
		{"system/RiskAssessment.rs?probability=lt0.5", true},
		{"system/Observation.rs?subject=Patient/pt-000001", true},
		{"system/Patient.rs?family=Smith", true},
		{"system/Library.rs?url=http://example.org/library", true},
	} {
		t.Run("SB-SCO-07 "+c.scope, func(t *testing.T) {
			t.Parallel()
			_, err := client.Token(t.Context(), c.scope)
			var refused *sandbox.TokenError
			switch {
			case c.ok && err != nil:
				t.Errorf("refused: %v", err)
			case !c.ok && (!errors.As(err, &refused) || refused.Code != "invalid_scope"):
				t.Errorf("got %v, want invalid_scope", err)
			}
			if _, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{Scopes: []string{c.scope}}); (err == nil) != c.ok {
				t.Errorf("registration: %v", err)
			}
		})
	}
}

// SB-SCO-10: the granular scopes of US Core 6.1 are granted, returned and hold.
func TestUSCoreScopes(t *testing.T) {
	t.Parallel()
	sb := sandbox.Start(t)
	client := sb.DefaultClient()
	for _, c := range []struct{ typ, category string }{
		{"Condition", "http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern"},
		{"Condition", "http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis"},
		{"Condition", "http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"},
		{"Observation", "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"},
		{"Observation", "http://terminology.hl7.org/CodeSystem/observation-category|social-history"},
		{"Observation", "http://terminology.hl7.org/CodeSystem/observation-category|survey"},
		{"Observation", "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"},
		{"Observation", "http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh"},
	} {
		scope := "system/" + c.typ + ".rs?category=" + c.category
		t.Run("SB-SCO-10 "+scope, func(t *testing.T) {
			t.Parallel()
			token, err := client.Token(t.Context(), scope)
			if err != nil {
				t.Fatal(err)
			}
			if token.Scope != scope {
				t.Errorf("granted %q", token.Scope)
			}
			_, code, _ := strings.Cut(c.category, "|")
			resp, body := do(t, client.HTTPClient(scope), "GET", sb.FHIRURL()+"/"+c.typ+"?_count=1000", "")
			var found struct {
				Entry []struct {
					Resource struct {
						ResourceType string
						Category     []struct{ Coding []struct{ Code string } }
					}
				}
			}
			if err := json.Unmarshal([]byte(body), &found); err != nil || resp.StatusCode != 200 {
				t.Fatalf("%d, %v", resp.StatusCode, err)
			}
			for _, e := range found.Entry {
				has := e.Resource.ResourceType != c.typ
				for _, category := range e.Resource.Category {
					for _, coding := range category.Coding {
						has = has || coding.Code == code
					}
				}
				if !has {
					t.Errorf("found a resource outside of %s: %+v", code, e.Resource)
				}
			}
		})
	}
}
