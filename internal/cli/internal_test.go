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
		"path with a space":     {"/opt/my bin/sandfhir", "/opt/my bin/sandfhir", "'/opt/my bin/sandfhir'"},
		"path with a quote":     {"./it's", "/src/it's", `'./it'\''s'`},
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
		if got := didYouMean(word, names, "%s", ""); got != want {
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

func TestPlaceName(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"127.0.0.1:8080": "127.0.0.1-8080", "0.0.0.0:8080": "all-8080", "[::]:8080": "all-8080", "[::1]:8080": "ipv6-1-8080",
		"[fe80::1%eth0]:80": "ipv6-fe80--1-eth0-80", "host.example:1": "host.example-1", "a/b:1": "a-b-1",
	} {
		if got := placeName(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestRunningServers(t *testing.T) {
	t.Parallel()
	parent := filepath.Join(t.TempDir(), "sandfhir")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	write := func(r running) (running, func()) {
		t.Helper()
		written, dir, err := writeRunning(t.Context(), parent, r, []byte("secret"))
		if err != nil {
			t.Fatal(err)
		}
		return written, func() {
			if err := dir.Remove(); err != nil {
				t.Error(err)
			}
		}
	}
	find := func(base string, want running, found bool) {
		t.Helper()
		if got, ok, err := findRunning([]string{parent, parent + "/missing"}, base); err != nil || ok != found || got != want {
			t.Errorf("%q: found %+v, %v, %v, want %+v", base, got, ok, err, want)
		}
	}
	find("", running{}, false)
	first, removeFirst := write(running{Address: "127.0.0.1:9", Local: "http://127.0.0.1:9", FHIR: "http://127.0.0.1:9/fhir", Client: "c1", KeyID: "k1", PID: 1, Started: at})
	find("", first, true)
	for path, want := range map[string]os.FileMode{first.Key: 0o600, filepath.Join(filepath.Dir(first.Key), runningFile): 0o600, filepath.Dir(first.Key): 0o700, parent: 0o700} {
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode().Perm(), want)
		}
	}
	second, removeSecond := write(running{Address: "[::]:10", Local: "http://127.0.0.1:10", FHIR: "https://sandbox.example/smart/fhir", Key: "/kept.pem", Started: at.Add(time.Hour)})
	if second.Key != "/kept.pem" {
		t.Errorf("the key that is kept elsewhere is said to be at %s", second.Key)
	}
	for base, want := range map[string]running{
		"http://127.0.0.1:9/fhir": first, "http://localhost:9/fhir": first, "http://127.0.0.1:9": first, "http://0.0.0.0:9": first,
		"https://sandbox.example/smart/fhir": second, "https://sandbox.example/smart": second, "http://127.0.0.1:10/fhir": second, "http://localhost:10": second,
	} {
		find(base, want, true)
	}
	for _, base := range []string{"http://elsewhere/fhir", "http://127.0.0.1:90/fhir", "http://127.0.0.1:9/fhir/fhir", "https://sandbox.example/fhir"} {
		find(base, running{}, false)
	}
	if _, _, err := findRunning([]string{parent}, ""); err == nil || err.Error() != "several servers are running; choose one:\n  --fhir https://sandbox.example/smart/fhir\n  --fhir http://127.0.0.1:9/fhir" {
		t.Errorf("two servers: %v", err)
	}
	usual, removeUsual := write(running{Address: "127.0.0.1:8080", FHIR: "http://127.0.0.1:8080/fhir", Started: at})
	find("", usual, true)
	removeUsual()
	removeSecond()
	find("", first, true)
	removeFirst()
	find("", running{}, false)
}
