package httpapi_test

import (
	"crypto/rand"
	"slices"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestAidboxTutorial plays the token request of the Aidbox tutorial on SMART
// Backend Services word for word: the client's jwks is a bare array of keys
// with "use":"sig", the assertion is signed RS384, lives ten minutes and has
// an aud of the tutorial's own host (AX-05, AX-10, AX-17 to AX-30).
func TestAidboxTutorial(t *testing.T) {
	t.Parallel()
	x := newLab(t, newRS384(t, "b41528b6f37a9500edb8a905a595bdd7"), sandbox.WithBehaviour("aidbox"))
	key := x.rs.signer
	const client = "inferno-my-clinic-bulk-client"
	_, err := x.RegisterClient(t.Context(), sandbox.ClientConfig{
		ID: client, Key: key.key, KeyID: key.kid, Scopes: []string{"system/*.read"},
		JWKS: marshal(t, []any{key.jwk(t, without("key_ops"))}),
	})
	if err != nil {
		t.Fatal(err)
	}
	claims := func() map[string]any {
		return map[string]any{"iss": client, "sub": client, "aud": "https://my-box.example/auth/token", "exp": inSeconds(590), "jti": rand.Text()}
	}
	header := func() map[string]any { return map[string]any{"alg": "RS384", "kid": key.kid, "typ": "JWT"} }
	request := func(scope string) map[string]string {
		return map[string]string{
			"client_assertion":      key.sign(t, header(), claims()),
			"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
			"grant_type":            "client_credentials",
			"scope":                 scope,
		}
	}
	asForm := func(r map[string]string) *answer {
		var pairs []string
		for name, value := range r {
			pairs = append(pairs, name, value)
		}
		return x.at().search(t, "/auth/token", form(pairs...))
	}
	asJSON := func(r map[string]string) *answer {
		return x.at().send(t, "POST", "/auth/token", string(marshal(t, r)), "content-type", "application/json", "accept", "application/json")
	}
	for name, post := range map[string]func(map[string]string) *answer{"AX-10 a form": asForm, "AX-11 JSON": asJSON} {
		t.Run(name, func(t *testing.T) {
			got := post(request("system/*.read")).want(t, 200).object(t)
			if got["token_type"] != "Bearer" || got["expires_in"] != 300.0 || got["scope"] != nil {
				t.Errorf("AX-29: got %v", got)
			}
			token, _ := got["access_token"].(string)
			p := party{web: x.web, base: x.FHIRURL(), token: token}
			p.get(t, "/Patient").want(t, 200) // AX-30
			if types := p.export(t, "/Patient/$export").types(); !slices.Contains(types, "Observation") {
				t.Errorf("the export holds %v", types)
			}
		})
	}
	for _, c := range []struct {
		name  string
		twist func(header, claims map[string]any)
		check string
	}{
		{"AX-18 typ", func(h, _ map[string]any) { h["typ"] = "at+jwt" }, "A07"},
		{"AX-19 iss", func(_, c map[string]any) { c["iss"] = "someone" }, "A02"},
		{"AX-20 sub", func(_, c map[string]any) { c["sub"] = "someone" }, "C01"},
		{"AX-21 no exp", func(_, c map[string]any) { delete(c, "exp") }, "C07"},
		{"AX-21 exp in the past", func(_, c map[string]any) { c["exp"] = inSeconds(-60) }, "C08"},
		{"AX-21 exp beyond ten minutes", func(_, c map[string]any) { c["exp"] = inSeconds(660) }, "C09"},
		{"AX-22 no jti", func(_, c map[string]any) { delete(c, "jti") }, "C14"},
		{"AX-23 kid", func(h, _ map[string]any) { h["kid"] = "other" }, "A12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, claims := header(), claims()
			c.twist(h, claims)
			r := request("system/*.read")
			r["client_assertion"] = key.sign(t, h, claims)
			if got := x.says(asForm(r)); got != "400 "+c.check {
				t.Errorf("AX-25: got %s, want 400 %s", got, c.check)
			}
		})
	}
	t.Run("AX-22 jti twice", func(t *testing.T) {
		r := request("system/*.read")
		asForm(r).want(t, 200)
		if got := x.says(asForm(r)); got != "400 C15" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("AX-24 signature", func(t *testing.T) {
		r := request("system/*.read")
		r["client_assertion"] = spoiled(t, r["client_assertion"])
		if got := x.says(asForm(r)); got != "400 A15" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("AX-17 no JWT", func(t *testing.T) {
		r := request("system/*.read")
		r["client_assertion"] = "rubbish"
		if got := x.says(asForm(r)); got != "400 A06" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("AX-28 more than the client has", func(t *testing.T) {
		a := asForm(request("system/*.read system/Patient.write"))
		a.oauth(t, 400, "invalid_scope")
	})
}
