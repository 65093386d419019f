package patch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/patch"
)

// large is an Observation of 20 KB.
func large() string {
	var components []string
	for i := range 100 {
		components = append(components, fmt.Sprintf(`{"code":{"coding":[{"system":"http://loinc.org","code":"%d-4","display":"Component %d"}],"text":"c%d"},"valueQuantity":{"value":%d.50,"unit":"mm[Hg]","system":"http://unitsofmeasure.org"}}`, 8000+i, i, i, i))
	}
	return `{"resourceType":"Observation","id":"o","status":"preliminary","code":{"text":"x"},"component":[` + strings.Join(components, ",") + `]}`
}

// BenchmarkApply patches a resource of 20 KB in three places, beside reading it.
func BenchmarkApply(b *testing.B) {
	resource := []byte(large())
	jsonPatch, err := patch.ParseJSON([]byte(`[{"op":"test","path":"/status","value":"preliminary"},{"op":"replace","path":"/status","value":"final"},{"op":"add","path":"/component/99/interpretation","value":[{"text":"high"}]}]`))
	if err != nil {
		b.Fatal(err)
	}
	pathPatch, err := parseParameters([]byte(parameters(replace("Observation.status", `"valueCode":"final"`), remove("Observation.component[98].valueQuantity.unit"), add("Observation.component.where(code.text = 'c99')", "interpretation", `"valueCodeableConcept":{"text":"high"}`))))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(resource)))
		for b.Loop() {
			if _, err := fhirjson.Parse(resource); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, p := range map[string]*patch.Patch{"json-patch": jsonPatch, "fhirpath-patch": pathPatch} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(resource)))
			for b.Loop() {
				if _, err := p.Apply(resource); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
