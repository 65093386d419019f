package fhirstore

import (
	"fmt"
	"slices"
	"time"
)

// A narrowing is what narrows the export of a type.
type narrowing struct {
	where string // a condition on r
	args  []any
	// whole is set where a pack's rows need not be looked at one by one; inside,
	// where that goes for rows alone that are in patients' compartments.
	whole, inside bool
}

// and adds a condition that a resource has to be looked at for.
func (n *narrowing) and(where string, args ...any) {
	n.where, n.args, n.whole = n.where+" AND "+where, append(n.args, args...), false
}

// narrow finds everything that narrows the export of a type.
func (e *exporter) narrow(typ string) (*narrowing, error) {
	if typ == provenance && e.sel.Associated != "" {
		return e.associated()
	}
	n := &narrowing{where: "1", whole: true}
	e.inCompartments(typ, n, e.inScope)
	if err := e.visible(typ, n); err != nil {
		return nil, err
	}
	switch {
	case e.sel.Since.IsZero():
	case e.joined != "" && e.store.defs.InPatientCompartment(typ):
		of, args := e.store.ofPatients(typ, e.joined)
		n.and("(r.at > ? OR "+of+")", append([]any{toMillis(e.sel.Since)}, args...)...)
	default:
		n.and("r.at > ?", toMillis(e.sel.Since))
	}
	e.until(n)
	e.filtered(typ, n)
	return n, nil
}

// narrowDeletions finds everything that narrows the deletions of a type that
// the export tells of.
func (e *exporter) narrowDeletions(typ string) (*narrowing, error) {
	n := &narrowing{where: "1"}
	e.inCompartments(typ, n, e.everInScope)
	if err := e.visible(typ, n); err != nil {
		return nil, err
	}
	n.and("r.at > ?", toMillis(e.sel.Since))
	e.until(n)
	e.filtered(typ, n)
	if typ == provenance && e.sel.Associated != "" {
		e.ofExported(n)
	}
	return n, nil
}

// ofExported narrows the deletions of Provenance that comes with what it is
// about to that of the types asked for.
func (e *exporter) ofExported(n *narrowing) {
	param, ok := e.store.defs.Param(provenance, "target")
	if !ok || len(e.sel.Types) == 0 || slices.Contains(e.sel.Types, provenance) {
		return
	}
	var targets []string
	args := []any{param.ID}
	for _, typ := range e.sel.Types {
		targets = append(targets, "x.target >= ? AND x.target < ?")
		args = append(args, typ+"/", typ+"0") // 0 follows the slash
	}
	n.and("EXISTS (SELECT 1 FROM ix_ref x WHERE x.rid = r.rid AND x.param = ? AND "+anyOf(targets)+")", args...)
}

// visible narrows to what the view shows.
func (e *exporter) visible(typ string, n *narrowing) error {
	gs := e.store.gates(e.tx, e.view)
	var before *gate
	for _, letter := range []Letters{LetterRead, LetterSearch} {
		g, err := gs.gate(e.ctx, typ, letter)
		if err != nil {
			return err
		}
		same := before != nil && slices.Equal(before.queries, g.queries) // of one view, so of the same organizations
		before = g
		if !same && (g.organizations != nil || len(g.filters) > 0) {
			sql, args := g.where()
			n.and("("+sql+")", args...)
		}
	}
	return nil
}

func (e *exporter) until(n *narrowing) {
	if !e.sel.Until.IsZero() {
		n.and("r.at < ?", toMillis(e.sel.Until.Add(time.Millisecond-1))) // what lies within its millisecond is before it
	}
}

// filtered narrows to what matches a filter, where there is one of the type.
func (e *exporter) filtered(typ string, n *narrowing) {
	var filters []string
	var args []any
	for _, f := range e.sel.Filters {
		if f.Type == typ {
			sql, more := f.where()
			filters, args = append(filters, sql), append(args, more...)
		}
	}
	if len(filters) > 0 {
		n.and(anyOf(filters), args...)
	}
}

// ofType is the condition on r of being of a type, which is its argument, and
// live or not. Where there is a list of patients the search starts from their
// compartments: the + keeps type and live out of the choice of an index.
func (e *exporter) ofType(typ string, live int) string {
	if e.inScope != "" && e.store.defs.InPatientCompartment(typ) {
		return fmt.Sprintf("+r.type = ? AND +r.live = %d", live)
	}
	return fmt.Sprintf("r.type = ? AND r.live = %d", live)
}

// inCompartments narrows a patient or group export to the compartments of a
// list of patients, or of all of them where it is empty.
func (e *exporter) inCompartments(typ string, n *narrowing, patients string) {
	switch {
	case e.sel.Level == SystemLevel || !e.store.defs.InPatientCompartment(typ):
	case patients == "":
		n.where, n.args = e.store.inAnyCompartment(typ)
		n.inside = true
	default:
		where, args := e.store.ofPatients(typ, patients)
		n.and(where, args...)
	}
}

// ofPatients is the condition on a resource r of a type of being in the
// compartment of one of a list of patients.
func (s *Store) ofPatients(typ, patients string) (where string, args []any) {
	const among = "c.patient IN (SELECT value FROM json_each(?))"
	const own = "SELECT c.rid FROM compartment c WHERE c.type = ? AND " + among
	target, ok := s.provenanceTarget(typ)
	if !ok {
		return "r.rid IN (" + own + ")", []any{typ, patients}
	}
	return `r.rid IN (` + own + ` UNION
		SELECT x.rid FROM compartment c JOIN resource t ON t.rid = c.rid
		JOIN ix_ref x ON x.param = ? AND x.target = t.type || '/' || t.id WHERE ` + among + `)`, []any{typ, patients, target, patients}
}

// inAnyCompartment is the condition on a resource r of a type of being in the
// compartment of some patient.
func (s *Store) inAnyCompartment(typ string) (where string, args []any) {
	const own = "EXISTS (SELECT 1 FROM compartment c WHERE c.rid = r.rid)"
	target, ok := s.provenanceTarget(typ)
	if !ok {
		return own, nil
	}
	return "(" + own + " OR EXISTS (SELECT 1 FROM " + targets + " JOIN compartment c ON c.rid = t.rid WHERE x.rid = r.rid AND x.param = ?))", []any{target}
}

// provenanceTarget returns, for the type Provenance, the parameter of what one
// is about. A Provenance belongs into the compartments of its targets, though
// FHIR's counts only those about the Patient itself (Bulk Data Access 2.0.0,
// includeAssociatedData).
func (s *Store) provenanceTarget(typ string) (param int32, ok bool) {
	if typ != provenance {
		return 0, false
	}
	target, ok := s.defs.Param(typ, "target")
	if !ok {
		return 0, false
	}
	return target.ID, true
}

const provenance = "Provenance"
