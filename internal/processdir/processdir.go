// Package processdir makes directories that end with the process that made
// them: it removes them itself, or what finds them later does, however it
// ended. Each holds a file that is locked while its process lives.
package processdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// TempName is what the names of this program's directories begin with in the
// directory for temporary files, which many share.
const TempName = "sandfhir-"

// lockFile is the file in a directory that its process has locked. A directory
// without one is none of this package's.
const lockFile = "lock"

// lookTime is how long another process may have the lock to see whether it is
// to be had.
const lookTime = 5 * time.Second

// A Dir is a directory of this process.
type Dir struct {
	path   string
	unlock func() error
}

// Make makes a directory in parent, for its owner's eyes only. It is called
// name or, where another living process has that one, something that begins
// with it; a name that ends in * has random digits in the star's place. Nobody
// but this package may open the lock in it.
func Make(ctx context.Context, parent, name string) (*Dir, error) {
	var err error
	for n := 1; n <= maxTries; n++ {
		var path string
		if path, err = mkdir(ctx, parent, name, n); err == nil {
			var d *Dir
			if d, err = take(ctx, path); err == nil {
				return d, nil
			}
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, errGone) {
			break
		}
	}
	return nil, fmt.Errorf("make a directory of this process: %w", err)
}

// maxTries bounds how many names are tried.
const maxTries = 100

// errGone says that another process looked at a directory before it was
// locked, took it for a dead one's and removed it.
var errGone = errors.New("it was removed at once")

// take locks a directory that was just made.
func take(ctx context.Context, path string) (*Dir, error) {
	lock := filepath.Join(path, lockFile)
	unlock, err := sqlitedb.Lock(ctx, lock, lookTime)
	_, gone := os.Lstat(lock)
	switch {
	case err == nil && gone == nil:
		return &Dir{path, unlock}, nil
	case err == nil:
		return nil, errors.Join(errGone, unlock())
	case gone != nil:
		return nil, errors.Join(errGone, err)
	}
	return nil, errors.Join(err, os.RemoveAll(path))
}

// mkdir makes the n-th directory that is tried.
func mkdir(ctx context.Context, parent, name string, n int) (string, error) {
	if strings.HasSuffix(name, "*") {
		return os.MkdirTemp(parent, name)
	}
	if n > 1 {
		name += "-" + strconv.Itoa(n)
	}
	path := filepath.Join(parent, name)
	err := os.Mkdir(path, 0o700)
	if errors.Is(err, fs.ErrExist) && !alive(ctx, path) {
		err = os.Mkdir(path, 0o700)
	}
	return path, err
}

// Path returns where the directory is.
func (d *Dir) Path() string { return d.path }

// Remove removes the directory and what is in it.
func (d *Dir) Remove() error { return errors.Join(d.unlock(), removeAll(d.path)) }

// removeAll removes a directory that others may look at: whoever tries its lock
// just then puts a file into it that was not there.
func removeAll(path string) (err error) {
	for range maxTries {
		if err = os.RemoveAll(path); err == nil {
			return nil
		}
	}
	return err
}

// Living returns the directories in parent, of those whose names begin with
// prefix, that belong to processes which live, this one too. It removes the
// others, as far as it may.
func Living(ctx context.Context, parent, prefix string) []string {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil
	}
	var living []string
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		path := filepath.Join(parent, e.Name())
		if _, err := os.Lstat(filepath.Join(path, lockFile)); err == nil && alive(ctx, path) {
			living = append(living, path)
		}
	}
	return living
}

// alive tells whether a directory is a living process's. A dead one's is
// removed. Of what cannot be found out the answer is yes: it may be another
// user's.
func alive(ctx context.Context, path string) bool {
	lock := filepath.Join(path, lockFile)
	info, err := os.Lstat(lock)
	if err != nil || !info.Mode().IsRegular() || !Own(info) {
		return true
	}
	unlock, err := sqlitedb.Lock(ctx, lock, 0)
	if err != nil {
		return true
	}
	removed := os.RemoveAll(path)
	if err := unlock(); err != nil {
		return true
	}
	if removed != nil { // where an open file cannot be removed
		removed = os.RemoveAll(path)
	}
	return removed != nil
}
