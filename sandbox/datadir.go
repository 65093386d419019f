package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// ErrDataInUse is the error of New for a data directory that another server
// has open, in this process or another.
var ErrDataInUse = errors.New("the data directory is in use by another server")

// lockDataDir takes the data directory for this server alone.
func lockDataDir(ctx context.Context, dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	unlock, err = sqlitedb.Lock(ctx, filepath.Join(dir, "lock"), 0) // who has it keeps it
	switch {
	case errors.Is(err, sqlitedb.ErrLocked):
		return nil, fmt.Errorf("%w: %s", ErrDataInUse, dir)
	case err != nil:
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	return unlock, nil
}
