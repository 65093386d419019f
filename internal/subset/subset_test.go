package subset_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/subset"
)

const mark = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}`

const observation = `{"resourceType":"Observation","id":"o","meta":{"versionId":"3","tag":[{"code":"x"}]},"text":{"status":"generated","div":"<div>x</div>"},` +
	`"status":"final","category":[{"text":"c"}],"code":{"text":"BP"},"subject":{"reference":"Patient/a"},"_issued":{"extension":[{"url":"urn:e","valueString":"x"}]},` +
	`"valueQuantity":{"value":1.00,"unit":"x"},"note":[{"text":"n"}],"component":[{"code":{"text":"S"},"valueQuantity":{"value":120.0},"referenceRange":[{"text":"r"}]}],"unknown":1}`

func TestOf(t *testing.T) {
	t.Parallel()
	head := `{"resourceType":"Observation","id":"o","meta":{"versionId":"3","tag":[{"code":"x"},` + mark + `]}`
	for _, c := range []struct {
		name      string
		selection subset.Selection
		want      string
	}{
		{"FR-RC-10 all", subset.Selection{}, observation},
		{"FR-RC-10 _summary=true", subset.Selection{Summary: "true"}, head +
			`,"status":"final","code":{"text":"BP"},"subject":{"reference":"Patient/a"},"_issued":{"extension":[{"url":"urn:e","valueString":"x"}]},"valueQuantity":{"value":1.00,"unit":"x"},"component":[{"code":{"text":"S"},"valueQuantity":{"value":120.0}}]}`},
		{"FR-RC-10 _summary=text", subset.Selection{Summary: "text"}, head + `,"text":{"status":"generated","div":"<div>x</div>"},"status":"final","code":{"text":"BP"}}`},
		{"FR-RC-10 _summary=data", subset.Selection{Summary: "data"}, head + strings.Replace(observation[strings.Index(observation, `,"status"`):], "", "", 1)},
		{"FR-RC-10 _elements keeps what is mandatory", subset.Selection{Elements: []string{"subject"}}, head + `,"status":"final","code":{"text":"BP"},"subject":{"reference":"Patient/a"}}`},
		{"FR-RC-10 _elements of a choice", subset.Selection{Elements: []string{"value"}}, head + `,"status":"final","code":{"text":"BP"},"valueQuantity":{"value":1.00,"unit":"x"}}`},
		{"FR-RC-10 _elements of a choice by its type", subset.Selection{Elements: []string{"valueQuantity"}}, head + `,"status":"final","code":{"text":"BP"},"valueQuantity":{"value":1.00,"unit":"x"}}`},
		{"FR-RC-10 _elements with its extensions", subset.Selection{Elements: []string{"issued"}}, head + `,"status":"final","code":{"text":"BP"},"_issued":{"extension":[{"url":"urn:e","valueString":"x"}]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := subset.Of(r4.Definitions(), []byte(observation), c.selection)
			if err != nil || string(got) != c.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
			}
			if !json.Valid(got) {
				t.Error("that is no JSON")
			}
		})
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ resource, want string }{
		"no meta":                {`{"resourceType":"Patient","id":"a","active":true}`, `{"resourceType":"Patient","id":"a","meta":{"tag":[` + mark + `]},"active":true}`},
		"nothing else":           {`{"resourceType":"Patient","id":"a"}`, `{"resourceType":"Patient","id":"a","meta":{"tag":[` + mark + `]}}`},
		"empty meta":             {`{"resourceType":"Patient","meta":{}}`, `{"resourceType":"Patient","meta":{"tag":[` + mark + `]}}`},
		"a tag that is no array": {`{"resourceType":"Patient","meta":{"tag":{"code":"x"},"source":"y"}}`, `{"resourceType":"Patient","meta":{"tag":[` + mark + `],"source":"y"}}`},
		"an empty tag":           {`{"resourceType":"Patient","meta":{"tag":[],"source":"y"}}`, `{"resourceType":"Patient","meta":{"tag":[` + mark + `],"source":"y"}}`},
		"no tag":                 {`{"resourceType":"Patient","meta":{"source":"x"}}`, `{"resourceType":"Patient","meta":{"source":"x","tag":[` + mark + `]}}`},
		"marked already":         {`{"resourceType":"Patient","meta":{"tag":[{"code":"SUBSETTED"}]}}`, `{"resourceType":"Patient","meta":{"tag":[{"code":"SUBSETTED"}]}}`},
		"a tag in spaces":        {`{"resourceType":"Patient","meta":{"tag":[ {"code":"x"} ],"source":"y"}}`, `{"resourceType":"Patient","meta":{"tag":[ {"code":"x"} ,` + mark + `],"source":"y"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := subset.Of(r4.Definitions(), []byte(c.resource), subset.Selection{Elements: []string{"active"}})
			if err != nil || string(got) != c.want || !json.Valid(got) {
				t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestParseElements(t *testing.T) {
	t.Parallel()
	names, unknown := subset.ParseElements(r4.Definitions(), "Patient", "id, name,Patient.gender,Observation.code,deceased,deceasedBoolean,nome")
	if !slices.Equal(names, []string{"id", "name", "gender", "deceased", "deceasedBoolean"}) || !slices.Equal(unknown, []string{"nome"}) {
		t.Errorf("got %v and %v", names, unknown)
	}
}
