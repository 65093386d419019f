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

// lockDataDir takes the data directory for this server alone. The lock is one
// of the file system's, held by an open transaction on an empty database: it
// ends with the process however that ends.
func lockDataDir(ctx context.Context, dir string) (unlock func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	db, err := sqlitedb.Open(filepath.Join(dir, "lock"), sqlitedb.Build, sqlitedb.Options{})
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if _, err := db.Write().ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil { // who has it keeps it
		return nil, errors.Join(fmt.Errorf("lock the data directory: %w", err), db.Close())
	}
	tx, err := db.Begin(context.WithoutCancel(ctx)) // the end of ctx would end the lock
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s (%w)", ErrDataInUse, dir, err), db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}
