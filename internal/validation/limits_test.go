package validation_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/validation"
)

// many repeats a member or item n times, with its number where there is a %d.
func many(format string, n int) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(items, ",")
}

func TestErrorsAreBounded(t *testing.T) {
	t.Parallel()
	for name, resource := range map[string]string{
		"unknown elements": patient(many(`"x%d":1`, 500)),
		"bad values":       patient(`"name":[` + many(`{"family":%d}`, 500) + `]`),
		"missing elements": patient(`"link":[` + many(`{"id":"a%d"}`, 500) + `]`),
		"bad references":   observation(`"performer":[` + many(`{"reference":"#a%d"}`, 500) + `]`),
		"dom-3":            observation(`"contained":[` + many(`{"resourceType":"Patient","id":"a%d"}`, 500) + `]`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := validation.R4().Validate([]byte(resource), validation.Options{ErrorsOnly: true})
			if len(got) != validation.MaxErrors+1 {
				t.Fatalf("got %d issues, want %d and one that says so", len(got), validation.MaxErrors)
			}
			if last := got[len(got)-1]; last.Severity != validation.Information || !strings.Contains(last.Message, "100 errors") {
				t.Errorf("got %s last, want that there are more", show(got[len(got)-1:]))
			}
		})
	}
	warned := patient(`"identifier":[` + many(`{"system":"a","value":"%d"}`, 500) + `],"gender":"x"`)
	got := validation.R4().Validate([]byte(warned), validation.Options{})
	errors := slices.IndexFunc(got, func(i validation.Issue) bool { return i.Severity == validation.Error })
	if len(got) != validation.MaxErrors+1 || errors < 0 {
		t.Errorf("got %d issues, want %d warnings and the error behind them", len(got), validation.MaxErrors)
	}
}

// TestInvariantsAreBounded has invariants look at the same values again and again.
func TestInvariantsAreBounded(t *testing.T) {
	t.Parallel()
	n := 1500
	for name, resource := range map[string]string{
		"obs-7 compares each component with every coding": `{"resourceType":"Observation","status":"final","valueString":"x","code":{"coding":[` + many(`{"code":"c%d"}`, n) + `]},"component":[` + many(`{"code":{"coding":[{"code":"d%d"}]}}`, n) + `]}`,
		"sdf-8 looks up the first element for each": `{"resourceType":"StructureDefinition","url":"http://a.example","name":"X","status":"draft","kind":"resource","abstract":false,"type":"Patient","baseDefinition":"http://b.example","derivation":"constraint","snapshot":{"element":[{"id":"a","path":"Patient","definition":"x","min":0,"max":"1","base":{"path":"a.b","min":0,"max":"1"}},` +
			many(`{"id":"a%d","path":"Patient.x","definition":"x","min":0,"max":"1","base":{"path":"a.b","min":0,"max":"1"}}`, n) + `]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := validation.R4().Validate([]byte(resource), validation.Options{})
			given := slices.DeleteFunc(slices.Clone(got), func(i validation.Issue) bool { return i.Code != "too-costly" })
			if len(given) != 1 || given[0].Severity != validation.Warning {
				t.Errorf("got %s, want one warning that it was given up", show(got))
			}
		})
	}
}

func TestDepthIsBounded(t *testing.T) {
	t.Parallel()
	for depth, want := range map[int]string{30: "", 120: "nested more than 200 deep"} {
		item := `{"linkId":"x","type":"display"}`
		for i := range depth {
			item = fmt.Sprintf(`{"linkId":"%d","type":"group","item":[%s]}`, i, item)
		}
		got := judge(`{"resourceType":"Questionnaire","status":"draft","item":[` + item + `]}`)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0].Message, want)) {
			t.Errorf("%d deep: got %s, want %q", depth, show(got), want)
		}
	}
}

// TestConcurrentUse has many use a validator that has met no type yet.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	v := validation.New(r4.Definitions())
	in := []byte(observation(`"subject":{"reference":"Practitioner/1"},"valueQuantity":{"value":"1","code":"x"},"contained":[{"resourceType":"Patient","id":"p"}]`))
	want := show(validation.R4().Validate(in, validation.Options{}))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				if got := show(v.Validate(in, validation.Options{})); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzValidate holds what is true of every input: nothing panics or runs away, every issue has a
// place in the text, an expression that FHIRPath can read and a message, and white space between
// tokens makes no difference.
func FuzzValidate(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `[`, patient(`"name":[{"given":["a",null],"_given":[null,{"id":"x"}]}]`),
		observation(`"contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"},"valueQuantity":{"value":1.10,"code":"x"}`),
		`{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Basic"},"request":{"method":"POST","url":"Basic"}}]}`,
		`{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"1","type":"x","enableWhen":[{"operator":"exists"}]}]}]}`,
		`{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'><p id='a'>&amp;<br/></p></div>"},"extension":[{"url":"x"}]}`,
		`{"resourceType":"StructureDefinition","snapshot":{"element":[{"path":"a.b","max":"x","type":[{"code":"x"}]}]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		issues := validation.R4().Validate(data, validation.Options{})
		if len(issues) > 2*validation.MaxErrors+1 {
			t.Fatalf("%d issues", len(issues))
		}
		for _, i := range issues {
			if i.Line < 1 || i.Column < 1 || i.Line > 1+strings.Count(string(data), "\n") || i.Code == "" || i.Message == "" {
				t.Fatalf("an incomplete issue: %+v", i)
			}
			if i.Expression != "" {
				if _, err := fhirpath.Compile(i.Expression); err != nil {
					t.Fatalf("%+v: %v", i, err)
				}
			}
		}
		root, err := fhirjson.Parse(data)
		if err != nil {
			return
		}
		compact := fhirjson.Compact(nil, data)
		again := validation.R4().Validate(compact, validation.Options{})
		for i := range issues {
			if len(again) != len(issues) || again[i].Message != issues[i].Message {
				t.Fatalf("without white space: %s\nwith it: %s", show(again), show(issues))
			}
		}
		admitted := validation.R4().Admit(root, data) == nil
		if fit := len(validation.R4().Check(root, data, validation.Options{Incoming: true, ErrorsOnly: true})) == 0; admitted != fit {
			t.Fatalf("Admit and Check differ on %s", data)
		}
	})
}
