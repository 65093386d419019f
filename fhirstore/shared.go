package fhirstore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// shared reads a parameter of a search across types, which all of them have to
// have (FHIR R4, http, variant searches).
func (p *queryParser) shared(param Param, code, modifier string) error {
	defs, lacks := p.ofEach(code)
	switch {
	case len(defs) == 0:
		return p.unknown(param, fmt.Sprintf("no type that is searched for has a search parameter %q", code))
	case lacks != "":
		return &QueryError{Code: "not-supported", Parameter: param.Name, Message: fmt.Sprintf("%s is a search parameter of %s and not of %s: a search across types takes those that all of them have (FHIR R4, http, variant searches); name fewer types in _type, or search each by itself", code, defs[0].Type, lacks)}
	}
	return p.addParsed(param, modifier, func(modifier, value string) (clause, error) {
		def := *defs[0]
		for _, other := range defs {
			if other.Kind != def.Kind || def.Kind == r4.Composite {
				return clause{}, &QueryError{Code: "not-supported", Message: fmt.Sprintf("%s does not mean the same for %s and %s: search each type by itself", code, def.Type, other.Type)}
			}
			def.Targets = append(def.Targets[:len(def.Targets):len(def.Targets)], other.Targets...)
		}
		slices.Sort(def.Targets)
		def.Targets = slices.Compact(def.Targets)
		c, err := p.clause(&def, modifier, value)
		if err == nil && c.table == "ix_token" && modifier != "missing" {
			err = oneMeaning(defs, value)
		}
		for _, of := range defs {
			c.others = append(c.others, of.ID)
		}
		c.param = 0
		return c, err
	})
}

// ofEach returns the parameter of each type that has it, and the first type
// that lacks it.
func (p *queryParser) ofEach(code string) (defs []*r4.SearchParam, lacks string) {
	for _, typ := range p.query.Types {
		def, ok := p.defs.Param(typ, code)
		switch {
		case ok && def.Expression != "":
			defs = append(defs, def)
		case lacks == "":
			lacks = typ
		}
	}
	return defs, lacks
}

// oneMeaning refuses a code system that codes are of without saying so for some
// of the types and not for others: the search rows do not tell these apart.
func oneMeaning(defs []*r4.SearchParam, value string) error {
	for _, text := range splitUnescaped(value, ',') {
		system, _, piped := cutUnescaped(text, '|')
		if !piped || system == "" {
			continue
		}
		for _, def := range defs[1:] {
			if def.Implies(unescape(system)) != defs[0].Implies(unescape(system)) {
				return &QueryError{Code: "not-supported", Message: fmt.Sprintf("%s is the code system of %s for one of %s and %s only: leave the system out, or search each type by itself", unescape(system), def.Code, defs[0].Type, def.Type)}
			}
		}
	}
	return nil
}

// inList reads _list: the resources that a List has (FHIR R4, Search, _list).
func (p *queryParser) inList(param Param, modifier string) error {
	def, ok := p.defs.Param("List", "item")
	switch {
	case p.opts.FilterOnly && p.depth == 0:
		return p.unknown(param, "a filter cannot have _list")
	case modifier != "" || !ok:
		return &QueryError{Code: "not-supported", Parameter: param.Name, Message: fmt.Sprintf("the modifier :%s is not offered for _list", modifier)}
	case strings.HasPrefix(param.Value, "$"):
		return &QueryError{Code: "not-supported", Parameter: param.Name, Message: fmt.Sprintf("functional lists such as %s are not offered: name a List by its id", param.Value)}
	}
	return p.addLink(param, &link{ref: def, reverse: true}, []string{"List"}, Param{"_id", param.Value})
}
