package fhirjson_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

func TestCompact(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"white space between tokens": {" {\r\n\t\"a\" : [ 1 , true ] }\n", `{"a":[1,true]}`},
		"white space inside strings": {`{ "a b" : " x\t " }`, `{"a b":" x\t "}`},
		"escaped quotes":             {`[ "a\" , \\" , "b" ]`, `["a\" , \\","b"]`},
		"numbers byte for byte":      {`[ 1.500 , 1E+3 , -0.0 ]`, `[1.500,1E+3,-0.0]`},
		"escapes byte for byte":      {`[ "\u0041\/" ]`, `["\u0041\/"]`},
		"nothing to remove":          {`{"a":1}`, `{"a":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := fhirjson.Compact([]byte("x"), []byte(c.in))
			if want := "x" + c.want; string(got) != want {
				t.Errorf("Compact(x, %s) = %s, want %s", c.in, got, want)
			}
		})
	}
}

// FuzzParse holds Parse against two other readers of JSON and Compact against Parse.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{patient, `[1,"a\"",{}]`, `{"a":{"a":null}} `, `"`, `{"a":1,"a":2}`, "\uFEFF{}", `[[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := fhirjson.Parse(data)
		strict := jsontext.Value(data).IsValid()
		if err != nil {
			syntax := err.(*fhirjson.SyntaxError)
			if strict && len(data) < 2*fhirjson.MaxDepth {
				t.Fatalf("refused valid JSON: %v", err)
			}
			if syntax.Offset < 0 || syntax.Offset > len(data) || syntax.Msg == "" {
				t.Fatalf("error without a place or a message: %+v", syntax)
			}
			return
		}
		if !strict || !json.Valid(data) {
			t.Fatalf("accepted what is not JSON: %q", data)
		}
		compact := fhirjson.Compact(nil, data)
		again, err := fhirjson.Parse(compact)
		if err != nil {
			t.Fatalf("compact form is not JSON: %v", err)
		}
		checkSame(t, root, again, data, compact)
	})
}

// checkSame fails the test unless a of the input adata and b of the input bdata are the same
// value, and each scalar is written with the same bytes.
func checkSame(t *testing.T, a, b *fhirjson.Node, adata, bdata []byte) {
	t.Helper()
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Members) != len(b.Members) || len(a.Items) != len(b.Items) {
		t.Fatalf("%q and its compact form %q differ", adata, bdata)
	}
	if len(a.Members)+len(a.Items) == 0 && a.Kind != fhirjson.Object && a.Kind != fhirjson.Array &&
		!bytes.Equal(adata[a.Start:a.End], bdata[b.Start:b.End]) {
		t.Fatalf("%q was rewritten as %q", adata[a.Start:a.End], bdata[b.Start:b.End])
	}
	for i := range a.Members {
		if a.Members[i].Name != b.Members[i].Name {
			t.Fatalf("name %q became %q", a.Members[i].Name, b.Members[i].Name)
		}
		checkSame(t, &a.Members[i].Value, &b.Members[i].Value, adata, bdata)
	}
	for i := range a.Items {
		checkSame(t, &a.Items[i], &b.Items[i], adata, bdata)
	}
}

// observation is a resource of typical size and shape.
const observation = `{"resourceType":"Observation","id":"bmi-2024-03-05","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-bmi"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}],"text":"Vital Signs"}],"code":{"coding":[{"system":"http://loinc.org","code":"39156-5","display":"Body mass index (BMI) [Ratio]"}],"text":"BMI"},"subject":{"reference":"Patient/4f1c2e6a-7d55-4f0e-9a53-0c1de1f1b6aa","display":"Amy V. Shaw"},"encounter":{"reference":"Encounter/9a1e9b0c-0c1d-4e0e-8d3a-5f0a6b7c8d9e"},"effectiveDateTime":"2024-03-05T10:20:30-05:00","issued":"2024-03-05T10:25:00.000-05:00","performer":[{"reference":"Practitioner/2b9d8c7e-1a2b-4c3d-9e8f-7a6b5c4d3e2f","display":"Dr. Ronald Bone"}],"valueQuantity":{"value":24.30,"unit":"kg/m2","system":"http://unitsofmeasure.org","code":"kg/m2"},"referenceRange":[{"low":{"value":18.5,"unit":"kg/m2","system":"http://unitsofmeasure.org","code":"kg/m2"},"high":{"value":25.0,"unit":"kg/m2","system":"http://unitsofmeasure.org","code":"kg/m2"}}]}`

func BenchmarkParse(b *testing.B) {
	data := []byte(observation)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fhirjson.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompact(b *testing.B) {
	data := []byte(observation)
	buffer := make([]byte, 0, len(data))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		buffer = fhirjson.Compact(buffer[:0], data)
	}
}
