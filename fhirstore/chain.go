package fhirstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// A link leads from the resources that are searched for to others that have to
// fulfil a condition: those that a reference parameter points to (chaining), or
// those that point here by one (reverse chaining, _has; FHIR R4, Search).
type link struct {
	ref     *r4.SearchParam
	reverse bool
	// ends are searches at the other end of the link, one for each type that it
	// may have.
	ends []*Query
}

// maxLinks is how many links one parameter may have, one behind the other.
const maxLinks = 4

// chain reads a parameter such as subject:Patient.name, whose name has a point.
func (p *queryParser) chain(param Param) error {
	if p.opts.FilterOnly && p.depth == 0 {
		return p.unknown(param, "a filter cannot have a chain")
	}
	head, rest, _ := strings.Cut(param.Name, ".")
	code, typ, _ := strings.Cut(head, ":")
	if len(p.query.Types) > 0 {
		return &QueryError{Code: "not-supported", Parameter: param.Name, Message: "a search across types has no chains: search each type by itself"}
	}
	def, ok := p.defs.Param(p.query.Type, code)
	switch {
	case !ok:
		return p.unknown(param, fmt.Sprintf("%s has no search parameter %q", p.query.Type, code))
	case def.Kind != r4.Reference:
		return &QueryError{Code: "not-supported", Parameter: param.Name, Message: fmt.Sprintf("%s of %s is no reference: a chain leads along references", code, p.query.Type)}
	case typ != "" && !p.defs.IsType(typ):
		return &QueryError{Code: "value", Parameter: param.Name, Message: fmt.Sprintf("%s is no resource type", typ)}
	}
	targets := def.Targets
	if typ != "" {
		targets = []string{typ}
	}
	return p.addLink(param, &link{ref: def}, targets, Param{rest, param.Value})
}

// reverseChain reads a parameter such as _has:Observation:patient:code.
func (p *queryParser) reverseChain(param Param) error {
	if p.opts.FilterOnly && p.depth == 0 {
		return p.unknown(param, "a filter cannot have _has")
	}
	parts := strings.SplitN(param.Name, ":", 4)
	if len(parts) < 4 || parts[0] != "_has" || parts[3] == "" {
		return &QueryError{Code: "value", Parameter: param.Name, Message: "_has is written _has:Type:reference:parameter=value, such as _has:Observation:patient:code=1234-5"}
	}
	typ, code := parts[1], parts[2]
	if !p.defs.IsType(typ) {
		return &QueryError{Code: "value", Parameter: param.Name, Message: fmt.Sprintf("%s is no resource type", typ)}
	}
	def, ok := p.defs.Param(typ, code)
	if !ok || def.Kind != r4.Reference {
		return &QueryError{Code: "not-supported", Parameter: param.Name, Message: fmt.Sprintf("%s has no reference parameter %q", typ, code)}
	}
	return p.addLink(param, &link{ref: def, reverse: true}, []string{typ}, Param{parts[3], param.Value})
}

// addLink reads the condition at the other end for each type that has its
// parameter.
func (p *queryParser) addLink(param Param, l *link, types []string, condition Param) error {
	if p.depth == maxLinks {
		return &QueryError{Code: "too-costly", Parameter: param.Name, Message: fmt.Sprintf("a search parameter takes at most %d links", maxLinks)}
	}
	var refused error
	for _, typ := range types {
		end := &Query{Type: typ}
		at := queryParser{defs: p.defs, now: p.now, query: end, terms: p.terms, depth: p.depth + 1,
			opts: QueryOptions{Strict: true, FilterOnly: true, Base: p.opts.Base}}
		err := at.param(condition)
		p.terms = at.terms
		var unknown *QueryError
		switch {
		case err == nil:
			l.ends = append(l.ends, end)
		case errors.As(err, &unknown) && unknown.Code == "not-supported" && len(types) > 1:
			refused = err // another type may have it
		default:
			return &QueryError{Code: codeOf(err), Parameter: param.Name, Message: fmt.Sprintf("%s: %v", param.Name, err)}
		}
	}
	if len(l.ends) == 0 {
		message := fmt.Sprintf("nothing that %s of %s may point to has a search parameter %q", l.ref.Code, l.ref.Type, condition.Name)
		if refused != nil && len(types) == 1 {
			message = refused.Error()
		}
		return &QueryError{Code: "not-supported", Parameter: param.Name, Message: message}
	}
	return p.add(param, clause{link: l})
}

func codeOf(err error) string {
	var e *QueryError
	if errors.As(err, &e) {
		return e.Code
	}
	return "value"
}

