package httpapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// setClock changes the workspace clock over HTTP.
func (w *world) setClock(t *testing.T, change string, header ...string) *answer {
	t.Helper()
	return w.at().send(t, "POST", "/_sandbox/clock", change, append([]string{"Content-Type", "application/json"}, header...)...)
}

// TestClockAges proves that the workspace clock ages what the server issued,
// and does not lock clients out that sign by real time.
func TestClockAges(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := w.service(t, nil, "system/*.rs")
	ask := func(t *testing.T) party {
		t.Helper()
		token := w.at().askToken(t, w.TokenURL(), me.assertion(t, me.id, w.TokenURL(), withClaim("iat", inSeconds(0)), withClaim("nbf", inSeconds(0))), "system/*.rs").granted(t, "system/*.rs")
		return party{web: w.web, base: w.FHIRURL(), token: token.AccessToken}
	}
	p := ask(t)
	status := p.kickOff(t, "/Patient/$export")
	m := p.finish(t, status)

	var state struct {
		Now    string
		Frozen bool
	}
	before := w.Clock().Now()
	w.setClock(t, `{"advance":"4m"}`).want(t, 200).decode(t, &state)
	if d := instant(t, state.Now).Sub(before); d < 239*time.Second || d > 5*time.Minute {
		t.Errorf("the clock moved by %v, want 4m", d)
	}
	p.get(t, "/Patient").want(t, 200)
	w.setClock(t, `{"advance":"61s"}`).want(t, 200)
	a := p.get(t, "/Patient")
	a.refused(t, 401, "expired") // SB-RS-03
	a.challenge(t, "invalid_token")
	p.get(t, status).refused(t, 401, "expired")
	p.get(t, m.Output[0].URL).refused(t, 401, "expired")

	p = ask(t) // by real time, whatever the clock shows
	p.get(t, "/Patient").want(t, 200)
	p.get(t, status).want(t, 200)
	p.get(t, m.Output[0].URL).want(t, 200)

	w.setClock(t, `{"advance":"25h"}`).want(t, 200)
	p = ask(t)
	p.get(t, status).refused(t, 404, "not-found")
	p.get(t, m.Output[0].URL).refused(t, 404, "not-found")

	for _, change := range []string{`{"advance":"-720h"}`, `{"set":"2031-01-31T08:00:00Z"}`, `{"set":"2019-01-31T08:00:00+02:00","freeze":true}`} {
		w.setClock(t, change).want(t, 200)
		ask(t).get(t, "/Patient").want(t, 200)
	}
	w.at().get(t, "/_sandbox/clock").want(t, 200).decode(t, &state)
	if !state.Frozen || !instant(t, state.Now).Equal(time.Date(2019, 1, 31, 6, 0, 0, 0, time.UTC)) {
		t.Errorf("got %+v, want it frozen as it was set", state)
	}
	if written := w.grant(t, "system/*.cruds").put(t, "/Patient/mine", patient("mine")).want(t, 201).resource(t); written.at(t).Before(instant(t, "2026-01-01T00:00:00Z")) {
		t.Errorf("FR-GE-11: a write got %s, which is before the newest of the population", written.Meta.LastUpdated)
	}
	w.setClock(t, `{"freeze":false}`).want(t, 200).decode(t, &state)
	if state.Frozen {
		t.Error("the clock is still frozen")
	}

	stale := me.assertion(t, me.id, w.TokenURL(), withClaim("exp", inSeconds(-60)))
	w.at().askToken(t, w.TokenURL(), stale, "system/*.rs").oauth(t, 400, "invalid_client") // real time counts the other way, too
}

// TestClockRefusals reads what a mistaken body is told.
func TestClockRefusals(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct{ body, want string }{
		{`[]`, "the body is an array and has to be an object"},
		{`{"advance":5}`, "advance cannot be a number"},
		{`{"now":"2026-01-31T08:00:00Z"}`, `unknown field \"now\"`},
		{`{"advance":"soon"}`, "advance has to be a duration such as 10m"},
		{`{"set":"tomorrow"}`, "set has to be an instant"},
	} {
		if a := w.setClock(t, c.body).want(t, 400); !strings.Contains(string(a.body), c.want) || strings.Contains(string(a.body), "struct") {
			t.Errorf("%s: got %s, want %s", c.body, a.body, c.want)
		}
	}
}

