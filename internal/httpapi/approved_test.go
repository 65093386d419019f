package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// L02: whoever was approved and still calls the sandbox sees it in the explanation of every such
// call, with their number and production's URLs.
func TestApprovedClientsAreToldOfProduction(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "app", Scopes: []string{"system/Patient.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	warned := func(path string) (warnings []string) {
		t.Helper()
		e := w.explain(t, w.latest(t).ID)
		if !strings.HasSuffix(e.URL, path) {
			t.Fatalf("the latest exchange is %s, want %s", e.URL, path)
		}
		for _, check := range e.Checks {
			if check.ID == "L02" && check.Result == "warn" {
				warnings = append(warnings, check.Text+" "+check.Fix)
			}
		}
		return warnings
	}
	if _, err := c.Token(t.Context()); err != nil || warned("/auth/token") != nil {
		t.Fatalf("before the approval: %v, %q", err, warned("/auth/token"))
	}
	if _, err := w.Production().RegisterClient(t.Context(), sandbox.ClientConfig{ID: "app"}); err != nil {
		t.Fatal(err)
	}
	told := func(path string, calls int) {
		t.Helper()
		count := fmt.Sprintf(": %d calls since then.", calls)
		if calls == 1 {
			count = ": 1 call since then."
		}
		got := warned(path)
		if len(got) != 1 || !strings.Contains(got[0], count) || !strings.Contains(got[0], w.Production().TokenURL()) || !strings.Contains(got[0], w.Production().FHIRURL()) {
			t.Errorf("got %q, want %q and production's URLs", got, count)
		}
	}
	token, err := c.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told("/auth/token", 1)
	p := party{web: w.web, base: w.FHIRURL(), token: token.AccessToken}
	p.get(t, "/Patient?_count=1").want(t, 200)
	told("/fhir/Patient?_count=1", 2)
	p.get(t, "/Group").refused(t, 403, "forbidden")
	told("/fhir/Group", 3)
}
