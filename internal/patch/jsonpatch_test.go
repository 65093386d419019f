package patch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/patch"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A testCase applies a patch. want is the outcome, or with a refusal what its message says.
type testCase struct {
	name, resource, patch, want string
	refused                     int // unfit or malformed; 0 where it is applied
	operation                   int // that is refused
}

// How a patch is refused.
const (
	unfit = iota + 1
	malformed
)

// run applies the case's patch, which parse reads.
func (c testCase) run(t *testing.T, parse func([]byte) (*patch.Patch, error)) {
	t.Helper()
	p, err := parse([]byte(c.patch))
	var got []byte
	if err == nil {
		resource := []byte(c.resource)
		got, err = p.Apply(resource)
		if string(resource) != c.resource {
			t.Errorf("the resource itself became %s", resource)
		}
	}
	if c.refused == 0 {
		if err != nil {
			t.Fatalf("got error %v, want %s", err, c.want)
		}
		if string(got) != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
		return
	}
	var e *patch.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %s and error %v, want a *patch.Error that says %q", got, err, c.want)
	}
	if e.Malformed != (c.refused == malformed) || e.Operation != c.operation || !strings.Contains(e.Error(), c.want) || e.Code == "" {
		t.Errorf("got malformed %t, operation %d, code %q, %q; want malformed %t, operation %d, a code, and %q",
			e.Malformed, e.Operation, e.Code, e.Error(), c.refused == malformed, c.operation, c.want)
	}
}

