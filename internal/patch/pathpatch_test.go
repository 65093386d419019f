package patch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/patch"
	"github.com/sandfhir/sandfhir/internal/r4"
)

func parseParameters(body []byte) (*patch.Patch, error) {
	return patch.ParseParameters(body, r4.Definitions())
}

// parameters is a FHIRPath Patch of operations, each given by its parts.
func parameters(operations ...string) string {
	var list []string
	for _, parts := range operations {
		list = append(list, `{"name":"operation","part":[`+parts+`]}`)
	}
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(list, ",") + `]}`
}

// These are the parts of one operation. value is the member of the part value.
func add(path, name, value string) string {
	return fmt.Sprintf(`{"name":"type","valueCode":"add"},{"name":"path","valueString":%q},{"name":"name","valueString":%q},{"name":"value",%s}`, path, name, value)
}

func insert(path string, index int, value string) string {
	return fmt.Sprintf(`{"name":"type","valueCode":"insert"},{"name":"path","valueString":%q},{"name":"index","valueInteger":%d},{"name":"value",%s}`, path, index, value)
}

func remove(path string) string {
	return fmt.Sprintf(`{"name":"type","valueCode":"delete"},{"name":"path","valueString":%q}`, path)
}

func replace(path, value string) string {
	return fmt.Sprintf(`{"name":"type","valueCode":"replace"},{"name":"path","valueString":%q},{"name":"value",%s}`, path, value)
}

func move(path string, source, destination int) string {
	return fmt.Sprintf(`{"name":"type","valueCode":"move"},{"name":"path","valueString":%q},{"name":"source","valueInteger":%d},{"name":"destination","valueInteger":%d}`, path, source, destination)
}

const (
	born     = `{"resourceType":"Patient","birthDate":"1920-01-01"}`
	contact  = `{"resourceType":"Patient","contact":[{"name":{"text":"a name"},"gender":"male"}]}`
	four     = `{"resourceType":"Patient","identifier":[{"value":"1"},{"value":"2"},{"value":"3"},{"value":"4"}]}`
	extended = `{"resourceType":"Patient","birthDate":"1920-01-01","_birthDate":{"extension":[{"url":"u","valueCode":"x"}]}}`
	givens   = `{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"b"},null]}]}`
)

