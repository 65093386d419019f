package httpapi_test

import "testing"

// TestUnknownParametersOfAnyType is about parameters in the body of a kick-off
// that $export does not have, whatever their type.
func TestUnknownParametersOfAnyType(t *testing.T) {
	t.Parallel()
	w := start(t)
	for name, parameter := range map[string]string{
		"string":  `{"name":"_nothing","valueString":"x"}`,
		"integer": `{"name":"_nothing","valueInteger":1}`,
		"coding":  `{"name":"_nothing","valueCoding":{"code":"x"}}`,
		"part":    `{"name":"_nothing","part":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			body := `{"resourceType":"Parameters","parameter":[` + parameter + `]}`
			w.all.post(t, "/$export", body, exportHeader()...).refused(t, 400, "not-supported")
			w.all.post(t, "/$export", body, "Accept", fhirJSON, "Prefer", "respond-async, handling=lenient").want(t, 202)
		})
	}
	for name, parameters := range map[string]string{
		"a known name with another type": `[{"name":"_type","valueCode":"Patient"}]`,
		"a value of another kind":        `[{"name":"_type","valueString":1}]`,
		"no name":                        `[{"valueString":"x"}]`,
		"no array":                       `{"name":"_type","valueString":"Patient"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w.all.post(t, "/$export", `{"resourceType":"Parameters","parameter":`+parameters+`}`, "Accept", fhirJSON, "Prefer", "respond-async, handling=lenient").refused(t, 400, "value", "structure")
		})
	}
}
