package fhirstore

import (
	"database/sql"
	"fmt"
	"slices"
)

// A tombstone is a resource that was deleted.
type tombstone struct{ typ, id string }

// collectTombstones notes what was deleted after Since among what would be
// exported if it were still there: tombstones keep their search and compartment
// rows.
func (e *exporter) collectTombstones(typ string) error {
	if e.sel.Since.IsZero() {
		return nil
	}
	n, err := e.narrowDeletions(typ)
	if err != nil {
		return err
	}
	return each(e.ctx, e.tx, func(rows *sql.Rows) error {
		t := tombstone{typ: typ}
		if err := rows.Scan(&t.id); err != nil {
			return err
		}
		e.tombstones = append(e.tombstones, t)
		return nil
	}, "SELECT r.id FROM resource r WHERE "+e.ofType(typ, 0)+" AND "+n.where+" ORDER BY r.rid", append([]any{typ}, n.args...)...)
}

// deletionsPerBundle is how many deletions one line tells of.
const deletionsPerBundle = 100

// deletions writes the file of deletions: a transaction Bundle a line (Bulk
// Data Access 2.0.0, manifest, deleted).
func (e *exporter) deletions() error {
	if len(e.tombstones) == 0 {
		return nil
	}
	w := e.newFiles("Bundle")
	for chunk := range slices.Chunk(e.tombstones, deletionsPerBundle) {
		line := []byte(`{"resourceType":"Bundle","type":"transaction","entry":[`)
		for i, t := range chunk {
			if i > 0 {
				line = append(line, ',')
			}
			line = fmt.Appendf(line, `{"request":{"method":"DELETE","url":"%s/%s"}}`, t.typ, t.id)
		}
		w.line(append(line, "]}\n"...))
	}
	e.snap.Deleted = w.done()
	return nil
}
