package r4_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

func TestConstraints(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]string{
		"Observation": "dom-2 dom-3 dom-4 dom-5 dom-6 obs-6 obs-7",
		"Bundle":      "bdl-1 bdl-2 bdl-3 bdl-4 bdl-7 bdl-9 bdl-10 bdl-11 bdl-12",
		"Age":         "ele-1 qty-3 age-1",
		"Period":      "ele-1 per-1",
		"Task":        "dom-2 dom-3 dom-4 dom-5 dom-6 inv-1",
		"Nothing":     "",
	} {
		if got := keys(r4.Definitions().Constraints(typ)); got != want {
			t.Errorf("constraints of %s are %q, want %q", typ, got, want)
		}
	}
	for path, want := range map[string]string{
		"Patient.contact": "pat-1", "Organization.telecom": "org-3", "Observation.referenceRange": "obs-3",
		"Parameters.parameter": "inv-1", "Patient.name": "", "TestReport.setup.action": "inv-1",
	} {
		i := strings.LastIndexByte(path, '.')
		e, _ := element(path[:i], path[i+1:])
		if got := keys(e.Constraints); got != want {
			t.Errorf("constraints of %s are %q, want %q", path, got, want)
		}
	}
}

func TestEveryConstraintCompiles(t *testing.T) {
	t.Parallel()
	table := r4.Definitions()
	expressions := map[string]bool{}
	add := func(constraints []r4.Constraint) {
		for _, c := range constraints {
			if c.Key == "" || c.Human == "" || c.Severity != "error" && c.Severity != "warning" {
				t.Errorf("an incomplete constraint: %+v", c)
			}
			expressions[c.Expression] = true
		}
	}
	for _, typ := range append([]string{"Element", "Timing", "Period", "Range", "Ratio", "Attachment", "ElementDefinition"}, table.Types()...) {
		add(table.Constraints(typ))
		collect(table, typ, func(e r4.ElementDef) { add(e.Constraints) })
	}
	for expression := range expressions {
		if _, err := fhirpath.Compile(expression); err != nil {
			t.Error(err)
		}
	}
	if len(expressions) < 180 {
		t.Errorf("only %d expressions", len(expressions))
	}
}

// TestConstraintsHold judges resources that break one constraint each.
func TestConstraintsHold(t *testing.T) {
	t.Parallel()
	for key, c := range map[string]struct{ kept, broken string }{
		"obs-6": {`{"resourceType":"Observation","valueString":"x"}`, `{"resourceType":"Observation","valueString":"x","dataAbsentReason":{"text":"y"}}`},
		"obs-7": {`{"resourceType":"Observation","code":{"coding":[{"code":"a"}]},"valueString":"x","component":[{"code":{"coding":[{"code":"b"}]}}]}`,
			`{"resourceType":"Observation","code":{"coding":[{"code":"a"}]},"valueString":"x","component":[{"code":{"coding":[{"code":"a"}]}}]}`},
		"dom-3": {`{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}],"managingOrganization":{"reference":"#o"}}`,
			`{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}]}`},
		"app-3": {`{"resourceType":"Appointment","status":"proposed"}`, `{"resourceType":"Appointment","status":"booked"}`},
		"bdl-3": {`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET"}}]}`, `{"resourceType":"Bundle","type":"searchset","entry":[{"request":{"method":"GET"}}]}`},
		"bdl-11": {`{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition"}}]}`,
			`{"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Patient"}}]}`},
		"con-4": {`{"resourceType":"Condition","abatementString":"x","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"resolved"}]}}`,
			`{"resourceType":"Condition","abatementString":"x"}`},
		"adf-0": {`{"resourceType":"ActivityDefinition","name":"Good"}`, `{"resourceType":"ActivityDefinition","name":"bad"}`},
		"inv-1": {`{"resourceType":"Task","authoredOn":"2020-01-01","lastModified":"2020-01-02"}`, `{"resourceType":"Task","authoredOn":"2020-01-02","lastModified":"2020-01-01"}`},
		"que-2": {`{"resourceType":"Questionnaire","item":[{"linkId":"1","item":[{"linkId":"2"}]}]}`, `{"resourceType":"Questionnaire","item":[{"linkId":"1","item":[{"linkId":"1"}]}]}`},
	} {
		for resource, want := range map[string]bool{c.kept: true, c.broken: false} {
			root, err := fhirjson.Parse([]byte(resource))
			if err != nil {
				t.Fatal(err)
			}
			value := fhirpath.ResourceValue(root)
			constraints := r4.Definitions().Constraints(value.Type)
			i := slices.IndexFunc(constraints, func(c r4.Constraint) bool { return c.Key == key })
			if i < 0 {
				t.Fatalf("%s has no constraint %s", value.Type, key)
			}
			e, err := fhirpath.Compile(constraints[i].Expression)
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Holds(r4.Definitions(), value, fhirpath.Options{}, true)
			if err != nil || got != want {
				t.Errorf("%s holds: %v, %v; want %v, for %s", key, got, err, want, resource)
			}
		}
	}
}

func keys(constraints []r4.Constraint) string {
	var keys []string
	for _, c := range constraints {
		keys = append(keys, c.Key)
	}
	return strings.Join(keys, " ")
}

// collect calls do for the elements of typ and of the backbone elements in it.
func collect(table *r4.Table, typ string, do func(r4.ElementDef)) {
	for _, e := range table.Elements(typ) {
		do(e)
		if e.Types[0] == typ+"."+e.Name {
			collect(table, e.Types[0], do)
		}
	}
}
