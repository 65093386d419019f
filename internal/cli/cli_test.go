package cli_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sandfhir/sandfhir/internal/cli"
)

// A ran is what a command line did.
type ran struct {
	code           int
	stdout, stderr string
}

// run runs a command line with nothing in the environment but environ.
func run(t *testing.T, environ []string, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Run(t.Context(), args, environ, strings.NewReader(""), &stdout, &stderr)
	return ran{code, stdout.String(), stderr.String()}
}

func writeFile(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettingsPrecedence(t *testing.T) {
	t.Parallel()
	file := writeFile(t, t.TempDir(), "s.toml", `
patients = 30
seed = 40
load = ["x.ndjson", "y dir"]
keep-going = true
log-level = "debug"
trusted-proxies = ["::1", "10.0.0.0/8"]
`)
	list := strings.Join([]string{"e.ndjson", "f"}, string(os.PathListSeparator))
	tests := []struct {
		name    string
		environ []string
		args    []string
		want    string // a line of the table, its columns separated by one space
	}{
		{"default", nil, nil, "patients 100 default"},
		{"default address", nil, nil, "addr 127.0.0.1:8080 default"},
		{"no default", nil, nil, "data - default"},
		{"file", nil, []string{"--config", file}, "patients 30 " + file + ": patients"},
		{"file named by environment", []string{"SANDFHIR_CONFIG=" + file}, nil, "seed 40 " + file + ": seed"},
		{"list in the file", nil, []string{"--config", file}, "load x.ndjson, y dir " + file + ": load"},
		{"environment before file", []string{"SANDFHIR_PATIENTS=20"}, []string{"--config", file}, "patients 20 SANDFHIR_PATIENTS"},
		{"flag before environment", []string{"SANDFHIR_PATIENTS=20"}, []string{"--config", file, "--patients", "10"}, "patients 10 --patients"},
		{"last flag", nil, []string{"--patients=1", "--patients=2"}, "patients 2 --patients"},
		{"empty variable is none", []string{"SANDFHIR_PATIENTS="}, nil, "patients 100 default"},
		{"last variable", []string{"SANDFHIR_PATIENTS=1", "SANDFHIR_PATIENTS=2"}, nil, "patients 2 SANDFHIR_PATIENTS"},
		{"list of flags", []string{"SANDFHIR_LOAD=" + list}, []string{"--load", "a", "--load", "b,c"}, "load a, b,c --load"},
		{"list in the environment", []string{"SANDFHIR_LOAD=" + list}, nil, "load e.ndjson, f SANDFHIR_LOAD"},
		{"networks", nil, []string{"--trusted-proxies", "127.0.0.1, 10.0.0.0/8", "--trusted-proxies=::1"}, "trusted-proxies 127.0.0.1, 10.0.0.0/8, ::1 --trusted-proxies"},
		{"networks in the environment", []string{"SANDFHIR_TRUSTED_PROXIES=::1,10.0.0.0/8,"}, nil, "trusted-proxies ::1, 10.0.0.0/8 SANDFHIR_TRUSTED_PROXIES"},
		{"networks in the file", nil, []string{"--config", file}, "trusted-proxies ::1, 10.0.0.0/8 " + file + ": trusted-proxies"},
		{"behaviour", nil, nil, "behaviour strict default"},
		{"behaviour in the environment", []string{"SANDFHIR_BEHAVIOUR=aidbox"}, nil, "behaviour aidbox SANDFHIR_BEHAVIOUR"},
		{"another secret", []string{"SANDFHIR_REGISTRATION_TOKEN=0123456789abcdef"}, nil, "registration-token ******** SANDFHIR_REGISTRATION_TOKEN"},
		{"switch", nil, []string{"--keep-going"}, "keep-going true --keep-going"},
		{"switch off", nil, []string{"--keep-going=false", "--config", file}, "keep-going false --keep-going"},
		{"secret", []string{"SANDFHIR_ADMIN_TOKEN=0123456789abcdef"}, nil, "admin-token ******** SANDFHIR_ADMIN_TOKEN"},
		{"hyphen", []string{"SANDFHIR_EXPORT_DURATION=1m30s"}, nil, "export-duration 1m30s SANDFHIR_EXPORT_DURATION"},
		{"Kubernetes service variables", []string{"SANDFHIR_PORT=tcp://10.0.0.1:8080", "SANDFHIR_SERVICE_HOST=10.0.0.1",
			"SANDFHIR_SERVICE_PORT=8080", "SANDFHIR_SERVICE_PORT_HTTP=8080", "SANDFHIR_PORT_8080_TCP=tcp://10.0.0.1:8080",
			"SANDFHIR_PORT_8080_TCP_ADDR=10.0.0.1"}, nil, "addr 127.0.0.1:8080 default"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, test.environ, append([]string{"config"}, test.args...)...)
			if got.code != 0 || got.stderr != "" {
				t.Fatalf("exit code %d, %s", got.code, got.stderr)
			}
			if strings.Contains(got.stdout, "0123456789abcdef") {
				t.Error("the secret is printed")
			}
			for line := range strings.Lines(got.stdout) {
				if strings.Join(strings.Fields(line), " ") == test.want {
					return
				}
			}
			t.Errorf("no line %q in\n%s", test.want, got.stdout)
		})
	}
}

func TestSettingsMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		environ string
		file    string
		args    string
		want    string // FILE stands for the file's path
	}{
		{"environment", "SANDFHIR_PATIENTS=many", "", "", `SANDFHIR_PATIENTS: "many" is not a whole number`},
		{"flag", "", "", "--patients many", `--patients: "many" is not a whole number`},
		{"file", "", `patients = "many"`, "", `FILE: patients: "many" is not a whole number`},
		{"fraction", "", `patients = 1.5`, "", `FILE: patients: "1.5" is not a whole number`},
		{"negative", "", "", "--patients=-1", `--patients: -1 is not from 0 to 999999`},
		{"too many", "", "", "--patients 99999999999999999999", `--patients: 99999999999999999999 is not from 0 to 999999`},
		{"seed", "", "", "--seed -1", `--seed: "-1" is not a whole number from 0 to 18446744073709551615`},
		{"switch", "SANDFHIR_KEEP_GOING=maybe", "", "", `SANDFHIR_KEEP_GOING: "maybe" is neither true nor false`},
		{"switch flag", "", "", "--keep-going=maybe", `--keep-going: "maybe" is neither true nor false`},
		{"address without port", "", "", "--addr localhost", `--addr: "localhost" is not an address such as 127.0.0.1:8080`},
		{"address with a URL", "", "", "--addr http://localhost:80", `--addr: "http://localhost:80" is not an address such as 127.0.0.1:8080`},
		{"port", "", "", "--addr :65536", `--addr: ":65536" does not end in a port from 0 to 65535`},
		{"base URL", "", "", "--base-url sandbox.example.org", `--base-url: "sandbox.example.org" is not a URL such as https://sandbox.example.org`},
		{"base URL with query", "", "", "--base-url http://h/?a", `--base-url: "http://h/?a" has a user, a query or a fragment, which a base URL cannot have`},
		{"proxy by name", "", "", "--trusted-proxies 10.0.0.0/8,proxy.local", `--trusted-proxies: "proxy.local" is neither an IP address nor a network such as 10.0.0.0/8`},
		{"short registration token", "SANDFHIR_REGISTRATION_TOKEN=secret", "", "", `SANDFHIR_REGISTRATION_TOKEN: the token is shorter than 16 characters`},
		{"registration token in the file", "", `registration-token = "0123456789abcdef"`, "", `FILE: registration-token cannot stand in a settings file; set SANDFHIR_REGISTRATION_TOKEN`},
		{"registration token as a flag", "", "", "--registration-token x", `there is no flag --registration-token; set SANDFHIR_REGISTRATION_TOKEN`},
		{"behaviour", "", "", "--behaviour aidbx", `--behaviour: there is no behaviour "aidbx"; did you mean "aidbox"? (a file's name ends in .json)`},
		{"behaviour in the file", "", `behaviour = "./nowhere.json"`, "", `FILE: behaviour: ./nowhere.json: the behaviour cannot be read: no such file or directory`},
		{"behaviour in the environment", "SANDFHIR_BEHAVIOUR=lenient", "", "", `SANDFHIR_BEHAVIOUR: there is no behaviour "lenient"; there are strict, aidbox (a file's name ends in .json)`},
		{"level", "", "", "--log-level loud", `--log-level: "loud" is not debug, info, warn or error`},
		{"duration", "", "", "--export-duration 5", `--export-duration: "5" is not a duration such as 0s, 30s or 2m`},
		{"negative duration", "", "", "--export-duration=-5s", `--export-duration: -5s is less than nothing`},
		{"empty directory", "", `data = ""`, "", `FILE: data: the value is empty`},
		{"short token", "SANDFHIR_ADMIN_TOKEN=secret", "", "", `SANDFHIR_ADMIN_TOKEN: the token is shorter than 16 characters`},
		{"token with a space", "SANDFHIR_ADMIN_TOKEN=0123456789 abcdef", "", "",
			`SANDFHIR_ADMIN_TOKEN: the token has characters that cannot stand in a header; use printable ASCII without spaces`},
		{"unknown variable", "SANDFHIR_PATIENT=1", "", "", `SANDFHIR_PATIENT: there is no such setting; did you mean SANDFHIR_PATIENTS?`},
		{"unknown variable near none", "SANDFHIR_XYZZY=1", "", "", `SANDFHIR_XYZZY: there is no such setting; see: go run . --help`},
		{"port that Kubernetes did not set", "SANDFHIR_PORT=80", "", "", `SANDFHIR_PORT: there is no such setting; see: go run . --help`},
		{"unknown key", "", `patient = 1`, "", `FILE: there is no setting "patient"; did you mean "patients"?`},
		{"key with underscore", "", `keep_going = true`, "", `FILE: there is no setting "keep_going"; did you mean "keep-going"?`},
		{"table", "", "[server]\naddr = 1", "", `FILE: there is no setting "server"`},
		{"table of a setting", "", "[addr]\nx = 1", "", `FILE: addr: a value is a string, a number or a boolean`},
		{"list for one value", "", "patients = [1, 2]", "", `FILE: patients: takes one value, not a list`},
		{"date", "", "patients = 2026-01-02", "", `FILE: patients: a value is a string, a number or a boolean`},
		{"secret in the file", "", `admin-token = "0123456789abcdef"`, "", `FILE: admin-token cannot stand in a settings file; set SANDFHIR_ADMIN_TOKEN`},
		{"config in the file", "", `config = "x"`, "", `FILE: config cannot stand in a settings file; set SANDFHIR_CONFIG`},
		{"syntax of the file", "", "seed = 1\npatients = = 2", "", `FILE:2: expected value but found '=' instead`},
		{"missing file", "", "", "--config /nowhere/s.toml", `/nowhere/s.toml: the settings file cannot be read: no such file or directory`},
		{"unknown flag", "", "", "--patient 1", `there is no flag --patient; did you mean --patients?`},
		{"secret as a flag", "", "", "--admin-token x", `there is no flag --admin-token; set SANDFHIR_ADMIN_TOKEN`},
		{"unknown short flag", "", "", "-x", `unknown shorthand flag: 'x' in -x; see: COMMAND --help`},
		{"flag without a value", "", "", "--seed", `--seed needs a value`},
	}
	for _, test := range tests {
		help := run(t, nil, "--help").stdout
		for _, titles := range []string{"The server:\n  serve ", "A client of it:\n  token ", "Your own client:\n  keygen ", "Other:\n  version "} {
			if !strings.Contains(help, "\n"+titles) {
				t.Errorf("the commands are not in their order:\n%s", help)
			}
		}
		for _, command := range []string{"", "serve", "config"} {
			t.Run(test.name+" "+command, func(t *testing.T) {
				t.Parallel()
				args := strings.Fields(command + " " + test.args)
				var environ []string
				if test.environ != "" {
					environ = append(environ, test.environ)
				}
				want := strings.Replace(test.want, "COMMAND", strings.TrimSpace("go run . "+command), 1)
				if test.file != "" {
					file := writeFile(t, t.TempDir(), "s.toml", test.file)
					args = append(args, "--config", file)
					want = strings.ReplaceAll(want, "FILE", file)
				}
				got := run(t, environ, args...)
				if got.code != 2 || got.stderr != "sandfhir: "+want+"\n" || got.stdout != "" {
					t.Errorf("exit code %d, stderr %qstdout %q, want 2 and %q", got.code, got.stderr, got.stdout, want)
				}
			})
		}
	}
}

