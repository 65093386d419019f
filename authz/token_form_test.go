package authz_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
)

func badRequest(id string, says ...string) refusal {
	return refusal{id: id, code: "invalid_request", status: 400, says: says}
}

func formCases() []assertionCase {
	return []assertionCase{
		{name: "D05 SB-TOK-01 SB-ERR-01 GET", edit: func(a *ask) { a.Method = "GET" },
			want: refusal{id: "D05", code: "invalid_request", status: 405, says: []string{"POST only"}}},
		{name: "D04 SB-TOK-02 SB-ERR-02 JSON", edit: func(a *ask) { a.ContentType = "application/json" }, want: badRequest("D04", `"application/json"`)},
		{name: "D04 no content type", edit: func(a *ask) { a.ContentType = "" }, want: badRequest("D04", "no Content-Type")},
		{name: "SB-TOK-04 SB-ERR-25 repeated parameter", edit: func(a *ask) { a.form.Add("scope", "system/Group.r") }, want: badRequest("SB-TOK-04", `"scope" is in the form more than once`)},
		{name: "SB-TOK-04 repeated unknown parameter", edit: func(a *ask) { a.form["audience"] = []string{"a", "b"} }, want: badRequest("SB-TOK-04", `"audience"`)},
		{name: "SB-TOK-04 broken percent-encoding", edit: func(a *ask) { a.Body = []byte("grant_type=client_credentials&scope=100%zz") }, want: badRequest("SB-TOK-04", "percent sign", `"scope"`)},
		{name: "D05 SB-TOK-05 everything in the query string", edit: func(a *ask) {
			a.Query = a.form.Encode()
			a.form = url.Values{}
		}, want: badRequest("D05", "query string", "URLs end up in logs")},
		{name: "SB-ERR-03 no grant_type", edit: func(a *ask) { a.form.Del("grant_type") }, want: badRequest("SB-ERR-03", "grant_type=client_credentials")},
		{name: "SB-ERR-03 empty body", edit: func(a *ask) { a.Body = []byte{} }, want: badRequest("SB-ERR-03")},
		{name: "SB-ERR-04 other grant_type", edit: func(a *ask) { a.form.Set("grant_type", "client_credential") },
			want: refusal{id: "SB-ERR-04", code: "unsupported_grant_type", status: 400, says: []string{`"s" is missing at its end`}}},
		{name: "SB-ERR-04 authorization_code", edit: func(a *ask) { a.form.Set("grant_type", "authorization_code") },
			want: refusal{id: "SB-ERR-04", code: "unsupported_grant_type", status: 400, says: []string{"no users"}}},
		{name: "SB-ERR-04 the JWT as a grant", edit: func(a *ask) { a.form.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer") },
			want: refusal{id: "SB-ERR-04", code: "unsupported_grant_type", status: 400, says: []string{"authenticates the client"}}},
		{name: "T04 refresh_token", edit: func(a *ask) { a.form.Set("grant_type", "refresh_token") },
			want: refusal{id: "T04", code: "unsupported_grant_type", status: 400, says: []string{"no refresh token"}}},
		{name: "K03 SB-TOK-06 SB-ERR-19 assertion and Basic", edit: func(a *ask) { a.Authorization = []string{basic("app", "x")} }, want: badRequest("K03", "Basic", "client_assertion")},
		{name: "K03 Basic and form secret", edit: func(a *ask) {
			a.form.Del("client_assertion")
			a.form.Set("client_secret", "x")
			a.Authorization = []string{basic("app", "x")}
		}, want: badRequest("K03", "client_secret in the form")},
		{name: "K03 two Authorization headers", edit: func(a *ask) { a.Authorization = []string{"Bearer a", "Bearer b"} }, want: badRequest("K03", "second Authorization header")},
		{name: "SB-TOK-04 JSON that is no object of strings", options: []option{withBehaviour(func(b *authz.Behaviour) { b.JSONRequests = true })}, edit: func(a *ask) {
			a.ContentType, a.Body = "application/json", []byte(`{"scope":["a"]}`)
		}, want: badRequest("SB-TOK-04", "members are all strings")},
		{name: "A05 SB-ERR-05 no assertion type", edit: func(a *ask) { a.form.Del("client_assertion_type") }, want: badRequest("A05", "client_assertion_type is missing")},
		{name: "SB-ERR-05 no assertion", edit: func(a *ask) { a.form.Del("client_assertion") }, want: badRequest("SB-TOK-03", "client_assertion is missing")},
		{name: "SB-ERR-05 no credential", edit: func(a *ask) {
			a.form.Del("client_assertion")
			a.form.Del("client_assertion_type")
		}, want: clientError("SB-TOK-03", "does not authenticate")},
		{name: "SB-ERR-05 client_id only", edit: func(a *ask) {
			a.form = url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "scope": {"system/*.read"}}
		}, want: clientError("SB-TOK-03", "client_id only")},
		{name: "A04 assertion in the header", edit: func(a *ask) {
			a.Authorization = []string{"Bearer " + a.key.Sign(a.assertion)}
			a.form.Del("client_assertion")
			a.form.Del("client_assertion_type")
		}, want: refusal{id: "A04", code: "invalid_client", status: 401, says: []string{"iss=app", tokenURL, "form field client_assertion"}}},
		{name: "SB-TOK-03 unknown scheme", edit: func(a *ask) {
			a.Authorization = []string{"Negotiate abc"}
			a.form.Del("client_assertion")
		}, want: refusal{id: "SB-TOK-03", code: "invalid_client", status: 401, says: []string{`"negotiate"`}}},
	}
}

