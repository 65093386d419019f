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
	others []int32  // the same parameter of other types, in a search across types
	where  []string // alternatives over the alias x; none means any row
	args   []any
	negate bool
	codes  []string   // of a token, or of a composite's: each alternative's code, "" for any
	ranges []part     // the alternatives once more, each part one range of the table's index
	date   *dateQuery // the only alternative of a date parameter

	lead     string // of a clause without a table: the query of its resources, if it can lead
	leadArgs []any

	link *link // made a lead and a column before it is put to anything

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

// A part is a condition on search rows with its arguments.
type part struct {
	where string
	args  []any
	from  string // goes before the table where the condition needs another beside it
}

// A ranger is a comparison that is one range of the index only in parts.
type ranger interface{ ranges() []part }

func addAlternative[T any](c *clause, q comparison[T], list func(*values) []T, param func(T) int32) {
	where, args := q.sql()
	c.where, c.args = append(c.where, where), append(c.args, args...)
	if r, ok := q.(ranger); ok {
		c.ranges = append(c.ranges, r.ranges()...)
	} else {
		c.ranges = append(c.ranges, part{where: where, args: args})
	}
	id := c.param
	c.test = append(c.test, func(s *subject) bool {
		for _, v := range list(s.values) {
			if param(v) == id && q.match(v) {
				return true
			}
		}
		return false
	})
}

// equals is the alternative of being one of several texts.
type equals[T refValue | uriValue] struct {
	texts []string // sorted
}

func newEquals[T refValue | uriValue](texts []string) equals[T] {
	slices.Sort(texts)
	return equals[T]{slices.Compact(texts)}
}

func (e equals[T]) match(v T) bool {
	var text string
	switch v := any(v).(type) {
	case refValue:
		text = v.target
	case uriValue:
		text = v.value
	}
	_, found := slices.BinarySearch(e.texts, text)
	return found
}

func (e equals[T]) sql() (string, []any) {
	column := "x.target"
	if _, ok := any(*new(T)).(uriValue); ok {
		column = "x.value"
	}
	list, args := inList(e.texts)
	return column + " IN " + list, args
}

// maxPlaceholders is how many values a list in SQL names one by one; beyond it
// they go as one JSON array, of any length.
const maxPlaceholders = 100

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

// anyOf is the OR of conditions, of which there is at least one, as a balanced
// tree: SQLite bounds how deep an expression is, not how wide.
func anyOf(conditions []string) string {
	n := len(conditions)
	if n == 1 {
		return "(" + conditions[0] + ")"
	}
	return "(" + anyOf(conditions[:n/2]) + " OR " + anyOf(conditions[n/2:]) + ")"
}

func placeholders(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}

func missingClause(def *r4.SearchParam, value string) (clause, error) {
	if def.Kind == r4.Composite {
		return clause{}, &QueryError{Code: "not-supported", Message: fmt.Sprintf("%s is a composite, which has no :missing (FHIR R4, Search, modifiers); ask for a part: %s", def.Code, componentList(def))}
	}
	c := clause{table: tableOf(def.Kind), param: def.ID}
	if c.table == "" {
		return c, notOffered(def)
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

func (p *queryParser) idClause(modifier, value string) (clause, error) {
	if modifier != "" {
		return clause{}, &QueryError{Code: "not-supported", Message: fmt.Sprintf("the modifier :%s is not offered for _id", modifier)}
	}
	ids, err := splitAlternatives(value)
	if err != nil {
		return clause{}, err
	}
	list, args := inList(ids)
	types, typeArgs := p.query.typeList()
	return clause{column: "r.id IN " + list, columnArgs: args,
		lead: "SELECT rid FROM resource WHERE type IN " + types + " AND id IN " + list, leadArgs: append(typeArgs, args...),
		test: []func(*subject) bool{func(s *subject) bool { return slices.Contains(ids, s.id) }}}, nil
}

// lastUpdatedClause compares meta.lastUpdated, an instant of the store's
// resolution.
func (p *queryParser) lastUpdatedClause(modifier, value string) (clause, error) {
	if modifier != "" {
		return clause{}, &QueryError{Code: "not-supported", Message: fmt.Sprintf("the modifier :%s is not offered for _lastUpdated", modifier)}
	}
	var c clause
	var parts []string
	alternatives, err := splitAlternatives(value)
	if err == nil {
		err = p.count(len(alternatives))
	}
	if err != nil {
		return c, err
	}
	for _, alt := range alternatives {
		q, err := parseDateQuery(alt, p.now)
		if err != nil {
			return c, err
		}
		where, args := q.instantSQL()
		parts, c.columnArgs = append(parts, where), append(c.columnArgs, args...)
		c.test = append(c.test, func(s *subject) bool { return q.match(dateValue{lo: s.at, hi: s.at + 1}) })
	}
	c.column = anyOf(parts)
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
	param, args := c.ofParam()
	where := "EXISTS (SELECT 1 FROM " + c.table + " x WHERE x.rid = r.rid AND " + param + c.alternatives() + ")"
	if c.negate {
		where = "NOT " + where
	}
	return where, append(args, c.args...)
}

// ofParam is the condition on x to be a row of the parameter.
func (c *clause) ofParam() (string, []any) {
	args := []any{c.param}
	if len(c.others) == 0 {
		return "x.param = ?", args
	}
	for _, id := range c.others {
		args = append(args, id)
	}
	return "x.param IN (" + placeholders(len(args)) + ")", args
}

// maxRanges is how many ranges of an index a search starts from; where there
// are more it reads all that the index has of the parameter.
const maxRanges = 64

// source is the clause as a list of the resources that fulfil it, for a clause
// that can lead the search; ok is false for one that cannot.
func (c *clause) source() (query string, args []any, ok bool) {
	if c.lead != "" {
		return c.lead, c.leadArgs, true
	}
	if c.table == "" || c.negate || len(c.where) == 0 {
		return "", nil, false
	}
	param, ids := c.ofParam()
	query, args = "SELECT x.rid FROM "+c.table+" x WHERE "+param, ids
	bounded := len(c.codes) > 1 && !slices.Contains(c.codes, "")
	code := "x.code"
	if strings.HasPrefix(c.table, "ix_token_") { // where the code bounds less than the ranges do
		bounded, code = bounded && len(c.ranges) > maxRanges, "x.head_code"
	}
	if bounded {
		// SQLite does not see by itself that every alternative bounds the code.
		list, codes := inList(c.codes)
		query, args = query+" AND "+code+" IN "+list, append(args, codes...)
	} else if len(c.ranges) <= maxRanges {
		queries := make([]string, len(c.ranges))
		args = nil
		for i, r := range c.ranges {
			queries[i] = "SELECT x.rid FROM " + r.from + c.table + " x WHERE " + param + " AND " + r.where
			args = append(append(args, ids...), r.args...)
		}
		return strings.Join(queries, " UNION ALL "), args, true
	}
	return query + c.alternatives(), append(args, c.args...), true
}

func (c *clause) alternatives() string {
	if len(c.where) == 0 {
		return ""
	}
	if len(c.where) > 1 {
		// The + keeps SQLite from planning each alternative by itself, which
		// takes longer than the search.
		return " AND +" + anyOf(c.where)
	}
	return " AND (" + c.where[0] + ")"
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

// where is the query's clauses as a condition on the resource r.
func (q *Query) where() (string, []any) {
	where, args := "1", []any(nil)
	for i := range q.clauses {
		sql, a := q.clauses[i].exists()
		where, args = where+" AND "+sql, append(args, a...)
	}
	return where, args
}
