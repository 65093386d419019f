package fhirstore

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// organize makes files of blocks (Bulk Data Access 3.0.0, organizeOutputBy): a
// header that names a Patient, the Patient, the resources of its compartment,
// and the others that these refer to, which are in each block that needs them.
// A resource that no block needs is left out, and noted. held are the types of
// what is in the files.
func (e *exporter) organize(held map[string]bool) error {
	var terms []string
	var args []any
	for i, typ := range e.exporting {
		n, err := e.narrow(typ)
		if err != nil {
			return err
		}
		ways, err := e.waysToPatients(typ)
		if err != nil {
			return err
		}
		for _, way := range ways {
			place := i + 1
			if typ == "Patient" {
				place = 0
			}
			terms = append(terms, "SELECT c.patient, ?, r.id <> c.patient, r.pack, r.off, r.len, r.seq FROM "+way.from+" WHERE "+way.where+" AND "+n.where)
			args = append(append(append(args, place), way.args...), n.args...)
		}
		if err := e.noteHomeless(typ, n, ways); err != nil {
			return err
		}
	}
	if len(terms) == 0 {
		return nil
	}
	terms = append(terms, "SELECT '', 0, 0, 0, 0, 0, 0 WHERE 0") // with it there is a UNION, which has each row once
	b := blockWriter{files: e.newFiles("")}
	err := each(e.ctx, e.tx, func(rows *sql.Rows) error {
		var patient string
		var place int
		var other bool // than the patient itself, which comes first
		var of body
		if err := rows.Scan(&patient, &place, &other, &of.pack, &of.off, &of.len, &of.seq); err != nil {
			return err
		}
		if place == 0 {
			held["Patient"] = true
		} else {
			held[e.exporting[place-1]] = true
		}
		b.add(patient, of)
		return nil
	}, strings.Join(terms, " UNION ")+" ORDER BY 1, 2, 3, 4, 5, 7", args...)
	if err != nil {
		return fmt.Errorf("organize by Patient: %w", err)
	}
	b.end()
	e.snap.Output = b.files.done()
	return nil
}

// A way leads from resources r of a type to the patients c in whose blocks they
// are.
type way struct {
	from, where string
	args        []any
}

// waysToPatients returns the ways from a type to patients: by the compartment,
// by what a Provenance is about, and for a type outside of the compartment by
// the references to it from resources inside. They lead over what the view
// shows alone: a block tells what leads to it.
func (e *exporter) waysToPatients(typ string) ([]way, error) {
	living := " AND EXISTS (SELECT 1 FROM resource p WHERE p.type = 'Patient' AND p.id = c.patient AND p.live = 1)"
	var args []any
	if e.inScope != "" {
		living += " AND c.patient IN (SELECT value FROM json_each(?))"
		args = append(args, e.inScope)
	}
	if e.store.defs.InPatientCompartment(typ) {
		ways := []way{{"resource r JOIN compartment c ON c.rid = r.rid", e.ofType(typ, 1) + living, append([]any{typ}, args...)}}
		if target, ok := e.store.provenanceTarget(typ); ok {
			shown, shownArgs, err := e.inReach("t", e.store.defs.Types())
			if err != nil {
				return nil, err
			}
			ways = append(ways, way{`ix_ref x JOIN resource r ON r.rid = x.rid
				JOIN resource t ON t.type = substr(x.target, 1, instr(x.target, '/') - 1) AND t.id = substr(x.target, instr(x.target, '/') + 1)
				JOIN compartment c ON c.rid = t.rid`, "x.param = ? AND r.type = ? AND r.live = 1 AND " + shown + living, slices.Concat([]any{target, typ}, shownArgs, args)})
		}
		return ways, nil
	}
	params := e.paramsTo(typ)
	if len(params) == 0 {
		return nil, nil
	}
	shown, shownArgs, err := e.inReach("f", e.exporting)
	if err != nil {
		return nil, err
	}
	return []way{{`ix_ref x JOIN compartment c ON c.rid = x.rid JOIN resource f ON f.rid = x.rid
		JOIN resource r ON r.type = ? AND r.id = substr(x.target, ?)`,
		"x.param IN (" + strings.Join(params, ", ") + ") AND x.target >= ? AND x.target < ? AND f.live = 1 AND r.live = 1 AND " + shown + living,
		slices.Concat([]any{typ, len(typ) + 2, typ + "/", typ + "0"}, shownArgs, args)}}, nil // 0 follows the slash
}

