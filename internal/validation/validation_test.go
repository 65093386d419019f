package validation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/validation"
)

// A finding is what a case expects of an issue: its code, its expression and a part of its message.
type finding struct{ code, expression, says string }

// A wrong resource has exactly these errors.
type wrong struct {
	name     string
	resource string
	findings []finding
}

// judge returns the errors of a resource.
func judge(resource string) []validation.Issue {
	return slices.DeleteFunc(validation.R4().Validate([]byte(resource), validation.Options{}), func(i validation.Issue) bool {
		return i.Severity != validation.Error
	})
}

func (c wrong) test(t *testing.T) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		t.Parallel()
		got := judge(c.resource)
		ok := len(got) == len(c.findings)
		for i := 0; ok && i < len(got); i++ {
			want := c.findings[i]
			ok = got[i].Code == want.code && got[i].Expression == want.expression && strings.Contains(got[i].Message, want.says)
		}
		if !ok {
			t.Errorf("of %s\n got %s\nwant %q", c.resource, show(got), c.findings)
		}
	})
}

func show(issues []validation.Issue) string {
	var b strings.Builder
	for _, i := range issues {
		fmt.Fprintf(&b, "{%q %q %q} at %d:%d ", i.Code, i.Expression, i.Message, i.Line, i.Column)
	}
	return b.String()
}

// patient is a Patient with some members.
func patient(members string) string { return `{"resourceType":"Patient",` + members + `}` }

