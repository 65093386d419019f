package sqlitedb

import (
	"context"
	"database/sql"
)

// A Reader is a place among the readers: a connection that its holder has for
// itself until Close.
type Reader struct {
	conn *sql.Conn // nil where nothing is taken before Begin
	pool *Pool
}

// Owns reports whether a reader is one of this database.
func (db *DB) Owns(r *Reader) bool { return db.read == r.pool }

// Reader waits for a connection to read with, so that whoever takes a lock next
// need not wait while holding it. A database whose only connection is the
// writer's too gives it to Begin alone: whoever holds the lock may need it.
func (db *DB) Reader(ctx context.Context) (*Reader, error) {
	if db.read == db.write {
		return &Reader{pool: db.read}, nil
	}
	conn, err := db.read.db.Conn(ctx)
	return &Reader{conn: conn, pool: db.read}, err
}

// Begin begins a read transaction. It has to end before Close.
func (r *Reader) Begin(ctx context.Context) (*sql.Tx, error) {
	opts := &sql.TxOptions{ReadOnly: true}
	if r.conn == nil {
		return r.pool.BeginTx(ctx, opts)
	}
	return r.conn.BeginTx(ctx, opts)
}

// Close gives the connection back.
func (r *Reader) Close() error {
	if r.conn == nil {
		return nil
	}
	return r.conn.Close()
}
