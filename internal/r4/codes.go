package r4

import (
	"slices"
	"strings"
)

// A Coding is a code in its code system.
type Coding struct{ System, Code string }

// Codes returns the codes of a value set that a required binding names, sorted by system and
// code. ok is false where the codes cannot be listed, such as all MIME types, UCUM units and
// currencies, and for value sets of other bindings.
func (t *Table) Codes(valueSet string) (codes []Coding, ok bool) {
	read, ok := t.valueSets[valueSet]
	if !ok {
		return nil, false
	}
	return read(), true
}

// readCodes reads a value set: a line for each system, which is followed by its codes.
func readCodes(lines string) []Coding {
	var codes []Coding
	for line := range strings.Lines(lines) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		for _, code := range fields[2:] {
			codes = append(codes, Coding{System: fields[1], Code: code})
		}
	}
	return codes
}

// Implies reports whether a code that the parameter selects may be of a code system that it does
// not name: an element of the type code is of the system of its required binding (FHIR R4,
// datatypes, code). Where the definitions do not list the codes it may be of any.
func (p *SearchParam) Implies(system string) bool {
	for path := range strings.SplitSeq(p.Expression, " | ") {
		codes, listed := p.table.codesAt(path)
		if !listed || slices.ContainsFunc(codes, func(c Coding) bool { return c.System == system }) {
			return true
		}
	}
	return false
}

// codesAt returns the codes of the element that a plain path leads to.
func (t *Table) codesAt(path string) (codes []Coding, listed bool) {
	typ, rest, _ := strings.Cut(path, ".")
	binding := ""
	for name := range strings.SplitSeq(rest, ".") {
		elements := t.Elements(typ)
		i := slices.IndexFunc(elements, func(e ElementDef) bool { return e.Name == name && !e.Choice })
		if i < 0 {
			return nil, false
		}
		typ, binding = elements[i].Types[0], elements[i].Binding
	}
	return t.Codes(binding)
}

// HasSystem reports whether values of a token parameter can be of a code system: an element of
// the type boolean, ContactPoint or uri cannot (FHIR R4, Search, token). Where the type of an
// element does not show in the expression, it can.
func (p *SearchParam) HasSystem() bool {
	for path := range strings.SplitSeq(p.Expression, " | ") {
		switch p.table.typeAt(path) {
		case "boolean", "ContactPoint", "uri", "url", "canonical":
		default:
			return true
		}
	}
	return p.Expression == ""
}

// typeAt returns the type of the element that a path leads to, which may be narrowed by where();
// "" for other expressions.
func (t *Table) typeAt(path string) string {
	typ, rest, _ := strings.Cut(path, ".")
	for name := range strings.SplitSeq(rest, ".") {
		if strings.HasPrefix(name, "where(") && strings.HasSuffix(name, ")") {
			continue
		}
		elements := t.Elements(typ)
		i := slices.IndexFunc(elements, func(e ElementDef) bool { return e.Name == name && !e.Choice && len(e.Types) == 1 })
		if i < 0 {
			return ""
		}
		typ = elements[i].Types[0]
	}
	return typ
}
