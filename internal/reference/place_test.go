package reference_test

import (
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/reference"
)

const urn = "urn:uuid:0a000000-0000-4000-8000-000000000001"

func TestEdits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in    string
		kinds string // of the places with the urn, R or U
	}{
		"FR-BT-07 reference":             {`"subject":{"reference":"URN"}`, "R"},
		"FR-BT-07 nested and repeated":   {`"a":[{"b":[{"reference":"URN"},{"reference":"x"},{"reference":"URN"}]}]`, "RR"},
		"FR-BT-07 contained":             {`"contained":[{"resourceType":"Basic","subject":{"reference":"URN"}}]`, "R"},
		"FR-BT-07 uri and url":           {`"extension":[{"url":"http://x","valueUri":"URN"},{"url":"http://x","valueUrl":"URN"}]`, "UU"},
		"FR-BT-07 of unknown elements":   {`"a":{"valueUri":"URN","valueUrl":"URN","url":"URN","uri":"URN"}`, "UUUU"},
		"FR-BT-07 no uuid or oid":        {`"extension":[{"url":"http://x","valueUuid":"URN"},{"url":"http://x","valueOid":"URN"},{"url":"URN"}]`, ""},
		"FR-BT-07 link":                  {`"text":{"div":"<div><a href=\"URN\">x</a></div>"}`, "U"},
		"FR-BT-07 image":                 {`"text":{"div":"<div><img alt='x' src='URN'/></div>"}`, "U"},
		"FR-BT-07 link with a fragment":  {`"text":{"div":"<div><a href=\"URN#part\">x</a></div>"}`, "U"},
		"FR-BT-07 escaped quotation":     {`"text":{"div":"<div><a\u0020href\u003d\u0022x\u0022/><a href=\u0022URN\u0022>x</a></div>"}`, "U"},
		"FR-BT-07 white space":           {`"text":{"div":"<div><a\nhref\n = \t\"URN\">x</a></div>"}`, "U"},
		"FR-BT-07 characters before":     {`"text":{"div":"<div>ä\u00e4\ud83d\ude00\n<a title=\"<\" href=\"URN\">x</a></div>"}`, "U"},
		"FR-BT-07 escaped slashes":       {`"text":{"div":"<div><br\/><a href=\"URN\">x<\/a></div>"}`, "U"},
		"FR-BT-07 several links":         {`"text":{"div":"<a href=\"URN\"/><a href=\"other\"/><a href=\"URN\"/>"}`, "UU"},
		"FR-BT-07 no canonical":          {`"instantiatesCanonical":["URN"]`, ""},
		"FR-BT-07 no canonical name":     {`"url":"URN"`, ""},
		"FR-BT-07 no name of a system":   {`"identifier":[{"system":"URN","value":"URN"}]`, ""},
		"FR-BT-07 no text of narratives": {`"text":{"div":"<div>URN href URN</div>"}`, ""},
		"FR-BT-07 no other attribute":    {`"text":{"div":"<div data-href=\"URN\" title=\"URN\"></div>"}`, ""},
		"FR-BT-07 no attribute in text":  {`"text":{"div":"<p title=\"a href='URN'\"> href=\"URN\"</p>"}`, ""},
		"FR-BT-07 nothing in a Bundle":   {`"contained":[{"resourceType":"Bundle","entry":[{"fullUrl":"URN","resource":{"resourceType":"Basic","subject":{"reference":"URN"}}}]}]`, ""},
		"FR-BT-07 no name that has it":   {`"reference":{"display":"URN"},"preference":"URN"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := `{"resourceType":"Basic",` + strings.ReplaceAll(c.in, "URN", urn) + `}`
			kinds := ""
			root, err := fhirjson.Parse([]byte(in))
			if err != nil {
				t.Fatal(err)
			}
			edits := reference.Edits(root, []byte(in), func(kind reference.Kind, text string, at int) string {
				if text != urn {
					return ""
				}
				if kind == reference.Reference && !strings.HasPrefix(in[at:], `"`+urn) {
					t.Errorf("at %d is %q", at, in[at:])
				}
				kinds += map[reference.Kind]string{reference.Reference: "R", reference.URI: "U"}[kind]
				return "Patient/1"
			})
			if kinds != c.kinds {
				t.Errorf("asked for %q, want %q", kinds, c.kinds)
			}
			want := in
			if c.kinds != "" {
				want = strings.ReplaceAll(in, urn, "Patient/1")
			}
			if got := string(reference.Apply([]byte(in), 0, len(in), edits)); got != want {
				t.Errorf("became\n%s, want\n%s", got, want)
			}
		})
	}
}

func TestApplyToAPart(t *testing.T) {
	t.Parallel()
	data := []byte("abcdef")
	if got := string(reference.Apply(data, 1, 5, []reference.Edit{{1, 2, "X"}, {4, 4, "Y"}})); got != "XcdYe" {
		t.Errorf("got %q, want XcdYe", got)
	}
	if got := string(reference.Apply(data, 1, 5, nil)); got != "bcde" || string(data) != "abcdef" {
		t.Errorf("got %q of %q", got, data)
	}
}

// TestEditsByType is about elements whose type does not show in their names.
func TestEditsByType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"resourceType":"MessageHeader","source":{"endpoint":"URN"},"destination":[{"endpoint":"URN"}]}`:                                                          "UU",
		`{"resourceType":"Provenance","policy":["URN"],"target":[{"reference":"URN"}]}`:                                                                            "UR",
		`{"resourceType":"Endpoint","address":"URN"}`:                                                                                                              "U",
		`{"resourceType":"ValueSet","url":"URN","compose":{"include":[{"system":"URN"}]}}`:                                                                         "U",
		`{"resourceType":"Observation","code":{"coding":[{"system":"URN"}]},"valueQuantity":{"system":"URN"}}`:                                                     "",
		`{"resourceType":"ImplementationGuide","dependsOn":[{"uri":"URN"}],"definition":{"resource":[{"reference":{"reference":"URN"}}]}}`:                         "R",
		`{"resourceType":"Parameters","parameter":[{"name":"x","resource":{"resourceType":"Basic","subject":{"reference":"URN"}}},{"name":"y","valueUri":"URN"}]}`: "RU",
	} {
		in = strings.ReplaceAll(in, "URN", urn)
		root, err := fhirjson.Parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		reference.Edits(root, []byte(in), func(kind reference.Kind, text string, _ int) string {
			if text == urn {
				got += map[reference.Kind]string{reference.Reference: "R", reference.URI: "U"}[kind]
			}
			return ""
		})
		if got != want {
			t.Errorf("%s: asked for %q, want %q", in, got, want)
		}
	}
}
