package fhirpath_test

import (
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	runCases(t, []testCase{
		{"a repeated element", patient, "Patient.name.given", "string Amy, string V., string Amy, string -"},
		{"without the type before it", patient, "name.family", "string Shaw, string Baxter"},
		{"the base type before it", patient, "Resource.id", "id p1"},
		{"the root itself", patient, "Patient", "Patient {resourceType Patient}"},
		{"another type before it", patient, "Observation.code", ""},
		{"an absent element", patient, "Patient.language", ""},
		{"an unknown element", patient, "Patient.colour", ""},
		{"an element below a primitive", patient, "Patient.birthDate.start", ""},
		{"a backbone element", patient, "Patient.contact", "Patient.contact {name }, Patient.contact {name }"},
		{"a choice", observation, "Observation.value", "Quantity {value 1.50}"},
		{"a choice by its name in JSON", observation, "Observation.valueQuantity", "Quantity {value 1.50}"},
		{"a choice of a primitive", patient, "Patient.deceased", "dateTime 2020-01-02T03:04:05+01:00"},
		{"choices of repeated elements", observation, "Observation.component.value", "Quantity {value 120}, CodeableConcept {text high}"},
		{"a primitive without a value", patient, "Patient.multipleBirth", "integer -"},
		{"extensions of a primitive", patient, "Patient.birthDate.extension.value", "dateTime 1987-02-20T06:00:00Z"},
		{"extensions of a repeated primitive", patient, "Patient.name.given.extension.value", "string masked"},
		{"the id of a primitive", patient, "Patient.birthDate.id", "string bd"},
		{"a contained resource", patient, "Patient.contained.name", "string Inside"},
		{"a resource in a bundle", document, "Bundle.entry.resource", "Observation {resourceType Observation}, Patient {resourceType Patient}"},
		{"an element in a bundled resource", document, "Bundle.entry.resource.value", "string x"},
		{"an index", document, "Bundle.entry[1].resource.id", "id p2"},
		{"an index out of range", document, "Bundle.entry[2]", ""},
		{"a negative index", document, "Bundle.entry[-1]", ""},
		{"a quoted name", patient, "Patient.`active`", "boolean true"},
		{"a parenthesized base", observation, "(Observation.value).unit", "string mg"},
		{"white space and comments", patient, " Patient . /* the */ active // flag", "boolean true"},
	})
}

func TestTypes(t *testing.T) {
	t.Parallel()
	runCases(t, []testCase{
		{"as, the type there is", observation, "(Observation.value as Quantity)", "Quantity {value 1.50}"},
		{"as, another type", observation, "(Observation.value as CodeableConcept)", ""},
		{"as a function", observation, "Observation.value.as(Quantity)", "Quantity {value 1.50}"},
		{"as in another case", patient, "Patient.deceased.as(DateTime)", "dateTime 2020-01-02T03:04:05+01:00"},
		{"as filters several", observation, "(Observation.component.value as CodeableConcept)", "CodeableConcept {text high}"},
		{"as, then a step", observation, "(Observation.component.value as CodeableConcept).text", "string high"},
		{"as with a namespace", observation, "Observation.value as FHIR.Quantity", "Quantity {value 1.50}"},
		{"ofType", observation, "Observation.component.value.ofType(Quantity).value", "decimal 120"},
		{"an Age is a Quantity", condition, "Condition.onset as Quantity", "Age {value 40}"},
		{"an Age as Age", condition, "Condition.onset.as(Age) | Condition.onset.as(Range)", "Age {value 40}"},
		{"is", observation, "Observation.value is Quantity", "boolean true"},
		{"is not", observation, "Observation.value.is(string)", "boolean false"},
		{"is of nothing", patient, "Patient.language is code", ""},
		{"a code is a string", observation, "Observation.status is string", "boolean true"},
		{"a literal is a System type", observation, "'x' is System.String", "boolean true"},
		{"a Patient is a DomainResource", patient, "$this is DomainResource", "boolean true"},
		{"a Bundle is not a DomainResource", document, "$this is DomainResource", "boolean false"},
		{"a Bundle is a Resource", document, "$this is Resource", "boolean true"},
		{"a backbone element is one", patient, "Patient.contact.first() is BackboneElement", "boolean true"},
		{"the type of a bundled resource", document, "entry.first().resource.is(Observation)", "boolean true"},
		{"operators bind after as", observation, "Observation.status as code = 'final'", "boolean true"},
	})
}

