package validation_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/validation"
)

// TestPrimitives judges values of every primitive type in an extension (FR-ER-10; FHIR R4,
// datatypes).
func TestPrimitives(t *testing.T) {
	t.Parallel()
	for typ, c := range map[string]struct{ good, bad []string }{
		"boolean":     {[]string{`true`, `false`}, []string{`"true"`, `1`, `null`, `[]`, `{}`}},
		"decimal":     {[]string{`0`, `-0.0`, `1.10`, `1.5e3`, `1E-7`, `123456789012345678901234567890.123456789`}, []string{`"1.0"`, `true`}},
		"integer":     {[]string{`0`, `-2147483648`, `2147483647`}, []string{`1.0`, `1e3`, `-0`, `2147483648`, `-2147483649`, `99999999999999999999`, `"1"`}},
		"unsignedInt": {[]string{`0`, `2147483647`}, []string{`-1`, `2147483648`}},
		"positiveInt": {[]string{`1`, `2147483647`}, []string{`0`, `-1`}},
		"string":      {[]string{`"x"`, `" x "`, `"a\nb\tc"`, `"ä"`}, []string{`""`, `5`}},
		"markdown":    {[]string{`"# x\n\n* y"`}, []string{`""`, `5`}},
		"code":        {[]string{`"x"`, `"x y"`, `"ä-1"`}, []string{`" x"`, `"x "`, `"x  y"`, `"x\ty\n"`, `""`}},
		"id":          {[]string{`"a"`, `"A-9.z"`, `"` + strings.Repeat("a", 64) + `"`}, []string{`"a_b"`, `"a b"`, `"ä"`, `"` + strings.Repeat("a", 65) + `"`, `5`}},
		"uri":         {[]string{`"http://a.example/b?c=d#e"`, `"x"`, `"urn:oid:1.2.3"`, `"urn:uuid:53FEFA32-fcbb-4ff8-8a92-55ee120877b7"`}, []string{`"a b"`, `" a"`, `"a\u00a0b"`, `"urn:uuid:1"`, `"urn:uuid:c757873dXec9a-4326-a141-556f43239520"`, `"urn:oid:3.1"`}},
		"url":         {[]string{`"http://a.example"`, `"mailto:a@a.example"`}, []string{`"a b"`}},
		"canonical":   {[]string{`"http://a.example|1.0"`, `"http://a.example#x"`}, []string{`"http://a.example |1"`}},
		"oid":         {[]string{`"urn:oid:1.2.840.113619"`, `"urn:oid:2.0"`}, []string{`"1.2.3"`, `"urn:oid:3.1"`, `"urn:oid:-.1"`, `"urn:oid:11.2"`, `"urn:oid:1x2.3"`, `"urn:oid:1..2"`, `"urn:oid:1.02"`, `"urn:oid:1."`, `"urn:oid:1"`, `"urn:oid:1.a"`}},
		"uuid": {[]string{`"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"`},
			[]string{`"c757873d-ec9a-4326-a141-556f43239520"`, `"urn:uuix:c757873d-ec9a-4326-a141-556f43239520"`, `"urn:uuid:c757873d0ec9a-4326-a141-556f4323952"`, `"urn:uuid:C757873D-ec9a-4326-a141-556f43239520"`, `"urn:uuid:c757873dec9a4326a141556f43239520"`, `"urn:uuid:c757873d-ec9a-4326-a141-556f4323952g"`}},
		"base64Binary": {[]string{`"TWFu"`, `"a0+/"`, `"TWE="`, `"TQ=="`, `" TWFu\tTWFu\r\nTWFu"`}, []string{`"TWF"`, `"T==="`, `"T=Fu"`, `"TW_u"`, `"TW-u"`, `"TW.u"`, `"===="`, `" "`}},
		"date": {[]string{`"2020"`, `"2020-02"`, `"2020-02-29"`, `"2000-02-29"`, `"0001-01-01"`},
			[]string{`"2021-02-29"`, `"1900-02-29"`, `"2020-00"`, `"2020-13-01"`, `"2020-04-31"`, `"2020-06-31"`, `"2020-09-31"`, `"2020-11-31"`, `"2020-01-32"`, `"2020-1-1"`, `"2020-01-1"`, `"2020x01"`, `"2020-01x01"`, `"0000"`, `"20"`, `"01/02/2020"`, `"2020-01-01T00:00:00Z"`, `"2020-"`, `"20200101"`, `2020`}},
		"dateTime": {[]string{`"2020"`, `"2020-02"`, `"2020-02-29"`, `"2020-02-29T00:00:00Z"`, `"2020-02-29T23:59:60.123456789+14:00"`, `"2020-02-29T10:00:00-05:30"`},
			[]string{`"2020-02-30T00:00:00Z"`, `"2020-02-01T10:00:00"`, `"2020-02-01T10:00Z"`, `"2020-02-01T10Z"`, `"2020-02-01T24:00:00Z"`, `"2020-02-01T10:60:00Z"`, `"2020-02-01T10:00:61Z"`,
				`"2020-02-01T10:00:00.Z"`, `"2020-02-01T10:00:00,5Z"`, `"2020-02-01T10:00:00+15:00"`, `"2020-02-01T10:00:00+14:30"`, `"2020-02-01T10:00:00+10:75"`, `"2020-02-01T10:00:00*10:00"`, `"2020-02-01T10:00:00+10x00"`, `"2020-02-01T10:00:00+10:000"`, `"2020-02-01T10:00:00+1:00"`, `"2020-02-01T10:00:00z"`, `"2020-02-01 10:00:00Z"`, `"2020-02T10:00:00Z"`, `"2020-02-01T"`}},
		"instant": {[]string{`"2020-02-29T00:00:00Z"`, `"2020-02-29T00:00:00.5-05:00"`}, []string{`"2020-02-29"`, `"2020-02"`, `"2020-02-29T00:00:00"`, `"2020-02-29T00:00Z"`}},
		"time":    {[]string{`"10:00:00"`, `"23:59:60"`, `"10:00:00.123"`}, []string{`"10:00"`, `"24:00:00"`, `"10:60:00"`, `"10:00:61"`, `"10:00:0"`, `"xx:00:00"`, `"10x00:00"`, `"10:00x00"`, `"10:00:00Z"`, `"1:00:00"`, `"10:00:00."`, `"T10:00:00"`, `10`}},
	} {
		name := "value" + strings.ToUpper(typ[:1]) + typ[1:]
		for value, want := range cases(c.good, c.bad) {
			t.Run(typ+" "+value, func(t *testing.T) {
				t.Parallel()
				got := judge(patient(fmt.Sprintf(`"extension":[{"url":"http://a.example",%q:%s}]`, name, value)))
				switch {
				case want && len(got) != 0:
					t.Errorf("got %s, want it to be valid", show(got))
				case !want && (len(got) != 1 || got[0].Expression != "Patient.extension[0].value"):
					t.Errorf("got %s, want one error of the value", show(got))
				}
			})
		}
	}
}

