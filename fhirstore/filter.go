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

// Criteria reads the search parameters that say which resource a conditional
// write is for. Each has to be honoured, and there has to be one: what was
// ignored would match resources that are not meant. Its errors are *QueryError.
func (s *Store) Criteria(typ string, params []Param, base string) (*Query, error) {
	q, err := s.Query(typ, params, QueryOptions{Strict: true, FilterOnly: true, Base: base})
	if err == nil && len(q.clauses) == 0 {
		err = &QueryError{Code: "required", Message: "a conditional write needs criteria: without any, every " + typ + " would match"}
	}
	return q, err
}
