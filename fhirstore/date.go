package fhirstore

import (
	"fmt"
	"math"
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

// spanLimits are the widest ranges of the span classes, in milliseconds.
var spanLimits = [...]int64{1000, 86_400_000, 31 * 86_400_000, 366 * 86_400_000, 3660 * 86_400_000, maxMillis * 2}

func spanClass(lo, hi int64) int {
	for class, limit := range spanLimits {
		if hi-lo <= limit {
			return class
		}
	}
	return len(spanLimits) - 1
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

func (q dateQuery) sql() (string, []any) {
	switch q.prefix {
	case "ne":
		return "NOT (x.lo >= ? AND x.hi <= ?)", []any{q.lo, q.hi}
	case "gt":
		return "x.hi > ?", []any{q.hi}
	case "lt":
		return "x.lo < ?", []any{q.lo}
	case "ge":
		return "(x.hi > ? OR x.lo >= ? AND x.hi <= ?)", []any{q.hi, q.lo, q.hi}
	case "le":
		return "x.lo < ? AND (x.lo < ? OR x.hi <= ?)", []any{q.hi, q.lo, q.hi}
	case "sa":
		return "x.lo >= ?", []any{q.hi}
	case "eb":
		return "x.lo < ? AND x.hi <= ?", []any{q.lo, q.lo}
	case "ap":
		return "x.lo < ? AND x.hi > ?", []any{q.hi, q.lo}
	}
	return "x.lo >= ? AND x.lo < ? AND x.hi <= ?", []any{q.lo, max(q.hi, q.lo+1), q.hi}
}

// ranges is sql as ranges of the index: hi > bound bounds lo in every class.
func (q dateQuery) ranges() []part {
	var list []part
	switch q.prefix {
	case "gt", "ge":
		for class, limit := range spanLimits {
			list = append(list, part{"x.span = ? AND x.lo > ? AND x.hi > ?", []any{class, q.hi - limit - 1, q.hi}})
		}
	case "ap":
		for class, limit := range spanLimits {
			list = append(list, part{"x.span = ? AND x.lo > ? AND x.lo < ? AND x.hi > ?", []any{class, q.lo - limit - 1, q.hi, q.lo}})
		}
	default:
		where, args := q.sql()
		return []part{{allSpans + " AND " + where, args}}
	}
	if q.prefix == "ge" {
		where, args := dateQuery{"eq", q.lo, q.hi}.sql()
		list = append(list, part{allSpans + " AND " + where, args})
	}
	return list
}

// allSpans names every class, so that the index, which has the class before
// lo, bounds lo within each.
const allSpans = "x.span IN (0, 1, 2, 3, 4, 5)"
