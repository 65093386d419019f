package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// metadata is a registration request (RFC 7591 section 2), changed as wanted.
func metadata(change func(m map[string]any)) map[string]any {
	m := map[string]any{
		"client_name":                "Nightly claims import",
		"token_endpoint_auth_method": "private_key_jwt",
		"grant_types":                []string{"client_credentials"},
		"scope":                      "system/Patient.rs system/Observation.read",
	}
	change(m)
	return m
}

// register posts metadata to the registration endpoint.
func (w *world) register(t *testing.T, m map[string]any) *answer {
	t.Helper()
	return w.at().send(t, http.MethodPost, "/auth/register", string(marshal(t, m)), "Content-Type", "application/json")
}

// A keyServer publishes a key set.
type keyServer struct {
	*httptest.Server
	fetches atomic.Int64
	answer  atomic.Pointer[http.HandlerFunc]
}

// publish serves a key set on this machine.
func publish(t *testing.T, set any, header ...string) *keyServer {
	t.Helper()
	k := &keyServer{}
	k.show(t, set, header...)
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.fetches.Add(1)
		(*k.answer.Load())(w, r)
	}))
	t.Cleanup(k.Close)
	return k
}

// show changes what is published.
func (k *keyServer) show(t *testing.T, set any, header ...string) {
	t.Helper()
	text := marshal(t, set)
	k.behave(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Write(text)
	})
}

func (k *keyServer) behave(f http.HandlerFunc) { k.answer.Store(&f) }

// TestRegisterAndUse is a client's whole way by standards alone: registration,
// an assertion signed with the standard library, a token, and data.
func TestRegisterAndUse(t *testing.T) {
	t.Parallel()
	w := start(t)
	rs, es := newRS384(t, "rsa-1"), newES384(t, "ec-1")
	for _, c := range []struct {
		name string
		key  *signer
		keys string // the member of the metadata
	}{
		{"SB-DCR-07 SB-REG-02 SB-JWT-04 RS384 by value", rs, "jwks"},
		{"SB-DCR-07 SB-REG-02 SB-JWT-04 RS384 by URL", rs, "jwks_uri"},
		{"SB-DCR-07 SB-REG-02 SB-JWT-04 SB-JWT-06 ES384 by value", es, "jwks"},
		{"SB-DCR-07 SB-REG-02 SB-JWT-04 SB-JWT-06 ES384 by URL", es, "jwks_uri"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var keys any = keySet(c.key.jwk(t))
			if c.keys == "jwks_uri" {
				keys = publish(t, keys).URL + "/jwks.json"
			}
			sent := metadata(func(m map[string]any) { m[c.keys], m["favourite_colour"] = keys, "unknown members are ignored" })
			a := w.register(t, sent).want(t, 201).wantHeader(t, "Content-Type", "application/json").wantHeader(t, "Cache-Control", "no-store").wantHeader(t, "Pragma", "no-cache")
			got := a.object(t)
			for _, name := range []string{"client_name", "token_endpoint_auth_method", "grant_types", "scope", c.keys} {
				if want, have := string(marshal(t, sent[name])), string(marshal(t, got[name])); want != have {
					t.Errorf("SB-DCR-07: got %s %s, want it as sent: %s", name, have, want)
				}
			}
			if _, ok := got["client_secret"]; ok {
				t.Errorf("SB-DCR-07: a client of keys got a client_secret: %s", a.body)
			}
			id, _ := got["client_id"].(string)
			if id == "" {
				t.Fatalf("SB-REG-01: got %s, want a client_id", a.body)
			}

			token := w.at().askToken(t, w.TokenURL(), c.key.assertion(t, id, w.TokenURL()), "system/Patient.rs").granted(t, "system/Patient.rs")
			holder := party{web: w.web, base: w.FHIRURL(), token: token.AccessToken}
			holder.get(t, "/Patient").want(t, 200)
			holder.get(t, "/Observation").refused(t, 403, "forbidden")

			production := w.Production().TokenURL()
			w.at().askToken(t, production, c.key.assertion(t, id, production), "system/Patient.rs").oauth(t, 400, "invalid_client") // SB-ERR-27: a draft
		})
	}
}

