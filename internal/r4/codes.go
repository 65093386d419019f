package r4

import "strings"

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