// linked returns the query with its links as conditions in SQL. The view has to
// have the search letter at the other end, and sees there what it
// sees everywhere.
func (s *Store) linked(ctx context.Context, d *data, gs *gates, q *Query) (*Query, error) {
	if !slices.ContainsFunc(q.clauses, func(c clause) bool { return c.link != nil }) {
		return q, nil
	}
	out := *q
	out.clauses = slices.Clone(q.clauses)
	for i := range out.clauses {
		c := &out.clauses[i]
		if c.link == nil {
			continue
		}
		source, args, err := s.linkSource(ctx, d, gs, q, c.link)
		if err != nil {
			return nil, err
		}
		c.column, c.columnArgs, c.lead, c.leadArgs = "r.rid IN ("+source+")", args, source, args
	}
	return &out, nil
}

// linkSource is a link as a query of the resources that q is about.
func (s *Store) linkSource(ctx context.Context, d *data, gs *gates, q *Query, l *link) (source string, args []any, err error) {
	var sources []string
	var refused error
	for _, end := range l.ends {
		where, more, err := s.condition(ctx, d, gs, end)
		var forbidden *ForbiddenError
		if errors.As(err, &forbidden) && len(l.ends) > 1 {
			refused = err // there are other types to look at
			continue
		}
		if err != nil {
			return "", nil, err
		}
		for _, typ := range l.pointedAt(q) {
			prefix := typ + "/"
			sources = append(sources, "SELECT t.rid FROM resource t WHERE t.type = ? AND t.id IN (SELECT substr(x.target, ?) FROM ix_ref x WHERE x.param = ? AND x.target >= ? AND x.target < ? AND x.rid IN (SELECT r.rid FROM resource r WHERE "+where+"))")
			args = append(args, typ, len(prefix)+1, l.ref.ID, prefix, typ+"0") // 0 comes after /
			args = append(args, more...)
		}
		if !l.reverse {
			sources = append(sources, "SELECT x.rid FROM ix_ref x WHERE x.param = ? AND x.target IN (SELECT ? || r.id FROM resource r WHERE "+where+")")
			args = append(args, l.ref.ID, end.Type+"/")
			args = append(args, more...)
		}
	}
	if len(sources) == 0 && refused != nil {
		return "", nil, refused
	}
	if len(sources) == 0 {
		return "SELECT NULL WHERE FALSE", nil, nil
	}
	return strings.Join(sources, " UNION ALL "), args, nil
}

// pointedAt are the types of the query that a reverse link can point at.
func (l *link) pointedAt(q *Query) []string {
	switch {
	case !l.reverse:
		return nil
	case len(q.Types) == 0:
		return []string{q.Type}
	}
	return slices.DeleteFunc(slices.Clone(q.Types), func(typ string) bool {
		return len(l.ref.Targets) > 0 && !slices.Contains(l.ref.Targets, typ)
	})
}

// condition is a query under a view as a condition on r.
func (s *Store) condition(ctx context.Context, d *data, gs *gates, q *Query) (where string, args []any, err error) {
	visible, more, err := gs.visible(ctx, q)
	if err != nil {
		return "", nil, err
	}
	if q, err = s.linked(ctx, d, gs, q); err != nil {
		return "", nil, err
	}
	if where, args, err = d.plan(ctx, q); err != nil {
		return "", nil, fmt.Errorf("plan search: %w", err)
	}
	return where + " AND " + visible, append(args, more...), nil
}

// visible is what the view shows of the types of a query, as a condition on r.
func (gs *gates) visible(ctx context.Context, q *Query) (where string, args []any, err error) {
	if q.Type != "" {
		g, err := gs.gate(ctx, q.Type, LetterSearch)
		if err != nil {
			return "", nil, err
		}
		where, args = g.where()
		return where, args, nil
	}
	var whole, narrowed []string // types without and with constraints, these as conditions
	var narrow []any
	for _, typ := range q.Types {
		g, err := gs.gate(ctx, typ, LetterSearch)
		if err != nil {
			return "", nil, err
		}
		if len(g.filters) == 0 {
			whole = append(whole, typ)
			continue
		}
		condition, more := g.inFilters()
		narrowed, narrow = append(narrowed, "r.type = ? AND "+condition), append(append(narrow, typ), more...)
	}
	where, args = ofOrganizations(gs.organizations)
	if len(narrowed) == 0 { // the types themselves are a condition already
		return where, args, nil
	}
	if len(whole) > 0 {
		list, types := inList(whole)
		narrowed, narrow = append(narrowed, "r.type IN "+list), append(narrow, types...)
	}
	return where + " AND " + anyOf(narrowed), append(args, narrow...), nil
}
