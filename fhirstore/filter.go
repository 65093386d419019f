package fhirstore

import (
	"time"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// CheckFilter returns what is wrong with a filter for resources of a type, in
// the form of a URL's query, or nil: a *QueryError for parameters and values
// that a permission's Query cannot have. The type "*" has the parameters that
// all types have.
func CheckFilter(typ, encoded string, now time.Time) error {
	if typ == "*" {
		typ = "Basic" // as good as any
	}
	params, err := ParseParams(encoded)
	if err != nil {
		return err
	}
	p := queryParser{defs: r4.Definitions(), now: now, opts: QueryOptions{Strict: true, FilterOnly: true}, query: &Query{Type: typ}}
	for _, param := range params {
		if err := p.param(param); err != nil {
			return err
		}
	}
	return nil
}
