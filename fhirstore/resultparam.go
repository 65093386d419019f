package fhirstore

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/subset"
)

// resultParam handles the parameters that shape the result and find nothing.
func (p *queryParser) resultParam(param Param) (handled bool, err error) {
	q := p.query
	code, _, _ := strings.Cut(param.Name, ":")
	switch code {
	case "_count", "_total", "_summary", pageParam, "_include", "_revinclude", "_sort", "_elements", "_contained", "_containedType", "_format", "_pretty":
		if p.opts.FilterOnly {
			return true, &QueryError{Code: "not-supported", Parameter: param.Name, Message: fmt.Sprintf("%s shapes a result; here only filters are allowed", code)}
		}
	default:
		return false, nil
	}
	switch code {
	case "_format", "_pretty": // the business of whoever writes the answer
		return true, nil
	case "_count":
		n, err := strconv.Atoi(param.Value)
		if err != nil || n < 0 {
			return true, &QueryError{Code: "value", Parameter: "_count", Message: fmt.Sprintf("_count is %q; it has to be a whole number from 0", param.Value)}
		}
		q.Count, q.CountOnly = min(n, MaxCount), q.CountOnly || n == 0
		q.Used = append(q.Used, param)
	case "_total":
		switch param.Value {
		case "none", "estimate", "accurate":
			q.SkipTotal = param.Value == "none"
			q.Used = append(q.Used, param)
		default:
			return true, &QueryError{Code: "value", Parameter: "_total", Message: fmt.Sprintf("_total is %q; it has to be none, estimate or accurate", param.Value)}
		}
	case "_summary":
		switch param.Value {
		case "count":
			q.CountOnly = true
			q.Used = append(q.Used, param)
		case "false":
			q.Used = append(q.Used, param)
		case "true", "text", "data":
			q.Summary = param.Value
			q.Used = append(q.Used, param)
		default:
			return true, &QueryError{Code: "value", Parameter: "_summary", Message: fmt.Sprintf("_summary is %q; it has to be true, text, data, count or false", param.Value)}
		}
	case "_elements":
		return true, p.elements(param)
	case pageParam:
		p.page = param.Value
		return true, nil
	case "_sort":
		return true, p.sort(param)
	case "_include", "_revinclude":
		return true, p.inclusion(param)
	default: // contained resources are not searched, which is what false says
		if param == (Param{"_contained", "false"}) {
			q.Used = append(q.Used, param)
			return true, nil
		}
		return true, p.unknown(param, code+" is not offered")
	}
	return true, nil
}

// elements reads _elements. Elements that the type does not have are left out.
func (p *queryParser) elements(param Param) error {
	if p.query.Type == "" { // each type takes what it has
		p.query.Elements, p.query.Used = param.Value, append(p.query.Used, param)
		return nil
	}
	names, unknown := subset.ParseElements(p.defs, p.query.Type, param.Value)
	for _, name := range unknown {
		if err := p.unknown(param, fmt.Sprintf("%s has no element %q", p.query.Type, name)); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		return nil
	}
	p.query.Elements = param.Value
	if len(unknown) > 0 {
		p.query.Elements = strings.Join(names, ",")
	}
	p.query.Used = append(p.query.Used, Param{param.Name, p.query.Elements})
	return nil
}

// Selection is the part of resources of a type that the query asks for.
func (q *Query) Selection(typ string) subset.Selection {
	s := subset.Selection{Summary: q.Summary}
	if q.Elements != "" {
		s.Elements, _ = subset.ParseElements(r4.Definitions(), typ, q.Elements)
		if len(s.Elements) == 0 { // names of other types only: what is mandatory
			s.Elements = []string{"id"}
		}
	}
	return s
}
