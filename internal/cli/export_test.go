package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/cli"
)

// An exporting server answers 202 twice and then the manifest; SERVER in it stands for its URL.
func exporting(t *testing.T, key keyFile, manifest string) *fakeServer {
	t.Helper()
	server := newFakeServer(t, key.public, key.kid)
	for _, path := range []string{"/fhir/$export", "/fhir/Patient/$export", "/fhir/Group/g 1/$export"} {
		server.handle["GET "+path] = func(w http.ResponseWriter, _ int) {
			w.Header().Set("Content-Location", "/fhir/status/1")
			w.WriteHeader(http.StatusAccepted)
		}
	}
	server.handle["GET /fhir/status/1"] = func(w http.ResponseWriter, n int) {
		w.Header().Set("Retry-After", "0")
		switch n {
		case 0:
			w.Header().Set("X-Progress", "half of it")
			w.WriteHeader(http.StatusAccepted)
		case 1:
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			fmt.Fprint(w, strings.ReplaceAll(manifest, "SERVER", server.URL))
		}
	}
	server.handle["DELETE /fhir/status/1"] = func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusAccepted) }
	for path, body := range map[string]string{
		"/file/p1": "{}\n{}\n", "/file/p2": "{}\r\n\n{}", "/file/d1": "{}\n", "/public/e1": "{}\n", "/file/x": "{}\n",
	} {
		server.handle["GET "+path] = func(w http.ResponseWriter, _ int) { fmt.Fprint(w, body) }
	}
	return server
}

func TestExport(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	server := exporting(t, key, `{"transactionTime":"2026-01-02T03:04:05.006Z","request":"x","requiresAccessToken":true,
		"output":[{"type":"Patient","url":"SERVER/file/p1","count":2},{"type":"Patient","url":"SERVER/file/p2","count":2},
			{"type":"../../x","url":"SERVER/file/x"}],
		"deleted":[{"type":"Bundle","url":"SERVER/file/d1"}],"error":[]}`)
	dir := filepath.Join(t.TempDir(), "new", "out")
	got := run(t, announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key), "export", "--out", dir)
	const want = `  resources  size  file
          2   6 B  Patient.ndjson
          2   7 B  Patient.2.ndjson
          1   3 B  x.ndjson
          1   3 B  deleted.ndjson
          6  19 B  total
`
	if got.code != 0 || got.stdout != want {
		t.Errorf("exit code %d, %s\n%s, want\n%s", got.code, got.stderr, got.stdout, want)
	}
	for _, note := range []string{"export started: " + server.URL + "/fhir/status/1", "export: half of it", "4 files in " + dir + ", as of 2026-01-02T03:04:05.006Z"} {
		if !strings.Contains(got.stderr, note+"\n") {
			t.Errorf("stderr lacks %q:\n%s", note, got.stderr)
		}
	}
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"Patient.2.ndjson", "Patient.ndjson", "deleted.ndjson", "manifest.json", "x.ndjson"}; !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "Patient.2.ndjson")); err != nil || string(data) != "{}\r\n\n{}" {
		t.Errorf("Patient.2.ndjson is %q, %v", data, err)
	}
	if server.tokens != 1 {
		t.Errorf("%d tokens for one export", server.tokens)
	}

	again := run(t, announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key), "export", "--out", dir)
	if again.code != 2 || again.stderr != "sandfhir: --out: "+dir+" is not empty\n" {
		t.Errorf("into the same folder: %+v", again)
	}
}

// BD-FI-07: a token is not sent where none is required.
func TestExportOfFilesThatNeedNoToken(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	server := exporting(t, key, `{"transactionTime":"2026-01-02T03:04:05Z","requiresAccessToken":false,
		"output":[],"error":[{"type":"OperationOutcome","url":"SERVER/public/e1","count":1}]}`)
	dir := t.TempDir()
	got := run(t, announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key), "export", "--out", dir)
	if _, err := os.Stat(filepath.Join(dir, "errors.ndjson")); got.code != 0 || err != nil || !strings.Contains(got.stderr, "\n1 file in "+dir) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestExportKickOff(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	for args, want := range map[string]string{
		"": "GET /fhir/$export",
		"--patient --type Patient --type=Observation,Condition":                       "GET /fhir/Patient/$export?_type=Patient%2CObservation%2CCondition",
		"--group g/1 --since 2026-01-02T03:04:05Z":                                    "GET /fhir/Group/g%2F1/$export?_since=2026-01-02T03%3A04%3A05Z",
		"--type-filter Observation?code=1,2 --type-filter Condition?category=x&code=": "GET /fhir/$export?_typeFilter=Observation%3Fcode%3D1%2C2&_typeFilter=Condition%3Fcategory%3Dx%26code%3D",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			server := exporting(t, key, `{"output":[]}`)
			environ := announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key)
			run(t, environ, append(strings.Fields("export "+args), "--out", t.TempDir())...)
			if requests := server.requests(); len(requests) == 0 || requests[0] != want {
				t.Errorf("requests %q, want %q first", requests, want)
			}
		})
	}
}

