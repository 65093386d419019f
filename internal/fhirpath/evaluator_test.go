package fhirpath_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

func TestEvaluator(t *testing.T) {
	t.Parallel()
	v := fhirpath.NewEvaluator(newSchema())
	v.Limit(10_000)
	holds := func(expression, resource string, opt fhirpath.Options) (bool, error) {
		e, err := fhirpath.Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		return v.Holds(e, parse(t, resource), opt, false)
	}
	other := fhirpath.Options{Resource: parse(t, observation)}
	for _, c := range []struct {
		expression, resource string
		opt                  fhirpath.Options
		want                 bool
	}{
		{"%resource.status = 'final'", patient, other, true},
		{"%resource.active", patient, fhirpath.Options{}, true}, // nothing is left of the one before
		{"name.select($index).exists()", patient, fhirpath.Options{}, true},
		{"$index = 0", patient, fhirpath.Options{}, true},
		{"active.not()", patient, fhirpath.Options{}, false},
	} {
		if got, err := holds(c.expression, c.resource, c.opt); err != nil || got != c.want {
			t.Errorf("%s: got %v, %v; want %v", c.expression, got, err, c.want)
		}
	}
	if _, err := holds("name.family + 'x' = 'y'", patient, fhirpath.Options{}); err == nil || errors.Is(err, fhirpath.ErrTooCostly) {
		t.Errorf("two names added: got error %v, want one that is not ErrTooCostly", err)
	}
	const costly = "name" // some steps each time
	for n := 0; ; n++ {
		if _, err := holds(costly, patient, fhirpath.Options{}); errors.Is(err, fhirpath.ErrTooCostly) {
			break
		}
		if n > 10_000 {
			t.Fatal("the limit never ends")
		}
	}
	if _, err := holds("name", patient, fhirpath.Options{}); !errors.Is(err, fhirpath.ErrTooCostly) {
		t.Errorf("beyond the limit: got error %v, want ErrTooCostly", err)
	}
	v.Limit(10_000)
	if _, err := holds("name.exists()", patient, fhirpath.Options{}); err != nil {
		t.Errorf("behind a new limit: %v", err)
	}
}

// TestWorkIsCounted has expressions look at the same values again and again, which has to cost a step
// for each.
func TestWorkIsCounted(t *testing.T) {
	t.Parallel()
	const n = 300
	list := func(item string) string { return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]" }
	wide := `{"resourceType":"Observation","code":{"text":"` + strings.Repeat("ab", n/2) + `"},"component":` + list(`{"code":{"text":"x"}}`) + `}`
	container := `{"resourceType":"Patient","contained":` + list(`{"resourceType":"Organization","id":"o"}`) + `,"generalPractitioner":` + list(`{"reference":"#x"}`) + `}`
	for name, c := range map[string]struct {
		resource, expression string
		limit                int // for each pair of values
	}{
		"elements of an array":      {wide, "component.where(%resource.component.exists()).exists()", 1},
		"intersections":             {wide, "component.all(('x' | 'y').intersect(%resource.component.code).empty())", 10},
		"contained resources":       {container, "generalPractitioner.all(resolve().empty())", 1},
		"regular expressions":       {wide, "component.all(%resource.code.text.matches('(a|b)+c').not())", 1},
		"replaced by an expression": {wide, "component.all(%resource.code.text.replaceMatches('(a|b)+c', 'x').length() > 0)", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := fhirpath.Compile(c.expression)
			if err != nil {
				t.Fatal(err)
			}
			v := fhirpath.NewEvaluator(newSchema())
			v.Limit(c.limit * n * n * 3 / 4)
			if _, err := v.Holds(e, parse(t, c.resource), fhirpath.Options{}, true); !errors.Is(err, fhirpath.ErrTooCostly) {
				t.Errorf("got error %v, want ErrTooCostly", err)
			}
		})
	}
}
