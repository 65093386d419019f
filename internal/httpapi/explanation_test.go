package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// explained is an exchange as JSON explains it to tools.
type explained struct {
	ID, Kind, Parent, Environment, Client, Refusal string
	Fetches, UsedBy                                []string
	Status                                         int
	Failed                                         *struct{ ID, Requirement, Text, Counterfactual, Fix, Got, Want string }
	Counterfactual, Fix                            string
	Snippets                                       []struct{ Language, Title, Code string }
	Assertion                                      *struct{ Header, Claims map[string]any }
	Registration                                   *struct {
		Name, Status, Method, JWKSURI, Scopes string
		Keys                                  []struct{ ID, Type, Algorithm string }
	}
	Source *struct {
		Reason, Address, KeptBy, KeepUntil string
		Resolved, Redirects, KeyIDs        []string
	}
	Checks         []struct{ ID, Requirement, Result, Text, Fix string }
	URL            string
	RequestHeader  []struct{ Name, Value string }
	ResponseHeader []struct{ Name, Value string }
	ResponseBody   string
	ResponseBytes  int
	Seconds        float64
}

func (w *world) explain(t *testing.T, id string) explained {
	t.Helper()
	var e explained
	w.at().get(t, "/_sandbox/exchanges/"+id+"?_format=json").want(t, 200).decode(t, &e)
	return e
}

// explanationOf is the exchange that an answer's error_uri, or its Link, leads
// to.
func (w *world) explanationOf(t *testing.T, a *answer) explained {
	t.Helper()
	var said oauthError
	_ = json.Unmarshal(a.body, &said)
	uri := said.URI
	if uri == "" {
		uri = strings.TrimPrefix(strings.SplitN(a.header.Get("Link"), ">", 2)[0], "<")
	}
	if uri == "" {
		t.Fatalf("%s: %s leads to no explanation", a.request, a.excerpt())
	}
	return w.explain(t, uri[strings.LastIndexByte(uri, '/')+1:])
}

