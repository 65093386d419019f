package authz_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

// call asks the resource server with these values of the header.
func (w *world) call(server *authz.Server, authorization ...string) *authz.AccessDecision {
	return server.Authenticate(context.Background(), authz.BearerRequest{Authorization: authorization, Addresses: addresses()})
}

func TestAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change(func(c *authz.Client) { c.Organization = "org-1" })
	grant := w.newAsk().granted()
	for _, scheme := range []string{"Bearer", "bearer", "BEARER"} { // SB-RS-01
		d := w.call(w.server, scheme+" "+grant.Response.AccessToken)
		if d.Err != nil {
			t.Fatalf("%s: refused: %v", scheme, d.Err)
		}
		checkOrder(t, d.Checks, nil)
		got := d.Access
		if got.ClientID != "app" || got.ClientName != "Claims importer" || got.Organization != "org-1" ||
			got.Scopes.String() != "system/Patient.rs" || got.TokenID != grant.TokenID || got.Environment.Name != authz.Sandbox {
			t.Errorf("access is %+v", got)
		}
		if !got.IssuedAt.Equal(w.clock.Now()) || !got.Expires.Equal(w.clock.Now().Add(300*time.Second)) {
			t.Errorf("issued at %v, expires %v; the workspace's time is %v", got.IssuedAt, got.Expires, w.clock.Now())
		}
	}
}

// A token says what RFC 9068 wants and is bound to no host name: SB-ISS.
func TestTokenClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := w.newAsk().granted()
	if r := grant.Response; r.TokenType != "bearer" || r.ExpiresIn != 300 || r.Scope != "system/Patient.rs" {
		t.Errorf("SB-ISS-01: response %+v", r)
	}
	text, err := json.Marshal(grant.Response)
	if err != nil || !strings.Contains(string(text), `"expires_in":300,`) {
		t.Errorf("SB-ISS-04: %s, %v", text, err)
	}
	parts := strings.Split(grant.Response.AccessToken, ".")
	header, claims := map[string]any{}, map[string]any{}
	for i, into := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	if header["alg"] != "ES256" || header["typ"] != "at+jwt" {
		t.Errorf("header %v", header)
	}
	issued := float64(w.clock.Now().Unix())
	for name, want := range map[string]any{"iss": "http://127.0.0.1:8080/auth", "aud": "http://127.0.0.1:8080/fhir", "sub": "app", "client_id": "app",
		"scope": "system/Patient.rs", "iat": issued, "exp": issued + 300, "jti": grant.TokenID, "environment": "sandbox", "workspace": ""} {
		if claims[name] != want {
			t.Errorf("claim %s is %v, want %v", name, claims[name], want)
		}
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(w.server.JWKS(), &set); err != nil || len(set.Keys) != 1 || set.Keys[0]["kid"] != header["kid"] {
		t.Errorf("key set %s does not hold kid %v: %v", w.server.JWKS(), header["kid"], err)
	}
	for _, name := range []string{"d", "k"} {
		if set.Keys[0][name] != "" {
			t.Errorf("key set shows %s", name)
		}
	}
	elsewhere := authz.BearerRequest{Authorization: []string{"Bearer " + grant.Response.AccessToken}, Addresses: productionAddresses()}
	if d := w.server.Authenticate(context.Background(), elsewhere); d.Err != nil {
		t.Errorf("the token is bound to addresses: %v", d.Err)
	}
}

func TestTokenLifetime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		client time.Duration
		change func(*authz.Behaviour)
		want   int64
	}{
		{"SB-ISS-02 default", 0, func(*authz.Behaviour) {}, 300},
		{"SB-REG-19 of the client", 60 * time.Second, func(*authz.Behaviour) {}, 60},
		{"SB-REG-19 capped", time.Hour, func(*authz.Behaviour) {}, 300},
		{"cap of the behaviour", time.Hour, func(b *authz.Behaviour) { b.MaxTokenLifetime = 20 * time.Minute }, 1200},
		{"whole seconds, at least one", time.Millisecond, func(*authz.Behaviour) {}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, withBehaviour(c.change))
			w.change(func(client *authz.Client) { client.TokenLifetime = c.client })
			grant := w.newAsk().granted()
			if grant.Response.ExpiresIn != c.want {
				t.Fatalf("expires_in %d, want %d", grant.Response.ExpiresIn, c.want)
			}
			bearer := "Bearer " + grant.Response.AccessToken
			w.wall.Advance(time.Hour) // real time does not age tokens
			w.clock.Advance(time.Duration(c.want)*time.Second - time.Millisecond)
			if d := w.call(w.server, bearer); d.Err != nil {
				t.Errorf("refused before its time: %v", d.Err)
			}
			w.clock.Advance(time.Millisecond)
			d := w.call(w.server, bearer)
			invalidToken("T03").check(t, d.Checks, d.Err)
		})
	}
}

