package fhirstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// A Still is a store as it was at one instant, whatever is written later. The
// store has to stay open until its Close.
type Still struct {
	data *data
	db   *sqlitedb.Still // nil where the store stands on its base unchanged
}

// Hold holds back all that writes to the store, and takes what it has at that
// instant. resume lets the writers go on; the Still stays as it is. Who holds
// several stores before the first resumes has all of them at one instant.
func (s *Store) Hold(ctx context.Context) (_ *Still, resume func(), err error) {
	reader, err := s.cur.Load().db.Reader(ctx) // before the lock, whose holder may need one
	if err != nil {
		return nil, nil, fmt.Errorf("hold the store: %w", err)
	}
	defer reader.Close()
	s.writing.Lock()
	defer func() {
		if err != nil {
			s.writing.Unlock()
		}
	}()
	d := s.cur.Load()
	if s.base != nil && d == s.base.data {
		return &Still{data: d}, s.writing.Unlock, nil
	}
	if d.db.Owns(reader) {
		still, err := reader.Still(ctx)
		return &Still{data: d, db: still}, s.writing.Unlock, err
	}
	// The first write came while a reader of the base was waited for.
	own, err := d.db.Reader(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("hold the store: %w", err)
	}
	defer own.Close()
	still, err := own.Still(ctx)
	return &Still{data: d, db: still}, s.writing.Unlock, err
}

// Unchanged reports whether the store stood on its base and nothing had been
// written to it.
func (s *Still) Unchanged() bool { return s.db == nil }

// Copy writes a store that stands on its own into dir, which must exist and be
// empty, so that Open finds it there. It is not for one that is unchanged.
func (s *Still) Copy(ctx context.Context, dir string) error {
	if err := s.db.WriteTo(filepath.Join(dir, databaseName)); err != nil {
		return err
	}
	return each(ctx, s.db, func(rows *sql.Rows) error {
		var n, bytes int64
		if err := rows.Scan(&n, &bytes); err != nil {
			return err
		}
		return s.data.packs.copyTo(dir, n, bytes)
	}, "SELECT pack, bytes FROM pack")
}

// copyTo puts a pack into another directory, as a second name of its file where
// that can be: packs never change.
func (p *packs) copyTo(dir string, n, bytes int64) error {
	if p.base != nil && n <= p.top {
		return p.base.copyTo(dir, n, bytes)
	}
	to := filepath.Join(dir, filepath.Base(p.path(n)))
	if p.dir != "" && os.Link(p.path(n), to) == nil {
		return nil
	}
	from, err := p.file(n)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("copy pack: %w", err)
	}
	_, err = io.Copy(f, io.NewSectionReader(from, 0, bytes))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("copy pack: %w", err)
	}
	return nil
}

// Close lets go of the store.
func (s *Still) Close() error {
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// CopyStore copies the files of a store that nobody has open into dir, which must
// exist and be empty.
func CopyStore(dir, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("copy store: %w", err)
	}
	for _, e := range entries {
		src, dst := filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())
		if filepath.Ext(e.Name()) == packSuffix && os.Link(src, dst) == nil {
			continue
		}
		if err := copyFile(dst, src, true); err != nil {
			return fmt.Errorf("copy store: %w", err)
		}
	}
	return syncDir(dir)
}

// IsStore reports whether Open would find a store in dir.
func IsStore(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, databaseName))
	return err == nil
}
