package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// tokens counts the tokens that a server gave.
func tokens(sb *sandbox.Server) int {
	return len(sb.Exchanges(func(e sandbox.Exchange) bool { return strings.HasSuffix(e.URL, "/auth/token") && e.Status == 200 }))
}

func TestHTTPClientRenewsTokens(t *testing.T) {
	t.Parallel()
	sb := start(t)
	client := sb.DefaultClient()
	hc := client.HTTPClient("system/Patient.rs")
	for _, step := range []struct {
		name    string
		advance time.Duration
		revoke  bool
		want    int // tokens so far
	}{
		{"the first request", 0, false, 1},
		{"the second", 0, false, 1},
		{"after a minute", time.Minute, false, 1},
		{"shortly before the end", 3*time.Minute + 45*time.Second, false, 2},
		{"after the end", 6 * time.Minute, false, 3},
		{"after a revocation", 0, true, 4},
		{"and again", 0, false, 4},
	} {
		sb.Clock().Advance(step.advance)
		if step.revoke {
			if err := client.Revoke(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, http.StatusOK, hc, http.MethodGet, sb.FHIRURL()+"/Patient", "")
		if got := tokens(sb); got != step.want {
			t.Errorf("%s: got %d tokens so far, want %d", step.name, got, step.want)
		}
	}
	refused := sb.Exchanges(sandbox.Exchange.Refused)
	if len(refused) != 1 || refused[0].Status != http.StatusUnauthorized {
		t.Errorf("got refusals %v, want the one of the revoked token", refused)
	}
}

func TestHTTPClientRepeatsOnlyWhatItCan(t *testing.T) {
	t.Parallel()
	body := fmt.Sprintf(patientJSON, "mine")
	for _, tt := range []struct {
		name string
		body io.Reader
		want int
	}{
		{"a body that can be replayed", strings.NewReader(body), http.StatusCreated},
		{"a stream", io.MultiReader(strings.NewReader(body)), http.StatusUnauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sb := start(t)
			client := sb.DefaultClient()
			hc := client.HTTPClient()
			expect(t, http.StatusOK, hc, http.MethodGet, sb.FHIRURL()+"/Patient", "")
			if err := client.Revoke(t.Context()); err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, sb.FHIRURL()+"/Patient/mine", tt.body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/fhir+json")
			resp, err := hc.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("got status %d, want %d", resp.StatusCode, tt.want)
			}
			if req.Header.Get("Authorization") != "" {
				t.Error("the caller's request was changed")
			}
		})
	}
}

func TestHTTPClientKeepsTheTokenToItsServer(t *testing.T) {
	t.Parallel()
	sb := start(t)
	var mu sync.Mutex
	seen := map[string]string{}
	foreign := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.URL.Path] = r.Header.Get("Authorization")
	}))
	t.Cleanup(foreign.Close)
	// In front of the sandbox: it sends some requests elsewhere.
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path, ok := strings.CutPrefix(r.URL.Path, "/away"); ok {
			http.Redirect(w, r, foreign.URL+path, http.StatusTemporaryRedirect)
			return
		}
		sb.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)

	hc := sb.DefaultClient().At(front.URL, nil).HTTPClient()
	expect(t, http.StatusOK, hc, http.MethodGet, front.URL+"/fhir/Patient", "")
	expect(t, http.StatusOK, hc, http.MethodGet, front.URL+"/away/redirected", "")
	expect(t, http.StatusOK, hc, http.MethodGet, foreign.URL+"/direct", "")
	expect(t, http.StatusOK, hc, http.MethodPost, front.URL+"/away/post", "body")
	for path, authorization := range seen {
		if authorization != "" {
			t.Errorf("%s of another origin got %q", path, authorization)
		}
	}
	if len(seen) != 3 {
		t.Errorf("the other origin saw %v, want three requests", seen)
	}
}

func TestHTTPClientKeepsAnAuthorizationOfTheCaller(t *testing.T) {
	t.Parallel()
	sb := start(t)
	resp, _ := do(t, sb.DefaultClient().HTTPClient(), http.MethodGet, sb.FHIRURL()+"/Patient", "", "Authorization", "Bearer wrong")
	if resp.StatusCode != http.StatusUnauthorized || tokens(sb) != 0 {
		t.Errorf("got status %d and %d tokens, want 401 and none", resp.StatusCode, tokens(sb))
	}
}

func TestHTTPClientTellsOfARefusedToken(t *testing.T) {
	t.Parallel()
	sb := start(t)
	client := register(t, sb, sandbox.ClientConfig{Scopes: []string{"system/Patient.rs"}})
	body := &closing{Reader: strings.NewReader("x")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sb.FHIRURL()+"/Encounter", body)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.HTTPClient("system/Encounter.c").Do(req)
	wantRefusal(t, err, "S06")
	if !body.closed {
		t.Error("the body of the request is still open")
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestHTTPClientInManyGoroutines(t *testing.T) {
	t.Parallel()
	sb := start(t)
	hc := sb.DefaultClient().HTTPClient("system/Patient.rs")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			resp, err := hc.Get(sb.FHIRURL() + "/Patient")
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
		})
	}
	wg.Wait()
	if got := tokens(sb); got != 1 {
		t.Errorf("got %d tokens, want one for all", got)
	}
}

func TestHTTPClientHeedsContexts(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	keys := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	t.Cleanup(keys.Close)
	t.Cleanup(sync.OnceFunc(func() { close(release) }))
	sb := start(t)
	hc := register(t, sb, sandbox.ClientConfig{JWKSURI: keys.URL}).HTTPClient()
	first, cancelFirst := context.WithCancel(t.Context())
	done := make(chan error, 1)
	get := func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, sb.FHIRURL()+"/Patient", nil)
		if err != nil {
			return err
		}
		resp, err := hc.Do(req)
		if err == nil {
			err = errors.Join(errors.New("got an answer"), resp.Body.Close())
		}
		return err
	}
	go func() { done <- get(first) }()
	<-asked // the first request waits for its token, a second one for the first
	second, cancelSecond := context.WithCancel(t.Context())
	cancelSecond()
	if err := get(second); !errors.Is(err, context.Canceled) {
		t.Errorf("the second request: got %v, want the end of its context", err)
	}
	cancelFirst()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the first request: got %v, want the end of its context", err)
	}
}

func TestHTTPClientBeforeListen(t *testing.T) {
	t.Parallel()
	sb, err := sandbox.New(t.Context(), sandbox.WithPatients(1))
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	client := sb.DefaultClient() // made before there is an address
	if _, err := client.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "call Listen") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
	if _, err := client.HTTPClient().Post("http://example.invalid/fhir", "text/plain", bytes.NewReader(nil)); err == nil || !strings.Contains(err.Error(), "call Listen") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
	if sb.URL() != "" {
		t.Errorf("got URL %q, want none", sb.URL())
	}
	if err := sb.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	expect(t, http.StatusOK, client.HTTPClient(), http.MethodGet, sb.FHIRURL()+"/Patient", "")
}
