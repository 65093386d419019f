package patch_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/patch"
)

// FuzzJSONPatch applies any patch to any document.
func FuzzJSONPatch(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":null}],"text":{"status":"generated"}}`), []byte(`[{"op":"add","path":"/a/-","value":1},{"op":"move","from":"/a/1/b","path":"/c"},{"op":"copy","from":"/a","path":"/a/0"}]`))
	f.Add([]byte(contact), []byte(`[{"op":"test","path":"/contact/0/gender","value":"male"},{"op":"remove","path":"/contact/0/name"},{"op":"replace","path":"/contact","value":[]}]`))
	f.Fuzz(func(t *testing.T, resource, text []byte) {
		p, err := patch.ParseJSON(text)
		fuzzed(t, resource, p, err)
	})
}

// FuzzFHIRPathPatch applies any FHIRPath Patch to any resource.
func FuzzFHIRPathPatch(f *testing.F) {
	for _, operation := range []string{
		add("Patient.name", "given", `"valueString":"D","_valueString":{"id":"d"}`), insert("Patient.name.given", 1, `"valueString":"x"`),
		move("Patient.name.given", 1, 2), remove("Patient.name.given[1].id"), replace("Patient.name.given[0]", `"valueString":"x"`),
		add("Patient", "contact", `"part":[{"name":"name","valueHumanName":{"text":"a name"}},{"name":"gender","valueCode":"male"}]`),
	} {
		f.Add([]byte(givens), []byte(parameters(operation)))
	}
	f.Fuzz(func(t *testing.T, resource, text []byte) {
		p, err := parseParameters(text)
		fuzzed(t, resource, p, err)
	})
}

// fuzzed applies a patch where it could be read: what comes out is JSON, or a refusal.
func fuzzed(t *testing.T, resource []byte, p *patch.Patch, err error) {
	before := bytes.Clone(resource)
	var out []byte
	if err == nil {
		out, err = p.Apply(resource)
	}
	if !bytes.Equal(before, resource) {
		t.Fatalf("the resource itself became %q", resource)
	}
	var syntax *fhirjson.SyntaxError
	var refused *patch.Error
	switch {
	case err == nil:
		if _, err := fhirjson.Parse(out); err != nil {
			t.Fatalf("what came out is no JSON: %v: %q", err, out)
		}
	case !errors.As(err, &syntax) && !errors.As(err, &refused):
		t.Fatalf("got an error of another kind: %v", err)
	case refused != nil && (refused.Code == "" || refused.Message == ""):
		t.Fatalf("got a refusal without code or message: %+v", refused)
	}
}
