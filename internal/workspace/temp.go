package workspace

import (
	"context"
	"os"
	"sync"

	"github.com/sandfhir/sandfhir/internal/processdir"
)

// A Temp is where workspaces keep what ends with them: directories within one of
// this process, which is made when it is first needed. It is safe for concurrent
// use.
type Temp struct {
	parent string

	mu  sync.Mutex
	dir *processdir.Dir
}

// NewTemp returns a Temp in parent; an empty one is the system's directory for
// temporary files.
func NewTemp(parent string) *Temp {
	if parent == "" {
		parent = os.TempDir()
	}
	return &Temp{parent: parent}
}

// Make makes a new directory.
func (t *Temp) Make() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dir == nil {
		processdir.Living(context.Background(), t.parent, processdir.TempName) // removes those of the dead
		dir, err := processdir.Make(context.Background(), t.parent, processdir.TempName+"*")
		if err != nil {
			return "", err
		}
		t.dir = dir
	}
	return os.MkdirTemp(t.dir.Path(), "world-*")
}

// Close removes all of it.
func (t *Temp) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dir == nil {
		return nil
	}
	dir := t.dir
	t.dir = nil
	return dir.Remove()
}
