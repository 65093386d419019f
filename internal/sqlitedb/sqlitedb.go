// Package sqlitedb opens SQLite databases the way this program uses them: many
// readers and one writer over a write-ahead log, migrations as files, and a
// database in memory where there is no directory to write to.
//
// It knows no schema. It is the only package that names the SQLite driver.
package sqlitedb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Mode says how a database is opened.
type Mode int

const (
	// ReadWrite opens or creates the file, with a write-ahead log.
	ReadWrite Mode = iota
	// Immutable opens a file that nobody will ever write again: no locks, no
	// log, and any number of processes at once.
	Immutable
	// Memory keeps the database in memory; the path is ignored.
	Memory
	// Build opens or creates a file that is thrown away if the process dies
	// before it is complete: no log and no syncing. Close leaves one file.
	Build
)

// Options are the choices beside the mode.
type Options struct {
	// FullSync makes every commit wait for the disk (synchronous=FULL); without
	// it a commit survives the death of the process but the last ones may not
	// survive the loss of power.
	FullSync bool
	// PageSize in bytes for a new file; 0 means SQLite's default.
	PageSize int
}

// A DB is one database: a pool of readers and a single writer.
type DB struct {
	read  *Pool
	write *Pool

	mu sync.Mutex // held from Begin to the end of the transaction
}

// Open opens the database at path.
func Open(path string, mode Mode, opts Options) (*DB, error) {
	if mode == ReadWrite || mode == Build {
		if err := private(path); err != nil {
			return nil, fmt.Errorf("open database %s: %w", path, err)
		}
	}
	write, err := open(path, mode, opts, false)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if mode == Immutable {
		return &DB{read: write}, nil
	}
	if mode == Memory || mode == Build {
		// A database in memory belongs to its one connection.
		return &DB{read: write, write: write}, nil
	}
	if err := write.Ping(); err != nil { // creates the file before the readers ask for it
		write.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	read, err := open(path, mode, opts, true)
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return &DB{read: read, write: write}, nil
}

// private makes the file where it is missing, for its owner's eyes only: SQLite
// would let others read it, and the files beside it have its mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func open(path string, mode Mode, opts Options, readOnly bool) (*Pool, error) {
	q := url.Values{}
	pragma := func(s string) { q.Add("_pragma", s) }
	pragma("busy_timeout(10000)")
	pragma("foreign_keys(0)")
	if mode == Build {
		pragma("temp_store(1)") // an index of a million resources is sorted in a file
	} else {
		pragma("temp_store(2)")
	}
	name := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()
	conns := max(4, runtime.NumCPU()*2)
	switch mode {
	case ReadWrite:
		if !readOnly && opts.PageSize > 0 {
			pragma("page_size(" + strconv.Itoa(opts.PageSize) + ")")
		}
		pragma("journal_mode(WAL)")
		if opts.FullSync {
			pragma("synchronous(FULL)")
		} else {
			pragma("synchronous(NORMAL)")
		}
		if readOnly {
			pragma("query_only(1)")
			pragma("cache_size(-2048)")
		} else {
			q.Set("_txlock", "immediate")
			pragma("cache_size(-8192)")
			conns = 1
		}
	case Immutable:
		q.Set("mode", "ro")
		q.Set("immutable", "1")
		pragma("cache_size(-2048)")
	case Memory:
		name = "file::memory:"
		q.Set("_txlock", "immediate")
		pragma("journal_mode(MEMORY)")
		pragma("synchronous(OFF)")
		conns = 1
	case Build:
		q.Set("_txlock", "immediate")
		pragma("locking_mode(EXCLUSIVE)")
		pragma("journal_mode(OFF)") // a file that is not complete is thrown away
		pragma("synchronous(OFF)")
		pragma("cache_size(-65536)")
		conns = 1
	}
	db, err := sql.Open("sqlite", name+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return newPool(db), nil
}

// Read is the pool to read from. Where the database is in memory it is the
// writer's single connection too, so a caller closes one result before it
// asks for the next.
func (db *DB) Read() *Pool { return db.read }

// Write is the single writer's connection, for statements that are a
// transaction of their own.
func (db *DB) Write() *Pool { return db.write }

// Begin takes the writer's lock and starts a write transaction. Every Begin is
// ended by one Commit or Rollback of the transaction it returned.
func (db *DB) Begin(ctx context.Context) (*Tx, error) {
	if db.write == nil {
		return nil, errors.New("the database is read-only")
	}
	db.mu.Lock()
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		db.mu.Unlock()
		return nil, fmt.Errorf("begin: %w", err)
	}
	return &Tx{Tx: tx, db: db}, nil
}

