package fhirstore

import "strings"

// Letters is a set of the five letters of SMART scopes (SMART App Launch 2.2,
// Scopes for requesting FHIR Resources).
type Letters uint8

// The letters: create; read, vread and instance history; update and patch;
// delete; search and type history.
const (
	LetterCreate Letters = 1 << iota
	LetterRead
	LetterUpdate
	LetterDelete
	LetterSearch

	AllLetters = LetterCreate | LetterRead | LetterUpdate | LetterDelete | LetterSearch
)

// String gives the letters in the order that scopes write them: "cruds".
func (l Letters) String() string {
	var b strings.Builder
	for i, c := range "cruds" {
		if l&(1<<i) != 0 {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// A Permission lets its holder do what the letters say with resources of one
// type, or of every type where Type is "*".
type Permission struct {
	Type    string
	Letters Letters
	// Query narrows the permission to the resources that it finds: search
	// parameters of the type, URL-encoded, such as "category=laboratory";
	// empty means all of them.
	Query string
}

// A View is what its holder may see and do. Permissions of one type are
// OR-ed: an unconstrained one makes constrained ones irrelevant for its
// letters. The zero View sees nothing.
type View struct {
	Permissions []Permission
	// Organizations are the ids of the organizations whose resources are
	// visible, with those below them by Organization.partOf; nil means all.
	// Resources that belong to no organization are visible to everyone.
	Organizations []string
	// Owner is the id of the organization that new resources belong to; empty
	// for none.
	Owner string
}

// Everything is the view of the server itself: all types, all letters, all
// organizations.
func Everything() View {
	return View{Permissions: []Permission{{Type: "*", Letters: AllLetters}}}
}

// Queries returns the constraints under which the view has the letter for the
// type: allowed is false where it does not have it at all, and no queries mean
// that it has it without constraint.
func (v View) Queries(typ string, letter Letters) (queries []string, allowed bool) {
	for _, p := range v.Permissions {
		if p.Letters&letter == 0 || p.Type != "*" && p.Type != typ {
			continue
		}
		allowed = true
		if p.Query == "" {
			return nil, true
		}
		queries = append(queries, p.Query)
	}
	return queries, allowed
}

// Has reports whether the view has the letter for the type, constrained or not.
func (v View) Has(typ string, letter Letters) bool {
	_, ok := v.Queries(typ, letter)
	return ok
}
