package fhirstore

import "strings"

// Associated says which Provenance an export has besides what is selected (Bulk
// Data Access 2.0.0, includeAssociatedData).
type Associated string

// The kinds of associated data: of each resource exported the newest
// Provenance, or all of it. Neither looks at Since and Until.
const (
	LatestProvenance   Associated = "LatestProvenanceResources"
	RelevantProvenance Associated = "RelevantProvenanceResources"
)

// associated narrows Provenance to what is about the resources that are
// exported.
func (e *exporter) associated() (*narrowing, error) {
	n := &narrowing{where: "1"}
	if err := e.visible(provenance, n); err != nil {
		return nil, err
	}
	e.filtered(provenance, n)
	target, _ := e.store.provenanceTarget(provenance)
	var about []string
	var args []any
	for _, typ := range e.exporting {
		if typ == provenance {
			continue
		}
		of, err := e.narrow(typ)
		if err != nil {
			return nil, err
		}
		// From what Provenance is about to the resources: there is rarely more of it.
		about = append(about, `SELECT x.rid AS found, x.target AS about FROM ix_ref x CROSS JOIN resource r ON r.type = ? AND r.id = substr(x.target, ?)
			WHERE x.param = ? AND x.target >= ? AND x.target < ? AND `+e.ofType(typ, 1)+" AND "+of.where)
		args = append(append(args, typ, len(typ)+2, target, typ+"/", typ+"0", typ), of.args...) // 0 follows the slash
	}
	if len(about) == 0 {
		n.and("0")
		return n, nil
	}
	pairs := strings.Join(about, " UNION ALL ")
	if e.sel.Associated == RelevantProvenance {
		n.and("r.rid IN (SELECT found FROM ("+pairs+"))", args...)
		return n, nil
	}
	// The newest by when it was recorded, among those that are shown.
	var recorded int32
	if p, ok := e.store.defs.Param(provenance, "recorded"); ok {
		recorded = p.ID
	}
	shown, shownArgs := n.where, n.args
	n.and(`r.rid IN (SELECT found FROM (
		SELECT found, row_number() OVER (PARTITION BY about ORDER BY
			(SELECT max(d.lo) FROM ix_date d WHERE d.rid = found AND d.param = ?) DESC, r.at DESC, r.rid DESC) AS place
		FROM (`+pairs+`) CROSS JOIN resource r ON r.rid = found WHERE r.live = 1 AND `+shown+`) WHERE +place = 1)`, // CROSS keeps the order of the two
		append(append([]any{recorded}, args...), shownArgs...)...)
	return n, nil
}
