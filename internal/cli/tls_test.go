package cli_test

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeHTTPS: the commands that are printed work over HTTPS, and production is
// an origin of its own.
func TestServeHTTPS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, t.TempDir(), "--tls", "--data", dir, "--production-addr", "127.0.0.1:0")
	for _, want := range []string{"To trust     https://127.0.0.1:", "/_sandbox/ca.pem\n", "Production   https://127.0.0.1:"} {
		if !strings.Contains(s.greeted, want) {
			t.Errorf("the greeting lacks %q:\n%s", want, s.greeted)
		}
	}
	root := strings.TrimSuffix(s.fhir, "/fhir")
	at, err := url.Parse(root)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "state.zip")
	for _, args := range [][]string{
		{"token"},
		{"get", "Patient?_count=1"},
		{"export", "--out", filepath.Join(t.TempDir(), "out")},
		{"evolve", "--days", "1"},
		{"state", "export", file},
		{"healthcheck", "--addr", at.Host, "--tls"},
	} {
		if got := s.run(t, args...); got.code != 0 {
			t.Errorf("%q: %+v", args, got)
		}
	}
	if code, stderr := s.stop(); code != 0 {
		t.Errorf("the server ended with %d: %s", code, stderr)
	}

	again := serve(t, t.TempDir(), "--tls-cert", filepath.Join(dir, "ca.pem"), "--tls-key", filepath.Join(dir, "ca-key.pem"))
	if !strings.HasPrefix(again.fhir, "https://") {
		t.Errorf("with a given certificate the FHIR base is %s", again.fhir)
	}
	for want, args := range map[string][]string{
		"belong together": {"--tls-cert", filepath.Join(dir, "ca.pem")},
		"no.pem":          {"--tls-cert", filepath.Join(dir, "no.pem"), "--tls-key", filepath.Join(dir, "ca-key.pem")},
	} {
		if got := run(t, nil, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...); got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%q: got %+v, want code 2 and %q", args, got, want)
		}
	}
}
