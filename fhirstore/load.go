package fhirstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// An Input is one resource of a population or a load.
type Input struct {
	Type, ID     string
	Organization string    // id of the organization it belongs to; empty for none
	At           time.Time // lastUpdated; zero, or a time to come, means the instant of the load
	JSON         []byte
}

// A Load takes many resources in one transaction: all of them or none. Their
// bodies go into packs. While it is open nobody else can write.
type Load struct {
	store *Store
	view  View
	data  *data
	tx    *writeTx
	gates map[string]*gate

	// historic makes the latest resource's instant the newest one of the store:
	// for a population, which does not depend on when it is made.
	historic bool
	latest   int64 // the newest instant of a resource in the load

	first     int64 // the number of the load's first version
	next      int64 // the number of the next pack
	firstPack int64
	open      map[string]*packWriter
	full      []*packWriter
	done      bool

	arrivals *arrivals // of a population that is built; nil of any other load

	// recent are the resources whose rows may not be written yet.
	recent map[string]bool
}

// maxRecent is after how many resources a load has everything written.
const maxRecent = 2000

// Load begins a load. It is ended by Commit or Rollback.
func (s *Store) Load(ctx context.Context, v View) (_ *Load, err error) {
	s.writing.Lock()
	defer func() {
		if err != nil {
			s.writing.Unlock()
		}
	}()
	if err := s.own(ctx); err != nil {
		return nil, err
	}
	d := s.cur.Load()
	sqlTx, err := d.db.Begin(ctx)
	if err != nil {
		return nil, err
	}
	l := &Load{store: s, view: v, data: d, gates: map[string]*gate{}, open: map[string]*packWriter{},
		tx: &writeTx{Tx: sqlTx, store: s, packs: d.packs, at: s.nextInstant()}}
	l.recent = map[string]bool{}
	if err = l.tx.number(ctx); err == nil {
		l.first = l.tx.seq + 1
		err = l.tx.QueryRowContext(ctx, "SELECT coalesce(max(pack), 0) + 1 FROM pack").Scan(&l.next)
		l.firstPack = l.next
	}
	if err != nil {
		sqlTx.Rollback()
		return nil, fmt.Errorf("begin load: %w", err)
	}
	l.tx.batch = newRowBatch(context.WithoutCancel(ctx), l.tx)
	return l, nil
}

// Add takes one resource. An error that is a *fhirjson.SyntaxError, an
// *InvalidError, a *DuplicateError or a *ForbiddenError leaves the load as it
// was, and it may go on; after any other it can only be rolled back. Where a
// population is built, it may be the error of a resource before, and the last
// ones' come with Commit.
func (l *Load) Add(ctx context.Context, in Input) error {
	if !ValidID(in.ID) {
		return &InvalidError{Code: "value", Expression: in.Type + ".id", Message: fmt.Sprintf(noID, in.ID)}
	}
	if l.arrivals != nil {
		return l.arrivals.add(in)
	}
	d, err := newDraft(in.Type, in.JSON)
	if err != nil {
		return err
	}
	return l.take(ctx, in, d, nil)
}

// take writes a resource that was read; values are nil where they were not
// extracted yet.
func (l *Load) take(ctx context.Context, in Input, d *draft, v *values) error {
	g, err := l.gate(ctx, in.Type)
	if err != nil {
		return err
	}
	old, err := l.known(ctx, in.Type, in.ID)
	if err != nil {
		return err
	}
	p := &newVersion{typ: in.Type, id: in.ID, org: in.Organization, old: old, draft: d, values: v, gates: []*gate{g}, op: OpCreate, pack: l.pack}
	if old != nil {
		if old.seq >= l.first {
			return &DuplicateError{Type: in.Type, ID: in.ID}
		}
		if err := g.touches(ctx, l.tx.data(), old); err != nil {
			return err
		}
		if old.live {
			p.op = OpUpdate
		}
	}
	if !in.At.IsZero() && (l.historic || in.At.Before(l.tx.at)) {
		p.at = in.At
	}
	res, err := l.tx.put(ctx, p)
	if err == nil {
		l.latest = max(l.latest, toMillis(res.At))
	}
	return err
}

