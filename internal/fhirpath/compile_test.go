package fhirpath_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		expression string
		offset     int
		message    string
	}{
		"nothing":                    {"", 0, "expected a value, got the end"},
		"an unknown function":        {"name.wher(true)", 5, "unknown function wher()"},
		"too few arguments":          {"name.where()", 5, "where() takes 1 to 1 arguments, not 0"},
		"too many arguments":         {"name.first(1, 2)", 5, "first() takes 0 to 0 arguments, not 2"},
		"an unknown variable":        {"%what", 0, "unknown variable %what"},
		"an unknown context":         {"$that", 0, "unknown variable $that"},
		"an unknown operator":        {"1 * 2", 2, `unknown operator "*"`},
		"an equivalence":             {"a ~ b", 2, `unknown operator "~"`},
		"a missing operand":          {"a and", 5, "expected a value, got the end"},
		"a missing name":             {"a.", 2, "expected a name, got the end"},
		"an open parenthesis":        {"(a", 2, `expected ")", got the end`},
		"an open index":              {"a[1", 3, `expected "]", got the end`},
		"an open quote":              {"a = 'x", 4, "a quote is not closed"},
		"an open escape":             {`'x\`, 2, "a quote is not closed"},
		"an open comment":            {"a /* b", 2, "a comment is not closed"},
		"an unknown escape":          {`'a\q'`, 2, "unknown escape"},
		"a short unicode escape":     {`'\u12'`, 1, "four hexadecimal digits"},
		"something behind the end":   {"a b", 2, `unexpected "b"`},
		"an unexpected character":    {"a ? b", 2, "unexpected character '?'"},
		"an unexpected wide one":     {"a § b", 2, "unexpected character '§'"},
		"no type":                    {"a is 1", 5, "expected the name of a type"},
		"a sign before a name":       {"-a", 1, "a sign stands before"},
		"a date that is none":        {"@2020-1", 0, "@2020-1 is not a date or time"},
		"an invalid pattern":         {"a.matches('(')", 2, "the regular expression of matches() is invalid"},
		"a comma without argument":   {"iif(a,)", 6, "expected a value"},
		"too deep":                   {strings.Repeat("(", 200), 100, "nested more than 100 deep"},
		"too many steps":             {strings.Repeat("a.", 200), 201, "more than 100 steps"},
		"too many operators":         {"a" + strings.Repeat(" | a", 200), 402, "more than 100 operators"},
		"a literal within a literal": {"'a' 'b'", 4, `unexpected "b"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := fhirpath.Compile(c.expression)
			var got *fhirpath.SyntaxError
			if !errors.As(err, &got) {
				t.Fatalf("Compile(%s) = %v, want a *SyntaxError", c.expression, err)
			}
			if got.Offset != c.offset || !strings.Contains(got.Error(), c.message) {
				t.Errorf("Compile(%s):\n got %q at %d\nwant %q at %d", c.expression, got.Msg, got.Offset, c.message, c.offset)
			}
		})
	}
}

// FuzzExpression compiles and evaluates: neither may panic or hang, whatever the expression.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		"Patient.name.where(use = 'old').given[0] | Patient.contact.name.family",
		"Patient.deceased.exists() and Patient.deceased != false",
		"(Observation.value as Quantity).value > 1.5 and $this is Observation",
		"Patient.generalPractitioner.where(resolve() is Practitioner)",
		"contained.where((('#'+id in (%resource.descendants().reference))).not()).trace('x', id).empty()",
		"name.select(given.first() & ' ' & family).isDistinct() implies iif(active, 1, -2) <= @2020-01-01T10:00:00.5+01:00",
		"`x`.matches('a') xor 'b\\u0041'.substring(1, 2).replaceMatches('.', '$0') in {} // end",
	} {
		f.Add(seed)
	}
	s, roots := newSchema(), []fhirpath.Value{parse(f, patient), parse(f, observation), parse(f, document)}
	f.Fuzz(func(t *testing.T, expression string) {
		e, err := fhirpath.Compile(expression)
		if err != nil {
			var syntax *fhirpath.SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(expression) {
				t.Fatalf("Compile(%q) fails with %#v", expression, err)
			}
			return
		}
		for _, root := range roots {
			values, err := e.Eval(s, root, fhirpath.Options{})
			if err != nil && values != nil {
				t.Fatalf("%q gives both %s and %v", expression, show(values), err)
			}
		}
	})
}

// FuzzResource evaluates on resources that are not what their types promise.
func FuzzResource(f *testing.F) {
	for _, seed := range []string{patient, observation, document, condition, `{"resourceType":"Patient","name":7,"_birthDate":[1]}`} {
		f.Add(seed)
	}
	var expressions []*fhirpath.Expr
	for _, text := range []string{
		"Patient.name.given | Patient.birthDate.extension.value",
		"Patient.generalPractitioner.where(resolve() is Practitioner)",
		"Patient.deceased.exists() and Patient.deceased != false",
		"(Observation.value as Quantity) | Observation.component.value",
		"Condition.onset.as(Age) | Condition.onset.as(Range)",
		"Bundle.entry[0].resource", "descendants().distinct().count()",
	} {
		e, err := fhirpath.Compile(text)
		if err != nil {
			f.Fatal(err)
		}
		expressions = append(expressions, e)
	}
	f.Fuzz(func(t *testing.T, resource string) {
		root, err := fhirjson.Parse([]byte(resource))
		if err != nil {
			return
		}
		for _, e := range expressions {
			values, err := e.Eval(newSchema(), fhirpath.ResourceValue(root), fhirpath.Options{})
			if err != nil && values != nil {
				t.Fatalf("%v gives both %s and %v", e, show(values), err)
			}
		}
	})
}
