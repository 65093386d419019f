package fhirstore

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// A Query is a search for resources of one type, ready to be run.
type Query struct {
	Type string
	// Types are the types of a search across types; then Type is empty.
	Types []string
	// Count is the largest number of matches on a page; CountOnly asks for the
	// total alone.
	Count     int
	CountOnly bool
	// SkipTotal leaves the total out (_total=none).
	SkipTotal bool
	// Summary is what part of the matches is wanted, the value of _summary: true,
	// text or data; empty for all of them.
	Summary string
	// Elements is the value of _elements, with the elements that the type has;
	// empty for all of them.
	Elements string
	// Used are the parameters that the query honours, for the self link.
	Used []Param
	// Ignored tells of each parameter that it does not.
	Ignored []QueryError

	clauses []clause
	sort    []sortKey
	from    *cursor // where the page begins; nil: the first one
	include []inclusion
}

// QueryOptions are what a query is read with.
type QueryOptions struct {
	// Strict makes an unknown parameter an error (Prefer: handling=strict).
	Strict bool
	// FilterOnly makes a parameter that shapes the result, such as _count, an
	// error: for constraints of scopes, _typeFilter and conditional writes.
	FilterOnly bool
	// Base is the FHIR base under which absolute references are our own.
	Base string
	// Patient is the id of the patient to whose compartment the search keeps
	// (FHIR R4, http, search, compartments); empty for none.
	Patient string
}

// DefaultCount and MaxCount are the page sizes of a search without _count and
// the largest that is given.
const (
	DefaultCount = 50
	MaxCount     = 1000
)

// What a search may ask for at once. The engine could do more, but not much.
const (
	maxParams       = 100
	maxAlternatives = 500
	maxTerms        = 1000 // alternatives of all parameters but those that compare with a list of texts
)

// pageParam carries the place where a page begins; its value is opaque.
const pageParam = "_page"

// Query reads the parameters of a search for resources of type typ. Its errors
// are *QueryError (FHIR R4, Search).
func (s *Store) Query(typ string, params []Param, opts QueryOptions) (*Query, error) {
	return s.parseQuery(&Query{Type: typ, Count: DefaultCount}, params, opts)
}

// QueryAll reads the parameters of a search across types: those that all types
// have (FHIR R4, http, variant searches).
func (s *Store) QueryAll(types []string, params []Param, opts QueryOptions) (*Query, error) {
	return s.parseQuery(&Query{Types: types, Count: DefaultCount}, params, opts)
}

func (s *Store) parseQuery(q *Query, params []Param, opts QueryOptions) (*Query, error) {
	p := queryParser{defs: s.defs, now: s.clock.Now(), opts: opts, query: q}
	if opts.Patient != "" {
		q.clauses = append(q.clauses, compartmentClause(q, opts.Patient))
	}
	seen := map[Param]bool{}
	for _, param := range params {
		if seen[param] {
			continue // saying it twice asks for no more
		}
		seen[param] = true
		if err := p.param(param); err != nil {
			return nil, err
		}
	}
	if p.page != "" {
		from, err := parseCursor(p.page, len(q.sort))
		if err != nil {
			return nil, err
		}
		q.from = &from
	}
	if q.Summary == "text" && len(q.include) > 0 {
		return nil, &QueryError{Code: "not-supported", Parameter: "_summary", Message: "_summary=text does not go with _include and _revinclude (FHIR R4, Search, _summary)"}
	}
	if len(q.clauses) > maxParams {
		return nil, &QueryError{Code: "too-costly", Message: fmt.Sprintf("a search takes at most %d parameters; this one has %d", maxParams, len(q.clauses))}
	}
	return q, nil
}

// filter reads a query that is only a filter from its URL-encoded form.
func (s *Store) filter(typ, encoded string) (*Query, error) {
	params, err := ParseParams(encoded)
	if err != nil {
		return nil, err
	}
	return s.Query(typ, params, QueryOptions{Strict: true, FilterOnly: true})
}

// typeList is the types searched for as what stands behind IN.
func (q *Query) typeList() (sql string, args []any) {
	if q.Type != "" {
		return inList([]string{q.Type})
	}
	return inList(q.Types)
}

// searches reports whether the query is about resources of a type.
func (q *Query) searches(typ string) bool {
	return q.Type == typ || slices.Contains(q.Types, typ)
}

// compartmentClause keeps a search to a patient's compartment.
func compartmentClause(q *Query, patient string) clause {
	list, args := q.typeList()
	source := "SELECT c.rid FROM compartment c WHERE c.patient = ? AND c.type IN " + list
	args = append([]any{patient}, args...)
	return clause{column: "r.rid IN (" + source + ")", columnArgs: args, lead: source, leadArgs: args}
}

