package sqlitedb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"modernc.org/sqlite"
)

// ErrLocked says that another has the lock, in this process or another.
var ErrLocked = errors.New("locked by another")

// resultBusy is SQLite's primary result code SQLITE_BUSY.
const resultBusy = 5

// Lock takes the file at path, which it makes where it is missing, for the caller alone. It waits
// so long for another who has it; then its error is ErrLocked. The lock is one of the file
// system's, held by an open transaction on an empty database: it ends with unlock or with the
// process, however that ends.
func Lock(ctx context.Context, path string, wait time.Duration) (unlock func() error, err error) {
	// A file that is there must not be opened here: closing it again would give up the locks that
	// this process has on it (POSIX, fcntl).
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("lock: %w", err)
	}
	db, err := open(path, Build, Options{}, false)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", wait.Milliseconds()))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), db.Close())
	}
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil) // the end of ctx would end the lock
	if err != nil {
		var result *sqlite.Error
		if errors.As(err, &result) && result.Code()&0xff == resultBusy {
			err = ErrLocked
		}
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), db.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), db.Close()) }, nil
}
