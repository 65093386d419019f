package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestErrorTable walks the token endpoint's table of errors, a row a case: one
// defect in a request that is right otherwise.
func TestErrorTable(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := w.service(t, nil, "system/Patient.rs")
	stranger := newES384(t, "k1")
	secret, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{Method: sandbox.ClientSecretBasic})
	if err != nil {
		t.Fatal(err)
	}
	draft, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "draft-service", Key: me.key, KeyID: me.kid, Status: sandbox.StatusDraft})
	if err != nil {
		t.Fatal(err)
	}
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }))
	t.Cleanup(html.Close)
	published, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{Key: me.key, KeyID: me.kid, JWKSURI: html.URL})
	if err != nil {
		t.Fatal(err)
	}
	aud := w.TokenURL()
	used := me.assertion(t, me.id, aud)
	w.at().askToken(t, aud, used, "system/Patient.rs").want(t, 200)

	right := func(assertion string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "scope": {"system/Patient.rs"}, "client_assertion_type": {assertionType}, "client_assertion": {assertion}}
	}
	with := func(assertion string, change func(url.Values)) url.Values {
		f := right(assertion)
		change(f)
		return f
	}
	mine := func(twists ...twist) string { return me.assertion(t, me.id, aud, twists...) }
	withSecret := func(id, plain string) url.Values {
		return url.Values{"grant_type": {"client_credentials"}, "scope": {"system/Patient.rs"}, "client_id": {id}, "client_secret": {plain}}
	}
	noScope := func(f url.Values) { f.Del("scope") }
	for _, c := range []struct {
		name   string
		form   url.Values
		status int
		code   string
		header []string
	}{
		{name: "SB-ERR-02 content type", form: right(mine()), status: 400, code: "invalid_request", header: []string{"Content-Type", "text/plain"}},
		{name: "SB-ERR-03 grant_type missing", form: with(mine(), func(f url.Values) { f.Del("grant_type") }), status: 400, code: "invalid_request"},
		{name: "SB-ERR-04 grant_type other", form: with(mine(), func(f url.Values) { f.Set("grant_type", "password") }), status: 400, code: "unsupported_grant_type"},
		{name: "SB-ERR-05 no credential", form: with("", func(f url.Values) { f.Del("client_assertion"); f.Del("client_assertion_type") }), status: 400, code: "invalid_client"},
		{name: "SB-ERR-05 half a credential", form: with(mine(), func(f url.Values) { f.Del("client_assertion_type") }), status: 400, code: "invalid_request"},
		{name: "SB-ERR-06 client_assertion_type unknown", form: with(mine(), func(f url.Values) { f.Set("client_assertion_type", assertionType+"x") }), status: 400, code: "invalid_client"},
		{name: "SB-ERR-07 no JWS", form: right("no.jws"), status: 400, code: "invalid_client"},
		{name: "SB-ERR-07 cannot be parsed", form: right("a.b.c"), status: 400, code: "invalid_client"},
		{name: "SB-ERR-08 alg not allowed", form: right(mine(withHeader("alg", "ES256"))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-08 typ wrong", form: right(mine(withHeader("typ", "JWS"))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-08 kid missing", form: right(mine(withoutHeader("kid"))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-08 crit unknown", form: right(mine(withHeader("crit", []string{"b64"}), withHeader("b64", true))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-09 unknown client", form: right(me.assertion(t, "nobody", aud)), status: 400, code: "invalid_client"},
		{name: "SB-ERR-09 iss is not sub", form: right(mine(withClaim("sub", "nobody"))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-09 client_id is not sub", form: with(mine(), func(f url.Values) { f.Set("client_id", secret.ID()) }), status: 400, code: "invalid_client"},
		{name: "SB-ERR-10 aud missing", form: right(mine(withoutClaim("aud"))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-10 aud wrong", form: right(me.assertion(t, me.id, w.FHIRURL())), status: 400, code: "invalid_client"},
		{name: "SB-ERR-11 exp missing", form: right(mine(withoutClaim("exp"))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-11 exp past", form: right(mine(withClaim("exp", inSeconds(-31)))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-12 exp far ahead", form: right(mine(withClaim("exp", inSeconds(335)))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-13 nbf future", form: right(mine(withClaim("nbf", inSeconds(60)))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-13 iat future", form: right(mine(withClaim("iat", inSeconds(60)))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-14 jti missing", form: right(mine(withoutClaim("jti"))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-14 jti replayed", form: right(used), status: 400, code: "invalid_client"},
		{name: "SB-ERR-15 jku not registered", form: right(mine(withHeader("jku", "https://example.org/jwks"))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-16 key set cannot be fetched", form: right(me.assertion(t, published.ID(), aud)), status: 400, code: "invalid_client"},
		{name: "SB-ERR-16 no key", form: right(mine(withHeader("kid", "other"))), status: 400, code: "invalid_client"},
		{name: "SB-ERR-16 signature wrong", form: right(stranger.assertion(t, me.id, aud)), status: 400, code: "invalid_client"},
		{name: "SB-ERR-17 bad Basic secret", form: with("", func(f url.Values) { f.Del("client_assertion"); f.Del("client_assertion_type") }), status: 401, code: "invalid_client",
			header: []string{"Authorization", "Basic " + basic(secret.ID(), "wrong")}},
		{name: "SB-ERR-18 bad posted secret", form: withSecret(secret.ID(), "wrong"), status: 400, code: "invalid_client"},
		{name: "SB-ERR-19 two mechanisms", form: with(mine(), func(f url.Values) { f.Set("client_secret", "x") }), status: 400, code: "invalid_request"},
		{name: "SB-ERR-21 secret for a key client", form: withSecret(me.id, "x"), status: 400, code: "invalid_client"},
		{name: "SB-ERR-21 assertion for a secret client", form: right(me.assertion(t, secret.ID(), aud)), status: 400, code: "invalid_client"},
		{name: "SB-ERR-22 scope missing", form: with(mine(), noScope), status: 400, code: "invalid_scope"},
		{name: "SB-ERR-23 scope malformed", form: with(mine(), func(f url.Values) { f.Set("scope", "system/Patient.dus") }), status: 400, code: "invalid_scope"},
		{name: "SB-ERR-24 scope not registered", form: with(mine(), func(f url.Values) { f.Set("scope", "system/Claim.rs") }), status: 400, code: "invalid_scope"},
		{name: "SB-ERR-25 parameter repeated", form: with(mine(), func(f url.Values) { f.Add("scope", "system/Patient.r") }), status: 400, code: "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.at().search(t, aud, c.form.Encode(), c.header...)
			e := a.oauth(t, c.status, c.code) // SB-TOK-09, SB-TOK-10
			if e.Error == "invalid_grant" {
				t.Error("SB-ERR-30: invalid_grant is for grants")
			}
			challenge := a.header.Get("WWW-Authenticate")
			if want := c.status == 401; (challenge != "") != want || want && !strings.HasPrefix(challenge, "Basic realm=") {
				t.Errorf("SB-ERR-31: got WWW-Authenticate %q with status %d", challenge, c.status)
			}
		})
	}
	t.Run("SB-ERR-01 wrong method", func(t *testing.T) {
		w.at().send(t, "GET", aud, "").wantHeader(t, "Allow", "POST").oauth(t, 405, "invalid_request")
	})
	t.Run("SB-ERR-27 draft in production", func(t *testing.T) {
		production := w.Production().TokenURL()
		e := w.at().askToken(t, production, me.assertion(t, draft.ID(), production), "system/Patient.rs").oauth(t, 400, "invalid_client")
		if !strings.HasPrefix(e.Description, "L01: ") {
			t.Errorf("got %q, want the reason L01", e.Description)
		}
	})
}

// TestOrderOfDefects puts several defects into one request: the first one in
// the order of the checks has the say.
func TestOrderOfDefects(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := w.service(t, nil, "system/Patient.rs")
	aud := w.TokenURL()
	bad := me.assertion(t, me.id, aud+"/wrong")
	for _, c := range []struct{ name, body, contentType, code string }{
		{"content type before grant_type", "grant_type=password", "text/plain", "invalid_request"},
		{"form before grant_type", "grant_type=password&scope=%zz", formType, "invalid_request"},
		{"grant_type before the client", form("grant_type", "password", "client_assertion_type", assertionType, "client_assertion", bad), formType, "unsupported_grant_type"},
		{"the client before scope", form("grant_type", "client_credentials", "scope", "nonsense", "client_assertion_type", assertionType, "client_assertion", bad), formType, "invalid_client"},
		{"scope last", form("grant_type", "client_credentials", "scope", "nonsense", "client_assertion_type", assertionType, "client_assertion", me.assertion(t, me.id, aud)), formType, "invalid_scope"},
	} {
		t.Run("SB-TOK-08 "+c.name, func(t *testing.T) {
			w.at().search(t, aud, c.body, "Content-Type", c.contentType).oauth(t, 400, c.code)
		})
	}
}