func cases(good, bad []string) map[string]bool {
	all := map[string]bool{}
	for _, s := range good {
		all[s] = true
	}
	for _, s := range bad {
		all[s] = false
	}
	return all
}

// TestReasons is about what a message says of a value that cannot be read (FR-ER-10).
func TestReasons(t *testing.T) {
	t.Parallel()
	for value, says := range map[string]string{
		`"valueDate":"1987-02-30"`:                 `is "1987-02-30", which is no date: February 1987 has the days 01 to 28`,
		`"valueDate":"1987-2-3"`:                   `a date is YYYY, YYYY-MM or YYYY-MM-DD`,
		`"valueDateTime":"2020-01-01T10:00:00"`:    `the time zone is missing`,
		`"valueDateTime":"2020-01-01T10:00Z"`:      `the seconds are missing`,
		`"valueInstant":"2020-01-01"`:              `an instant is YYYY-MM-DDThh:mm:ss with a time zone`,
		`"valueTime":"10:00:00Z"`:                  `without a time zone`,
		`"valueInteger":1.5`:                       `is 1.5, which is no integer: it is written with digits only`,
		`"valuePositiveInt":0`:                     `it is from 1 to 2147483647`,
		`"valueCode":"a "`:                         `no white space at its ends`,
		`"valueBase64Binary":"TW_u"`:               `+ and / where that for URLs has - and _`,
		`"valueString":5`:                          `is a JSON number; a string is a text in quotation marks`,
		`"valueDecimal":"1.0"`:                     `is a JSON string; a decimal is a number without quotation marks`,
		`"valueBoolean":"true"`:                    `is a JSON string; a boolean is true or false without quotation marks`,
		`"valueId":"` + "ab_c" + `"`:               `1 to 64 of the characters`,
		`"valueUri":"` + "a b" + `"`:               `there is white space in it`,
		`"valueString":"` + longText + `"`:         `longer than 1048576 characters`,
		`"valueId":"` + longText[:100] + "_" + `"`: `is "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…", which`,
	} {
		got := judge(patient(`"extension":[{"url":"http://a.example",` + value + `}]`))
		if len(got) != 1 || !strings.Contains(got[0].Message, says) {
			t.Errorf("%.60s: got %s, want one that says %q", value, show(got), says)
		}
	}
}

var longText = strings.Repeat("a", 1<<20+1)

