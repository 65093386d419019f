package authz_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

func TestSMARTConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var doc map[string]any
	text := mustJSON(t, w.server.SMARTConfiguration(addresses()))
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	list := func(name string) string {
		var words []string
		values, _ := doc[name].([]any)
		for _, v := range values {
			words = append(words, v.(string))
		}
		return strings.Join(words, " ")
	}
	for _, c := range []struct{ id, got, want string }{
		{"SB-DISC-05", doc["token_endpoint"].(string), tokenURL},
		{"SB-DISC-06", list("grant_types_supported"), "client_credentials"},
		{"SB-DISC-07", list("capabilities"), "client-confidential-asymmetric client-confidential-symmetric permission-v2 permission-v1"},
		{"SB-DISC-08", list("code_challenge_methods_supported"), "S256"},
		{"SB-DISC-09", list("token_endpoint_auth_methods_supported"), "private_key_jwt client_secret_basic client_secret_post"},
		{"SB-DISC-10", list("token_endpoint_auth_signing_alg_values_supported"), "RS384 ES384"},
		{"SB-DISC-11", list("scopes_supported"), "system/*.cruds system/*.rs system/*.read system/*.write system/*.*"},
		{"SB-DISC-12", doc["introspection_endpoint"].(string) + " " + doc["revocation_endpoint"].(string) + " " + doc["management_endpoint"].(string),
			"http://127.0.0.1:8080/auth/introspect http://127.0.0.1:8080/auth/revoke http://127.0.0.1:8080/"},
		{"SB-DISC-13", doc["registration_endpoint"].(string), "http://127.0.0.1:8080/auth/register"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.id, c.got, c.want)
		}
	}
	for id, name := range map[string]string{"SB-DISC-14": "issuer", "SB-DISC-15": "authorization_endpoint"} {
		if _, ok := doc[name]; ok {
			t.Errorf("%s: %s is there", id, name)
		}
	}
	if !strings.Contains(text, `"response_types_supported":[]`) {
		t.Errorf("SB-DISC-16: no response_types_supported in %s", text)
	}
	if _, err := w.server.CheckScopes(list("scopes_supported")); err != nil {
		t.Errorf("SB-DISC-11: a supported scope is refused: %v", err)
	}
}

// Discovery follows the switches, and leaves out what has no address.
func TestDiscoveryFollowsBehaviour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.server.Behaviour()
	b.SecretsOffered, b.Algorithms, b.ScopeVersions = false, []string{"RS384"}, []int{1}
	server, err := w.server.With(b)
	if err != nil {
		t.Fatal(err)
	}
	a := addresses()
	a.RegistrationURL, a.IntrospectionURL, a.RevocationURL, a.PortalURL = "", "", "", ""
	want := `{"token_endpoint":"http://127.0.0.1:8080/auth/token","token_endpoint_auth_methods_supported":["private_key_jwt"],` +
		`"token_endpoint_auth_signing_alg_values_supported":["RS384"],"grant_types_supported":["client_credentials"],"response_types_supported":[],` +
		`"scopes_supported":["system/*.read","system/*.write","system/*.*"],"capabilities":["client-confidential-asymmetric","permission-v1"],"code_challenge_methods_supported":["S256"]}`
	if got := mustJSON(t, server.SMARTConfiguration(a)); got != want {
		t.Errorf("SB-SYM-03:\n got %s\nwant %s", got, want)
	}
	if got := w.server.Behaviour(); !got.SecretsOffered {
		t.Error("With changed the server that it was called on")
	}
}

// What a lenient view of the server took is not taken by the strict one.
func TestSwitchesDoNotLeak(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change(func(c *authz.Client) {
		c.JWKS = []byte(strings.TrimSuffix(strings.TrimPrefix(string(authztest.JWKS(w.rsa)), `{"keys":`), `}`))
	})
	b := authz.Strict()
	b.InlineKeys = authz.InlineBoth
	strict := w.server
	var err error
	if w.server, err = strict.With(b); err != nil {
		t.Fatal(err)
	}
	w.newAsk().granted()
	w.server = strict
	d := w.newAsk().send()
	clientError("J04").check(t, d.Checks, d.Err)
	if _, err := strict.With(authz.Behaviour{}); err == nil {
		t.Error("With takes switches that make no sense")
	}
}

func TestAuthorizationServerMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.server.Metadata(addresses())
	if m.Issuer != "http://127.0.0.1:8080/auth" || m.TokenEndpoint != tokenURL || m.JWKSURI != "http://127.0.0.1:8080/auth/jwks" || m.ResponseTypes == nil {
		t.Errorf("SB-DISC-18: %+v", m)
	}
	if len(m.RevocationAuthMethods) != 3 || len(m.IntrospectionAuthAlgorithms) != 2 {
		t.Errorf("SB-DISC-18: %+v", m)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := authz.Strict()
	for name, change := range map[string]func(*authz.Behaviour){
		"Skew":              func(b *authz.Behaviour) { b.Skew = -1 },
		"MaxAssertion":      func(b *authz.Behaviour) { b.MaxAssertion = 0 },
		"MaxIssuedAge":      func(b *authz.Behaviour) { b.MaxIssuedAge = -1 },
		"MaxJTI":            func(b *authz.Behaviour) { b.MaxJTI = 0 },
		"Algorithms":        func(b *authz.Behaviour) { b.Algorithms = []string{"RS384", "HS256"} },
		"TokenLifetime":     func(b *authz.Behaviour) { b.TokenLifetime = 1 },
		"MaxTokenLifetime":  func(b *authz.Behaviour) { b.MaxTokenLifetime = 0 },
		"TokenType":         func(b *authz.Behaviour) { b.TokenType = "mac" },
		"ScopeVersions":     func(b *authz.Behaviour) { b.ScopeVersions = []int{3} },
		"Audiences":         func(b *authz.Behaviour) { b.Audiences = []authz.Audience{"all"} },
		"InlineKeys":        func(b *authz.Behaviour) { b.InlineKeys = "set" },
		"SecretLifetime":    func(b *authz.Behaviour) { b.SecretLifetime = -1 },
		"SecretGrace":       func(b *authz.Behaviour) { b.SecretGrace = -1 },
		"BasicDecode":       func(b *authz.Behaviour) { b.BasicDecode = "" },
		"BasicStatus":       func(b *authz.Behaviour) { b.BasicStatus = 403 },
		"WildcardRead":      func(b *authz.Behaviour) { b.WildcardRead = []string{"Patient", "*"} },
		"HiddenDescription": func(b *authz.Behaviour) { b.HiddenDescription = "say \"no\"" },
	} {
		b := good
		change(&b)
		if err := b.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, want one that names it", name, err)
		}
		if _, err := authz.New(t.Context(), authz.Config{Environment: authz.Environment{Name: "x"}, Store: newWorld(t).store, IsResourceType: resourceType, Behaviour: &b}); err == nil {
			t.Errorf("%s: New takes it", name)
		}
	}
	if err := good.Validate(); err != nil {
		t.Errorf("Strict: %v", err)
	}
	if _, err := authz.New(t.Context(), authz.Config{}); err == nil {
		t.Error("New takes an empty Config")
	}
}

// The table of checks holds together: ids are unique, every row is complete,
// every finding has a title and every titled finding belongs to a rule.
func TestRules(t *testing.T) {
	t.Parallel()
	titles, used := map[authz.FindingID]string{}, map[authz.FindingID]bool{}
	for _, f := range authz.Findings() {
		if titles[f.ID] != "" || f.Title == "" {
			t.Errorf("finding %s is there twice or has no title", f.ID)
		}
		titles[f.ID] = f.Title
	}
	ids := map[authz.RuleID]bool{}
	for _, r := range authz.Rules() {
		if ids[r.ID] || r.Part == "" || r.Rule == "" || r.Clause == "" {
			t.Errorf("rule %+v is incomplete or its id is not unique", r)
		}
		ids[r.ID] = true
		for _, f := range r.Findings {
			used[f] = true
			if titles[f] == "" {
				t.Errorf("rule %s: finding %s has no title", r.ID, f)
			}
		}
	}
	for id := range titles {
		if !used[id] {
			t.Errorf("finding %s belongs to no rule", id)
		}
	}
	if n := len(authz.RulesOf(authz.PartsOf(authz.TokenEndpoint, authz.ByAssertion)...)); n < 30 {
		t.Errorf("the checklist of an assertion has %d rules", n)
	}
	rules := authz.Rules()
	rules[0].Findings[0] = "changed"
	if authz.Rules()[0].Findings[0] == "changed" {
		t.Error("the table can be changed from outside")
	}
}
