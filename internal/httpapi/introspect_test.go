package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

func TestIntrospection(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.client(t, "system/Patient.rs")
	p := w.holder(t, c)
	me := w.service(t, nil, "system/*.rs")
	url := w.URL() + "/auth/introspect"
	ask := func(token string) *answer {
		return w.at().search(t, url, form("token", token, "token_type_hint", "access_token"), "Authorization", "Bearer "+w.all.token)
	}
	type introspection struct {
		Active   bool
		Scope    string
		ClientID string `json:"client_id"`
		Exp      int64
	}
	t.Run("SB-INT-02 active", func(t *testing.T) {
		var got introspection
		ask(p.token).want(t, 200).wantHeader(t, "Content-Type", "application/json").wantHeader(t, "Cache-Control", "no-store").decode(t, &got)
		if left := got.Exp - inSeconds(0); !got.Active || got.Scope != "system/Patient.rs" || got.ClientID != c.ID() || left < 240 || left > 301 {
			t.Errorf("got %+v, want the token of %s for 300 seconds", got, c.ID())
		}
	})
	t.Run("SB-INT-05 by an assertion", func(t *testing.T) {
		for _, aud := range []string{url, w.TokenURL()} { // SB-REV-05
			a := w.at().search(t, url, form("token", p.token, "client_assertion_type", assertionType, "client_assertion", me.assertion(t, me.id, aud))).want(t, 200)
			if got := a.object(t); got["active"] != true {
				t.Errorf("aud %s: got %s", aud, a.body)
			}
		}
	})
	production, err := w.Production().RegisterClient(t.Context(), sandbox.ClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	revoked := w.client(t)
	ofRevoked := w.holder(t, revoked)
	if err := revoked.Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"rubbish": "rubbish", "another signature": spoiled(t, p.token), "of the other environment": w.holder(t, production).token,
		"an assertion": me.assertion(t, me.id, w.TokenURL()), "of a client whose tokens were revoked": ofRevoked.token,
	} {
		t.Run("SB-INT-04 "+name, func(t *testing.T) {
			if a := ask(token).want(t, 200); strings.TrimSpace(string(a.body)) != `{"active":false}` {
				t.Errorf("got %s, want that it is inactive and nothing else", a.body)
			}
		})
	}
	t.Run("SB-INT-05 without authorization", func(t *testing.T) {
		w.at().search(t, url, form("token", p.token)).oauth(t, 401, "invalid_client")
		w.at().search(t, url, form("token", p.token), "Authorization", "Bearer rubbish").oauth(t, 401, "invalid_token")
	})
	t.Run("SB-INT-06", func(t *testing.T) {
		w.at().search(t, url, "token=", "Authorization", "Bearer "+w.all.token).oauth(t, 400, "invalid_request")
		w.at().get(t, url, "Authorization", "Bearer "+w.all.token).want(t, 405).wantHeader(t, "Allow", "POST")
	})
	t.Run("SB-INT-04 expired", func(t *testing.T) {
		w.Clock().Advance(6 * time.Minute)
		fresh := w.grant(t, "system/*.rs")
		a := w.at().search(t, url, form("token", p.token), "Authorization", "Bearer "+fresh.token).want(t, 200)
		if strings.TrimSpace(string(a.body)) != `{"active":false}` {
			t.Errorf("got %s, want that it is inactive and nothing else", a.body)
		}
	})
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	w := start(t)
	me, other := w.service(t, nil, "system/Patient.rs"), w.service(t, nil, "system/Patient.rs")
	url := w.URL() + "/auth/revoke"
	issue := func(t *testing.T, s service) party {
		t.Helper()
		token := w.at().askToken(t, w.TokenURL(), s.assertion(t, s.id, w.TokenURL()), "system/Patient.rs").granted(t, "system/Patient.rs")
		return party{web: w.web, base: w.FHIRURL(), token: token.AccessToken}
	}
	revoke := func(t *testing.T, s service, more ...string) *answer {
		t.Helper()
		return w.at().search(t, url, form(append([]string{"client_assertion_type", assertionType, "client_assertion", s.assertion(t, s.id, w.TokenURL())}, more...)...))
	}
	t.Run("SB-REV-02 SB-REV-04", func(t *testing.T) {
		p, q := issue(t, me), issue(t, me)
		if a := revoke(t, me, "token", p.token).want(t, 200); len(a.body) != 0 {
			t.Errorf("got body %s", a.body)
		}
		a := p.get(t, "/Patient")
		a.refused(t, 401, "login", "unknown")
		a.challenge(t, "invalid_token")
		q.get(t, "/Patient").want(t, 200) // the client's other token stays
		revoke(t, me, "token", p.token).want(t, 200)
	})
	t.Run("SB-REV-02 unknown token", func(t *testing.T) {
		revoke(t, me, "token", "rubbish", "token_type_hint", "refresh_token").want(t, 200)
	})
	t.Run("SB-REV-03 token of another client", func(t *testing.T) {
		p := issue(t, me)
		if a := revoke(t, other, "token", p.token); a.status < 400 || a.status >= 500 {
			t.Errorf("got status %d, want a refusal", a.status)
		}
		p.get(t, "/Patient").want(t, 200)
	})
	t.Run("SB-REV-03 wrong requests", func(t *testing.T) {
		p := issue(t, me)
		revoke(t, me).oauth(t, 400, "invalid_request")
		w.at().search(t, url, form("token", p.token)).oauth(t, 401, "invalid_client")
		a := w.at().search(t, url, form("token", p.token, "client_assertion_type", assertionType, "client_assertion", spoiled(t, me.assertion(t, me.id, w.TokenURL()))))
		if a.status != 400 && a.status != 401 {
			t.Errorf("got status %d, want a refusal", a.status)
		}
		replayed := form("token", p.token, "client_assertion_type", assertionType, "client_assertion", me.assertion(t, me.id, w.TokenURL()))
		p.get(t, "/Patient").want(t, 200)
		w.at().search(t, url, replayed).want(t, 200)
		w.at().search(t, url, replayed).oauth(t, 400, "invalid_client")
		w.at().get(t, url).want(t, 405).wantHeader(t, "Allow", "POST")
	})
}
