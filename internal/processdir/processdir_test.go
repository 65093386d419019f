package processdir_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/internal/processdir"
)

// makeProcess has TestMakeProcess make a directory, in a parent and with a
// name.
const makeProcess = "TEST_MAKE_PROCESS"

// TestMakeProcess is another process with a directory of its own; on its own
// it has nothing to do.
func TestMakeProcess(*testing.T) {
	what, ok := os.LookupEnv(makeProcess)
	if !ok {
		return
	}
	parent, name, _ := strings.Cut(what, "|")
	d, err := processdir.Make(context.Background(), parent, name)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(d.Path())
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

// another has a process of its own make a directory, and returns its path. kill
// ends the process without a chance to clean up.
func another(t *testing.T, parent, name string) (path string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMakeProcess$")
	cmd.Env = append(os.Environ(), makeProcess+"="+parent+"|"+name)
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
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line), kill
}

func mustMake(t *testing.T, parent, name string) *processdir.Dir {
	t.Helper()
	d, err := processdir.Make(t.Context(), parent, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Remove() })
	return d
}

func wantLiving(t *testing.T, parent, prefix string, want ...string) {
	t.Helper()
	got := processdir.Living(t.Context(), parent, prefix)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("living: got %q, want %q", got, want)
	}
}

func TestDirectoriesOfTheDeadAreRemoved(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	mine := mustMake(t, parent, "x-*")
	theirs, kill := another(t, parent, "x-*")
	if filepath.Dir(theirs) != parent {
		t.Fatalf("the other process says %q", theirs)
	}
	if err := os.WriteFile(filepath.Join(theirs, "data"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := mustMake(t, parent, "y-*")
	foreign := filepath.Join(parent, "x-foreign") // without a lock
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		wantLiving(t, parent, "x-", mine.Path(), theirs)
	}
	kill()
	wantLiving(t, parent, "x-", mine.Path())
	if _, err := os.Stat(theirs); !os.IsNotExist(err) {
		t.Errorf("the dead one's is still there: %v", err)
	}
	for _, path := range []string{mine.Path(), other.Path(), foreign} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("removed, too: %v", err)
		}
	}
	// Another process sees this one's, whatever this one looked at.
	third, kill := another(t, parent, "x-*")
	defer kill()
	wantLiving(t, parent, "x-", mine.Path(), third)
	if err := mine.Remove(); err != nil {
		t.Error(err)
	}
	wantLiving(t, parent, "x-", third)
	wantLiving(t, filepath.Join(parent, "missing"), "x-")
}

func TestNames(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	theirs, kill := another(t, parent, "a-1")
	mine := mustMake(t, parent, "a-1")
	if filepath.Base(theirs) != "a-1" || filepath.Base(mine.Path()) != "a-1-2" {
		t.Errorf("got %s and %s, want a-1 and a-1-2", theirs, mine.Path())
	}
	if info, err := os.Stat(mine.Path()); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("got %v, %v; want mode 0700", info.Mode(), err)
	}
	kill()
	if d := mustMake(t, parent, "a-1"); filepath.Base(d.Path()) != "a-1" {
		t.Errorf("got %s, want the dead one's name", d.Path())
	}
	if _, err := processdir.Make(t.Context(), filepath.Join(parent, "missing"), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a parent: got %v", err)
	}
}

// TestMakersAndLookersAtOnce: nobody loses a directory to one who looks just
// when it is made.
func TestMakersAndLookersAtOnce(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				d, err := processdir.Make(t.Context(), parent, "x-*")
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(d.Path()); err != nil {
					t.Error(err)
				}
				if err := d.Remove(); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 40 {
				processdir.Living(t.Context(), parent, "x-")
			}
		})
	}
	wg.Wait()
}
