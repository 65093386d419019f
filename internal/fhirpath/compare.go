package fhirpath

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// equal tells whether two values are the same (FHIRPath N1, section 6.1). It is undecided where
// one has no value, or dates agree as far as the shorter goes.
func equal(a, b Value) truth {
	ca, cb := classOf(a), classOf(b)
	switch {
	case ca == absent || cb == absent:
		return undecided
	case ca == temporal && cb == temporal:
		order, known := compareTemporals(a.Node.Text, b.Node.Text)
		if !known {
			return undecided
		}
		return truthIf(order == 0)
	case ca == number && cb == number:
		return truthIf(compareDecimals(a.Node.Text, b.Node.Text) == 0)
	case ca == complexValue && cb == complexValue:
		return truthIf(Same(a.Node, b.Node))
	case ca == complexValue || cb == complexValue, ca == number || cb == number, ca == truthValue || cb == truthValue:
		return truthIf(ca == cb && a.Node.Text == b.Node.Text)
	}
	return truthIf(a.Node.Text == b.Node.Text) // texts, or a text and a date
}

// compare orders two values of one class. known is false where it is open which is greater.
func compare(a, b Value) (order int, known bool, err error) {
	ca, cb := classOf(a), classOf(b)
	switch {
	case ca == absent || cb == absent:
		return 0, false, nil
	case ca == temporal && (cb == temporal || cb == text), ca == text && cb == temporal:
		order, known = compareTemporals(a.Node.Text, b.Node.Text)
		return order, known, nil
	case ca == number && cb == number:
		return compareDecimals(a.Node.Text, b.Node.Text), true, nil
	case ca == text && cb == text:
		return strings.Compare(a.Node.Text, b.Node.Text), true, nil
	case ca == complexValue && cb == complexValue:
		order, known = compareQuantities(a.Node, b.Node)
		return order, known, nil
	}
	return 0, false, fmt.Errorf("cannot compare %s with %s", a.Type, b.Type)
}

// compareQuantities orders quantities of the same unit.
func compareQuantities(a, b *fhirjson.Node) (order int, known bool) {
	for _, name := range [...]string{"system", "code", "unit"} {
		if a.Str(name) != b.Str(name) {
			return 0, false
		}
	}
	x, y := a.Get("value"), b.Get("value")
	if x == nil || y == nil || x.Kind != fhirjson.Number || y.Kind != fhirjson.Number {
		return 0, false
	}
	return compareDecimals(x.Text, y.Text), true
}

// Same reports whether two nodes have the same content: numbers by their value, members in any
// order. It is soon done where they differ.
func Same(a, b *fhirjson.Node) bool {
	if a.Kind != b.Kind || len(a.Members) != len(b.Members) || len(a.Items) != len(b.Items) {
		return false
	}
	const many = 64 // members from which looking up each takes longer than sorting all
	if len(a.Members) > many {
		return string(appendKey(nil, a)) == string(appendKey(nil, b))
	}
	for i := range a.Members {
		other := b.Get(a.Members[i].Name)
		if other == nil || !Same(&a.Members[i].Value, other) {
			return false
		}
	}
	for i := range a.Items {
		if !Same(&a.Items[i], &b.Items[i]) {
			return false
		}
	}
	return a.Text == b.Text || a.Kind == fhirjson.Number && compareDecimals(a.Text, b.Text) == 0
}

// distinct returns the values of several collections, each once, in order. Values without a node
// are all kept.
func distinct(c *evaluation, collections ...[]Value) ([]Value, error) {
	total := 0
	for _, values := range collections {
		total += len(values)
	}
	const few = 8 // values that are quicker compared with each other than put in a set
	cost := stepsPerValue
	if total > few {
		cost = stepsPerKey
	}
	if err := c.spend(cost * total); err != nil {
		return nil, err
	}
	out := make([]Value, 0, total)
	known := func(v Value) bool {
		return slices.ContainsFunc(out, func(o Value) bool { return o.Node != nil && Same(o.Node, v.Node) })
	}
	if total > few {
		seen := map[string]bool{}
		known = func(v Value) bool {
			key := appendKey(nil, v.Node)
			c.steps -= len(key) / 16
			before := seen[string(key)]
			seen[string(key)] = true
			return before
		}
	}
	for _, values := range collections {
		for _, v := range values {
			if v.Node == nil || !known(v) {
				out = append(out, v)
			}
		}
	}
	return out, c.spend(0)
}

// appendKey appends a form of n that nodes of the same content share and no others: numbers
// without superfluous digits, members in alphabetic order.
func appendKey(dst []byte, n *fhirjson.Node) []byte {
	switch n.Kind {
	case fhirjson.Object:
		members := slices.SortedFunc(slices.Values(n.Members), func(a, b fhirjson.Member) int {
			return strings.Compare(a.Name, b.Name)
		})
		dst = append(dst, '{')
		for i := range members {
			dst = appendText(dst, members[i].Name)
			dst = appendKey(dst, &members[i].Value)
		}
		return append(dst, '}')
	case fhirjson.Array:
		dst = append(dst, '[')
		for i := range n.Items {
			dst = appendKey(dst, &n.Items[i])
		}
		return append(dst, ']')
	case fhirjson.Number:
		dst = append(dst, 'n')
		return appendText(dst, parseDecimal(n.Text).String())
	case fhirjson.String:
		dst = append(dst, 's')
		return appendText(dst, n.Text)
	}
	dst = append(dst, 'l')
	return appendText(dst, n.Text)
}

// appendText appends s so that its end cannot be mistaken.
func appendText(dst []byte, s string) []byte {
	return append(fmt.Appendf(dst, "%d:", len(s)), s...)
}
