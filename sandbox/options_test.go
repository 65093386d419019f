package sandbox_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

func TestNewRefusesWrongOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		opts []sandbox.Option
		want []string
	}{
		{"nil option", []sandbox.Option{nil}, []string{"an option is nil"}},
		{"negative patients", []sandbox.Option{sandbox.WithPatients(-1)}, []string{"WithPatients: -1 is not from 0 to 999999"}},
		{"too many patients", []sandbox.Option{sandbox.WithPatients(sandbox.MaxPatients + 1)}, []string{"WithPatients: 1000000"}},
		{"empty data directory", []sandbox.Option{sandbox.WithDataDir("")}, []string{"WithDataDir"}},
		{"empty cache directory", []sandbox.Option{sandbox.WithCacheDir("")}, []string{"WithCacheDir"}},
		{"empty path", []sandbox.Option{sandbox.WithLoad("a.ndjson", "")}, []string{"WithLoad: a path is empty"}},
		{"nil reader", []sandbox.Option{sandbox.WithStdin(nil)}, []string{"WithStdin"}},
		{"nil progress", []sandbox.Option{sandbox.WithLoadProgress(nil)}, []string{"WithLoadProgress"}},
		{"negative export", []sandbox.Option{sandbox.WithExportDuration(-time.Second)}, []string{"WithExportDuration: -1s"}},
		{"behaviour that is not there", []sandbox.Option{sandbox.WithBehaviour("aidbx")}, []string{`WithBehaviour: there is no behaviour "aidbx"; did you mean "aidbox"?`}},
		{"switch that is not there", []sandbox.Option{sandbox.WithSwitch("exp.mx", "1m"), sandbox.WithSwitch("exp.max", "x")}, []string{`WithSwitch: there is no switch "exp.mx"; did you mean "exp.max"?`, `exp.max: "x" is not a duration`}},
		{"relative base URL", []sandbox.Option{sandbox.WithBaseURL("/fhir")}, []string{`WithBaseURL: "/fhir" is not a URL`}},
		{"base URL of another scheme", []sandbox.Option{sandbox.WithBaseURL("ftp://example.org")}, []string{"ftp://example.org"}},
		{"base URL with query", []sandbox.Option{sandbox.WithBaseURL("https://example.org/?x=1")}, []string{"a query"}},
		{"base URL with user", []sandbox.Option{sandbox.WithBaseURL("https://me:secret-word@example.org")}, []string{"a user"}},
		{"proxy by name", []sandbox.Option{sandbox.WithTrustedProxies("10.0.0.0/8", "proxy.local")}, []string{`WithTrustedProxies: "proxy.local"`}},
		{"short admin token", []sandbox.Option{sandbox.WithAdminToken("secret-word")}, []string{"WithAdminToken: the token is shorter than 16"}},
		{"admin token with space", []sandbox.Option{sandbox.WithAdminToken("a secret-word with spaces")}, []string{"WithAdminToken"}},
		{"short registration token", []sandbox.Option{sandbox.WithRegistrationToken("secret-word")}, []string{"WithRegistrationToken: the token is shorter than 16"}},
		{"nil pool", []sandbox.Option{sandbox.WithKeySetRoots(nil)}, []string{"WithKeySetRoots"}},
		{"nil logger", []sandbox.Option{sandbox.WithLogger(nil)}, []string{"WithLogger"}},
		{"several", []sandbox.Option{sandbox.WithPatients(-3), sandbox.WithBaseURL("x"), sandbox.WithSeed(3)}, []string{"WithPatients: -3", `WithBaseURL: "x"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sb, err := sandbox.New(t.Context(), tt.opts...)
			if err == nil {
				t.Fatalf("got a server, want an error; closing it: %v", sb.Close())
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "secret-word") {
				t.Errorf("the error shows a secret: %q", err)
			}
		})
	}
}

func TestNewKeepsADataDirToItself(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	opts := []sandbox.Option{sandbox.WithPatients(1), sandbox.WithDataDir(dir), sandbox.WithFullSync()}
	first, err := sandbox.New(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := sandbox.New(t.Context(), opts...); !errors.Is(err, sandbox.ErrDataInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second server: got %v and %v, want ErrDataInUse and the directory's name", second, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := sandbox.New(t.Context(), opts...)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
}

func TestDataDirKeepsDataAndClients(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var key *sandbox.Client
	for _, round := range []string{"first", "second"} {
		sb := start(t, sandbox.WithDataDir(dir))
		client := sb.DefaultClient().HTTPClient()
		if round == "first" {
			put(t, 201, client, sb.FHIRURL(), "mine")
			key = register(t, sb, sandbox.ClientConfig{ID: "kept"})
		}
		if got := total(t, client, sb.FHIRURL()+"/Patient?_id=mine&_summary=count"); got != 1 {
			t.Errorf("%s server: got %d patients, want 1", round, got)
		}
		if _, err := key.At(sb.URL(), nil).Token(t.Context()); err != nil {
			t.Errorf("%s server: %v", round, err)
		}
		if _, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "kept"}); err == nil {
			t.Errorf("%s server: an id was registered twice", round)
		}
		if err := sb.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A machine without a home directory still caches, in the directory for
// temporary files.
func TestNewWithoutAUserCacheDir(t *testing.T) {
	temp := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp)
	for range 2 {
		sb, err := sandbox.New(t.Context(), sandbox.WithPatients(1), sandbox.WithSeed(99))
		if err != nil {
			t.Fatal(err)
		}
		if err := sb.Close(); err != nil {
			t.Error(err)
		}
	}
	found, err := filepath.Glob(filepath.Join(temp, "sandfhir-cache*", "population-*"))
	if err != nil || len(found) != 1 {
		t.Errorf("got %v (%v), want one population", found, err)
	}
	if info, err := os.Stat(filepath.Dir(found[0])); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the cache has mode %v (%v), want it private", info.Mode(), err)
	}
}

// Without any place to cache it in, the population is in memory.
func TestNewWithoutAnyCacheDir(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sb := start(t, sandbox.WithCacheDir(filepath.Join(file, "cache")))
	client := sb.DefaultClient().HTTPClient()
	if got := total(t, client, sb.FHIRURL()+"/Patient?_summary=count"); got != 2 {
		t.Errorf("got %d patients, want 2", got)
	}
	put(t, 201, client, sb.FHIRURL(), "mine")
}

func TestListenGuardsTheControls(t *testing.T) {
	t.Parallel()
	open, err := sandbox.New(t.Context(), sandbox.WithPatients(1))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	if err := open.Listen("0.0.0.0:0"); err == nil || !strings.Contains(err.Error(), "WithAdminToken") {
		t.Errorf("got %v, want an error that asks for an admin token", err)
	}
	const token = "0123456789abcdef+&?"
	sb, err := sandbox.New(t.Context(), sandbox.WithPatients(1), sandbox.WithAdminToken(token))
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	if err := sb.Listen("0.0.0.0:0"); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(sb.URL(), "http://127.0.0.1:") {
		t.Errorf("got URL %s, want one that this machine reaches", sb.URL())
	}
	for _, tt := range []struct {
		name, url, token string
		want             int
	}{
		{"no token", sb.URL() + "/_sandbox/clock", "", 401},
		{"wrong token", sb.URL() + "/_sandbox/clock", "Bearer x", 401},
		{"token", sb.URL() + "/_sandbox/clock", "Bearer " + token, 200},
		{"portal link", sb.PortalURL(), "", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, text := do(t, noRedirects(), "GET", tt.url, "", "Authorization", tt.token)
			if resp.StatusCode != tt.want && (tt.want != 200 || resp.StatusCode/100 != 3) {
				t.Errorf("got status %d, want %d: %s", resp.StatusCode, tt.want, text)
			}
		})
	}
}

func TestWithTokenCommand(t *testing.T) {
	t.Parallel()
	for command, opts := range map[string][]sandbox.Option{
		"sandfhir token": nil,
		"go run . token": {sandbox.WithTokenCommand("go run . token")},
	} {
		sb := start(t, opts...)
		if _, page := expect(t, 200, http.DefaultClient, "GET", sb.PortalURL(), "", "Accept", "text/html"); !strings.Contains(page, "Bearer $("+command+")") {
			t.Errorf("the page has no command %q:\n%s", command, page)
		}
	}
}
