package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/internal/control"
)

// ErrEnded says that a workspace has ended.
var ErrEnded = errors.New("the workspace has ended")

// An epoch is what a workspace holds from one beginning to the next: its control
// database and the data of its environments. The requests that found it keep it
// open after another has taken its place, or the workspace has ended.
type epoch struct {
	control   *control.DB
	resources map[string]*resources
	dir       string       // that holds it, or "" in memory
	remove    func() error // what is left once it is closed; nil keeps it

	mu      sync.Mutex // guards what follows
	users   int
	retired bool
	once    sync.Once
	closed  chan struct{} // closed once err is there
	err     error
	temp    string // the directory made for changed data, or ""
}

// newEpoch opens what the workspace holds, in memory where dir is empty. Its data
// are opened when first used.
func (w *Workspace) newEpoch(ctx context.Context, dir string) (*epoch, error) {
	path := ""
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		path = filepath.Join(dir, controlFile)
	}
	db, err := control.Open(ctx, path, control.Options{FullSync: w.cfg.FullSync, Wall: w.cfg.Wall})
	if err != nil {
		return nil, err
	}
	e := &epoch{dir: dir, control: db, resources: map[string]*resources{}, closed: make(chan struct{})}
	for _, name := range environmentNames() {
		r := &resources{name: name, workspace: w, epoch: e, population: w.cfg.Population}
		if name == authz.Production {
			r.population.Seed++
		}
		if dir != "" {
			r.dir = filepath.Join(dir, name)
		}
		e.resources[name] = r
	}
	return e, nil
}

// controlFile is the control database in the directory of an epoch.
const controlFile = "control.db"

func environmentNames() []string { return []string{authz.Sandbox, authz.Production} }

// state returns the epoch's environments under a behaviour.
func (e *epoch) state(ctx context.Context, w *Workspace, b behaviour.Behaviour) (*state, error) {
	s := &state{behaviour: b, epoch: e, envs: map[string]*Environment{}}
	for _, name := range environmentNames() {
		auth, err := w.authServer(ctx, e, name, b)
		if err != nil {
			return nil, err
		}
		s.envs[name] = &Environment{Name: name, Auth: auth, export: s.behaviour.Exports(), resources: e.resources[name]}
	}
	return s, nil
}

// enter keeps the epoch open until leave; it is false of one that is left for
// another.
func (e *epoch) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.retired {
		return false
	}
	e.users++
	return true
}

func (e *epoch) leave() {
	e.mu.Lock()
	e.users--
	last := e.retired && e.users == 0
	e.mu.Unlock()
	if last {
		e.close()
	}
}

// retire closes the epoch as soon as nobody is in it.
func (e *epoch) retire() {
	e.mu.Lock()
	e.retired = true
	empty := e.users == 0
	e.mu.Unlock()
	if empty {
		e.close()
	}
}

// close closes the epoch, whoever is in it, and removes what it kept only while
// it existed.
func (e *epoch) close() {
	e.once.Do(func() {
		var errs []error
		for _, r := range e.resources {
			errs = append(errs, r.close())
		}
		errs = append(errs, e.control.Close())
		if e.temp != "" {
			errs = append(errs, os.RemoveAll(e.temp))
		}
		if e.remove != nil {
			errs = append(errs, e.remove())
		}
		e.err = errors.Join(errs...)
		close(e.closed)
	})
}

// tempDir returns a directory of this name that ends with the epoch.
func (e *epoch) tempDir(temp *Temp, name string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.temp == "" {
		dir, err := temp.Make()
		if err != nil {
			return "", fmt.Errorf("place for changed data: %w", err)
		}
		e.temp = dir
	}
	dir := filepath.Join(e.temp, name)
	return dir, os.MkdirAll(dir, 0o700)
}

// Enter takes the environment with this name for a request, with what the
// workspace holds just now. leave lets go of it, once: until then its data stay
// open, though the workspace may end or begin anew. The environment is nil where
// there is none of the name. The error is ErrEnded.
func (w *Workspace) Enter(env string) (_ *Environment, leave func(), _ error) {
	for {
		s := w.current.Load()
		if s.epoch.enter() {
			return s.envs[env], sync.OnceFunc(s.epoch.leave), nil
		}
		if w.current.Load() == s { // nothing took its place
			return nil, nil, ErrEnded
		}
	}
}

// End ends the workspace for all who come from now on, and closes it when those
// who are in it have left. closed is closed then.
func (w *Workspace) End() (closed <-chan struct{}) {
	w.changing.Lock()
	defer w.changing.Unlock()
	w.Exchanges.End() // who waits for one waits in vain
	w.Faults.Clear()  // and nobody is held back any longer
	e := w.current.Load().epoch
	e.retire()
	return e.closed
}

// Close closes the workspace, whoever is in it, and removes what it kept only
// while it existed.
func (w *Workspace) Close() error {
	w.End()
	e := w.current.Load().epoch
	e.close()
	<-e.closed
	err := errors.Join(e.err, w.snapshots.remove(w))
	if w.ownTemp {
		err = errors.Join(err, w.cfg.Temp.Close())
	}
	return err
}

// TempDir makes a directory for the caller to remove; it does not outlive the
// process.
func (w *Workspace) TempDir() (string, error) { return w.cfg.Temp.Make() }

// Control returns the control database.
func (w *Workspace) Control() *control.DB { return w.current.Load().epoch.control }
