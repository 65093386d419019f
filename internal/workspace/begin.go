package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/control"
)

// epochFile names, in the workspace's directory, the directory within it that
// holds the present epoch. Without it the epoch lies in the directory itself.
const epochFile = "epoch"

const epochPrefix = "epoch-"

// currentDir is where the present epoch lies, "" in memory. It removes what an
// earlier process left of others.
func (w *Workspace) currentDir() (string, error) {
	if w.cfg.Dir == "" {
		return "", nil
	}
	text, err := os.ReadFile(filepath.Join(w.cfg.Dir, epochFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	name := strings.TrimSpace(string(text))
	if name != "" && (!strings.HasPrefix(name, epochPrefix) || filepath.Base(name) != name) {
		return "", fmt.Errorf("%s names no directory of an epoch: %q", epochFile, name)
	}
	others, err := filepath.Glob(filepath.Join(w.cfg.Dir, epochPrefix+"*"))
	if err != nil {
		return "", err
	}
	for _, other := range others {
		if filepath.Base(other) != name {
			if err := os.RemoveAll(other); err != nil {
				return "", err
			}
		}
	}
	if name == "" {
		return w.cfg.Dir, nil
	}
	return filepath.Join(w.cfg.Dir, name), w.removeFirst()
}

// removeFirst removes the epoch that lies in the workspace's directory itself.
func (w *Workspace) removeFirst() error {
	var errs []error
	for _, name := range append(environmentNames(), controlFile, controlFile+"-wal", controlFile+"-shm") {
		errs = append(errs, os.RemoveAll(filepath.Join(w.cfg.Dir, name)))
	}
	return errors.Join(errs...)
}

// KeepClient has a client stay as it is when the workspace is reset or restored
// to what does not have it: one that the server itself has registered.
func (w *Workspace) KeepClient(env, id string) {
	w.changing.Lock()
	defer w.changing.Unlock()
	if w.keep.Clients == nil {
		w.keep.Clients = map[string][]string{}
	}
	if !slices.Contains(w.keep.Clients[env], id) {
		w.keep.Clients[env] = append(w.keep.Clients[env], id)
	}
}

// Reset has the workspace begin anew: with the sample population and what it was
// filled with, without clients but those of KeepClient, without faults, under
// its first behaviour and by real time. Requests under way end on what they
// found. Where its error is not nil nothing has changed.
func (w *Workspace) Reset(ctx context.Context) error {
	w.changing.Lock()
	defer w.changing.Unlock()
	err := w.begin(ctx, beginning{keep: control.Kept{Clients: w.keep.Clients, Keys: true}, behaviour: w.cfg.Behaviour, fill: w.cfg.Fill})
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	w.Faults.Reset()
	w.KeyHosts.Clear()
	return nil
}

// A beginning is what an epoch begins with.
type beginning struct {
	from      string // directory of a snapshot, or "" for the sample population
	keep      control.Kept
	behaviour behaviour.Behaviour
	fill      func(context.Context, *Environment) error // the sandbox environment; may be nil
	clock     clock.State
}

// begin puts another epoch in the place of the present one. The caller holds
// w.changing.
func (w *Workspace) begin(ctx context.Context, b beginning) (err error) {
	before := w.current.Load()
	if !before.epoch.enter() {
		return ErrEnded
	}
	defer before.epoch.leave()
	dir, err := w.nextDir(b)
	if err != nil {
		return err
	}
	next, err := w.prepare(ctx, before, dir, b)
	if err != nil {
		if dir != "" {
			err = errors.Join(err, os.RemoveAll(dir))
		}
		return err
	}
	if w.cfg.Dir != "" {
		if err := w.pointTo(dir); err != nil {
			next.epoch.close()
			return errors.Join(err, os.RemoveAll(dir))
		}
		before.epoch.remove = w.remover(before.epoch.dir)
	} else if dir != "" {
		next.epoch.remove = func() error { return os.RemoveAll(dir) }
	}
	w.Clock.Restore(b.clock)
	w.current.Store(next)
	before.epoch.retire()
	return nil
}

// nextDir makes the directory of the next epoch, "" for one in memory.
func (w *Workspace) nextDir(b beginning) (string, error) {
	if w.cfg.Dir != "" {
		return os.MkdirTemp(w.cfg.Dir, epochPrefix+"*")
	}
	if b.from == "" {
		return "", nil
	}
	return w.cfg.Temp.Make()
}

// prepare opens the next epoch, with its sandbox environment's data.
func (w *Workspace) prepare(ctx context.Context, before *state, dir string, b beginning) (_ *state, err error) {
	if b.from != "" {
		if err := copySnapshot(dir, b.from); err != nil {
			return nil, err
		}
	}
	e, err := w.newEpoch(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	if b.from != "" {
		if err := e.beginFrom(b.from); err != nil {
			return nil, err
		}
	}
	if err := e.control.Carry(ctx, before.epoch.control, b.keep); err != nil {
		return nil, err
	}
	next, err := e.state(ctx, w, b.behaviour)
	if err != nil {
		return nil, err
	}
	for _, name := range environmentNames() {
		if name != environmentNames()[0] && e.resources[name].dir == "" {
			continue // it is opened when it is first asked for
		}
		if _, err := next.envs[name].Data(ctx); err != nil {
			return nil, err
		}
	}
	if b.fill != nil {
		err = b.fill(ctx, next.envs[environmentNames()[0]])
	}
	return next, err
}

// pointTo has the workspace's directory name the epoch that counts.
func (w *Workspace) pointTo(dir string) error {
	return replaceFile(filepath.Join(w.cfg.Dir, epochFile), []byte(filepath.Base(dir)+"\n"))
}

// remover returns what removes the epoch that lies in dir.
func (w *Workspace) remover(dir string) func() error {
	if dir == w.cfg.Dir {
		return w.removeFirst
	}
	return func() error { return os.RemoveAll(dir) }
}
