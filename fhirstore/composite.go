package fhirstore

import (
	"fmt"
	"slices"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A composite is how the parts of a composite parameter are kept (FHIR R4,
// Search, composite): every one has a token, which is the head, and one part
// more, the tail; some have a number as their third.
type composite struct {
	head, tail int // which component of the parameter each is
	last       int // -1 where there are two parts
}

// compositeOf returns how a composite parameter is kept; ok is false for one
// that cannot be.
func compositeOf(p *r4.SearchParam) (c composite, ok bool) {
	c = composite{head: -1, tail: -1, last: -1}
	for i := range p.Components {
		switch kind := p.Components[i].Param.Kind; {
		case kind == r4.Token && c.head < 0:
			c.head = i
		case c.tail < 0:
			c.tail = i
		case kind == r4.Number && c.last < 0:
			c.last = i
		default:
			return c, false
		}
	}
	return c, c.head >= 0 && c.tail >= 0 && p.Expression != "" && pairTable(p.Components[c.tail].Param.Kind) != ""
}

// pairTable names the table of the pairs of a token with a value of a kind.
func pairTable(tail r4.ParamKind) string {
	switch tail {
	case r4.Token:
		return "ix_token_token"
	case r4.String:
		return "ix_token_string"
	case r4.Reference:
		return "ix_token_ref"
	case r4.Number, r4.Quantity:
		return "ix_token_number"
	case r4.Date:
		return "ix_token_date"
	}
	return ""
}

// A pair is one combination of values that the parts of a composite have within
// one element of a resource.
type pair struct {
	param int32
	head  tokenValue
	tail  any // a tokenValue, stringValue, refValue, numberValue or dateValue
	last  numberValue
}

// maxPairs bounds the pairs of one resource for one parameter, which a coding
// repeated many times would multiply.
const maxPairs = 10_000

// appendPairs adds the pairs of a composite parameter.
func appendPairs(to []pair, p *r4.SearchParam, root *fhirjson.Node, elements []fhirpath.Value) []pair {
	c, ok := compositeOf(p)
	if !ok {
		return to
	}
	most := len(to) + maxPairs
	for _, element := range elements {
		parts := make([]values, len(p.Components))
		for i := range p.Components {
			found, err := p.Components[i].Eval(root, element)
			if err != nil {
				continue // as in extract
			}
			for _, f := range found {
				parts[i].add(p.Components[i].Param, f)
			}
		}
		lasts := []numberValue{{}}
		if c.last >= 0 {
			lasts = parts[c.last].numbers
		}
		tails := parts[c.tail].all(p.Components[c.tail].Param.Kind)
		for _, head := range parts[c.head].tokens {
			for _, tail := range tails {
				for _, last := range lasts {
					if len(to) == most {
						return to
					}
					to = append(to, pair{p.ID, head, tail, last})
				}
			}
		}
	}
	return to
}

// all returns the values of a kind.
func (v *values) all(kind r4.ParamKind) (list []any) {
	switch kind {
	case r4.Token:
		list = anyList(v.tokens)
	case r4.String:
		list = anyList(v.strings)
	case r4.Reference:
		list = anyList(v.refs)
	case r4.Number, r4.Quantity:
		list = anyList(v.numbers)
	case r4.Date:
		list = anyList(v.dates)
	}
	return list
}

func anyList[T any](list []T) []any {
	out := make([]any, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out
}

// pairColumns are the columns of the pair tables behind rid, param, head_code
// and head_system.
var pairColumns = [...]struct{ table, columns string }{
	{"ix_token_token", "code, system"},
	{"ix_token_string", "norm, exact"},
	{"ix_token_ref", "target"},
	{"ix_token_number", "lo, hi, system, code, unit, last_lo, last_hi"},
	{"ix_token_date", "span, lo, hi"},
}

// row returns the table of a pair and what stands in its columns.
func (p *pair) row(rid int64) (table string, row []any) {
	row = []any{rid, p.param, p.head.code, p.head.system}
	switch t := p.tail.(type) {
	case tokenValue:
		return "ix_token_token", append(row, t.code, t.system)
	case stringValue:
		return "ix_token_string", append(row, t.norm, t.exact)
	case refValue:
		return "ix_token_ref", append(row, t.target)
	case numberValue:
		return "ix_token_number", append(row, t.lo, t.hi, t.system, t.code, t.unit, p.last.lo, p.last.hi)
	}
	d := p.tail.(dateValue)
	return "ix_token_date", append(row, spanClass(d.lo, d.hi, false), d.lo, d.hi)
}

// pairQuery is one alternative of a search by a composite.
type pairQuery struct {
	head  tokenQuery
	tail  func(any) bool
	parts []part // the tail, as ranges of an index that is bound to one head
	where part   // the tail as one condition
	last  *numberQuery
}

// newPairQuery returns the alternative of a head with a tail.
func newPairQuery[T any](head tokenQuery, tail comparison[T]) pairQuery {
	where, args := tail.sql()
	q := pairQuery{head: head, where: part{where: where, args: args}}
	q.parts = []part{q.where}
	if r, ok := tail.(ranger); ok {
		q.parts = r.ranges()
	}
	q.tail = func(value any) bool {
		v, ok := value.(T)
		return ok && tail.match(v)
	}
	return q
}

func (q pairQuery) match(p pair) bool {
	return q.head.match(p.head) && q.tail(p.tail) && (q.last == nil || q.last.match(p.last))
}

func (q pairQuery) sql() (string, []any) {
	whole := q.with(q.where)
	return whole.where, whole.args
}

func (q pairQuery) ranges() []part {
	list := make([]part, len(q.parts))
	for i, p := range q.parts {
		list[i] = q.with(p)
	}
	return list
}

// with puts the conditions of the other parts beside one of the tail.
func (q pairQuery) with(tail part) part {
	where, args := q.head.on("x.head_")
	where, args = where+" AND ("+tail.where+")", append(args, tail.args...)
	if q.last != nil {
		last, more := q.last.between("x.last_lo", "x.last_hi")
		where, args = where+" AND ("+last+")", append(args, more...)
	}
	return part{where, args, tail.from}
}

// addPair reads one alternative of a search by a composite: the values of its
// parts with a $ between them.
func (p *queryParser) addPair(c *clause, def *r4.SearchParam, text string) error {
	kept, _ := compositeOf(def)
	texts := splitUnescaped(text, '$')
	if len(texts) != len(def.Components) || slices.Contains(texts, "") {
		return fmt.Errorf("%q has to be %s: a value of each with $ between them", text, componentList(def))
	}
	head, err := parseToken(def.Components[kept.head].Param, texts[kept.head])
	if err != nil {
		return err
	}
	tail, tailText := def.Components[kept.tail].Param, texts[kept.tail]
	var q pairQuery
	switch tail.Kind {
	case r4.Token:
		t, err := parseToken(tail, tailText)
		if err != nil {
			return err
		}
		q = newPairQuery(head, t)
	case r4.String:
		q = newPairQuery(head, stringQuery{text: normalize(unescape(tailText))})
	case r4.Reference:
		list, err := parseReference(tail, "", p.opts.Base, tailText)
		if err != nil {
			return err
		}
		q = newPairQuery(head, newEquals[refValue](list))
	case r4.Number, r4.Quantity:
		n, err := parseNumberQuery(tailText, tail.Kind == r4.Quantity)
		if err != nil {
			return err
		}
		q = newPairQuery(head, n)
	default:
		d, err := parseDateQuery(tailText, p.now)
		if err != nil {
			return err
		}
		q = newPairQuery(head, d)
	}
	if kept.last >= 0 {
		last, err := parseNumberQuery(texts[kept.last], false)
		if err != nil {
			return err
		}
		q.last = &last
	}
	c.codes = append(c.codes, head.code)
	addAlternative(c, q, func(v *values) []pair { return v.pairs }, func(p pair) int32 { return p.param })
	return nil
}

// componentList names the parts of a composite as a value of it has them.
func componentList(def *r4.SearchParam) string {
	text := ""
	for i := range def.Components {
		if i > 0 {
			text += "$"
		}
		text += def.Components[i].Param.Code
	}
	return text
}