type queryParser struct {
	defs  *r4.Table
	now   time.Time
	opts  QueryOptions
	query *Query
	terms int // alternatives so far, each of which is a condition of its own
	depth int // links that lead here
	page  string
}

func (p *queryParser) param(param Param) error {
	if param.Value == "" {
		if p.opts.FilterOnly { // a filter that filters nothing is not what was meant
			return &QueryError{Code: "value", Parameter: param.Name, Message: fmt.Sprintf("%s has no value", param.Name)}
		}
		return nil // an empty parameter is as good as none
	}
	handled, err := p.resultParam(param)
	if err != nil || handled {
		return err
	}
	code, modifier, _ := strings.Cut(param.Name, ":")
	switch {
	case code == "_id":
		return p.addParsed(param, modifier, p.idClause)
	case code == "_lastUpdated":
		return p.addParsed(param, modifier, p.lastUpdatedClause)
	case code == "_has":
		return p.reverseChain(param)
	case code == "_list":
		return p.inList(param, modifier)
	case code == "_query":
		return &QueryError{Code: "not-supported", Parameter: param.Name, Message: fmt.Sprintf("there is no named query %q: this server has none", param.Value)}
	case strings.Contains(param.Name, "."):
		return p.chain(param)
	}
	if len(p.query.Types) > 0 {
		return p.shared(param, code, modifier)
	}
	def, ok := p.defs.Param(p.query.Type, code)
	if !ok || def.Expression == "" {
		return p.unknown(param, fmt.Sprintf("%s has no search parameter %q", p.query.Type, code))
	}
	return p.addParsed(param, modifier, func(modifier, value string) (clause, error) { return p.clause(def, modifier, value) })
}

func (p *queryParser) add(param Param, c clause) error {
	p.query.clauses = append(p.query.clauses, c)
	p.query.Used = append(p.query.Used, param)
	return nil
}

func (p *queryParser) addParsed(param Param, modifier string, parse func(modifier, value string) (clause, error)) error {
	c, err := parse(modifier, param.Value)
	if err == nil {
		return p.add(param, c)
	}
	if qe, ok := err.(*QueryError); ok {
		qe.Parameter = param.Name
		return qe
	}
	return &QueryError{Code: "value", Parameter: param.Name, Message: fmt.Sprintf("%s: %v", param.Name, err)}
}

// unknown is a parameter that cannot be honoured: an error where the caller
// is strict, or where ignoring it would find more than was asked for.
func (p *queryParser) unknown(param Param, why string) error {
	e := QueryError{Code: "not-supported", Parameter: param.Name, Message: why}
	if p.opts.Strict || p.opts.FilterOnly {
		return &e
	}
	p.query.Ignored = append(p.query.Ignored, e)
	return nil
}

// clause reads one parameter of the type; commas separate alternatives.
func (p *queryParser) clause(def *r4.SearchParam, modifier, value string) (clause, error) {
	if modifier == "missing" {
		return missingClause(def, value)
	}
	c := clause{table: tableUnder(def, modifier), param: def.ID}
	if c.table == "" {
		return c, notOffered(def)
	}
	if err := checkModifier(p.defs, def, modifier); err != nil {
		return c, err
	}
	alternatives, err := splitAlternatives(value)
	if err != nil {
		return c, err
	}
	if c.table == "ix_ref" || c.table == "ix_uri" && modifier != "below" {
		return c, p.texts(&c, def, modifier, alternatives)
	}
	if err := p.count(len(alternatives)); err != nil {
		return c, err
	}
	for _, alt := range alternatives {
		if err := p.alternative(&c, def, modifier, alt); err != nil {
			return c, err
		}
	}
	c.negate = modifier == "not"
	return c, nil
}

func notOffered(def *r4.SearchParam) error {
	return &QueryError{Code: "not-supported", Message: fmt.Sprintf("the search parameter %s of %s is not offered", def.Code, def.Type)}
}

// count adds n alternatives to those of the query and refuses too many.
func (p *queryParser) count(n int) error {
	p.terms += n
	if p.terms > maxTerms {
		return &QueryError{Code: "too-costly", Message: fmt.Sprintf("a search takes at most %d values of all its parameters together", maxTerms)}
	}
	return nil
}

// texts makes one condition of all alternatives of a reference or uri: that the
// value is one of a list.
func (p *queryParser) texts(c *clause, def *r4.SearchParam, modifier string, alternatives []string) error {
	var list []string
	for _, text := range alternatives {
		if def.Kind == r4.URI {
			list = append(list, unescape(text))
			if modifier == "above" {
				list = append(list, above(unescape(text))...)
			}
			continue
		}
		targets, err := parseReference(def, modifier, p.opts.Base, text)
		if err != nil {
			return err
		}
		list = append(list, targets...)
	}
	if def.Kind == r4.URI {
		addAlternative(c, newEquals[uriValue](list), func(v *values) []uriValue { return v.uris }, func(u uriValue) int32 { return u.param })
	} else {
		addAlternative(c, newEquals[refValue](list), func(v *values) []refValue { return v.refs }, func(r refValue) int32 { return r.param })
	}
	return nil
}

