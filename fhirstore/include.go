package fhirstore

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// maxIncluded bounds what one page's inclusions may add. A page with a part of
// it would look whole, so that what adds more is refused.
const maxIncluded = 10_000

func tooManyIncluded() error {
	return &QueryError{Code: "too-costly", Parameter: "_include", Message: fmt.Sprintf("_include and _revinclude add more than %d resources to a page; ask for smaller pages with _count, or for less to be included", maxIncluded)}
}

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

// included returns what the query's inclusions add to the matches: live
// resources that the view may read, each once and none that is a match.
// Inclusions with :iterate start from what was added, too. hidden are the types
// of which something was left out because the view has no letter for them. The
// error is a *QueryError where they would add more than maxIncluded.
func (s *Store) included(ctx context.Context, d *data, gs *gates, q *Query, matches []row) (added []Resource, hidden []string, err error) {
	if len(q.include) == 0 || len(matches) == 0 {
		return nil, nil, nil
	}
	seen := map[int64]bool{}
	for i := range matches {
		seen[matches[i].rid] = true
	}
	for from, step := matches, 0; len(from) > 0; step++ { // what is seen is not reached again
		var reached []row
		for inc, def := range inclusions(q.include, step > 0) {
			if !inc.reverse && !slices.ContainsFunc(from, func(r row) bool { return r.typ == def.Type }) {
				continue
			}
			for part := range slices.Chunk(from, followed) {
				rows, err := d.follow(ctx, *inc, def, part)
				if err != nil {
					return nil, nil, fmt.Errorf("include: %w", err)
				}
				for i := range rows {
					r := &rows[i]
					if seen[r.rid] || inc.target != "" && !inc.reverse && r.typ != inc.target {
						continue
					}
					seen[r.rid] = true
					json, err := d.packs.readBody(ctx, d.read, r.body)
					if err != nil {
						return nil, nil, err
					}
					res := r.resource(json)
					ok, err := gs.shows(ctx, &res, LetterRead)
					switch {
					case err != nil:
						return nil, nil, err
					case ok && len(added) == maxIncluded:
						return nil, nil, tooManyIncluded()
					case ok:
						added, reached = append(added, res), append(reached, *r)
					case !gs.view.Has(res.Type, LetterRead) && !slices.Contains(hidden, res.Type):
						hidden = append(hidden, res.Type)
					}
				}
			}
		}
		from = reached
	}
	return added, hidden, nil
}

// followed is how many resources are followed from at once.
const followed = 500

// inclusions are those with each of their parameters, or of them the ones with
// :iterate.
func inclusions(list []inclusion, iterate bool) iter.Seq2[*inclusion, *r4.SearchParam] {
	return func(yield func(*inclusion, *r4.SearchParam) bool) {
		for i := range list {
			if iterate && !list[i].iterate {
				continue
			}
			for _, def := range list[i].params {
				if !yield(&list[i], def) {
					return
				}
			}
		}
	}
}

// follow returns the live resources that an inclusion leads to from a few
// others, by one of its parameters. Its limit lies beyond all that can be seen
// already and all that can be added.
func (d *data) follow(ctx context.Context, inc inclusion, def *r4.SearchParam, from []row) ([]row, error) {
	args := []any{def.ID}
	for i := range from {
		if inc.reverse {
			args = append(args, from[i].typ+"/"+from[i].id)
		} else {
			args = append(args, from[i].rid)
		}
	}
	list := placeholders(len(from))
	reached := "SELECT t.rid FROM " + targets + " WHERE x.param = ? AND x.rid IN (" + list + ")"
	if inc.reverse {
		reached = "SELECT x.rid FROM ix_ref x WHERE x.param = ? AND x.target IN (" + list + ")"
	}
	return d.rows(ctx, "r.live = 1 AND r.rid IN ("+reached+") ORDER BY r.rid LIMIT "+fmt.Sprint(2*maxIncluded+MaxCount), args...)
}
