package fhirstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

//go:embed migrations/*.sql
var migrations embed.FS

const databaseName = "fhir.db"

// A Store holds one environment's resources. It is safe for concurrent use.
type Store struct {
	defs     *r4.Table
	clock    clock.Clock
	newID    func() string
	check    func(root *fhirjson.Node, body []byte) error
	fullSync bool

	base *Base                  // nil, or what the store reads until its first write
	dir  func() (string, error) // where the store's own files go; only with base

	cur atomic.Pointer[data]

	writing sync.Mutex // held by every write and by every kick-off
	last    int64      // under writing: the newest instant given out, in milliseconds

	blocks sync.Pool // of *[]byte, each of blockSize, to copy files with
}

// data is a database with its packs.
type data struct {
	db    *sqlitedb.DB
	read  querier // db's readers
	packs *packs
}

func newData(db *sqlitedb.DB, p *packs) *data { return &data{db: db, read: db.Read(), packs: p} }

// Options are a Store's settings; the zero value will do.
type Options struct {
	// Clock stamps lastUpdated; nil means the wall clock.
	Clock clock.Clock
	// NewID makes the id of a created resource; nil means random UUIDs.
	NewID func() string
	// Check judges the resource that a write brings, after it was found to be of
	// the right type; loads are not asked about. body is what came, and root its
	// tree. What it returns is the error of the write. nil takes everything.
	Check func(root *fhirjson.Node, body []byte) error
	// FullSync makes every write wait for the disk. Without it a write that was
	// answered survives the death of the process, but not surely of the machine.
	FullSync bool
}

func newStore(opts Options) *Store {
	s := &Store{defs: r4.Definitions(), clock: opts.Clock, newID: opts.NewID, check: opts.Check, fullSync: opts.FullSync}
	if s.clock == nil {
		s.clock = clock.System{}
	}
	if s.newID == nil {
		s.newID = uuid.NewString
	}
	return s
}

// Open opens the store in directory dir, which is created where it does not
// exist; an empty dir keeps everything in memory.
func Open(ctx context.Context, dir string, opts Options) (*Store, error) {
	s := newStore(opts)
	mode := sqlitedb.ReadWrite
	if dir == "" {
		mode = sqlitedb.Memory
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	d, last, err := s.openData(ctx, dir, mode, newPacks(dir, nil, 0))
	if err != nil {
		return nil, err
	}
	s.last = last
	s.cur.Store(d)
	return s, nil
}

// openData opens the database in dir, brings its schema and index up to date
// and reads the newest instant.
func (s *Store) openData(ctx context.Context, dir string, mode sqlitedb.Mode, p *packs) (_ *data, last int64, err error) {
	db, err := sqlitedb.Open(filepath.Join(dir, databaseName), mode, sqlitedb.Options{FullSync: s.fullSync})
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	if err := db.Migrate(ctx, migrations, "migrations"); err != nil {
		return nil, 0, err
	}
	d := newData(db, p)
	known, err := d.packNumbers(ctx)
	if err != nil {
		return nil, 0, err
	}
	if err := p.sweep(known); err != nil {
		return nil, 0, err
	}
	if last, err = d.lastInstant(ctx); err != nil {
		return nil, 0, err
	}
	if err := s.reindexIfNeeded(ctx, d); err != nil {
		return nil, 0, err
	}
	return d, last, nil
}

func (d *data) packNumbers(ctx context.Context) (map[int64]bool, error) {
	known := map[int64]bool{}
	err := each(ctx, d.read, func(rows *sql.Rows) error {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return err
		}
		known[n] = true
		return nil
	}, "SELECT pack FROM pack")
	return known, err
}

// The keys of the meta table.
const (
	metaLast  = "last"  // the newest instant, in milliseconds
	metaIndex = "index" // what the search rows were made with, an indexVersion
)