func TestRegisterWithASecret(t *testing.T) {
	t.Parallel()
	w := start(t)
	a := w.register(t, metadata(func(m map[string]any) { m["token_endpoint_auth_method"] = "client_secret_basic" })).want(t, 201)
	var got struct {
		ClientID  string `json:"client_id"`
		Secret    string `json:"client_secret"`
		ExpiresAt *int   `json:"client_secret_expires_at"`
	}
	a.decode(t, &got)
	if got.Secret == "" || got.ExpiresAt == nil || *got.ExpiresAt != 0 {
		t.Fatalf("SB-DCR-07: got %s, want client_secret and client_secret_expires_at 0", a.body)
	}
	ask := func(secret string) *answer {
		req := form("grant_type", "client_credentials", "scope", "system/Patient.rs")
		return w.at().search(t, "/auth/token", req, "Authorization", "Basic "+basic(got.ClientID, secret))
	}
	ask(got.Secret).granted(t, "system/Patient.rs")
	wrong := ask("wrong")
	wrong.oauth(t, 401, "invalid_client") // SB-ERR-17
	if c := wrong.header.Get("WWW-Authenticate"); !strings.HasPrefix(c, "Basic ") {
		t.Errorf("SB-ERR-17: got WWW-Authenticate %q, want Basic", c)
	}
	body := func(secret string) *answer {
		return w.at().search(t, "/auth/token", form("grant_type", "client_credentials", "scope", "system/Patient.rs", "client_id", got.ClientID, "client_secret", secret))
	}
	if a := body("wrong"); a.status != 400 || a.header.Get("WWW-Authenticate") != "" {
		t.Errorf("SB-ERR-18: got status %d and WWW-Authenticate %q, want 400 and none", a.status, a.header.Get("WWW-Authenticate"))
	}
}

func TestRegisterRefusals(t *testing.T) {
	t.Parallel()
	w := start(t)
	key := newES384(t, "k1")
	good := key.jwk(t)
	with := func(name string, value any) map[string]any {
		return metadata(func(m map[string]any) {
			m["jwks"] = keySet(good)
			m[name] = value
			if value == nil {
				delete(m, name)
			}
		})
	}
	changed := func(name string, value any) map[string]any {
		return with("jwks", keySet(key.jwk(t, func(jwk map[string]any) {
			jwk[name] = value
			if value == nil {
				delete(jwk, name)
			}
		})))
	}
	w.register(t, with("client_name", "This one is right")).want(t, 201)
	for _, c := range []struct {
		name string
		body map[string]any
	}{
		{"SB-DCR-04 no authentication method", with("token_endpoint_auth_method", nil)},
		{"SB-DCR-04 unknown authentication method", with("token_endpoint_auth_method", "tls_client_auth")},
		{"SB-DCR-04 no grant types", with("grant_types", nil)},
		{"SB-DCR-05 other grant types", with("grant_types", []string{"authorization_code"})},
		{"SB-DCR-05 response types", with("response_types", []string{"code"})},
		{"SB-DCR-06 no keys", with("jwks", nil)},
		{"SB-REG-03 jwks and jwks_uri", with("jwks_uri", "http://127.0.0.1:1/jwks")},
		{"SB-REG-04 bare array of keys", with("jwks", []any{good})},
		{"SB-REG-04 empty set", with("jwks", keySet())},
		{"SB-REG-05 no kid", changed("kid", nil)},
		{"SB-REG-05 no kty", changed("kty", nil)},
		{"SB-REG-05 no x", changed("x", nil)},
		{"SB-REG-06 one kid twice", with("jwks", keySet(good, good))},
		{"SB-REG-07 private key", changed("d", "AAAA")},
		{"SB-REG-07 symmetric key", with("jwks", keySet(map[string]any{"kty": "oct", "kid": "k1", "k": "c2VjcmV0"}))},
		{"SB-REG-08 RSA of 1024 bits", with("jwks", keySet(map[string]any{"kty": "RSA", "kid": "k1", "e": "AQAB", "n": base64url(append([]byte{0x80}, make([]byte, 127)...))}))},
		{"SB-REG-08 another curve", changed("crv", "P-256")},
		{"SB-REG-09 key for encryption", changed("use", "enc")},
		{"SB-REG-10 jwks_uri by http to elsewhere", metadata(func(m map[string]any) { m["jwks_uri"] = "http://keys.example.org/jwks" })},
		{"SB-REG-10 jwks_uri that is no URL", metadata(func(m map[string]any) { m["jwks_uri"] = "keys" })},
		{"SB-KEY-07 jwks_uri to a link-local address", metadata(func(m map[string]any) { m["jwks_uri"] = "http://169.254.169.254/jwks" })},
		{"SB-REG-12 malformed scope", with("scope", "system/Patient.dus")},
		{"SB-REG-12 unknown type", with("scope", "system/Patients.rs")},
		{"SB-REG-12 no scope for a service", with("scope", "openid launch")},
		{"wrong JSON type", with("grant_types", "client_credentials")},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.register(t, c.body)
			if e := a.oauth(t, 400, "invalid_client_metadata"); !strings.HasPrefix(e.URI, w.URL()+"/") {
				t.Errorf("got error_uri %q, want a page of this server", e.URI)
			}
		})
	}
	right := string(marshal(t, with("client_name", "x")))
	for _, c := range []struct{ name, method, contentType, body string }{
		{"SB-DCR-02 form", "POST", formType, right},
		{"SB-DCR-02 no content type", "POST", "", right},
		{"SB-DCR-02 malformed JSON", "POST", "application/json", right[1:]},
		{"SB-DCR-02 JSON that ends early", "POST", "application/json", right[:len(right)-1]},
		{"SB-DCR-02 two values", "POST", "application/json", right + right},
		{"SB-DCR-02 an array", "POST", "application/json", "[" + right + "]"},
		{"SB-DCR-02 nothing", "POST", "application/json", ""},
		{"SB-JWT-23 one member twice", "POST", "application/json", `{"client_name":"y",` + right[1:]},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.at().send(t, c.method, "/auth/register", c.body, "Content-Type", c.contentType).oauth(t, 400, "invalid_client_metadata")
		})
	}
	t.Run("SB-DCR-12 other method", func(t *testing.T) {
		w.at().get(t, "/auth/register").want(t, 405).wantHeader(t, "Allow", "POST")
	})
	t.Run("production has no registration", func(t *testing.T) {
		w.at().send(t, "POST", "/production/auth/register", right, "Content-Type", "application/json").want(t, 404)
	})
}

