package r4

import "github.com/sandfhir/sandfhir/internal/nearest"

// NearestType returns the resource type whose name is most like name, for messages that ask "did
// you mean …?", or "" where none is like it.
func (t *Table) NearestType(name string) string { return nearest.Name(name, t.names) }

// NearestParam returns the code of the resource type's search parameter that is most like code,
// or "" where none is like it.
func (t *Table) NearestParam(resourceType, code string) string {
	var codes []string
	for _, p := range t.Params(resourceType) {
		codes = append(codes, p.Code)
	}
	return nearest.Name(code, codes)
}
