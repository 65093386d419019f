package fhirpath_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// schema is enough of R4 for the resources of these tests.
type schema map[string]string

// newSchema lists each type's elements with their types.
func newSchema() schema {
	const resource = "id:id meta:Meta implicitRules:uri language:code text:Narrative contained:Resource extension:Extension "
	return schema{
		"Patient": resource + "active:boolean name:HumanName birthDate:date deceased:boolean,dateTime " +
			"contact:Patient.contact generalPractitioner:Reference multipleBirth:boolean,integer managingOrganization:Reference",
		"Patient.contact": "id:string extension:Extension name:HumanName",
		"Observation": resource + "status:code code:CodeableConcept subject:Reference component:Observation.component " +
			"value:Quantity,CodeableConcept,string,dateTime,SampledData effective:dateTime,Period",
		"Observation.component": "id:string code:CodeableConcept value:Quantity,CodeableConcept",
		"Condition":             resource + "onset:dateTime,Age,Period,Range,string",
		"Bundle":                "id:id implicitRules:uri type:code entry:Bundle.entry",
		"Bundle.entry":          "fullUrl:uri resource:Resource",
		"Practitioner":          resource,
		"Organization":          resource + "name:string",
		"Meta":                  "versionId:id lastUpdated:instant profile:canonical",
		"HumanName":             "id:string extension:Extension use:code family:string given:string",
		"Extension":             "id:string extension:Extension url:uri value:string,Coding,boolean,dateTime",
		"Reference":             "reference:string type:uri identifier:Identifier display:string",
		"CodeableConcept":       "coding:Coding text:string",
		"Coding":                "system:uri code:code",
		"Quantity":              "value:decimal unit:string system:uri code:code",
		"Age":                   "value:decimal unit:string system:uri code:code",
		"Range":                 "low:Quantity high:Quantity",
		"Period":                "start:dateTime end:dateTime",
		"Identifier":            "system:uri value:string",
	}
}

func (s schema) Element(typ, name string) (types []string, ok bool) {
	for _, element := range strings.Fields(s[typ]) {
		n, t, _ := strings.Cut(element, ":")
		types := strings.Split(t, ",")
		if n == name {
			return types, true
		}
		for _, choice := range types {
			if len(types) > 1 && name == n+strings.ToUpper(choice[:1])+choice[1:] {
				return []string{choice}, true
			}
		}
	}
	return nil, false
}

const patient = `{
  "resourceType": "Patient",
  "id": "p1",
  "contained": [{"resourceType": "Organization", "id": "org", "name": "Inside"}],
  "extension": [
    {"url": "http://example.org/a", "valueString": "first"},
    {"url": "http://example.org/b", "extension": [{"url": "x", "valueCoding": {"system": "s", "code": "c"}}]}
  ],
  "active": true,
  "name": [
    {"use": "official", "family": "Shaw", "given": ["Amy", "V."]},
    {"use": "old", "family": "Baxter", "given": ["Amy", null], "_given": [null, {"extension": [{"url": "why", "valueString": "masked"}]}]}
  ],
  "birthDate": "1987-02-20",
  "_birthDate": {"id": "bd", "extension": [{"url": "http://example.org/time", "valueDateTime": "1987-02-20T06:00:00Z"}]},
  "deceasedDateTime": "2020-01-02T03:04:05+01:00",
  "_multipleBirthInteger": {"extension": [{"url": "unknown", "valueBoolean": true}]},
  "contact": [{"name": {"family": "Du"}}, {"name": {"family": "Ng"}}],
  "generalPractitioner": [
    {"reference": "Practitioner/1"},
    {"reference": "#org"},
    {"reference": "https://a.example/fhir/Organization/2/_history/3"},
    {"identifier": {"value": "9"}, "type": "Practitioner"},
    {"display": "somebody"}
  ]
}`

const observation = `{
  "resourceType": "Observation",
  "status": "final",
  "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "BP"},
  "subject": {"reference": "Patient/p1"},
  "effectivePeriod": {"start": "2024-01-01", "end": "2024-01-03T00:00:00Z"},
  "valueQuantity": {"value": 1.50, "unit": "mg", "system": "u", "code": "mg"},
  "component": [
    {"code": {"text": "sys"}, "valueQuantity": {"value": 120}},
    {"code": {"text": "dia"}, "valueCodeableConcept": {"text": "high"}}
  ]
}`

const condition = `{"resourceType": "Condition", "onsetAge": {"value": 40, "unit": "a"}}`

const document = `{"resourceType": "Bundle", "type": "document", "entry": [
  {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Observation", "id": "o1", "valueString": "x"}},
  {"resource": {"resourceType": "Patient", "id": "p2"}}]}`

// A testCase evaluates an expression on one of the resources above. want is what show makes of the
// outcome.
type testCase struct{ name, resource, expression, want string }

func runCases(t *testing.T, cases []testCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			values, err := eval(t, c.resource, c.expression)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(values); got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.expression, got, c.want)
			}
		})
	}
}

func eval(t *testing.T, resource, expression string) ([]fhirpath.Value, error) {
	t.Helper()
	e, err := fhirpath.Compile(expression)
	if err != nil {
		t.Fatalf("Compile: %v", err)
	}
	return e.Eval(newSchema(), parse(t, resource), fhirpath.Options{})
}

func parse(t testing.TB, resource string) fhirpath.Value {
	t.Helper()
	root, err := fhirjson.Parse([]byte(resource))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return fhirpath.ResourceValue(root)
}

// show prints values as "type text", objects as "type {first member}", separated by commas.
func show(values []fhirpath.Value) string {
	parts := make([]string, 0, len(values))
	for _, v := range values {
		text := "-"
		switch {
		case v.Node == nil:
		case v.Node.Kind != fhirjson.Object:
			text = v.Node.Text
		case len(v.Node.Members) > 0:
			first := v.Node.Members[0]
			text = fmt.Sprintf("{%s %s}", first.Name, first.Value.Text)
		default:
			text = "{}"
		}
		parts = append(parts, v.Type+" "+text)
	}
	return strings.Join(parts, ", ")
}
