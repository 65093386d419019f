package fhirjson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

const patient = `{
  "resourceType": "Patient",
  "id": "p1",
  "active": true,
  "name": [{"family": "O\u0027Brien", "given": ["Ann", null]}],
  "_birthDate": {"extension": [{"url": "u", "valueDecimal": 1.500}]}
}`

func TestParseReadsEveryKindOfValue(t *testing.T) {
	t.Parallel()
	root := mustParse(t, patient)

	if got, want := root.Kind, fhirjson.Object; got != want {
		t.Errorf("root is of kind %v, want %v", got, want)
	}
	if got, want := root.Str("resourceType"), "Patient"; got != want {
		t.Errorf("resourceType = %q, want %q", got, want)
	}
	active := root.Get("active")
	if active.Kind != fhirjson.Bool || active.Text != "true" {
		t.Errorf("active = %v %q, want boolean \"true\"", active.Kind, active.Text)
	}
	name := root.Get("name").Items[0]
	if got, want := name.Str("family"), "O'Brien"; got != want {
		t.Errorf("family = %q, want %q", got, want)
	}
	given := name.Get("given").Items
	if len(given) != 2 || given[0].Text != "Ann" || given[1].Kind != fhirjson.Null {
		t.Errorf("given = %+v, want \"Ann\" and null", given)
	}
	decimal := root.Get("_birthDate").Get("extension").Items[0].Get("valueDecimal")
	if decimal.Kind != fhirjson.Number || decimal.Text != "1.500" {
		t.Errorf("valueDecimal = %v %q, want the literal 1.500", decimal.Kind, decimal.Text)
	}
}

func TestGetAndStrAreSafeOnWhatIsNotThere(t *testing.T) {
	t.Parallel()
	var none *fhirjson.Node
	if got := none.Get("a"); got != nil {
		t.Errorf("Get on nil = %v, want nil", got)
	}
	if got := none.Str("a"); got != "" {
		t.Errorf("Str on nil = %q, want \"\"", got)
	}
	root := mustParse(t, `{"n":1,"s":"x"}`)
	for _, name := range []string{"n", "absent"} {
		if got := root.Str(name); got != "" {
			t.Errorf("Str(%q) = %q, want \"\"", name, got)
		}
	}
	if got := root.Get("s").Get("a"); got != nil {
		t.Errorf("Get on a string = %v, want nil", got)
	}
}

func TestOffsetsDelimitEachValueAsItWasWritten(t *testing.T) {
	t.Parallel()
	root := mustParse(t, patient)
	for path, want := range map[string]string{
		"id":         `"p1"`,
		"active":     `true`,
		"name":       `[{"family": "O\u0027Brien", "given": ["Ann", null]}]`,
		"_birthDate": `{"extension": [{"url": "u", "valueDecimal": 1.500}]}`,
	} {
		n := root.Get(path)
		if got := patient[n.Start:n.End]; got != want {
			t.Errorf("%s is at %s, want %s", path, got, want)
		}
	}
	for _, m := range root.Members {
		if quoted := fmt.Sprintf("%q", m.Name); !strings.HasPrefix(patient[m.NameStart:], quoted) {
			t.Errorf("NameStart of %s points to %.10s", m.Name, patient[m.NameStart:])
		}
	}
	if patient[root.Start:root.End] != patient {
		t.Errorf("root is at [%d:%d], want all %d bytes", root.Start, root.End, len(patient))
	}
}

func TestParseDoesNotReferToItsInput(t *testing.T) {
	t.Parallel()
	data := []byte(`{"a":"text"}`)
	root, err := fhirjson.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	if got := root.Str("a"); got != "text" {
		t.Errorf("after the input was overwritten a = %q, want \"text\"", got)
	}
}

