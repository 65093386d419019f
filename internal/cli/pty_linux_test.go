package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/sandfhir/sandfhir/internal/cli"
)

// terminal returns both ends of a new pseudo-terminal: what a person sees, and
// what a program writes to.
func terminal(t *testing.T) (screen, program *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	control := func(request, value uintptr) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), request, value); errno != 0 {
			t.Skipf("there are no pseudo-terminals here: %v", errno)
		}
	}
	var number, unlocked uint32
	control(syscall.TIOCSPTLCK, uintptr(unsafe.Pointer(&unlocked)))
	control(syscall.TIOCGPTN, uintptr(unsafe.Pointer(&number)))
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { program.Close() })
	return screen, program
}

// runOnTerminal runs a command line whose stdout and stderr are a terminal, and
// returns all that was written to it.
func runOnTerminal(t *testing.T, stdin string, environ []string, args ...string) (code int, written string) {
	t.Helper()
	screen, program := terminal(t)
	seen := make(chan string)
	go func() {
		var all bytes.Buffer
		io.Copy(&all, screen) // until the other end is closed
		seen <- all.String()
	}()
	code = cli.Run(t.Context(), args, environ, strings.NewReader(stdin), program, program)
	program.Close()
	return code, strings.ReplaceAll(<-seen, "\r\n", "\n")
}

// visible is what is left to see of what was written to a terminal: carriage
// returns go back to the beginning of the line, and what is written over is
// gone.
func visible(written string) string {
	var lines []string
	for line := range strings.SplitSeq(written, "\n") {
		var cells []rune
		column := 0
		for line != "" {
			switch {
			case line[0] == '\r':
				column, line = 0, line[1:]
				continue
			case strings.HasPrefix(line, "\x1b[2K"):
				cells, line = nil, line[4:]
				continue
			}
			r := []rune(line)[0]
			line = line[len(string(r)):]
			for len(cells) <= column {
				cells = append(cells, ' ')
			}
			cells[column] = r
			column++
		}
		lines = append(lines, strings.TrimRight(string(cells), " "))
	}
	return strings.Join(lines, "\n")
}

// A bar fits into a line of 80 columns, and is gone before the next one.
func TestBarOnATerminal(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&many, `{"resourceType":"Patient","id":"p%d","name":[{"family":"%s"}]}`+"\n", i, strings.Repeat("x", 1000))
	}
	const name = "a-file-with-a-name-that-is-rather-long-for-a-terminal.ndjson"
	good := writeFile(t, t.TempDir(), name, many.String())
	bad := writeFile(t, t.TempDir(), name, strings.TrimSuffix(many.String(), "}\n"))
	for path, want := range map[string]string{
		"-":  "loaded 3000 resources; bad: 0; skipped: 0\n",
		good: "loaded 3000 resources; bad: 0; skipped: 0\n",
		bad:  "sandfhir: nothing was loaded: " + bad + ":3000:1062: the input ends before the value does\n",
	} {
		_, written := runOnTerminal(t, many.String(), []string{"HOME=" + t.TempDir()}, "load", "--data", t.TempDir(), "--patients", "0", path)
		if !strings.Contains(written, "loading ") || visible(written) != want {
			t.Errorf("what is left to see is %q of %q, want %q", visible(written), written, want)
		}
		for line := range strings.FieldsFuncSeq(written, func(r rune) bool { return r == '\r' || r == '\n' }) {
			if n := utf8.RuneCountInString(line); strings.HasPrefix(line, "loading ") && n > 79 {
				t.Errorf("a line of %d columns: %q", n, line)
			}
		}
	}
}

// JSON is indented for people; what is piped is as the server sent it.
func TestGetOnATerminal(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	server := newFakeServer(t, key.public, key.kid)
	for path, body := range map[string]string{"Patient": `{"a":[1, 2.00],"b":"<ä>"}`, "file": "{}\n{}\n", "text": "plain\n"} {
		server.handle["GET /fhir/"+path] = func(w http.ResponseWriter, _ int) { io.WriteString(w, body) }
	}
	environ := announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key)
	for path, want := range map[string]string{"Patient": "{\n  \"a\": [\n    1,\n    2.00\n  ],\n  \"b\": \"<ä>\"\n}\n", "file": "{}\n{}\n", "text": "plain\n"} {
		if code, got := runOnTerminal(t, "", environ, "get", path); code != 0 || got != want {
			t.Errorf("%s: exit code %d, %q, want %q", path, code, got, want)
		}
	}
	if got := run(t, environ, "get", "Patient"); got.stdout != `{"a":[1, 2.00],"b":"<ä>"}`+"\n" {
		t.Errorf("piped: %q", got.stdout)
	}
}

// An export that has to be waited for says how long it took and when it is asked after.
func TestExportThatTakesLong(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	waiting := func(t *testing.T, retry string, asked context.CancelFunc) []string {
		server := exporting(t, key, `{"transactionTime":"2026-01-02T03:04:05Z","requiresAccessToken":true,"output":[]}`)
		server.handle["GET /fhir/status/1"] = func(w http.ResponseWriter, n int) {
			w.Header().Set("Retry-After", retry)
			if n == 0 {
				w.WriteHeader(http.StatusAccepted)
				asked()
				return
			}
			io.WriteString(w, `{"transactionTime":"2026-01-02T03:04:05Z","requiresAccessToken":true,"output":[]}`)
		}
		return announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key)
	}
	t.Run("on a terminal", func(t *testing.T) {
		t.Parallel()
		out := filepath.Join(t.TempDir(), "out")
		code, written := runOnTerminal(t, "", waiting(t, "2", func() {}), "export", "--out", out)
		seen := strings.Split(visible(written), "\n")
		if code != 0 || !strings.Contains(written, "\rexport: not done after 0s; asking again in 2s") || !strings.Contains(written, "\rexport: not done after 1s; asking again in 1s") ||
			len(seen) != 3 || seen[1] != "the export has no files: there was nothing to export, as of 2026-01-02T03:04:05Z" {
			t.Errorf("exit code %d, what is left to see is %q of %q", code, seen, written)
		}
		if _, err := os.Stat(out); !os.IsNotExist(err) {
			t.Errorf("an export without files made a directory: %v", err)
		}
	})
	t.Run("elsewhere", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		environ := waiting(t, "60", func() {})
		stderr := &watchedWriter{text: "export: not done after 0s; asking again in 1m0s\n", seen: make(chan struct{})}
		ended := make(chan int)
		go func() {
			ended <- cli.Run(ctx, []string{"export", "--out", filepath.Join(t.TempDir(), "out")}, environ, strings.NewReader(""), io.Discard, stderr)
		}()
		select {
		case <-stderr.seen:
		case <-time.After(time.Minute):
			t.Errorf("it says %s", stderr)
		}
		cancel()
		if code := <-ended; code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
	})
}
