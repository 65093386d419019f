package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sandfhir/sandfhir/internal/workspace"
)

// ErrState is wrapped by the errors of ImportState that are about the file: it is
// damaged, incomplete, of a newer version, or something else.
var ErrState = workspace.ErrState

// ExportState writes what the world holds at one instant as one file, a ZIP: the
// data of both environments, clients with their keys and hashed secrets, policies,
// export jobs, the server's signing keys and the clock. Keep it as you would keep
// a password. The same over HTTP is GET /_sandbox/state.
func (w *World) ExportState(ctx context.Context, to io.Writer) error {
	if err := w.workspace.ExportState(ctx, to); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// ImportState has the world hold what ExportState wrote, on this machine or
// another. All of it is read and checked before anything is changed: where the
// error is not nil nothing has. What Restore does not undo, it does not either.
func (w *World) ImportState(ctx context.Context, from io.Reader) (err error) {
	dir, err := w.workspace.TempDir()
	if err != nil {
		return fmt.Errorf("sandbox: import state: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	f, err := os.OpenFile(filepath.Join(dir, "state.zip"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("sandbox: import state: %w", err)
	}
	defer f.Close()
	size, err := io.Copy(f, from)
	if err != nil {
		return fmt.Errorf("sandbox: import state: %w", err)
	}
	if err := w.workspace.ImportState(ctx, f, size); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}
