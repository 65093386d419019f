package sandbox_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A dry run issues and remembers nothing, and says what a token request would
// be told.
func TestExplain(t *testing.T) {
	t.Parallel()
	for _, option := range []struct {
		name string
		sandbox.Option
	}{
		{"open controls", sandbox.WithPatients(0)},
		{"guarded controls", sandbox.WithAdminToken("0123456789abcdef")},
	} {
		t.Run(option.name, func(t *testing.T) {
			t.Parallel()
			sb := start(t, option.Option)
			client := sb.DefaultClient()
			good, err := client.Assertion()
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the assertion stays unused
				e, err := client.Explain(t.Context(), good, "system/Patient.rs")
				if err != nil || !e.Granted || e.Refusal != nil || e.Scope != "system/Patient.rs" {
					t.Fatalf("got %+v, %v; want a grant of system/Patient.rs", e, err)
				}
				for _, c := range e.Checks {
					if c.Result != sandbox.Pass {
						t.Errorf("%s is %s: %s", c.ID, c.Result, c.Text)
					}
				}
			}
			if _, err := client.TokenFor(t.Context(), good, "system/Patient.rs"); err != nil {
				t.Fatalf("after the dry runs: %v", err)
			}
			e, err := client.Explain(t.Context(), good)
			if err != nil || e.Granted || e.Refusal == nil || e.Refusal.Check != "C15" || e.Refusal.Code != "invalid_client" || e.Refusal.Status != 400 {
				t.Errorf("of a used assertion got %+v, %v; want C15", e.Refusal, err)
			}
			wrong, err := client.Assertion(sandbox.WithoutClaim("exp"))
			if err != nil {
				t.Fatal(err)
			}
			if e, err = client.Explain(t.Context(), wrong); err != nil || e.Refusal == nil || e.Refusal.Check != "C07" {
				t.Errorf("without exp got %+v, %v; want C07", e.Refusal, err)
			}
			wantSnippets(t, e.Snippets, client.ID(), client.KeyID(), client.TokenURL())
			if _, err := client.TokenFor(t.Context(), wrong); err == nil {
				t.Error("the token request without exp was granted")
			}
			wantSnippets(t, sb.Exchanges(sandbox.Exchange.Refused)[0].Snippets(), client.ID(), client.KeyID(), client.TokenURL())
			if refused := sb.Exchanges(sandbox.Exchange.Refused); len(refused) != 1 {
				t.Errorf("dry runs count as refused requests: %v", refused)
			}
		})
	}
}

// wantSnippets checks that there is code in four languages with these values.
func wantSnippets(t *testing.T, list []sandbox.Snippet, values ...string) {
	t.Helper()
	var languages []string
	for _, s := range list {
		languages = append(languages, s.Language)
		for _, value := range values {
			if s.Title == "" || !strings.Contains(s.Code, value) {
				t.Errorf("no %s in the code in %q:\n%s", value, s.Title, s.Code)
			}
		}
	}
	if want := []string{"sh", "go", "python", "javascript"}; !slices.Equal(languages, want) {
		t.Errorf("code in %q, want %q", languages, want)
	}
}

// A secret is explained as well, and a production client as that.
func TestExplainOverHTTP(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.WithPatients(0))
	assertion, err := sb.DefaultClient().Assertion()
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"system/*.rs"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion}}.Encode()
	for _, c := range []struct{ name, path, form, want string }{
		{"granted", "/_sandbox/token/explain", form, `"granted":true`},
		{"the token is left out", "/_sandbox/token/explain", form, `"expires_in":300`},
		{"production's audience", "/production/_sandbox/token/explain", form, `"error":"invalid_client"`},
		{"no credential", "/_sandbox/token/explain", "grant_type=client_credentials", `"failed":{"id":"SB-TOK-03"`},
		{"code for what is refused", "/_sandbox/token/explain", "grant_type=client_credentials", `"snippets":[{"language":"sh","title":"curl and openssl","code":"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resp, body := do(t, noRedirects(), "POST", sb.URL()+c.path, c.form, "Content-Type", "application/x-www-form-urlencoded")
			if resp.StatusCode != 200 || !strings.Contains(body, c.want) || strings.Contains(body, `"access_token"`) {
				t.Errorf("got %d %s, want %s and no token", resp.StatusCode, body, c.want)
			}
		})
	}
}
