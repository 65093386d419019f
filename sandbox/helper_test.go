package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// start starts a server with a small population.
func start(tb testing.TB, opts ...sandbox.Option) *sandbox.Server {
	tb.Helper()
	return sandbox.Start(tb, append([]sandbox.Option{sandbox.WithPatients(2)}, opts...)...)
}

// do sends a request and returns the answer with its body read.
func do(tb testing.TB, client *http.Client, method, url, body string, header ...string) (*http.Response, string) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return resp, string(text)
}

// expect is do that ends the test unless the status is the wanted one.
func expect(tb testing.TB, status int, client *http.Client, method, url, body string, header ...string) (*http.Response, string) {
	tb.Helper()
	resp, text := do(tb, client, method, url, body, header...)
	if resp.StatusCode != status {
		tb.Fatalf("%s %s: got status %d, want %d: %s", method, url, resp.StatusCode, status, text)
	}
	return resp, text
}

// total returns how many resources a search finds.
func total(tb testing.TB, client *http.Client, url string) int {
	tb.Helper()
	_, text := expect(tb, http.StatusOK, client, http.MethodGet, url, "")
	var bundle struct{ Total *int }
	if err := json.Unmarshal([]byte(text), &bundle); err != nil || bundle.Total == nil {
		tb.Fatalf("%s: not a Bundle with a total: %v: %s", url, err, text)
	}
	return *bundle.Total
}

const patientJSON = `{"resourceType":"Patient","id":"%s","name":[{"family":"Test"}]}`

// put writes a Patient with this id.
func put(tb testing.TB, status int, client *http.Client, fhir, id string) {
	tb.Helper()
	expect(tb, status, client, http.MethodPut, fhir+"/Patient/"+id, fmt.Sprintf(patientJSON, id), "Content-Type", "application/fhir+json")
}

// register registers a client.
func register(tb testing.TB, at interface {
	RegisterClient(ctx context.Context, cfg sandbox.ClientConfig) (*sandbox.Client, error)
}, cfg sandbox.ClientConfig) *sandbox.Client {
	tb.Helper()
	c, err := at.RegisterClient(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// wantRefusal checks that err is a refusal by the check.
func wantRefusal(tb testing.TB, err error, check string) {
	tb.Helper()
	var refused *sandbox.TokenError
	if !errors.As(err, &refused) {
		tb.Fatalf("got %v, want a *TokenError of check %s", err, check)
	}
	if refused.Check != check {
		tb.Errorf("got check %q, want %q: %v", refused.Check, check, err)
	}
}

// recorder is a TB that only remembers.
type recorder struct {
	mu      sync.Mutex
	cleanup []func()
	lines   []string
	failed  bool
	fatal   bool
}

func (r *recorder) Helper() {}

func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }

func (r *recorder) Failed() bool { return r.failed }

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Logf(format, args...)
	r.failed, r.fatal = true, true
}

// end does what package testing does when a test ends, and returns the log.
func (r *recorder) end() string {
	for i := len(r.cleanup) - 1; i >= 0; i-- {
		r.cleanup[i]()
	}
	r.cleanup = nil
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

// noRedirects returns an HTTP client that shows redirects instead of following
// them.
func noRedirects() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