// TestFine judges what is valid and often refused.
func TestFine(t *testing.T) {
	t.Parallel()
	const absent = `{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}`
	for name, resource := range map[string]string{
		"nothing but its type":                       `{"resourceType":"Patient"}`,
		"an extension in place of a value":           patient(`"_birthDate":` + absent),
		"an extension beside a value":                patient(`"birthDate":"1980","_birthDate":{"id":"x","extension":[{"url":"http://a.example","valueDateTime":"1980-01-01T00:00:00Z"}]}`),
		"an id beside a value":                       patient(`"_birthDate":{"id":"x"},"birthDate":"1980"`),
		"extensions in an array":                     patient(`"name":[{"given":["a",null],"_given":[null,` + absent + `]}]`),
		"extensions for all of an array":             patient(`"name":[{"_given":[` + absent + `,` + absent + `]}]`),
		"a required primitive without a value":       `{"resourceType":"Observation","_status":` + absent + `,"code":{"text":"x"}}`,
		"a required choice without a value":          `{"resourceType":"Immunization","status":"completed","vaccineCode":{"text":"x"},"patient":{"display":"x"},"_occurrenceDateTime":` + absent + `}`,
		"a concept that is absent":                   `{"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":` + absent + `}`,
		"a coding that is absent":                    `{"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":{"coding":[` + absent + `]}}`,
		"one of several codings is bound":            `{"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":{"coding":[{"system":"http://a.example","code":"x"},{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}`,
		"a type beside a reference":                  observation(`"subject":{"type":"Patient","reference":"Patient/1"}`),
		"a reference that is absent":                 observation(`"subject":{"_reference":` + absent + `},"performer":[` + absent + `]`),
		"the container refers to itself":             observation(`"contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"},"hasMember":[{"reference":"#"}]`),
		"a title that begins as a script does":       patient(`"text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'><p title='javascript:x'>x</p></div>"}`),
		"systems of many schemes":                    patient(`"extension":[{"url":"a1+-.b:c","valueCode":"x"},{"url":"HTTP://a.example","valueCode":"x"}]`),
		"languages":                                  patient(`"language":"de-CH-1901","photo":[{"language":"x-klingon"}]`),
		"a choice and its extension":                 observation(`"valueString":"x","_valueString":` + absent),
		"a Bundle needs no narrative":                `{"resourceType":"Bundle","type":"collection"}`,
		"an extension with parts":                    patient(`"extension":[{"url":"http://a.example","extension":[{"url":"part","valueCode":"x"}]}]`),
		"a contained resource":                       observation(`"contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"}`),
		"one contained refers to another":            observation(`"contained":[{"resourceType":"Patient","id":"p","managingOrganization":{"reference":"#o"}},{"resourceType":"Organization","id":"o","name":"x"}],"subject":{"reference":"#p"}`),
		"one contained refers to its container":      observation(`"contained":[{"resourceType":"Provenance","id":"p","target":[{"reference":"#"}],"recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}]}]`),
		"a canonical refers to a contained resource": `{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"#q","contained":[{"resourceType":"Questionnaire","id":"q","status":"draft"}]}`,
		"a conditional reference in a transaction": `{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7","request":{"method":"POST","url":"Observation"},"resource":` +
			observation(`"subject":{"reference":"Patient?identifier=http://a.example|1"},"performer":[{"reference":"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"}]`) + `}]}`,
		"a versioned reference":         observation(`"subject":{"reference":"Patient/1/_history/2"}`),
		"a reference to another server": observation(`"subject":{"reference":"https://a.example/fhir/Patient/1"},"performer":[{"reference":"https://a.example/people?id=7"}]`),
		"a reference by identifier":     observation(`"subject":{"type":"Patient","identifier":{"system":"http://a.example","value":"1"}}`),
		"a media type with parameters":  patient(`"photo":[{"contentType":"text/plain; charset=utf-8","language":"en-US"}]`),
		"a Binary":                      `{"resourceType":"Binary","contentType":"application/pdf","data":"TWFu"}`,
		"a decimal of any precision":    observation(`"valueQuantity":{"value":0.00000000000000000000000000000000001000,"unit":"x"}`),
		"an offset and a leap second":   observation(`"effectiveInstant":"2016-12-31T23:59:60Z"`),
		"a Timing":                      `{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"display":"x"},"medicationCodeableConcept":{"text":"x"},"dosageInstruction":[{"timing":{"repeat":{"frequency":1,"period":1.0,"periodUnit":"d","timeOfDay":["08:00:00"]}},"doseAndRate":[{"doseQuantity":{"value":1}}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, i := range validation.R4().Validate([]byte(resource), validation.Options{}) {
				if i.Severity == validation.Error || !strings.Contains(i.Message, "dom-6") {
					t.Errorf("of %s\ngot %s", resource, show([]validation.Issue{i}))
				}
			}
		})
	}
}
