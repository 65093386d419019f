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
	// AnyGroup takes a Group that the view's permissions do not show; its
	// organizations bind it all the same.
	AnyGroup bool
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
	// Associated says which Provenance goes with the resources exported; empty
	// leaves it to Types.
	Associated Associated
	// OrganizeBy is Patient for files of blocks, one a patient, in place of files
	// of one type; empty for those.
	OrganizeBy string
	// OnlyChanges leaves out of a group export with Since what is older of
	// patients who joined the group after it.
	OnlyChanges bool
	// MaxRows and MaxBytes bound the files; 0 means no bound. One line alone may
	// have more bytes.
	MaxRows, MaxBytes int64
}

// A Snapshot is what an export holds: fixed by the kick-off, whatever is
// written later.
type Snapshot struct {
	// At is the export's transactionTime: every change up to and including it
	// is in the files, every later one gets a later instant.
	At time.Time
	// Types are the types of what is in Output and Deleted, sorted.
	Types []string
	// Output has the files of each type in turn; types without data have none.
	Output []File
	// Deleted are files of transaction Bundles with the deletions after Since.
	Deleted []File
	// Notes tell what the selection asks for and Output lacks.
	Notes []string
}

// A File is one file of an export: NDJSON, a line a resource.
type File struct {
	Type  string // the type of the resources in it; empty for files of blocks
	Rows  int64
	Bytes int64
	// Continues is set where the file ends within a block, which goes on in the
	// next one.
	Continues bool
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

	exporting []string // the types, sorted
	// JSON arrays of ids of patients, empty for all of them: whose data are
	// exported, whose deletions are told of, and who joined the group after Since.
	inScope, everInScope, joined string

	tombstones []tombstone
}

func (e *exporter) run() error {
	if err := e.patients(); err != nil {
		return err
	}
	var err error
	if e.exporting, err = e.types(); err != nil {
		return err
	}
	held := map[string]bool{}
	if e.sel.OrganizeBy != "" {
		err = e.organize(held)
	} else {
		err = e.byType(held)
	}
	if err != nil {
		return err
	}
	for _, typ := range e.exporting {
		before := len(e.tombstones)
		if err := e.collectTombstones(typ); err != nil {
			return fmt.Errorf("export %s: %w", typ, err)
		}
		if held[typ] || len(e.tombstones) > before {
			e.snap.Types = append(e.snap.Types, typ)
		}
	}
	return e.deletions()
}

// byType makes the files of each type, and notes in held which have any.
func (e *exporter) byType(held map[string]bool) error {
	for _, typ := range e.exporting {
		files, err := e.export(typ)
		if err != nil {
			return fmt.Errorf("export %s: %w", typ, err)
		}
		held[typ] = len(files) > 0
		e.snap.Output = append(e.snap.Output, files...)
	}
	return nil
}

// patients finds whose compartments are exported.
func (e *exporter) patients() (err error) {
	for _, id := range e.sel.Patients {
		if _, err := e.readable("Patient", id); err != nil {
			return err
		}
	}
	if e.sel.Level == GroupLevel {
		return e.ofGroup()
	}
	if e.sel.Patients != nil {
		e.inScope, err = jsonList(e.sel.Patients)
		e.everInScope = e.inScope
	}
	return err
}

func jsonList(ids []string) (string, error) {
	if ids == nil {
		ids = []string{}
	}
	list, err := json.Marshal(ids)
	return string(list), err
}

// readable returns a resource that the selection names, or why the view may not
// read it.
func (e *exporter) readable(typ, id string) (*Resource, error) {
	g, r, err := e.store.find(e.ctx, e.tx, e.view, typ, id)
	if err != nil {
		return nil, err
	}
	return g.current(e.ctx, e.tx, e.packs, r)
}

// types returns the types to export, sorted: Provenance too where it is asked
// for as associated data.
func (e *exporter) types() ([]string, error) {
	types, err := e.selectedTypes()
	if err != nil || e.sel.Associated == "" || slices.Contains(types, provenance) {
		return types, err
	}
	if !e.shown(provenance) {
		return nil, &ForbiddenError{Reason: NoLetter, Type: provenance, Letter: LetterRead | LetterSearch}
	}
	types = append(types, provenance)
	slices.Sort(types)
	return types, nil
}

func (e *exporter) selectedTypes() ([]string, error) {
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

// export makes the files of one type.
func (e *exporter) export(typ string) ([]File, error) {
	n, err := e.narrow(typ)
	if err != nil {
		return nil, err
	}
	w := e.newFiles(typ)
	if n.whole {
		err = e.byPack(typ, n, w)
	} else {
		err = e.rows(w, e.ofType(typ, 1)+" AND "+n.where, append([]any{typ}, n.args...)...)
	}
	return w.done(), err
}

// byPack takes the resources of a type that nothing narrows but being in a
// compartment: a pack of nothing else as one extent, whatever its size, and the
// others row by row.
func (e *exporter) byPack(typ string, n *narrowing, w *fileWriter) error {
	type packRow struct {
		run
		dead, outside int64
	}
	var list []packRow
	err := each(e.ctx, e.tx, func(rows *sql.Rows) error {
		var p packRow
		if err := rows.Scan(&p.pack, &p.rows, &p.length, &p.dead, &p.outside); err != nil {
			return err
		}
		list = append(list, p)
		return nil
	}, "SELECT pack, rows, bytes, dead, outside FROM pack WHERE type = ? ORDER BY pack", typ)
	if err != nil {
		return err
	}
	ofPack := func(pack int64) error {
		return e.rows(w, "r.type = ? AND r.live = 1 AND r.pack = ? AND "+n.where, append([]any{typ, pack}, n.args...)...)
	}
	for _, p := range list {
		if p.dead == 0 && (p.outside == 0 || !n.inside) {
			err = e.wholeRun(w, typ, p.run)
		} else {
			err = ofPack(p.pack)
		}
		if err != nil {
			return err
		}
	}
	return ofPack(0) // the loose rows
}

// rows takes the resources for which a condition on r holds.
func (e *exporter) rows(w *fileWriter, where string, args ...any) error {
	return each(e.ctx, e.tx, func(rows *sql.Rows) error {
		var b body
		if err := rows.Scan(&b.pack, &b.off, &b.len, &b.seq); err != nil {
			return err
		}
		w.add(b)
		return nil
	}, "SELECT r.pack, r.off, r.len, r.seq FROM resource r WHERE "+where+" ORDER BY r.pack, r.off, r.seq", args...)
}