// TestControlsAndForeignPages proves that a web page of another site cannot use
// the controls through its reader's browser.
func TestControlsAndForeignPages(t *testing.T) {
	t.Parallel()
	w := start(t)
	root, err := url.Parse(w.URL())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"no Origin", nil, 200},
		{"own Origin", []string{"Origin", w.URL()}, 200},
		{"localhost", []string{"Host", "localhost:" + root.Port(), "Origin", "http://localhost:" + root.Port()}, 200},
		{"IPv6 loopback", []string{"Host", "[::1]:" + root.Port()}, 200},
		{"Origin of another site", []string{"Origin", "https://evil.example"}, 403},
		{"Origin of another port", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"Origin of a page without one", []string{"Origin", "null"}, 403},
		{"Origin with our name as a part", []string{"Origin", "http://" + root.Host + ".evil.example"}, 403},
		{"Host of another name", []string{"Host", "evil.example:" + root.Port()}, 403},
		{"Host and Origin of another name", []string{"Host", "evil.example", "Origin", "http://evil.example"}, 403},
		{"Host with localhost as a part", []string{"Host", "localhost.evil.example"}, 403},
		{"forwarded Host", []string{"Host", "evil.example", "X-Forwarded-Host", "localhost"}, 403},
		{"cross-site fetch", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.setClock(t, `{"advance":"0s"}`, c.header...).want(t, c.status)
			w.at().get(t, "/_sandbox/exchanges", c.header...).want(t, c.status)
			w.at().get(t, "/", c.header...).want(t, c.status)
			w.at().get(t, "/fhir/.well-known/smart-configuration", c.header...).want(t, 200) // these are for everyone
			w.at().get(t, "/fhir/Patient", append([]string{"Authorization", "Bearer " + w.all.token}, c.header...)...).want(t, 200)
		})
	}
	t.Run("no CORS for the controls", func(t *testing.T) {
		for _, path := range []string{"/_sandbox/clock", "/_sandbox/exchanges", "/"} {
			a := w.at().get(t, path, "Origin", "https://evil.example")
			pre := w.at().send(t, http.MethodOptions, path, "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
			for _, got := range []*answer{a, pre} {
				if allowed := got.header.Get("Access-Control-Allow-Origin"); allowed != "" {
					t.Errorf("%s: got Access-Control-Allow-Origin %q, want none", got.request, allowed)
				}
			}
		}
	})
}

// TestForeignPagesUnderABaseURL proves that a name that leads to this machine
// (DNS rebinding) does not open the controls where the server knows its own.
func TestForeignPagesUnderABaseURL(t *testing.T) {
	t.Parallel()
	_, p := listen(t, sandbox.WithBaseURL("https://sandbox.example.org/smart"))
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"loopback", nil, 200},
		{"loopback and its Origin", []string{"Origin", p.base}, 200},
		{"localhost", []string{"Host", "localhost:4711"}, 200},
		{"own name", []string{"Host", "sandbox.example.org"}, 200},
		{"own name and its Origin", []string{"Host", "sandbox.example.org", "Origin", "https://sandbox.example.org"}, 200},
		{"own name with port", []string{"Host", "Sandbox.Example.Org:8080"}, 200},
		{"Origin of the own name through a proxy", []string{"Origin", "https://sandbox.example.org"}, 200},
		{"another name", []string{"Host", "evil.example"}, 403},
		{"another name and its Origin", []string{"Host", "evil.example", "Origin", "http://evil.example"}, 403},
		{"another name and our Origin", []string{"Host", "evil.example", "Origin", "https://sandbox.example.org"}, 403},
		{"own name as a part", []string{"Host", "sandbox.example.org.evil.example"}, 403},
		{"own name and another Origin", []string{"Host", "sandbox.example.org", "Origin", "http://evil.example"}, 403},
		{"forwarded own name", []string{"Host", "evil.example", "X-Forwarded-Host", "sandbox.example.org"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.get(t, "/_sandbox/exchanges", c.header...).want(t, c.status)
			p.get(t, "/", c.header...).want(t, c.status)
			p.send(t, "POST", "/_sandbox/clock", `{"advance":"0s"}`, c.header...).want(t, c.status)
			p.get(t, "/fhir/metadata", c.header...).want(t, 200)
		})
	}
}