func invalidToken(id string, says ...string) refusal {
	return refusal{id: id, code: "invalid_token", status: 401, says: says}
}

type accessCase struct {
	name string
	// send returns the header's values for a token that is valid.
	send  func(w *world, token string) []string
	query string
	want  refusal
}

func accessCases() []accessCase {
	none := refusal{id: "SB-RS-02", code: "", status: 401, says: []string{tokenURL}}
	return []accessCase{
		{name: "SB-RS-02 no credentials", send: func(*world, string) []string { return nil }, want: none},
		{name: "SB-RS-02 empty header", send: func(*world, string) []string { return []string{""} }, want: none},
		{name: "SB-RS-02 Basic", send: func(*world, string) []string { return []string{basic("app", "x")} }, want: none},
		{name: "SB-RS-02 the token alone", send: func(_ *world, token string) []string { return []string{token} }, want: refusal{id: "SB-RS-02", status: 401, says: []string{"no scheme"}}},
		{name: "SB-RS-06 Bearer without a token", send: func(*world, string) []string { return []string{"Bearer "} }, want: badRequest("SB-RS-06", "no token follows")},
		{name: "SB-RS-06 Bearer twice", send: func(_ *world, token string) []string { return []string{"Bearer Bearer " + token} }, want: badRequest("SB-RS-06", "not a token alone", "holds a space")},
		{name: "SB-RS-06 a tab before the token", send: func(_ *world, token string) []string { return []string{"Bearer \t" + token} }, want: badRequest("SB-RS-06", "not a token alone")},
		{name: "SB-RS-01 token in the query string", query: "access_token=x", send: func(*world, string) []string { return nil }, want: refusal{id: "SB-RS-01", status: 401, says: []string{"query string"}}},
		{name: "SB-RS-01 two transports", query: "a=1&access_token=x", send: func(_ *world, token string) []string { return []string{"Bearer " + token} }, want: badRequest("SB-RS-01", "Send the token once")},
		{name: "SB-RS-01 two headers", send: func(_ *world, token string) []string { return []string{"Bearer " + token, "Bearer " + token} }, want: badRequest("SB-RS-01")},
		{name: "SB-RS-03 nonsense", send: func(*world, string) []string { return []string{"Bearer abc"} }, want: invalidToken("SB-RS-03", "none that this server issues")},
		{name: "SB-RS-03 another server's JWT", send: func(w *world, _ string) []string {
			a := authztest.Assertion{Header: map[string]any{"alg": "RS256", "kid": "x"}, Claims: map[string]any{"iss": "https://idp.example", "sub": "u", "scope": "x"}}
			return []string{"Bearer " + w.rsa.Sign(a)}
		}, want: invalidToken("SB-RS-03", "https://idp.example")},
		{name: "A04 a client assertion", send: func(w *world, _ string) []string {
			return []string{"Bearer " + w.rsa.Sign(w.newAsk().assertion)}
		}, want: invalidToken("A04", "iss=app", "POST it to the token endpoint")},
		{name: "SB-ISS-06 changed on the way", send: func(_ *world, token string) []string {
			p := strings.Split(token, ".")
			claims, _ := base64.RawURLEncoding.DecodeString(p[1])
			p[1] = authztest.Encode([]byte(strings.Replace(string(claims), "Patient.rs", "*.cruds", 1)))
			return []string{"Bearer " + strings.Join(p, ".")}
		}, want: invalidToken("SB-ISS-06", "changed or cut")},
		{name: "SB-ISS-06 signed with a client's key", send: func(w *world, token string) []string {
			p := strings.Split(token, ".")
			return []string{"Bearer " + p[0] + "." + p[1] + "." + authztest.Encode(w.ec.Signature(p[0]+"."+p[1], "ES384"))}
		}, want: invalidToken("SB-ISS-06")},
		{name: "SB-ISS-06 of before a reset", send: func(w *world, _ string) []string {
			other := newWorld(w.t)
			return []string{"Bearer " + other.newAsk().granted().Response.AccessToken}
		}, want: invalidToken("SB-ISS-06", "before a reset")},
		{name: "T03 expired", send: func(w *world, token string) []string {
			w.clock.Advance(312 * time.Second)
			return []string{"Bearer " + token}
		}, want: invalidToken("T03", "expired 12 s ago", "repeat this request")},
		{name: "T06 rejected", send: func(w *world, token string) []string {
			w.change(func(c *authz.Client) {
				c.Status, c.StatusReason, c.StatusBy, c.StatusAt = authz.StatusRejected, "misuse", "ann", epoch
			})
			return []string{"Bearer " + token}
		}, want: invalidToken("T06", "by ann", "misuse", "tokens are revoked")},
		{name: "T06 rejected and a draft again", send: func(w *world, token string) []string {
			w.change(func(c *authz.Client) { c.Status = authz.StatusRejected })
			w.change(func(c *authz.Client) { c.Status = authz.StatusDraft })
			return []string{"Bearer " + token}
		}, want: invalidToken("T06", "were revoked after this one was issued")},
		{name: "T06 SB-DCR-13 deleted", send: func(w *world, token string) []string {
			if err := w.store.DeleteClient(context.Background(), authz.Sandbox, "app"); err != nil {
				w.t.Fatal(err)
			}
			return []string{"Bearer " + token}
		}, want: invalidToken("T06", "was deleted")},
		{name: "T06 deleted and made again", send: func(w *world, token string) []string {
			c, _ := w.store.Client(context.Background(), authz.Sandbox, "app")
			if err := w.store.DeleteClient(context.Background(), authz.Sandbox, "app"); err != nil {
				w.t.Fatal(err)
			}
			w.put(c)
			return []string{"Bearer " + token}
		}, want: invalidToken("T06")},
		{name: "T06 SB-REV-04 token revoked", send: func(w *world, token string) []string {
			d := w.call(w.server, "Bearer "+token)
			if err := w.store.RevokeToken(context.Background(), authz.Sandbox, d.Access.TokenID, d.Access.Expires); err != nil {
				w.t.Fatal(err)
			}
			return []string{"Bearer " + token}
		}, want: invalidToken("T06", "This token was revoked")},
		{name: "T06 client revoked whole", send: func(w *world, token string) []string {
			if _, err := w.store.RevokeClient(context.Background(), authz.Sandbox, "app"); err != nil {
				w.t.Fatal(err)
			}
			return []string{"Bearer " + token}
		}, want: invalidToken("T06", "were revoked after this one was issued")},
	}
}