func TestParseKeepsWideAndLargeInputsWhole(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	in.WriteString(`{"items":[`)
	for i := range 3000 {
		fmt.Fprintf(&in, `%s{"n":%d,"inner":[%d,{"s":"v%d"}]}`, strings.Repeat(",", min(i, 1)), i, i, i)
	}
	in.WriteString(`]}`)
	items := mustParse(t, in.String()).Get("items").Items
	if len(items) != 3000 {
		t.Fatalf("%d items, want 3000", len(items))
	}
	for i := range items {
		inner := items[i].Get("inner").Items
		if items[i].Get("n").Text != fmt.Sprint(i) || inner[1].Str("s") != fmt.Sprint("v", i) {
			t.Fatalf("item %d reads %+v", i, items[i])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", fhirjson.MaxDepth)
	for name, c := range map[string]struct {
		in           string
		offset       int
		line, column int
		pointer, msg string
	}{
		"nothing":              {"", 0, 1, 1, "", "the input is empty"},
		"white space":          {" \n", 0, 1, 1, "", "the input is empty"},
		"byte order mark":      {"\uFEFF{}", 0, 1, 1, "", "byte order mark"},
		"UTF-16":               {"\xFF\xFE{\x00}\x00", 0, 1, 1, "", "UTF-16"},
		"FR-CR-05 duplicates":  {"{\"a\":{\"b\":1,\n\"b\":2}}", 13, 2, 1, "/a/b", `the member "b" occurs twice`},
		"escaped duplicates":   {`{"b":1,"\u0062":2}`, 7, 1, 8, "/b", `the member "b" occurs twice`},
		"data after the value": {"{}\n{}", 3, 2, 1, "", "more after the end"},
		"end inside an object": {`{"a":1`, 6, 1, 7, "", "the input ends"},
		"end for a value":      {`{"a":`, 5, 1, 6, "/a", "the input ends"},
		"trailing comma":       {`{"a":[1, ]}`, 7, 1, 8, "/a/1", `a comma stands before the closing ']'`},
		"single quotes":        {`{'a':1}`, 1, 1, 2, "", "double quotes"},
		"comment":              {`{"a":1 /* x */}`, 7, 1, 8, "", "no comments"},
		"bad literal":          {`{"a":[1,{"b":nul}]}`, 13, 1, 14, "/a/1/b", "expected a value, got the word nul; JSON has the words true, false and null"},
		"no JSON":              {"not json", 0, 1, 1, "", "expected a value, got the word not;"},
		"long word":            {strings.Repeat("x", 90), 0, 1, 1, "", "got the word " + strings.Repeat("x", 20) + ";"},
		"end inside a literal": {`[tru`, 4, 1, 5, "/0", "the input ends"},
		"leading zero":         {`[01]`, 1, 1, 2, "/0", "does not begin with 0"},
		"no digit":             {`[-]`, 2, 1, 3, "/0", "expected a digit"},
		"no fraction":          {`1.`, 2, 1, 3, "", "the input ends"},
		"no exponent":          {`[1e+]`, 4, 1, 5, "/0", "a digit of the exponent"},
		"bad escape":           {`"\q"`, 1, 1, 2, "", "no escape has a backslash before 'q'"},
		"bad unicode escape":   {`"\u00g0"`, 1, 1, 2, "", "four hexadecimal digits"},
		"unpaired surrogates":  {`"\ud800\u0041"`, 1, 1, 2, "", "surrogate"},
		"missing colon":        {`{"a~/b" 1}`, 8, 1, 9, "/a~0~1b", "expected ':', got '1'"},
		"missing comma":        {`{"a":1 "b":2}`, 7, 1, 8, "", "expected ',' or '}', got '\"'"},
		"mismatched brackets":  {`[}`, 1, 1, 2, "/0", "expected a value, got '}'"},
		"bare name":            {`{a:1}`, 1, 1, 2, "", "member name in double quotes"},
		"NaN":                  {`[NaN]`, 1, 1, 2, "/0", "expected a value, got the word NaN"},
		"control character":    {"{\"a\":\"x\ny\"}", 7, 1, 8, "/a", "control character"},
		"invalid UTF-8":        {"{\"ä\":\"\xff\"}", 7, 1, 7, "/ä", "not UTF-8"},
		"lone surrogate":       {`"\ud800"`, 1, 1, 2, "", "surrogate"},
		"objects too deep": {strings.Repeat(`{"a":`, fhirjson.MaxDepth+1), 5 * fhirjson.MaxDepth, 1, 5*fhirjson.MaxDepth + 1,
			strings.Repeat("/a", fhirjson.MaxDepth), "more than 200 deep"},
		"too deep": {deep + `[]`, fhirjson.MaxDepth, 1, fhirjson.MaxDepth + 1, strings.Repeat("/0", fhirjson.MaxDepth), "more than 200 deep"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := fhirjson.Parse([]byte(c.in))
			var got *fhirjson.SyntaxError
			if !errors.As(err, &got) {
				t.Fatalf("Parse(%.40q) = %v, want a *SyntaxError", c.in, err)
			}
			if got.Offset != c.offset || got.Line != c.line || got.Column != c.column {
				t.Errorf("at offset %d, line %d, column %d; want %d, %d, %d",
					got.Offset, got.Line, got.Column, c.offset, c.line, c.column)
			}
			if got.Pointer != c.pointer {
				t.Errorf("pointer %q, want %q", got.Pointer, c.pointer)
			}
			if !strings.Contains(got.Error(), c.msg) || len(got.Error()) > 250 {
				t.Errorf("message %q, want it to say %q, and no more than one reads", got, c.msg)
			}
		})
	}
}

func TestParseFindsDuplicatesAmongManyMembers(t *testing.T) {
	t.Parallel()
	for _, size := range []int{31, 32, 33, 34, 500} {
		var in strings.Builder
		for i := range size {
			fmt.Fprintf(&in, `"m%d":0,`, i)
		}
		mustParse(t, "{"+strings.TrimSuffix(in.String(), ",")+"}")
		for _, twice := range []int{0, size / 2, size - 1} {
			_, err := fhirjson.Parse(fmt.Appendf(nil, `{%s"m%d":1}`, in.String(), twice))
			if err == nil {
				t.Errorf("accepted %d members and another m%d", size, twice)
			}
		}
	}
}

func TestParseDecodesEscapes(t *testing.T) {
	t.Parallel()
	root := mustParse(t, `["\"\\\/\b\f\n\r\t", "\u00e9\uD83D\uDE00!", "plain é", "\u0000"]`)
	for i, want := range []string{"\"\\/\b\f\n\r\t", "é😀!", "plain é", "\x00"} {
		if got := root.Items[i].Text; got != want {
			t.Errorf("item %d = %q, want %q", i, got, want)
		}
	}
}

func TestParseAcceptsTheDeepestAllowed(t *testing.T) {
	t.Parallel()
	mustParse(t, strings.Repeat("[", fhirjson.MaxDepth)+strings.Repeat("]", fhirjson.MaxDepth))
	mustParse(t, strings.Repeat(`{"a":`, fhirjson.MaxDepth)+"1"+strings.Repeat("}", fhirjson.MaxDepth))
}

func mustParse(tb testing.TB, in string) *fhirjson.Node {
	tb.Helper()
	root, err := fhirjson.Parse([]byte(in))
	if err != nil {
		tb.Fatalf("Parse: %v", err)
	}
	return root
}