// known returns what there is of a resource before the load, or nil. It is a
// *DuplicateError where the load has brought it already.
func (l *Load) known(ctx context.Context, typ, id string) (*row, error) {
	name := typ + "/" + id
	if l.recent[name] {
		return nil, &DuplicateError{Type: typ, ID: id}
	}
	if l.data.packs.building { // there is nothing before it, and what is there twice breaks it
		return nil, nil
	}
	if len(l.recent) >= maxRecent {
		if err := l.tx.batch.settle(); err != nil {
			return nil, fmt.Errorf("write: %w", err)
		}
		clear(l.recent)
	}
	old, err := lookUpIfAny(ctx, l.tx, typ, id)
	if err == nil {
		l.recent[name] = true
	}
	return old, err
}

func (l *Load) gate(ctx context.Context, typ string) (*gate, error) {
	if g, ok := l.gates[typ]; ok {
		return g, nil
	}
	if !l.store.defs.IsType(typ) {
		return nil, &InvalidError{Code: "not-supported", Expression: "resourceType", Message: fmt.Sprintf("FHIR R4 has no resource type %q", typ)}
	}
	g, err := l.store.gateIn(ctx, l.tx, l.view, typ, LetterUpdate)
	if err == nil {
		l.gates[typ] = g
	}
	return g, err
}

// pack returns the pack that the next resource of the type goes into.
func (l *Load) pack(typ string) (*packWriter, error) {
	w := l.open[typ]
	if w != nil && w.bytes < maxPackBytes {
		return w, nil
	}
	if w != nil {
		l.full = append(l.full, w)
	}
	w, err := l.data.packs.create(l.next, typ)
	if err != nil {
		return nil, err
	}
	l.next++
	l.open[typ] = w
	return w, nil
}

// Commit ends the load and keeps what it took.
func (l *Load) Commit(ctx context.Context) error {
	if l.done {
		return errors.New("the load has ended")
	}
	if err := l.arrived(); err != nil {
		return err
	}
	if err := l.tx.batch.settle(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	for _, w := range l.writers() {
		if err := l.data.packs.keep(w); err != nil {
			return err
		}
		_, err := l.tx.exec(ctx, "INSERT INTO pack(pack, type, rows, bytes, dead, outside) VALUES(?, ?, ?, ?, 0, ?)", w.number, w.typ, w.rows, w.bytes, w.outside)
		if err != nil {
			return fmt.Errorf("name pack: %w", err)
		}
	}
	if !l.data.packs.building { // else there is no index yet
		if err := l.tx.countOutside(ctx, provenance, l.firstPack); err != nil {
			return err
		}
	}
	if err := l.data.packs.syncNames(); err != nil {
		return err
	}
	if l.historic {
		l.store.last = l.latest
	}
	if err := l.tx.setMeta(ctx, metaLast, strconv.FormatInt(l.store.last, 10)); err != nil {
		return err
	}
	l.tx.batch.end()
	if err := l.tx.Commit(); err != nil {
		return fmt.Errorf("commit load: %w", err)
	}
	l.done = true
	l.store.writing.Unlock()
	return nil
}

// arrived waits for what is on its way. The load takes nothing after it.
func (l *Load) arrived() error {
	if l.arrivals == nil {
		return nil
	}
	err := l.arrivals.end()
	l.arrivals = nil
	return err
}

// Rollback ends the load and drops what it took. After a Commit it does
// nothing, so that it can be deferred.
func (l *Load) Rollback() error {
	if l.done {
		return nil
	}
	l.done = true
	defer l.store.writing.Unlock()
	l.arrived() // its error ended the load, or does not matter any more
	l.tx.batch.end()
	err := l.tx.Rollback()
	for _, w := range l.writers() {
		l.data.packs.drop(w)
	}
	return err
}

// writers returns the load's packs by number.
func (l *Load) writers() []*packWriter {
	list := slices.Clone(l.full)
	for _, w := range l.open {
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b *packWriter) int { return int(a.number - b.number) })
	return list
}
