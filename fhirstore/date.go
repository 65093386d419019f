package fhirstore

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// A dateValue is a value of a date parameter: the range [lo, hi) of
// milliseconds that it may stand for (FHIR R4, Search, date).
type dateValue struct {
	param  int32
	lo, hi int64
}

// The ends of ranges that are open on that side.
const (
	minMillis = math.MinInt64 / 4
	maxMillis = math.MaxInt64 / 4
)

func appendDates(to []dateValue, param int32, f fhirpath.Value) []dateValue {
	n := f.Node
	if n.Kind == fhirjson.String {
		if lo, hi, err := parseDate(n.Text); err == nil {
			to = append(to, dateValue{param, lo, hi})
		}
		return to
	}
	switch f.Type {
	case "Period":
		lo, hi := periodBounds(n)
		if lo >= hi { // an end before the start is no range of time
			return to
		}
		return append(to, dateValue{param, lo, hi})
	case "Timing":
		return appendTiming(to, param, n)
	}
	return to
}

// appendTiming adds the outer bounds of a Timing: its events and its bounds.
func appendTiming(to []dateValue, param int32, n *fhirjson.Node) []dateValue {
	lo, hi := int64(maxMillis), int64(minMillis)
	if events := n.Get("event"); events != nil {
		for i := range events.Items {
			if l, h, err := parseDate(events.Items[i].Text); err == nil {
				lo, hi = min(lo, l), max(hi, h)
			}
		}
	}
	if bounds := n.Get("repeat").Get("boundsPeriod"); bounds != nil {
		if l, h := periodBounds(bounds); l < h {
			lo, hi = min(lo, l), max(hi, h)
		}
	}
	if lo >= hi {
		return to
	}
	return append(to, dateValue{param, lo, hi})
}

// periodBounds returns the range of a Period; an end that is missing is open.
func periodBounds(n *fhirjson.Node) (lo, hi int64) {
	lo, hi = minMillis, maxMillis
	if l, _, err := parseDate(n.Str("start")); err == nil {
		lo = l
	}
	if _, h, err := parseDate(n.Str("end")); err == nil {
		hi = h
	}
	return lo, hi
}

