package fhirstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// A Base is a finished population in a directory that nobody changes any more.
// Any number of stores, in any number of processes, can stand on it at once: a
// store reads it in place and takes a copy of the database, not of the bodies,
// when it is first written to.
type Base struct {
	*data
	dir  string
	top  int64 // the highest number of a pack
	last int64
}

// BuildBase makes a base in dir, which must exist and be empty: fill adds the
// resources. The directory is only good for OpenBase once BuildBase returned
// without error.
func BuildBase(ctx context.Context, dir string, fill func(*Load) error) error {
	s := newStore(Options{})
	db, err := sqlitedb.Open(filepath.Join(dir, databaseName), sqlitedb.Build, sqlitedb.Options{})
	if err != nil {
		return err
	}
	d := newData(db, newPacks(dir, nil, 0))
	d.packs.building = true
	s.cur.Store(d)
	defer d.close()
	if err := db.Migrate(ctx, migrations, "migrations"); err != nil {
		return err
	}
	indexes, err := db.DropIndexes(ctx)
	if err != nil {
		return err
	}
	load, err := s.Load(ctx, Everything())
	if err != nil {
		return err
	}
	defer load.Rollback()
	load.historic, load.arrivals = true, newArrivals(ctx, load)
	if err := fill(load); err != nil {
		return err
	}
	if err := load.Commit(ctx); err != nil {
		return err
	}
	// What is sorted lies in memory up to the size of the cache, and then in files.
	for _, limit := range []string{"PRAGMA cache_size = -16384", "PRAGMA shrink_memory"} {
		if _, err := db.Write().ExecContext(ctx, limit); err != nil {
			return fmt.Errorf("bound the memory of sorting: %w", err)
		}
	}
	for _, index := range indexes { // sorting what is complete takes less than keeping it sorted
		if _, err := db.Write().ExecContext(ctx, index); err != nil {
			return fmt.Errorf("index population: %w", err)
		}
	}
	if err := s.amend(ctx, d, func(tx *writeTx) error { return tx.countOutside(ctx, provenance, 0) }); err != nil {
		return err
	}
	if err := s.markIndexed(ctx, d); err != nil {
		return err
	}
	if err := d.close(); err != nil {
		return err
	}
	return syncTree(dir)
}

// OpenBase opens the base that BuildBase made in dir.
func OpenBase(ctx context.Context, dir string) (*Base, error) {
	if _, err := os.Stat(filepath.Join(dir, databaseName)); err != nil {
		return nil, fmt.Errorf("open population: %w", err)
	}
	db, err := sqlitedb.Open(filepath.Join(dir, databaseName), sqlitedb.Immutable, sqlitedb.Options{})
	if err != nil {
		return nil, err
	}
	b := &Base{data: newData(db, newPacks(dir, nil, 0)), dir: dir}
	if b.last, err = b.lastInstant(ctx); err == nil {
		err = b.read.QueryRowContext(ctx, "SELECT coalesce(max(pack), 0) FROM pack").Scan(&b.top)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open population in %s: %w", dir, err)
	}
	return b, nil
}

// Close closes the base. The stores that stand on it must be closed before.
func (b *Base) Close() error { return b.data.close() }

// Over returns a store that shows what is in base and keeps its own changes in
// the directory that dir names when the first of them is made. The directory
// must exist and be empty; the store does not remove it.
func Over(base *Base, dir func() (string, error), opts Options) *Store {
	s := newStore(opts)
	s.base, s.dir, s.last = base, dir, base.last
	s.cur.Store(base.data)
	return s
}

// Copy puts a base's files into dir, which must exist and be empty, so that
// Open finds a store there that stands on its own.
func (b *Base) Copy(dir string) error {
	if err := copyFile(filepath.Join(dir, databaseName), filepath.Join(b.dir, databaseName), true); err != nil {
		return fmt.Errorf("copy population: %w", err)
	}
	for n := int64(1); n <= b.top; n++ {
		name := filepath.Base(b.packs.path(n))
		from, to := filepath.Join(b.dir, name), filepath.Join(dir, name)
		if err := os.Link(from, to); err == nil { // packs never change, so two names for one file will do
			continue
		}
		if err := copyFile(to, from, true); err != nil {
			return fmt.Errorf("copy population: %w", err)
		}
	}
	return syncDir(dir)
}

// Format names everything that the files of a base depend on beside what was
// put into it: the schema, and the definitions and rules that it was indexed with.
func Format() string {
	names, _ := fs.Glob(migrations, "migrations/*.sql") // a constant pattern
	sum := sha256.New()
	for _, name := range names {
		script, _ := migrations.ReadFile(name) // Glob found it
		sum.Write(script)
	}
	return hex.EncodeToString(sum.Sum(nil)) + " " + indexVersion(r4.Definitions())
}