func TestCommandLineMistakes(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"srve":                                   `there is no command "srve"; did you mean serve?`,
		"frobnicate":                             `there is no command "frobnicate"; see: go run . --help`,
		"export --xyzzy":                         `there is no flag --xyzzy; see: go run . export --help`,
		"version now":                            `version takes no arguments, got "now"`,
		"load":                                   `load needs at least one PATH`,
		"load --addr h:1 x":                      `there is no flag --addr; see: go run . load --help`,
		"get":                                    `get takes one PATH, such as Patient?_count=5; it got 0`,
		"token --client x --fhir h":              `--fhir: "h" is not a URL such as https://sandbox.example.org`,
		"token --fhir http://h/fhir":             `the commands have no client of their own at http://h/fhir: name one with --client and --key`,
		"export --client x --fhir http://h/fhir": `--client and --key belong together`,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			got := run(t, nil, strings.Fields(args)...)
			if got.code != 2 || got.stderr != "sandfhir: "+want+"\n" {
				t.Errorf("exit code %d, %q, want 2 and %q", got.code, got.stderr, want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"help"}, {"serve", "-h"}} {
		got := run(t, nil, args...)
		if got.code != 0 || !strings.Contains(got.stdout, "--patients N") || !strings.Contains(got.stdout, "(default 100)") {
			t.Errorf("%q: exit code %d\n%s%s", args, got.code, got.stdout, got.stderr)
		}
	}
	if got := run(t, nil, "--help"); !strings.Contains(got.stdout, "SANDFHIR_ADMIN_TOKEN") {
		t.Errorf("the setting without a flag is not in the help:\n%s", got.stdout)
	}
	for _, command := range []string{"", "serve", "load", "config", "token", "get", "export", "keygen", "doctor", "diff", "seed", "evolve", "state", "tail", "healthcheck", "version"} {
		got := run(t, nil, append(strings.Fields(command), "--help")...)
		if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, "--help") || !strings.Contains(got.stdout, "Usage:\n") || strings.Contains(got.stdout, "\n\n\n") {
			t.Errorf("%s --help: %+v", command, got)
		}
		if strings.Contains(got.stdout, "sandfhir "+command+" ") {
			t.Errorf("%s --help has examples that cannot be typed here:\n%s", command, got.stdout)
		}
		if strings.Contains(got.stdout, "$everything") {
			t.Errorf("%s --help advertises what is not offered:\n%s", command, got.stdout)
		}
		for line := range strings.Lines(got.stdout) {
			if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > 80 || strings.TrimRight(line, " ") != line {
				t.Errorf("%s --help: a line that does not fit into 80 columns, or ends in spaces: %q", command, line)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"version", "--version"} {
		got := run(t, nil, command)
		if got.code != 0 || !strings.HasPrefix(got.stdout, "sandfhir ") || !strings.Contains(got.stdout, runtime.Version()) || strings.Count(got.stdout, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q", command, got.code, got.stdout)
		}
	}
}

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	status := func(code int) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/base/readyz" && r.URL.Path != "/readyz" {
				code = http.StatusNotFound
			}
			w.WriteHeader(code)
			w.Write([]byte("loading\n"))
		}))
		t.Cleanup(s.Close)
		return s
	}
	ready, busy, gone := status(200), status(503), status(200)
	page := func(code int) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(code)
			w.Write([]byte(strings.Repeat("<p>\nnot\n</p>\n", 100)))
		}))
		t.Cleanup(s.Close)
		return s
	}
	foreign, broken := page(404), page(500)
	gone.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(ready.URL, "http://"), ":")
	tests := []struct {
		name    string
		environ []string
		args    []string
		code    int
		want    string
	}{
		{"ready", nil, []string{"--url", ready.URL}, 0, "ready\n"},
		{"ready below a path", nil, []string{"--url", ready.URL + "/base/"}, 0, "ready\n"},
		{"ready at an address", nil, []string{"--addr", strings.TrimPrefix(ready.URL, "http://")}, 0, "ready\n"},
		{"ready at every address", []string{"SANDFHIR_ADDR=0.0.0.0:" + port}, nil, 0, "ready\n"},
		{"ready at any host", []string{"SANDFHIR_ADDR=:" + port}, nil, 0, "ready\n"},
		{"busy", nil, []string{"--url", busy.URL}, 1, "sandfhir: not ready: " + busy.URL + "/readyz answers 503 Service Unavailable loading\n"},
		{"gone", nil, []string{"--url", gone.URL}, 1, "sandfhir: not ready: " + gone.URL + "/readyz: connection refused\n"},
		{"another server", nil, []string{"--url", foreign.URL}, 1, "sandfhir: not ready: " + foreign.URL + "/readyz answers 404 Not Found: that is no sandfhir server\n"},
		{"another server that is broken", nil, []string{"--url", broken.URL}, 1, "sandfhir: not ready: " + broken.URL + "/readyz answers 500 Internal Server Error <p> not </p> "},
		{"bad setting", []string{"SANDFHIR_ADDR=x"}, nil, 1, `sandfhir: SANDFHIR_ADDR: "x" is not an address`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, test.environ, append([]string{"healthcheck"}, test.args...)...)
			if got.code != test.code || !strings.HasPrefix(got.stdout+got.stderr, test.want) || strings.Count(got.stdout+got.stderr, "\n") != 1 || len(got.stderr) > 400 {
				t.Errorf("exit code %d, %q, want %d and %q", got.code, got.stdout+got.stderr, test.code, test.want)
			}
		})
	}
}
