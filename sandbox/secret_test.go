package sandbox_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// askWithSecret posts a token request with a Basic credential.
func askWithSecret(t *testing.T, sb *sandbox.Server, id, secret string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", sb.TokenURL(), strings.NewReader("grant_type=client_credentials&scope=system/*.rs"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	if _, err := io.Copy(&text, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text.String()
}

// SB-SYM-01, SB-SYM-02: a client with a secret gets tokens by it.
func TestSecretClient(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.WithPatients(0))
	for _, method := range []sandbox.AuthMethod{sandbox.ClientSecretBasic, sandbox.ClientSecretPost} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			client, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			if len(client.Secret()) < 40 {
				t.Errorf("the secret %q is short", client.Secret())
			}
			if token, err := client.Token(t.Context(), "system/Patient.rs"); err != nil || token.Scope != "system/Patient.rs" {
				t.Errorf("got %+v, %v", token, err)
			}
			if resp, err := client.HTTPClient().Get(sb.FHIRURL() + "/Patient"); err != nil || resp.StatusCode != 200 {
				t.Errorf("search: %v, %v", resp, err)
			}
			assertion, err := client.Assertion()
			if err != nil {
				t.Fatal(err)
			}
			var refused *sandbox.TokenError
			if _, err := client.TokenFor(t.Context(), assertion); !errors.As(err, &refused) || refused.Check != "K04" {
				t.Errorf("by an assertion: got %v, want K04", err)
			}
		})
	}
	for name, cfg := range map[string]sandbox.ClientConfig{
		"an unknown method": {Method: "none"},
		"a key set":         {Method: sandbox.ClientSecretBasic, JWKSURI: "http://127.0.0.1:1/jwks"},
	} {
		if _, err := sb.RegisterClient(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "Method: ") {
			t.Errorf("%s: got %v, want an error that names Method", name, err)
		}
	}
}

// SB-SYM-04, PB-07, L04: after a rotation the old secret works for the overlap
// and no longer; its end is told apart from a wrong secret.
func TestRotateSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		overlap time.Duration
	}{{"SB-SYM-04 at once", 0}, {"SB-SYM-04 with an overlap", 10 * time.Minute}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sb := start(t, sandbox.WithPatients(0))
			client, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{Method: sandbox.ClientSecretBasic})
			if err != nil {
				t.Fatal(err)
			}
			old := client.Secret()
			fresh, err := client.RotateSecret(t.Context(), c.overlap)
			if err != nil || fresh == old || client.Secret() != fresh {
				t.Fatalf("rotate: %v", err)
			}
			if _, err := client.Token(t.Context()); err != nil {
				t.Errorf("by the new secret: %v", err)
			}
			status, body := askWithSecret(t, sb, client.ID(), old)
			if c.overlap == 0 {
				if status != 401 || !strings.Contains(body, "L04") {
					t.Errorf("by the old secret: %d %s, want 401 L04", status, body)
				}
				return
			}
			if status != 200 {
				t.Errorf("by the old secret within the overlap: %d %s", status, body)
			}
			sb.Clock().Advance(c.overlap)
			if status, body = askWithSecret(t, sb, client.ID(), old); status != 401 || !strings.Contains(body, "L04") {
				t.Errorf("by the old secret after the overlap: %d %s, want 401 L04", status, body)
			}
			if status, body = askWithSecret(t, sb, client.ID(), fresh); status != 200 {
				t.Errorf("by the new secret after the overlap: %d %s", status, body)
			}
		})
	}
}

// SB-SYM-04: a rotation that names no overlap has that of the behaviour, in Go
// as over HTTP; one that names none at all ends the old secret at once.
func TestRotateSecretBySwitch(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.WithPatients(0), sandbox.WithSwitch("secret.grace", "10m"))
	client, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{Method: sandbox.ClientSecretBasic})
	if err != nil {
		t.Fatal(err)
	}
	old := client.Secret()
	if _, err := client.RotateSecret(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, body := askWithSecret(t, sb, client.ID(), old); status != 200 {
		t.Errorf("within secret.grace: %d %s", status, body)
	}
	old = client.Secret()
	if _, err := client.RotateSecret(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if status, body := askWithSecret(t, sb, client.ID(), old); status != 401 || !strings.Contains(body, "L04") {
		t.Errorf("with an overlap of 0: %d %s, want 401 L04", status, body)
	}
}

// Rotations at once lose no secret but those that are too many.
func TestRotateSecretAtOnce(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.WithPatients(0))
	client, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{Method: sandbox.ClientSecretBasic})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var secrets []string
	for range 4 {
		wg.Go(func() {
			secret, err := client.RotateSecret(t.Context(), time.Hour)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			secrets = append(secrets, secret)
		})
	}
	wg.Wait()
	for _, secret := range secrets {
		if status, body := askWithSecret(t, sb, client.ID(), secret); status != 200 {
			t.Errorf("a secret is lost: %d %s", status, body)
		}
	}
}

func TestRotateSecretOverHTTP(t *testing.T) {
	t.Parallel()
	sb := start(t, sandbox.WithPatients(0))
	client, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "web", Method: sandbox.ClientSecretPost})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, body string
		status           int
		want             string
	}{
		{"no body", "/clients/web/rotate-secret", "", 200, `"client_secret"`},
		{"an overlap", "/clients/web/rotate-secret", `{"overlap":"1h"}`, 200, `"client_secret"`},
		{"no duration", "/clients/web/rotate-secret", `{"overlap":"soon"}`, 400, "duration"},
		{"an unknown member", "/clients/web/rotate-secret", `{"grace":"1h"}`, 400, "grace"},
		{"no JSON", "/clients/web/rotate-secret", `{`, 400, "JSON"},
		{"an unknown client", "/clients/nobody/rotate-secret", "", 404, "nobody"},
		{"a key client", "/clients/" + sb.DefaultClient().ID() + "/rotate-secret", "", 409, "no secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := do(t, noRedirects(), "POST", sb.URL()+"/_sandbox"+c.path, c.body, "Content-Type", "application/json")
			if resp.StatusCode != c.status || !strings.Contains(body, c.want) {
				t.Fatalf("got %d %s, want %d and %q", resp.StatusCode, body, c.status, c.want)
			}
			if c.status != 200 {
				return
			}
			var answer struct {
				Secret string `json:"client_secret"`
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			if status, text := askWithSecret(t, sb, client.ID(), answer.Secret); status != 200 {
				t.Errorf("by the new secret: %d %s", status, text)
			}
			for _, e := range sb.Exchanges() {
				if strings.Contains(e.ResponseBody+e.RequestBody, answer.Secret) {
					t.Errorf("%s %s holds the secret", e.Method, e.URL)
				}
			}
		})
	}
}