// TestKeySetByURL is about what the server does with a jwks_uri.
func TestKeySetByURL(t *testing.T) {
	t.Parallel()
	w := start(t)
	old, next := newES384(t, "old"), newES384(t, "next")
	enroll := func(t *testing.T, uri string) (id string) {
		t.Helper()
		var got struct {
			ClientID string `json:"client_id"`
		}
		w.register(t, metadata(func(m map[string]any) { m["jwks_uri"] = uri })).want(t, 201).decode(t, &got)
		return got.ClientID
	}
	ask := func(t *testing.T, s *signer, id string, twists ...twist) *answer {
		t.Helper()
		return w.at().askToken(t, w.TokenURL(), s.assertion(t, id, w.TokenURL(), twists...), "system/Patient.rs")
	}
	for _, c := range []struct {
		name, cacheControl string
		fetches            int64
	}{
		{"SB-KEY-04 max-age", "max-age=3600", 1},
		{"SB-KEY-03 no-store", "no-store", 3},
		{"SB-KEY-03 no-cache", "no-cache", 3},
		{"SB-KEY-03 max-age of nothing", "max-age=0", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			keys := publish(t, keySet(old.jwk(t)), "Cache-Control", c.cacheControl)
			id := enroll(t, keys.URL)
			before := keys.fetches.Load()
			for range 3 {
				ask(t, old, id).want(t, 200)
			}
			if got := keys.fetches.Load() - before; got != c.fetches && !(c.fetches == 1 && got == 0) {
				t.Errorf("3 token requests fetched the key set %d times, want %d", got, c.fetches)
			}
		})
	}
	t.Run("SB-KEY-06 rotation", func(t *testing.T) {
		t.Parallel()
		keys := publish(t, keySet(old.jwk(t)), "Cache-Control", "max-age=3600")
		id := enroll(t, keys.URL)
		ask(t, old, id).want(t, 200)
		keys.show(t, keySet(next.jwk(t), old.jwk(t)), "Cache-Control", "max-age=3600")
		ask(t, next, id).want(t, 200)
	})
	t.Run("SB-JWT-08 jku", func(t *testing.T) {
		t.Parallel()
		keys, foreign := publish(t, keySet(old.jwk(t))), publish(t, keySet(next.jwk(t)))
		id := enroll(t, keys.URL+"/keys")
		ask(t, old, id, withHeader("jku", keys.URL+"/keys")).want(t, 200)
		for _, jku := range []string{foreign.URL + "/keys", keys.URL + "/keys/", keys.URL + "/keys?x=1", strings.ToUpper(keys.URL) + "/keys"} {
			ask(t, old, id, withHeader("jku", jku)).oauth(t, 400, "invalid_client")
			ask(t, next, id, withHeader("jku", jku)).oauth(t, 400, "invalid_client")
		}
		if n := foreign.fetches.Load(); n != 0 {
			t.Errorf("SB-JWT-08: a jku that is not registered was fetched %d times", n)
		}
	})
	t.Run("SB-KEY-09 unusable keys are skipped", func(t *testing.T) {
		t.Parallel()
		keys := publish(t, keySet(map[string]any{"kty": "XYZ", "kid": "a"}, map[string]any{"kty": "EC", "kid": "b", "crv": "P-384", "x": "!", "y": "!"}, old.jwk(t)))
		ask(t, old, enroll(t, keys.URL)).want(t, 200)
	})
	for name, behave := range map[string]http.HandlerFunc{
		"SB-KEY-08 status 500":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"SB-KEY-08 status 404":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"SB-KEY-08 HTML":           func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>Please log in") },
		"SB-KEY-08 no keys member": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") },
		"SB-KEY-08 empty set":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[]}`) },
		"SB-KEY-08 cut off":        func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"SB-KEY-07 too large": func(w http.ResponseWriter, _ *http.Request) {
			json.NewEncoder(w).Encode(map[string]any{"keys": []any{}, "filler": strings.Repeat("x", 300<<10)})
		},
		"SB-KEY-07 redirect to http elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/keys", http.StatusFound)
		},
		"SB-KEY-07 redirect without end": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := publish(t, keySet(old.jwk(t)))
			id := enroll(t, keys.URL+"/keys")
			keys.behave(behave)
			ask(t, old, id).oauth(t, 400, "invalid_client")
			keys.show(t, keySet(old.jwk(t)), "Cache-Control", "no-store")
			ask(t, old, id).want(t, 200) // a failure is not remembered for longer than it lasts
		})
	}
}

// TestRegistrationManagement is about the URL that a registration answers with
// (RFC 7592).
func TestRegistrationManagement(t *testing.T) {
	t.Parallel()
	w := start(t)
	key := newES384(t, "k1")
	sent := metadata(func(m map[string]any) { m["jwks"] = keySet(key.jwk(t)) })
	var got struct {
		ClientID string `json:"client_id"`
		URI      string `json:"registration_client_uri"`
		Token    string `json:"registration_access_token"`
	}
	w.register(t, sent).want(t, 201).decode(t, &got)
	if got.URI == "" {
		return // management is optional; what is answered has to be true
	}
	if !strings.HasPrefix(got.URI, w.URL()+"/") || got.Token == "" {
		t.Fatalf("SB-DCR-11: got registration_client_uri %q and registration_access_token %q", got.URI, got.Token)
	}
	owner := party{web: w.web, token: got.Token}
	read := owner.get(t, got.URI).want(t, 200).object(t)
	if read["client_id"] != got.ClientID || read["scope"] != sent["scope"] {
		t.Errorf("SB-DCR-11: got %v, want the registration", read)
	}
	for _, other := range []party{{web: w.web}, {web: w.web, token: "wrong"}, {web: w.web, token: w.all.token}} {
		wantInvalidToken(t, "SB-DCR-12", other, other.get(t, got.URI))
	}
	sent["client_id"], sent["scope"] = got.ClientID, "system/Patient.rs"
	changed := owner.send(t, "PUT", got.URI, string(marshal(t, sent)), "Content-Type", "application/json").want(t, 200).object(t)
	if changed["scope"] != "system/Patient.rs" {
		t.Errorf("SB-DCR-11: got %v, want the new scope", changed)
	}
	token := w.at().askToken(t, w.TokenURL(), key.assertion(t, got.ClientID, w.TokenURL()), "system/Patient.rs").granted(t, "system/Patient.rs")
	owner.send(t, "DELETE", got.URI, "").want(t, 204)
	owner.get(t, got.URI).want(t, 401)
	party{web: w.web, base: w.FHIRURL(), token: token.AccessToken}.get(t, "/Patient").refused(t, 401, "login", "unknown") // SB-DCR-13
}

// TestRegistrationWithAToken is about a registration endpoint that asks for an
// initial access token.
func TestRegistrationWithAToken(t *testing.T) {
	t.Parallel()
	const token = "initial-access-token"
	w := start(t, sandbox.WithRegistrationToken(token))
	body := string(marshal(t, metadata(func(m map[string]any) { m["jwks"] = keySet(newES384(t, "k1").jwk(t)) })))
	for _, p := range []party{{web: w.web}, {web: w.web, token: "wrong"}, {web: w.web, token: w.all.token}} {
		wantInvalidToken(t, "SB-DCR-09", p, p.send(t, "POST", w.URL()+"/auth/register", body, "Content-Type", "application/json"))
	}
	party{web: w.web, token: token}.send(t, "POST", w.URL()+"/auth/register", body, "Content-Type", "application/json").want(t, 201)
}

// wantInvalidToken checks a refusal for want of a token or of a right one: the
// body names the error in either case, the challenge only where there was a
// token (RFC 6750 section 3).
func wantInvalidToken(t *testing.T, id string, p party, a *answer) {
	t.Helper()
	a.oauth(t, 401, "invalid_token")
	challenge := a.header.Get("WWW-Authenticate")
	if !strings.HasPrefix(challenge, "Bearer realm=") || strings.Contains(challenge, `error="invalid_token"`) != (p.token != "") {
		t.Errorf("%s: with token %q: got WWW-Authenticate %q", id, p.token, challenge)
	}
}