// observation is an Observation with what it needs and some members.
func observation(members string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"x"},` + members + `}`
}

func TestWhatIsNoResource(t *testing.T) {
	t.Parallel()
	for _, c := range []wrong{
		{"FR-ER-07 no JSON", `{"resourceType":"Patient",}`, []finding{{"structure", "", "this is no JSON: a comma stands before"}}},
		{"FR-CR-05 a member twice", patient(`"active":true,"active":true`), []finding{{"structure", "", `"active" occurs twice`}}},
		{"FR-ER-08 array", `[]`, []finding{{"structure", "", "this is a JSON array; a resource is an object"}}},
		{"FR-ER-09 no resourceType", `{}`, []finding{{"required", "", "has no resourceType"}}},
		{"FR-ER-08 resourceType is no text", `{"resourceType":1}`, []finding{{"structure", "", "a JSON number for its resourceType"}}},
		{"FR-ER-10 unknown type", `{"resourceType":"Patent"}`, []finding{{"value", "", `"Patent", which FHIR R4 does not have; did you mean Patient?`}}},
		{"FR-ER-10 abstract type", `{"resourceType":"DomainResource"}`, []finding{{"value", "", "does not have"}}},
	} {
		c.test(t)
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	for _, c := range []wrong{
		{"FR-ER-08 unknown element", patient(`"birthdate":"1980-01-01"`), []finding{{"structure", "Patient.birthdate", "is no element of Patient in FHIR R4; did you mean birthDate?"}}},
		{"FR-ER-08 unknown element below", patient(`"name":[{"famly":"x"}]`), []finding{{"structure", "Patient.name[0].famly", "is no element of HumanName in FHIR R4; did you mean family?"}}},
		{"FR-ER-08 unknown element of a backbone element", patient(`"contact":[{"name":{"text":"x"},"fax":"1"}]`), []finding{{"structure", "Patient.contact[0].fax", "is no element of Patient.contact"}}},
		{"FR-ER-08 a name that is none", patient(`"a b":1`), []finding{{"structure", "Patient.`a b`", "is no element"}}},
		{"FR-ER-08 an empty name", patient(`"":1`), []finding{{"structure", "Patient", "name is empty"}}},
		{"FR-ER-08 resourceType of what is no resource", patient(`"name":[{"resourceType":"HumanName","text":"x"}]`), []finding{{"structure", "Patient.name[0].resourceType", "only a resource has a resourceType"}}},
		{"FR-ER-08 unknown element that ends as one does", patient(`"xactive":{"id":"x"}`), []finding{{"structure", "Patient.xactive", "is no element"}}},
		{"FR-ER-08 unknown element that begins as one does", patient(`"nameUse":"x"`), []finding{{"structure", "Patient.nameUse", "is no element"}}},
		{"FR-ER-08 extends contained resources", patient(`"_contained":[{"id":"x"}]`), []finding{{"structure", "Patient._contained", "contained is no primitive"}}},
		{"FR-ER-08 a choice in small letters", observation(`"valuequantity":{"value":1}`), []finding{{"structure", "Observation.valuequantity", "did you mean valueQuantity?"}}},
		{"FR-ER-08 extends what is unknown", patient(`"_birthdate":{"id":"x"}`), []finding{{"structure", "Patient._birthdate", "did you mean birthDate?"}}},
		{"FR-ER-08 extends what is no primitive", patient(`"name":[{"text":"x"}],"_name":[{"id":"x"}]`), []finding{{"structure", "Patient._name", "name is no primitive"}}},
		{"FR-ER-08 choice without a type", observation(`"value":"x"`), []finding{{"structure", "Observation.value", "is no type that Observation.value[x] takes: use valueQuantity, valueCodeableConcept,"}}},
		{"FR-ER-08 choice of a type that it does not have", observation(`"valueInteger64":1`), []finding{{"structure", "Observation.valueInteger64", "is no type that"}}},
		{"FR-ER-08 two of a choice", observation(`"valueString":"x","valueInteger":1`), []finding{{"structure", "Observation.value", "has two values, valueString and valueInteger"}}},
		{"FR-ER-08 two of a choice, one of them an extension", observation(`"valueString":"x","_valueInteger":{"extension":[{"url":"http://a.example","valueCode":"x"}]}`),
			[]finding{{"structure", "Observation.value", "has two values"}}},
		{"FR-ER-09 missing", `{"resourceType":"Observation","code":{"text":"x"}}`, []finding{{"required", "Observation", "has no status, which is required"}}},
		{"FR-ER-09 missing below", patient(`"communication":[{"preferred":true}]`), []finding{{"required", "Patient.communication[0]", "has no language"}}},
		{"FR-ER-09 a choice is missing", `{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"display":"x"}}`,
			[]finding{{"required", "MedicationRequest", "has no medication[x], which is required: one of medicationCodeableConcept or medicationReference"}}},
		{"FR-ER-08 one where there are several", patient(`"name":{"family":"x"}`), []finding{{"structure", "Patient.name", "is a JSON object; it repeats, so it is an array even of one"}}},
		{"FR-ER-08 several where there is one", patient(`"maritalStatus":[{"text":"x"}]`), []finding{{"structure", "Patient.maritalStatus", "is an array; it does not repeat"}}},
		{"FR-ER-08 primitive: one where there are several", patient(`"name":[{"given":"x"}]`), []finding{{"structure", "Patient.name[0].given", "it repeats"}}},
		{"FR-ER-08 primitive: several where there is one", patient(`"gender":["male"]`), []finding{{"structure", "Patient.gender", "does not repeat"}}},
		{"FR-ER-08 array in an array", patient(`"name":[[{"family":"x"}]]`), []finding{{"structure", "Patient.name[0]", "is an array within an array"}}},
		{"FR-CR-05 empty array", patient(`"name":[]`), []finding{{"structure", "Patient.name", "is an empty array"}}},
		{"FR-CR-05 empty array of primitives", patient(`"name":[{"given":[]}]`), []finding{{"structure", "Patient.name[0].given", "is an empty array"}}},
		{"FR-CR-05 empty object", patient(`"maritalStatus":{}`), []finding{{"structure", "Patient.maritalStatus", "is an empty object"}}},
		{"FR-CR-05 empty object with something required", `{"resourceType":"DocumentReference","status":"current","content":[{}]}`,
			[]finding{{"structure", "DocumentReference.content[0]", "is an empty object"}, {"required", "DocumentReference.content[0]", "has no attachment"}}},
		{"FR-ER-12 nothing but an id", patient(`"maritalStatus":{"id":"x"}`), []finding{{"invariant", "Patient.maritalStatus", "nothing but an id"}}},
		{"FR-CR-05 empty string", patient(`"language":""`), []finding{{"value", "Patient.language", "is an empty string"}}},
		{"FR-CR-05 null", patient(`"active":null`), []finding{{"structure", "Patient.active", "is null"}}},
		{"FR-CR-05 null for an object", patient(`"maritalStatus":null`), []finding{{"structure", "Patient.maritalStatus", "is null"}}},
		{"FR-CR-05 null for an array", patient(`"name":null`), []finding{{"structure", "Patient.name", "is null"}}},
		{"FR-CR-05 null among objects", patient(`"name":[{"text":"x"},null]`), []finding{{"structure", "Patient.name[1]", "is null"}}},
		{"FR-CR-05 null among primitives without extensions", patient(`"name":[{"given":["x",null]}]`), []finding{{"structure", "Patient.name[0].given[1]", "has null only in arrays"}}},
		{"FR-CR-05 null among extensions without primitives", patient(`"name":[{"_given":[null]}]`), []finding{{"structure", "Patient.name[0].given[0]", "has null only in arrays"}}},
		{"FR-CR-05 no array beside one", patient(`"name":[{"given":"x","_given":[{"id":"a"},null]}]`), []finding{{"structure", "Patient.name[0].given", "it repeats"}}},
		{"FR-CR-05 null in both arrays", patient(`"name":[{"given":["x",null],"_given":[{"id":"a"},null]}]`), []finding{{"structure", "Patient.name[0].given[1]", "is null in both arrays"}}},
		{"FR-CR-05 arrays of different lengths", patient(`"name":[{"given":["x"],"_given":[null,{"extension":[{"url":"http://a.example","valueCode":"x"}]}]}]`),
			[]finding{{"structure", "Patient.name[0].given", "has 1 values and _given has 2 entries"}}},
		{"FR-ER-08 a string for an object", patient(`"maritalStatus":"married"`), []finding{{"structure", "Patient.maritalStatus", "is a JSON string; a CodeableConcept is an object"}}},
		{"FR-ER-08 a string for a backbone element", patient(`"contact":["x"]`), []finding{{"structure", "Patient.contact[0]", "is a JSON string; a contact is an object"}}},
		{"FR-ER-08 a string for what extends a primitive", patient(`"_active":"x"`), []finding{{"structure", "Patient.active", "what extends a primitive is an object"}}},
		{"FR-ER-08 an id alone extends nothing", patient(`"_active":{"id":"x"}`), []finding{{"invariant", "Patient.active", "nothing but an id"}}},
		{"FR-ER-08 what extends a primitive has no value", patient(`"active":true,"_active":{"value":true}`), []finding{{"structure", "Patient.active.value", "is no element of Element"}}},
		{"several at once, in the order of the text", patient(`"active":"true","birthDate":"1980-13-01","foo":1,"gender":"m"`), []finding{
			{"structure", "Patient.active", "is a JSON string; a boolean is true or false without quotation marks"},
			{"value", "Patient.birthDate", `is "1980-13-01", which is no date: there is no month 13`},
			{"structure", "Patient.foo", "is no element"},
			{"code-invalid", "Patient.gender", "female, male, other or unknown"},
		}},
	} {
		c.test(t)
	}
}

// TestPlaces is about where issues are (FR-GE-01).
func TestPlaces(t *testing.T) {
	t.Parallel()
	in := "{\n  \"resourceType\": \"Patient\",\n  \"name\": [{\"text\": \"größer\", \"family\": 5}],\n  \"foo\": 1,\n\t\"link\": [{\"type\": \"refer\"}]\n}"
	var got []string
	for _, i := range judge(in) {
		got = append(got, fmt.Sprintf("%d:%d %s", i.Line, i.Column, i.Expression))
	}
	want := []string{"3:41 Patient.name[0].family", "4:3 Patient.foo", "5:11 Patient.link[0]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if syntax := judge("{\n\"a\":1\n\"b\":2}"); len(syntax) != 1 || syntax[0].Line != 3 || syntax[0].Column != 1 {
		t.Errorf("of a syntax error: got %s, want it at 3:1", show(syntax))
	}
}

// TestResourcesInside is about contained resources, Bundles and Parameters (FHIR R4, references,
// contained resources).
func TestResourcesInside(t *testing.T) {
	t.Parallel()
	container := func(contained, members string) string {
		return observation(`"contained":[` + contained + `]` + members)
	}
	const refers = `,"subject":{"reference":"#p"}`
	for _, c := range []wrong{
		{"FR-ER-09 no id", container(`{"resourceType":"Patient"}`, ""), []finding{{"required", "Observation.contained[0]", "has no id"}}},
		{"FR-ER-12 dom-3 nothing refers to it", container(`{"resourceType":"Patient","id":"p"}`, ""), []finding{{"invariant", "Observation.contained[0]", "dom-3"}}},
		{"FR-ER-10 two of an id", container(`{"resourceType":"Patient","id":"p"},{"resourceType":"Patient","id":"p"}`, refers), []finding{{"value", "Observation.contained[1]", "as another contained resource has"}}},
		{"FR-ER-12 dom-3 what looks like a reference", container(`{"resourceType":"Patient","id":"p"}`, `,"language":"p","implicitRules":"xp","note":[{"text":"#p"}],"method":{"coding":[{"code":"#p"}]}`), []finding{{"invariant", "Observation.contained[0]", "dom-3"}}},
		{"FR-ER-08 an id that is no text", container(`{"resourceType":"Patient","id":"p"},{"resourceType":"Patient","id":5}`, refers), []finding{{"structure", "Observation.contained[1].id", "a JSON number"}}},
		{"FR-ER-10 an empty id", container(`{"resourceType":"Patient","id":"p"},{"resourceType":"Patient","id":""}`, refers), []finding{{"value", "Observation.contained[1].id", "empty"}}},
		{"FR-ER-12 dom-2 contained in contained", container(`{"resourceType":"Patient","id":"p","contained":[{"resourceType":"Organization","id":"o","name":"x"}]}`, refers), []finding{{"invariant", "Observation.contained[0].contained[0]", "dom-2"}}},
		{"FR-ER-12 dom-4 version", container(`{"resourceType":"Patient","id":"p","meta":{"versionId":"1","lastUpdated":"2020-01-01T00:00:00Z"}}`, refers),
			[]finding{{"invariant", "Observation.contained[0]", "dom-4"}, {"invariant", "Observation.contained[0]", "dom-4"}}},
		{"FR-ER-12 dom-5 security label", container(`{"resourceType":"Patient","id":"p","meta":{"security":[{"code":"R"}]}}`, refers), []finding{{"invariant", "Observation.contained[0]", "dom-5"}}},
		{"FR-ER-12 ref-1 nothing contained has the id", container(`{"resourceType":"Patient","id":"p"}`, `,"subject":{"reference":"#q"},"performer":[{"reference":"#p"}]`), []finding{{"value", "Observation.subject.reference", "ref-1"}}},
		{"FR-ER-12 ref-1 nothing is contained", observation(`"subject":{"reference":"#p"}`), []finding{{"value", "Observation.subject.reference", "ref-1"}}},
		{"FR-ER-10 what is contained is of the wrong type", container(`{"resourceType":"Practitioner","id":"p"}`, refers), []finding{{"value", "Observation.subject.reference", "leads to a Practitioner"}}},
		{"FR-ER-08 no resource", container(`"x"`, ""), []finding{{"structure", "Observation.contained[0]", "a Resource is an object"}}},
		{"FR-ER-09 no resourceType", container(`{"id":"p"}`, refers), []finding{{"required", "Observation.contained[0]", "has no resourceType"}}},
		{"FR-ER-10 unknown type", container(`{"resourceType":"Patiens","id":"p"}`, refers), []finding{{"value", "Observation.contained[0]", "did you mean Patient?"}}},
		{"FR-ER-10 inside of it", container(`{"resourceType":"Patient","id":"p","birthDate":"x"}`, refers), []finding{{"value", "Observation.contained[0].birthDate", "no date"}}},
		{"FR-ER-08 in an entry", `{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"http://a.example/1","resource":` + patient(`"foo":1`) + `}]}`, []finding{{"structure", "Bundle.entry[0].resource.foo", "is no element of Patient"}}},
		{"FR-ER-09 no resourceType in an entry", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"id":"x"}}]}`, []finding{{"required", "Bundle.entry[0].resource", "has no resourceType"}}},
		{"FR-ER-12 an entry is a container of its own", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":` + container(`{"resourceType":"Patient","id":"p"}`, refers) + `},{"resource":` + observation(`"subject":{"reference":"#p"}`) + `}]}`,
			[]finding{{"value", "Bundle.entry[1].resource.subject.reference", "ref-1"}}},
		{"FR-ER-12 bdl-3 of the whole Bundle", `{"resourceType":"Bundle","type":"batch","entry":[{"resource":` + patient(`"active":true`) + `}]}`, []finding{{"invariant", "Bundle", "bdl-3"}}},
		{"FR-BT-08 conditional reference in a batch", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"POST","url":"Observation"},"resource":` + observation(`"subject":{"reference":"Patient?identifier=x"}`) + `}]}`,
			[]finding{{"value", "Bundle.entry[0].resource.subject.reference", "only stand in a transaction"}}},
		{"FR-BT-08 conditional references that are none", `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Observation"},"resource":` +
			observation(`"performer":[{"reference":"Patiens?identifier=x"},{"reference":"x/Patient?identifier=x"},{"reference":"Patient/1?identifier=x"},{"reference":"Patient?"}]`) + `}]}`,
			[]finding{{"value", "Bundle.entry[0].resource.performer[0].reference", "no reference"}, {"value", "Bundle.entry[0].resource.performer[1].reference", "no reference"},
				{"value", "Bundle.entry[0].resource.performer[2].reference", "no reference"}, {"value", "Bundle.entry[0].resource.performer[3].reference", "no reference"}}},
		{"FR-ER-08 in a parameter", `{"resourceType":"Parameters","parameter":[{"name":"x","resource":` + patient(`"foo":1`) + `}]}`, []finding{{"structure", "Parameters.parameter[0].resource.foo", "is no element"}}},
		{"FR-ER-12 inv-1 in a part", `{"resourceType":"Parameters","parameter":[{"name":"x","part":[{"name":"y"}]}]}`, []finding{{"invariant", "Parameters.parameter[0].part[0]", "inv-1"}}},
	} {
		c.test(t)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	for _, c := range []wrong{
		{"FR-ER-10 wrong type", observation(`"subject":{"reference":"Practitioner/1"}`), []finding{{"value", "Observation.subject.reference", "leads to a Practitioner, and has to lead to a Device, Group, Location or Patient"}}},
		{"FR-ER-10 wrong type by URL", observation(`"subject":{"reference":"https://a.example/fhir/Practitioner/1/_history/2"}`), []finding{{"value", "Observation.subject.reference", "leads to a Practitioner"}}},
		{"FR-ER-10 wrong type by its name", observation(`"subject":{"type":"Practitioner","identifier":{"value":"1"}}`), []finding{{"value", "Observation.subject.type", "has to lead to"}}},
		{"FR-ER-10 type that is none", observation(`"subject":{"type":"patient","identifier":{"value":"1"}}`), []finding{{"value", "Observation.subject.type", "did you mean Patient?"}}},
		{"FR-ER-10 type beside another", observation(`"subject":{"type":"Group","reference":"Patient/1"}`), []finding{{"value", "Observation.subject.reference", "the type beside it is Group"}}},
		{"FR-ER-10 unknown type", observation(`"subject":{"reference":"patient/1"}`), []finding{{"value", "Observation.subject.reference", "no resource type patient; did you mean Patient?"}}},
		{"FR-ER-10 type alone", observation(`"subject":{"reference":"Patient"}`), []finding{{"value", "Observation.subject.reference", "no reference"}}},
		{"FR-ER-10 no id", observation(`"subject":{"reference":"Patient/"}`), []finding{{"value", "Observation.subject.reference", "no reference"}}},
		{"FR-ER-10 id that is none", observation(`"subject":{"reference":"Patient/a_b"}`), []finding{{"value", "Observation.subject.reference", "no reference"}}},
		{"FR-ER-10 relative path", observation(`"subject":{"reference":"../Patient/1"}`), []finding{{"value", "Observation.subject.reference", "no reference"}}},
		{"FR-ER-10 white space", observation(`"subject":{"reference":"Patient/1 "}`), []finding{{"value", "Observation.subject.reference", "white space"}}},
		{"FR-ER-10 urn:uuid of no UUID", observation(`"subject":{"reference":"urn:uuid:1"}`), []finding{{"value", "Observation.subject.reference", "urn:uuid:"}}},
		{"FR-BT-08 conditional outside of a transaction", observation(`"subject":{"reference":"Patient?identifier=x"}`), []finding{{"value", "Observation.subject.reference", "only stand in a transaction"}}},
		{"FR-ER-08 a number", observation(`"subject":{"reference":1}`), []finding{{"structure", "Observation.subject.reference", "a JSON number"}}},
		{"FR-ER-10 empty", observation(`"subject":{"reference":""}`), []finding{{"value", "Observation.subject.reference", "is an empty string"}}},
		{"FR-ER-08 a string", observation(`"subject":"Patient/1"`), []finding{{"structure", "Observation.subject", "a Reference is an object"}}},
	} {
		c.test(t)
	}
}

