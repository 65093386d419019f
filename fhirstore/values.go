package fhirstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// values are the search values of one resource: what the search rows hold and
// what a query is compared with where there is only the resource at hand.
type values struct {
	tokens  []tokenValue
	strings []stringValue
	refs    []refValue
	uris    []uriValue
	numbers []numberValue
	dates   []dateValue
	pairs   []pair

	patients []string // ids of the patients in whose compartments it is
	members  []memberValue
}

type memberValue struct {
	target        string // "Patient/12"
	joined, ended int64
	inactive      bool
}

// extract takes the search values out of a resource. An expression that does
// not fit the resource's shape gives no value: whether the shape is right is
// for validation to say.
func extract(defs *r4.Table, typ, id string, root *fhirjson.Node) *values {
	v := &values{}
	for _, p := range defs.Params(typ) {
		if p.Code == "_id" || p.Code == "_lastUpdated" || p.Expression == "" {
			continue // columns of the resource itself
		}
		found, err := p.Eval(root)
		if err != nil {
			continue
		}
		if p.Kind == r4.Composite {
			v.pairs = appendPairs(v.pairs, p, root, found)
			continue
		}
		for _, f := range found {
			v.add(p, f)
		}
	}
	v.patients = compartments(defs, typ, id, v)
	if typ == "Group" {
		v.members = groupMembers(root)
	}
	return v
}

func (v *values) add(p *r4.SearchParam, f fhirpath.Value) {
	if f.Node == nil {
		return
	}
	switch p.Kind {
	case r4.Token:
		v.tokens = appendTokens(v.tokens, p.ID, f)
		v.strings = appendDisplays(v.strings, p.ID, f)
		v.pairs = appendTyped(v.pairs, p.ID, f)
	case r4.String:
		v.strings = appendStrings(v.strings, p, f)
	case r4.Reference:
		v.refs = appendRefs(v.refs, p.ID, f)
		if identifier := f.Node.Get("identifier"); f.Type == "Reference" && identifier != nil {
			v.tokens = appendCoding(v.tokens, p.ID, identifier, "value")
		}
	case r4.URI:
		if f.Node.Kind == fhirjson.String {
			v.uris = append(v.uris, uriValue{p.ID, f.Node.Text})
		}
	case r4.Number, r4.Quantity:
		v.numbers = appendNumbers(v.numbers, p.ID, f)
	case r4.Date:
		v.dates = appendDates(v.dates, p.ID, f)
	}
}

// compartments returns the ids of the patients in whose compartments a
// resource is (FHIR R4, CompartmentDefinition patient); a Patient is in its own.
func compartments(defs *r4.Table, typ, id string, v *values) []string {
	var ids []string
	add := func(id string) {
		for _, have := range ids {
			if have == id {
				return
			}
		}
		ids = append(ids, id)
	}
	if typ == "Patient" {
		add(id)
	}
	for _, p := range defs.PatientCompartment(typ) {
		for _, r := range v.refs {
			if r.param != p.ID {
				continue
			}
			if patient, ok := strings.CutPrefix(r.target, "Patient/"); ok {
				add(patient)
			}
		}
	}
	return ids
}

// groupMembers returns the members of a Group resource.
func groupMembers(root *fhirjson.Node) []memberValue {
	list := root.Get("member")
	if list == nil {
		return nil
	}
	members := make([]memberValue, 0, len(list.Items))
	for i := range list.Items {
		m := &list.Items[i]
		target := localReference(m.Get("entity").Str("reference"))
		if target == "" {
			continue
		}
		members = append(members, newMember(m, target))
	}
	return members
}

func newMember(m *fhirjson.Node, target string) memberValue {
	joined, ended := periodBounds(m.Get("period"))
	inactive := m.Get("inactive")
	return memberValue{target, joined, ended, inactive != nil && inactive.Text == "true"}
}

// ActiveMember reports whether a Group.member is one at an instant: neither
// inactive nor outside of its period.
func ActiveMember(member *fhirjson.Node, at time.Time) bool {
	return newMember(member, "").active(toMillis(at))
}

func (m memberValue) active(at int64) bool { return !m.inactive && m.joined <= at && m.ended > at }

