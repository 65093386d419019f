package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

func TestCommandName(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	hash := strings.Repeat("0d", 32)
	for name, test := range map[string]struct{ typed, executable, want string }{
		"go run, first time":    {temp + "/go-build1606218297/b001/exe/sandfhir", temp + "/go-build1606218297/b001/exe/sandfhir", "go run ."},
		"go run, from cache":    {"/root/.cache/go-build/0d/" + hash + "-d/sandfhir", "/root/.cache/go-build/0d/" + hash + "-d/sandfhir", "go run ."},
		"go run, another cache": {"/c/0d/" + hash + "-d/sandfhir", "/c/0d/" + hash + "-d/sandfhir", "go run ."},
		"relative path":         {"./sandfhir", "/src/sandfhir", "./sandfhir"},
		"absolute path":         {"/opt/bin/sandfhir", "/opt/bin/sandfhir", "/opt/bin/sandfhir"},
		"bare name":             {"sandfhir", "/somewhere/sandfhir", "sandfhir"},
		"in a temp folder":      {temp + "/sandfhir", temp + "/sandfhir", temp + "/sandfhir"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := commandName(test.typed, test.executable, temp); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestVersionLine(t *testing.T) {
	t.Parallel()
	platform := runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"}}}
	info.Main.Version = "v1.2.3"
	for want, info := range map[string]*debug.BuildInfo{
		"sandfhir v1.2.3 (commit 0123456789ab with changes, " + platform: info,
		"sandfhir (devel) (" + platform:                                  nil,
	} {
		if got := versionLine(info); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	names := []string{"patients", "addr", "seed", "serve"}
	for word, want := range map[string]string{
		"patient": "; did you mean patients?", "adr": "; did you mean addr?", "sede": "", "servre": "; did you mean serve?", "": "", "zzzz": "",
	} {
		if got := didYouMean(word, names, "%s"); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestMeterOffATerminal(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	m := newMeter(&b, "loading", 1000)
	for done := int64(0); done <= 1000; done += 50 {
		m.set(done, "a.ndjson")
	}
	m.finish()
	if lines := strings.Split(b.String(), "\n"); len(lines) != 11 || lines[0] != "loading a.ndjson: 10 %" || lines[9] != "loading a.ndjson: 100 %" {
		t.Errorf("printed %q", lines)
	}
	b.Reset()
	m = newMeter(&b, "loading", -1)
	for mib := range int64(9) {
		m.set(mib<<20, "-")
	}
	if want := "loading -: 1.0 MiB\nloading -: 2.0 MiB\nloading -: 4.0 MiB\nloading -: 8.0 MiB\n"; b.String() != want {
		t.Errorf("printed %q, want %q", b.String(), want)
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "a.ndjson": "a.ndjson", "Patient.0001.ndjson": "Patien….ndjson", "ääääääääääääääß": "ääääää…ääääääß"} {
		if got := shorten(text, 14); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestByteCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 5 << 30: "5.0 GiB", 1 << 62: "4096.0 PiB"} {
		if got := byteCount(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": usualWait, "soon": usualWait, "0": leastWait, "-5": leastWait, "7": 7 * time.Second, "1767323045000": usualWait, "3600": mostWait,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": leastWait,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestRunningFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sandfhir")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	first := running{Address: "127.0.0.1:8080", FHIR: "http://127.0.0.1:8080/fhir", Client: "c1", Key: "/k", KeyID: "k1", PID: 1, Started: at}
	removeFirst, err := writeRunning(dir, first)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, err := findRunning([]string{dir}, ""); err != nil || !ok || got != first {
		t.Errorf("found %+v, %v, %v, want what was written", got, ok, err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("files %q, %v", paths, err)
	}
	for path, want := range map[string]os.FileMode{paths[0]: 0o600, dir: 0o700} {
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
	}

	// A server that takes the address over keeps its file when the first one ends late.
	second := first
	second.PID, second.Started = 2, at.Add(time.Hour)
	removeSecond, err := writeRunning(dir, second)
	if err != nil {
		t.Fatal(err)
	}
	if err := removeFirst(); err != nil {
		t.Error(err)
	}
	if got, ok, err := findRunning([]string{dir}, first.FHIR); err != nil || !ok || got != second {
		t.Errorf("found %+v, %v, %v, want the second server", got, ok, err)
	}
	for range 2 {
		if err := removeSecond(); err != nil {
			t.Error(err)
		}
	}
	if _, ok, err := findRunning([]string{dir}, ""); ok || err != nil {
		t.Errorf("found a server after its end, %v", err)
	}
}

func TestFindRunning(t *testing.T) {
	t.Parallel()
	a, b := t.TempDir(), t.TempDir()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	write := func(dir, address, fhir string, started time.Time) {
		if _, err := writeRunning(dir, running{Address: address, FHIR: fhir, Started: started}); err != nil {
			t.Fatal(err)
		}
	}
	write(a, "[::1]:8081", "http://new/fhir", at.Add(time.Hour))
	write(b, "[::1]:8081", "http://old/fhir", at)
	if err := os.WriteFile(filepath.Join(a, "broken.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	dirs := []string{b, a, filepath.Join(a, "missing")}
	if got, ok, err := findRunning(dirs, ""); err != nil || !ok || got.FHIR != "http://new/fhir" {
		t.Errorf("one address: %+v, %v, %v, want the later server", got, ok, err)
	}
	if _, ok, err := findRunning(dirs, "http://elsewhere/fhir"); ok || err != nil {
		t.Errorf("another base: %v, %v", ok, err)
	}
	write(a, "127.0.0.1:9", "http://127.0.0.1:9/fhir", at)
	if got, ok, err := findRunning(dirs, "http://localhost:9/fhir"); err != nil || !ok || got.Address != "127.0.0.1:9" {
		t.Errorf("by its other name: %+v, %v, %v", got, ok, err)
	}
	if _, _, err := findRunning(dirs, ""); err == nil {
		t.Error("two servers: no error")
	}
	if runningName("a:1") == runningName("a_3a1") {
		t.Error("two addresses share a file")
	}
}
