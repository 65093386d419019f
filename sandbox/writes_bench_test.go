//go:build unix

package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// BenchmarkWrites measures creates over HTTP: one by one, and a hundred in a
// batch and in a transaction, where each refers to the one before. Times are by
// resource.
func BenchmarkWrites(b *testing.B) {
	const many = 100
	sb := sandbox.Start(b, sandbox.WithPatients(5))
	token, err := sb.DefaultClient().Token(b.Context(), "system/*.cruds")
	if err != nil {
		b.Fatal(err)
	}
	c := dial(b, sb.URL())
	request := func(path, body string) []byte {
		return fmt.Appendf(nil, "POST /fhir%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nPrefer: return=minimal\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n%s",
			path, c.host, token.AccessToken, len(body), body)
	}
	observation := func(member string) string {
		return `{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],` +
			`"code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},"subject":{"reference":"Patient/x"},"effectiveDateTime":"2026-01-31T08:00:00Z",` +
			`"valueQuantity":{"value":72,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}` + member + `}`
	}
	bundle := func(typ string, linked bool) string {
		var entries []string
		for i := range many {
			name, member := fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", i), ""
			if linked && i > 0 {
				member = fmt.Sprintf(`,"hasMember":[{"reference":"urn:uuid:00000000-0000-4000-8000-%012d"}]`, i-1)
			}
			entries = append(entries, `{"fullUrl":"`+name+`","request":{"method":"POST","url":"Observation"},"resource":`+observation(member)+`}`)
		}
		return `{"resourceType":"Bundle","type":"` + typ + `","entry":[` + strings.Join(entries, ",") + `]}`
	}
	c.do(b, request("/Observation", observation("")), "201") // the first write copies the population's database
	for _, bench := range []struct {
		name, status string
		request      []byte
		resources    int
	}{
		{"create", "201", request("/Observation", observation("")), 1},
		{"batch", "200", request("", bundle("batch", false)), many},
		{"transaction", "200", request("", bundle("transaction", true)), many},
	} {
		b.Run(bench.name, func(b *testing.B) {
			before := cpu(b)
			for b.Loop() {
				c.do(b, bench.request, bench.status)
			}
			resources := float64(b.N * bench.resources)
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/resources, "cpu-us/resource")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/resources, "us/resource")
			b.ReportMetric(0, "ns/op")
		})
	}
}
