package fhirpath_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

func TestOperators(t *testing.T) {
	t.Parallel()
	verdicts := func(want string, expressions ...string) (cases []testCase) {
		for _, e := range expressions {
			cases = append(cases, testCase{e, patient, e, want})
		}
		return cases
	}
	runCases(t, verdicts("boolean true",
		"1 = 1.0", "1 != 2", "'a' = 'a'", "'a' != 'b'", "true = true", "(1 | 2) = (1 | 2)", "1 != 'x'",
		"1 < 2", "2 >= 2.0", "-1 < 0", "-2 < -1", "0.1 < 0.10000000000000000001", "12345678901234567890.5 > 12345678901234567890.4",
		"'a' < 'b'", "@2020-01-01 < @2020-01-02", "@2020 < @2021-01-01", "@2020-01-01T00:00:00+01:00 < @2020-01-01T00:00:00Z",
		"@2020-01-01T01:00:00+01:00 = @2020-01-01T00:00:00Z", "@T10:00 < @T10:01", "@2020-01-01T10:00:00.5 < @2020-01-01T10:00:00.51",
		"birthDate = @1987-02-20", "birthDate < @1990", "@2020T = @2020", "birthDate = '1987-02-20'", "birthDate < '1990-01-01'",
		"1 in (1 | 2)", "(1 | 2) contains 2", "(3 in (1 | 2)).not()",
		"true and true", "true or {}", "{} or true", "true or name.family", "false implies name.family", "false implies {}", "{} implies true", "true xor false", "(false and {}).not()",
		"(1 | 1).count() = 1", "(1 | 1.0 | 2).count() = 2", "1 + 2 = 3", "'a' + 'b' = 'ab'", "'a' & {} = 'a'", "1 & 'a' = '1a'",
		"name.given.count() = 4", "name[0] != name[1]", "name.first() = name[0]",
		"true or true and false", "false implies false or false", "1 + 1 < 3", "5 in 4 | 5", "1 = 1 = true",
	))
	runCases(t, verdicts("boolean false",
		"1 = 2", "1 = '1'", "'a' = 'A'", "true = 'true'", "(1 | 2) = 1", "1 > 1", "3 in (1 | 2)", "false and {}", "{} and false", "false and name.family", "(true or name.family).not()",
		"true implies false", "true xor true", "name[0] = name[1]", "active = false",
	))
	runCases(t, verdicts("", // undecided
		"{} = 1", "1 = {}", "{} and true", "true and {}", "{} or false", "{} xor true", "{} implies {}", "true implies {}",
		"{} < 1", "@2020 = @2020-01", "@2020-01-01 < @2020-01-01T10:00", "@2020-01-01T10:00Z < @2020-01-01T11:00",
		"{} + 1", "{} in (1 | 2)", "multipleBirth = 1", "multipleBirth > 1", "{}.not()", "@2020 < 'soon'",
	))
}

func TestQuantities(t *testing.T) {
	t.Parallel()
	const ranged = `{"resourceType":"Condition","onsetRange":{
		"low":{"value":5,"unit":"a"},"high":{"value":10,"unit":"a"}}}`
	const mixed = `{"resourceType":"Condition","onsetRange":{
		"low":{"value":5,"unit":"a"},"high":{"value":10,"unit":"mo"}}}`
	runCases(t, []testCase{
		{"of one unit", ranged, "onset.low <= onset.high", "boolean true"},
		{"of two units", mixed, "onset.low <= onset.high", ""},
		{"whatever the order of members", `{"resourceType":"Observation","component":[
			{"valueQuantity":{"value":1.0,"unit":"a"}},{"valueQuantity":{"unit":"a","value":1.00}}]}`,
			"component.value.distinct().count()", "integer 1"},
	})
}

// TestDistinctValuesFewOrMany compares few values with each other and puts many into a set: the
// outcome is the same.
func TestDistinctValuesFewOrMany(t *testing.T) {
	t.Parallel()
	variants := []string{
		`{"value":1.0,"unit":"a"}`, `{"unit":"a","value":1}`, `{"unit":"a","value":1e0}`, `{"unit":"a"}`,
		`{"unit":"a","value":"1"}`, `{"unit":"b","value":1}`, `{"unit":["a"],"value":1}`, `{}`,
	}
	const want = 6
	for _, times := range []int{1, 5} {
		values := strings.TrimSuffix(strings.Repeat(strings.Join(variants, ",")+",", times), ",")
		got, err := eval(t, `{"resourceType":"Observation","valueQuantity":[`+values+`]}`, "value.distinct()")
		if err != nil || len(got) != want {
			t.Errorf("%d of %d values are distinct, %v; want %d", len(got), times*len(variants), err, want)
		}
	}
}

func TestEvalRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ expression, message string }{
		"several values as a condition":  {"name.family and true", "single value"},
		"several values in a comparison": {"name.family < 'a'", "single value"},
		"several values of a type":       {"name is HumanName", "single value"},
		"several texts":                  {"name.family.length()", "single value"},
		"several members":                {"name.family in ('a' | 'b')", "single value"},
		"a number against a text":        {"1 < 'a'", "cannot compare integer with string"},
		"a number and a text":            {"1 + 'a'", "cannot add integer and string"},
		"fractions":                      {"1.5 + 1", "only integers"},
		"an overflow":                    {"9223372036854775807 + 1", "too large"},
		"a text as an index":             {"name['x']", "not an integer"},
		"a bad pattern":                  {"id.matches('(' & '')", "missing closing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values, err := eval(t, patient, c.expression)
			if err == nil {
				t.Fatalf("%s = %s, want an error", c.expression, show(values))
			}
			if !strings.Contains(err.Error(), c.message) || !strings.Contains(err.Error(), c.expression) {
				t.Errorf("error %q, want it to name the expression and say %q", err, c.message)
			}
		})
	}
}

func TestEvalGivesUpWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	doubled := "name" + strings.Repeat(".select($this.combine($this))", 90)
	if _, err := eval(t, patient, doubled); !errors.Is(err, fhirpath.ErrTooCostly) {
		t.Errorf("error %v, want ErrTooCostly", err)
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression    string
		unknown, want bool
	}{
		{"active", false, true},
		{"active.not()", true, false},
		{"{}", false, false},
		{"{}", true, true},
		{"name.first()", false, true},
	} {
		e, err := fhirpath.Compile(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Holds(newSchema(), parse(t, patient), fhirpath.Options{}, c.unknown)
		if err != nil || got != c.want {
			t.Errorf("Holds(%s, unknown %v) = %v, %v; want %v", c.expression, c.unknown, got, err, c.want)
		}
	}
}

func TestEvaluationsShareABudget(t *testing.T) {
	t.Parallel()
	e, err := fhirpath.Compile("descendants().count()")
	if err != nil {
		t.Fatal(err)
	}
	root := parse(t, patient)
	budget := 1000
	opt := fhirpath.Options{Steps: &budget}
	if _, err := e.Eval(newSchema(), root, opt); err != nil {
		t.Fatal(err)
	}
	used := 1000 - budget
	if used <= 0 || used >= 1000 {
		t.Fatalf("the first evaluation took %d steps, want some", used)
	}
	for budget >= used {
		if _, err := e.Holds(newSchema(), root, opt, false); err != nil {
			t.Fatalf("with %d steps of %d that it takes: %v", budget, used, err)
		}
	}
	if _, err := e.Eval(newSchema(), root, opt); !errors.Is(err, fhirpath.ErrTooCostly) || budget != 0 {
		t.Errorf("error %v with %d steps left, want ErrTooCostly and none", err, budget)
	}
}