// indexTables have a column rid with the resource that a row belongs to.
var indexTables = [...]string{"ix_token", "ix_string", "ix_ref", "ix_uri", "ix_number", "ix_date",
	"ix_token_token", "ix_token_string", "ix_token_ref", "ix_token_number", "ix_token_date", "compartment", "member"}

// writeIndex adds the search, compartment and member rows of a resource.
func (tx *writeTx) writeIndex(ctx context.Context, rid int64, typ, id string, v *values) error {
	var w rowWriter
	for _, t := range v.tokens {
		w.add(rid, t.param, t.code, t.system)
	}
	w.flush(ctx, tx, "ix_token(rid, param, code, system)", 4)
	for _, s := range v.strings {
		w.add(rid, s.param, s.norm, s.exact)
	}
	w.flush(ctx, tx, "ix_string(rid, param, norm, exact)", 4)
	for _, r := range v.refs {
		w.add(rid, r.param, r.target)
	}
	w.flush(ctx, tx, "ix_ref(rid, param, target)", 3)
	for _, u := range v.uris {
		w.add(rid, u.param, u.value)
	}
	w.flush(ctx, tx, "ix_uri(rid, param, value)", 3)
	for _, n := range v.numbers {
		w.add(rid, n.param, n.lo, n.hi, n.system, n.code, n.unit)
	}
	w.flush(ctx, tx, "ix_number(rid, param, lo, hi, system, code, unit)", 7)
	for _, d := range v.dates {
		w.add(rid, d.param, spanClass(d.lo, d.hi, v.hasSeveral(d.param)), d.lo, d.hi)
	}
	w.flush(ctx, tx, "ix_date(rid, param, span, lo, hi)", 5)
	pairs := map[string][]any{}
	for i := range v.pairs {
		table, row := v.pairs[i].row(rid)
		pairs[table] = append(pairs[table], row...)
	}
	for _, t := range pairColumns {
		w.add(pairs[t.table]...)
		w.flush(ctx, tx, t.table+"(rid, param, head_code, head_system, "+t.columns+")", 5+strings.Count(t.columns, ","))
	}
	for _, p := range v.patients {
		w.add(p, typ, rid)
	}
	w.flush(ctx, tx, "compartment(patient, type, rid)", 3)
	for _, m := range v.members {
		w.add(id, m.target, m.joined, m.ended, m.inactive, rid)
	}
	w.flush(ctx, tx, "member(grp, member, joined, ended, inactive, rid)", 6)
	if w.err != nil {
		return fmt.Errorf("index %s/%s: %w", typ, id, w.err)
	}
	return nil
}

// A rowWriter collects rows of one table and writes them in few statements.
type rowWriter struct {
	args []any
	err  error
}

func (w *rowWriter) add(row ...any) { w.args = append(w.args, row...) }

// maxRows is how many rows one statement writes.
const maxRows = 64

// flush writes the rows collected, of so many columns each. A resource may say
// one thing twice, which is one row.
func (w *rowWriter) flush(ctx context.Context, tx *writeTx, table string, columns int) {
	if tx.batch != nil {
		for i := 0; i < len(w.args); i += columns {
			tx.batch.add("INSERT OR IGNORE INTO "+table, columns, w.args[i:i+columns]...)
		}
		w.args = w.args[:0]
		return
	}
	for len(w.args) > 0 && w.err == nil {
		n := min(len(w.args)/columns, maxRows)
		row := "(" + placeholders(columns) + ")"
		_, w.err = tx.exec(ctx, "INSERT OR IGNORE INTO "+table+" VALUES "+strings.Repeat(row+", ", n-1)+row, w.args[:n*columns]...)
		w.args = w.args[n*columns:]
	}
	w.args = w.args[:0]
}

// clearIndex removes the rows that writeIndex made, and tells how many
// compartments the resource was in.
func (tx *writeTx) clearIndex(ctx context.Context, rid int64) (compartments int64, err error) {
	for _, table := range indexTables {
		done, err := tx.exec(ctx, "DELETE FROM "+table+" WHERE rid = ?", rid)
		if err == nil && table == "compartment" {
			compartments, err = done.RowsAffected()
		}
		if err != nil {
			return 0, fmt.Errorf("clear index: %w", err)
		}
	}
	return compartments, nil
}