func TestRefusedForms(t *testing.T) {
	t.Parallel()
	for _, c := range formCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newWorld(t, c.options...).newAsk()
			c.edit(a)
			d := a.send()
			c.want.check(t, d.Checks, d.Err)
			if used := len(a.Authorization) > 0 && d.Err.Status == 401; used != (d.Err.Challenge.Scheme != "") {
				t.Errorf("SB-ERR-31: status %d with challenge %q", d.Err.Status, d.Err.Challenge)
			}
			if (d.Err.Status == 405) != (d.Err.Allow == "POST") {
				t.Errorf("SB-TOK-01: status %d with Allow %q", d.Err.Status, d.Err.Allow)
			}
		})
	}
}

// SB-TOK-08: of two defects the one that comes first in the checklist answers.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		edit func(*ask)
		want refusal
	}{
		{"grant_type before the assertion", func(a *ask) {
			a.form.Set("grant_type", "x")
			a.assertion.Claims["exp"] = 1
		}, refusal{id: "SB-ERR-04", code: "unsupported_grant_type", status: 400}},
		{"the assertion before the scope", func(a *ask) {
			a.form.Set("scope", "nonsense")
			a.key = key(a.t, "rsa-b", "rsa-1")
		}, clientError("A15")},
		{"the signature before the replay", func(a *ask) {
			first := a.newAsk()
			first.assertion = a.assertion
			first.granted()
			a.key = key(a.t, "rsa-b", "rsa-1")
		}, clientError("A15")},
		{"the replay before the scope", func(a *ask) {
			first := a.newAsk()
			first.assertion = a.assertion
			first.granted()
			a.form.Set("scope", "nonsense")
		}, clientError("C15")},
		{"SB-ERR-20 the client's grant before the scope", func(a *ask) {
			a.change(func(c *authz.Client) { c.Grants = []string{"authorization_code"} })
			a.form.Set("scope", "nonsense")
		}, refusal{id: "SB-ERR-20", code: "unauthorized_client", status: 400, says: []string{"authorization_code"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newWorld(t).newAsk()
			c.edit(a)
			d := a.send()
			c.want.check(t, d.Checks, d.Err)
		})
	}
}

// What is not read is said so, and does not harm.
func TestToleratedForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		edit func(*ask)
		warn string
	}{
		{"SB-TOK-04 unknown parameters", func(a *ask) { a.form.Set("audience", "x"); a.form["resource"] = []string{"a", "b"} }, ""},
		{"SB-TOK-04 an empty parameter counts as absent", func(a *ask) { a.form["scope"] = []string{"", "system/*.rs"}; a.form.Set("client_id", "") }, ""},
		{"SB-TOK-05 parameters in the query string as well", func(a *ask) { a.Query = "scope=system/*.cruds&x=1" }, "D05"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newWorld(t).newAsk()
			c.edit(a)
			d := a.send()
			if d.Err != nil {
				t.Fatalf("refused: %v", d.Err)
			}
			checkOrder(t, d.Checks, nil)
			for _, check := range d.Checks {
				if check.Result == authz.Warn && check.ID() != c.warn {
					t.Errorf("warning %s: %s", check.ID(), check.Text)
				}
			}
			if strings.Contains(d.Grant.Response.Scope, "cruds") {
				t.Error("the scope of the query string was granted")
			}
		})
	}
}
