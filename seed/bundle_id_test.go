package seed_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// FR-BT-07, FR-CR-01: what a server is to create gets an id, the same one in every load.
func TestBundleAssignsIDs(t *testing.T) {
	t.Parallel()
	const (
		patient = `{"resource": {"resourceType":"Patient", "active":true},"request":{"method":"POST","url":"Patient"}}`
		other   = `{"resource":{"resourceType":"Patient","active":false},"request":{"method":"POST","url":"Patient"}}`
		update  = `{"resource":{"resourceType":"Patient","gender":"other"},"request":{"method":"PUT","url":"Patient?identifier=7"}}`
	)
	form := regexp.MustCompile(`^Patient/[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	ids := func(entries ...string) []string {
		got := load(t, seed.LoadOptions{}, write(t, t.TempDir(), "b.json", bundle("transaction", entries...)))
		if got.err != nil {
			t.Fatal(got.err)
		}
		for _, key := range got.order {
			if _, id, _ := strings.Cut(key, "/"); !form.MatchString(key) || !strings.HasPrefix(got.json(key), `{"resourceType":"Patient","id":"`+id+`",`) {
				t.Errorf("got %s with %s, want a UUID that the resource has", key, got.json(key))
			}
		}
		return got.order
	}
	first := ids(patient, other, patient, update)
	all := slices.Clone(first)
	slices.Sort(all)
	if len(slices.Compact(all)) != 4 {
		t.Errorf("got %q, want four ids", first)
	}
	if again := ids(patient, other, patient, update); !slices.Equal(again, first) {
		t.Errorf("got %q and then %q, want the same", first, again)
	}
	compact := strings.ReplaceAll(patient, " ", "")
	if moved := ids(update, compact, other); !slices.Equal(moved, []string{first[3], first[0], first[1]}) {
		t.Errorf("got %q and then %q in another order, want the same ids", first, moved)
	}
}

func TestBundleIDsAreOneLoads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := bundle("batch", `{"resource":{"resourceType":"Basic"},"request":{"method":"POST","url":"Basic"}}`)
	write(t, dir, "a.json", one)
	write(t, dir, "b.json", one)
	if got := load(t, seed.LoadOptions{}, dir); got.err != nil || len(got.order) != 2 {
		t.Errorf("got %q and %v, want two resources to be created", got.order, got.err)
	}
}

// FR-BT-07: a fullUrl that is the resource's own URL ends in its id.
func TestBundleIDOfALiteralFullURL(t *testing.T) {
	t.Parallel()
	for fullURL, want := range map[string]string{
		"http://example.org/fhir/Patient/p77":            "p77",
		"https://example.org/Patient/p77":                "p77",
		"Patient/p77":                                    "p77",
		"http://example.org/fhir/Organization/p77":       "",
		"http://example.org/fhir/MyPatient/p77":          "",
		"http://example.org/fhir/Patient/p_77":           "",
		"http://example.org/fhir/Patient/p77/_history/1": "",
		"http://example.org/fhir/Patient/":               "",
		"p77":                                            "",
	} {
		t.Run(fullURL, func(t *testing.T) {
			t.Parallel()
			got := load(t, seed.LoadOptions{KeepGoing: true}, write(t, t.TempDir(), "b.json", bundle("collection",
				`{"fullUrl":"`+fullURL+`","resource":{"resourceType":"Patient","active":true}}`,
				`{"resource":{"resourceType":"Basic","id":"b","subject":{"reference":"`+fullURL+`"}}}`)))
			if want == "" {
				if !slices.Equal(got.order, []string{"Basic/b"}) || got.report.Bad != 1 || !strings.HasSuffix(got.report.Problems[0].Error(), "Patient has no id") {
					t.Errorf("got %q and %+v, want the Patient refused", got.order, got.report)
				}
				return
			}
			if got.json("Patient/"+want) != `{"resourceType":"Patient","id":"`+want+`","active":true}` || !strings.Contains(got.json("Basic/b"), `"reference":"Patient/`+want+`"`) {
				t.Errorf("got %q: %s, %s", got.order, got.json("Patient/"+want), got.json("Basic/b"))
			}
		})
	}
}

// FR-BT-07: the links of a narrative become literal ones like references.
func TestBundleNarrativeLinks(t *testing.T) {
	t.Parallel()
	const uuid = "urn:uuid:0a000000-0000-4000-8000-000000000001"
	for name, c := range map[string]struct{ div, want string }{
		"link":               {`<a href=\"` + uuid + `\">x</a>`, `<a href=\"Patient/a\">x</a>`},
		"image":              {`<img alt='' src='` + uuid + `'/>`, `<img alt='' src='Patient/a'/>`},
		"spaces":             {`<a\nhref = \"` + uuid + `\">x</a>`, `<a\nhref = \"Patient/a\">x</a>`},
		"escaped":            {`\u003ca href=\u0022` + uuid + `\u0022\u003ex`, `\u003ca href=\u0022Patient/a\u0022\u003ex`},
		"two":                {`<a href=\"` + uuid + `\"/><a href=\"urn:oid:1.2\"/>`, `<a href=\"Patient/a\"/><a href=\"Basic/b\"/>`},
		"no entry":           {`<a href=\"urn:uuid:0\">x</a>`, `<a href=\"urn:uuid:0\">x</a>`},
		"longer than one":    {`<a href=\"` + uuid + `0\">x</a>`, `<a href=\"` + uuid + `0\">x</a>`},
		"text":               {`see ` + uuid, `see ` + uuid},
		"text in quotes":     {`see '` + uuid + `'`, `see '` + uuid + `'`},
		"another attribute":  {`<a title=\"` + uuid + `\">x</a>`, `<a title=\"` + uuid + `\">x</a>`},
		"text at the end":    {`= ` + uuid, `= ` + uuid},
		"backslash at a urn": {`<a href=\"urn:\\uuid\">x</a>`, `<a href=\"urn:\\uuid\">x</a>`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resource := func(div string) string {
				return `{"resourceType":"Basic","id":"b","text":{"status":"generated","div":"<div>` + div + `</div>"},"subject":{"reference":"%"}}`
			}
			got := load(t, seed.LoadOptions{}, write(t, t.TempDir(), "b.json", bundle("transaction",
				`{"fullUrl":"`+uuid+`","resource":{"resourceType":"Patient","id":"a"},"request":{"method":"POST","url":"Patient"}}`,
				`{"fullUrl":"urn:oid:1.2","resource":`+strings.Replace(resource(c.div), "%", uuid, 1)+`,"request":{"method":"POST","url":"Basic"}}`)))
			if want := strings.Replace(resource(c.want), "%", "Patient/a", 1); got.json("Basic/b") != want {
				t.Errorf("got\n%s, want\n%s", got.json("Basic/b"), want)
			}
		})
	}
}