func TestRefusedAccess(t *testing.T) {
	t.Parallel()
	for _, c := range accessCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			token := w.newAsk().granted().Response.AccessToken
			d := w.server.Authenticate(context.Background(), authz.BearerRequest{Authorization: c.send(w, token), Query: c.query, Addresses: addresses()})
			c.want.check(t, d.Checks, d.Err)
			challenge := `Bearer realm="fhir"`
			if d.Err.Code != "" {
				challenge += `, error="` + d.Err.Code + `", error_description="` + d.Err.Description() + `"`
			}
			if d.Err.Challenge.String() != challenge {
				t.Errorf("SB-RS-03: challenge %q, want %q", d.Err.Challenge, challenge)
			}
			if strings.Contains(d.Err.Check.Explanation(), token) {
				t.Error("the diagnosis shows the token")
			}
		})
	}
}

func TestTokenOfAnotherEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := "Bearer " + w.newAsk().granted().Response.AccessToken
	c, err := w.store.Client(context.Background(), authz.Sandbox, "app")
	if err != nil {
		t.Fatal(err)
	}
	w.putIn(authz.Production, c)
	production := w.open(inProduction)
	d := production.Authenticate(context.Background(), authz.BearerRequest{Authorization: []string{token}, Addresses: productionAddresses()})
	invalidToken("T05", "issued by sandbox", "this is production", otherToken).check(t, d.Checks, d.Err)

	workspace := w.open(func(cfg *authz.Config) { cfg.Environment.Workspace = "team-a" })
	d = w.call(workspace, token)
	invalidToken("T05", "sandbox of workspace team-a").check(t, d.Checks, d.Err)
}

// Two servers over one store know each other's keys and tokens.
func TestTwoServersOneStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.open()
	if d := w.call(other, "Bearer "+w.newAsk().granted().Response.AccessToken); d.Err != nil {
		t.Errorf("refused: %v", d.Err)
	}
	if string(other.JWKS()) != string(w.server.JWKS()) {
		t.Error("two servers over one store publish different keys")
	}
}

// A key that another server added to the store signs there and is known here.
func TestSigningKeyRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	der, err := x509.MarshalPKCS8PrivateKey(key(t, "ec-p256", "").Private)
	if err != nil {
		t.Fatal(err)
	}
	before := "Bearer " + w.newAsk().granted().Response.AccessToken
	if err := w.store.PutSigningKey(t.Context(), authz.Sandbox, authz.SigningKey{ID: "next", PKCS8: der, CreatedAt: w.clock.Now()}); err != nil {
		t.Fatal(err)
	}
	first, second := w.server, w.open()
	w.server = second
	after := "Bearer " + w.newAsk().granted().Response.AccessToken
	if string(first.JWKS()) == string(second.JWKS()) {
		t.Error("the first server knows the key before anything named it")
	}
	for _, server := range []*authz.Server{first, second} {
		for name, token := range map[string]string{"old": before, "new": after} {
			if d := w.call(server, token); d.Err != nil {
				t.Errorf("token of the %s key: %v", name, d.Err)
			}
		}
	}
	if string(first.JWKS()) != string(second.JWKS()) || !strings.Contains(string(first.JWKS()), `"kid":"next"`) {
		t.Errorf("key sets differ: %s and %s", first.JWKS(), second.JWKS())
	}
}

