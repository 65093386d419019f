package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/internal/workspace"
)

// Reset has the world begin anew: with the sample population and the files of
// WithLoad, without faults, under its first behaviour and by real time. Of its
// clients only the default one stays. Requests under way end on what they found;
// where the error is not nil nothing has changed. The same over HTTP is
// POST /_sandbox/reset.
func (w *World) Reset(ctx context.Context) error {
	if err := w.workspace.Reset(ctx); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// A Snapshot is what a world held at one instant: the data of both environments,
// clients, policies, export jobs and the clock.
type Snapshot struct {
	Name    string
	Created time.Time // in real time
}

// ErrNoSnapshot is wrapped by the errors of Restore and DeleteSnapshot where there
// is none of the name.
var ErrNoSnapshot = workspace.ErrNoSnapshot

// TakeSnapshot keeps what the world holds under a name of 1 to 64 of the
// characters a-z, A-Z, 0-9, ".", "_" and "-", in the place of what has the name.
// It is of one instant, whoever writes meanwhile. With WithDataDir the snapshots of
// the server's own world stay across restarts.
func (w *World) TakeSnapshot(ctx context.Context, name string) (Snapshot, error) {
	s, err := w.workspace.TakeSnapshot(ctx, name)
	if err != nil {
		return Snapshot{}, fmt.Errorf("sandbox: %w", err)
	}
	return Snapshot{s.Name, s.Created}, nil
}

// Restore has the world hold what it held when the snapshot was taken. Three
// things no return undoes: a token that was revoked or made to expire stays so, an
// assertion that was used stays used, and the default client stays registered.
// Faults, behaviour and exchanges are left alone. Requests under way end on what
// they found; where the error is not nil nothing has changed.
func (w *World) Restore(ctx context.Context, name string) error {
	if err := w.workspace.Restore(ctx, name); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// Snapshots returns the world's snapshots, the oldest first.
func (w *World) Snapshots() ([]Snapshot, error) {
	found, err := w.workspace.Snapshots()
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	list := make([]Snapshot, len(found))
	for i, s := range found {
		list[i] = Snapshot{s.Name, s.Created}
	}
	return list, nil
}

// DeleteSnapshot removes a snapshot.
func (w *World) DeleteSnapshot(name string) error {
	if err := w.workspace.DeleteSnapshot(name); err != nil {
		return fmt.Errorf("sandbox: delete snapshot %s: %w", name, err)
	}
	return nil
}
