package fhirstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Check reports what is damaged or missing of the store's files: that the database
// is sound, and every pack as long as the database says.
func (s *Store) Check(ctx context.Context) error {
	d := s.cur.Load()
	var said string
	if err := d.read.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("the database is damaged: %s", said)
	}
	if d.packs.dir == "" {
		return nil
	}
	return each(ctx, d.read, func(rows *sql.Rows) error {
		var n, bytes int64
		if err := rows.Scan(&n, &bytes); err != nil {
			return err
		}
		if d.packs.base != nil && n <= d.packs.top {
			return nil
		}
		info, err := os.Stat(d.packs.path(n))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("pack %d is missing", n)
		}
		if err != nil {
			return err
		}
		if info.Size() != bytes {
			return fmt.Errorf("pack %d has %d bytes of %d", n, info.Size(), bytes)
		}
		return nil
	}, "SELECT pack, bytes FROM pack")
}
