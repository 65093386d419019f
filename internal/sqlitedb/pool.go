package sqlitedb

import (
	"context"
	"database/sql"
	"sync"
)

// What a pool keeps of statements: so many, each of so many bytes at most. The
// oldest make room for new ones, so that odd queries do not stay for good.
const (
	maxPrepared  = 500
	maxStatement = 4 << 10
)

// A Pool runs queries over a set of connections and keeps statements prepared.
// It is safe for concurrent use.
type Pool struct {
	db *sql.DB

	mu    sync.Mutex
	kept  map[string]*kept
	order []string // of kept, the oldest first
}

// A kept statement is closed when it had to make room and nobody runs it.
type kept struct {
	*sql.Stmt
	running int
	gone    bool
}

func newPool(db *sql.DB) *Pool { return &Pool{db: db, kept: map[string]*kept{}} }

// take returns the kept statement of a query, to be given back once it was run,
// or nil.
func (p *Pool) take(query string) *kept {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.kept[query]
	if k != nil {
		k.running++
	}
	return k
}

func (p *Pool) giveBack(k *kept) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if k.running--; k.running == 0 && k.gone {
		k.Close() // what it still gives rows of goes on
	}
}

// keep prepares a statement, where it can be and is not yet.
func (p *Pool) keep(ctx context.Context, query string) {
	if len(query) > maxStatement {
		return
	}
	stmt, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return // whoever asked meets the error when the query runs
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept[query] != nil {
		stmt.Close()
		return
	}
	if len(p.order) == maxPrepared {
		oldest := p.kept[p.order[0]]
		if oldest.gone = true; oldest.running == 0 {
			oldest.Close()
		}
		delete(p.kept, p.order[0])
		p.order = p.order[1:]
	}
	p.kept[query] = &kept{Stmt: stmt}
	p.order = append(p.order, query)
}

// prepared is take, and keeps the statement where it is not kept yet.
func (p *Pool) prepared(ctx context.Context, query string) *kept {
	if k := p.take(query); k != nil {
		return k
	}
	p.keep(ctx, query)
	return p.take(query)
}

// inTx returns the statement of a query for a transaction of the pool, or nil
// where it is not kept.
func (p *Pool) inTx(ctx context.Context, tx *sql.Tx, query string) *sql.Stmt {
	k := p.take(query)
	if k == nil {
		return nil
	}
	defer p.giveBack(k)
	return tx.StmtContext(ctx, k.Stmt)
}

// QueryContext is that of sql.DB.
func (p *Pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if k := p.prepared(ctx, query); k != nil {
		defer p.giveBack(k)
		return k.QueryContext(ctx, args...)
	}
	return p.db.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of sql.DB.
func (p *Pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if k := p.prepared(ctx, query); k != nil {
		defer p.giveBack(k)
		return k.QueryRowContext(ctx, args...)
	}
	return p.db.QueryRowContext(ctx, query, args...)
}

// ExecContext is that of sql.DB.
func (p *Pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if k := p.prepared(ctx, query); k != nil {
		defer p.giveBack(k)
		return k.ExecContext(ctx, args...)
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
