package httpapi_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// send sends a form as a page's form is sent, and follows where it leads.
func (w *world) sendForm(t *testing.T, path string, pairs ...string) *answer {
	t.Helper()
	a := w.at().send(t, "POST", path, form(pairs...), "Content-Type", formType, "Accept", "text/html", "Origin", w.URL(), "Sec-Fetch-Site", "same-origin")
	if a.status != 303 {
		return a
	}
	to, err := url.Parse(w.URL() + path)
	if err == nil {
		to, err = to.Parse(a.header.Get("Location"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return w.at().get(t, to.String(), "Accept", "text/html").want(t, 200)
}

// page checks that an answer is a page that says something; with a ! in front,
// that it does not.
func (a *answer) page(t *testing.T, status int, texts ...string) *answer {
	t.Helper()
	a.want(t, status).wantHeader(t, "Content-Type", "text/html; charset=utf-8")
	if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("%s: got Content-Security-Policy %q", a.request, policy)
	}
	for _, text := range texts {
		text, absent := strings.CutPrefix(text, "!")
		if strings.Contains(string(a.body), text) == absent {
			t.Errorf("%s: %q is there: %t", a.request, text, !absent)
		}
	}
	return a
}

var shownSecret = regexp.MustCompile(`id="client-secret">([^<]+)<`)

// The way that everyone goes, without a script: register, see the credentials,
// try them, submit, approve, use production (PB-01, PB-06, PB-14 to PB-22).
func TestPortalWithoutScript(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.at().get(t, "/", "Accept", "text/html").page(t, 200, "Backend Services", "Register New", `href="./services/new"`)
	w.at().get(t, "/services/new", "Accept", "text/html").page(t, 200, "JWKS URI", "Inline JWKS", "Client secret", "Not SMART Backend Services", "!redirect") // PB-03, PB-05, PB-25
	fields := []string{"name", "Claims fetcher", "authentication", "secret", "scope_version", "1", "type-1", "Patient", "op-1", "r", "op-1", "s"}
	w.sendForm(t, "/services", append(fields, "add", "1")...).page(t, 200, "system/Patient.read", `name="type-2"`) // PB-09, PB-12
	a := w.sendForm(t, "/services", append(fields, "save", "1")...).page(t, 200, "Copy the client secret now").wantHeader(t, "Cache-Control", "no-store")
	secret := shownSecret.FindStringSubmatch(string(a.body))
	services, err := w.Services(t.Context())
	if secret == nil || err != nil || len(services) == 0 {
		t.Fatalf("got secret %v, services %v, error %v", secret, services, err)
	}
	path := "/services/" + services[0].ID()
	w.at().get(t, path, "Accept", "text/html").page(t, 200, "Draft", "Submit for Review", w.FHIRURL(), "Its constants appear here once", "!"+secret[1])
	w.sendForm(t, path+"/try", "client_secret", secret[1]).page(t, 200, "Token request", "Request for data", "200 OK", "!"+secret[1])
	w.sendForm(t, path+"/try", "client_secret", "wrong").page(t, 200, "401 Unauthorized", "The secret is not that of client", "!Request for data")
	w.sendForm(t, path+"/submit").page(t, 200, "Under review", "!Submit for Review")
	w.sendForm(t, path+"/submit").page(t, 409, "cannot be submitted for review. It can be approved or rejected.") // PB-24
	w.at().get(t, "/admin", "Accept", "text/html").page(t, 200, "Claims fetcher", "read, search Patient")
	review := "/admin" + path
	w.sendForm(t, review+"/reject", "reason", " ").page(t, 400, "need a reason")
	w.sendForm(t, review+"/approve").page(t, 200, "Active", "Live in production")
	w.sendForm(t, path+"/try", "client_secret", secret[1], "environment", "production").page(t, 200, "/production/fhir/Patient", "200 OK")
	w.sendForm(t, path+"/edit", append(fields, "save", "1", "description", "More of it")...).page(t, 200, "Draft", "Live in production", "More of it") // PB-27
	w.sendForm(t, review+"/deactivate", "reason", "The contract has ended").page(t, 200, "Rejected", "The contract has ended")
	w.at().get(t, "/services/none", "Accept", "text/html").page(t, 404, "There is no such service.")
	for _, e := range w.Exchanges() {
		if strings.Contains(e.ResponseBody, secret[1]) || strings.Contains(e.RequestBody, secret[1]) {
			t.Errorf("the record of %s %s has the secret", e.Method, e.URL)
		}
	}
}

// Nothing is changed for a page of another site, by a name that is not the
// server's, or off loopback without the admin token.
func TestPortalIsGuarded(t *testing.T) {
	t.Parallel()
	w := start(t)
	id := w.DefaultClient().ID()
	for _, path := range []string{"/services", "/services/" + id + "/edit", "/services/" + id + "/submit", "/services/" + id + "/rotate-secret", "/services/" + id + "/delete", "/services/" + id + "/try",
		"/admin/services/" + id + "/approve", "/admin/services/" + id + "/reject", "/admin/services/" + id + "/deactivate",
		"/portal/api/services", "/portal/api/services/" + id + "/deactivate", "/portal/api/keys"} {
		for name, header := range map[string][]string{
			"another site":             {"Origin", "https://evil.example"},
			"another port":             {"Origin", "http://127.0.0.1:1"},
			"an origin that is hidden": {"Origin", "null"},
			"another site, no Origin":  {"Sec-Fetch-Site", "cross-site"},
			"another name":             {"Host", "evil.example"},
		} {
			a := w.at().send(t, "POST", path, "name=x", append([]string{"Content-Type", formType}, header...)...)
			if a.status != 403 {
				t.Errorf("%s from %s: got %d, want 403", path, name, a.status)
			}
		}
	}
	if state, err := w.DefaultClient().Service().State(t.Context()); err != nil || state.Status != sandbox.StatusActive {
		t.Errorf("the service is changed: %+v, %v", state, err)
	}
	guarded := start(t, sandbox.WithAdminToken("token-of-the-admin"))
	for _, path := range []string{"/", "/services/new", "/services/" + id, "/admin", "/portal/api/services"} {
		guarded.at().get(t, path).want(t, 401)
		guarded.at().get(t, path, "Authorization", "Bearer token-of-the-admin").want(t, 200)
	}
}