func TestBearerSpelling(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withBehaviour(func(b *authz.Behaviour) { b.CaseSensitiveBearer = true; b.TokenType = "Bearer"; b.OmitScope = true }))
	grant := w.newAsk().granted()
	if r := grant.Response; r.TokenType != "Bearer" || r.Scope != "" || grant.Scopes.String() != "system/Patient.rs" {
		t.Errorf("response %+v", r)
	}
	if d := w.call(w.server, "Bearer "+grant.Response.AccessToken); d.Err != nil {
		t.Errorf("refused: %v", d.Err)
	}
	d := w.call(w.server, "bearer "+grant.Response.AccessToken)
	invalidToken("T02", `"bearer"`).check(t, d.Checks, d.Err)
}

// What is no scheme may be a credential: no answer and no check repeats it.
func TestCredentialWithoutScheme(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	assertion := w.rsa.Sign(w.newAsk().assertion)
	for _, c := range []struct{ name, header, secret string }{
		{"a Basic credential", "c2FuZGZoaXI6c3VwZXItc2VjcmV0", "c2FuZGZoaXI6c3VwZXItc2VjcmV0"},
		{"an opaque token", "0123456789abcdef-0123456789", "0123456789abcdef"},
		{"a short secret", "hunter2hunter", "hunter2"},
		{"an assertion", assertion, assertion[:40]},
		{"a token with a space behind it", "c2FuZGZoaXI6c3VwZXItc2VjcmV0 ", "c2FuZGZoaXI"},
		{"a token and more", "c2FuZGZoaXI6c3VwZXItc2VjcmV0 x", "c2FuZGZoaXI"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			access := w.call(w.server, c.header)
			token := w.server.Token(t.Context(), authz.FormRequest{Method: "POST", ContentType: "application/x-www-form-urlencoded",
				Body: []byte("grant_type=client_credentials"), Authorization: []string{c.header}, Addresses: addresses()})
			shown := fmt.Sprintf("%+v %+v %v %v", access, token, access.Err, token.Err)
			if lower := strings.ToLower(shown); strings.Contains(lower, strings.ToLower(c.secret)) {
				t.Errorf("%q is repeated in %s", c.secret, shown)
			}
			if access.Err.Status != 401 || token.Err.Code != "invalid_client" {
				t.Errorf("got %v and %v", access.Err, token.Err)
			}
		})
	}
}

// SB-RS-12: scopes are a union, so their order makes no difference.
func TestConstraintsDependOnNoOrder(t *testing.T) {
	t.Parallel()
	const lab, vital, both = "system/Observation.rs?category=lab", "system/Observation.rs?category=vital", "system/Observation.rs?code=b,a&category=lab"
	for _, c := range []struct{ name, scopes, want string }{
		{"as is", lab + " " + vital, "category=lab or category=vital"},
		{"the other way round", vital + " " + lab, "category=lab or category=vital"},
		{"one twice", vital + " " + lab + " " + vital, "category=lab or category=vital"},
		{"a narrower one", both + " " + lab, "category=lab"},
		{"values", "system/Observation.rs?category=vital,lab,vital", "category=lab,vital"},
		{"parameters", both, "category=lab&code=a,b"},
		{"letters apart", "system/Observation.r?category=lab system/Observation.s?code=a system/Observation.s?category=lab", "category=lab"},
		{"letters that meet", "system/Observation.r?category=lab system/Observation.s?code=b system/Observation.s?code=a", "category=lab&code=a or category=lab&code=b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			scopes, err := authz.ParseScopes(c.scopes)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, q := range scopes.Allows("Observation", authz.Read|authz.Search).Constraints {
				got = append(got, q.String())
			}
			if text := strings.Join(got, " or "); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}

// Hundreds of constrained scopes are as many alternatives, not their square.
func TestManyConstraints(t *testing.T) {
	t.Parallel()
	var scopes authz.Scopes
	for i := range 400 {
		scopes = append(scopes, authz.Scope{Type: "Observation", Letters: authz.Read | authz.Search,
			Query: authz.Query{{Name: "code", Values: []string{fmt.Sprint(i)}}}})
	}
	if n := len(scopes.Allows("Observation", authz.Read|authz.Search).Constraints); n != 400 {
		t.Errorf("got %d alternatives, want 400", n)
	}
}