// What was wrong, what was found, what to do and the code for it, in JSON and
// on the page, for every kind of mistake.
func TestExplanations(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "app", Name: "Claims importer", KeyID: "k1", Scopes: []string{"system/Patient.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []struct {
		env *sandbox.Environment
		sandbox.ClientConfig
	}{
		{w.Production(), sandbox.ClientConfig{ID: "prod"}},
		{nil, sandbox.ClientConfig{ID: "draft", Status: sandbox.StatusDraft}},
		{nil, sandbox.ClientConfig{ID: "rejected", Status: sandbox.StatusRejected}},
	} {
		if cfg.env == nil {
			_, err = w.RegisterClient(t.Context(), cfg.ClientConfig)
		} else {
			_, err = cfg.env.RegisterClient(t.Context(), cfg.ClientConfig)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	secret := w.register(t, metadata(func(m map[string]any) { m["token_endpoint_auth_method"] = "client_secret_basic" })).want(t, 201).object(t)
	signed := func(options ...sandbox.AssertionOption) string {
		t.Helper()
		a, err := c.Assertion(options...)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	ask := func(assertion string) *answer {
		t.Helper()
		return w.at().search(t, "/auth/token", tokenForm(assertion, "system/Patient.rs"))
	}
	token := func() string {
		t.Helper()
		got, err := c.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return got.AccessToken
	}
	for _, example := range []struct {
		name  string
		send  func() *answer
		check string
		found string // in the counterfactual; "" wants none
		fix   string
		code  []string // in every language
		not   string   // in none
	}{
		{name: "A12", send: func() *answer { return ask(signed(sandbox.WithKeyID("k2"))) }, check: "A12",
			found: `would verify with key "k1": only the kid is wrong`, fix: `Set the header's kid to "k1"`, code: []string{"k1", "app", w.TokenURL(), "ES384"}, not: "k2"},
		{name: "A16", send: func() *answer { return ask(signed(sandbox.WithASN1Signature())) }, check: "A16",
			found: "Decoded as DER it would verify", fix: "Convert the signature", code: []string{"private.pem"}},
		{name: "A02 of production", send: func() *answer { return ask(signed(sandbox.WithIssuer("prod"))) }, check: "A02",
			found: "This client exists in production, with status active", fix: "Use the token URL of production", code: []string{w.Production().TokenURL(), "prod"}},
		{name: "A02 a client's key", send: func() *answer { return ask(signed(sandbox.WithIssuer("ap"), sandbox.WithSubject("ap"))) }, check: "A02",
			found: `with key "k1" of client "app" (Claims importer)`, fix: `Set iss and sub to "app"`, code: []string{"app", "k1"}},
		{name: "C02 a stranger", send: func() *answer {
			return ask(signed(sandbox.WithIssuer("https://app.example"), sandbox.WithKeyID("none")))
		}, check: "C02", fix: "Set iss and sub to the client_id", code: []string{"your-client-id"}, not: "https://app.example"},
		{name: "L01", send: func() *answer {
			return w.at().search(t, "/production/auth/token", tokenForm(signed(sandbox.WithIssuer("draft"), sandbox.WithSubject("draft")), "system/Patient.rs"))
		}, check: "L01", fix: "Until then use the sandbox", code: []string{w.TokenURL(), "draft"}, not: "/production/"},
		{name: "L03", send: func() *answer { return ask(signed(sandbox.WithIssuer("rejected"), sandbox.WithSubject("rejected"))) }, check: "L03", fix: "Edit it in the portal"},
		{name: "C04", send: func() *answer { return ask(signed(sandbox.WithAudience(w.TokenURL() + "/"))) }, check: "C04", fix: "exactly as discovery gives it", code: []string{w.TokenURL()}, not: w.TokenURL() + "/"},
		{name: "C08", send: func() *answer { return ask(signed(sandbox.WithClockError(-10 * time.Minute))) }, check: "C08", fix: "Synchronise the clock", code: []string{w.TokenURL()}},
		{name: "D04", send: func() *answer {
			return w.at().search(t, "/auth/token", `{"scope":"system/Claim.r"}`, "Content-Type", "application/json")
		}, check: "D04", fix: "Encode the parameters as a form", code: []string{"client_assertion", "system/Claim.r"}},
		{name: "S02", send: func() *answer {
			return w.at().search(t, "/auth/token", tokenForm(signed(), "patient/Patient.rs system/Claim.r"))
		}, check: "S02", fix: "Use system/Patient.rs", code: []string{"system/Patient.rs system/Claim.r"}},
		{name: "S06", send: func() *answer { return w.at().search(t, "/auth/token", tokenForm(signed(), "system/Claim.rs")) }, check: "S06", fix: "Ask for scopes that it has", code: []string{"system/Patient.rs"}, not: "system/Claim"},
		{name: "K05", send: func() *answer {
			return w.at().search(t, "/auth/token", form("grant_type", "client_credentials", "scope", "system/Patient.rs"), "Authorization", "Basic "+basic(secret["client_id"].(string), ""))
		}, check: "K05", fix: "rotate it in the portal", code: []string{"CLIENT_SECRET", secret["client_id"].(string)}},
		{name: "T02", send: func() *answer { return w.stranger().get(t, "/Patient?name=x", "Authorization", "Token abc") }, check: "SB-RS-02", fix: "Get an access token", code: []string{w.FHIRURL() + "/Patient?name=x", "Bearer"}},
		{name: "S11", send: func() *answer { return w.stranger().as(token()).get(t, "/Encounter/1") }, check: "S11", fix: "Ask for system/Encounter.r", code: []string{"system/Encounter.r"}},
		{name: "A20", send: func() *answer {
			return w.register(t, metadata(func(m map[string]any) {
				m["jwks"] = keySet(newES384(t, "k").jwk(t, func(jwk map[string]any) { jwk["d"] = "AQAB" }))
			}))
		}, check: "A20", fix: "Revoke this key pair now", code: []string{"new-private.pem"}},
		{name: "A23", send: func() *answer {
			return w.register(t, metadata(func(m map[string]any) { m["jwks"] = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----" }))
		}, check: "A23", fix: "No certificate is needed", code: []string{"private.pem"}},
		{name: "SB-DCR-04", send: func() *answer {
			return w.register(t, metadata(func(m map[string]any) { delete(m, "token_endpoint_auth_method") }))
		}, check: "SB-DCR-04", fix: "private_key_jwt", code: []string{w.RegistrationURL(), "jwks.json"}},
		{name: "C15 at the introspection endpoint", send: func() *answer {
			a := signed()
			for range 2 {
				last := w.at().search(t, "/auth/introspect", form("token", "x", "client_assertion_type", assertionType, "client_assertion", a))
				if last.status != 200 {
					return last
				}
			}
			return nil
		}, check: "C15", fix: "Build a new assertion", code: []string{"/auth/introspect", "ACCESS_TOKEN", "k1"}},
	} {
		t.Run(example.name, func(t *testing.T) {
			a := example.send()
			e := w.explanationOf(t, a)
			if e.Kind != "request" || e.Failed == nil || e.Failed.ID != example.check || e.Failed.Fix != e.Fix || e.Failed.Counterfactual != e.Counterfactual {
				t.Fatalf("got %+v, want check %s", e, example.check)
			}
			if (example.found == "") != (e.Counterfactual == "") || !strings.Contains(e.Counterfactual, example.found) || !strings.Contains(e.Fix, example.fix) {
				t.Errorf("got counterfactual %q and fix %q, want %q and %q", e.Counterfactual, e.Fix, example.found, example.fix)
			}
			if want := 4; example.code == nil && len(e.Snippets) != 0 || example.code != nil && len(e.Snippets) != want {
				t.Fatalf("got %d snippets", len(e.Snippets))
			}
			for _, s := range e.Snippets {
				for _, part := range example.code {
					if !strings.Contains(s.Code, part) {
						t.Errorf("the code in %s does not have %q:\n%s", s.Language, part, s.Code)
					}
				}
				if example.not != "" && strings.Contains(s.Code, example.not) {
					t.Errorf("the code in %s has %q:\n%s", s.Language, example.not, s.Code)
				}
			}
			page := w.at().get(t, "/_sandbox/exchanges/"+e.ID, "Accept", "text/html").want(t, 200)
			for _, part := range []string{`<p class="diagnosis">`, `<p class="fix">`} {
				if !strings.Contains(string(page.body), part) {
					t.Errorf("the page has no %s", part)
				}
			}
			if strings.Contains(string(page.body), `class="found"`) != (example.found != "") || strings.Contains(string(page.body), `id="code"`) != (example.code != nil) {
				t.Error("the page shows something else than the JSON")
			}
			// SB-TOK-10: on the wire it is one sentence still.
			var said oauthError
			if json.Unmarshal(a.body, &said) == nil && said.Description != "" && strings.Contains(said.Description, e.Fix) {
				t.Errorf("error_description has the fix: %s", said.Description)
			}
		})
	}
}

// A refused request's page tells what is registered about its client: for the
// assertion, and for a token.
func TestExplanationsTellOfTheClient(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "app", Name: "Claims <b>importer</b>", KeyID: "k1", Scopes: []string{"system/Patient.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	p := w.holder(t, c)
	for name, a := range map[string]*answer{
		"a token request": w.at().search(t, "/auth/token", tokenForm(must(c.Assertion(sandbox.WithoutClaim("jti"))), "system/Patient.rs")),
		"a revocation":    w.at().search(t, "/auth/revoke", form("client_assertion_type", assertionType, "client_assertion", must(c.Assertion()))),
		"a FHIR request":  p.get(t, "/Encounter"),
	} {
		e := w.explanationOf(t, a)
		r := e.Registration
		if r == nil || r.Name != "Claims <b>importer</b>" || r.Status != "active" || r.Method != "private_key_jwt" || r.Scopes != "system/Patient.rs" || len(r.Keys) != 1 || r.Keys[0].ID != "k1" || r.Keys[0].Algorithm != "ES384" {
			t.Errorf("%s: got %+v, want what is registered", name, r)
		}
		if (e.Assertion == nil) != (name == "a FHIR request") {
			t.Errorf("%s: got assertion %v", name, e.Assertion)
		}
		page := string(w.at().get(t, "/_sandbox/exchanges/"+e.ID, "Accept", "text/html").want(t, 200).body)
		if !strings.Contains(page, "Claims &lt;b&gt;importer") || strings.Contains(page, "<b>importer") || !strings.Contains(page, `id="client"`) {
			t.Errorf("%s: the page does not show the client's name as text", name)
		}
	}
	if e := w.explain(t, w.latestID(t, "/fhir/Patient", func() { p.get(t, "/Patient").want(t, 200) })); e.Registration != nil || e.Failed != nil || e.Snippets != nil {
		t.Errorf("a request that was granted is explained: %+v", e)
	}
}

func (w *world) latestID(t *testing.T, path string, send func()) string {
	t.Helper()
	send()
	e := w.latest(t)
	if !strings.Contains(e.URL, path) {
		t.Fatalf("the latest exchange is %s", e.URL)
	}
	return e.ID
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Where people read a whole text, they read all three parts.
func TestWholeDiagnoses(t *testing.T) {
	t.Parallel()
	w := start(t)
	i := w.grant(t, "system/Observation.r").get(t, "/Observation?code=1").refused(t, 403, "forbidden")
	for _, part := range []string{"S08: ", "is a search", "would do for reading a single Observation", "Ask for system/Observation.s"} {
		if !strings.Contains(i.Diagnostics, part) {
			t.Errorf("FR-GE-01: the diagnostics do not say %q: %s", part, i.Diagnostics)
		}
	}
	c := w.client(t, "system/Patient.rs")
	_, err := c.TokenFor(t.Context(), must(c.Assertion(sandbox.WithKeyID("x"))))
	for _, part := range []string{"A12: ", `kid "x" is not in`, "only the kid is wrong", "Set the header's kid to"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
	e := w.latest(t)
	if e.Counterfactual() == "" || e.Fix() == "" || e.Assertion == nil || e.Kind != sandbox.KindRequest || !strings.Contains(e.String(), "only the kid is wrong") || !strings.Contains(e.String(), "Set the header's kid to") {
		t.Errorf("got %s", e)
	}
	var list []explained
	w.at().get(t, "/_sandbox/exchanges?refused=true&kind=request").want(t, 200).decode(t, &list)
	if len(list) != 2 || list[0].Failed == nil || list[0].Fix != e.Fix() || list[0].Counterfactual != e.Counterfactual() || list[0].Snippets != nil || list[0].Kind != "request" {
		t.Errorf("the list has %+v", list)
	}
}

// The code does what the server's behaviour wants, not what a strict one would.
func TestExplanationsFollowTheBehaviour(t *testing.T) {
	t.Parallel()
	w := &world{Server: sandbox.Start(t, sandbox.WithPatients(patients), sandbox.WithSwitch("aud.accept", "issuer"), sandbox.WithSwitch("alg.allow", "RS384")), web: newWeb(t)}
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{Algorithm: sandbox.RS384, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	wants := func(e explained, check string, parts ...string) {
		t.Helper()
		if e.Failed == nil || e.Failed.ID != check || len(e.Snippets) != 4 {
			t.Fatalf("got %+v, want %s with code", e.Failed, check)
		}
		for _, s := range e.Snippets {
			for _, part := range parts {
				if !strings.Contains(strings.ReplaceAll(s.Code, "'", `"`), part) {
					t.Errorf("%s: the code in %s does not have %q:\n%s", check, s.Language, part, s.Code)
				}
			}
		}
	}
	wants(w.explanationOf(t, w.ask(t, c)), "C03", strings.TrimSuffix(w.TokenURL(), "/token")+`"`, "RS384")
	es, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{Algorithm: sandbox.ES384})
	if err != nil {
		t.Fatal(err)
	}
	wants(w.explanationOf(t, w.ask(t, es)), "A09", "RS384", "new-private.pem")
}
