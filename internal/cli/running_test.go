package cli_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// printed returns the arguments of a command that a server printed at its start.
func (s *serving) printed(t *testing.T, command string) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^  go run \. (` + command + `( .*)?)$`).FindStringSubmatch(s.greeted)
	if line == nil {
		t.Fatalf("there is no command %s in\n%s", command, s.greeted)
	}
	return strings.Fields(strings.ReplaceAll(line[1], "'", ""))
}

// Each server's commands are about that server, however many there are.
func TestPrintedCommandsWorkAsTheyAre(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	servers := map[string]*serving{
		"first":            serve(t, home),
		"second":           serve(t, home),
		"all addresses":    serve(t, home, "--addr", "0.0.0.0:0"),
		"with a base URL":  serve(t, home, "--base-url", "https://nowhere.invalid/smart"),
		"with a data dir":  serve(t, home, "--data", t.TempDir()),
		"by its own token": serveIn(t, home, []string{"SANDFHIR_REGISTRATION_TOKEN=0123456789abcdef"}),
	}
	for name, s := range servers {
		if got := s.run(t, s.printed(t, "token")...); got.code != 0 || strings.Count(got.stdout, ".") != 2 || got.stderr != "" {
			t.Errorf("%s: token: %+v", name, got)
		}
		if got := s.run(t, s.printed(t, "get")...); got.code != 0 || !strings.Contains(got.stdout, `"`+s.fhir+`/Patient/pt-000001"`) {
			t.Errorf("%s: get: %+v", name, got)
		}
		if got := s.run(t, append(s.printed(t, "export"), "--type", "Patient", "--out", filepath.Join(t.TempDir(), "out"))...); got.code != 0 || !strings.Contains(got.stdout, "Patient.ndjson") {
			t.Errorf("%s: export: %+v", name, got)
		}
	}
	if got := run(t, servers["first"].environ, "token"); got.code != 2 || strings.Count(got.stderr, "\n  --fhir ") != len(servers) {
		t.Errorf("without a word about which: %+v", got)
	}
}

// The commands speak to the server on this machine, and sign for the URL that it says is its own.
func TestServerWithABaseURL(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "--base-url", "https://nowhere.invalid/smart")
	local := s.listensAt(t)
	for name, args := range map[string][]string{
		"path":                      {"Patient/pt-000001"},
		"path from the root":        {"/fhir/Patient/pt-000001"},
		"path of its own URL":       {"/smart/fhir/Patient/pt-000001"},
		"its own URL":               {"https://nowhere.invalid/smart/fhir/Patient/pt-000001"},
		"URL on this machine":       {local + "/Patient/pt-000001"},
		"named by its own URL":      {"--fhir", "https://nowhere.invalid/smart/fhir", "Patient/pt-000001"},
		"named as on this machine":  {"--fhir", local, "Patient/pt-000001"},
		"named by another name":     {"--fhir", strings.Replace(local, "127.0.0.1", "localhost", 1), "Patient/pt-000001"},
		"named without the /fhir":   {"--fhir", strings.TrimSuffix(local, "/fhir"), "Patient/pt-000001"},
		"named with a slash at end": {"--fhir", local + "/", "Patient/pt-000001"},
	} {
		if got := s.run(t, append([]string{"get"}, args...)...); got.code != 0 || !strings.Contains(got.stdout, `"id":"pt-000001"`) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, elsewhere := range []string{"https://nowhere.invalid/fhir/Patient", "https://nowhere.invalid/smarter/fhir/Patient"} {
		if got := s.run(t, "get", elsewhere); got.code == 0 || strings.Contains(got.stderr, "pt-000001") {
			t.Errorf("%s: %+v", elsewhere, got)
		}
	}
	key := filepath.Join(filepath.Dir(strings.TrimSpace(regexp.MustCompile(`\S+key\.pem`).FindString(s.greeted))), "key.pem")
	if got := s.run(t, "doctor", "--client", "default-client", "--key", key); got.code != 0 {
		t.Errorf("doctor: %+v", got)
	}
}

func TestWhichServerIsMeant(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s, stopped := serve(t, home), serve(t, home)
	stopped.stop()
	foreign := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(foreign.Close)
	for name, c := range map[string]struct {
		fhir string
		code int
		want string
	}{
		"without the /fhir": {strings.TrimSuffix(s.fhir, "/fhir"), 0, "the FHIR base of " + strings.TrimSuffix(s.fhir, "/fhir") + " is " + s.fhir + "\n"},
		"stopped":           {stopped.fhir, 1, "sandfhir: no server is running at " + stopped.fhir + "; start one with \"go run .\"\n"},
		"somebody else's": {foreign.URL + "/fhir", 2, "sandfhir: the commands have no client of their own at " + foreign.URL + "/fhir: name one with --client and --key" +
			"; servers that you started here:\n  --fhir " + s.fhir + "\n"},
		"elsewhere": {"https://h.invalid/fhir", 2, "sandfhir: the commands have no client of their own at https://h.invalid/fhir: name one with --client and --key" +
			"; servers that you started here:\n  --fhir " + s.fhir + "\n"},
	} {
		if got := s.run(t, "token", "--fhir", c.fhir); got.code != c.code || got.stderr != c.want {
			t.Errorf("%s: %+v, want %d and %q", name, got, c.code, c.want)
		}
	}
}

// Who can reach a server that listens on more than this machine is said, and what they can do.
func TestGreetingSaysWhoCanReachIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ []string
		args    []string
		want    string // "" for nothing
	}{
		"this machine alone":                   {nil, nil, ""},
		"this machine alone, under a base URL": {nil, []string{"--base-url", "https://nowhere.invalid"}, `(?m)^  Listens on   127\.0\.0\.1:\d+, for this machine only$`},
		"every address": {nil, []string{"--addr", "0.0.0.0:0"},
			`(?m)^  Listens on   \[::\]:\d+, every address of this machine\. Whoever reaches it can\n {15}register a client, and with it read and write the data\.$`},
		"every address, with a registration token": {[]string{"SANDFHIR_REGISTRATION_TOKEN=0123456789abcdef"}, []string{"--addr", ":0"},
			`(?m)^  Listens on   \[::\]:\d+, every address of this machine\. Whoever has the\n {15}registration token can register a client,`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveIn(t, t.TempDir(), c.environ, c.args...)
			if c.want == "" && strings.Contains(s.greeted, "Listens on") || !regexp.MustCompile(c.want).MatchString(s.greeted) {
				t.Errorf("got\n%s\nwant %s", s.greeted, c.want)
			}
		})
	}
}

// The start page has the command that its reader can type.
func TestStartPageHasTheCommand(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	if _, page := s.ask(t, "GET", "/", "", "Accept", "text/html"); !strings.Contains(page, "$(go run . token --fhir "+s.fhir+")") {
		t.Errorf("got\n%s", page)
	}
}

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"token", "get x", "export", "doctor --client c", "load x", "config", "healthcheck"} {
		got := run(t, []string{"SANDFHIR_PATIENT=1"}, strings.Fields(command)...)
		code := 2
		if command == "healthcheck" {
			code = 1 // a container's check knows no other
		}
		if got.code != code || got.stderr != "sandfhir: SANDFHIR_PATIENT: there is no such setting; did you mean SANDFHIR_PATIENTS?\n" {
			t.Errorf("%s: %+v", command, got)
		}
	}
	if got := run(t, []string{"SANDFHIR_PATIENT=1"}, "version"); got.code != 0 {
		t.Errorf("what reads no setting: %+v", got)
	}
}

// A key file of a server that was killed is not one more server's.
func TestDirectoriesThatAreNoServers(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	s := serve(t, home)
	for name, content := range map[string]string{"a/server.json": `{"fhir":"http://127.0.0.1:1/fhir"}`, "b.json": `{"fhir":"http://127.0.0.1:1/fhir"}`} {
		path := filepath.Join(home, "sandfhir", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Dir(path), filepath.Base(path), content)
	}
	if got := s.run(t, "token"); got.code != 0 {
		t.Errorf("%+v, want the one server's token", got)
	}
}
