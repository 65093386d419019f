package fhirstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// maxIncluded bounds what one page's inclusions may add.
const maxIncluded = 1000

// An inclusion is one _include or _revinclude.
type inclusion struct {
	params  []*r4.SearchParam // the reference parameters to follow
	target  string            // the type to follow to; empty means any
	reverse bool
	iterate bool // starts from what was included, too
}

// inclusion reads Source:param, Source:param:Target, Source:* or, of _include,
// the * alone, which is everything that the matches refer to.
func (p *queryParser) inclusion(param Param) error {
	name, modifier, _ := strings.Cut(param.Name, ":")
	if modifier != "" && modifier != "iterate" {
		return &QueryError{Code: "not-supported", Parameter: param.Name, Message: fmt.Sprintf("%s has no modifier :%s, only :iterate", name, modifier)}
	}
	if param.Value == "*" && name == "_include" {
		inc := inclusion{iterate: modifier == "iterate"}
		for _, typ := range slices.Concat(p.query.Types, []string{p.query.Type}) {
			inc.params = append(inc.params, references(p.defs, typ)...)
		}
		p.query.include = append(p.query.include, inc)
		p.query.Used = append(p.query.Used, param)
		return nil
	}
	parts := strings.Split(param.Value, ":")
	if len(parts) < 2 || len(parts) > 3 || !p.defs.IsType(parts[0]) || len(parts) == 3 && !p.defs.IsType(parts[2]) {
		return p.unknown(param, fmt.Sprintf("%s=%s: it has to be Type:parameter or Type:parameter:Type", name, param.Value))
	}
	inc := inclusion{reverse: name == "_revinclude", iterate: modifier == "iterate"}
	if len(parts) == 3 {
		inc.target = parts[2]
	}
	if parts[1] == "*" {
		inc.params = references(p.defs, parts[0])
	} else if def, ok := p.defs.Param(parts[0], parts[1]); ok && def.Kind == r4.Reference {
		inc.params = []*r4.SearchParam{def}
	} else {
		return p.unknown(param, fmt.Sprintf("%s has no reference parameter %q to include by", parts[0], parts[1]))
	}
	if !inc.reverse && !inc.iterate && !p.query.searches(parts[0]) {
		return p.unknown(param, fmt.Sprintf("_include starts from what is searched for, and %s is not; _include:iterate starts from what was included, too", parts[0]))
	}
	p.query.include = append(p.query.include, inc)
	p.query.Used = append(p.query.Used, param)
	return nil
}

// references are the reference parameters of a type.
func references(defs *r4.Table, typ string) (list []*r4.SearchParam) {
	for _, def := range defs.Params(typ) {
		if def.Kind == r4.Reference {
			list = append(list, def)
		}
	}
	return list
}

// maxSteps is how many steps from the matches inclusions with :iterate lead.
const maxSteps = 5

// included returns what the query's inclusions add to the matches: live
// resources that the view may read, each once and none that is a match.
// Inclusions with :iterate start from what was added, too. hidden are the types
// of which something was left out because the view has no letter for them.
func (s *Store) included(ctx context.Context, d *data, gs *gates, q *Query, matches []row) (added []Resource, hidden []string, err error) {
	if len(q.include) == 0 || len(matches) == 0 {
		return nil, nil, nil
	}
	seen := map[int64]bool{}
	for i := range matches {
		seen[matches[i].rid] = true
	}
	from := matches
	for step := 0; step < maxSteps && len(from) > 0; step++ {
		var reached []row
		for _, inc := range q.include {
			if step > 0 && !inc.iterate {
				continue
			}
			for _, def := range inc.params {
				if !inc.reverse && !slices.ContainsFunc(from, func(r row) bool { return r.typ == def.Type }) {
					continue
				}
				rows, err := d.follow(ctx, inc, def, from)
				if err != nil {
					return nil, nil, fmt.Errorf("include: %w", err)
				}
				for i := range rows {
					r := &rows[i]
					if seen[r.rid] || len(added) == maxIncluded || inc.target != "" && !inc.reverse && r.typ != inc.target {
						continue
					}
					seen[r.rid] = true
					json, err := d.packs.readBody(ctx, d.read, r.body)
					if err != nil {
						return nil, nil, err
					}
					res := r.resource(json)
					ok, err := gs.shows(ctx, &res, LetterRead)
					if err != nil {
						return nil, nil, err
					}
					if ok {
						added, reached = append(added, res), append(reached, *r)
					} else if !gs.view.Has(res.Type, LetterRead) && !slices.Contains(hidden, res.Type) {
						hidden = append(hidden, res.Type)
					}
				}
			}
		}
		from = reached
	}
	return added, hidden, nil
}

func (d *data) follow(ctx context.Context, inc inclusion, def *r4.SearchParam, matches []row) ([]row, error) {
	args := []any{def.ID}
	for i := range matches {
		if inc.reverse {
			args = append(args, matches[i].typ+"/"+matches[i].id)
		} else {
			args = append(args, matches[i].rid)
		}
	}
	list := placeholders(len(matches))
	if inc.reverse {
		return d.rows(ctx, "r.live = 1 AND r.rid IN (SELECT x.rid FROM ix_ref x WHERE x.param = ? AND x.target IN ("+list+")) ORDER BY r.rid LIMIT "+fmt.Sprint(maxIncluded), args...)
	}
	return d.rows(ctx, "r.live = 1 AND r.rid IN (SELECT t.rid FROM "+targets+" WHERE x.param = ? AND x.rid IN ("+list+")) ORDER BY r.rid LIMIT "+fmt.Sprint(maxIncluded), args...)
}
