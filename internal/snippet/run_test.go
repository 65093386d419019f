package snippet_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/internal/snippet"
)

// A tool is what runs the snippets of a language. It is looked for once; where
// it is missing, the tests that need it are left out and say so.
type tool struct {
	file    string
	command []string
	missing func() string // "" if it is there
}

func tools() map[string]*tool {
	return map[string]*tool{
		"sh": {file: "run.sh", command: []string{"sh", "run.sh"}, missing: sync.OnceValue(func() string {
			for _, program := range []string{"sh", "curl", "openssl"} {
				if _, err := exec.LookPath(program); err != nil {
					return "there is no " + program
				}
			}
			return ""
		})},
		"go": {file: "main.go", command: []string{"go", "run", "main.go"}, missing: func() string { return "" }},
		"python": {file: "run.py", command: []string{"python3", "run.py"}, missing: sync.OnceValue(func() string {
			if err := exec.Command("python3", "-c", "import jwt, cryptography").Run(); err != nil {
				return "there is no python3 with PyJWT and cryptography"
			}
			return ""
		})},
		"javascript": {file: "run.mjs", command: []string{"node", "run.mjs"}, missing: sync.OnceValue(func() string {
			if err := exec.Command("node", "-e", "process.exit(typeof fetch === 'function' ? 0 : 1)").Run(); err != nil {
				return "there is no node with fetch"
			}
			return ""
		})},
	}
}

// all are the tools, shared by the tests.
var all = tools()

// run runs a snippet as it is printed, in a directory with some files, and
// returns what it prints.
func run(t *testing.T, s snippet.Snippet, files map[string][]byte, env ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return runIn(t, s, dir, env...)
}

func runIn(t *testing.T, s snippet.Snippet, dir string, env ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("left out: programs are not run by -short")
	}
	tool := all[s.Language]
	if why := tool.missing(); why != "" {
		t.Skip("left out: " + why)
	}
	if err := os.WriteFile(filepath.Join(dir, tool.file), []byte(s.Code), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool.command[0], tool.command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s\n%s", err, stdout.String(), stderr.String(), s.Code)
	}
	if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
		t.Fatalf("a value was executed:\n%s", s.Code)
	}
	return strings.TrimSpace(stdout.String())
}

// each calls f for the snippet of every language, as a test of its own.
func each(t *testing.T, kind snippet.Kind, facts snippet.Facts, f func(*testing.T, snippet.Snippet)) {
	t.Helper()
	list, err := snippet.For(kind, facts)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 4 {
		t.Fatalf("got %d languages, want 4", len(list))
	}
	for _, s := range list {
		t.Run(s.Language, func(t *testing.T) {
			t.Parallel()
			f(t, s)
		})
	}
}

// runAgain runs a snippet where it was run already and returns everything that
// it says.
func runAgain(t *testing.T, s snippet.Snippet, dir string) string {
	t.Helper()
	tool := all[s.Language]
	if err := os.WriteFile(filepath.Join(dir, tool.file), []byte(s.Code), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool.command[0], tool.command[1:]...)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput() // it is to fail
	return string(out)
}
