package cli_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/cli"
)

// follow runs tail until it has shown a text, and returns what it printed and
// its exit code; doing happens once it follows.
func (s *serving) follow(t *testing.T, until string, doing func(), args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout := &watchedWriter{text: until, seen: make(chan struct{})}
	stderr := &watchedWriter{text: "Following", seen: make(chan struct{})}
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, append([]string{"tail"}, args...), s.environ, strings.NewReader(""), stdout, stderr)
	}()
	select {
	case <-stderr.seen:
	case code := <-ended:
		return stderr.String(), code
	}
	doing()
	select {
	case <-stdout.seen:
		cancel()
		return stdout.String(), <-ended
	case code := <-ended:
		return stdout.String() + stderr.String(), code
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	ask := func() {
		s.run(t, "get", "Patient?_count=1")
		s.run(t, "get", "Nothing/1")
	}
	got, code := s.follow(t, "_sandbox/exchanges/", ask)
	for _, want := range []string{" 200 POST /auth/token", " 200 GET  /fhir/Patient?_count=1  default-client", " 404 GET  /fhir/Nothing/1", "http://"} {
		if code != 0 || !strings.Contains(got, want) {
			t.Errorf("code %d; %q is not in\n%s", code, want, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Errorf("colours where nobody sees them: %q", got)
	}
	got, code = s.follow(t, "Nothing", ask, "--json", "--status", "4xx")
	var e struct{ Method, URL string }
	if err := json.Unmarshal([]byte(strings.TrimSpace(got)), &e); code != 0 || err != nil || !strings.HasSuffix(e.URL, "/fhir/Nothing/1") {
		t.Errorf("code %d, %v: %s", code, err, got)
	}
	if got, code = s.follow(t, "", ask, "--status", "fine"); code != 1 || !strings.Contains(got, "404, or a class such as 4xx") {
		t.Errorf("code %d: %s", code, got)
	}
	if got, code = s.follow(t, "never", func() { s.stop() }); code != 1 || !strings.Contains(got, "the server has ended") {
		t.Errorf("code %d: %s", code, got)
	}
}
