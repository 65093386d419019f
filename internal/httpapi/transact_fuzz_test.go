package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzTransact posts what may be a batch or a transaction: whatever it is, the
// answer is no failure of the server, and JSON.
func FuzzTransact(f *testing.F) {
	patient := `{"resourceType":"Patient","id":"x"}`
	for _, entries := range []string{
		does("POST", "Patient", named(1), patient), does("PUT", "Patient/x", patient) + "," + does("DELETE", "Patient/x"),
		does("GET", "Patient?_count=1"), does("PATCH", "Patient/x", `{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W10="}`),
		does("POST", "Basic", `{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient?identifier=1"}}`), `{}`, `null`, does("GET", "../auth/token"), does("GET", "//x"), does("GET", "%zz"), does("GET", "?"), does("GET", "#"),
	} {
		for _, typ := range []string{"batch", "transaction"} {
			f.Add(requests(typ, entries))
		}
	}
	w := start(f)
	f.Fuzz(func(t *testing.T, body string) {
		a := w.all.post(t, "", body)
		if a.status >= 500 || !json.Valid(a.body) || strings.Contains(string(a.body), `"status":"5`) {
			t.Errorf("%q: got %d %s", body, a.status, a.body)
		}
	})
}