// dateLayouts are FHIR's forms of date, dateTime and instant, each with the
// step that is the width of the range it stands for.
var dateLayouts = [...]struct {
	layout string
	end    func(time.Time) time.Time
}{
	{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
	{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{"2006-01-02T15:04:05", nil}, // Parse takes fractions of a second as well
	{"2006-01-02T15:04:05Z07:00", nil},
}

// parseDate returns the range that a date, dateTime or instant of any precision
// stands for. A time without a zone is UTC.
func parseDate(text string) (lo, hi int64, err error) {
	for _, l := range dateLayouts {
		t, err := time.Parse(l.layout, text)
		if err != nil {
			continue
		}
		end := t.Add(time.Second)
		switch {
		case l.end != nil:
			end = l.end(t)
		case t.Nanosecond() != 0 || len(text) > 19 && text[19] == '.':
			end = t.Add(time.Millisecond)
		}
		return t.UnixMilli(), end.UnixMilli(), nil
	}
	return 0, 0, fmt.Errorf("%q is no date: give 2026, 2026-01, 2026-01-31 or 2026-01-31T08:00:00Z", text)
}

// DateBounds returns the instants between which a date, dateTime or instant of
// any precision lies: the first one of it and the first one after it. A time
// without a zone is UTC.
func DateBounds(text string) (from, to time.Time, err error) {
	lo, hi, err := parseDate(text)
	return fromMillis(lo), fromMillis(hi), err
}

// spanLimits are the widest ranges of the span classes, in milliseconds, as the
// table spans has them.
var spanLimits = [...]int64{1000, 86_400_000, 31 * 86_400_000, 366 * 86_400_000, 3660 * 86_400_000, maxMillis * 2}

// spanClass is the class of a range. The classes of a resource's values are
// others where it has several values of the parameter.
func spanClass(lo, hi int64, several bool) int {
	class := len(spanLimits) - 1
	for i, limit := range spanLimits {
		if hi-lo <= limit {
			class = i
			break
		}
	}
	if several {
		class += len(spanLimits)
	}
	return class
}

// hasSeveral reports whether the resource has several values of a date
// parameter.
func (v *values) hasSeveral(param int32) bool {
	n := 0
	for _, d := range v.dates {
		if d.param == param {
			n++
		}
	}
	return n > 1
}

// dateQuery is one alternative of a date search.
type dateQuery struct {
	prefix string
	lo, hi int64
}

func parseDateQuery(text string, now time.Time) (dateQuery, error) {
	prefix, rest := cutPrefix(text)
	lo, hi, err := parseDate(rest)
	if err != nil {
		return dateQuery{}, err
	}
	if prefix == "ap" { // a tenth of the distance to now (FHIR R4, Search, prefixes)
		tenth := (now.UnixMilli() - lo) / 10
		if tenth < 0 {
			tenth = -tenth
		}
		lo, hi = lo-tenth, hi+tenth
	}
	return dateQuery{prefix, lo, hi}, nil
}

// match compares ranges (FHIR R4, Search, prefixes): the resource's is d, the
// query's is q.
func (q dateQuery) match(d dateValue) bool {
	within := d.lo >= q.lo && d.hi <= q.hi
	switch q.prefix {
	case "ne":
		return !within
	case "gt":
		return d.hi > q.hi
	case "lt":
		return d.lo < q.lo
	case "ge":
		return d.hi > q.hi || within
	case "le":
		return d.lo < q.lo || within
	case "sa":
		return d.lo >= q.hi
	case "eb":
		return d.hi <= q.lo
	case "ap":
		return d.lo < q.hi && d.hi > q.lo
	}
	return within
}

func (q dateQuery) sql() (string, []any) { return q.between("x.lo", "x.hi") }

// between is match as a condition on two columns.
func (q dateQuery) between(lo, hi string) (string, []any) {
	switch q.prefix {
	case "ne":
		return "NOT (" + lo + " >= ? AND " + hi + " <= ?)", []any{q.lo, q.hi}
	case "gt":
		return hi + " > ?", []any{q.hi}
	case "lt":
		return lo + " < ?", []any{q.lo}
	case "ge":
		return "(" + hi + " > ? OR " + lo + " >= ? AND " + hi + " <= ?)", []any{q.hi, q.lo, q.hi}
	case "le":
		return lo + " < ? AND (" + lo + " < ? OR " + hi + " <= ?)", []any{q.hi, q.lo, q.hi}
	case "sa":
		return lo + " >= ?", []any{q.hi}
	case "eb":
		return lo + " < ? AND " + hi + " <= ?", []any{q.lo, q.lo}
	case "ap":
		return lo + " < ? AND " + hi + " > ?", []any{q.hi, q.lo}
	}
	return lo + " >= ? AND " + lo + " < ? AND " + hi + " <= ?", []any{q.lo, max(q.hi, q.lo+1), q.hi}
}

// bounds are what the comparison asks of lo, both ends included, in each class of
// spans: hi > bound bounds lo where ranges are at most so wide. least is in SQL.
func (q dateQuery) bounds() (least string, args []any, most int64) {
	switch q.prefix {
	case "gt":
		return "? - spans.width", []any{q.hi}, maxMillis
	case "ge":
		return "min(?, ? - spans.width)", []any{q.lo, q.hi}, maxMillis
	case "lt", "eb":
		return "?", []any{minMillis}, q.lo - 1
	case "le":
		return "?", []any{minMillis}, q.hi - 1
	case "sa":
		return "?", []any{q.hi}, maxMillis
	case "ap":
		return "? - spans.width", []any{q.lo}, q.hi - 1
	case "ne":
		return "?", []any{minMillis}, maxMillis
	}
	return "?", []any{q.lo}, max(q.hi, q.lo+1) - 1
}

// ranges is sql as a range of the index.
func (q dateQuery) ranges() []part { return []part{inSpans("", q)} }

// inSpans is comparisons that one value has to fulfil together as a range of the
// index in each class of spans for which a condition holds, or in all.
func inSpans(condition string, queries ...dateQuery) part {
	p := part{from: "spans CROSS JOIN ", where: "x.span = spans.class" + condition} // in this order
	var least []string
	most := int64(maxMillis)
	for _, q := range queries {
		atLeast, args, atMost := q.bounds()
		least, most = append(least, atLeast), min(most, atMost)
		p.args = append(p.args, args...)
	}
	if len(least) > 1 {
		least = []string{"max(" + strings.Join(least, ", ") + ")"}
	}
	p.where, p.args = p.where+" AND x.lo >= "+least[0]+" AND x.lo <= ?", append(p.args, most)
	for _, q := range queries {
		where, args := q.between("+x.lo", "x.hi") // the + leaves these out of the choice of bounds
		p.where, p.args = p.where+" AND ("+where+")", append(p.args, args...)
	}
	return p
}

// together is what several clauses about one date parameter find, as a clause
// that can lead a search: of resources with one value those whose value fulfils
// all of them, and of those with several every one that fulfils the first. nil
// where no two clauses are about one parameter.
func together(clauses []clause) *clause {
	for i := range clauses {
		first := &clauses[i]
		if first.date == nil || len(first.others) > 0 {
			continue
		}
		queries := []dateQuery{*first.date}
		for _, other := range clauses[i+1:] {
			if other.date != nil && other.param == first.param && len(other.others) == 0 {
				queries = append(queries, *other.date)
			}
		}
		if len(queries) > 1 {
			c := &clause{table: first.table, param: first.param, where: first.where, args: first.args}
			c.ranges = []part{inSpans(" AND +spans.class < 6", queries...), inSpans(" AND +spans.class >= 6", queries[0])}
			return c
		}
	}
	return nil
}