func TestResolve(t *testing.T) {
	t.Parallel()
	runCases(t, []testCase{
		{"types of the targets", patient, "Patient.generalPractitioner.resolve()",
			"Practitioner -, Organization {resourceType Organization}, Organization -, Practitioner -"},
		{"where a target is of a type", patient, "Patient.generalPractitioner.where(resolve() is Practitioner).reference",
			"string Practitioner/1"},
		{"a contained target's element", patient, "Patient.generalPractitioner.resolve().name", "string Inside"},
		{"a subject that is a patient", observation, "Observation.subject.where(resolve() is Patient)", "Reference {reference Patient/p1}"},
		{"a subject that is not a group", observation, "Observation.subject.where(resolve() is Group)", ""},
		{"the container", `{"resourceType":"Patient","id":"p","managingOrganization":{"reference":"#"}}`,
			"managingOrganization.resolve().id", "id p"},
		{"a missing contained resource", `{"resourceType":"Patient","managingOrganization":{"reference":"#x"}}`,
			"managingOrganization.resolve()", ""},
		{"an unknown type", `{"resourceType":"Patient","managingOrganization":{"reference":"Clinic/1"}}`,
			"managingOrganization.resolve()", ""},
	})
}

func TestTargetType(t *testing.T) {
	t.Parallel()
	for reference, want := range map[string]string{
		"Patient/1":                                     "Patient",
		"Patient/1/_history/2":                          "Patient",
		"https://a.example/fhir/Patient/1":              "Patient",
		"Patient?identifier=http://x|1":                 "Patient",
		"https://a.example/fhir/Patient?a=":             "Patient",
		"Patient/1#a/b":                                 "Patient",
		"urn:uuid:c757873d-ec9a-4326-a141-556f43239520": "",
		"1": "",
		"":  "",
	} {
		if got := fhirpath.TargetType(reference); got != want {
			t.Errorf("TargetType(%q) = %q, want %q", reference, got, want)
		}
	}
}

func TestValuesOfASearch(t *testing.T) {
	t.Parallel()
	runCases(t, []testCase{
		{"the dead", patient, "Patient.deceased.exists() and Patient.deceased != false", "boolean true"},
		{"the living", `{"resourceType":"Patient"}`, "Patient.deceased.exists() and Patient.deceased != false", "boolean false"},
		{"said to live", `{"resourceType":"Patient","deceasedBoolean":false}`,
			"Patient.deceased.exists() and Patient.deceased != false", "boolean false"},
		{"a union of choices", observation, "(Observation.value as Quantity) | (Observation.value as SampledData)", "Quantity {value 1.50}"},
		{"a union with a part", observation, "Observation | Observation.component",
			"Observation {resourceType Observation}, Observation.component {code }, Observation.component {code }"},
		{"an extension by where", patient, "Patient.extension.where(url = 'http://example.org/a').value", "string first"},
		{"an extension by function", patient, "Patient.extension('http://example.org/a').value", "string first"},
		{"an extension by its value's name in JSON", patient, "Patient.extension('http://example.org/a').valueString", "string first"},
		{"an extension in an extension", patient, "extension('http://example.org/b').extension('x').value.code", "code c"},
		{"a primitive's extension", patient, "birthDate.extension('http://example.org/time').value", "dateTime 1987-02-20T06:00:00Z"},
	})
}

func TestOptionsSetTheVariables(t *testing.T) {
	t.Parallel()
	container := parse(t, patient)
	inside := fhirpath.ResourceValue(&container.Node.Get("contained").Items[0])
	for expression, want := range map[string]string{
		"%resource.id":     "id org",
		"%rootResource.id": "id p1",
		"%context":         "HumanName {}",
	} {
		e, err := fhirpath.Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		root := parse(t, `{}`)
		root.Type = "HumanName"
		values, err := e.Eval(newSchema(), root, fhirpath.Options{Resource: inside, RootResource: container})
		if err != nil {
			t.Fatal(err)
		}
		if got := show(values); got != want {
			t.Errorf("%s = %s, want %s", expression, got, want)
		}
	}
}
