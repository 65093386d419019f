package fhirwrite_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/fhirwrite"
)

func TestWriter(t *testing.T) {
	t.Parallel()
	noon := time.Date(2024, 2, 29, 12, 5, 9, 7_000_000, time.UTC)
	cases := []struct {
		name  string
		write func(w *fhirwrite.Writer)
		want  string
	}{
		{"siblings are separated by commas", func(w *fhirwrite.Writer) { w.Bool("a", true); w.Int("b", -2) }, `{"a":true,"b":-2}`},
		{"items of an array have no names", func(w *fhirwrite.Writer) { w.Strings("l", "x", "y") }, `{"l":["x","y"]}`},
		{"a value that ends like an opening brace", func(w *fhirwrite.Writer) { w.String("a", "{"); w.String("b", "[") }, `{"a":"{","b":"["}`},
		{"quotes, control characters and UTF-8", func(w *fhirwrite.Writer) { w.String("a", "O\"B\\\n\x01é<&") }, `{"a":"O\"B\\\n\u0001é<&"}`},
		{"decimals keep their places", func(w *fhirwrite.Writer) { w.Decimal("a", fhirwrite.Decimal{Units: 70, Places: 1}) }, `{"a":7.0}`},
		{"decimals below one", func(w *fhirwrite.Writer) { w.Decimal("a", fhirwrite.Decimal{Units: 5, Places: 2}) }, `{"a":0.05}`},
		{"negative decimals", func(w *fhirwrite.Writer) { w.Decimal("a", fhirwrite.Decimal{Units: -1234, Places: 3}) }, `{"a":-1.234}`},
		{"date, dateTime and instant", func(w *fhirwrite.Writer) { w.Date("a", noon); w.DateTime("b", noon); w.Instant("c", noon) },
			`{"a":"2024-02-29","b":"2024-02-29T12:05:09Z","c":"2024-02-29T12:05:09.007Z"}`},
		{"a concept without codes", func(w *fhirwrite.Writer) { w.Concept("a", fhirwrite.Concept{Text: "t"}) }, `{"a":{"text":"t"}}`},
		{"a concept with codes", func(w *fhirwrite.Writer) {
			w.Concepts("a", fhirwrite.Concept{Codings: []fhirwrite.Coding{{System: "s", Code: "c", Display: "d"}, {Code: "e"}}})
		}, `{"a":[{"coding":[{"system":"s","code":"c","display":"d"},{"code":"e"}]}]}`},
		{"one coding", func(w *fhirwrite.Writer) { w.CodedList("a", fhirwrite.Coding{System: "s", Code: "c"}) }, `{"a":[{"coding":[{"system":"s","code":"c"}]}]}`},
		{"references are literal and relative", func(w *fhirwrite.Writer) { w.Reference("a", "Patient", "p", ""); w.Reference("b", "Patient", "p", "P") },
			`{"a":{"reference":"Patient/p"},"b":{"reference":"Patient/p","display":"P"}}`},
		{"quantities are UCUM", func(w *fhirwrite.Writer) {
			w.Quantity("a", fhirwrite.Quantity{Value: fhirwrite.Decimal{Units: 3}, Unit: "mmHg", Code: "mm[Hg]"})
		}, `{"a":{"value":3,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}`},
		{"money is in cents", func(w *fhirwrite.Writer) { w.Money("a", 1205) }, `{"a":{"value":12.05,"currency":"USD"}}`},
		{"an open period", func(w *fhirwrite.Writer) { w.Period("a", noon, time.Time{}); w.Days("b", noon, noon) },
			`{"a":{"start":"2024-02-29T12:05:09Z"},"b":{"start":"2024-02-29","end":"2024-02-29"}}`},
		{"a period without start", func(w *fhirwrite.Writer) { w.Days("a", time.Time{}, noon) }, `{"a":{"end":"2024-02-29"}}`},
		{"identifiers and contacts", func(w *fhirwrite.Writer) {
			w.Identifier("a", fhirwrite.Identifier{System: "s", Value: "v"})
			w.Identifier("b", fhirwrite.Identifier{Use: "usual", Type: fhirwrite.Coding{System: "s", Code: "MR"}, System: "s", Value: "v"})
			w.Contact("c", "phone", "1", "")
			w.Contact("d", "phone", "1", "home")
		}, `{"a":{"system":"s","value":"v"},"b":{"use":"usual","type":{"coding":[{"system":"s","code":"MR"}]},"system":"s","value":"v"},` +
			`"c":{"system":"phone","value":"1"},"d":{"system":"phone","value":"1","use":"home"}}`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var w fhirwrite.Writer
			w.String("", "left over")
			w.Reset()
			w.Object("")
			tc.write(&w)
			w.End()
			if got := string(w.Bytes()); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if !json.Valid(w.Bytes()) {
				t.Errorf("not JSON: %s", w.Bytes())
			}
		})
	}
}
