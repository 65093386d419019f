package fhirstore

import (
	"fmt"
	"slices"
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
	n := &narrowing{where: "1", whole: true}
	if e.sel.Level != SystemLevel && e.store.defs.InPatientCompartment(typ) {
		e.inCompartments(typ, n)
	}
	gs := e.store.gates(e.tx, e.view)
	var before *gate
	for _, letter := range []Letters{LetterRead, LetterSearch} {
		g, err := gs.gate(e.ctx, typ, letter)
		if err != nil {
			return nil, err
		}
		same := before != nil && slices.Equal(before.queries, g.queries) // of one view, so of the same organizations
		before = g
		if !same && (g.organizations != nil || len(g.filters) > 0) {
			sql, args := g.where()
			n.and("("+sql+")", args...)
		}
	}
	if !e.sel.Since.IsZero() {
		n.and("r.at > ?", toMillis(e.sel.Since))
	}
	if !e.sel.Until.IsZero() {
		n.and("r.at < ?", toMillis(e.sel.Until))
	}
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
	return n, nil
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

// inCompartments narrows to the compartments exported.
func (e *exporter) inCompartments(typ string, n *narrowing) {
	if e.inScope == "" {
		n.where, n.args = e.store.inAnyCompartment(typ)
		n.inside = true
		return
	}
	const ofPatients = "c.patient IN (SELECT value FROM json_each(?))"
	const own = "SELECT c.rid FROM compartment c WHERE c.type = ? AND " + ofPatients
	target, ok := e.store.provenanceTarget(typ)
	if !ok {
		n.and("r.rid IN ("+own+")", typ, e.inScope)
		return
	}
	n.and(`r.rid IN (`+own+` UNION
		SELECT x.rid FROM compartment c JOIN resource t ON t.rid = c.rid
		JOIN ix_ref x ON x.param = ? AND x.target = t.type || '/' || t.id WHERE `+ofPatients+`)`, typ, e.inScope, target, e.inScope)
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
