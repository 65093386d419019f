package httpapi_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// hosted is a client whose key set the server hosts.
type hosted struct {
	*sandbox.Client
	host *sandbox.KeyHost
}

func (w *world) hosted(t *testing.T, cfg sandbox.KeyHostConfig) hosted {
	t.Helper()
	host, err := w.HostKeys(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{JWKSURI: host.URL(), Key: host.Key(), KeyID: host.KeyID(), Scopes: []string{"system/Patient.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	return hosted{c, host}
}

// refusal asks for a token and returns the check that refused it, "" where none
// did.
func (h hosted) refusal(t *testing.T, w *world, opts ...sandbox.AssertionOption) (check, text string) {
	t.Helper()
	assertion, err := h.Assertion(opts...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.TokenFor(t.Context(), assertion, "system/Patient.rs")
	var refused *sandbox.TokenError
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if refused == nil {
		return "", ""
	}
	list := w.Exchanges(sandbox.Exchange.Refused)
	failed, _ := list[len(list)-1].Failed()
	return failed.ID, failed.Explanation()
}

// What a payer makes of a key host that misbehaves, and that it is good before
// and after (J01 to J09, A12, A13, A20, A21).
func TestKeyHostMisbehaves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fault, check, says string }{
		{"jwks.html", "J03", "text/html"},
		{"jwks.redirect", "J03", "/login"},
		{"status:code=403", "J03", "403"},
		{"status:code=500", "J03", "500"},
		{"drop", "J01", "failed"},
		{"jwks.array", "J04", "array"},
		{"jwks.empty", "SB-KEY-08", "no key in it"},
		{"jwks.truncated", "J03", "JSON"},
		{"jwks.large", "J09", "256 KiB"},
		{"jwks.omit:field=kid", "A12", "kid"},
		{"jwks.use_enc", "A21", "enc"},
		{"jwks.duplicate_kid", "A13", "2 keys"},
		{"jwks.private", "A20", "private"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			h := w.hosted(t, sandbox.KeyHostConfig{})
			if check, text := h.refusal(t, w); check != "" {
				t.Fatalf("without a fault: %s: %s", check, text)
			}
			f := w.inject(t, c.fault+"@path=/_sandbox/keys/*")
			check, text := h.refusal(t, w)
			if check != c.check || !strings.Contains(text, c.says) {
				t.Errorf("got %s: %s; want %s with %q", check, text, c.check, c.says)
			}
			if f.Hits() == 0 {
				t.Error("nothing met it")
			}
			f.Remove()
			w.Clock().Advance(time.Minute) // what a failed fetch costs is over
			if check, text := h.refusal(t, w); check != "" {
				t.Errorf("afterwards: %s: %s", check, text)
			}
		})
	}
}

// Rotations with and without an overlap, one that is published late, and one
// that a copy hides (J05).
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	w := start(t)
	h := w.hosted(t, sandbox.KeyHostConfig{Name: "app"})
	newKey := func() sandbox.AssertionOption { return sandbox.SignedWith(h.host.Key(), h.host.KeyID()) }
	expect := func(what, want string, opts ...sandbox.AssertionOption) {
		t.Helper()
		if check, text := h.refusal(t, w, opts...); check != want {
			t.Errorf("%s: got %q, want %q: %s", what, check, want, text)
		}
	}
	rotate := func(r sandbox.Rotation) {
		t.Helper()
		if err := h.host.Rotate(r); err != nil {
			t.Fatal(err)
		}
	}
	expect("the first key", "")
	rotate(sandbox.Rotation{Overlap: 10 * time.Minute})
	expect("the key before, within the overlap", "")
	expect("the new key", "", newKey())
	w.Clock().Advance(11 * time.Minute)
	expect("the key before, after the overlap", "A12")
	second := newKey()
	rotate(sandbox.Rotation{Algorithm: sandbox.RS384, Overlap: 30 * time.Second, Late: time.Minute})
	expect("a key that is not published yet", "A12", newKey())
	expect("the one before", "", second)
	w.Clock().Advance(2 * time.Minute)
	expect("a key that came late", "", newKey())
	expect("the one before, behind the overlap", "A12", second)

	w.inject(t, "jwks.cache")
	expect("with a copy that may be kept", "", newKey())
	rotate(sandbox.Rotation{})
	if check, _ := h.refusal(t, w, newKey()); check != "" && check != "J05" {
		t.Errorf("behind a copy: got %s", check)
	}
	if err := h.host.Rotate(sandbox.Rotation{Algorithm: "HS384"}); err == nil {
		t.Error("HS384 was taken")
	}
	h.host.Close()
	w.at().get(t, "/_sandbox/keys/app/jwks.json").want(t, 404)
}