// alternative reads one value into the clause, by the table that it is looked
// up in.
func (p *queryParser) alternative(c *clause, def *r4.SearchParam, modifier, text string) error {
	switch {
	case modifier == "of-type":
		q, err := parseTyped(text)
		if err != nil {
			return err
		}
		c.codes = append(c.codes, q.head.code)
		addAlternative(c, q, func(v *values) []pair { return v.pairs }, func(p pair) int32 { return p.param })
	case def.Kind == r4.Composite:
		return p.addPair(c, def, text)
	case c.table == "ix_token":
		t, err := parseToken(def, text)
		if err != nil {
			return err
		}
		c.codes = append(c.codes, t.code)
		addAlternative(c, t, func(v *values) []tokenValue { return v.tokens }, func(t tokenValue) int32 { return t.param })
	case c.table == "ix_string":
		q := stringQuery{text: normalize(unescape(text))}
		switch modifier {
		case "exact":
			q = stringQuery{unescape(text), 'e'}
		case "contains":
			q.mode = 'c'
		}
		addAlternative(c, q, func(v *values) []stringValue { return v.strings }, func(s stringValue) int32 { return s.param })
	case c.table == "ix_uri":
		addAlternative(c, below(unescape(text)), func(v *values) []uriValue { return v.uris }, func(u uriValue) int32 { return u.param })
	case c.table == "ix_number":
		q, err := parseNumberQuery(text, def.Kind == r4.Quantity)
		if err != nil {
			return err
		}
		addAlternative(c, q, func(v *values) []numberValue { return v.numbers }, func(n numberValue) int32 { return n.param })
	default:
		q, err := parseDateQuery(text, p.now)
		if err != nil {
			return err
		}
		c.date = nil
		if len(c.where) == 0 {
			c.date = &q
		}
		addAlternative(c, q, func(v *values) []dateValue { return v.dates }, func(d dateValue) int32 { return d.param })
	}
	return nil
}

// checkModifier refuses a modifier that the parameter's kind does not have: an
// ignored modifier would find other resources than were asked for.
func checkModifier(defs *r4.Table, def *r4.SearchParam, modifier string) error {
	if modifier == "" || slices.Contains(modifiersOf(def.Kind), modifier) || def.Kind == r4.Reference && defs.IsType(modifier) {
		return nil
	}
	message := fmt.Sprintf("the modifier :%s is not offered for %s, a parameter of type %s", modifier, def.Code, def.Kind)
	if def.Kind == r4.Token && slices.Contains([]string{"in", "not-in", "above", "below"}, modifier) {
		message += ": it needs a terminology service, which this server is not; name the codes instead, with commas between them"
	}
	return &QueryError{Code: "not-supported", Message: message}
}

// modifiersOf are the modifiers of a kind of parameter beside :missing and, of
// a reference, the types.
func modifiersOf(kind r4.ParamKind) []string {
	switch kind {
	case r4.Token:
		return []string{"not", "text", "of-type"}
	case r4.String:
		return []string{"exact", "contains"}
	case r4.Reference:
		return []string{"identifier"}
	case r4.URI:
		return []string{"above", "below"}
	}
	return nil
}

// tableUnder names the table that a parameter is looked up in under a modifier,
// or "" where it has none.
func tableUnder(def *r4.SearchParam, modifier string) string {
	switch {
	case def.Kind == r4.Composite:
		if kept, ok := compositeOf(def); ok {
			return pairTable(def.Components[kept.tail].Param.Kind)
		}
		return ""
	case def.Kind == r4.Token && modifier == "text":
		return "ix_string"
	case def.Kind == r4.Token && modifier == "of-type":
		return "ix_token_token"
	case def.Kind == r4.Reference && modifier == "identifier":
		return "ix_token"
	}
	return tableOf(def.Kind)
}

// tableOf names the table of a kind of parameter, or "" where it has none.
func tableOf(k r4.ParamKind) string {
	switch k {
	case r4.Token:
		return "ix_token"
	case r4.String:
		return "ix_string"
	case r4.Reference:
		return "ix_ref"
	case r4.URI:
		return "ix_uri"
	case r4.Number, r4.Quantity:
		return "ix_number"
	case r4.Date:
		return "ix_date"
	}
	return ""
}

// Searchable reports whether a search by the parameter is offered.
func Searchable(p *r4.SearchParam) bool { return p.Expression != "" && tableUnder(p, "") != "" }