func TestJSONPatch(t *testing.T) {
	t.Parallel()
	for _, c := range []testCase{
		// The operations, after the examples of RFC 6902, appendix A.
		{name: "add a member", resource: `{"foo":"bar"}`, patch: `[{"op":"add","path":"/baz","value":"qux"}]`, want: `{"foo":"bar","baz":"qux"}`},
		{name: "add instead of a member", resource: `{"a":1,"b":2}`, patch: `[{"op":"add","path":"/a","value":[]}]`, want: `{"a":[],"b":2}`},
		{name: "add an item", resource: `{"foo":["bar","baz"]}`, patch: `[{"op":"add","path":"/foo/1","value":"qux"}]`, want: `{"foo":["bar","qux","baz"]}`},
		{name: "add an item at the end by index", resource: `{"foo":["bar"]}`, patch: `[{"op":"add","path":"/foo/1","value":"qux"}]`, want: `{"foo":["bar","qux"]}`},
		{name: "add an item at the end by -", resource: `{"foo":[]}`, patch: `[{"op":"add","path":"/foo/-","value":{"a":null}}]`, want: `{"foo":[{"a":null}]}`},
		{name: "add null", resource: `{}`, patch: `[{"op":"add","path":"/a","value":null}]`, want: `{"a":null}`},
		{name: "add the whole", resource: `{"a":1}`, patch: `[{"op":"add","path":"","value":{"b":2}}]`, want: `{"b":2}`},
		{name: "add into what was added", resource: `{}`, patch: `[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":[]},{"op":"add","path":"/a/b/0","value":1}]`, want: `{"a":{"b":[1]}}`},
		{name: "remove a member", resource: `{"a":1,"b":2}`, patch: `[{"op":"remove","path":"/a"}]`, want: `{"b":2}`},
		{name: "remove an item", resource: `[1,2,3]`, patch: `[{"op":"remove","path":"/1"}]`, want: `[1,3]`},
		{name: "replace", resource: `{"a":[1,{"b":2}]}`, patch: `[{"op":"replace","path":"/a/1/b","value":"x"}]`, want: `{"a":[1,{"b":"x"}]}`},
		{name: "replace the whole", resource: `{"a":1}`, patch: `[{"op":"replace","path":"","value":[]}]`, want: `[]`},
		{name: "move to another object", resource: `{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}`, patch: `[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]`, want: `{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}`},
		{name: "move an item forward", resource: `["all","grass","cows","eat"]`, patch: `[{"op":"move","from":"/1","path":"/3"}]`, want: `["all","cows","eat","grass"]`},
		{name: "move an item back", resource: `[1,2,3]`, patch: `[{"op":"move","from":"/2","path":"/0"}]`, want: `[3,1,2]`},
		{name: "move to where it is", resource: `{"a":1,"b":2}`, patch: `[{"op":"move","from":"/a","path":"/a"}]`, want: `{"a":1,"b":2}`},
		{name: "copy", resource: `{"a":{"b":[1.0]}}`, patch: `[{"op":"copy","from":"/a/b","path":"/c"}]`, want: `{"a":{"b":[1.0]},"c":[1.0]}`},
		{name: "a copy is another value", resource: `{"a":{"b":1}}`, patch: `[{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/c/d","value":2},{"op":"replace","path":"/a/b","value":3}]`, want: `{"a":{"b":3},"c":{"b":1,"d":2}}`},
		{name: "copy into itself", resource: `{"a":{"b":1}}`, patch: `[{"op":"copy","from":"","path":"/a/c"}]`, want: `{"a":{"b":1,"c":{"a":{"b":1}}}}`},
		{name: "what was added twice is two values", resource: `{}`, patch: `[{"op":"add","path":"/a","value":{"x":1}},{"op":"copy","from":"/a","path":"/b"},{"op":"remove","path":"/a/x"}]`, want: `{"a":{},"b":{"x":1}}`},
		{name: "a member that is empty", resource: `{"":1}`, patch: `[{"op":"replace","path":"/","value":2}]`, want: `{"":2}`},
		{name: "a member by the name of -", resource: `{"-":1}`, patch: `[{"op":"replace","path":"/-","value":2},{"op":"copy","from":"/-","path":"/01"}]`, want: `{"-":2,"01":2}`},
		{name: "copy and move to the whole", resource: `{"a":{"b":[1.0]}}`, patch: `[{"op":"copy","from":"/a","path":""},{"op":"move","from":"/b","path":""},{"op":"move","from":"","path":""}]`, want: `[1.0]`},
		{name: "escapes of a pointer", resource: `{"a/b":1,"m~n":2,"~1":3}`, patch: `[{"op":"remove","path":"/a~1b"},{"op":"replace","path":"/m~0n","value":0},{"op":"remove","path":"/~01"}]`, want: `{"m~n":0}`},
		{name: "names that need escapes", resource: `{}`, patch: `[{"op":"add","path":"/a\"\u0007<é","value":1}]`, want: `{"a\"\u0007<é":1}`},
		{name: "members that no operation takes", resource: `{}`, patch: `[{"op":"add","path":"/a","value":1,"xyz":2,"from":7}]`, want: `{"a":1}`},
		{name: "no operation", resource: ` {"a": 1 } `, patch: ` [ ] `, want: `{"a": 1 }`},

		// test, section 4.6.
		{name: "test a text", resource: `{"a":"\u0041b"}`, patch: `[{"op":"test","path":"/a","value":"Ab"}]`, want: `{"a":"\u0041b"}`},
		{name: "test numbers by value", resource: `[1.00,1e2,0]`, patch: `[{"op":"test","path":"","value":[1,100,-0.0]}]`, want: `[1.00,1e2,0]`},
		{name: "test members in any order", resource: `{"a":{"x":1,"y":[null,true]}}`, patch: `[{"op":"test","path":"/a","value":{"y":[null,true],"x":1}}]`, want: `{"a":{"x":1,"y":[null,true]}}`},
		{name: "test a part of an object", resource: `{"a":{"x":1,"y":2}}`, patch: `[{"op":"test","path":"/a","value":{"x":1}}]`, refused: unfit, want: "not the one"},
		{name: "test items in their order", resource: `{"a":[1,2]}`, patch: `[{"op":"test","path":"/a","value":[2,1]}]`, refused: unfit, want: "not the one"},
		{name: "test kinds", resource: `{"a":"1"}`, patch: `[{"op":"test","path":"/a","value":1}]`, refused: unfit, want: "not the one"},
		{name: "test null against nothing", resource: `{}`, patch: `[{"op":"test","path":"/a","value":null}]`, refused: unfit, want: `no member "a"`},
		{name: "test long numbers", resource: `[12345678901234567890.1]`, patch: `[{"op":"test","path":"/0","value":12345678901234567890.2}]`, refused: unfit, want: "not the one"},
		{name: "a test tells nothing of the value", resource: `{"a":"secret"}`, patch: `[{"op":"test","path":"/a","value":"x"}]`, refused: unfit, want: "operation 0 (test /a): the value is not the one that the test wants"},

		// What a patch does not fit. The operation that fails is named; those before it do not stay.
		{name: "remove nothing", resource: `{"a":1}`, patch: `[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]`, refused: unfit, operation: 1, want: `operation 1 (remove /a): there is no member "a" in the resource`},
		{name: "replace nothing", resource: `{"a":{}}`, patch: `[{"op":"replace","path":"/a/b","value":1}]`, refused: unfit, want: `no member "b" in /a`},
		{name: "add to nothing", resource: `{}`, patch: `[{"op":"add","path":"/a/b","value":1}]`, refused: unfit, want: `no member "a"`},
		{name: "add to a text", resource: `{"a":"x"}`, patch: `[{"op":"add","path":"/a/b","value":1}]`, refused: unfit, want: "/a is a string and takes nothing"},
		{name: "walk through a number", resource: `{"a":1}`, patch: `[{"op":"remove","path":"/a/b"}]`, refused: unfit, want: "/a is a number and holds nothing"},
		{name: "index too large", resource: `[1]`, patch: `[{"op":"add","path":"/2","value":1}]`, refused: unfit, want: "there is no item 2 in the resource, which has 1"},
		{name: "index of no item", resource: `[1]`, patch: `[{"op":"replace","path":"/1","value":1}]`, refused: unfit, want: "no item 1"},
		{name: "- is no item", resource: `[1]`, patch: `[{"op":"remove","path":"/-"}]`, refused: unfit, want: "no item -"},
		{name: "leading 0", resource: `[1,2]`, patch: `[{"op":"remove","path":"/01"}]`, refused: unfit, want: "no index"},
		{name: "sign", resource: `[1,2]`, patch: `[{"op":"remove","path":"/+1"}]`, refused: unfit, want: "no index"},
		{name: "negative index", resource: `[1,2]`, patch: `[{"op":"remove","path":"/-1"}]`, refused: unfit, want: "no index"},
		{name: "exponent", resource: `[1,2]`, patch: `[{"op":"test","path":"/1e0","value":2}]`, refused: unfit, want: "no index"},
		{name: "endless index", resource: `[1,2]`, patch: `[{"op":"remove","path":"/99999999999999999999"}]`, refused: unfit, want: "no item"},
		{name: "name in an array", resource: `{"a":[]}`, patch: `[{"op":"add","path":"/a/b","value":1}]`, refused: unfit, want: `"b" is no index of /a`},
		{name: "empty index", resource: `{"a":[]}`, patch: `[{"op":"add","path":"/a/","value":1}]`, refused: unfit, want: "no index"},
		{name: "move from nothing", resource: `{}`, patch: `[{"op":"move","from":"/a","path":"/b"}]`, refused: unfit, want: "operation 0 (move /a /b)"},
		{name: "move nothing to where it is not", resource: `{}`, patch: `[{"op":"move","from":"/a","path":"/a"}]`, refused: unfit, want: `no member "a"`},
		{name: "copy from nothing", resource: `{}`, patch: `[{"op":"copy","from":"/a","path":"/b"}]`, refused: unfit, want: `no member "a"`},
		{name: "remove the whole", resource: `{}`, patch: `[{"op":"remove","path":""}]`, refused: unfit, want: "cannot be removed"},

		// What is no patch.
		{name: "an object", patch: `{"op":"add","path":"/a","value":1}`, refused: malformed, operation: -1, want: "array of operations"},
		{name: "a FHIRPath Patch", patch: `{"resourceType":"Parameters"}`, refused: malformed, operation: -1, want: "application/fhir+json"},
		{name: "an operation that is none", patch: `[{"op":"test","path":"","value":{}},7]`, refused: malformed, operation: 1, want: "operation 1 (none): an operation is a JSON object"},
		{name: "no op", patch: `[{"path":"/a"}]`, refused: malformed, want: "has no op"},
		{name: "unknown op", patch: `[{"op":"Add","path":"/a","value":1}]`, refused: malformed, want: `op is "Add"`},
		{name: "no path", patch: `[{"op":"remove"}]`, refused: malformed, want: "has no path"},
		{name: "path of another kind", patch: `[{"op":"remove","path":null}]`, refused: malformed, want: "path is a JSON null"},
		{name: "path that is no pointer", patch: `[{"op":"remove","path":"a"}]`, refused: malformed, want: "no JSON Pointer"},
		{name: "path as a fragment", patch: `[{"op":"remove","path":"#/a"}]`, refused: malformed, want: "no JSON Pointer"},
		{name: "bad escape", patch: `[{"op":"remove","path":"/a~2"}]`, refused: malformed, want: "behind ~ stands 0 or 1"},
		{name: "bad escape at the end", patch: `[{"op":"remove","path":"/a~"}]`, refused: malformed, want: "behind ~ stands 0 or 1"},
		{name: "no value", patch: `[{"op":"add","path":"/a"}]`, refused: malformed, want: "add needs a value"},
		{name: "no from", patch: `[{"op":"move","path":"/a"}]`, refused: malformed, want: "has no from"},
		{name: "move into itself", patch: `[{"op":"move","from":"/a","path":"/a/b"}]`, refused: malformed, want: "into itself"},
		{name: "move the whole into itself", patch: `[{"op":"move","from":"","path":"/a"}]`, refused: malformed, want: "into itself"},
	} {
		t.Run("FR-PA-01 FR-PA-03 FR-PA-07 "+c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, patch.ParseJSON)
		})
	}
}

