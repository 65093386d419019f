package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/control"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
	"github.com/sandfhir/sandfhir/seed"
)

// The reasons for which a snapshot is not taken or not found.
var (
	ErrNoSnapshot   = errors.New("there is no such snapshot")
	ErrSnapshotName = errors.New("is no name of a snapshot: it has 1 to 64 of the characters a-z, A-Z, 0-9, . _ and -, and begins with a letter or a digit")
)

// A Snapshot is what a workspace held at one instant.
type Snapshot struct {
	Format  int         `json:"format"`
	Program string      `json:"program"` // version of the sample population's generator
	Name    string      `json:"name"`
	Created time.Time   `json:"created"` // in real time
	Clock   clock.State `json:"clock"`
}

// snapshotFormat is the version of the files of a snapshot.
const snapshotFormat = 1

// The files of a snapshot beside those of an epoch.
const (
	snapshotFile = "snapshot.json"
	snapshotsDir = "snapshots"
	partSuffix   = ".part"
)

// snapshots are those of a workspace.
type snapshots struct {
	mu  sync.Mutex // held while one is taken, restored or removed
	dir string     // "" until the first is taken
}

// in returns the directory of the snapshots. The caller holds mu.
func (s *snapshots) in(w *Workspace) (string, error) {
	if s.dir != "" {
		return s.dir, nil
	}
	dir := filepath.Join(w.cfg.Dir, snapshotsDir)
	if w.cfg.Dir == "" {
		temp, err := w.cfg.Temp.Make()
		if err != nil {
			return "", err
		}
		dir = temp
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	s.dir = dir
	return dir, nil
}

// remove removes those of a workspace that keeps nothing.
func (s *snapshots) remove(w *Workspace) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.cfg.Dir != "" || s.dir == "" {
		return nil
	}
	return os.RemoveAll(s.dir)
}

// TakeSnapshot keeps under a name what the workspace holds at one instant: the
// data of both environments, clients, policies, jobs and the clock. It takes the
// place of one that has the name.
func (w *Workspace) TakeSnapshot(ctx context.Context, name string) (*Snapshot, error) {
	if !validName(name) {
		return nil, fmt.Errorf("%q %w", name, ErrSnapshotName)
	}
	w.snapshots.mu.Lock()
	defer w.snapshots.mu.Unlock()
	parent, err := w.snapshots.in(w)
	if err != nil {
		return nil, fmt.Errorf("take snapshot %s: %w", name, err)
	}
	dir := filepath.Join(parent, name)
	part := dir + partSuffix + "~" // no name of a snapshot
	s, err := w.writeSnapshot(ctx, part, name, false)
	if err == nil {
		err = errors.Join(os.RemoveAll(dir), os.Rename(part, dir))
	}
	if err != nil {
		return nil, fmt.Errorf("take snapshot %s: %w", name, errors.Join(err, os.RemoveAll(part)))
	}
	return s, nil
}

