package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
)

// A Still is a database as it was at one instant, whatever is written later. It
// holds one of the readers until Close.
type Still struct{ conn *sql.Conn }

// Still takes the database as it is now. Of one in memory it holds the only
// connection, so that nobody reads or writes until Close.
func (r *Reader) Still(ctx context.Context) (*Still, error) {
	conn := r.conn
	if conn == nil {
		var err error
		if conn, err = r.pool.db.Conn(ctx); err != nil {
			return nil, fmt.Errorf("hold the database: %w", err)
		}
	}
	s := &Still{conn}
	var n int
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return nil, errors.Join(fmt.Errorf("hold the database: %w", err), s.release(r))
	}
	// A transaction has its place in the log from its first read on.
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
		return nil, errors.Join(fmt.Errorf("hold the database: %w", err), s.Close())
	}
	r.conn = nil // it is the Still's
	return s, nil
}

// release gives back a connection that was taken for a Still that did not begin.
func (s *Still) release(r *Reader) error {
	if r.conn == s.conn {
		return nil
	}
	return s.conn.Close()
}

// QueryContext is that of sql.DB, of the instant.
func (s *Still) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.conn.QueryContext(ctx, query, args...)
}

// WriteTo writes the database to a new file.
func (s *Still) WriteTo(path string) error {
	err := s.conn.Raw(func(driver any) error {
		source, ok := driver.(interface {
			NewBackup(string) (*sqlite.Backup, error)
		})
		if !ok {
			return errors.New("the driver makes no backups")
		}
		backup, err := source.NewBackup(path)
		if err != nil {
			return err
		}
		_, err = backup.Step(-1)
		return errors.Join(err, backup.Finish())
	})
	if err != nil {
		return fmt.Errorf("copy the database to %s: %w", path, err)
	}
	return nil
}

// Close lets the reader go.
func (s *Still) Close() error {
	_, err := s.conn.ExecContext(context.Background(), "ROLLBACK")
	return errors.Join(err, s.conn.Close())
}
