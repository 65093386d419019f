package authz_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

// metadata is a registration that is accepted; a nil value takes a member out.
func metadata(w *world, change map[string]any) []byte {
	m := map[string]any{
		"client_name": "Claims importer", "token_endpoint_auth_method": "private_key_jwt",
		"grant_types": []string{"client_credentials"}, "scope": "system/*.rs",
		"jwks": json.RawMessage(authztest.JWKS(w.rsa, w.ec)),
	}
	maps.Copy(m, change)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	body, err := json.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

func (w *world) register(body []byte) *authz.RegistrationDecision {
	return w.server.Register(context.Background(), authz.RegistrationRequest{
		Method: "POST", ContentType: "application/json", Body: body, Addresses: addresses(),
	})
}

type registerCase struct {
	name    string
	options []option
	change  map[string]any
	body    string
	want    refusal
}

func badMetadata(id string, says ...string) refusal {
	return refusal{id: id, code: "invalid_client_metadata", status: 400, says: says}
}

func registerCases(t testing.TB) []registerCase {
	set := func(jwk map[string]any) map[string]any {
		return map[string]any{"jwks": json.RawMessage(authztest.RawJWKS(jwk))}
	}
	with := func(name string, value any) map[string]any {
		j := key(t, "rsa-a", "rsa-1").JWK()
		j[name] = value
		return set(j)
	}
	return []registerCase{
		{name: "SB-DCR-03 not JSON", body: "client_name=x", want: badMetadata("SB-DCR-03", "not valid JSON")},
		{name: "SB-DCR-03 an array", body: "[]", want: badMetadata("SB-DCR-03", "no JSON object")},
		{name: "SB-DCR-03 a member twice", body: `{"scope":"a","scope":"b"}`, want: badMetadata("SB-DCR-03", "twice")},
		{name: "SB-DCR-03 wrong type", body: `{"grant_types":"client_credentials"}`, want: badMetadata("SB-DCR-03", "/grant_types")},
		{name: "SB-DCR-03 a long name", change: map[string]any{"client_name": strings.Repeat("n", 201)}, want: badMetadata("SB-DCR-03", "200 characters")},
		{name: "SB-DCR-04 no method", change: map[string]any{"token_endpoint_auth_method": nil}, want: badMetadata("SB-DCR-04", "private_key_jwt")},
		{name: "SB-DCR-04 method none", change: map[string]any{"token_endpoint_auth_method": "none"}, want: badMetadata("SB-DCR-04", `"none"`)},
		{name: "SB-SYM-03 secrets are off", options: []option{withBehaviour(func(b *authz.Behaviour) { b.SecretsOffered = false })},
			change: map[string]any{"token_endpoint_auth_method": "client_secret_basic"}, want: badMetadata("SB-DCR-04", "takes private_key_jwt.")},
		{name: "SB-DCR-05 no grant_types", change: map[string]any{"grant_types": nil}, want: badMetadata("SB-DCR-05", "authorization_code")},
		{name: "SB-DCR-05 other grant", change: map[string]any{"grant_types": []string{"authorization_code"}}, want: badMetadata("SB-DCR-05", "client_credentials only")},
		{name: "SB-DCR-05 response_types", change: map[string]any{"response_types": []string{"code"}}, want: badMetadata("SB-DCR-05", "do not go with")},
		{name: "SB-DCR-06 no keys", change: map[string]any{"jwks": nil}, want: badMetadata("SB-DCR-06", "jwks_uri")},
		{name: "SB-REG-03 both", change: map[string]any{"jwks_uri": "https://x.example/jwks"}, want: badMetadata("SB-DCR-06", "exclude each other")},
		{name: "J08 SB-REG-10 http", change: map[string]any{"jwks": nil, "jwks_uri": "http://app.example/jwks"}, want: badMetadata("J08", "must be https")},
		{name: "J08 no URL", change: map[string]any{"jwks": nil, "jwks_uri": "jwks.json"}, want: badMetadata("J08", "absolute URL")},
		{name: "J04 SB-REG-04 bare array", change: map[string]any{"jwks": []any{}}, want: badMetadata("J04", "Aidbox")},
		{name: "SB-REG-05 empty set", change: map[string]any{"jwks": map[string]any{"keys": []any{}}}, want: badMetadata("SB-REG-05", "no key")},
		{name: "A11 SB-REG-05 no kid", change: with("kid", nil), want: badMetadata("A11", "number 1 of the set")},
		{name: "A13 SB-REG-06 one kid twice", change: map[string]any{"jwks": json.RawMessage(authztest.JWKS(key(t, "rsa-a", "k"), key(t, "rsa-b", "k")))}, want: badMetadata("A13", "exactly one match")},
		{name: "A14 SB-REG-05 other kty", change: with("kty", "OKP"), want: badMetadata("A14", `"OKP"`)},
		{name: "A17 SB-REG-08 P-256", change: set(key(t, "ec-p256", "p").JWK()), want: badMetadata("A17", "P-384")},
		{name: "A18 broken number", change: with("n", "a+b/"), want: badMetadata("A18", "standard base64")},
		{name: "A20 SB-REG-07 private key", change: with("d", "AQAB"), want: badMetadata("A20", "private members (d)")},
		{name: "A20 SB-REG-07 symmetric key", change: set(map[string]any{"kty": "oct", "kid": "s", "k": "AAAA"}), want: badMetadata("A20", "symmetric")},
		{name: "A21 SB-REG-09 use enc", change: with("use", "enc"), want: badMetadata("A21")},
		{name: "A22 SB-REG-08 short", change: set(key(t, "rsa-1024", "k").JWK()), want: badMetadata("A22", "1024 bits")},
		{name: "S02 SB-REG-12 patient scope", change: map[string]any{"scope": "system/*.rs patient/*.rs"}, want: badMetadata("S02", "system/*.rs")},
		{name: "SB-REG-12 unknown type", change: map[string]any{"scope": "system/Nothing.rs"}, want: badMetadata("SB-REG-12", "resource type")},
		{name: "SB-REG-12 only app scopes", change: map[string]any{"scope": "openid launch"}, want: badMetadata("SB-REG-12", "no user to tell about")},
		{name: "SB-REG-18 a link that is code", change: map[string]any{"client_uri": "javascript:alert(1)"}, want: badMetadata("SB-REG-18", "client_uri")},
		{name: "SB-DCR-08 redirect URI with a fragment", change: map[string]any{"redirect_uris": []string{"https://x.example/#f"}},
			want: refusal{id: "SB-REG-18", code: "invalid_redirect_uri", status: 400, says: []string{"Leave redirect_uris out"}}},
	}
}

func (c registerCase) world(t testing.TB) *world {
	return newWorld(t, append([]option{withKeys(authz.NewFetcher(authz.FetchConfig{}))}, c.options...)...)
}

func (c registerCase) send(w *world) *authz.RegistrationDecision {
	if c.body != "" {
		return w.register([]byte(c.body))
	}
	return w.register(metadata(w, c.change))
}

func TestRefusedRegistrations(t *testing.T) {
	t.Parallel()
	for _, c := range registerCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := c.world(t)
			d := c.send(w)
			c.want.check(t, d.Checks, d.Err)
			if clients, _ := w.store.RecentClients(t.Context(), authz.Sandbox, 10); len(clients) != 1 {
				t.Errorf("%d clients are stored, want the one of before", len(clients))
			}
		})
	}
}

func TestRegistrationEndpointForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name, method, contentType string
		want                      refusal
	}{
		{"GET", "GET", "application/json", refusal{id: "SB-DCR-02", code: "invalid_request", status: 405}},
		{"D04 a form", "POST", "application/x-www-form-urlencoded", badMetadata("D04", "application/json")},
	} {
		d := w.server.Register(t.Context(), authz.RegistrationRequest{Method: c.method, ContentType: c.contentType, Body: metadata(w, nil)})
		c.want.check(t, d.Checks, d.Err)
	}
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withKeys(authz.NewFetcher(authz.FetchConfig{})))
	d := w.register(metadata(w, map[string]any{
		"client_uri": "https://app.example", "contacts": []string{"dev@app.example"}, "software_id": "s1",
		"redirect_uris": []string{"https://app.example/cb"}, "unknown": 1, "software_statement": "x.y.z",
	}))
	if d.Err != nil {
		t.Fatalf("refused: %v", d.Err)
	}
	checkOrder(t, d.Checks, nil)
	c := d.Registration.Client
	if c.Status != authz.StatusDraft || c.Source != authz.SourceRegistration || len(c.ID) != 32 || !c.CreatedAt.Equal(w.clock.Now()) {
		t.Errorf("client %+v", c)
	}
	text, err := json.Marshal(d.Registration.Response)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "jwks")
	if token, _ := got["registration_access_token"].(string); len(token) != 43 || string(c.RegistrationToken) != string(authz.HashSecret(token)) {
		t.Errorf("SB-DCR-11: registration_access_token %q", token)
	}
	delete(got, "registration_access_token")
	want := map[string]any{
		"client_id": c.ID, "client_id_issued_at": float64(w.clock.Now().Unix()), "client_name": "Claims importer",
		"token_endpoint_auth_method": "private_key_jwt", "grant_types": []any{"client_credentials"}, "response_types": []any{},
		"scope": "system/*.rs", "client_uri": "https://app.example", "contacts": []any{"dev@app.example"}, "software_id": "s1",
		"redirect_uris": []any{"https://app.example/cb"}, "registration_client_uri": "http://127.0.0.1:8080/auth/register/" + c.ID,
	}
	if a, b := mustJSON(t, got), mustJSON(t, want); a != b {
		t.Errorf("SB-DCR-07: response\n got %s\nwant %s", a, b)
	}
	a := w.newAsk()
	a.assertion.Claims["iss"], a.assertion.Claims["sub"] = c.ID, c.ID
	a.granted()
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRegistrationVariants(t *testing.T) {
	t.Parallel()
	lenient := []option{withBehaviour(func(b *authz.Behaviour) { b.RegistrationDefaults = true })}
	for _, c := range []struct {
		name    string
		options []option
		change  map[string]any
		check   func(t *testing.T, r authz.RegistrationResponse)
		warns   []string
	}{
		{name: "jwks_uri", change: map[string]any{"jwks": nil, "jwks_uri": "https://app.example/jwks.json"}, check: func(t *testing.T, r authz.RegistrationResponse) {
			if r.JWKSURI != "https://app.example/jwks.json" || r.JWKS != nil {
				t.Errorf("response %+v", r)
			}
		}},
		{name: "L05 SB-REG-16 a secret", change: map[string]any{"jwks": nil, "token_endpoint_auth_method": "client_secret_basic"}, check: func(t *testing.T, r authz.RegistrationResponse) {
			if r.ClientSecret == "" || r.ClientSecretExpiresAt == nil || *r.ClientSecretExpiresAt != 0 {
				t.Errorf("SB-DCR-07: response %+v", r)
			}
		}, warns: []string{"L05"}},
		{name: "SB-DCR-10 other grant types are left out", change: map[string]any{"grant_types": []string{"authorization_code", "client_credentials"}, "response_types": []string{"code"}}, check: func(t *testing.T, r authz.RegistrationResponse) {
			if !slices.Equal(r.GrantTypes, []string{"client_credentials"}) || len(r.ResponseTypes) != 0 {
				t.Errorf("response %+v", r)
			}
		}, warns: []string{"SB-DCR-05"}},
		{name: "SB-DCR-10 app scopes are left out", change: map[string]any{"scope": "openid system/Patient.read"}, check: func(t *testing.T, r authz.RegistrationResponse) {
			if r.Scope != "system/Patient.read" {
				t.Errorf("scope %q", r.Scope)
			}
		}, warns: []string{"SB-REG-12"}},
		{name: "S01 default scope", change: map[string]any{"scope": nil}, check: func(t *testing.T, r authz.RegistrationResponse) {
			if r.Scope != "system/*.rs" {
				t.Errorf("scope %q", r.Scope)
			}
		}, warns: []string{"S01"}},
		{name: "lenient: defaults", options: lenient, change: map[string]any{"grant_types": nil, "token_endpoint_auth_method": nil}, check: func(t *testing.T, r authz.RegistrationResponse) {
			if r.TokenEndpointAuthMethod != authz.PrivateKeyJWT || len(r.GrantTypes) != 1 {
				t.Errorf("response %+v", r)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, append([]option{withKeys(authz.NewFetcher(authz.FetchConfig{}))}, c.options...)...)
			d := w.register(metadata(w, c.change))
			if d.Err != nil {
				t.Fatalf("refused: %v", d.Err)
			}
			checkOrder(t, d.Checks, nil)
			c.check(t, d.Registration.Response)
			var warns []string
			for _, check := range d.Checks {
				if check.Result == authz.Warn {
					warns = append(warns, check.ID())
				}
			}
			if !slices.Equal(warns, c.warns) {
				t.Errorf("warnings %v, want %v", warns, c.warns)
			}
		})
	}
}
