package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestMethodsAndAllow proves that what a 405 says of a path is what the router
// does there: exactly the methods in Allow are served (FR-GE-02).
func TestMethodsAndAllow(t *testing.T) {
	t.Parallel()
	w := start(t)
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	for _, c := range []struct{ path, allow string }{
		{"/livez", "GET, HEAD"},
		{"/", "GET, HEAD"},
		{"/_sandbox/clock", "GET, HEAD, POST"},
		{"/_sandbox/exchanges", "GET, HEAD"},
		{"/_sandbox/exchanges/x", "GET, HEAD"},
		{"/_sandbox/style.css", "GET, HEAD"},
		{"/auth/jwks", "GET, HEAD"},
		{"/auth/register", "POST"},
		{"/auth/register/x", "GET, HEAD, PUT, DELETE"},
		{"/.well-known/jwks.json", "GET, HEAD"},
		{"/.well-known/oauth-authorization-server/auth", "GET, HEAD"},
		{"/.well-known/oauth-authorization-server/production/auth", "GET, HEAD"},
		{"/fhir/.well-known/smart-configuration", "GET, HEAD"},
		{"/fhir/metadata", "GET, HEAD"},
		{"/fhir/$export", "GET, POST"},
		{"/fhir/Patient/$export", "GET, POST"},
		{"/fhir/Group/x/$export", "GET, POST"},
		{"/_sandbox/clock/", "GET, HEAD, POST"},
		{"/fhir/_export/x", "GET, HEAD, DELETE"},
		{"/fhir/_export/x/1/Patient.ndjson", "GET, HEAD"},
		{"/fhir/Patient", "GET, HEAD, POST, PUT, PATCH, DELETE"},
		{"/fhir/Patient/", "GET, HEAD, POST, PUT, PATCH, DELETE"},
		{"/production/.well-known/oauth-authorization-server/auth", "GET, HEAD"},
		{"/fhir/Patient/x", "GET, HEAD, PUT, PATCH, DELETE"},
		{"/fhir/Patient/_search", "POST"},
		{"/fhir", "GET, HEAD, POST"},
		{"/fhir/_search", "POST"},
		{"/fhir/Patient/x/Observation", "GET, HEAD"},
		{"/fhir/Patient/x/_history", "GET, HEAD"},
		{"/fhir/Patient/x/_history/1", "GET, HEAD"},
	} {
		t.Run(c.path, func(t *testing.T) {
			var served []string
			for _, method := range methods {
				p := w.at()
				if strings.HasPrefix(c.path, "/fhir") {
					p = w.all
				}
				a := p.send(t, method, w.URL()+c.path, "")
				if a.status != http.StatusMethodNotAllowed {
					served = append(served, method)
					continue
				}
				a.wantHeader(t, "Allow", c.allow)
			}
			want := strings.Split(c.allow, ", ")
			slices.Sort(want)
			slices.Sort(served)
			if !slices.Equal(served, want) {
				t.Errorf("served are %v, want %v", served, want)
			}
		})
	}
	for _, path := range []string{"/nothing", "/fhir/$nothing", "/fhir/Patient/$nothing", "/fhir/Patient/x/$nothing", "/fhir/_nothing", "/fhir/Patient/_nothing", "/fhir/.nothing", "/fhir/.well-known/nothing", "/.well-known/nothing", "/auth/nothing", "/auth", "/_sandbox/nothing", "/w"} {
		t.Run("nothing at "+path, func(t *testing.T) {
			for _, method := range methods {
				w.all.send(t, method, w.URL()+path, "").want(t, 404)
			}
		})
	}
}

// TestRefusalsFollowTheirPath proves that a path has one kind of client,
// whether a route serves it or not.
func TestRefusalsFollowTheirPath(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		method, path string
		as           refusedAs
		status       int
	}{
		{"DELETE", "/fhir/metadata", asFHIR, 405},
		{"POST", "/fhir/Patient/x", asFHIR, 405},
		{"GET", "/fhir/Patient/x/y/z/nothing", asFHIR, 404},
		{"GET", "/fhir/Patient/nobody", asFHIR, 404},
		{"GET", "/fhir/$nothing", asFHIR, 404},
		{"DELETE", "/fhir/.well-known/smart-configuration", asOAuth, 405},
		{"GET", "/fhir/.well-known/nothing", asOAuth, 404},
		{"GET", "/.well-known/nothing", asOAuth, 404},
		{"GET", "/production/.well-known/smart-configuration", asOAuth, 404},
		{"GET", "/.well-known/oauth-authorization-server/nobody", asOAuth, 404},
		{"GET", "/auth/nothing", asOAuth, 404},
		{"GET", "/auth/register", asOAuth, 405},
		{"GET", "/auth", asOAuth, 404},
		{"GET", "/authx", asPlain, 404},
		{"GET", "/fhirx", asPlain, 404},
		{"DELETE", "/_sandbox/clock", asPlain, 405},
		{"DELETE", "/livez", asPlain, 405},
		{"GET", "/_sandbox/exchanges/none", asPlain, 404},
		{"GET", "/nothing", asPlain, 404},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			a := w.all.send(t, c.method, w.URL()+c.path, "")
			c.as(t, a, c.status)
			wantExplained(t, w.at(), a)
		})
	}
}

// TestInteractionsThatAreNotOffered proves that what FHIR R4 has and this server
// has not is refused by its name, as docs/strictness.md says.
func TestInteractionsThatAreNotOffered(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		method, path, words string
		status              int
	}{
		{"GET", "/Encounter/x/$everything", "the operation $everything is not offered", 404},
		{"POST", "/Patient/$match", "the operation $match is not offered", 404},
	} {
		t.Run("FR-ER-05 "+c.method+" "+c.path, func(t *testing.T) {
			w.stranger().send(t, c.method, c.path, "{}", "Content-Type", fhirJSON).refused(t, 401, "login")
			a := w.all.send(t, c.method, c.path, "{}", "Content-Type", fhirJSON)
			if i := a.refused(t, c.status, "not-supported"); !strings.HasPrefix(i.Diagnostics, c.words) {
				t.Errorf("got %q, want %q", i.Diagnostics, c.words)
			}
			if got := a.header.Get("Allow"); (got != "") != (c.status == 405) {
				t.Errorf("FR-GE-02: got Allow %q with status %d", got, c.status)
			}
		})
	}
}