// TestForeignNamesWithAnAdminToken: who has the token may come by any name.
func TestForeignNamesWithAnAdminToken(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery-staple"
	_, p := listen(t, sandbox.WithAdminToken(secret), sandbox.WithBaseURL("https://sandbox.example.org"))
	p.get(t, "/_sandbox/exchanges", "Host", "other.example").want(t, 401)
	p.get(t, "/_sandbox/exchanges", "Host", "other.example", "Authorization", "Bearer "+secret).want(t, 200)
}

func TestAdminToken(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery-staple"
	w := start(t, sandbox.WithAdminToken(secret))
	refusal := w.stranger().get(t, "/Patient").want(t, 401)
	page := strings.TrimPrefix(strings.SplitN(refusal.header.Get("Link"), ">", 2)[0], "<")
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	guarded := []struct{ method, path, body string }{
		{"GET", "/", ""}, {"GET", "/_sandbox/clock", ""}, {"POST", "/_sandbox/clock", `{"advance":"0s"}`}, {"GET", "/_sandbox/exchanges", ""},
	}
	for _, g := range guarded {
		t.Run(g.method+" "+g.path, func(t *testing.T) {
			for name, header := range map[string][]string{
				"nothing": nil, "wrong token": bearer("wrong"), "a part of it": bearer(secret[:20]), "empty token": {"Authorization", "Bearer "},
				"FHIR token": bearer(w.all.token), "token without its scheme": {"Authorization", secret}, "token of another scheme": {"Authorization", "Token " + secret}, "Basic": {"Authorization", "Basic " + basic("admin", secret)}, "wrong cookie": {"Cookie", "sandfhir-admin=wrong"}, "empty cookie": {"Cookie", "sandfhir-admin="},
			} {
				a := w.at().send(t, g.method, g.path, g.body, header...)
				if a.status != 401 || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
					t.Errorf("%s: got status %d and WWW-Authenticate %q, want 401", name, a.status, a.header.Get("WWW-Authenticate"))
				}
			}
			w.at().send(t, g.method, g.path+"?admin=wrong", g.body).want(t, 401)
			w.at().send(t, g.method, g.path+"?admin=", g.body).want(t, 401)
			w.at().send(t, g.method, g.path, g.body, bearer(secret)...).want(t, 200)
			w.at().send(t, g.method, g.path, g.body, "Authorization", "bearer  "+secret).want(t, 200) // RFC 9110 sections 11.1 and 11.4
			w.at().send(t, g.method, g.path, g.body, append(bearer(secret), "Origin", "https://evil.example")...).want(t, 403)
		})
	}
	t.Run("portal link", func(t *testing.T) {
		a := w.at().get(t, w.PortalURL())
		if a.status == 303 || a.status == 302 {
			if location := a.header.Get("Location"); strings.Contains(location, secret) {
				t.Errorf("got Location %q with the token in it", location)
			}
		} else {
			a.want(t, 200)
		}
		set := (&http.Response{Header: a.header}).Cookies()
		if len(set) != 1 || !set[0].HttpOnly || set[0].SameSite != http.SameSiteStrictMode {
			t.Fatalf("got cookies %v, want one that is HttpOnly and SameSite=Strict", set)
		}
		for _, g := range guarded {
			w.at().send(t, g.method, g.path, g.body, "Cookie", set[0].Name+"="+set[0].Value).want(t, 200)
		}
	})
	t.Run("the page of an exchange is for whoever knows it", func(t *testing.T) {
		w.at().get(t, page).want(t, 200)
		w.at().get(t, page, "Accept", "text/html").want(t, 200)
		w.at().get(t, page[:len(page)-1]+"x").want(t, 404)
	})
	t.Run("the others have rules of their own", func(t *testing.T) {
		w.all.get(t, "/Patient").want(t, 200)
		w.stranger().get(t, "/Patient", bearer(secret)...).refused(t, 401, "login")
		for _, path := range []string{"/livez", "/readyz", "/_sandbox/style.css", "/fhir/metadata", "/auth/jwks"} {
			w.at().get(t, path).want(t, 200)
		}
	})
	t.Run("the token is in no exchange", func(t *testing.T) {
		for _, e := range w.Exchanges() {
			wantHidden(t, w, e.ID, secret)
		}
	})
}
