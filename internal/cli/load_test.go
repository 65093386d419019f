package cli_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/cli"
)

// told is what was said but the progress.
func told(stderr string) string {
	var b strings.Builder
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "loading ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// What a data directory was loaded with stays as it is at the next start, and can be loaded again.
func TestLoadIsDoneOnce(t *testing.T) {
	t.Parallel()
	home, data := t.TempDir(), filepath.Join(t.TempDir(), "my data")
	more := writeFile(t, t.TempDir(), "more.ndjson", `{"resourceType":"Patient","id":"mine"}`+"\n")
	start := func() (stderr, version string) {
		t.Helper()
		s := serve(t, home, "--data", data, "--load", more)
		_, text, _ := strings.Cut(s.run(t, "get", "Patient/mine").stdout, `"versionId":"`)
		version, _, _ = strings.Cut(text, `"`)
		_, stderr = s.stop()
		return stderr, version
	}
	if stderr, version := start(); !strings.Contains(stderr, "loaded 1 resource; bad: 0; skipped: 0\n") || version != "1" {
		t.Errorf("at first: version %q, %s", version, stderr)
	}
	again := "go run . load --data '" + data + "' " + more
	if stderr, version := start(); stderr != "already loaded: "+more+"\n  to load again, stop and run: "+again+"\n" || version != "1" {
		t.Errorf("then: version %q, %s", version, stderr)
	}
	args := []string{"load", "--data", data, more}
	if got := run(t, []string{"HOME=" + home}, args...); got.code != 0 || told(got.stderr) != "loaded 1 resource; bad: 0; skipped: 0\n" {
		t.Errorf("%s: %+v", again, got)
	}
	if stderr, version := start(); !strings.HasPrefix(stderr, "already loaded: ") || version != "2" {
		t.Errorf("in the end: version %q, %s", version, stderr)
	}
	many := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d"} {
		writeFile(t, many, name+".ndjson", `{"resourceType":"Patient","id":"`+name+`"}`)
	}
	for _, want := range []string{"loaded 4 resources; bad: 0; skipped: 0\n", "already loaded: 4 files\n  to load again, stop and run: go run . load"} {
		s := serve(t, home, "--data", data, "--load", many)
		if _, stderr := s.stop(); !strings.HasPrefix(told(stderr), want) {
			t.Errorf("a directory: %q, want %q", stderr, want)
		}
	}
}

// A population that was asked for and is not to be had is said to be passed over.
func TestPopulationOfADataDirectoryThatIsThere(t *testing.T) {
	t.Parallel()
	home, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	empty := writeFile(t, t.TempDir(), "a.ndjson", `{"resourceType":"Patient","id":"a"}`)
	load := func(environ string, args ...string) string {
		t.Helper()
		got := run(t, []string{"HOME=" + home, environ}, append(append([]string{"load", "--data", data}, args...), empty)...)
		if got.code != 0 {
			t.Fatalf("%q: %+v", args, got)
		}
		said, _, _ := strings.Cut(told(got.stderr), "loaded ")
		return said
	}
	load("", "--patients", "2")
	keeps := data + " keeps its 2 sample patients of seed 1; passed over: "
	for _, c := range []struct{ environ, args, want string }{
		{"", "", ""},
		{"", "--patients 2 --seed 1", ""},
		{"", "--patients 3", keeps + "--patients 3\n"},
		{"SANDFHIR_SEED=7", "--patients 3", keeps + "--patients 3, SANDFHIR_SEED 7\n"},
	} {
		if got := load(c.environ, strings.Fields(c.args)...); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.environ, c.args, got, c.want)
		}
	}
}

func TestNoPatientsIsNoData(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "--patients", "0")
	for _, typ := range []string{"Patient", "Organization", "Practitioner", "Location", "Group"} {
		if got := s.run(t, "get", typ+"?_summary=count"); got.code != 0 || !strings.Contains(strings.ReplaceAll(got.stdout, " ", ""), `"total":0`) {
			t.Errorf("%s: %+v", typ, got)
		}
	}
	if _, stderr := s.stop(); stderr != "" {
		t.Errorf("it says %q", stderr)
	}
}

func TestLoadsOfNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := writeFile(t, dir, "empty.ndjson", "\n")
	other := t.TempDir()
	writeFile(t, other, "package.json", `{"name":"x"}`)
	for name, c := range map[string]struct{ path, want string }{
		"an empty file":      {empty, "nothing to load was found in " + empty + "\n"},
		"an empty directory": {filepath.Join(dir, "none"), "nothing to load was found in " + filepath.Join(dir, "none") + "\n"},
		"JSON that is no FHIR": {filepath.Join(other, "package.json"),
			"loaded 0 resources; bad: 0; skipped: 1\n  skipped 1: JSON without a resourceType\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.HasSuffix(c.path, "none") {
				if err := os.Mkdir(c.path, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			got := run(t, []string{"HOME=" + t.TempDir()}, "load", "--data", t.TempDir(), "--patients", "0", c.path)
			if got.code != 0 || told(got.stderr) != c.want {
				t.Errorf("%+v, want %q", got, c.want)
			}
		})
	}
}

// A path that is not there is a mistake in the command line, told before anything else is done.
func TestLoadsOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	file := writeFile(t, t.TempDir(), "s.toml", `load = ["/nope/x.ndjson"]`)
	for name, c := range map[string]struct {
		environ, args, want string
	}{
		"flag":     {"", "--load /nope/x.ndjson", "--load: /nope/x.ndjson: no such file or directory"},
		"variable": {"SANDFHIR_LOAD=/nope/x.ndjson", "serve", "SANDFHIR_LOAD: /nope/x.ndjson: no such file or directory"},
		"file":     {"", "--config " + file, file + ": load: /nope/x.ndjson: no such file or directory"},
		"load":     {"", "load --data DIR /nope/x.ndjson", "/nope/x.ndjson: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			args := strings.Fields(strings.Replace(c.args, "DIR", dir, 1))
			if !strings.HasPrefix(c.args, "load") {
				args = append(args, "--addr", "127.0.0.1:0", "--data", dir)
			}
			got := run(t, []string{"HOME=" + t.TempDir(), c.environ}, args...)
			if got.code != 2 || got.stderr != "sandfhir: "+c.want+"\n" {
				t.Errorf("%+v, want 2 and %q", got, c.want)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the data directory was made: %v", err)
			}
		})
	}
}

// Ctrl-C in the middle of a load says what became of it.
func TestLoadInterrupted(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"load --patients 0 --data DIR -", "--patients 0 --addr 127.0.0.1:0 --data DIR --load -"} {
		ctx, cancel := context.WithCancel(t.Context())
		lines := readerFunc(func(p []byte) (int, error) {
			cancel()
			return copy(p, `{"resourceType":"Basic","id":"`), nil
		})
		var stdout, stderr bytes.Buffer
		args := strings.Fields(strings.Replace(command, "DIR", t.TempDir(), 1))
		code := cli.Run(ctx, args, []string{"HOME=" + t.TempDir()}, lines, &stdout, &stderr)
		if code != 130 || stderr.String() != "interrupted: nothing was loaded\n" || stdout.Len() > 0 {
			t.Errorf("%s: exit code %d, %q, %q", command, code, &stdout, &stderr)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// What is built is said when it is built, and not when something else takes its time.
func TestBuildingIsTold(t *testing.T) {
	t.Parallel()
	cache, file := t.TempDir(), writeFile(t, t.TempDir(), "a.ndjson", `{"resourceType":"Patient","id":"a"}`)
	for _, want := range []string{"building 2 sample patients: this takes a while, once on this machine\n", ""} {
		got := run(t, []string{"HOME=" + t.TempDir()}, "load", "--cache-dir", cache, "--data", filepath.Join(t.TempDir(), "d"), "--patients", "2", "--seed", "31", file)
		if got.code != 0 || told(got.stderr) != want+"loaded 1 resource; bad: 0; skipped: 0\n" {
			t.Errorf("%+v, want %q", got, want)
		}
	}
}
