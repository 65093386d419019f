package validation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/validation"
	"github.com/sandfhir/sandfhir/seed"
)

// TestPopulationIsValid judges the sample population: what it lacks is narrative.
func TestPopulationIsValid(t *testing.T) {
	t.Parallel()
	err := seed.Population{Seed: 1, Patients: 30}.Generate(context.Background(), func(r seed.Resource) error {
		for _, i := range validation.R4().Validate(r.JSON, validation.Options{}) {
			if !strings.Contains(i.Message, "dom-6") {
				return fmt.Errorf("%s/%s: %s", r.Type, r.ID, show([]validation.Issue{i}))
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestEveryElementOfEveryType writes resources of all types with all of their elements, choices in
// one type after the other, and judges them: only invariants may be broken, and none may fail to be
// decided. Then it takes away one required element of each, which has to be missed.
func TestEveryElementOfEveryType(t *testing.T) {
	t.Parallel()
	for _, typ := range r4.Definitions().Types() {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			for turn := range 10 {
				whole := author{turn: turn}.object(typ, 0)
				whole["resourceType"] = typ
				for _, i := range validation.R4().Validate([]byte(text(t, whole)), validation.Options{}) {
					if i.Code != "invariant" {
						t.Fatalf("%s\nof %.2000s", show([]validation.Issue{i}), text(t, whole))
					}
				}
			}
			for _, e := range r4.Definitions().Elements(typ) {
				if e.Min == 0 {
					continue
				}
				part := author{least: true}.object(typ, 0)
				part["resourceType"] = typ
				for name := range part {
					if strings.HasPrefix(name, e.Name) {
						delete(part, name)
					}
				}
				if got := judge(text(t, part)); len(got) == 0 || got[0].Code != "required" || got[0].Expression != typ || !strings.Contains(got[0].Message, "has no "+e.Name) {
					t.Errorf("without %s: got %s", e.Path, show(got))
				}
			}
		})
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// An author makes up values by the definitions.
type author struct {
	turn  int  // which of a choice's types to take
	least bool // only what is required
}

// object makes up an object of a type. Deep ones have only what they need.
func (a author) object(typ string, depth int) map[string]any {
	const deep = 3
	members := map[string]any{}
	for _, e := range r4.Definitions().Elements(typ) {
		if e.Min == 0 && (a.least || depth >= deep || e.Name == "contained" || e.Name == "extension" && typ == "Extension") {
			continue
		}
		name, t := e.Name, e.Types[0]
		if e.Choice {
			t = e.Types[a.turn%len(e.Types)]
			name += strings.ToUpper(t[:1]) + t[1:]
		}
		value := a.value(e, t, depth)
		if e.Max != 1 {
			value = []any{value}
		}
		members[name] = value
	}
	if len(members) == 0 { // as of a CodeableConcept
		members["extension"] = []any{map[string]any{"url": "http://a.example", "valueString": "x"}}
	}
	return members
}

func (a author) value(e r4.ElementDef, typ string, depth int) any {
	codes, _ := r4.Definitions().Codes(e.Binding)
	switch typ {
	case "boolean":
		return true
	case "decimal", "integer", "positiveInt", "unsignedInt":
		return json.Number("1")
	case "date", "dateTime":
		return "2020-01-01"
	case "instant":
		return "2020-01-01T00:00:00Z"
	case "time":
		return "10:00:00"
	case "base64Binary":
		return "TWFu"
	case "xhtml":
		return `<div xmlns="http://www.w3.org/1999/xhtml">x</div>`
	case "code":
		switch {
		case len(codes) > 0:
			return codes[0].Code
		case e.Name == "contentType":
			return "text/plain"
		case e.Name == "currency":
			return "USD"
		}
		return "en"
	case "uri", "url", "canonical":
		return "http://a.example/x"
	case "oid":
		return "urn:oid:1.2.3"
	case "uuid":
		return "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
	case "Resource":
		return map[string]any{"resourceType": "Basic", "id": "x", "code": map[string]any{"text": "x"}}
	case "Reference":
		target := "Patient"
		if len(e.Targets) > 0 {
			target = e.Targets[a.turn%len(e.Targets)]
		}
		return map[string]any{"reference": target + "/1"}
	case "CodeableConcept":
		if len(codes) > 0 {
			return map[string]any{"coding": []any{map[string]any{"system": codes[0].System, "code": codes[0].Code}}}
		}
	case "Extension":
		return map[string]any{"url": "http://a.example", "valueString": "x"}
	}
	if strings.ToLower(typ[:1]) == typ[:1] { // string, markdown, id
		return "x"
	}
	return a.object(typ, depth+1)
}