// Close closes all connections. What Open left behind beside the file (the
// log) is gone when the last connection was closed cleanly.
func (db *DB) Close() error {
	var errs []error
	if db.read != nil && db.read != db.write {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	return errors.Join(errs...)
}

// A Tx is a write transaction. Commit or Rollback gives the writer's lock back.
type Tx struct {
	*sql.Tx
	db   *DB
	done bool

	mu  sync.Mutex           // of the two below
	own map[string]*sql.Stmt // statements, closed by the end of the transaction
	new []string             // those of own that the writer does not keep yet
}

// Statement returns the prepared statement of a query, which the writer keeps
// for the transactions to come.
func (tx *Tx) Statement(ctx context.Context, query string) (*sql.Stmt, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if stmt, ok := tx.own[query]; ok {
		return stmt, nil
	}
	stmt := tx.db.write.inTx(ctx, tx.Tx, query)
	if stmt == nil {
		var err error
		if stmt, err = tx.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
		if len(tx.new) < maxPrepared {
			tx.new = append(tx.new, query)
		}
	}
	if tx.own == nil {
		tx.own = map[string]*sql.Stmt{}
	}
	tx.own[query] = stmt
	return stmt, nil
}

// Statements are the queries that Statement was asked for.
func (tx *Tx) Statements() iter.Seq[string] { return maps.Keys(tx.own) }

// Commit ends the transaction and keeps what it wrote.
func (tx *Tx) Commit() error { return tx.end(tx.Tx.Commit) }

// Rollback ends the transaction and drops what it wrote. After a Commit it
// does nothing, so that it can be deferred.
func (tx *Tx) Rollback() error { return tx.end(tx.Tx.Rollback) }

func (tx *Tx) end(f func() error) error {
	if tx.done {
		return nil
	}
	tx.done = true
	defer tx.db.mu.Unlock()
	err := f()
	for _, query := range tx.new { // its connection is free only now
		tx.db.write.keep(context.Background(), query)
	}
	return err
}

// Migrate brings the database to the newest version: it runs the .sql files of
// dir in the order of their names, each once and in a transaction of its own.
// The number of files that were run stands in the file's user_version.
func (db *DB) Migrate(ctx context.Context, files fs.FS, dir string) error {
	names, err := fs.Glob(files, dir+"/*.sql")
	if err != nil {
		return fmt.Errorf("list migrations: %w", err)
	}
	var have int
	if err := db.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > len(names) {
		return fmt.Errorf("the database has schema version %d, this program knows %d: it was written by a newer one", have, len(names))
	}
	for i := have; i < len(names); i++ {
		if err := db.migrate(ctx, files, names[i], i+1); err != nil {
			return fmt.Errorf("migrate to %s: %w", strings.TrimPrefix(names[i], dir+"/"), err)
		}
	}
	return nil
}

// DropIndexes drops all indexes but those of constraints and returns the
// statements that make them again.
func (db *DB) DropIndexes(ctx context.Context) (create []string, err error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	rows, err := tx.QueryContext(ctx, "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name, statement string
		if err := rows.Scan(&name, &statement); err != nil {
			return nil, fmt.Errorf("list indexes: %w", err)
		}
		names, create = append(names, name), append(create, statement)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("list indexes: %w", err)
	}
	for _, name := range names {
		if _, err := tx.ExecContext(ctx, "DROP INDEX "+name); err != nil {
			return nil, fmt.Errorf("drop index %s: %w", name, err)
		}
	}
	return create, tx.Commit()
}

func (db *DB) migrate(ctx context.Context, files fs.FS, name string, version int) error {
	script, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	tx, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, string(script)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(version)); err != nil {
		return err
	}
	return tx.Commit()
}