// inReach is the condition on a resource of being of one of the types that are in
// patients' compartments, and what the view shows.
func (e *exporter) inReach(alias string, types []string) (string, []any, error) {
	var freely, terms []string
	var args []any
	for _, typ := range types {
		if !e.store.defs.InPatientCompartment(typ) || !e.view.Has(typ, LetterRead) || !e.view.Has(typ, LetterSearch) {
			continue
		}
		n := &narrowing{where: "1"}
		if err := e.visible(typ, n); err != nil {
			return "", nil, err
		}
		if n.where == "1" {
			freely = append(freely, typ)
			continue
		}
		terms = append(terms, alias+".type = ? AND "+alias+".rid IN (SELECT r.rid FROM resource r WHERE r.type = ? AND "+n.where+")")
		args = append(append(args, typ, typ), n.args...)
	}
	list, more := inList(freely)
	return anyOf(append(terms, alias+".type IN "+list)), append(args, more...), nil
}

// paramsTo are the reference parameters of the types exported that can lead
// from a patient's compartment to a type.
func (e *exporter) paramsTo(typ string) []string {
	var ids []string
	for _, from := range e.exporting {
		if !e.store.defs.InPatientCompartment(from) {
			continue
		}
		for _, p := range e.store.defs.Params(from) {
			if slices.Contains(p.Targets, typ) {
				ids = append(ids, fmt.Sprint(p.ID))
			}
		}
	}
	return ids
}

// noteHomeless notes how many resources of a type are in no block.
func (e *exporter) noteHomeless(typ string, n *narrowing, ways []way) error {
	if e.sel.Level == GroupLevel && e.store.defs.InPatientCompartment(typ) {
		return nil
	}
	where, args := "r.type = ? AND r.live = 1 AND "+n.where, append([]any{typ}, n.args...)
	for _, way := range ways {
		where += " AND r.rid NOT IN (SELECT r.rid FROM " + way.from + " WHERE " + way.where + ")"
		args = append(args, way.args...)
	}
	var count int64
	if err := e.tx.QueryRowContext(e.ctx, "SELECT count(*) FROM resource r WHERE "+where, args...).Scan(&count); err != nil {
		return fmt.Errorf("count %s outside of the blocks: %w", typ, err)
	}
	if count > 0 {
		e.snap.Notes = append(e.snap.Notes, fmt.Sprintf("%d resources of the type %s are in no file: no resource of a patient refers to them, and the output is organized by Patient", count, typ))
	}
	return nil
}

// A blockWriter lays blocks out in files. A block that fits into no file of its
// own is continued in the next one, behind its header again.
type blockWriter struct {
	files   *fileWriter
	patient string
	rows    []body
}

func (b *blockWriter) add(patient string, row body) {
	if patient != b.patient {
		b.end()
		b.patient = patient
	}
	b.rows = append(b.rows, row)
}

// end writes the block.
func (b *blockWriter) end() {
	if len(b.rows) == 0 {
		return
	}
	header := fmt.Appendf(nil, `{"resourceType":"Parameters","parameter":[{"name":"header","valueReference":{"reference":"Patient/%s"}}]}`+"\n", b.patient)
	size := int64(len(header))
	for _, row := range b.rows {
		size += row.len + 1
	}
	if !b.files.fits(int64(len(b.rows))+1, size) {
		b.files.cut(false)
	}
	b.files.cur.inline(header)
	fresh := true // nothing but the header is there, so one row goes in whatever its size
	for _, row := range b.rows {
		if !fresh && !b.files.fits(1, row.len+1) {
			b.files.cut(true)
			b.files.cur.inline(header)
		}
		b.files.cur.body(row)
		fresh = false
	}
	b.rows = b.rows[:0]
}
