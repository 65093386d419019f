package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestHiddenReasons proves that under hide_reasons nothing on the wire tells
// why a client was refused, and that page and log still do (A01).
func TestHiddenReasons(t *testing.T) {
	t.Parallel()
	x := newLab(t, newRS384(t, "rs-1"), sandbox.WithSwitch("hide_reasons", "true"))
	narrow := x.token(x.rs, "system/Patient.read")
	for _, c := range []struct {
		name      string
		do        func() *answer
		status    int
		body      string
		challenge string
		reason    string // what the page says
	}{
		{"an assertion", func() *answer { return x.ask(x.rs, withClaim("aud", "x")) }, 400, `{"error":"invalid_client"}`, "", "C03"},
		{"a scope", func() *answer { return x.askFor(x.rs, "system/Patients.rs") }, 400, `{"error":"invalid_scope"}`, "", "SB-ERR-23"},
		{"a Basic credential", func() *answer { return x.askBasic("nobody", "x") }, 401, `{"error":"invalid_client"}`, `Basic realm="token", charset="UTF-8"`, "A02"},
		{"an assertion in the header", func() *answer {
			return x.at().search(t, "/auth/token", form("grant_type", "client_credentials", "scope", "system/Patient.rs"), "Authorization", "Bearer "+x.rs.assertion(t, x.rs.id, x.TokenURL()))
		}, 401, `{"error":"invalid_client"}`, `Bearer realm="token", error="invalid_token"`, "A04"},
		{"a method", func() *answer { return x.at().get(t, "/auth/token") }, 405, `{"error":"invalid_request"}`, "", "D05"},
		{"a registration", func() *answer { return x.registered(func(map[string]any) {}) }, 400, `{"error":"invalid_client_metadata"}`, "", "SB-DCR-06"},
		{"a registration's token", func() *answer { return x.at().get(t, "/auth/register/nobody", "Authorization", "Bearer x") }, 401, `{"error":"invalid_token"}`, `Bearer realm="registration", error="invalid_token"`, "SB-DCR-12"},
		{"an introspection", func() *answer {
			return x.at().search(t, "/auth/introspect", form("token", "x"), "Authorization", "Bearer x")
		}, 401, `{"error":"invalid_token"}`, `Bearer realm="fhir", error="invalid_token"`, "SB-INT-05"},
		{"no access token", func() *answer { return x.stranger().get(t, "/Patient") }, 401, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login"}]}`, `Bearer realm="fhir"`, "SB-RS-02"},
		{"a wrong access token", func() *answer { return x.stranger().as("x").get(t, "/Patient") }, 401, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"login","diagnostics":"invalid_token"}]}`, `Bearer realm="fhir", error="invalid_token"`, "SB-RS-03"},
		{"a narrow access token", func() *answer { return narrow.get(t, "/Observation") }, 403, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden","diagnostics":"insufficient_scope"}]}`, `Bearer realm="fhir", error="insufficient_scope"`, "S11"},
		{"a path of the authorization server", func() *answer { return x.at().get(t, "/auth/nothing") }, 404, `{"error":"invalid_request"}`, "", ""},
	} {
		t.Run("A01 "+c.name, func(t *testing.T) {
			a := c.do().want(t, c.status)
			if string(a.body) != c.body {
				t.Errorf("got %s, want %s", a.body, c.body)
			}
			if got := a.header.Get("WWW-Authenticate"); got != c.challenge {
				t.Errorf("got WWW-Authenticate %q, want %q", got, c.challenge)
			}
			if got := a.header.Get("Link"); got != "" {
				t.Errorf("got Link %q", got)
			}
			seen := x.Exchanges(sandbox.Exchange.Refused)
			last := seen[len(seen)-1]
			if !strings.HasPrefix(last.Refusal, c.reason) || len(last.Refusal) < 20 {
				t.Errorf("the exchange says %q, want the reason, %s", last.Refusal, c.reason)
			}
			page := string(x.at().get(t, "/_sandbox/exchanges/"+last.ID, "Accept", "text/html").want(t, 200).body)
			if !strings.Contains(page, `class="diagnosis"`) {
				t.Error("the page does not explain it")
			}
		})
	}
	t.Run("A01 the controls still tell", func(t *testing.T) {
		a := x.at().send(t, http.MethodPut, "/_sandbox/behaviour", `{"name":"aidbx"}`).want(t, 400)
		if !strings.Contains(string(a.body), `did you mean`) || a.header.Get("Link") == "" {
			t.Errorf("got %s with Link %q", a.body, a.header.Get("Link"))
		}
	})
	t.Run("A01 other refusals of the FHIR server keep their diagnostics, without the link", func(t *testing.T) {
		a := narrow.get(t, "/Patient/nobody")
		if issue := a.refused(t, 404, "not-found"); len(issue.Diagnostics) < 10 || a.header.Get("Link") != "" {
			t.Errorf("got %+v with Link %q", issue, a.header.Get("Link"))
		}
	})
	t.Run("A01 the Go client", func(t *testing.T) {
		_, err := x.DefaultClient().TokenFor(t.Context(), "x", "system/Patient.rs")
		if refused, ok := err.(*sandbox.TokenError); !ok || refused.Code != "invalid_client" || refused.Description != "" {
			t.Errorf("got %v", err)
		}
	})
}