func (d *data) meta(ctx context.Context, key string) (string, error) {
	var value string
	err := d.read.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

func (d *data) lastInstant(ctx context.Context) (int64, error) {
	text, err := d.meta(ctx, metaLast)
	if err != nil || text == "" {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// Close closes the store. What it was built over stays open.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	d := s.cur.Load()
	if s.base != nil && d == s.base.data {
		return nil
	}
	return d.close()
}

func (d *data) close() error { return errors.Join(d.packs.close(), d.db.Close()) }

// nextInstant returns the instant of a commit or a kick-off: the clock's time
// in milliseconds, but later than every instant before it. The caller holds
// s.writing.
func (s *Store) nextInstant() time.Time {
	s.last = max(toMillis(s.clock.Now()), s.last+1)
	return fromMillis(s.last)
}

// Latest returns the later of the clock's time and the newest instant in the
// store: what lies beyond it is the future.
func (s *Store) Latest() time.Time {
	s.writing.Lock()
	defer s.writing.Unlock()
	return fromMillis(max(toMillis(s.clock.Now()), s.last))
}

// write runs f in a write transaction that has one instant for everything in
// it, and commits. A store that stands on a base gets its own copy first.
func (s *Store) write(ctx context.Context, f func(tx *writeTx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.own(ctx); err != nil {
		return err
	}
	d := s.cur.Load()
	if d.db == nil {
		return errors.New("this store shows a transaction, and cannot be written to")
	}
	sqlTx, err := d.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer sqlTx.Rollback()
	tx := &writeTx{Tx: sqlTx, store: s, packs: d.packs, at: s.nextInstant()}
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.setMeta(ctx, metaLast, strconv.FormatInt(s.last, 10)); err != nil {
		return err
	}
	if err := sqlTx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// own gives a store that still reads its base a database of its own, a copy of
// the base's. The packs stay where they are. The caller holds s.writing.
func (s *Store) own(ctx context.Context) error {
	if s.base == nil || s.cur.Load() != s.base.data {
		return nil
	}
	dir, err := s.dir()
	if err != nil {
		return fmt.Errorf("place for the first write: %w", err)
	}
	path := filepath.Join(dir, databaseName)
	for _, log := range []string{"-wal", "-shm"} { // of an attempt that failed
		if err := os.Remove(path + log); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("copy the population for the first write: %w", err)
		}
	}
	if err := copyFile(path, filepath.Join(s.base.dir, databaseName), s.fullSync); err != nil {
		return fmt.Errorf("copy the population for the first write: %w", err)
	}
	// All writes to come depend on it, so the first one's end does not end it.
	d, last, err := s.openData(context.WithoutCancel(ctx), dir, sqlitedb.ReadWrite, newPacks(dir, s.base.packs, s.base.top))
	if err != nil {
		return err
	}
	s.last = max(s.last, last) // kick-offs may have taken instants already
	s.cur.Store(d)
	return nil
}

// each runs a query and calls f for every row.
func each(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, f func(*sql.Rows) error, query string, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Types returns the resource types of FHIR R4, sorted.
func (s *Store) Types() []string { return s.defs.Types() }

// InPatientCompartment reports whether resources of the type can be in a
// patient's compartment (FHIR R4, CompartmentDefinition patient).
func (s *Store) InPatientCompartment(typ string) bool { return s.defs.InPatientCompartment(typ) }

// KnowsType reports whether name is a resource type of FHIR R4.
func (s *Store) KnowsType(name string) bool { return s.defs.IsType(name) }

// NearestType returns the resource type whose name is most like name, or "".
func (s *Store) NearestType(name string) string { return s.defs.NearestType(name) }

// ExportsAtPatientLevel reports whether patient and group exports can hold
// resources of the type: those of the patient compartment and their context.
func (s *Store) ExportsAtPatientLevel(typ string) bool {
	return s.defs.InPatientCompartment(typ) || slices.Contains(contextTypes[:], typ)
}