// A key set by https, with certificates that a payer refuses, and one that it
// trusts (J02, D03).
func TestOrigins(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithTLS())
	for certificate, says := range map[sandbox.Certificate]string{
		sandbox.TrustedCertificate:    "",
		sandbox.SelfSigned:            "certificate",
		sandbox.ExpiredCertificate:    "expired",
		sandbox.OtherNameCertificate:  "another.example",
		sandbox.MissingIntermediateCA: "certificate",
	} {
		h := w.hosted(t, sandbox.KeyHostConfig{Certificate: certificate})
		check, text := h.refusal(t, w)
		if want := map[bool]string{true: "", false: "J02"}[says == ""]; check != want || !strings.Contains(text, says) {
			t.Errorf("%s: got %s: %s; want %s with %q", certificate, check, text, want, says)
		}
		// A client of the FHIR server meets the same.
		origin, err := w.Origin(certificate)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(w.CACertificate())
		web := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
		resp, err := web.Get(origin + "/fhir/metadata")
		if err == nil {
			resp.Body.Close()
		}
		if (err == nil) != (says == "") {
			t.Errorf("%s: got %v", certificate, err)
		}
	}
	plain := start(t)
	if _, err := plain.Origin(sandbox.TrustedCertificate); err == nil || !strings.Contains(err.Error(), "--tls") {
		t.Errorf("got %v", err)
	}
	if _, err := plain.HostKeys(sandbox.KeyHostConfig{Certificate: "rusty"}); err == nil {
		t.Error("a rusty certificate was issued")
	}
}

// The same over HTTP, and on the page; the private key is shown once.
func TestKeyHostsOverHTTP(t *testing.T) {
	t.Parallel()
	w := start(t)
	type state struct {
		Name, KID string
		URI       string            `json:"jwks_uri"`
		Private   map[string]string `json:"private_jwk"`
		PEM       string            `json:"private_pem"`
		JWKS      struct {
			Keys []struct{ Kid, Alg, D string }
		}
	}
	read := func(a *answer, status int) (s state) {
		t.Helper()
		a.want(t, status).decode(t, &s)
		return s
	}
	made := read(w.portal(t, "POST", "/_sandbox/keys", map[string]string{"name": "app", "alg": "RS384"}), 201)
	if made.URI != w.URL()+"/_sandbox/keys/app/jwks.json" || made.Private["d"] == "" || !strings.Contains(made.PEM, "PRIVATE KEY") || made.JWKS.Keys[0].Kid != made.KID || made.JWKS.Keys[0].Alg != "RS384" {
		t.Errorf("got %+v", made)
	}
	if later := read(w.at().get(t, "/_sandbox/keys/app"), 200); later.PEM != "" || later.Private != nil || later.JWKS.Keys[0].D != "" {
		t.Errorf("got %+v", later)
	}
	w.portal(t, "POST", "/_sandbox/keys", map[string]string{"name": "app"}).want(t, 409)
	w.at().send(t, "POST", "/_sandbox/keys", `{"name":"by-curl"}`, "Content-Type", formType, "Accept", "*/*").want(t, 201) // which says that all is a form
	w.portal(t, "POST", "/_sandbox/keys", map[string]string{"name": "../app"}).want(t, 400)
	w.portal(t, "POST", "/_sandbox/keys", map[string]string{"alg": "HS256"}).want(t, 400)
	w.portal(t, "POST", "/_sandbox/keys/none/rotate", nil).want(t, 404)
	w.portal(t, "POST", "/_sandbox/keys/app/rotate", map[string]string{"overlap": "long"}).want(t, 400)
	if rotated := read(w.portal(t, "POST", "/_sandbox/keys/app/rotate", map[string]string{"overlap": "10m"}), 200); len(rotated.JWKS.Keys) != 2 || rotated.KID == made.KID {
		t.Errorf("got %+v", rotated)
	}
	w.at().get(t, "/_sandbox/keys/app/jwks.json").want(t, 200).wantHeader(t, "Content-Type", "application/jwk-set+json")
	w.sendForm(t, "/_sandbox/keys", "name", "second", "alg", "ES384").page(t, 200, "The private key of second", "PRIVATE KEY", "/_sandbox/keys/second/jwks.json")
	w.sendForm(t, "/_sandbox/keys", "name", "second", "alg", "ES384").page(t, 400, "There is a key host of this name.")
	w.sendForm(t, "/_sandbox/keys", "rotate", "second", "overlap", "1m").page(t, 200, "The private key of second")
	w.sendForm(t, "/_sandbox/keys", "remove", "second").page(t, 200, "Hosted keys")
	w.at().send(t, "DELETE", "/_sandbox/keys/app", "").want(t, 204)
	w.at().send(t, "DELETE", "/_sandbox/keys/app", "").want(t, 404)
	guarded := start(t, sandbox.WithAdminToken("secret-of-the-admin"))
	guarded.at().get(t, "/_sandbox/keys").want(t, 401)
	h := guarded.hosted(t, sandbox.KeyHostConfig{})
	if check, text := h.refusal(t, guarded); check != "" {
		t.Errorf("got %s: %s", check, text)
	}
}
