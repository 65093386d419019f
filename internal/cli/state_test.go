package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestState carries what a running server holds into a data directory that no
// server has, and out of it again.
func TestState(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	dir := t.TempDir()
	file, data, again := filepath.Join(dir, "one.zip"), filepath.Join(dir, "data"), filepath.Join(dir, "two.zip")
	if got := s.run(t, "state", "export", file); got.code != 0 || !strings.Contains(got.stdout, file) {
		t.Fatalf("export: %+v", got)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v; want one for its owner only", info, err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"state", "export", file}, 2, "exists already"},
		{[]string{"state", "import", "--data", data, file}, 0, ""},
		{[]string{"state", "export", "--data", data, again}, 0, ""},
		{[]string{"state", "import", again}, 0, ""},
		{[]string{"get", "Patient?_count=1"}, 0, ""},
		{[]string{"state", "import", filepath.Join(dir, "none.zip")}, 2, "none.zip"},
		{[]string{"state", "import", os.Args[0]}, 1, "nothing was changed"},
		{[]string{"state", "import", "--data", data, os.Args[0]}, 1, "nothing was changed"},
		{[]string{"state", "export", "--data", filepath.Join(dir, "no"), filepath.Join(dir, "three.zip")}, 2, "--data"},
		{[]string{"state", "export", "--data", data, "--fhir", s.fhir, filepath.Join(dir, "three.zip")}, 2, "exclude each other"},
		{[]string{"state"}, 2, "state export FILE"},
		{[]string{"state", "import"}, 2, "one file"},
	} {
		if got := s.run(t, c.args...); got.code != c.code || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%q: got %+v, want code %d and %q", c.args, got, c.code, c.want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
