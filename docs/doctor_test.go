package docs

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/cli"
	"github.com/sandfhir/sandfhir/internal/doctor"
	"github.com/sandfhir/sandfhir/internal/processdir"
	"github.com/sandfhir/sandfhir/sandbox"
)

// Every command of doctor.md does what the page says, in this order.
func TestCommandsOfTheDoctorRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the page is written for a shell")
	}
	page := read(t, "docs/doctor.md")
	sb := sandbox.Start(t)
	dir := t.TempDir()
	t.Chdir(dir)
	demo := sb.DefaultClient()
	running, err := json.Marshal(map[string]string{"address": "127.0.0.1:8080", "fhir": sb.FHIRURL(), "client": demo.ID(), "key": "none"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("run/sandfhir", 0o700); err != nil {
		t.Fatal(err)
	}
	server, err := processdir.Make(t.Context(), "run/sandfhir", "a")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Remove()
	if err := os.WriteFile(filepath.Join(server.Path(), "server.json"), running, 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"), "HOME=" + dir}
	registered, n := false, 0
	for _, line := range regexp.MustCompile(`(?m)^go run \. (.*)$`).FindAllStringSubmatch(page, -1) {
		n++
		words := strings.Fields(strings.NewReplacer("CLIENT_ID", "my-client", "http://127.0.0.1:8080", sb.URL()).Replace(line[1]))
		out := ""
		if i := len(words) - 2; i > 0 && words[i] == ">" {
			words, out = words[:i], words[i+1]
		}
		var stdout, stderr bytes.Buffer
		if code := cli.Run(t.Context(), words, environ, strings.NewReader(""), &stdout, &stderr); code != 0 {
			t.Fatalf("%s: exit code %d\n%s%s", line[0], code, &stdout, &stderr)
		}
		if out != "" {
			if err := os.WriteFile(out, stdout.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if jwks, err := os.ReadFile("keys/jwks.json"); err == nil && !registered {
			registered = true // what the page does with curl
			if _, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "my-client", JWKS: jwks, Scopes: []string{"system/Patient.rs"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d commands were found", n)
	}
}

// The doctor's own rules stand on the page.
func TestRulesOfTheDoctor(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/doctor.md")
	for _, r := range doctor.Rules() {
		if row := "| `" + string(r.ID) + "` | " + r.Rule + " | " + joined(r.Findings) + " |\n"; !strings.Contains(page, row) {
			t.Errorf("doctor.md has no row %s", row)
		}
	}
}