// TestSyntaxErrors are refused where they are.
func TestSyntaxErrors(t *testing.T) {
	t.Parallel()
	var syntax *fhirjson.SyntaxError
	for _, text := range []string{"", "[", `[{"op":"add","op":"test"}]`, "\xff"} {
		if _, err := patch.ParseJSON([]byte(text)); !errors.As(err, &syntax) {
			t.Errorf("FR-PA-03 ParseJSON(%q) = %v, want a *fhirjson.SyntaxError", text, err)
		}
		if _, err := patch.ParseParameters([]byte(text), r4.Definitions()); !errors.As(err, &syntax) {
			t.Errorf("FR-PA-03 ParseParameters(%q) = %v, want a *fhirjson.SyntaxError", text, err)
		}
	}
	p, err := patch.ParseJSON([]byte("[]"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Apply([]byte("{")); !errors.As(err, &syntax) {
		t.Errorf("Apply to what is no JSON: got %v, want a *fhirjson.SyntaxError", err)
	}
}

// TestBytesStay: what is not touched is what it was, and what is brought is what it was.
func TestBytesStay(t *testing.T) {
	t.Parallel()
	const resource = `{"resourceType":"Observation","z":1.00,"\u0061b":"\u0041\/é<>&","n":{"e":1E+2,"d":0.10,"long":12345678901234567890.123456789},"valueQuantity":{"value":1.500},"l":[1.0,{"k":-0.0},[2.50]],"a":true}`
	for _, c := range []testCase{
		{name: "beside", patch: `[{"op":"add","path":"/n/new","value":{"v":7.00,"s":"\u0042\/"}},{"op":"replace","path":"/l/1/k","value":9.90}]`,
			want: `{"resourceType":"Observation","z":1.00,"\u0061b":"\u0041\/é<>&","n":{"e":1E+2,"d":0.10,"long":12345678901234567890.123456789,"new":{"v":7.00,"s":"\u0042\/"}},"valueQuantity":{"value":1.500},"l":[1.0,{"k":9.90},[2.50]],"a":true}`},
		{name: "moved and copied", patch: `[{"op":"move","from":"/n","path":"/l/0"},{"op":"copy","from":"/l/0/e","path":"/c"},{"op":"remove","path":"/z"}]`,
			want: `{"resourceType":"Observation","\u0061b":"\u0041\/é<>&","valueQuantity":{"value":1.500},"l":[{"e":1E+2,"d":0.10,"long":12345678901234567890.123456789},1.0,{"k":-0.0},[2.50]],"a":true,"c":1E+2}`},
		{name: "name with an escape", patch: `[{"op":"replace","path":"/ab","value":"x"}]`,
			want: `{"resourceType":"Observation","z":1.00,"\u0061b":"x","n":{"e":1E+2,"d":0.10,"long":12345678901234567890.123456789},"valueQuantity":{"value":1.500},"l":[1.0,{"k":-0.0},[2.50]],"a":true}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.resource = resource
			c.run(t, patch.ParseJSON)
		})
	}
	t.Run("FHIRPath Patch", func(t *testing.T) {
		t.Parallel()
		c := testCase{resource: resource, patch: parameters(`{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Observation.value.value"},{"name":"value","valueDecimal":2.50}`),
			want: strings.Replace(resource, "1.500", "2.50", 1)}
		c.run(t, parseParameters)
	})
}

// TestLimits: a small patch does not become much work.
func TestLimits(t *testing.T) {
	t.Parallel()
	doubling := `{"op":"copy","from":"/a","path":"/a/-"}`
	deep := strings.Repeat("[", 150) + strings.Repeat("]", 150)
	for _, c := range []struct{ name, resource, patch, code string }{
		{"doubling", `{"a":[1]}`, "[" + strings.Repeat(doubling+",", 40) + doubling + "]", ""},
		{"copies of a long text", `{"a":["` + strings.Repeat("x", 1<<20) + `"]}`, "[" + strings.Repeat(`{"op":"copy","from":"/a/0","path":"/a/-"},`, 50) + doubling + "]", "too-long"},
		{"copies that do not stay", `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, "[" + strings.Repeat(`{"op":"copy","from":"/a","path":"/b"},{"op":"remove","path":"/b"},`, 40) + doubling + "]", "too-long"},
		{"an outcome too long to be sent", `{"a":"` + strings.Repeat("x", 17<<20) + `"}`, `[{"op":"add","path":"/b","value":"` + strings.Repeat("x", 17<<20) + `"}]`, "too-long"},
		{"nesting", `{"a":` + deep + `}`, `[{"op":"add","path":"/a` + strings.Repeat("/0", 100) + `","value":` + deep + `}]`, "processing"},
		{"nesting by copies", `{"a":[[1]]}`, `[` + strings.Repeat(`{"op":"copy","from":"/a","path":"/a/0/0"},`, 300) + doubling + `]`, ""},
		{"many members looked through", `{` + members(5000) + `"z":1}`, `[` + strings.Repeat(`{"op":"test","path":"/z","value":1},`, 10_000) + doubling + `]`, "too-costly"},
		{"many items pushed on", `{"a":[` + strings.Repeat("1,", 5000) + `1]}`, `[` + strings.Repeat(`{"op":"add","path":"/a/0","value":1},`, 10_000) + doubling + `]`, "too-costly"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := patch.ParseJSON([]byte(c.patch))
			if err != nil {
				t.Fatal(err)
			}
			out, err := p.Apply([]byte(c.resource))
			var e *patch.Error
			if !errors.As(err, &e) || e.Malformed || c.code != "" && e.Code != c.code {
				t.Errorf("got %d bytes and %v, want a refusal of code %q", len(out), err, c.code)
			}
		})
	}
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"m%d":0,`, i)
	}
	return b.String()
}

func TestMessagesStayShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 100_000)
	for _, text := range []string{
		`[{"op":"` + long + `","path":"/a"}]`, `[{"op":"remove","path":"/` + long + `"}]`, `[{"op":"remove","path":"` + long + `"}]`,
	} {
		p, err := patch.ParseJSON([]byte(text))
		if err == nil {
			_, err = p.Apply([]byte("{}"))
		}
		if err == nil || len(err.Error()) > 1000 {
			t.Errorf("got a message of %d bytes: %.100v", len(fmt.Sprint(err)), err)
		}
	}
}