// Snapshots returns the workspace's snapshots, the oldest first.
func (w *Workspace) Snapshots() ([]*Snapshot, error) {
	w.snapshots.mu.Lock()
	defer w.snapshots.mu.Unlock()
	parent, err := w.snapshots.in(w)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	list := []*Snapshot{}
	for _, e := range entries {
		if !validName(e.Name()) {
			continue
		}
		s, err := readSnapshot(filepath.Join(parent, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("list snapshots: %s: %w", e.Name(), err)
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *Snapshot) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list, nil
}

// Restore has the workspace hold what it held when the snapshot was taken. What
// no return to an earlier state undoes, stays: see control.DB.Carry. Requests
// under way end on what they found. Where its error is not nil nothing has
// changed.
func (w *Workspace) Restore(ctx context.Context, name string) error {
	w.snapshots.mu.Lock()
	defer w.snapshots.mu.Unlock()
	dir, err := w.snapshotDir(name)
	if err != nil {
		return err
	}
	return w.restoreFrom(ctx, dir, false)
}

// DeleteSnapshot removes a snapshot.
func (w *Workspace) DeleteSnapshot(name string) error {
	w.snapshots.mu.Lock()
	defer w.snapshots.mu.Unlock()
	dir, err := w.snapshotDir(name)
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// snapshotDir returns the directory of a snapshot that there is. The caller holds
// w.snapshots.mu.
func (w *Workspace) snapshotDir(name string) (string, error) {
	parent, err := w.snapshots.in(w)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(parent, name)
	if !validName(name) {
		return "", ErrNoSnapshot
	}
	if _, err := os.Stat(dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", ErrNoSnapshot
		}
		return "", err
	}
	return dir, nil
}

// restoreFrom restores what is in a directory; foreign says that another server
// may have written it.
func (w *Workspace) restoreFrom(ctx context.Context, dir string, foreign bool) error {
	s, err := readSnapshot(dir)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	w.changing.Lock()
	defer w.changing.Unlock()
	err = w.begin(ctx, beginning{from: dir, keep: control.Kept{Clients: w.keep.Clients, Replace: foreign}, behaviour: w.Behaviour(), clock: s.Clock})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

func readSnapshot(dir string) (*Snapshot, error) {
	text, err := os.ReadFile(filepath.Join(dir, snapshotFile))
	if err != nil {
		return nil, err
	}
	s := &Snapshot{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("read %s: %w", snapshotFile, err)
	}
	if s.Format != snapshotFormat {
		return nil, fmt.Errorf("it has format %d, and this program knows format %d", s.Format, snapshotFormat)
	}
	return s, nil
}

// writeSnapshot writes what the workspace holds into the new directory dir. whole
// writes the data of an environment out, too, where nobody has changed them and
// its population says it all.
func (w *Workspace) writeSnapshot(ctx context.Context, dir, name string, whole bool) (*Snapshot, error) {
	now := w.current.Load()
	if !now.epoch.enter() {
		return nil, ErrEnded
	}
	defer now.epoch.leave()
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return nil, err
	}
	held, err := now.epoch.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer held.close()
	s := &Snapshot{Format: snapshotFormat, Program: seed.Version, Name: name, Created: w.Wall.Now().UTC(), Clock: w.Clock.State()}
	held.resume()
	if err := held.write(ctx, dir, whole); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return s, writeFile(filepath.Join(dir, snapshotFile), append(text, '\n'))
}

// held is an epoch at one instant.
type held struct {
	epoch   *epoch
	stores  map[string]*fhirstore.Still
	control *sqlitedb.Still
	paused  []func()
}

// hold takes an epoch at one instant, and lets nobody write until resume.
func (e *epoch) hold(ctx context.Context) (_ *held, err error) {
	h := &held{epoch: e, stores: map[string]*fhirstore.Still{}}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	for _, name := range environmentNames() {
		data, err := e.resources[name].Data(ctx)
		if err != nil {
			return nil, err
		}
		still, resume, err := data.Hold(ctx)
		if err != nil {
			return nil, err
		}
		h.stores[name] = still
		h.paused = append(h.paused, resume)
	}
	h.control, err = e.control.Still(ctx)
	return h, err
}

// resume lets those go on who want to write.
func (h *held) resume() {
	for _, resume := range h.paused {
		resume()
	}
	h.paused = nil
}

func (h *held) close() {
	h.resume()
	for _, still := range h.stores {
		still.Close()
	}
	if h.control != nil {
		h.control.Close()
	}
}

// write writes the epoch as it was when it was held.
func (h *held) write(ctx context.Context, dir string, whole bool) error {
	if err := h.control.WriteTo(filepath.Join(dir, controlFile)); err != nil {
		return err
	}
	if err := errors.Join(h.control.Close(), h.keepMemory(ctx, filepath.Join(dir, controlFile))); err != nil {
		return err
	}
	h.control = nil
	for _, name := range environmentNames() {
		to := filepath.Join(dir, name)
		if err := os.Mkdir(to, 0o700); err != nil {
			return err
		}
		r, still := h.epoch.resources[name], h.stores[name]
		err := r.copyNotes(to)
		switch {
		case err != nil:
		case !still.Unchanged():
			err = still.Copy(ctx, to)
		case whole:
			err = r.copyBase(ctx, to)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// copyBase writes the population that the data stand on unchanged.
func (e *resources) copyBase(ctx context.Context, to string) error {
	p, _ := e.Population()
	base, err := e.workspace.cfg.Populations.Base(ctx, p)
	if err != nil {
		return err
	}
	return base.Copy(to)
}

// copyNotes writes what is noted beside the data: the population that they began
// with and, in a directory that keeps them, the files that they were loaded with.
func (e *resources) copyNotes(to string) error {
	if e.dir == "" {
		p, _ := e.Population()
		return writeNote(filepath.Join(to, populationFile), noteOf(p))
	}
	notes, err := filepath.Glob(filepath.Join(e.dir, "*.json"))
	if err != nil {
		return err
	}
	for _, note := range notes {
		if err := copyFile(filepath.Join(to, filepath.Base(note)), note); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a small file.
func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return writeFile(to, data)
}

// keepMemory adds to a copy of the control database what it holds in memory only.
func (h *held) keepMemory(ctx context.Context, path string) error {
	db, err := control.Open(ctx, path, control.Options{})
	if err != nil {
		return err
	}
	return errors.Join(db.Carry(ctx, h.epoch.control, control.Kept{}), db.Close())
}

// copySnapshot copies a snapshot's databases into dir as those of an epoch.
func copySnapshot(dir, from string) error {
	if err := copyFile(filepath.Join(dir, controlFile), filepath.Join(from, controlFile)); err != nil {
		return err
	}
	for _, name := range environmentNames() {
		source := filepath.Join(from, name)
		if !fhirstore.IsStore(source) {
			continue
		}
		to := filepath.Join(dir, name)
		if err := os.Mkdir(to, 0o700); err != nil {
			return err
		}
		if err := fhirstore.CopyStore(to, source); err != nil {
			return err
		}
	}
	return nil
}

// beginFrom has an epoch's environments begin with what a snapshot says.
func (e *epoch) beginFrom(from string) error {
	for _, name := range environmentNames() {
		source := filepath.Join(from, name)
		note, err := readNote(source)
		if err != nil {
			return err
		}
		r := e.resources[name]
		if fhirstore.IsStore(source) {
			continue
		}
		if note.Patients < 0 || note.Version != seed.Version {
			return fmt.Errorf("the data of %s are a sample population of another version of this program, which it cannot make", name)
		}
		r.population = seed.Population{Patients: note.Patients, Seed: note.Seed, Richness: note.Richness, Days: note.Days}
		if r.workspace.cfg.Dir == "" {
			r.dir = ""
		}
	}
	return nil
}
