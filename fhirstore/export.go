package fhirstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A Level says whose data an export is about.
type Level int

// The levels of Bulk Data exports.
const (
	SystemLevel  Level = iota // everything
	PatientLevel              // the compartments of all patients
	GroupLevel                // the compartments of a group's members
)

// A Selection says what an export is to hold.
type Selection struct {
	Level Level
	Group string // id of the Group, with GroupLevel
	// Patients narrows a patient or group export to these patients; nil means
	// all of them.
	Patients []string
	// Types are the resource types wanted; nil means all that the view shows,
	// without Group where the level is not the system.
	Types []string
	// Since and Until bound lastUpdated: after the one and before the other.
	// Zero means no bound.
	Since, Until time.Time
	// Filters are queries of which a resource of their type has to match one.
	Filters []*Query
}

// A Snapshot is what an export holds: fixed by the kick-off, whatever is
// written later.
type Snapshot struct {
	// At is the export's transactionTime: every change up to and including it
	// is in the files, every later one gets a later instant.
	At time.Time
	// Types are the types of what is in Output and Deleted, sorted.
	Types []string
	// Output has one file a type; types without data have none.
	Output []File
	// Deleted are files of transaction Bundles with the deletions after Since.
	Deleted []File
}

// A File is one file of an export: NDJSON, a line a resource.
type File struct {
	Type  string // the type of the resources in it
	Rows  int64
	Bytes int64
	// Extents say where the bytes are, in a form only for OpenFile. They stay
	// good for as long as the store exists.
	Extents []byte
}

// contextTypes are the types outside of the patient compartment that patient
// and group exports hold as well, because the others refer to them.
var contextTypes = [...]string{"Location", "Medication", "Organization", "Practitioner", "PractitionerRole"}

// Export takes a snapshot (Bulk Data Access, kick-off): in one read
// transaction, and at an instant of its own that lies between the commits
// before and after it. Its errors are *ForbiddenError where the selection names
// a type that the view does not show, or where it shows none; what Read would
// say of the Group and of each patient that the selection names; and
// *NotMemberError for a patient who is not in the Group.
func (s *Store) Export(ctx context.Context, v View, sel Selection) (*Snapshot, error) {
	tx, err := s.beginRead(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin export: %w", err)
	}
	defer tx.end()
	e := exporter{store: s, ctx: ctx, tx: tx, packs: tx.data.packs, view: v, sel: sel, snap: &Snapshot{At: tx.at}}
	if err := e.run(); err != nil {
		return nil, err
	}
	return e.snap, nil
}

// An exporter takes one snapshot.
type exporter struct {
	store *Store
	ctx   context.Context
	tx    querier
	packs *packs
	view  View
	sel   Selection
	snap  *Snapshot

	inScope    string // JSON array of the ids of the patients exported; empty for all
	tombstones []tombstone
}

func (e *exporter) run() error {
	if err := e.patients(); err != nil {
		return err
	}
	types, err := e.types()
	if err != nil {
		return err
	}
	for _, typ := range types {
		if err := e.export(typ); err != nil {
			return fmt.Errorf("export %s: %w", typ, err)
		}
	}
	return e.deletions()
}

// patients finds whose compartments are exported. Members that are inactive or
// whose period has ended or not begun are left out, and so are those that are no patients.
func (e *exporter) patients() error {
	if e.sel.Level == GroupLevel {
		if err := e.readable("Group", e.sel.Group); err != nil {
			return err
		}
	}
	for _, id := range e.sel.Patients {
		if err := e.readable("Patient", id); err != nil {
			return err
		}
	}
	ids := e.sel.Patients
	if e.sel.Level == GroupLevel {
		members := []string{}
		err := each(e.ctx, e.tx, func(rows *sql.Rows) error {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			if e.sel.Patients == nil || slices.Contains(e.sel.Patients, id) {
				members = append(members, id)
			}
			return nil
		}, "SELECT DISTINCT substr(member, 9) FROM member WHERE grp = ? AND substr(member, 1, 8) = 'Patient/' AND inactive = 0 AND joined <= ? AND ended > ?", e.sel.Group, toMillis(e.snap.At), toMillis(e.snap.At))
		if err != nil {
			return fmt.Errorf("members of Group/%s: %w", e.sel.Group, err)
		}
		for _, id := range e.sel.Patients {
			if !slices.Contains(members, id) {
				return &NotMemberError{Group: e.sel.Group, Patient: id}
			}
		}
		ids = members
	}
	if ids == nil {
		return nil
	}
	list, err := json.Marshal(ids)
	e.inScope = string(list)
	return err
}

// readable returns why the view may not read a resource that the selection
// names; nil if it may.
func (e *exporter) readable(typ, id string) error {
	g, r, err := e.store.find(e.ctx, e.tx, e.view, typ, id)
	if err != nil {
		return err
	}
	_, err = g.current(e.ctx, e.tx, e.packs, r)
	return err
}

