package sandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// What was loaded into a data directory once is not loaded again: what was
// written, changed or deleted since stays so.
func TestWithLoadIsDoneOnceForEachContent(t *testing.T) {
	t.Parallel()
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	people := filepath.Join(dir, "people.ndjson")
	const one, two = `{"resourceType":"Patient","id":"one"}`, `{"resourceType":"Patient","id":"two"}`
	put := func(content string) {
		t.Helper()
		if err := os.WriteFile(people, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(one + "\n" + two)
	moved := filepath.Join(dir, "moved.ndjson")

	for _, step := range []struct {
		name    string
		before  func()
		path    string
		options []sandbox.Option
		loaded  int64
		status  map[string]int // of Patients afterwards
		version string         // of the one that is read last
	}{
		{name: "at first", path: people, loaded: 2, status: map[string]int{"one": 200, "two": 200}},
		{name: "again", path: people, status: map[string]int{"one": 200, "two": 410}, version: `W/"2"`},
		{name: "in its directory", path: dir, status: map[string]int{"one": 200, "two": 410}, version: `W/"2"`},
		{name: "under another name", before: func() { os.Rename(people, moved) }, path: moved, status: map[string]int{"two": 410}},
		{name: "changed", before: func() { put(one) }, path: people, loaded: 1, status: map[string]int{"one": 200, "two": 410}, version: `W/"3"`},
		{name: "changed back", before: func() { put(one + "\n" + two) }, path: people, loaded: 2, status: map[string]int{"one": 200, "two": 200}, version: `W/"4"`},
		{name: "once more", path: people, options: []sandbox.Option{sandbox.WithLoadAgain()}, loaded: 2, status: map[string]int{"one": 200, "two": 200}, version: `W/"5"`},
		{name: "after that", path: people, status: map[string]int{"one": 200}, version: `W/"5"`},
	} {
		if step.before != nil {
			step.before()
		}
		sb, err := sandbox.New(t.Context(), append(step.options, sandbox.WithPatients(0), sandbox.WithDataDir(data), sandbox.WithLoad(step.path))...)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if err := sb.Listen("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		report, client := sb.Loaded(), sb.DefaultClient().HTTPClient()
		passed := len(report.AlreadyLoaded) > 0
		if report.Resources != step.loaded || passed != (step.loaded == 0) || passed && !strings.HasPrefix(report.AlreadyLoaded[0], step.path) {
			t.Errorf("%s: got %+v, want %d loaded or the file passed over", step.name, report, step.loaded)
		}
		for id, want := range step.status {
			resp, _ := expect(t, want, client, "GET", sb.FHIRURL()+"/Patient/"+id, "")
			if id == "one" && step.version != "" && resp.Header.Get("ETag") != step.version {
				t.Errorf("%s: Patient/one is version %s, want %s", step.name, resp.Header.Get("ETag"), step.version)
			}
		}
		if step.name == "at first" {
			expect(t, 200, client, "PUT", sb.FHIRURL()+"/Patient/one", `{"resourceType":"Patient","id":"one","active":true}`, "Content-Type", "application/fhir+json")
			expect(t, 204, client, "DELETE", sb.FHIRURL()+"/Patient/two", "")
		}
		if err := sb.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Nothing is remembered where nothing is kept, nor of standard input.
func TestWithLoadIsDoneAgainWhereNothingIsRemembered(t *testing.T) {
	t.Parallel()
	path, data := file(t, "a.ndjson", patientLine), t.TempDir()
	for name, opts := range map[string][]sandbox.Option{
		"no data directory": {sandbox.WithLoad(path)},
		"standard input":    {sandbox.WithDataDir(data), sandbox.WithLoad("-")},
	} {
		for range 2 {
			sb, err := sandbox.New(t.Context(), append(opts, sandbox.WithPatients(0), sandbox.WithStdin(strings.NewReader(patientLine)))...)
			if err != nil {
				t.Fatal(err)
			}
			if got := sb.Loaded(); got.Resources != 1 || got.AlreadyLoaded != nil {
				t.Errorf("%s: got %+v, want one resource each time", name, got)
			}
			sb.Close()
		}
	}
}

// A load that fails is not remembered.
func TestWithLoadThatFailedIsDoneAgain(t *testing.T) {
	t.Parallel()
	path, data := file(t, "a.ndjson", patientLine, "{"), t.TempDir()
	for range 2 {
		sb, err := sandbox.New(t.Context(), sandbox.WithPatients(0), sandbox.WithDataDir(data), sandbox.WithLoad(path))
		if err == nil {
			sb.Close()
			t.Error("got no error, want that of line 2 each time")
		}
	}
}
