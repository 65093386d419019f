package httpapi_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/httpapi"
	"github.com/sandfhir/sandfhir/sandbox"
)

// fill puts something in the place of a path's parameters.
func fill(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, ":") {
			segments[i] = "x"
		}
	}
	return strings.Join(segments, "/")
}

// prefixes are what a guarded path can stand below.
func prefixes() []string { return []string{"", "/production", "/w/one", "/w/one/production"} }

// No control and no page of the portal is there without the admin token where
// there is one, and none for a page of another site or under a foreign name.
func TestEveryControlIsGuarded(t *testing.T) {
	t.Parallel()
	routes := httpapi.GuardedRoutes()
	if len(routes) < 80 {
		t.Fatalf("only %d routes are guarded", len(routes))
	}
	const secret = "correct-horse-battery-staple"
	locked, open := start(t, sandbox.WithAdminToken(secret)), start(t)
	for _, w := range []*world{locked, open} {
		if _, err := w.NewWorld(t.Context(), sandbox.WorldConfig{Name: "one", Empty: true}); err != nil {
			t.Fatal(err)
		}
	}
	port := func(w *world) string {
		u, err := url.Parse(w.URL())
		if err != nil {
			t.Fatal(err)
		}
		return u.Port()
	}
	for _, r := range routes {
		for _, prefix := range prefixes() {
			path := prefix + fill(r.Path)
			locked.at().send(t, r.Method, path, "").want(t, 401)
			locked.at().send(t, r.Method, path, "", "Authorization", "Bearer "+locked.all.token).want(t, 401)
			locked.at().send(t, r.Method, path, "", "Authorization", "Bearer "+secret, "Origin", "https://evil.example").want(t, 403)
			for _, header := range [][]string{
				{"Origin", "https://evil.example"}, {"Origin", "null"},
				{"Host", "evil.example:" + port(open)}, {"Host", "evil.example", "Origin", "http://evil.example"},
			} {
				open.at().send(t, r.Method, path, "", header...).want(t, 403)
			}
			if r.Method != "GET" { // a link on another site may lead here, and its page cannot read the answer
				open.at().send(t, r.Method, path, "", "Sec-Fetch-Site", "cross-site").want(t, 403)
				open.at().send(t, r.Method, path, "", "Sec-Fetch-Site", "same-site").want(t, 403)
			}
		}
	}
}

// What is open to everyone is open on purpose.
func TestPublicRoutes(t *testing.T) {
	t.Parallel()
	want := []string{
		"GET /livez", "GET /readyz", // for those who watch over the process
		"GET /_sandbox/keys/:name/jwks.json", // a key set is public
		"GET /_sandbox/exchanges/:id",        // an error leads its client there; nobody guesses the id
		"GET /Session", "DELETE /Session",    // for whoever has the access token
		"GET /_sandbox/ca.pem",
		"GET /_sandbox/style.css", "GET /_sandbox/script.js", "GET /_sandbox/keys.js", "GET /_sandbox/icon.svg", "GET /favicon.ico",
	}
	got := httpapi.PublicRoutes()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
