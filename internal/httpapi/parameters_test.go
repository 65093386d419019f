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
		"a known name with a type that is no text": `[{"name":"_type","valueInteger":1}]`,
		"a value of another kind":                  `[{"name":"_type","valueString":1}]`,
		"no name":                                  `[{"valueString":"x"}]`,
		"no array":                                 `{"name":"_type","valueString":"Patient"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w.all.post(t, "/$export", `{"resourceType":"Parameters","parameter":`+parameters+`}`, "Accept", fhirJSON, "Prefer", "respond-async, handling=lenient").refused(t, 400, "value", "structure")
		})
	}
	t.Run("BD-KO-07 a code for a string", func(t *testing.T) {
		body := `{"resourceType":"Parameters","parameter":[{"name":"_type","valueCode":"Patient"}]}`
		a := w.all.post(t, "/$export", body, "Accept", fhirJSON, "Prefer", "respond-async, handling=lenient").want(t, 202)
		m := w.all.finish(t, a.header.Get("Content-Location"))
		if len(m.of("Patient")) != 1 || len(m.Output) != 1 || len(m.Error) != 1 {
			t.Errorf("got %+v, want the Patients, and a word on the type of _type", m)
		}
	})
}
