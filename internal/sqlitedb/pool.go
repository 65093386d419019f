package sqlitedb

import (
	"context"
	"database/sql"
	"sync"
)

// maxPrepared bounds how many statements a pool keeps. Queries have few shapes;
// what is beyond is prepared each time.
const maxPrepared = 500

// A Pool runs queries over a set of connections and keeps every statement
// prepared. It is safe for concurrent use.
type Pool struct {
	db *sql.DB

	mu       sync.RWMutex
	prepared map[string]*sql.Stmt
}

func newPool(db *sql.DB) *Pool { return &Pool{db: db, prepared: map[string]*sql.Stmt{}} }

// statement returns the prepared statement of a query, or nil where it cannot
// be prepared or there are too many.
func (p *Pool) statement(ctx context.Context, query string) *sql.Stmt {
	p.mu.RLock()
	stmt, full := p.prepared[query], len(p.prepared) >= maxPrepared
	p.mu.RUnlock()
	if stmt != nil || full {
		return stmt
	}
	stmt, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil // whoever asked meets the error when the query runs
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.prepared[query]; other != nil {
		stmt.Close()
		return other
	}
	p.prepared[query] = stmt
	return stmt
}

// kept returns the prepared statement of a query, or nil where there is none yet.
func (p *Pool) kept(query string) *sql.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.prepared[query]
}

// QueryContext is that of sql.DB.
func (p *Pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := p.statement(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return p.db.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of sql.DB.
func (p *Pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := p.statement(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return p.db.QueryRowContext(ctx, query, args...)
}

// ExecContext is that of sql.DB.
func (p *Pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := p.statement(ctx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return p.db.ExecContext(ctx, query, args...)
}

// BeginTx is that of sql.DB.
func (p *Pool) BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error) {
	return p.db.BeginTx(ctx, opts)
}

// Ping opens a connection.
func (p *Pool) Ping() error { return p.db.Ping() }

// Close closes the connections.
func (p *Pool) Close() error { return p.db.Close() }
