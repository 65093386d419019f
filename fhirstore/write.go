package fhirstore

import (
	"context"
	"database/sql"
	"errors"
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

	prepared map[string]*sql.Stmt

	numbered bool
	rid, seq int64 // the highest in use
}

// statement prepares a statement once a transaction.
func (tx *writeTx) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := tx.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if tx.prepared == nil {
		tx.prepared = map[string]*sql.Stmt{}
	}
	tx.prepared[query] = stmt // closed by the end of the transaction
	return stmt, nil
}

func (tx *writeTx) exec(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	stmt, err := tx.statement(ctx, statement)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// QueryRowContext is that of sql.Tx, prepared.
func (tx *writeTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt, err := tx.statement(ctx, query); err == nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return tx.Tx.QueryRowContext(ctx, query, args...) // which has the error
}

const setMeta = "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)"

func (tx *writeTx) setMeta(ctx context.Context, key, value string) error {
	_, err := tx.exec(ctx, setMeta, key, value)
	return err
}

func (tx *writeTx) readBody(ctx context.Context, b body) ([]byte, error) {
	return tx.packs.readBody(ctx, tx, b)
}

// A Condition is what a write asks of the current state (FHIR R4, http,
// managing resource contention).
type Condition struct {
	IfMatch     string // a version id without quotes and W/, or "*"; empty for none
	IfNoneMatch bool   // If-None-Match: *: only where there is no live resource
}

func (c Condition) check(typ, id string, r *row) error {
	live := r != nil && r.live
	if c.IfNoneMatch && live {
		return &ConflictError{Type: typ, ID: id, Want: "If-None-Match: *", Current: r.vid}
	}
	if c.IfMatch == "" {
		return nil
	}
	if !live {
		return &ConflictError{Type: typ, ID: id, Want: "If-Match: " + c.IfMatch}
	}
	if c.IfMatch != "*" && c.IfMatch != fmt.Sprint(r.vid) {
		return &ConflictError{Type: typ, ID: id, Want: "version " + c.IfMatch, Current: r.vid}
	}
	return nil
}

// Create stores a new resource under an id that the store chooses; id,
// versionId and lastUpdated of the body are ignored (FHIR R4, http, create).
// Its errors are *fhirjson.SyntaxError, *InvalidError, *ForbiddenError and
// those of Options.Check.
func (s *Store) Create(ctx context.Context, v View, typ string, body []byte) (*Resource, error) {
	g, err := s.gate(ctx, v, typ, LetterCreate)
	if err != nil {
		return nil, err
	}
	d, err := s.incoming(typ, body)
	if err != nil {
		return nil, err
	}
	var created *Resource
	err = s.write(ctx, func(tx *writeTx) error {
		created, err = tx.put(ctx, &newVersion{typ: typ, id: s.newID(), org: v.Owner, draft: d, gate: g, op: OpCreate})
		return err
	})
	return created, err
}

// Update stores the next version of a resource, or its first one where there
// is none: then created is true, and also where it revives a deleted one (FHIR
// R4, http, update). The body's id has to be id. A view needs the letter u for
// either. Its errors are those of Create and *ConflictError.
func (s *Store) Update(ctx context.Context, v View, typ, id string, body []byte, cond Condition) (res *Resource, created bool, err error) {
	g, err := s.gate(ctx, v, typ, LetterUpdate)
	if err != nil {
		return nil, false, err
	}
	if !ValidID(id) {
		return nil, false, &InvalidError{Code: "value", Expression: typ + ".id", Message: fmt.Sprintf("%q is no id: 1 to 64 of A-Z a-z 0-9 - and the dot", id)}
	}
	d, err := s.incoming(typ, body)
	if err != nil {
		return nil, false, err
	}
	switch got := d.id(); {
	case got == "":
		return nil, false, &InvalidError{Code: "required", Expression: typ + ".id", Message: "the body of an update has to carry the id of its URL; it has none"}
	case got != id:
		return nil, false, &InvalidError{Code: "invalid", Expression: typ + ".id", Message: fmt.Sprintf("the body's id is %q, the URL's is %q; they have to be the same", got, id)}
	}
	err = s.write(ctx, func(tx *writeTx) error {
		res, created, err = tx.update(ctx, g, v.Owner, id, d, cond)
		return err
	})
	return res, created, err
}

// update writes the next version of a resource of the gate's type, or its first.
func (tx *writeTx) update(ctx context.Context, g *gate, owner, id string, d *draft, cond Condition) (res *Resource, created bool, err error) {
	old, err := tx.current(ctx, g, id, cond)
	if err != nil {
		return nil, false, err
	}
	created = old == nil || !old.live
	op := OpUpdate
	if created {
		op = OpCreate
	}
	res, err = tx.put(ctx, &newVersion{typ: g.typ, id: id, org: owner, old: old, draft: d, gate: g, op: op})
	return res, created, err
}

// current looks up what a write is about to change, nil for nothing, and checks
// that the view may touch it and that the write's condition holds.
func (tx *writeTx) current(ctx context.Context, g *gate, id string, cond Condition) (*row, error) {
	old, err := lookUp(ctx, tx, g.typ, id)
	var missing *NotFoundError
	if err != nil && !errors.As(err, &missing) {
		return nil, err
	}
	if err := tx.checkCurrent(ctx, g, old); err != nil {
		return nil, err
	}
	return old, cond.check(g.typ, id, old)
}

// Delete deletes a resource and returns the version that records it (FHIR R4,
// http, delete). Where there is no live resource it does nothing and returns
// nil without error. Its errors are *ForbiddenError and *ConflictError.
func (s *Store) Delete(ctx context.Context, v View, typ, id string, cond Condition) (*Resource, error) {
	g, err := s.gate(ctx, v, typ, LetterDelete)
	if err != nil {
		return nil, err
	}
	var tombstone *Resource
	err = s.write(ctx, func(tx *writeTx) error {
		tombstone, err = tx.delete(ctx, g, id, cond)
		return err
	})
	if errors.Is(err, errNothingToDo) {
		return nil, nil
	}
	return tombstone, err
}

// errNothingToDo ends a write that turned out to change nothing.
var errNothingToDo = errors.New("nothing to do")

// delete deletes a resource of the gate's type; its error is errNothingToDo
// where there is none.
func (tx *writeTx) delete(ctx context.Context, g *gate, id string, cond Condition) (*Resource, error) {
	old, err := tx.current(ctx, g, id, cond)
	if err != nil {
		return nil, err
	}
	if old == nil || !old.live {
		return nil, errNothingToDo
	}
	return tx.appendTombstone(ctx, old)
}

// checkCurrent checks that the view may touch the resource as it is now.
func (tx *writeTx) checkCurrent(ctx context.Context, g *gate, old *row) error {
	if old == nil {
		return nil
	}
	if err := g.organization(old.typ, old.id, old.org); err != nil {
		return err
	}
	if !old.live || len(g.filters) == 0 {
		return nil
	}
	json, err := tx.readBody(ctx, old.body)
	if err != nil {
		return err
	}
	res := old.resource(json)
	return g.content(&res)
}

// A newVersion is a version on its way into the store.
type newVersion struct {
	typ, id, org string
	old          *row // nil for a new resource
	draft        *draft
	gate         *gate // nil where the view was checked already
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
	v := extract(tx.store.defs, p.typ, p.id, p.draft.root)
	if p.gate != nil {
		if err := p.gate.values(p.id, res, v); err != nil {
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
	if p.old != nil {
		compartments, err := tx.clearIndex(ctx, rid)
		if err == nil && compartments > 0 && len(v.patients) == 0 {
			err = tx.leaveCompartments(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	return res, tx.writeIndex(ctx, rid, p.typ, p.id, v)
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
		_, err = tx.exec(ctx, "INSERT INTO resource(rid, type, id, live, seq, vid, at, org, pack, off, len) VALUES(?, ?, ?, 1, ?, 1, ?, ?, ?, ?, ?)",
			rid, res.Type, res.ID, b.seq, toMillis(res.At), res.Organization, b.pack, b.off, b.len)
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
	_, err := tx.exec(ctx, "INSERT INTO version(seq, rid, vid, at, op, pack, off, len) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
		b.seq, rid, res.Version, toMillis(res.At), string(res.Op), b.pack, b.off, b.len)
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
