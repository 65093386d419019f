// Package control is a workspace's control database: clients, signing keys,
// used assertions, revoked tokens and export jobs. It is the authz.Store and
// the bulk.Store of the workspace's environments.
//
// It lies in a file of its own or in memory, apart from FHIR data, and is
// written by one process at a time. It imports authz, internal/bulk,
// internal/sqlitedb and internal/clock.
package control

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A DB is a control database. It is safe for concurrent use.
type DB struct {
	db         *sqlitedb.DB
	wall       clock.Clock
	persistent bool // the database outlives the process
	tokenAge   atomic.Int64

	mu       sync.RWMutex                // guards what follows
	clients  map[clientKey]*authz.Client // nil of one that there is not
	absent   int                         // how many of them are nil
	changes  int                         // of clients and policies
	policies map[string]*Policies        // by environment
	revoked  map[tokenKey]time.Time      // until when, by real time
	jtis     map[jtiKey]authz.JTIUse

	// What was recorded so far, to drop what is old now and then.
	uses, revocations int
}

var _ authz.Store = (*DB)(nil)

type clientKey struct{ env, id string }

type tokenKey struct{ env, id string }

// Options are a control database's settings.
type Options struct {
	// FullSync makes every write wait for the disk.
	FullSync bool
	// Wall is real time; nil means the wall clock.
	Wall clock.Clock
}

// Open opens the control database in the file path, or a new one in memory
// where path is empty.
func Open(ctx context.Context, path string, opts Options) (_ *DB, err error) {
	mode := sqlitedb.ReadWrite
	if path == "" {
		mode = sqlitedb.Memory
	}
	db, err := sqlitedb.Open(path, mode, sqlitedb.Options{FullSync: opts.FullSync})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	if err := db.Migrate(ctx, migrations, "migrations"); err != nil {
		return nil, err
	}
	c := &DB{db: db, wall: opts.Wall, persistent: path != "", clients: map[clientKey]*authz.Client{}, policies: map[string]*Policies{}}
	if c.wall == nil {
		c.wall = clock.System{}
	}
	if err := c.readTokenAge(ctx); err != nil {
		return nil, err
	}
	if c.revoked, err = readRevoked(ctx, db, c.wall.Now()); err != nil {
		return nil, err
	}
	if c.jtis, err = readJTIs(ctx, db); err != nil {
		return nil, err
	}
	return c, nil
}

// Close closes the database.
func (c *DB) Close() error { return c.db.Close() }

func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// write runs f in a write transaction and commits.
func (c *DB) write(ctx context.Context, f func(*sqlitedb.Tx) error) error {
	tx, err := c.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// isMissing reports whether a single row was asked for and is not there.
func isMissing(err error) bool { return errors.Is(err, sql.ErrNoRows) }
