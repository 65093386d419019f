package sandbox_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/sandfhir/sandfhir/sandbox"
)

func TestRegisterClientRefusesWrongFields(t *testing.T) {
	t.Parallel()
	sb := start(t)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	register(t, sb, sandbox.ClientConfig{ID: "taken"})
	for _, tt := range []struct {
		name string
		cfg  sandbox.ClientConfig
		want string
	}{
		{"id twice", sandbox.ClientConfig{ID: "taken"}, `ID: sandbox has a client "taken" already`},
		{"scope of a user", sandbox.ClientConfig{Scopes: []string{"system/Patient.rs", "user/*.read"}}, "Scopes: "},
		{"scope of an unknown type", sandbox.ClientConfig{Scopes: []string{"system/Patients.rs"}}, "Scopes: "},
		{"unknown algorithm", sandbox.ClientConfig{Algorithm: "RS256"}, `Algorithm: "RS256"`},
		{"key of another algorithm", sandbox.ClientConfig{Algorithm: sandbox.RS384, Key: p384}, "Algorithm: the key signs ES384"},
		{"key on another curve", sandbox.ClientConfig{Key: p256}, "Key: it is on curve P-256"},
		{"key of another kind", sandbox.ClientConfig{Key: ed}, "Key: a ed25519.PrivateKey"},
		{"plain http", sandbox.ClientConfig{JWKSURI: "http://example.org/keys"}, "JWKSURI: "},
		{"two key sets", sandbox.ClientConfig{JWKSURI: "https://example.org/keys", JWKS: []byte(`{"keys":[]}`)}, "exclude each other"},
		{"negative lifetime", sandbox.ClientConfig{TokenLifetime: -1}, "TokenLifetime: "},
		{"lifetime beyond the behaviour's", sandbox.ClientConfig{TokenLifetime: time.Hour}, "TokenLifetime: 1h0m0s is more than 5m0s"},
		{"lifetime in half seconds", sandbox.ClientConfig{TokenLifetime: 1500 * time.Millisecond}, "TokenLifetime: 1.5s is not in whole seconds"},
		{"id with a newline", sandbox.ClientConfig{ID: "a\nb"}, `ID: "a\nb" holds`},
		{"id that is not ASCII", sandbox.ClientConfig{ID: "caf\u00e9"}, "ID: "},
		{"unknown status", sandbox.ClientConfig{Status: "approved"}, `Status: "approved"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := sb.RegisterClient(t.Context(), tt.cfg)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v and %v, want an error with %q", c, err, tt.want)
			}
		})
	}
}

func TestRegisterClientStatusOpensEnvironments(t *testing.T) {
	t.Parallel()
	sb := start(t)
	for _, tt := range []struct {
		status              sandbox.Status
		sandbox, production string // the check that refuses, "" where it opens
	}{
		{"", "", ""},
		{sandbox.StatusActive, "", ""},
		{sandbox.StatusDraft, "", "L01"},
		{sandbox.StatusUnderReview, "", "L01"},
		{sandbox.StatusRejected, "L03", "L03"},
	} {
		t.Run("status "+string(tt.status), func(t *testing.T) {
			t.Parallel()
			for _, at := range []struct {
				name   string
				client *sandbox.Client
				want   string
			}{
				{"sandbox", register(t, sb, sandbox.ClientConfig{Status: tt.status}), tt.sandbox},
				{"production", register(t, sb.Production(), sandbox.ClientConfig{Status: tt.status}), tt.production},
			} {
				_, err := at.client.Token(t.Context())
				switch {
				case at.want != "":
					wantRefusal(t, err, at.want)
				case err != nil:
					t.Errorf("%s: %v", at.name, err)
				}
			}
		})
	}
}

func TestProductionIsAnotherWorld(t *testing.T) {
	t.Parallel()
	sb := start(t)
	if sb.Production().Name() != "production" || sb.Production().FHIRURL() != sb.URL()+"/production/fhir" {
		t.Errorf("got %s at %s", sb.Production().Name(), sb.Production().FHIRURL())
	}
	client := register(t, sb.Production(), sandbox.ClientConfig{})
	production := client.HTTPClient()
	put(t, http.StatusCreated, sb.DefaultClient().HTTPClient(), sb.FHIRURL(), "mine")
	expect(t, http.StatusNotFound, production, http.MethodGet, client.FHIRURL()+"/Patient/mine", "")
	if got := total(t, production, client.FHIRURL()+"/Patient?_summary=count"); got != 2 {
		t.Errorf("production has %d patients, want 2 of its own", got)
	}
	resp, _ := do(t, production, http.MethodGet, sb.FHIRURL()+"/Patient", "")
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("production's token in the sandbox: got status %d, want 401", resp.StatusCode)
	}
	assertion, err := sb.DefaultClient().Assertion(sandbox.WithAudience(client.TokenURL()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.TokenFor(t.Context(), assertion)
	wantRefusal(t, err, "A02")
}

func TestClientScopesBoundTokens(t *testing.T) {
	t.Parallel()
	sb := start(t)
	client := register(t, sb, sandbox.ClientConfig{Scopes: []string{"system/Patient.rs system/Group.r", "system/Observation.rs"}})
	token, err := client.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := "system/Patient.rs system/Group.r system/Observation.rs"; token.Scope != want {
		t.Errorf("got scope %q, want all that is registered, %q", token.Scope, want)
	}
	if token, err = client.Token(t.Context(), "system/Patient.r"); err != nil || token.Scope != "system/Patient.r" {
		t.Errorf("got scope %q (%v), want what was asked for", token.Scope, err)
	}
	_, err = client.Token(t.Context(), "system/Encounter.rs")
	wantRefusal(t, err, "S06")
}

func TestClientTokenLifetimeAndRevoke(t *testing.T) {
	t.Parallel()
	sb := start(t)
	sb.Clock().Freeze()
	client := register(t, sb, sandbox.ClientConfig{TokenLifetime: time.Minute})
	token, err := client.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left := token.ExpiresAt.Sub(sb.Clock().Now()); left <= 58*time.Second || left > time.Minute {
		t.Errorf("the token lives %v, want a minute", left)
	}
	status := func() int {
		resp, _ := do(t, http.DefaultClient, http.MethodGet, sb.FHIRURL()+"/Patient", "", "Authorization", "Bearer "+token.AccessToken)
		return resp.StatusCode
	}
	if got := status(); got != 200 {
		t.Errorf("got status %d, want 200", got)
	}
	if err := client.Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := status(); got != 401 {
		t.Errorf("after Revoke: got status %d, want 401", got)
	}
	if token, err = client.Token(t.Context()); err != nil || status() != 200 {
		t.Errorf("after Revoke: a new token does not work: %v", err)
	}
	sb.Clock().Advance(61 * time.Second)
	if got := status(); got != 401 {
		t.Errorf("after a minute: got status %d, want 401", got)
	}
}

func TestClientKeyForms(t *testing.T) {
	t.Parallel()
	sb := start(t)
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cfg  sandbox.ClientConfig
	}{
		{"ES384", sandbox.ClientConfig{}},
		{"RS384", sandbox.ClientConfig{Algorithm: sandbox.RS384}},
		{"own key", sandbox.ClientConfig{Key: own, KeyID: "own"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := register(t, sb, tt.cfg)
			private, err := jwk.ParseKey(client.PrivateJWK())
			if err != nil {
				t.Fatal(err)
			}
			if private.KeyID() != client.KeyID() || tt.cfg.KeyID != "" && client.KeyID() != tt.cfg.KeyID {
				t.Errorf("got kid %q and KeyID %q, want %q", private.KeyID(), client.KeyID(), tt.cfg.KeyID)
			}
			block, rest := pem.Decode(client.PrivateKeyPEM())
			if block == nil || len(rest) > 0 {
				t.Fatalf("not one PEM block: %s", client.PrivateKeyPEM())
			}
			parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			var raw any
			if err := private.Raw(&raw); err != nil {
				t.Fatal(err)
			}
			if equal, ok := parsed.(interface {
				Equal(x any) bool
			}); ok && !equal.Equal(raw) {
				t.Error("PEM and JWK are different keys")
			}
			set, err := jwk.Parse(client.PublicJWKS())
			if err != nil {
				t.Fatal(err)
			}
			public, found := set.LookupKeyID(client.KeyID())
			derived, err := private.PublicKey()
			if !found || err != nil || !jwk.Equal(public, derived) {
				t.Errorf("the published key is not the private key's: %v", err)
			}
			for _, secret := range []string{`"d"`, `"p"`, `"q"`, `"dp"`, `"dq"`, `"qi"`} {
				if strings.Contains(string(client.PublicJWKS()), secret) {
					t.Errorf("the published set has the private member %s", secret)
				}
			}
		})
	}
}

func TestClientKeySets(t *testing.T) {
	t.Parallel()
	sb := start(t)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wrongCurve, err := jwk.FromRaw(p256.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := wrongCurve.Set(jwk.KeyIDKey, "one"); err != nil {
		t.Fatal(err)
	}
	curve, err := json.Marshal(map[string]any{"keys": []any{wrongCurve}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		jwks string
		want string
	}{
		{"J04 bare array", `[]`, "J04"},
		{"no keys", `{"keys":[]}`, "SB-KEY-08"},
		{"A17 wrong curve", string(curve), "A17"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := register(t, sb, sandbox.ClientConfig{KeyID: "one", JWKS: []byte(tt.jwks)}).Token(t.Context())
			wantRefusal(t, err, tt.want)
		})
	}
}

func TestClientJWKSURI(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		serve func(*httptest.Server)
		roots bool
		want  string
	}{
		{"http on this machine", (*httptest.Server).Start, false, ""},
		{"https", (*httptest.Server).StartTLS, true, ""},
		{"J02 unknown authority", (*httptest.Server).StartTLS, false, "J02"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var client *sandbox.Client
			keys := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(client.PublicJWKS()) }))
			keys.Config.ErrorLog = log.New(io.Discard, "", 0)
			tt.serve(keys)
			t.Cleanup(keys.Close)
			var opts []sandbox.Option
			if tt.roots {
				pool := x509.NewCertPool()
				pool.AddCert(keys.Certificate())
				opts = append(opts, sandbox.WithKeySetRoots(pool))
			}
			client = register(t, start(t, opts...), sandbox.ClientConfig{JWKSURI: keys.URL + "/keys"})
			_, err := client.Token(t.Context())
			if tt.want != "" {
				wantRefusal(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDefaultClient(t *testing.T) {
	t.Parallel()
	sb := start(t)
	if first, second := sb.DefaultClient(), sb.DefaultClient(); first != second {
		t.Error("two calls gave two clients")
	}
	token, err := sb.DefaultClient().Token(t.Context())
	if err != nil || token.Scope != "system/*.cruds" {
		t.Errorf("got scope %q (%v), want everything", token.Scope, err)
	}
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	late := start(t)
	if err := late.Close(); err != nil {
		t.Fatal(err)
	}
	client := late.DefaultClient() // cannot be registered any more
	if _, err := client.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "register the default client") {
		t.Errorf("got %v, want the reason that there is no client", err)
	}
	if _, err := client.HTTPClient().Get(late.FHIRURL()); err == nil {
		t.Error("a client that was never registered sent a request")
	}
}
