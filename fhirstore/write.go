package fhirstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// A writeTx is a write transaction. All that it writes has one instant.
type writeTx struct {
	*sqlitedb.Tx
	store *Store
	packs *packs
	at    time.Time

	batch *rowBatch // collects the rows of new resources; nil writes them at once

	numbered bool
	rid, seq int64 // the highest in use
}

func (tx *writeTx) exec(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	stmt, err := tx.Statement(ctx, statement)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// QueryRowContext is that of sql.Tx, prepared.
func (tx *writeTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt, err := tx.Statement(ctx, query); err == nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return tx.Tx.QueryRowContext(ctx, query, args...) // which has the error
}

const setMeta = "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)"

func (tx *writeTx) setMeta(ctx context.Context, key, value string) error {
	_, err := tx.exec(ctx, setMeta, key, value)
	return err
}

// data is what the store holds, as the transaction sees it.
func (tx *writeTx) data() *data { return &data{read: tx, packs: tx.packs} }

// readOnly is a store that shows what the transaction sees, for as long as it
// lasts.
func (tx *writeTx) readOnly() *Store {
	s := tx.store
	seen := &Store{defs: s.defs, clock: s.clock, newID: s.newID, check: s.check, last: s.last}
	seen.cur.Store(tx.data())
	return seen
}

// A newVersion is a version on its way into the store.
type newVersion struct {
	typ, id, org string
	old          *row // nil for a new resource
	draft        *draft
	values       *values // of the draft; nil: not extracted yet
	gates        []*gate // what the view may write; none where that was checked already
	op           Op
	at           time.Time                             // zero: the transaction's instant
	pack         func(typ string) (*packWriter, error) // nil: a loose row
}

// put appends a version, makes it the current state and writes its search rows.
func (tx *writeTx) put(ctx context.Context, p *newVersion) (*Resource, error) {
	at := p.at
	if at.IsZero() {
		at = tx.at
	}
	res := &Resource{Type: p.typ, ID: p.id, Version: 1, At: at, Op: p.op, Organization: p.org}
	if p.old != nil {
		res.Version, res.Organization = p.old.vid+1, p.old.org
	}
	v := p.values
	if v == nil {
		v = extract(tx.store.defs, p.typ, p.id, p.draft.root)
	}
	for _, g := range p.gates {
		if err := g.values(p.id, res, v); err != nil {
			return nil, err
		}
	}
	res.JSON = p.draft.stamped(p.id, res.Version, at)

	b := body{len: int64(len(res.JSON))}
	var err error
	if p.pack != nil {
		w, err := p.pack(p.typ)
		if err != nil {
			return nil, err
		}
		b.pack = w.number
		if b.off, err = w.add(res.JSON); err != nil {
			return nil, err
		}
		if len(v.patients) == 0 {
			w.outside++
		}
	}
	rid, err := tx.append(ctx, p, res, &b)
	if err != nil {
		return nil, fmt.Errorf("write %s/%s: %w", p.typ, p.id, err)
	}
	if p.old == nil {
		return res, tx.writeIndex(ctx, rid, p.typ, p.id, v)
	}
	return res, tx.rewriteIndex(ctx, rid, p.typ, p.id, v)
}

// rewriteIndex replaces the search rows of a resource.
func (tx *writeTx) rewriteIndex(ctx context.Context, rid int64, typ, id string, v *values) error {
	compartments, err := tx.clearIndex(ctx, rid)
	if err == nil && compartments > 0 && len(v.patients) == 0 {
		err = tx.leaveCompartments(ctx)
	}
	if err != nil {
		return err
	}
	return tx.writeIndex(ctx, rid, typ, id, v)
}

// amend replaces the content of a version that the transaction wrote loose.
func (tx *writeTx) amend(ctx context.Context, res *Resource, d *draft, gates []*gate) (*Resource, error) {
	r, err := lookUp(ctx, tx, res.Type, res.ID)
	if err != nil {
		return nil, err
	}
	v := extract(tx.store.defs, res.Type, res.ID, d.root)
	for _, g := range gates {
		if err := g.values(res.ID, res, v); err != nil {
			return nil, err
		}
	}
	amended := *res
	amended.JSON = d.stamped(res.ID, res.Version, res.At)
	length := len(amended.JSON)
	for _, do := range []struct {
		statement string
		args      []any
	}{
		{"UPDATE loose SET json = ? WHERE seq = ?", []any{amended.JSON, r.seq}},
		{"UPDATE version SET len = ? WHERE seq = ?", []any{length, r.seq}},
		{"UPDATE resource SET len = ? WHERE rid = ?", []any{length, r.rid}},
	} {
		if _, err := tx.exec(ctx, do.statement, do.args...); err != nil {
			return nil, fmt.Errorf("amend %s/%s: %w", res.Type, res.ID, err)
		}
	}
	return &amended, tx.rewriteIndex(ctx, r.rid, res.Type, res.ID, v)
}

// append writes the version and the current state. It returns the row id.
func (tx *writeTx) append(ctx context.Context, p *newVersion, res *Resource, b *body) (rid int64, err error) {
	if err := tx.number(ctx); err != nil {
		return 0, err
	}
	tx.seq++
	b.seq = tx.seq
	if p.old != nil {
		rid = p.old.rid
		if err := tx.supersede(ctx, p.old); err != nil {
			return 0, err
		}
		_, err = tx.exec(ctx, "UPDATE resource SET live = 1, seq = ?, vid = ?, at = ?, pack = ?, off = ?, len = ? WHERE rid = ?",
			b.seq, res.Version, toMillis(res.At), b.pack, b.off, b.len, rid)
	} else {
		tx.rid++
		rid = tx.rid
		err = tx.insert(ctx, "INSERT INTO resource(rid, type, id, live, seq, vid, at, org, pack, off, len)", 11,
			rid, res.Type, res.ID, 1, b.seq, 1, toMillis(res.At), res.Organization, b.pack, b.off, b.len)
	}
	if err != nil {
		return 0, err
	}
	if b.pack == 0 {
		if _, err := tx.exec(ctx, "INSERT INTO loose(seq, json) VALUES(?, ?)", b.seq, res.JSON); err != nil {
			return 0, err
		}
	}
	return rid, tx.log(ctx, rid, res, *b)
}

// number reads the highest numbers in use, once a transaction.
func (tx *writeTx) number(ctx context.Context) error {
	if tx.numbered {
		return nil
	}
	tx.numbered = true
	return tx.QueryRowContext(ctx, "SELECT (SELECT coalesce(max(rid), 0) FROM resource), (SELECT coalesce(max(seq), 0) FROM version)").Scan(&tx.rid, &tx.seq)
}

func (tx *writeTx) log(ctx context.Context, rid int64, res *Resource, b body) error {
	return tx.insert(ctx, "INSERT INTO version(seq, rid, vid, at, op, pack, off, len)", 8,
		b.seq, rid, res.Version, toMillis(res.At), string(res.Op), b.pack, b.off, b.len)
}

// insert writes a row, or has it written with others.
func (tx *writeTx) insert(ctx context.Context, insert string, columns int, row ...any) error {
	if tx.batch != nil {
		tx.batch.add(insert, columns, row...)
		return nil
	}
	_, err := tx.exec(ctx, insert+" VALUES("+placeholders(columns)+")", row...)
	return err
}

// supersede counts a row of a pack as dead that is about to be no one's
// current live state.
func (tx *writeTx) supersede(ctx context.Context, old *row) error {
	if old.pack == 0 || !old.live {
		return nil
	}
	_, err := tx.exec(ctx, "UPDATE pack SET dead = dead + 1 WHERE pack = ?", old.pack)
	return err
}

// appendTombstone turns a live resource into a tombstone. Its search,
// compartment and member rows stay, so that filters apply to it as they did.
func (tx *writeTx) appendTombstone(ctx context.Context, old *row) (*Resource, error) {
	res := &Resource{Type: old.typ, ID: old.id, Version: old.vid + 1, At: tx.at, Op: OpDelete, Organization: old.org}
	if err := tx.supersede(ctx, old); err != nil {
		return nil, err
	}
	if err := tx.number(ctx); err != nil {
		return nil, err
	}
	tx.seq++
	if err := tx.log(ctx, old.rid, res, body{seq: tx.seq}); err != nil {
		return nil, err
	}
	_, err := tx.exec(ctx, "UPDATE resource SET live = 0, seq = ?, vid = ?, at = ?, pack = 0, off = 0, len = 0 WHERE rid = ?",
		tx.seq, res.Version, toMillis(tx.at), old.rid)
	return res, err
}
