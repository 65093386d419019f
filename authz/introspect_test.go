package authz_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// about is a request on a token to the introspection or revocation endpoint,
// authenticated by an assertion of client app.
func (w *world) about(token string) *ask {
	a := w.newAsk()
	a.form.Del("grant_type")
	a.form.Del("scope")
	a.form.Set("token", token)
	return a
}

func (a *ask) introspect() *authz.IntrospectionDecision {
	return a.server.Introspect(context.Background(), a.request())
}

func (a *ask) revoke() *authz.RevocationDecision {
	return a.server.Revoke(context.Background(), a.request())
}

// byBearer takes the assertion out and sends an access token instead.
func (a *ask) byBearer(token string) *ask {
	a.form.Del("client_assertion")
	a.form.Del("client_assertion_type")
	a.Authorization = []string{"Bearer " + token}
	return a
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := w.newAsk().granted()
	token := grant.Response.AccessToken
	want := authz.IntrospectionResponse{
		Active: true, Scope: "system/Patient.rs", ClientID: "app", TokenType: "bearer", Subject: "app",
		Expires: w.clock.Now().Unix() + 300, IssuedAt: w.clock.Now().Unix(),
		Audience: addresses().FHIRBase, Issuer: addresses().Issuer, TokenID: grant.TokenID,
	}
	for name, a := range map[string]*ask{
		"SB-INT-01 by an assertion": w.about(token),
		"SB-INT-05 by a bearer token": func() *ask {
			return w.about(token).byBearer(token)
		}(),
		"SB-REV-05 aud is the introspection endpoint": func() *ask {
			a := w.about(token)
			a.assertion.Claims["aud"] = addresses().IntrospectionURL
			return a
		}(),
		"a wrong hint is passed over": func() *ask {
			a := w.about(token)
			a.form.Set("token_type_hint", "refresh_token")
			return a
		}(),
	} {
		d := a.introspect()
		if d.Err != nil {
			t.Errorf("%s: refused: %v", name, d.Err)
			continue
		}
		checkOrder(t, d.Checks, nil)
		if *d.Response != want {
			t.Errorf("SB-INT-02 %s: got %+v, want %+v", name, *d.Response, want)
		}
		if d.ClientID != "app" || d.Token == nil || d.Token.Err != nil {
			t.Errorf("%s: caller %q, token %+v", name, d.ClientID, d.Token)
		}
	}
}

func TestIntrospectionOfInactiveTokens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, why string
		token     func(w *world, token string) string
	}{
		{"SB-INT-04 nonsense", "SB-RS-03", func(*world, string) string { return "nonsense" }},
		{"SB-INT-04 changed", "SB-ISS-06", func(_ *world, token string) string { return token[:len(token)-4] + "AAAA" }},
		{"SB-INT-04 expired", "T03", func(w *world, token string) string { w.clock.Advance(time.Hour); return token }},
		{"SB-REV-04 revoked", "T06", func(w *world, token string) string {
			if d := w.about(token).revoke(); d.Err != nil {
				w.t.Fatal(d.Err)
			}
			return token
		}},
		{"SB-INT-04 of another server", "SB-ISS-06", func(w *world, _ string) string { return newWorld(w.t).newAsk().granted().Response.AccessToken }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			token := c.token(w, w.newAsk().granted().Response.AccessToken)
			d := w.about(token).introspect()
			if d.Err != nil {
				t.Fatal(d.Err)
			}
			if got := mustJSON(t, d.Response); got != `{"active":false}` {
				t.Errorf("SB-INT-04: %s", got)
			}
			if d.Token.Err.Check.ID() != c.why {
				t.Errorf("because of %s, want %s", d.Token.Err.Check.ID(), c.why)
			}
		})
	}
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant, other := w.newAsk().granted(), w.newAsk().granted()
	a := w.about(grant.Response.AccessToken)
	a.assertion.Claims["aud"] = addresses().RevocationURL // SB-REV-05
	d := a.revoke()
	if d.Err != nil || d.TokenID != grant.TokenID {
		t.Fatalf("SB-REV-02: %+v", d)
	}
	checkOrder(t, d.Checks, nil)
	access := w.call(w.server, "Bearer "+grant.Response.AccessToken)
	invalidToken("T06").check(t, access.Checks, access.Err) // SB-REV-04
	if access := w.call(w.server, "Bearer "+other.Response.AccessToken); access.Err != nil {
		t.Errorf("another token of the client is refused: %v", access.Err)
	}
	for name, token := range map[string]string{"revoked": grant.Response.AccessToken, "unknown": "nonsense"} {
		if d := w.about(token).revoke(); d.Err != nil || d.TokenID != "" {
			t.Errorf("SB-REV-02 %s: %+v", name, d)
		}
	}
}

