package fhirstore

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// A numberValue is a value of a number or quantity parameter: a range from lo
// to hi, both equal but for the data type Range.
type numberValue struct {
	param              int32
	lo, hi             float64
	system, code, unit string
}

func appendNumbers(to []numberValue, param int32, f fhirpath.Value) []numberValue {
	n := f.Node
	if n.Kind == fhirjson.Number {
		if x, err := strconv.ParseFloat(n.Text, 64); err == nil {
			to = append(to, numberValue{param: param, lo: x, hi: x})
		}
		return to
	}
	if f.Type == "Range" {
		low, high := n.Get("low"), n.Get("high")
		v := numberValue{param: param, lo: math.Inf(-1), hi: math.Inf(1)}
		if x, ok := quantity(param, low); ok {
			v, v.hi = x, math.Inf(1)
		}
		if x, ok := quantity(param, high); ok {
			v.hi, v.system, v.code, v.unit = x.hi, x.system, x.code, x.unit
		}
		return append(to, v)
	}
	if v, ok := quantity(param, n); ok {
		to = append(to, v)
	}
	return to
}

// quantity reads a Quantity, one of its profiles, or a Money, whose currency is
// its code.
func quantity(param int32, n *fhirjson.Node) (numberValue, bool) {
	value := n.Get("value")
	if value == nil || value.Kind != fhirjson.Number {
		return numberValue{}, false
	}
	x, err := strconv.ParseFloat(value.Text, 64)
	if err != nil {
		return numberValue{}, false
	}
	v := numberValue{param: param, lo: x, hi: x, system: n.Str("system"), code: n.Str("code"), unit: n.Str("unit")}
	if currency := n.Str("currency"); currency != "" {
		v.system, v.code = "urn:iso:std:iso:4217", currency
	}
	return v, true
}

// numberQuery is one alternative of a number or quantity search. For eq and ne
// [lo, hi) is what the number's precision stands for: 100 means [99.5, 100.5);
// for the others lo = hi is the number itself (FHIR R4, Search, number).
type numberQuery struct {
	prefix       string
	lo, hi       float64
	system, code string // of a quantity; code is compared with the unit too where there is no system
}

func parseNumberQuery(text string, withUnit bool) (numberQuery, error) {
	var q numberQuery
	number := text
	if withUnit {
		var rest string
		number, rest, _ = cutUnescaped(text, '|')
		system, code, _ := cutUnescaped(rest, '|')
		q.system, q.code = unescape(system), unescape(code)
	}
	q.prefix, number = cutPrefix(number)
	x, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsInf(x, 0) || math.IsNaN(x) {
		return q, fmt.Errorf("%q is no number", number)
	}
	q.lo, q.hi = x, x
	switch q.prefix {
	case "eq", "ne":
		half := precision(number) / 2
		q.lo, q.hi = x-half, x+half
	case "ap":
		tenth := math.Abs(x) / 10
		q.lo, q.hi = x-tenth, x+tenth
	}
	return q, nil
}

// precision returns the value of one in the last significant place of a
// decimal: 0.01 for 5.40, 100 for 1e2.
func precision(number string) float64 {
	mantissa, exponent := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		mantissa = number[:i]
		exponent, _ = strconv.Atoi(number[i+1:])
	}
	if i := strings.IndexByte(mantissa, '.'); i >= 0 {
		exponent -= len(mantissa) - i - 1
	}
	return math.Pow10(exponent)
}

func (q numberQuery) match(n numberValue) bool {
	if q.code != "" && q.code != n.code && (q.system != "" || q.code != n.unit) || q.system != "" && q.system != n.system {
		return false
	}
	within := n.lo >= q.lo && n.hi < q.hi
	switch q.prefix {
	case "ne":
		return !within
	case "gt":
		return n.hi > q.hi
	case "ge":
		return n.hi >= q.hi
	case "lt":
		return n.lo < q.lo
	case "le":
		return n.lo <= q.lo
	case "sa":
		return n.lo > q.hi
	case "eb":
		return n.hi < q.lo
	case "ap":
		return n.lo <= q.hi && n.hi >= q.lo
	}
	return within
}

func (q numberQuery) sql() (string, []any) {
	where, args := q.between("x.lo", "x.hi")
	return q.inUnit(part{where: where, args: args})
}

// inUnit adds the unit to a condition.
func (q numberQuery) inUnit(p part) (string, []any) {
	where, args := p.where, p.args
	if q.system != "" {
		where, args = where+" AND x.system = ?", append(args, q.system)
	}
	switch {
	case q.code != "" && q.system != "":
		where, args = where+" AND x.code = ?", append(args, q.code)
	case q.code != "":
		where, args = where+" AND (x.code = ? OR x.unit = ?)", append(args, q.code, q.code)
	}
	return where, args
}

// between is match, but for the unit, as a condition on two columns.
func (q numberQuery) between(lo, hi string) (string, []any) {
	switch q.prefix {
	case "ne":
		return "NOT (" + lo + " >= ? AND " + hi + " < ?)", []any{q.lo, q.hi}
	case "gt":
		return hi + " > ?", []any{q.hi}
	case "ge":
		return hi + " >= ?", []any{q.hi}
	case "lt":
		return lo + " < ?", []any{q.lo}
	case "le":
		return lo + " <= ?", []any{q.lo}
	case "sa":
		return lo + " > ?", []any{q.hi}
	case "eb":
		return lo + " < ? AND " + hi + " < ?", []any{q.lo, q.lo}
	case "ap":
		return lo + " <= ? AND " + hi + " >= ?", []any{q.hi, q.lo}
	}
	return lo + " >= ? AND " + lo + " < ? AND " + hi + " < ?", []any{q.lo, q.hi, q.hi}
}

// ranges is sql as ranges of the indexes: lo bounds most values at both ends,
// and those that have two ends are looked for by hi besides.
func (q numberQuery) ranges() []part {
	const wide = "x.lo < x.hi AND " // the condition of the index by hi; the + leaves lo out of the choice
	var list []part
	switch q.prefix {
	case "gt":
		list = []part{{where: "x.lo > ?", args: []any{q.hi}}, {where: wide + "x.hi > ? AND +x.lo <= ?", args: []any{q.hi, q.hi}}}
	case "ge":
		list = []part{{where: "x.lo >= ?", args: []any{q.hi}}, {where: wide + "x.hi >= ? AND +x.lo < ?", args: []any{q.hi, q.hi}}}
	case "ap":
		list = []part{{where: "x.lo >= ? AND x.lo <= ?", args: []any{q.lo, q.hi}}, {where: wide + "x.hi >= ? AND +x.lo < ?", args: []any{q.lo, q.lo}}}
	default:
		where, args := q.between("x.lo", "x.hi")
		list = []part{{where: where, args: args}}
	}
	for i := range list {
		list[i].where, list[i].args = q.inUnit(list[i])
	}
	return list
}
