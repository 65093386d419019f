//go:build unix

package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// BenchmarkPatch measures patches of a resource of 20 KB over HTTP, beside the
// update that would do the same.
func BenchmarkPatch(b *testing.B) {
	sb := sandbox.Start(b, sandbox.WithPatients(5))
	token, err := sb.DefaultClient().Token(b.Context(), "system/*.cruds")
	if err != nil {
		b.Fatal(err)
	}
	var components []string
	for i := range 100 {
		components = append(components, fmt.Sprintf(`{"code":{"coding":[{"system":"http://loinc.org","code":"%d-4","display":"Component %d"}],"text":"c%d"},"valueQuantity":{"value":%d.50,"unit":"mm[Hg]","system":"http://unitsofmeasure.org"}}`, 8000+i, i, i, i))
	}
	resource := `{"resourceType":"Observation","id":"large","status":"final","code":{"text":"x"},"component":[` + strings.Join(components, ",") + `]}`
	c := dial(b, sb.URL())
	request := func(method, contentType, body string) []byte {
		return fmt.Appendf(nil, "%s /fhir/Observation/large HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nPrefer: return=minimal\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			method, c.host, token.AccessToken, contentType, len(body), body)
	}
	update := request("PUT", "application/fhir+json", resource)
	c.do(b, update, "201")
	for _, bench := range []struct {
		name    string
		request []byte
	}{
		{"update", update},
		{"json-patch", request("PATCH", "application/json-patch+json", `[{"op":"test","path":"/status","value":"final"},{"op":"replace","path":"/component/99/valueQuantity/value","value":1.50}]`)},
		{"fhirpath-patch", request("PATCH", "application/fhir+json", `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},`+
			`{"name":"path","valueString":"Observation.component.where(code.text = 'c99').value.value"},{"name":"value","valueDecimal":1.50}]}]}`)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			before := cpu(b)
			for b.Loop() {
				c.do(b, bench.request, "200")
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}
