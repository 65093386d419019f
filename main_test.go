//go:build unix

package main

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/sandfhir/sandfhir/internal/cli"
)

// asProgram has the test binary be the program, with these arguments.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if args, ok := os.LookupEnv(asProgram); ok {
		os.Args = append(os.Args[:1], strings.Fields(args)...)
		main()
	}
	os.Exit(m.Run())
}

// A server is the program, serving.
type server struct {
	cmd     *exec.Cmd
	environ []string
	home    string
	fhir    string
}

// serve starts the program in a home of its own, by way of command.
func serve(t *testing.T, home string, command ...string) *server {
	t.Helper()
	s := &server{home: home, environ: []string{"HOME=" + home, "TMPDIR=" + filepath.Join(home, "tmp")}}
	if err := os.MkdirAll(filepath.Join(home, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	command = append(command, os.Args[0])
	s.cmd = exec.Command(command[0], command[1:]...)
	s.cmd.Env = append(s.environ, asProgram+"=--addr 127.0.0.1:0 --patients 1")
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); s.cmd.Wait() })
	lines := bufio.NewReader(out)
	for s.fhir == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the server ended: %v", err)
		}
		s.fhir = regexp.MustCompile(`http://\S+/fhir$`).FindString(strings.TrimSpace(line))
	}
	go io.Copy(io.Discard, lines)
	return s
}

// write has the server write something, so that it has data of its own.
func (s *server) write(t *testing.T) {
	t.Helper()
	var token, complaint strings.Builder
	if code := cli.Run(t.Context(), []string{"token", "--fhir", s.fhir, "--scope", "system/*.cruds"}, s.environ, strings.NewReader(""), &token, &complaint); code != 0 {
		t.Fatalf("token: exit code %d: %s", code, &complaint)
	}
	req, err := http.NewRequestWithContext(t.Context(), "PUT", s.fhir+"/Patient/a", strings.NewReader(`{"resourceType":"Patient","id":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token.String()))
	req.Header.Set("Content-Type", "application/fhir+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 201 {
		t.Fatalf("the write was answered with %s", resp.Status)
	}
}

// left returns what a server has in its home but its populations: keys, addresses and data.
func (s *server) left(t *testing.T) (files []string) {
	t.Helper()
	for _, dir := range []string{"tmp", ".cache/sandfhir/running"} {
		err := filepath.WalkDir(filepath.Join(s.home, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, strings.TrimPrefix(path, s.home+"/"))
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return files
}

// A server that is told to end leaves nothing, whoever tells it.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signal syscall.Signal
		often  bool // until it has ended
	}{
		"interrupted":             {syscall.SIGINT, false},
		"terminated":              {syscall.SIGTERM, false},
		"its terminal was closed": {syscall.SIGHUP, false},
		"its terminal and its session were closed": {syscall.SIGHUP, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, t.TempDir())
			s.write(t)
			if n := len(s.left(t)); n < 5 {
				t.Fatalf("a living server has %d files, want its key, its address, its data and its locks", n)
			}
			ended := make(chan error, 1)
			if err := s.cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			go func() { ended <- s.cmd.Wait() }()
			for c.often && s.cmd.Process.Signal(c.signal) == nil {
				runtime.Gosched()
			}
			if err := <-ended; err != nil {
				t.Errorf("the server ended with %v", err)
			}
			if left := s.left(t); len(left) > 0 {
				t.Errorf("it left %q", left)
			}
		})
	}
}

// What a killed server left is no server to the commands, and gone with the next start.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	kill := func(t *testing.T) *server {
		s := serve(t, t.TempDir())
		s.write(t)
		if err := s.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		s.cmd.Wait() // its error is that it was killed
		if n := len(s.left(t)); n < 5 {
			t.Fatalf("a killed server left %d files, want its key, its address, its data and its locks", n)
		}
		return s
	}
	t.Run("a command", func(t *testing.T) {
		t.Parallel()
		s := kill(t)
		var complaint strings.Builder
		code := cli.Run(t.Context(), []string{"token"}, s.environ, strings.NewReader(""), io.Discard, &complaint)
		if code != 1 || !strings.Contains(complaint.String(), "no server is running here") {
			t.Errorf("token: exit code %d, %s", code, &complaint)
		}
	})
	t.Run("the next start", func(t *testing.T) {
		t.Parallel()
		next := serve(t, kill(t).home)
		if left := strings.Join(next.left(t), " "); strings.Contains(left, "tmp/") || strings.Count(left, ".pem") != 1 {
			t.Errorf("there is %s, want what the next one has alone", left)
		}
		next.write(t) // by the command as it is without a word about the server
	})
}

// nohup has a server outlive its terminal.
func TestNohup(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), "sh", "-c", `trap "" HUP; exec "$0"`)
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	s.write(t)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}
