package bulk

import (
	"slices"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// A Coverage is what narrowed the view of a kick-off: whoever sees less by now
// does not get the files.
type Coverage struct {
	Organizations []string `json:"organizations,omitempty"`
	// Queries are, for types that the view showed in part, the queries of which
	// resources had to match one, by letter.
	Queries map[string]map[string][]string `json:"queries,omitempty"`
}

// exportLetters are what an export is of a type.
var exportLetters = [...]fhirstore.Letters{fhirstore.LetterRead, fhirstore.LetterSearch}

// coverageOf notes what narrows a view of some types.
func coverageOf(v fhirstore.View, types []string) Coverage {
	c := Coverage{Organizations: v.Organizations, Queries: map[string]map[string][]string{}}
	for _, typ := range types {
		for _, letter := range exportLetters {
			if queries, _ := v.Queries(typ, letter); len(queries) > 0 {
				if c.Queries[typ] == nil {
					c.Queries[typ] = map[string][]string{}
				}
				c.Queries[typ][letter.String()] = queries
			}
		}
	}
	return c
}

// Covers reports whether a view shows of a type all that the job may hold: as
// much as the view of the kick-off did, or more.
func (j *Job) Covers(v fhirstore.View, typ string) bool {
	for _, letter := range exportLetters {
		now, allowed := v.Queries(typ, letter)
		if !allowed {
			return false
		}
		then := j.Coverage.Queries[typ][letter.String()]
		missing := func(q string) bool { return !slices.Contains(now, q) }
		if len(now) > 0 && (len(then) == 0 || slices.ContainsFunc(then, missing)) {
			return false
		}
	}
	return true
}

// sameOrganizations reports whether a view is of the organizations of the
// kick-off.
func (j *Job) sameOrganizations(v fhirstore.View) bool {
	return slices.Equal(j.Coverage.Organizations, v.Organizations)
}