func TestBindings(t *testing.T) {
	t.Parallel()
	condition := func(status string) string {
		return `{"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":` + status + `}`
	}
	for _, c := range []wrong{
		{"FR-ER-11 code", patient(`"gender":"Male"`), []finding{{"code-invalid", "Patient.gender", `is "Male", which is not in the value set that it is bound to: female, male, other or unknown`}}},
		{"FR-ER-11 code of a large set", `{"resourceType":"SearchParameter","url":"http://a.example","name":"X","status":"draft","description":"x","code":"x","type":"string","base":["Patiant"]}`,
			[]finding{{"code-invalid", "SearchParameter.base[0]", "http://hl7.org/fhir/ValueSet/resource-types; did you mean Patient?"}}},
		{"FR-ER-11 concept of another code", condition(`{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"dormant"}]}`), []finding{{"code-invalid", "Condition.clinicalStatus", "active, inactive, recurrence, relapse, remission or resolved of http://terminology.hl7.org/CodeSystem/condition-clinical"}}},
		{"FR-ER-11 concept of another system", condition(`{"coding":[{"system":"http://a.example","code":"active"}]}`), []finding{{"code-invalid", "Condition.clinicalStatus", `"http://a.example|active"`}}},
		{"FR-ER-11 concept without a system", condition(`{"coding":[{"code":"active"}]}`), []finding{{"code-invalid", "Condition.clinicalStatus", `"|active"`}}},
		{"FR-ER-11 concept without a coding", condition(`{"text":"active"}`), []finding{{"code-invalid", "Condition.clinicalStatus", "has no coding"}}},
		{"FR-ER-11 concept without a code", condition(`{"coding":[{"display":"active"}]}`), []finding{{"code-invalid", "Condition.clinicalStatus", `"|"`}}},
	} {
		c.test(t)
	}
	for _, mime := range []string{"jpeg", "/jpeg", "image/", "an image/jpeg", "image/jpeg/x", "image/a b"} {
		wrong{"FR-ER-11 MIME type " + mime, patient(`"photo":[{"contentType":"` + mime + `"}]`), []finding{{"code-invalid", "Patient.photo[0].contentType", "type/subtype"}}}.test(t)
	}
	for _, currency := range []string{"usd", "US", "EURO", "$"} {
		wrong{"FR-ER-11 currency " + currency, `{"resourceType":"Invoice","status":"draft","totalNet":{"value":1,"currency":"` + currency + `"}}`, []finding{{"code-invalid", "Invoice.totalNet.currency", "ISO 4217"}}}.test(t)
	}
	for _, language := range []string{"en_US", "en--US", "en-", "-", "e1", "englishenglish", "en US"} {
		wrong{"FR-ER-11 language " + language, patient(`"language":"` + language + `"`), []finding{{"code-invalid", "Patient.language", "BCP 47"}}}.test(t)
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	for _, c := range []wrong{
		{"FR-ER-09 no url", patient(`"extension":[{"valueCode":"x"}]`), []finding{{"required", "Patient.extension[0]", "has no url"}}},
		{"FR-ER-12 ext-1 nothing", patient(`"extension":[{"url":"http://a.example"}]`), []finding{{"invariant", "Patient.extension[0]", "neither a value[x] nor extensions"}}},
		{"FR-ER-12 ext-1 both", patient(`"extension":[{"url":"http://a.example","valueCode":"x","extension":[{"url":"y","valueCode":"z"}]}]`), []finding{{"invariant", "Patient.extension[0]", "both valueCode and extensions"}}},
		{"FR-ER-10 relative url", patient(`"extension":[{"url":"race","valueCode":"x"}]`), []finding{{"value", "Patient.extension[0].url", "known by an absolute URL"}}},
		{"FR-ER-10 what looks absolute", patient(`"extension":[{"url":":a","valueCode":"x"},{"url":"1a:b","valueCode":"x"},{"url":"a_b:c","valueCode":"x"},{"url":"/a:b","valueCode":"x"}]`),
			[]finding{{"value", "Patient.extension[0].url", "absolute"}, {"value", "Patient.extension[1].url", "absolute"}, {"value", "Patient.extension[2].url", "absolute"}, {"value", "Patient.extension[3].url", "absolute"}}},
		{"FR-ER-10 relative url of a modifier", patient(`"modifierExtension":[{"url":"race","valueCode":"x"}]`), []finding{{"value", "Patient.modifierExtension[0].url", "absolute URL"}}},
		{"FR-ER-10 below a primitive", patient(`"active":true,"_active":{"extension":[{"url":"http://a.example","valueDate":"x"}]}`), []finding{{"value", "Patient.active.extension[0].value", "no date"}}},
		{"FR-ER-08 two values", patient(`"extension":[{"url":"http://a.example","valueCode":"x","valueString":"x"}]`), []finding{{"structure", "Patient.extension[0].value", "two values"}}},
	} {
		c.test(t)
	}
}

func TestInvariants(t *testing.T) {
	t.Parallel()
	for _, c := range []wrong{
		{"FR-ER-12 obs-6", observation(`"valueString":"x","dataAbsentReason":{"text":"x"}`), []finding{{"invariant", "Observation", "breaks obs-6: dataAbsentReason SHALL only be present if Observation.value[x] is not present"}}},
		{"FR-ER-12 of a data type", observation(`"effectivePeriod":{"start":"2020-02-02","end":"2020-01-01"}`), []finding{{"invariant", "Observation.effective", "per-1"}}},
		{"FR-ER-12 of a backbone element", patient(`"contact":[{"gender":"male"}]`), []finding{{"invariant", "Patient.contact[0]", "pat-1"}}},
		{"FR-ER-12 of an element of a data type", `{"resourceType":"Organization","name":"x","telecom":[{"system":"phone","value":"1"},{"system":"phone","value":"1","use":"home"}]}`, []finding{{"invariant", "Organization.telecom[1]", "org-3"}}},
		{"FR-ER-12 of a primitive", `{"resourceType":"StructureDefinition","url":"http://a.example","name":"X","status":"draft","kind":"resource","abstract":false,"type":"Patient","baseDefinition":"http://b.example","differential":{"element":[{"id":"Patient","path":"Patient","constraint":[{"key":"x","severity":"error","human":"x","expression":"true"}],"max":"-1"}]}}`,
			[]finding{{"invariant", "StructureDefinition.differential.element[0].max", "eld-3"}}},
		{"FR-ER-12 of a content that is referred to", `{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"2","type":"group"}]}]}`, []finding{{"invariant", "Questionnaire.item[0].item[0]", "que-1"}}},
		{"FR-ER-12 of a contained resource", observation(`"contained":[{"resourceType":"Organization","id":"o","active":true}],"performer":[{"reference":"#o"}]`), []finding{{"invariant", "Observation.contained[0]", "org-1"}}},
		{"FR-ER-12 %resource is the contained one", observation(`"contained":[{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"code":"a"}]},"valueString":"x","component":[{"code":{"coding":[{"code":"a"}]}}]}],"hasMember":[{"reference":"#o"}]`), []finding{{"invariant", "Observation.contained[0]", "obs-7"}}},
	} {
		c.test(t)
	}
}

func TestNarrative(t *testing.T) {
	t.Parallel()
	div := func(xhtml string) string {
		return patient(fmt.Sprintf(`"text":{"status":"generated","div":%q}`, xhtml))
	}
	whole := func(content string) string {
		return div(`<div xmlns="http://www.w3.org/1999/xhtml">` + content + `</div>`)
	}
	for name, c := range map[string]struct{ resource, says string }{
		"text":                 {div("x"), "one <div> element"},
		"another element":      {div(`<p xmlns="http://www.w3.org/1999/xhtml">x</p>`), "one <div> element"},
		"no namespace":         {div(`<div>x</div>`), "no xmlns"},
		"another namespace":    {div(`<div xmlns="http://a.example">x</div>`), "not that of XHTML"},
		"not closed":           {div(`<div xmlns="http://www.w3.org/1999/xhtml">x`), "<div> is not closed"},
		"more behind":          {div(`<div xmlns="http://www.w3.org/1999/xhtml">x</div><p>x</p>`), "more behind the end"},
		"txt-2 empty":          {whole(" "), "txt-2"},
		"txt-2 empty element":  {whole("<p> </p>"), "txt-2"},
		"crossed tags":         {whole("<b>x<i>x</b></i>"), "<i> is open where </b> stands"},
		"capital letters":      {whole("<P>x</P>"), "txt-1"},
		"txt-1 script":         {whole("<script>x</script>"), "txt-1"},
		"txt-1 form":           {whole("<form>x</form>"), "txt-1"},
		"txt-1 event":          {whole(`<p onclick="x">x</p>`), "onclick"},
		"txt-1 javascript":     {whole(`<a href="java script:x">x</a>`), "is a script"},
		"attribute twice":      {whole(`<p id="a" id="b">x</p>`), "twice"},
		"no quotation marks":   {whole(`<p id=a>x</p>`), "quotation marks"},
		"no value":             {whole(`<p nowrap>x</p>`), "has no value"},
		"bare &":               {whole("a & b"), "&amp;"},
		"bare <":               {whole("a < b"), "&lt;"},
		"a < at the end":       {div(`<div xmlns="http://www.w3.org/1999/xhtml">x<`), "&lt;"},
		"an entity of no name": {whole("a &; b"), "&amp;"},
		"an entity of a kind":  {whole("a &#x; &#; b"), "&amp;"},
		"an end in a tag":      {div(`<div xmlns="http://www.w3.org/1999/xhtml">x<p `), "malformed"},
		"an end in a value":    {div(`<div xmlns="http://www.w3.org/1999/xhtml">x<p id=`), "quotation marks"},
		"no attribute":         {whole(`<p ="a">x</p>`), "malformed"},
		"a < in a value":       {whole(`<p id="a<b">x</p>`), "does not end"},
		"open comment":         {whole("<!-- x"), "comment"},
		"instruction":          {whole("<?x?>"), "no declarations"},
		"malformed tag":        {whole("<p/ >x"), "malformed"},
		"open attribute":       {whole(`<p id="a>x</p>`), "does not end"},
		"nested without limit": {whole(strings.Repeat("<b>", 300) + "x" + strings.Repeat("</b>", 300)), "nested more than"},
	} {
		wrong{"FR-ER-12 " + name, c.resource, []finding{{"invariant", "Patient.text.div", c.says}}}.test(t)
	}
	wrong{"FR-ER-09 no div", patient(`"text":{"status":"generated"}`), []finding{{"required", "Patient.text", "has no div"}}}.test(t)
	wrong{"FR-ER-11 status", patient(`"text":{"status":"ok","div":"<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"}`), []finding{{"code-invalid", "Patient.text.status", "additional, empty, extensions or generated"}}}.test(t)
	for _, fine := range []string{
		`<p class="a">x<br/>y &amp; z&nbsp;&#160;&#xA0;</p><!-- c --><table border='1'><tr><td colspan="2">1</td></tr></table>`,
		`<img src="#pic" alt=""/>`, `<a href="Patient/1">x</a>`, `größer <b >x</b ><hr />`,
	} {
		wrong{"valid " + fine, whole(fine), nil}.test(t)
	}
}

// TestReplaced is about what a write brings that the server sets itself (FR-CR-02).
func TestReplaced(t *testing.T) {
	t.Parallel()
	in := []byte(`{"resourceType":"Patient","id":"a_b","meta":{"versionId":"a b","lastUpdated":"yesterday","profile":["x y"]},"active":true}`)
	root, err := fhirjson.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	got := validation.R4().Check(root, in, validation.Options{Incoming: true, ErrorsOnly: true})
	if len(got) != 1 || got[0].Expression != "Patient.meta.profile[0]" {
		t.Errorf("got %s, want the profile only", show(got))
	}
	if got := judge(string(in)); len(got) != 4 {
		t.Errorf("for its own sake: got %s, want four", show(got))
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	const narrative = `"text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"},`
	for name, c := range map[string]struct {
		resource string
		want     finding
	}{
		"dom-6":                     {patient(`"active":true`), finding{"invariant", "Patient", "dom-6"}},
		"an invariant that warns":   {`{"resourceType":"ValueSet",` + narrative + `"status":"draft","name":"a b"}`, finding{"invariant", "ValueSet", "vsd-0"}},
		"con-3 as it is meant":      {`{"resourceType":"Condition",` + narrative + `"subject":{"display":"x"},"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"problem-list-item"}]}]}`, finding{"invariant", "Condition", "con-3"}},
		"a system that is relative": {observation(narrative + `"method":{"coding":[{"system":"LOINC","code":"1"}]}`), finding{"value", "Observation.method.coding[0].system", "absolute URI"}},
		"a canonical":               {patient(narrative + `"meta":{"profile":["us-core-patient"]}`), finding{"value", "Patient.meta.profile[0]", "absolute URL"}},
		"white space":               {patient(narrative + `"name":[{"family":" "}]`), finding{"value", "Patient.name[0].family", "white space"}},
		"control character":         {patient(narrative + `"name":[{"family":"a\u0007"}]`), finding{"value", "Patient.name[0].family", "U+0007"}},
		"refers to nothing":         {observation(narrative + `"subject":{"type":"Patient"}`), finding{"value", "Observation.subject", "refers to nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := validation.R4().Validate([]byte(c.resource), validation.Options{})
			if len(got) != 1 || got[0].Severity != validation.Warning || got[0].Code != c.want.code || got[0].Expression != c.want.expression || !strings.Contains(got[0].Message, c.want.says) {
				t.Errorf("got %s, want a warning %q", show(got), c.want)
			}
			if got := validation.R4().Validate([]byte(c.resource), validation.Options{ErrorsOnly: true}); len(got) != 0 {
				t.Errorf("ErrorsOnly: got %s", show(got))
			}
		})
	}
	diagnosis := `{"resourceType":"Condition",` + narrative + `"subject":{"display":"x"},"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"encounter-diagnosis"}]}]}`
	for name, fine := range map[string]string{
		"con-3 of an encounter diagnosis":     diagnosis,
		"narrative of what cannot have any":   `{"resourceType":"Bundle","type":"collection"}`,
		"narrative of what is contained":      observation(narrative + `"contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"}`),
		"a reference that has another member": observation(narrative + `"subject":{"display":"x"}`),
	} {
		if got := validation.R4().Validate([]byte(fine), validation.Options{}); len(got) != 0 {
			t.Errorf("%s: got %s", name, show(got))
		}
	}
}