// types returns the types to export, sorted.
func (e *exporter) types() ([]string, error) {
	if e.sel.Types != nil {
		return e.wanted()
	}
	var types []string
	for typ := ""; ; {
		// One seek a type: a DISTINCT would read the whole index.
		err := e.tx.QueryRowContext(e.ctx, "SELECT coalesce(min(type), '') FROM resource WHERE type > ?", typ).Scan(&typ)
		if err != nil {
			return nil, fmt.Errorf("list types: %w", err)
		}
		if typ == "" {
			return types, e.anyShown()
		}
		if e.shown(typ) && e.atLevel(typ) && (typ != "Group" || e.sel.Level == SystemLevel) {
			types = append(types, typ)
		}
	}
}

// wanted returns the types that the selection names.
func (e *exporter) wanted() ([]string, error) {
	types := slices.Clone(e.sel.Types)
	slices.Sort(types)
	types = slices.Compact(types)
	for _, typ := range types {
		if !e.shown(typ) {
			return nil, &ForbiddenError{Reason: NoLetter, Type: typ, Letter: LetterRead | LetterSearch}
		}
	}
	return slices.DeleteFunc(types, func(typ string) bool { return !e.atLevel(typ) }), nil
}

// anyShown refuses an export by someone who may see nothing at all.
func (e *exporter) anyShown() error {
	if slices.ContainsFunc(e.store.defs.Types(), e.shown) {
		return nil
	}
	return &ForbiddenError{Reason: NoLetter, Type: "*", Letter: LetterRead | LetterSearch}
}

// shown reports whether the view may read and search the type: an export is
// both.
func (e *exporter) shown(typ string) bool {
	return e.view.Has(typ, LetterRead) && e.view.Has(typ, LetterSearch)
}

func (e *exporter) atLevel(typ string) bool {
	return e.sel.Level == SystemLevel || e.store.ExportsAtPatientLevel(typ)
}

// export adds the file and the tombstones of one type.
func (e *exporter) export(typ string) error {
	n, err := e.narrow(typ)
	if err != nil {
		return err
	}
	var x extentWriter
	if n.whole {
		err = e.byPack(typ, n, &x)
	} else {
		err = e.rows(&x, e.ofType(typ, 1)+" AND "+n.where, append([]any{typ}, n.args...)...)
	}
	if err != nil {
		return err
	}
	if x.rows > 0 {
		e.snap.Output = append(e.snap.Output, File{Type: typ, Rows: x.rows, Bytes: x.bytes, Extents: x.encode()})
	}
	before := len(e.tombstones)
	if !e.sel.Since.IsZero() {
		err = e.collectTombstones(typ, n)
	}
	if x.rows > 0 || len(e.tombstones) > before {
		e.snap.Types = append(e.snap.Types, typ)
	}
	return err
}

// byPack takes the resources of a type that nothing narrows but being in a
// compartment: a pack of nothing else as one extent, whatever its size, and the
// others row by row.
func (e *exporter) byPack(typ string, n *narrowing, x *extentWriter) error {
	type packRow struct{ pack, rows, bytes, dead, outside int64 }
	var list []packRow
	err := each(e.ctx, e.tx, func(rows *sql.Rows) error {
		var p packRow
		if err := rows.Scan(&p.pack, &p.rows, &p.bytes, &p.dead, &p.outside); err != nil {
			return err
		}
		list = append(list, p)
		return nil
	}, "SELECT pack, rows, bytes, dead, outside FROM pack WHERE type = ? ORDER BY pack", typ)
	if err != nil {
		return err
	}
	ofPack := func(pack int64) error {
		return e.rows(x, "r.type = ? AND r.live = 1 AND r.pack = ? AND "+n.where, append([]any{typ, pack}, n.args...)...)
	}
	for _, p := range list {
		if p.dead == 0 && (p.outside == 0 || !n.inside) {
			x.pack(p.pack, 0, p.bytes, p.rows)
		} else if err := ofPack(p.pack); err != nil {
			return err
		}
	}
	return ofPack(0) // the loose rows
}

// rows takes the resources for which a condition on r holds.
func (e *exporter) rows(x *extentWriter, where string, args ...any) error {
	return each(e.ctx, e.tx, func(rows *sql.Rows) error {
		var b body
		if err := rows.Scan(&b.pack, &b.off, &b.len, &b.seq); err != nil {
			return err
		}
		if b.pack == 0 {
			x.loose(b.seq, b.len+1)
		} else {
			x.pack(b.pack, b.off, b.len+1, 1)
		}
		return nil
	}, "SELECT r.pack, r.off, r.len, r.seq FROM resource r WHERE "+where+" ORDER BY r.pack, r.off, r.seq", args...)
}