// BD-KO-12: a server of 4.0.0-ballot takes POST alone.
func TestExportByPost(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	server := exporting(t, key, `{"transactionTime":"2026-01-02T03:04:05Z","requiresAccessToken":true,"output":[],"outcome":[{"url":"SERVER/file/x","count":1}]}`)
	server.handle["GET /fhir/Patient/$export"] = func(w http.ResponseWriter, _ int) {
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
	server.handle["POST /fhir/Patient/$export"] = func(w http.ResponseWriter, _ int) {
		w.Header().Set("Content-Location", "/fhir/status/1")
		w.WriteHeader(http.StatusAccepted)
	}
	got := run(t, announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key), "export", "--patient", "--type", "Patient,Observation",
		"--type-filter", "Observation?code=1,2", "--since", "2026-01-02T03:04:05Z", "--out", t.TempDir())
	if !strings.Contains(got.stderr, "1 file in ") {
		t.Errorf("got %q, want the file of outcomes", got.stderr)
	}
	const want = `{"parameter":[{"name":"_since","valueInstant":"2026-01-02T03:04:05Z"},{"name":"_type","valueString":"Patient"},{"name":"_type","valueString":"Observation"},` +
		`{"name":"_typeFilter","valueString":"Observation?code=1,2"}],"resourceType":"Parameters"}`
	if got.code != 0 || !slices.Contains(server.bodies(), want) {
		t.Errorf("%+v\nbodies %q, want %s", got, server.bodies(), want)
	}
}

func TestExportFailures(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	const ok = `{"transactionTime":"2026-01-02T03:04:05Z","requiresAccessToken":true,"output":[{"type":"Patient","url":"SERVER/file/p1","count":2}]}`
	outcome := func(status int, diagnostics string) func(http.ResponseWriter, int) {
		return func(w http.ResponseWriter, _ int) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception","diagnostics":"%s"}]}`, diagnostics)
		}
	}
	tests := []struct {
		name, manifest, args string
		change               func(*fakeServer)
		code                 int
		want                 string
	}{
		{"kick-off refused", ok, "", func(f *fakeServer) { f.handle["GET /fhir/$export"] = outcome(403, "no") }, 1,
			"the export was refused with 403 Forbidden\n  error exception: no\n"},
		{"no Content-Location", ok, "", func(f *fakeServer) {
			f.handle["GET /fhir/$export"] = func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusAccepted) }
		}, 1, "without a usable Content-Location"},
		{"job failed", ok, "", func(f *fakeServer) { f.handle["GET /fhir/status/1"] = outcome(500, "disk full") }, 1,
			"the export was refused with 500 Internal Server Error\n  error exception: disk full\n"},
		{"manifest no JSON", "<html>", "", nil, 1, "the manifest: SERVER/fhir/status/1 is not the JSON"},
		{"file refused", ok, "", func(f *fakeServer) { f.handle["GET /file/p1"] = outcome(404, "expired") }, 1,
			"the file Patient.ndjson was refused with 404 Not Found"},
		{"file cut short", ok, "", func(f *fakeServer) {
			f.handle["GET /file/p1"] = func(w http.ResponseWriter, _ int) {
				w.Header().Set("Content-Length", "100")
				fmt.Fprint(w, "{}\n")
			}
		}, 1, "the file Patient.ndjson broke off: unexpected EOF"},
		{"wrong count", strings.Replace(ok, `"count":2`, `"count":3`, 1), "", nil, 1,
			"the file Patient.ndjson has 2 resources, the manifest says 3"},
		{"patient and group", ok, "--patient --group g", nil, 2, "--patient and --group exclude each other"},
		{"since", ok, "--since yesterday", nil, 2, `--since: "yesterday" is not an instant such as 2026-01-02T03:04:05Z`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := exporting(t, key, test.manifest)
			if test.change != nil {
				test.change(server)
			}
			dir := t.TempDir()
			got := run(t, announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key), append(strings.Fields("export "+test.args), "--out", dir)...)
			if want := strings.ReplaceAll(test.want, "SERVER", server.URL); got.code != test.code || !strings.Contains(got.stderr, want) {
				t.Errorf("exit code %d, %s, want %d and %s", got.code, got.stderr, test.code, want)
			}
			if files, err := filepath.Glob(filepath.Join(dir, "*Patient*")); err != nil || len(files) > 0 {
				t.Errorf("left %q behind, %v", files, err)
			}
			if files, err := filepath.Glob(filepath.Join(dir, ".part*")); err != nil || len(files) > 0 {
				t.Errorf("left %q behind, %v", files, err)
			}
		})
	}
}

// BD-ST-15: whoever goes away cancels the job.
func TestExportCancelled(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	server := exporting(t, key, "")
	ctx, cancel := context.WithCancel(t.Context())
	server.handle["GET /fhir/status/1"] = func(w http.ResponseWriter, n int) {
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusAccepted)
		cancel()
	}
	var stdout, stderr bytes.Buffer
	environ := announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key)
	code := cli.Run(ctx, []string{"export", "--out", t.TempDir()}, environ, strings.NewReader(""), &stdout, &stderr)
	requests := server.requests()
	if code != 130 || requests[len(requests)-1] != "DELETE /fhir/status/1" || !strings.Contains(stderr.String(), "export cancelled") {
		t.Errorf("exit code %d, requests %q, %s", code, requests, &stderr)
	}
}
