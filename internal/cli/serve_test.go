package cli_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/cli"
)

// A serving is a server that runs in this process as the command line runs it.
type serving struct {
	environ []string
	fhir    string
	greeted string
	stop    func() (code int, stderr string)
}

// A watchedWriter tells when a text has been written to it.
type watchedWriter struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	text string
	seen chan struct{}
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := strings.Contains(w.buf.String(), w.text)
	w.buf.Write(p)
	if !before && strings.Contains(w.buf.String(), w.text) {
		close(w.seen)
	}
	return len(p), nil
}

func (w *watchedWriter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// serve starts a server with a small population and private directories.
func serve(t *testing.T, home string, args ...string) *serving {
	t.Helper()
	return serveIn(t, home, nil, args...)
}

// serveIn is serve with more in the environment.
func serveIn(t *testing.T, home string, environ []string, args ...string) *serving {
	t.Helper()
	s := &serving{environ: append([]string{"HOME=" + home, "XDG_RUNTIME_DIR=" + home}, environ...)}
	ctx, cancel := context.WithCancel(t.Context())
	stdout := &watchedWriter{text: " export", seen: make(chan struct{})}
	stderr := &watchedWriter{text: "\x00"}
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, append([]string{"--addr", "127.0.0.1:0", "--patients", "2"}, args...), s.environ, strings.NewReader(""), stdout, stderr)
	}()
	select {
	case <-stdout.seen:
	case code := <-ended:
		t.Fatalf("the server ended with %d: %s", code, stderr)
	}
	s.greeted = stdout.String()
	s.fhir = regexp.MustCompile(`https?://\S+/fhir`).FindString(s.greeted)
	stopped := false
	s.stop = func() (int, string) {
		if stopped {
			return 0, ""
		}
		stopped = true
		cancel()
		return <-ended, stderr.String()
	}
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *serving) run(t *testing.T, args ...string) ran {
	t.Helper()
	return run(t, s.environ, args...)
}

func TestServe(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := serve(t, home)
	for _, want := range []string{"Portal", "FHIR base", "/fhir/.well-known/smart-configuration", "/auth/token", "default-client", " token --fhir " + s.fhir + "\n", " get --fhir " + s.fhir + " 'Patient?_count=3'\n", " export --fhir " + s.fhir + "\n"} {
		if !strings.Contains(s.greeted, want) {
			t.Errorf("the greeting lacks %q:\n%s", want, s.greeted)
		}
	}
	key := regexp.MustCompile(`\S+\.pem`).FindString(s.greeted)
	info, err := os.Stat(key)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the private key has mode %v; want 0600", info.Mode().Perm())
	}
	if got := s.run(t, "token"); got.code != 0 || strings.Count(strings.TrimSpace(got.stdout), ".") != 2 {
		t.Errorf("token: %+v", got)
	}
	if got := s.run(t, "get", "Patient?_count=1"); got.code != 0 || !strings.Contains(got.stdout, `"total":2`) && !strings.Contains(got.stdout, `"total": 2`) {
		t.Errorf("get: %+v", got)
	}
	out := filepath.Join(t.TempDir(), "out")
	if got := s.run(t, "export", "--out", out); got.code != 0 {
		t.Errorf("export: %+v", got)
	}
	if files, _ := filepath.Glob(filepath.Join(out, "*.ndjson")); len(files) < 5 {
		t.Errorf("the export left %v", files)
	}
	if got := s.run(t, "get", "Patient/nobody"); got.code != 1 || !strings.Contains(got.stderr, "nobody") || !regexp.MustCompile(`(?m)^  help: http://\S+/_sandbox/exchanges/[0-9a-f]{32}$`).MatchString(got.stderr) {
		t.Errorf("a read that is refused: %+v", got)
	}
	if code, stderr := s.stop(); code != 0 {
		t.Errorf("the server ended with %d: %s", code, stderr)
	}
	if _, err := os.Stat(key); !os.IsNotExist(err) {
		t.Errorf("the private key outlived the server: %v", err)
	}
	if got := s.run(t, "token"); got.code == 0 {
		t.Errorf("a token without a server: %+v", got)
	}
}

// TestServeWithoutAHome: the commands that are printed work all the same.
func TestServeWithoutAHome(t *testing.T) {
	t.Parallel()
	s := serve(t, writeFile(t, t.TempDir(), "no-directory", ""))
	command := regexp.MustCompile(`(?m) (token --fhir .*)$`).FindStringSubmatch(s.greeted)
	if command == nil {
		t.Fatalf("no command that says everything:\n%s", s.greeted)
	}
	if got := s.run(t, strings.Fields(command[1])...); got.code != 0 || strings.Count(got.stdout, ".") != 2 {
		t.Errorf("%s: %+v", command[1], got)
	}
	code, stderr := s.stop()
	const note = "the commands below say where the server is, because no directory can be written for that ("
	if code != 0 || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, note) || !strings.HasSuffix(stderr, "/.cache/sandfhir/running: not a directory)\n") {
		t.Errorf("the server ended with %d: %q, want one line that begins with %q", code, stderr, note)
	}
}