func TestRefusedIntrospectionAndRevocation(t *testing.T) {
	t.Parallel()
	none := func(a *ask) { a.form.Del("client_assertion"); a.form.Del("client_assertion_type") }
	for _, c := range []struct {
		name               string
		edit               func(a *ask)
		introspect, revoke refusal // zero: granted
	}{
		{name: "SB-INT-06 GET", edit: func(a *ask) { a.Method = "GET" },
			introspect: refusal{id: "D05", code: "invalid_request", status: 405}, revoke: refusal{id: "D05", code: "invalid_request", status: 405}},
		{name: "SB-INT-06 no token", edit: func(a *ask) { a.form.Del("token") }, introspect: badRequest("SB-INT-06"), revoke: badRequest("SB-INT-06")},
		{name: "SB-INT-05 SB-REV-03 no credentials", edit: none,
			introspect: refusal{id: "SB-TOK-03", code: "invalid_client", status: 401}, revoke: refusal{id: "SB-TOK-03", code: "invalid_client", status: 401}},
		{name: "SB-ERR-32 bad assertion", edit: claim("exp", 1), introspect: clientError("C08"), revoke: clientError("C08")},
		{name: "SB-ERR-32 bad Basic", edit: func(a *ask) { none(a); a.Authorization = []string{basic("app", "x")} }, introspect: basicError("K04"), revoke: basicError("K04")},
		{name: "SB-INT-05 bad bearer token", edit: func(a *ask) { a.byBearer("nonsense") },
			introspect: invalidToken("SB-INT-05"), revoke: refusal{id: "SB-TOK-03", code: "invalid_client", status: 401}},
		{name: "SB-INT-05 expired bearer token", edit: func(a *ask) { a.byBearer(a.form.Get("token")); a.clock.Advance(time.Hour) },
			introspect: invalidToken("T03"), revoke: refusal{id: "SB-TOK-03", code: "invalid_client", status: 401}},
		{name: "SB-REV-03 token of another client", edit: func(a *ask) {
			a.put(&authz.Client{ID: "web", Method: authz.ClientSecretPost, Secrets: []authz.Secret{{Hash: authz.HashSecret("s")}}})
			none(a)
			a.form.Set("client_id", "web")
			a.form.Set("client_secret", "s")
		}, revoke: refusal{id: "SB-REV-03", code: "unauthorized_client", status: 400, says: []string{"another client"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			token := w.newAsk().granted().Response.AccessToken
			for endpoint, want := range map[string]refusal{"introspect": c.introspect, "revoke": c.revoke} {
				a := w.about(token)
				c.edit(a)
				var checks []authz.Check
				var err *authz.Error
				if endpoint == "introspect" {
					d := a.introspect()
					checks, err = d.Checks, d.Err
				} else {
					d := a.revoke()
					checks, err = d.Checks, d.Err
				}
				if want.id == "" {
					if err != nil {
						t.Errorf("%s: refused: %v", endpoint, err)
					}
					continue
				}
				want.check(t, checks, err)
				if (err.Status == 401) != (err.Challenge.Scheme != "") {
					t.Errorf("%s: status %d with challenge %q", endpoint, err.Status, err.Challenge)
				}
			}
			if strings.Contains(c.name, "another client") {
				if d := w.call(w.server, "Bearer "+token); d.Err != nil {
					t.Errorf("SB-REV-03: the token is no longer valid: %v", d.Err)
				}
			}
		})
	}
}