func TestFHIRPathPatch(t *testing.T) {
	t.Parallel()
	for _, c := range []testCase{
		// The kinds of the specification's examples and test cases.
		{name: "no operation", resource: born, patch: `{"resourceType":"Parameters"}`, want: born},
		{name: "add a primitive", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "birthDate", `"valueDate":"1930-01-01"`)), want: `{"resourceType":"Patient","birthDate":"1930-01-01"}`},
		{name: "replace a primitive", resource: born, patch: parameters(replace("Patient.birthDate", `"valueDate":"1930-01-01"`)), want: `{"resourceType":"Patient","birthDate":"1930-01-01"}`},
		{name: "delete a primitive", resource: born, patch: parameters(remove("Patient.birthDate")), want: `{"resourceType":"Patient"}`},
		{name: "add a nested primitive", resource: `{"resourceType":"Patient","contact":[{"name":{"text":"a name"}}]}`, patch: parameters(add("Patient.contact[0]", "gender", `"valueCode":"male"`)), want: contact},
		{name: "replace a nested primitive", resource: contact, patch: parameters(replace("Patient.contact[0].name.text", `"valueString":"the name"`)), want: strings.Replace(contact, "a name", "the name", 1)},
		{name: "delete a nested primitive", resource: contact, patch: parameters(remove("Patient.contact[0].gender")), want: `{"resourceType":"Patient","contact":[{"name":{"text":"a name"}}]}`},
		{name: "delete the last element of an element", resource: contact, patch: parameters(remove("Patient.contact[0].name.text")), want: `{"resourceType":"Patient","contact":[{"gender":"male"}]}`},
		{name: "delete all there is of it", resource: `{"resourceType":"Patient","contact":[{"name":{"text":"a name"}}],"active":true}`, patch: parameters(remove("Patient.contact.name.text")), want: `{"resourceType":"Patient","active":true}`},
		{name: "add a complex element", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "maritalStatus", `"valueCodeableConcept":{"text":"married"}`)), want: `{"resourceType":"Patient","maritalStatus":{"text":"married"}}`},
		{name: "replace a complex element", resource: `{"resourceType":"Patient","maritalStatus":{"id":"1","text":"married"}}`, patch: parameters(replace("Patient.maritalStatus", `"valueCodeableConcept":{"id":"2","text":"not married"}`)), want: `{"resourceType":"Patient","maritalStatus":{"id":"2","text":"not married"}}`},
		{name: "delete a complex element", resource: `{"resourceType":"Patient","maritalStatus":{"text":"married"}}`, patch: parameters(remove("Patient.maritalStatus")), want: `{"resourceType":"Patient"}`},
		{name: "add an anonymous type", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "contact", `"part":[{"name":"name","valueHumanName":{"text":"a name"}},{"name":"gender","valueCode":"male"}]`)), want: contact},
		{name: "delete an anonymous type", resource: contact, patch: parameters(remove("Patient.contact[0]")), want: `{"resourceType":"Patient"}`},
		{name: "add to a list", resource: `{"resourceType":"Patient","identifier":[{"value":"1"}]}`, patch: parameters(add("Patient", "identifier", `"valueIdentifier":{"value":"2"}`)), want: `{"resourceType":"Patient","identifier":[{"value":"1"},{"value":"2"}]}`},
		{name: "add the first of a list", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "identifier", `"valueIdentifier":{"value":"2"}`)), want: `{"resourceType":"Patient","identifier":[{"value":"2"}]}`},
		{name: "insert at the front", resource: four, patch: parameters(insert("Patient.identifier", 0, `"valueIdentifier":{"value":"0"}`)), want: strings.Replace(four, `[`, `[{"value":"0"},`, 1)},
		{name: "insert in the middle", resource: four, patch: parameters(insert("Patient.identifier", 1, `"valueIdentifier":{"value":"x"}`)), want: strings.Replace(four, `{"value":"2"}`, `{"value":"x"},{"value":"2"}`, 1)},
		{name: "insert at the end", resource: four, patch: parameters(insert("Patient.identifier", 4, `"valueIdentifier":{"value":"5"}`)), want: strings.Replace(four, `]`, `,{"value":"5"}]`, 1)},
		{name: "delete from a list", resource: four, patch: parameters(remove("Patient.identifier[2]")), want: strings.Replace(four, `{"value":"3"},`, ``, 1)},
		{name: "replace in a list", resource: four, patch: parameters(replace("Patient.identifier.where(value = '2')", `"valueIdentifier":{"value":"x"}`)), want: strings.Replace(four, `"2"`, `"x"`, 1)},
		{name: "move back", resource: four, patch: parameters(move("Patient.identifier", 3, 1)), want: order(1, 4, 2, 3)},
		{name: "move to the front", resource: four, patch: parameters(move("Patient.identifier", 3, 0)), want: order(4, 1, 2, 3)},
		{name: "move to the end", resource: four, patch: parameters(move("Patient.identifier", 0, 3)), want: order(2, 3, 4, 1)},
		{name: "move forward by one", resource: four, patch: parameters(move("Patient.identifier", 1, 2)), want: order(1, 3, 2, 4)},
		{name: "move nowhere", resource: four, patch: parameters(move("Patient.identifier", 2, 2)), want: four},
		{name: "several moves", resource: four, patch: parameters(move("Patient.identifier", 3, 0), move("Patient.identifier", 3, 1), move("Patient.identifier", 3, 2)), want: order(4, 3, 2, 1)},
		{name: "each operation sees the one before", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "name", `"valueHumanName":{"family":"A"}`), add("Patient.name[0]", "given", `"valueString":"B"`), add("Patient.name.where(family = 'A')", "given", `"valueString":"C"`), replace("Patient.name.given[1]", `"valueString":"D"`)),
			want: `{"resourceType":"Patient","name":[{"family":"A","given":["B","D"]}]}`},
		{name: "nothing to delete", resource: born, patch: parameters(remove("Patient.gender"), remove("Patient.name[3].given[0]")), want: born},
		{name: "a narrative's div is a string", resource: `{"resourceType":"Patient","text":{"status":"generated","div":"<div>x</div>"},"active":true}`, patch: parameters(replace("Patient.text.div", `"valueString":"<div>y</div>"`), replace("Patient.active", `"valueBoolean":false`)),
			want: `{"resourceType":"Patient","text":{"status":"generated","div":"<div>y</div>"},"active":false}`},

		// Choices.
		{name: "add a choice", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "deceased", `"valueBoolean":true`)), want: `{"resourceType":"Patient","deceasedBoolean":true}`},
		{name: "add a choice by its name in JSON", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "deceasedDateTime", `"valueDateTime":"2020"`)), want: `{"resourceType":"Patient","deceasedDateTime":"2020"}`},
		{name: "replace a choice", resource: `{"resourceType":"Patient","deceasedBoolean":true,"active":true}`, patch: parameters(replace("Patient.deceased", `"valueBoolean":false`)), want: `{"resourceType":"Patient","deceasedBoolean":false,"active":true}`},
		{name: "replace a choice by another type", resource: `{"resourceType":"Patient","deceasedBoolean":true,"_deceasedBoolean":{"id":"x"},"active":true}`, patch: parameters(replace("Patient.deceased", `"valueDateTime":"2020","_valueDateTime":{"id":"y"}`)), want: `{"resourceType":"Patient","deceasedDateTime":"2020","_deceasedDateTime":{"id":"y"},"active":true}`},
		{name: "delete a choice", resource: `{"resourceType":"Patient","deceasedBoolean":true}`, patch: parameters(remove("Patient.deceased")), want: `{"resourceType":"Patient"}`},
		{name: "a choice of parts", resource: `{"resourceType":"Observation"}`, patch: parameters(add("Observation", "valueQuantity", `"part":[{"name":"value","valueDecimal":1.50},{"name":"unit","valueString":"mg"}]`)), want: `{"resourceType":"Observation","valueQuantity":{"value":1.50,"unit":"mg"}}`},
		{name: "replace a choice by parts", resource: `{"resourceType":"Observation","valueQuantity":{"value":1}}`, patch: parameters(replace("Observation.value", `"part":[{"name":"value","valueDecimal":2.00}]`)), want: `{"resourceType":"Observation","valueQuantity":{"value":2.00}}`},

		// Parts within parts.
		{name: "components of components", resource: `{"resourceType":"Observation"}`, patch: parameters(add("Observation", "component", `"part":[{"name":"code","valueCodeableConcept":{"text":"c"}},{"name":"value","valueQuantity":{"value":1.0}},`+
			`{"name":"referenceRange","part":[{"name":"low","part":[{"name":"value","valueDecimal":0.50}]}]},{"name":"referenceRange","part":[{"name":"text","valueString":"t"}]}]`)),
			want: `{"resourceType":"Observation","component":[{"code":{"text":"c"},"valueQuantity":{"value":1.0},"referenceRange":[{"low":{"value":0.50}},{"text":"t"}]}]}`},
		{name: "content that refers to other content", resource: `{"resourceType":"Questionnaire","item":[{"linkId":"1"}]}`, patch: parameters(add("Questionnaire.item[0]", "item", `"part":[{"name":"linkId","valueString":"1.1"},{"name":"item","part":[{"name":"linkId","valueString":"1.1.1"}]}]`)),
			want: `{"resourceType":"Questionnaire","item":[{"linkId":"1","item":[{"linkId":"1.1","item":[{"linkId":"1.1.1"}]}]}]}`},
		{name: "a repeating primitive of parts", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "name", `"part":[{"name":"given","valueString":"A"},{"name":"family","valueString":"F"},{"name":"given","_valueString":{"id":"b"}},{"name":"given","valueString":"C"}]`)),
			want: `{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"b"},null],"family":"F"}]}`},
		{name: "an extension", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "extension", `"part":[{"name":"url","valueUri":"http://e"},{"name":"value","valueString":"v"}]`)), want: `{"resourceType":"Patient","extension":[{"url":"http://e","valueString":"v"}]}`},
		{name: "a timing", resource: `{"resourceType":"ServiceRequest"}`, patch: parameters(add("ServiceRequest", "occurrence", `"valueTiming":{"repeat":{"count":3}}`)), want: `{"resourceType":"ServiceRequest","occurrenceTiming":{"repeat":{"count":3}}}`},
		{name: "a contained resource", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "contained", `"resource":{"resourceType":"Organization","id":"o","name":"O"}`), replace("Patient.contained[0].name", `"valueString":"P"`)), want: `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"P"}]}`},
		{name: "inside of a contained resource, by resolve", resource: `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}],"managingOrganization":{"reference":"#o"}}`, patch: parameters(add("Patient.managingOrganization.resolve()", "name", `"valueString":"O"`)), want: `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"O"}],"managingOrganization":{"reference":"#o"}}`},
		{name: "a resource of an entry", resource: `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p"}}]}`, patch: parameters(add("Bundle.entry.resource.where(id = 'p')", "active", `"valueBoolean":true`)), want: `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"p","active":true}}]}`},

		// Primitives with extensions.
		{name: "add a value with an extension", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "birthDate", `"valueDate":"1920-01-01","_valueDate":{"extension":[{"url":"u","valueCode":"x"}]}`)), want: extended},
		{name: "add an extension to a primitive", resource: born, patch: parameters(add("Patient.birthDate", "extension", `"part":[{"name":"url","valueUri":"u"},{"name":"value","valueCode":"x"}]`)), want: extended},
		{name: "add another extension to a primitive", resource: extended, patch: parameters(add("Patient.birthDate", "extension", `"part":[{"name":"url","valueUri":"w"},{"name":"value","valueCode":"y"}]`)), want: strings.Replace(extended, "}]", `},{"url":"w","valueCode":"y"}]`, 1)},
		{name: "add an id to a primitive", resource: extended, patch: parameters(add("Patient.birthDate", "id", `"valueString":"i"`)), want: strings.Replace(extended, "}]}", `}],"id":"i"}`, 1)},
		{name: "delete the extension of a primitive", resource: extended, patch: parameters(remove("Patient.birthDate.extension[0]")), want: born},
		{name: "delete the only extension of a primitive without value", resource: `{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueCode":"x"}]}}`, patch: parameters(remove("Patient.birthDate.extension")), want: `{"resourceType":"Patient"}`},
		{name: "delete a primitive with its extensions", resource: extended, patch: parameters(remove("Patient.birthDate")), want: `{"resourceType":"Patient"}`},
		{name: "delete a primitive without value", resource: `{"resourceType":"Patient","_birthDate":{"id":"x"}}`, patch: parameters(remove("Patient.birthDate")), want: `{"resourceType":"Patient"}`},
		{name: "replace a primitive with its extensions", resource: extended, patch: parameters(replace("Patient.birthDate", `"valueDate":"1930-01-01"`)), want: `{"resourceType":"Patient","birthDate":"1930-01-01"}`},
		{name: "replace in the extension of a primitive", resource: extended, patch: parameters(replace("Patient.birthDate.extension.where(url = 'u').value", `"valueString":"y"`)), want: strings.Replace(extended, `"valueCode":"x"`, `"valueString":"y"`, 1)},
		{name: "replace a value that has none", resource: `{"resourceType":"Patient","_birthDate":{"id":"x"}}`, patch: parameters(replace("Patient.birthDate", `"valueDate":"1930-01-01"`)), want: `{"resourceType":"Patient","birthDate":"1930-01-01"}`},
		{name: "delete the first of a primitive list", resource: givens, patch: parameters(remove("Patient.name.given[0]")), want: `{"resourceType":"Patient","name":[{"given":[null,"C"],"_given":[{"id":"b"},null]}]}`},
		{name: "delete the extended of a primitive list", resource: givens, patch: parameters(remove("Patient.name.given[1]")), want: `{"resourceType":"Patient","name":[{"given":["A","C"]}]}`},
		{name: "insert into a primitive list", resource: givens, patch: parameters(insert("Patient.name.given", 1, `"valueString":"x"`)), want: `{"resourceType":"Patient","name":[{"given":["A","x",null,"C"],"_given":[null,null,{"id":"b"},null]}]}`},
		{name: "add to a primitive list", resource: givens, patch: parameters(add("Patient.name", "given", `"valueString":"D","_valueString":{"id":"d"}`)), want: `{"resourceType":"Patient","name":[{"given":["A",null,"C","D"],"_given":[null,{"id":"b"},null,{"id":"d"}]}]}`},
		{name: "move in a primitive list", resource: givens, patch: parameters(move("Patient.name.given", 1, 2)), want: `{"resourceType":"Patient","name":[{"given":["A","C",null],"_given":[null,null,{"id":"b"}]}]}`},
		{name: "add an extension in a primitive list", resource: `{"resourceType":"Patient","name":[{"given":["A","C"]}]}`, patch: parameters(add("Patient.name.given[1]", "id", `"valueString":"c"`)), want: `{"resourceType":"Patient","name":[{"given":["A","C"],"_given":[null,{"id":"c"}]}]}`},
		{name: "add to an extension in a primitive list", resource: givens, patch: parameters(add("Patient.name.given[1]", "extension", `"part":[{"name":"url","valueUri":"u"}]`)), want: strings.Replace(givens, `{"id":"b"}`, `{"id":"b","extension":[{"url":"u"}]}`, 1)},
		{name: "delete the id in a primitive list", resource: givens, patch: parameters(remove("Patient.name.given[1].id")), want: `{"resourceType":"Patient","name":[{"given":["A","C"]}]}`},
		{name: "the last value of a primitive list", resource: `{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"id":"b"}]}]}`, patch: parameters(remove("Patient.name.given[0]")), want: `{"resourceType":"Patient","name":[{"_given":[{"id":"b"}]}]}`},
		{name: "the value that an extension waited for", resource: `{"resourceType":"Patient","name":[{"_given":[{"id":"b"}]}]}`, patch: parameters(add("Patient.name", "given", `"valueString":"A"`)), want: `{"resourceType":"Patient","name":[{"given":[null,"A"],"_given":[{"id":"b"},null]}]}`},

		// What a patch does not fit.
		{name: "add beside one that does not repeat", resource: born, patch: parameters(add("Patient", "birthDate", `"valueDate":"1930-01-01"`)), refused: unfit, want: "replace it"},
		{name: "add beside another choice", resource: `{"resourceType":"Patient","deceasedBoolean":true}`, patch: parameters(add("Patient", "deceased", `"valueDateTime":"2020"`)), refused: unfit, want: "replace it"},
		{name: "add beside extensions", resource: `{"resourceType":"Patient","_birthDate":{"id":"x"}}`, patch: parameters(add("Patient", "birthDate", `"valueDate":"1930-01-01"`)), refused: unfit, want: "replace it"},
		{name: "add to a missing element", resource: `{"resourceType":"Patient","identifier":[{"use":"official"}]}`, patch: parameters(add("Patient.identifier.where(use = 'official').period", "end", `"valueDateTime":"2021-12-01"`)), refused: unfit, want: "there is no such element"},
		{name: "add to several", resource: four, patch: parameters(remove("Patient.gender"), add("Patient.identifier", "use", `"valueCode":"old"`)), refused: unfit, operation: 1, want: "operation 1 (add use to Patient.identifier): the path leads to 4 elements"},
		{name: "replace a missing element", resource: born, patch: parameters(replace("Patient.gender", `"valueCode":"male"`)), refused: unfit, want: "there is no such element"},
		{name: "replace several", resource: four, patch: parameters(replace("Patient.identifier", `"valueIdentifier":{"value":"x"}`)), refused: unfit, want: "4 elements"},
		{name: "delete several", resource: four, patch: parameters(remove("Patient.identifier")), refused: unfit, want: "4 elements"},
		{name: "insert into no list", resource: `{"resourceType":"Patient"}`, patch: parameters(insert("Patient.identifier", 0, `"valueIdentifier":{"value":"x"}`)), refused: unfit, want: "there is no such element"},
		{name: "insert into what does not repeat", resource: born, patch: parameters(insert("Patient.birthDate", 0, `"valueDate":"1930-01-01"`)), refused: unfit, want: "no list"},
		{name: "insert beyond the end", resource: four, patch: parameters(insert("Patient.identifier", 5, `"valueIdentifier":{"value":"x"}`)), refused: unfit, want: "the list has 4 elements"},
		{name: "insert into a part of a list", resource: four, patch: parameters(insert("Patient.identifier.where(value > '2')", 0, `"valueIdentifier":{"value":"x"}`)), refused: unfit, want: "2 of the 4"},
		{name: "insert into several lists", resource: `{"resourceType":"Patient","name":[{"given":["A"]},{"given":["B"]}]}`, patch: parameters(insert("Patient.name.given", 0, `"valueString":"x"`)), refused: unfit, want: "several lists"},
		{name: "move from beyond the end", resource: four, patch: parameters(move("Patient.identifier", 4, 0)), refused: unfit, want: "the last one is 3"},
		{name: "move beyond the end", resource: four, patch: parameters(move("Patient.identifier", 0, 4)), refused: unfit, want: "the last one is 3"},
		{name: "move the resource", resource: four, patch: parameters(move("Patient", 0, 0)), refused: unfit, want: "no list"},
		{name: "wrong type", resource: born, patch: parameters(replace("Patient.birthDate", `"valueString":"1930-01-01"`)), refused: unfit, want: "birthDate cannot be a valueString; it has to be valueDate"},
		{name: "wrong type of a choice", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "deceased", `"valueString":"x"`)), refused: unfit, want: "valueBoolean or valueDateTime"},
		{name: "wrong type of a choice by its name in JSON", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "deceasedBoolean", `"valueDateTime":"2020"`)), refused: unfit, want: "it has to be valueBoolean"},
		{name: "a value for an anonymous type", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "contact", `"valueHumanName":{"text":"a name"}`)), refused: unfit, want: "elements of Patient.contact"},
		{name: "parts for a choice", resource: `{"resourceType":"Observation"}`, patch: parameters(add("Observation", "value", `"part":[{"name":"unit","valueString":"mg"}]`)), refused: unfit, want: "valueQuantity"},
		{name: "a part twice that does not repeat", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "contact", `"part":[{"name":"gender","valueCode":"male"},{"name":"gender","valueCode":"female"}]`)), refused: unfit, want: "does not repeat"},
		{name: "a resource where none belongs", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "maritalStatus", `"resource":{"resourceType":"Patient"}`)), refused: unfit, want: "valueCodeableConcept"},
		{name: "nested too deep", resource: `{"resourceType":"Questionnaire",` + strings.Repeat(`"item":[{`, 60) + `"linkId":"60"` + strings.Repeat(`}]`, 60) + `}`,
			patch:   parameters(add("Questionnaire.descendants().where(linkId = '60')", "code", `"valueCoding":`+strings.Repeat(`{"extension":[`, 45)+strings.Repeat(`]}`, 45))),
			refused: unfit, want: "more than 200 deep"},
		{name: "what should be an object", resource: `{"resourceType":"Patient","name":["x"]}`, patch: parameters(add("Patient.name[0]", "family", `"valueString":"y"`)), refused: unfit, want: "no object"},
		{name: "extensions where no primitive is", resource: `{"resourceType":"Patient","_name":[{"id":"x"}]}`, patch: parameters(add("Patient.name[0]", "family", `"valueString":"y"`)), refused: unfit, want: "no object"},
		{name: "a resource inside that has no type", resource: `{"resourceType":"Patient","contained":[{"id":"x"}]}`, patch: parameters(add("Patient.contained[0]", "id", `"valueId":"y"`)), refused: unfit, want: "no element"},
		{name: "extensions of a resource inside", resource: `{"resourceType":"Patient","_contained":[{"id":"x"}]}`, patch: parameters(add("Patient.contained[0]", "id", `"valueId":"y"`)), refused: unfit, want: "no object"},
		{name: "a list that is none", resource: `{"resourceType":"Patient","name":{"family":"x"}}`, patch: parameters(add("Patient", "name", `"valueHumanName":{"family":"y"}`)), refused: unfit, want: "no array"},
		{name: "extensions that are no object", resource: `{"resourceType":"Patient","birthDate":"2020","_birthDate":[1]}`, patch: parameters(add("Patient.birthDate", "id", `"valueString":"y"`)), refused: unfit, want: "takes no extensions"},
		{name: "unknown element", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "colour", `"valueString":"red"`)), refused: unfit, want: `Patient has no element "colour"`},
		{name: "unknown part of an element", resource: `{"resourceType":"Patient"}`, patch: parameters(add("Patient", "contact", `"part":[{"name":"colour","valueString":"red"}]`)), refused: unfit, want: `Patient.contact has no element "colour"`},
		{name: "unknown element of a primitive", resource: born, patch: parameters(add("Patient.birthDate", "value", `"valueDate":"2020"`)), refused: unfit, want: `no element "value"`},
		{name: "another resource", resource: `{"resourceType":"Observation","subject":{"reference":"Patient/1"}}`, patch: parameters(replace("Observation.subject.resolve().active", `"valueBoolean":true`)), refused: unfit, want: "there is no such element"},
		{name: "the target of a reference", resource: `{"resourceType":"Observation","subject":{"reference":"Patient/1"}}`, patch: parameters(remove("Observation.subject.resolve()")), refused: unfit, want: "no element of the resource"},
		{name: "another type's path", resource: born, patch: parameters(replace("Group.active", `"valueBoolean":true`)), refused: unfit, want: "there is no such element"},
		{name: "what is worked out", resource: born, patch: parameters(replace("Patient.name.count()", `"valueInteger":1`)), refused: unfit, want: "worked out"},
		{name: "delete the resource", resource: born, patch: parameters(remove("Patient")), refused: unfit, want: "delete it"},
		{name: "replace the resource", resource: born, patch: parameters(replace("Patient", `"resource":{"resourceType":"Patient"}`)), refused: unfit, want: "update it"},
		{name: "a path that cannot be decided", resource: four, patch: parameters(remove("Patient.identifier[0].where(%resource.identifier.value.startsWith('x'))")), refused: unfit, want: "single value"},
		{name: "a resource of no type", resource: `{"a":1}`, patch: parameters(add("$this", "active", `"valueBoolean":true`)), refused: unfit, want: "no element"},

		// What is no patch.
		{name: "another resource type", patch: born, refused: malformed, operation: -1, want: "of the type Patient"},
		{name: "a JSON Patch", patch: `[]`, refused: malformed, operation: -1, want: "application/json-patch+json"},
		{name: "no type", patch: `{"parameter":[]}`, refused: malformed, operation: -1, want: "without resourceType"},
		{name: "parameter that is no array", patch: `{"resourceType":"Parameters","parameter":{}}`, refused: malformed, operation: -1, want: "has to be an array"},
		{name: "parameter that is no object", patch: `{"resourceType":"Parameters","parameter":[1]}`, refused: malformed, want: "is a JSON object"},
		{name: "other name", patch: `{"resourceType":"Parameters","parameter":[{"name":"patch","part":[{"name":"type","valueCode":"delete"}]}]}`, refused: malformed, want: `the parameter's name is "patch"`},
		{name: "no parts", patch: `{"resourceType":"Parameters","parameter":[{"name":"operation","valueString":"x"}]}`, refused: malformed, want: "no parts"},
		{name: "no operation type", patch: parameters(`{"name":"path","valueString":"Patient"}`), refused: malformed, want: "type is missing"},
		{name: "unknown operation type", patch: parameters(remove("Patient.active"), `{"name":"type","valueCode":"remove"},{"name":"path","valueString":"Patient"}`), refused: malformed, operation: 1, want: `type is "remove"`},
		{name: "type as a string", patch: parameters(`{"name":"type","valueString":"delete"},{"name":"path","valueString":"Patient"}`), refused: malformed, want: "has to be a valueCode"},
		{name: "no path", patch: parameters(`{"name":"type","valueCode":"delete"}`), refused: malformed, want: "path is missing"},
		{name: "path that is no FHIRPath", patch: parameters(remove("Patient..name")), refused: malformed, want: "path:"},
		{name: "path of another kind", patch: parameters(`{"name":"type","valueCode":"delete"},{"name":"path","valueString":1}`), refused: malformed, want: "a valueString is a JSON string"},
		{name: "no name", patch: parameters(`{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"value","valueString":"x"}`), refused: malformed, want: "name is missing"},
		{name: "no value", patch: parameters(`{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.active"}`), refused: malformed, want: "needs a value"},
		{name: "no index", patch: parameters(`{"name":"type","valueCode":"insert"},{"name":"path","valueString":"Patient.name"},{"name":"value","valueHumanName":{}}`), refused: malformed, want: "index is missing"},
		{name: "negative index", patch: parameters(insert("Patient.name", -1, `"valueHumanName":{}`)), refused: malformed, want: "whole number from 0"},
		{name: "index with a fraction", patch: parameters(`{"name":"type","valueCode":"insert"},{"name":"path","valueString":"Patient.name"},{"name":"index","valueInteger":1.0},{"name":"value","valueHumanName":{}}`), refused: malformed, want: "whole number from 0"},
		{name: "no destination", patch: parameters(`{"name":"type","valueCode":"move"},{"name":"path","valueString":"Patient.name"},{"name":"source","valueInteger":0}`), refused: malformed, want: "destination is missing"},
		{name: "a part that is not taken", patch: parameters(remove("Patient.name") + `,{"name":"index","valueInteger":0}`), refused: malformed, want: `delete has no part "index"; it takes path`},
		{name: "an unknown part", patch: parameters(remove("Patient.name") + `,{"name":"pathLabel","valueString":"Name"}`), refused: malformed, want: `no part "pathLabel"`},
		{name: "a part twice", patch: parameters(remove("Patient.name") + `,{"name":"path","valueString":"Patient.active"}`), refused: malformed, want: `"path" is there twice`},
		{name: "a part without name", patch: parameters(`{"valueCode":"delete"}`), refused: malformed, want: "has no name"},
		{name: "a part with two values", patch: parameters(replace("Patient.active", `"valueBoolean":true,"valueString":"x"`)), refused: malformed, want: "only one of them"},
		{name: "a part with nothing", patch: parameters(replace("Patient.active", `"id":"x"`)), refused: malformed, want: "only one of them"},
		{name: "a part with a value and parts", patch: parameters(replace("Patient.active", `"valueBoolean":true,"part":[{"name":"id","valueString":"x"}]`)), refused: malformed, want: "only one of them"},
		{name: "empty parts", patch: parameters(replace("Patient.active", `"part":[]`)), refused: malformed, want: "not empty"},
		{name: "an unknown member", patch: parameters(replace("Patient.active", `"value":true`)), refused: malformed, want: `no element "value"`},
		{name: "a type that no parameter has", patch: parameters(add("Patient", "extension", `"valueExtension":{"url":"u"}`)), refused: malformed, want: `no element "valueExtension"`},
		{name: "a value for an extension", resource: born, patch: parameters(add("Patient", "extension", `"valueString":"u"`)), refused: unfit, want: "parts, which are the elements of Extension"},
		{name: "a resource without type", patch: parameters(add("Patient", "contained", `"resource":{}`)), refused: malformed, want: "no resourceType"},
		{name: "a value that is no JSON of its type", resource: born, patch: parameters(add("Patient", "active", `"valueBoolean":"true"`)), refused: malformed, want: "a valueBoolean is a JSON boolean"},
		{name: "an array for a value", resource: born, patch: parameters(add("Patient", "name", `"valueHumanName":[{"family":"x"}]`)), refused: malformed, want: "a valueHumanName is a JSON object"},
		{name: "extensions of what is no primitive", resource: born, patch: parameters(add("Patient", "name", `"valueHumanName":{},"_valueHumanName":{}`)), refused: malformed, want: "only primitives"},
		{name: "extensions that are none", resource: born, patch: parameters(add("Patient", "active", `"valueBoolean":true,"_valueBoolean":[]`)), refused: malformed, want: "has to be an object"},
	} {
		t.Run("FR-PA-01 FR-PA-03 FR-PA-07 "+c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, parseParameters)
		})
	}
}

// order is a Patient with identifiers in an order.
func order(values ...int) string {
	var list []string
	for _, v := range values {
		list = append(list, fmt.Sprintf(`{"value":"%d"}`, v))
	}
	return `{"resourceType":"Patient","identifier":[` + strings.Join(list, ",") + `]}`
}

// TestExpressionsOfErrors: an error of a FHIRPath Patch says where in it the operation is.
func TestExpressionsOfErrors(t *testing.T) {
	t.Parallel()
	p, err := parseParameters([]byte(parameters(remove("Patient.active"), replace("Patient.gender", `"valueCode":"male"`))))
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Apply([]byte(born))
	if e, ok := err.(*patch.Error); !ok || e.Expression != "Parameters.parameter[1]" {
		t.Errorf("got %+v, want the expression of the second operation", err)
	}
}
