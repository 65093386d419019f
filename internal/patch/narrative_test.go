package patch_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/patch"
)

func TestNarrative(t *testing.T) {
	t.Parallel()
	told := func(status string) string {
		return `{"resourceType":"Patient","meta":{"tag":[{"code":"a"}]},"text":{"status":"` + status + `","div":"<div>Ann</div>"},"active":true}`
	}
	without := `{"resourceType":"Patient","meta":{"tag":[{"code":"a"}]},"active":false}`
	data := `[{"op":"replace","path":"/active","value":false}]`
	both := `[{"op":"replace","path":"/active","value":false},{"op":"replace","path":"/text/div","value":"<div>Bob</div>"}]`
	for _, c := range []testCase{
		{name: "generated goes with the data", resource: told("generated"), patch: data, want: without},
		{name: "extensions goes with the data", resource: told("extensions"), patch: data, want: without},
		{name: "generated stays where the patch speaks of it", resource: told("generated"), patch: both, want: strings.NewReplacer("true", "false", "Ann", "Bob").Replace(told("generated"))},
		{name: "additional needs the patch to speak of it", resource: told("additional"), patch: data, refused: unfit, operation: -1, want: "say what becomes of text"},
		{name: "additional where the patch speaks of it", resource: told("additional"), patch: both, want: strings.NewReplacer("true", "false", "Ann", "Bob").Replace(told("additional"))},
		{name: "additional that is removed", resource: told("additional"), patch: `[{"op":"remove","path":"/text"},{"op":"remove","path":"/active"}]`, want: `{"resourceType":"Patient","meta":{"tag":[{"code":"a"}]}}`},
		{name: "empty says nothing", resource: told("empty"), patch: data, want: strings.Replace(told("empty"), "true", "false", 1)},
		{name: "tags are no data", resource: told("generated"), patch: `[{"op":"add","path":"/meta/tag/-","value":{"code":"b"}}]`, want: strings.Replace(told("generated"), `"}]`, `"},{"code":"b"}]`, 1)},
		{name: "nothing changed", resource: told("additional"), patch: `[{"op":"replace","path":"/active","value":true}]`, want: told("additional")},
		{name: "an element is added", resource: told("generated"), patch: `[{"op":"add","path":"/gender","value":"male"}]`, want: `{"resourceType":"Patient","meta":{"tag":[{"code":"a"}]},"active":true,"gender":"male"}`},
		{name: "an element is removed", resource: told("generated"), patch: `[{"op":"remove","path":"/active"}]`, want: `{"resourceType":"Patient","meta":{"tag":[{"code":"a"}]}}`},
		{name: "text of another kind", resource: `{"resourceType":"Patient","text":"x","active":true}`, patch: data, want: `{"resourceType":"Patient","text":"x","active":false}`},
	} {
		t.Run("FR-PA-06 "+c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, patch.ParseJSON)
		})
	}
	t.Run("FR-PA-06 by FHIRPath Patch", func(t *testing.T) {
		t.Parallel()
		testCase{resource: told("generated"), patch: parameters(replace("Patient.active", `"valueBoolean":false`)), want: without}.run(t, parseParameters)
	})
}

// TestExpensivePaths: all expressions of a patch share what they may take.
func TestExpensivePaths(t *testing.T) {
	t.Parallel()
	resource := `{"resourceType":"Bundle","entry":[` + strings.Repeat(`{"fullUrl":"x"},`, 300) + `{"fullUrl":"x"}]}`
	var operations []string
	for range 1000 {
		operations = append(operations, remove("Bundle.entry.where(%resource.entry.fullUrl = 'y')"))
	}
	p, err := parseParameters([]byte(parameters(operations...)))
	if err != nil {
		t.Fatal(err)
	}
	var e *patch.Error
	if _, err := p.Apply([]byte(resource)); !errors.As(err, &e) || e.Code != "too-costly" || e.Operation < 5 {
		t.Errorf("got %v, want a refusal of code too-costly of a later operation", err)
	}
}
