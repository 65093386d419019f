package cli_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/cli"
)

// serveProcess has TestServeProcess serve.
const serveProcess = "TEST_SERVE_PROCESS"

// TestServeProcess is the server that startProcess starts; on its own it has
// nothing to do.
func TestServeProcess(*testing.T) {
	args, ok := os.LookupEnv(serveProcess)
	if !ok {
		return
	}
	environ := []string{"HOME=" + os.Getenv("HOME")}
	os.Exit(cli.Run(context.Background(), strings.Split(args, " "), environ, strings.NewReader(""), os.Stdout, os.Stderr))
}

// startProcess starts a server in a process of its own and returns it with its
// FHIR base.
func startProcess(t *testing.T, home string, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServeProcess$")
	cmd.Env = []string{"HOME=" + home, serveProcess + "=" + strings.Join(args, " ")}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if base := regexp.MustCompile(`http://\S+/fhir$`).FindString(strings.TrimSpace(line)); base != "" {
			go io.Copy(io.Discard, lines)
			return cmd, base
		}
		if err != nil {
			t.Fatalf("the server ended: %v", err)
		}
	}
}

// TestKilledServerKeepsWrites kills a server right after it answered a write.
func TestKilledServerKeepsWrites(t *testing.T) {
	t.Parallel()
	home, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	args := []string{"--addr", "127.0.0.1:0", "--patients", "1", "--data", data}
	for round := range 3 {
		server, base := startProcess(t, home, args...)
		environ := []string{"HOME=" + home}
		token := run(t, environ, "token", "--fhir", base, "--scope", "system/*.cruds")
		if token.code != 0 {
			t.Fatalf("round %d: %+v", round, token)
		}
		bearer := "Bearer " + strings.TrimSpace(token.stdout)
		for i := range round {
			if status := send(t, "GET", base+"/Patient/"+strings.Repeat("x", i+1), bearer, ""); status != 200 {
				t.Fatalf("round %d: what was written in round %d answers %d", round, i, status)
			}
		}
		id := strings.Repeat("x", round+1)
		if status := send(t, "PUT", base+"/Patient/"+id, bearer, `{"resourceType":"Patient","id":"`+id+`"}`); status != 201 {
			t.Fatalf("round %d: the write answers %d", round, status)
		}
		if err := server.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		server.Wait() // its error is that it was killed
	}
}

// TestStartsSideBySide lets several processes build the same population at once.
func TestStartsSideBySide(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	type started struct{ base string }
	done := make(chan started, 3)
	for range cap(done) {
		go func() {
			_, base := startProcess(t, home, "--addr", "127.0.0.1:0", "--patients", "3", "--seed", "77")
			done <- started{base}
		}()
	}
	for range cap(done) {
		s := <-done
		if got := run(t, []string{"HOME=" + home}, "get", "--fhir", s.base, "Patient?_summary=count"); got.code != 0 || !strings.Contains(strings.ReplaceAll(got.stdout, " ", ""), `"total":3`) {
			t.Errorf("%s: %+v", s.base, got)
		}
	}
	left, err := filepath.Glob(filepath.Join(home, ".cache", "sandfhir", "part-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("parts of populations are left behind: %v, %v", left, err)
	}
}

func send(t *testing.T, method, url, bearer, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", bearer)
	req.Header.Set("Content-Type", "application/fhir+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
