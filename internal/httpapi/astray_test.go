package httpapi_test

import (
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestDiscoveryAstray joins the names of discovery to base URLs that are none.
// Nobody needs a token to be told the right address, by D01.
func TestDiscoveryAstray(t *testing.T) {
	t.Parallel()
	w := start(t)
	const smart, issuer = "/.well-known/smart-configuration", "/.well-known/oauth-authorization-server"
	for _, c := range []struct {
		path, under, place string
		as                 refusedAs
	}{
		{"/fhir//.well-known/smart-configuration", "/fhir/", "/fhir" + smart, asOAuth},
		{"//fhir/.well-known/smart-configuration", "//fhir", "/fhir" + smart, asOAuth},
		{"/production//fhir/.well-known/smart-configuration", "/production//fhir", "/production/fhir" + smart, asOAuth},
		{"/fhir/Patient/.well-known/smart-configuration", "/fhir/Patient", "/fhir" + smart, asOAuth},
		{"/fhir/R4/.well-known/smart-configuration", "/fhir/R4", "/fhir" + smart, asOAuth},
		{"/auth/.well-known/smart-configuration", "/auth", "/fhir" + smart, asOAuth},
		{"/.well-known/smart-configuration/fhir", "/fhir", "/fhir" + smart, asOAuth},
		{"/production/.well-known/smart-configuration", "/production", "/production/fhir" + smart, asOAuth},
		{"/production/fhir/x/.well-known/smart-configuration/", "/production/fhir/x", "/production/fhir" + smart, asOAuth},
		{"/fhir/R4/metadata", "/fhir/R4", "/fhir/metadata", asFHIR},
		{"/fhir/Patient/x/metadata", "/fhir/Patient/x", "/fhir/metadata", asFHIR},
		{"/fhir//metadata", "/fhir/", "/fhir/metadata", asFHIR},
		{"/production/fhir/fhir/metadata", "/production/fhir/fhir", "/production/fhir/metadata", asFHIR},
		{"/metadata", "/", "/fhir/metadata", asPlain},
		{"/production/metadata", "/production", "/production/fhir/metadata", asPlain},
		{issuer, "/", issuer + "/auth", asOAuth},
		{issuer + "/fhir", "/fhir", issuer + "/auth", asOAuth},
		{issuer + "/production", "/production", issuer + "/production/auth", asOAuth},
		{"/production" + issuer, "/production", issuer + "/production/auth", asOAuth},
		{"/auth" + issuer, "/auth", issuer + "/auth", asOAuth},
		{"/fhir" + issuer, "/fhir", issuer + "/auth", asOAuth},
	} {
		t.Run("SB-DISC-01 D01 "+c.path, func(t *testing.T) {
			a := w.at().send(t, "GET", c.path, "")
			c.as(t, a, 404)
			if got := a.reason(t); !strings.HasPrefix(got, "D01: No ") || !strings.Contains(got, " under "+c.under) || !strings.Contains(got, w.URL()+c.place) {
				t.Errorf("got %q, want D01 with %s and %s", got, c.under, w.URL()+c.place)
			}
			wantExplained(t, w.at(), a)
			if failed, ok := w.lastRefused(t).Failed(); !ok || failed.ID != "D01" || !strings.Contains(failed.Explanation(), "you asked "+w.URL()+c.path) || strings.Contains(failed.Explanation(), "two slashes") != strings.Contains(c.path, "//") {
				t.Errorf("the exchange has the check %+v", failed)
			}
			w.at().get(t, c.place).want(t, 200)
		})
	}
	t.Run("a resource whose id is metadata", func(t *testing.T) {
		w.all.put(t, "/Patient/metadata", patient("metadata")).want(t, 201)
		w.all.get(t, "/Patient/metadata").want(t, 200)
		w.stranger().get(t, "/Patient/metadata").refused(t, 401, "login")
	})
	t.Run("production's key set", func(t *testing.T) {
		if e := w.at().get(t, "/production/.well-known/jwks.json").oauth(t, 404, "invalid_request"); !strings.Contains(e.Description, w.URL()+"/production/auth/jwks") {
			t.Errorf("got %q, want the address of production's", e.Description)
		}
	})
	for _, c := range []struct{ path, right string }{
		{"/fhir//Patient?name=x", "/fhir/Patient"}, {"//fhir/Patient", "/fhir/Patient"}, {"/fhir/Patient//x%2F", "/fhir/Patient/x%2F"}, {"/fhir//", "/fhir/"},
		{"/production//fhir//Patient/$export", "/production/fhir/Patient/$export"},
	} {
		t.Run("two slashes in "+c.path, func(t *testing.T) {
			for _, p := range []party{w.at(), w.at().as(w.all.token)} {
				i := p.send(t, "GET", w.URL()+c.path, "").refused(t, 404, "not-found")
				if !strings.Contains(i.Diagnostics, "two slashes") || !strings.HasSuffix(i.Diagnostics, "Ask for "+c.right) {
					t.Errorf("got %q, want it to say that and %s", i.Diagnostics, c.right)
				}
			}
		})
	}
	asPlain(t, w.at().get(t, "/_sandbox//clock"), 404)
	w.at().search(t, "//auth/token", "").oauth(t, 404, "invalid_request")
}

// TestNoRegistrationInProduction proves that whoever wants to register in
// production is told where to (SB-DISC-13, D06).
func TestNoRegistrationInProduction(t *testing.T) {
	t.Parallel()
	w := start(t)
	var doc struct {
		Registration string `json:"registration_endpoint"`
	}
	w.at().get(t, "/production/fhir/.well-known/smart-configuration").want(t, 200).decode(t, &doc)
	if doc.Registration != "" {
		t.Errorf("production's discovery has the registration endpoint %s", doc.Registration)
	}
	for _, c := range []struct{ method, path string }{{"POST", "/production/auth/register"}, {"GET", "/production/auth/register"}, {"GET", "/production/auth/register/x"}} {
		t.Run("D06 "+c.method+" "+c.path, func(t *testing.T) {
			a := w.at().send(t, c.method, c.path, "{}", "Content-Type", "application/json")
			if e := a.oauth(t, 404, "invalid_request"); !strings.HasPrefix(e.Description, "D06: This payer has no dynamic registration") || !strings.Contains(e.Description, w.URL()+"/auth/register") {
				t.Errorf("got %q, want D06 with the sandbox's endpoint", e.Description)
			}
			if failed, ok := w.lastRefused(t).Failed(); !ok || failed.ID != "D06" || !strings.Contains(failed.Explanation(), w.URL()+"/") {
				t.Errorf("the exchange has the check %+v", failed)
			}
		})
	}
}

// lastRefused is the latest exchange that was refused.
func (w *world) lastRefused(t *testing.T) sandbox.Exchange {
	t.Helper()
	list := w.Exchanges(sandbox.Exchange.Refused)
	if len(list) == 0 {
		t.Fatal("no exchange was refused")
	}
	return list[len(list)-1]
}
