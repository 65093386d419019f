package sqlitedb_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// lockProcess has TestLockProcess take the lock at its path.
const lockProcess = "TEST_LOCK_PROCESS"

// TestLockProcess is another process that wants a lock, and keeps it until its
// standard input ends; on its own it has nothing to do.
func TestLockProcess(*testing.T) {
	path, ok := os.LookupEnv(lockProcess)
	if !ok {
		return
	}
	_, err := sqlitedb.Lock(context.Background(), path, 0)
	switch {
	case errors.Is(err, sqlitedb.ErrLocked):
		os.Stdout.WriteString("locked\n")
	case err != nil:
		os.Stdout.WriteString(err.Error() + "\n")
	default:
		os.Stdout.WriteString("taken\n")
		io.Copy(io.Discard, os.Stdin)
	}
	os.Exit(0)
}

// another tries to lock path in a process of its own and returns what that
// says. kill ends it.
func another(t *testing.T, path string) (says string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockProcess$")
	cmd.Env = append(os.Environ(), lockProcess+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { cmd.Process.Kill(); cmd.Wait(); in.Close() }
	t.Cleanup(kill)
	line := make([]byte, 200)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(line[:n])), kill
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := sqlitedb.Lock(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a try in this process does not loosen what it has
		if _, err := sqlitedb.Lock(t.Context(), path, 0); !errors.Is(err, sqlitedb.ErrLocked) {
			t.Errorf("a second lock in the process: got %v, want ErrLocked", err)
		}
		if says, kill := another(t, path); says != "locked" {
			t.Errorf("another process says %q, want locked", says)
			kill()
		}
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	says, kill := another(t, path)
	if says != "taken" {
		t.Errorf("after unlock another process says %q, want taken", says)
	}
	if _, err := sqlitedb.Lock(t.Context(), path, 0); !errors.Is(err, sqlitedb.ErrLocked) {
		t.Errorf("while another process has it: got %v, want ErrLocked", err)
	}
	kill()
	unlock, err = sqlitedb.Lock(t.Context(), path, 0)
	if err != nil {
		t.Fatalf("after the other process was killed: %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	if _, err := sqlitedb.Lock(t.Context(), filepath.Join(path, "below", "lock"), 0); err == nil || errors.Is(err, sqlitedb.ErrLocked) {
		t.Errorf("where no file can be: got %v, want the file system's error", err)
	}
}