func TestDataStays(t *testing.T) {
	t.Parallel()
	home, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	more := writeFile(t, t.TempDir(), "more.ndjson", `{"resourceType":"Patient","id":"mine"}`+"\n")
	if got := run(t, []string{"HOME=" + home}, "load", "--data", data, "--patients", "2", more); got.code != 0 || !strings.Contains(got.stderr, "loaded 1 resource;") {
		t.Fatalf("load: %+v", got)
	}
	key := filepath.Join(data, "default-client.pem")
	var keys [2]string
	for i := range keys {
		s := serve(t, home, "--data", data)
		if got := s.run(t, "get", "Patient/mine"); got.code != 0 {
			t.Fatalf("start %d: %+v", i, got)
		}
		text, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = string(text)
		other := run(t, s.environ, "--addr", "127.0.0.1:0", "--data", data)
		if other.code != 2 || !strings.Contains(other.stderr, "another process has the data directory") {
			t.Errorf("a second server on the same data: %+v", other)
		}
		if code, stderr := s.stop(); code != 0 {
			t.Errorf("the server ended with %d: %s", code, stderr)
		}
	}
	if keys[0] != keys[1] {
		t.Error("the default client's key changed with a restart")
	}
}

func TestBadLoads(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	bad := writeFile(t, t.TempDir(), "bad.ndjson", `{"resourceType":"Patient","id":"good"}`+"\n"+`{"resourceType":"Patient","id":`+"\n")
	data := filepath.Join(t.TempDir(), "data")
	got := run(t, []string{"HOME=" + home}, "load", "--data", data, "--patients", "0", bad)
	if got.code != 1 || !strings.Contains(got.stderr, "nothing was loaded: "+bad+":2:") {
		t.Errorf("a bad line: %+v", got)
	}
	s := serve(t, home, "--data", data)
	if got := s.run(t, "get", "Patient/good"); got.code != 1 {
		t.Errorf("a part of a load that failed stayed: %+v", got)
	}
	s.stop()
	got = run(t, []string{"HOME=" + home}, "load", "--data", data, "--keep-going", bad)
	if got.code != 0 || !strings.Contains(got.stderr, "loaded 1 resource; bad: 1") || !strings.Contains(got.stderr, bad+":2:") {
		t.Errorf("--keep-going: %+v", got)
	}
	s = serve(t, home, "--data", data)
	if got := s.run(t, "get", "Patient/good"); got.code != 0 {
		t.Errorf("--keep-going lost the good line: %+v", got)
	}
}

// TestValidation loads and writes what is a resource and no valid one.
func TestValidation(t *testing.T) {
	t.Parallel()
	home, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	invalid := writeFile(t, t.TempDir(), "invalid.ndjson", `{"resourceType":"Patient","id":"good"}`+"\n"+`{"resourceType":"Patient","id":"invalid","gender":"f"}`+"\n")
	got := run(t, []string{"HOME=" + home}, "load", "--validate", "--data", data, "--patients", "0", invalid)
	if got.code != 1 || !strings.Contains(got.stderr, "nothing was loaded: "+invalid+":2:1: Patient/invalid: Patient.gender is") {
		t.Errorf("load --validate: %+v", got)
	}
	got = run(t, []string{"HOME=" + home, "SANDFHIR_VALIDATE=true"}, "load", "--keep-going", "--data", data, invalid)
	if got.code != 0 || !strings.Contains(got.stderr, "loaded 1 resource; bad: 1") || !strings.Contains(got.stderr, invalid+":2:") {
		t.Errorf("load --validate --keep-going: %+v", got)
	}
	if got = run(t, []string{"HOME=" + home}, "load", "--data", data, invalid); got.code != 0 || !strings.Contains(got.stderr, "loaded 2 resources; bad: 0") {
		t.Errorf("load: %+v", got)
	}
}

func TestValidateWrites(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		status int
	}{
		"by default":              {nil, 400},
		"--validate-writes=false": {[]string{"--validate-writes=false"}, 201},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, t.TempDir(), append([]string{"--patients", "0"}, c.args...)...)
			token := s.run(t, "token", "--scope", "system/Patient.u")
			if token.code != 0 {
				t.Fatalf("token: %+v", token)
			}
			status, text := s.ask(t, "PUT", "/fhir/Patient/mine", `{"resourceType":"Patient","id":"mine","foo":1}`,
				"Authorization", "Bearer "+strings.TrimSpace(token.stdout), "Content-Type", "application/fhir+json")
			if status != c.status {
				t.Errorf("got status %d and %s, want %d", status, text, c.status)
			}
		})
	}
}

func TestServeMistakes(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	file := writeFile(t, t.TempDir(), "file", "")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"port taken":       {[]string{"--addr", taken.Addr().String()}, "cannot listen on " + taken.Addr().String() + ": something else listens there; --addr 127.0.0.1:0 takes a free port"},
		"no such host":     {[]string{"--addr", "nowhere.invalid:80"}, "cannot listen on nowhere.invalid:80: "},
		"data is a file":   {[]string{"--addr", "127.0.0.1:0", "--data", file}, "the data directory " + file + " cannot be written"},
		"cache is a file":  {[]string{"--addr", "127.0.0.1:0", "--cache-dir", file}, "the cache directory " + file + " cannot be used"},
		"load without dir": {[]string{"load", file}, "load needs --data DIR"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan ran, 1)
			go func() { done <- run(t, []string{"HOME=" + t.TempDir()}, c.args...) }()
			select {
			case got := <-done:
				if got.code != 2 || !strings.Contains(got.stderr, c.want) || strings.Count(got.stderr, "\n") != 1 {
					t.Errorf("%+v; want exit code 2 and one line with %q", got, c.want)
				}
			case <-time.After(time.Minute):
				t.Error("it did not end")
			}
		})
	}
}
