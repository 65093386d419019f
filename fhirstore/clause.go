package fhirstore

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// A clause is one condition of a query. It can be put to the search rows in
// SQL and to a single resource in Go, and both give the same answer.
type clause struct {
	// A clause over search rows: at least one row of table with param for which
	// where holds; with negate none.
	table  string // "" for a clause over the resource's own columns
	param  int32
	where  []string // alternatives over the alias x; none means any row
	args   []any
	negate bool
	codes  []string // of a token: each alternative's code, "" for any

	// A clause over the resource's own columns: a condition over the alias r.
	column     string
	columnArgs []any

	// test puts the clause to one resource, before negate.
	test []func(*subject) bool
}

// A subject is a single resource that a query is put to.
type subject struct {
	id string
	at int64
	*values
}

// A comparison is one alternative of a clause over values of type T.
type comparison[T any] interface {
	match(T) bool
	sql() (where string, args []any)
}

func addAlternative[T any](c *clause, q comparison[T], list func(*values) []T, param func(T) int32) error {
	where, args := q.sql()
	c.where, c.args = append(c.where, where), append(c.args, args...)
	id := c.param
	c.test = append(c.test, func(s *subject) bool {
		for _, v := range list(s.values) {
			if param(v) == id && q.match(v) {
				return true
			}
		}
		return false
	})
	return nil
}

// equals is the alternative of being one of several texts.
type equals[T refValue | uriValue] []string

func (e equals[T]) match(v T) bool {
	var text string
	switch v := any(v).(type) {
	case refValue:
		text = v.target
	case uriValue:
		text = v.value
	}
	for _, want := range e {
		if text == want {
			return true
		}
	}
	return false
}

func (e equals[T]) sql() (string, []any) {
	column := "x.target"
	if _, ok := any(*new(T)).(uriValue); ok {
		column = "x.value"
	}
	list, args := inList(e)
	return column + " IN " + list, args
}

// maxPlaceholders is how many values a list in SQL names one by one; beyond it
// they go as one JSON array, of any length.
const maxPlaceholders = 200

// inList is a list of texts as what stands behind IN.
func inList(texts []string) (sql string, args []any) {
	if len(texts) > maxPlaceholders {
		array, err := json.Marshal(texts)
		if err == nil { // texts can always be written
			return "(SELECT value FROM json_each(?))", []any{string(array)}
		}
	}
	for _, t := range texts {
		args = append(args, t)
	}
	return "(" + placeholders(len(texts)) + ")", args
}

func placeholders(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}

func missingClause(def *r4.SearchParam, value string) (clause, error) {
	c := clause{table: tableOf(def.Kind), param: def.ID}
	if c.table == "" {
		return c, &QueryError{Code: "not-supported", Message: fmt.Sprintf("the search parameter %s of %s is not offered", def.Code, def.Type)}
	}
	switch value {
	case "true":
		c.negate = true
	case "false":
	default:
		return c, fmt.Errorf("%q is neither true nor false", value)
	}
	id := def.ID
	c.test = []func(*subject) bool{func(s *subject) bool { return s.has(def.Kind, id) }}
	return c, nil
}

// has reports whether the resource has any value of the parameter.
func (v *values) has(kind r4.ParamKind, param int32) bool {
	switch kind {
	case r4.Token:
		return hasParam(v.tokens, param, func(t tokenValue) int32 { return t.param })
	case r4.String:
		return hasParam(v.strings, param, func(s stringValue) int32 { return s.param })
	case r4.Reference:
		return hasParam(v.refs, param, func(r refValue) int32 { return r.param })
	case r4.URI:
		return hasParam(v.uris, param, func(u uriValue) int32 { return u.param })
	case r4.Number, r4.Quantity:
		return hasParam(v.numbers, param, func(n numberValue) int32 { return n.param })
	}
	return hasParam(v.dates, param, func(d dateValue) int32 { return d.param })
}

func hasParam[T any](list []T, param int32, of func(T) int32) bool {
	for _, v := range list {
		if of(v) == param {
			return true
		}
	}
	return false
}

func (p *queryParser) idClause(param Param) clause {
	ids := splitUnescaped(param.Value, ',')
	list, args := inList(ids)
	return clause{column: "r.id IN " + list, columnArgs: args, test: []func(*subject) bool{func(s *subject) bool { return slices.Contains(ids, s.id) }}}
}

// lastUpdatedClause compares meta.lastUpdated, an instant of the store's
// resolution.
func (p *queryParser) lastUpdatedClause(modifier, value string) (clause, error) {
	if modifier != "" {
		return clause{}, &QueryError{Code: "not-supported", Message: fmt.Sprintf("the modifier :%s is not offered for _lastUpdated", modifier)}
	}
	var c clause
	var parts []string
	for _, alt := range splitUnescaped(value, ',') {
		q, err := parseDateQuery(alt, p.now)
		if err != nil {
			return c, err
		}
		where, args := q.instantSQL()
		parts, c.columnArgs = append(parts, where), append(c.columnArgs, args...)
		c.test = append(c.test, func(s *subject) bool { return q.match(dateValue{lo: s.at, hi: s.at + 1}) })
	}
	c.column = "(" + strings.Join(parts, " OR ") + ")"
	return c, nil
}

// instantSQL is match for the range of one millisecond that begins at r.at.
func (q dateQuery) instantSQL() (string, []any) {
	switch q.prefix {
	case "ne":
		return "NOT (r.at >= ? AND r.at < ?)", []any{q.lo, q.hi}
	case "gt", "sa":
		return "r.at >= ?", []any{q.hi}
	case "lt", "eb":
		return "r.at < ?", []any{q.lo}
	case "ge":
		return "r.at >= ?", []any{q.lo}
	case "le":
		return "r.at < ?", []any{q.hi}
	}
	return "(r.at >= ? AND r.at < ?)", []any{q.lo, q.hi}
}

// exists is the clause as a condition on the resource r.
func (c *clause) exists() (string, []any) {
	if c.table == "" {
		return c.column, c.columnArgs
	}
	where := "EXISTS (SELECT 1 FROM " + c.table + " x WHERE x.rid = r.rid AND x.param = ?" + c.alternatives() + ")"
	if c.negate {
		where = "NOT " + where
	}
	return where, append([]any{c.param}, c.args...)
}

// source is the clause as a list of the resources that fulfil it, for a clause
// that can lead the search; ok is false for one that cannot.
func (c *clause) source() (query string, args []any, ok bool) {
	if c.table == "" || c.negate || len(c.where) == 0 {
		return "", nil, false
	}
	query, args = "SELECT x.rid FROM "+c.table+" x WHERE x.param = ?", []any{c.param}
	if len(c.codes) > 1 && !slices.Contains(c.codes, "") {
		// SQLite does not see by itself that every alternative bounds the code.
		list, codes := inList(c.codes)
		query, args = query+" AND x.code IN "+list, append(args, codes...)
	}
	return query + c.alternatives(), append(args, c.args...), true
}

func (c *clause) alternatives() string {
	if len(c.where) == 0 {
		return ""
	}
	return " AND (" + strings.Join(c.where, " OR ") + ")"
}

// holds puts the clause to one resource.
func (c *clause) holds(s *subject) bool {
	for _, test := range c.test {
		if test(s) {
			return !c.negate
		}
	}
	return c.negate
}

// matches puts the whole query to one resource.
func (q *Query) matches(id string, at time.Time, v *values) bool {
	s := &subject{id, toMillis(at), v}
	for i := range q.clauses {
		if !q.clauses[i].holds(s) {
			return false
		}
	}
	return true
}
