package fhirstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
)

// A Page is a part of a search's result.
type Page struct {
	Matches  []Resource
	Included []Resource // what _include and _revinclude added to the matches
	// Hidden are the types of which _include and _revinclude added nothing,
	// because the view may not read them.
	Hidden []string
	// Total counts the matches on all pages; -1 where it was not asked for.
	Total int64
	// Next is the page token of the next page; empty on the last one. It is the
	// value of the parameter NextParam. Previous is that of the page before,
	// empty on the first one, and Last that of the last page where Next is not
	// empty: it is counted from the end and is as long as the others.
	Next, Previous, Last string
}

// NextParam is the parameter that carries a page token.
const NextParam = pageParam

// How far the clauses of a search are counted to see which is narrow.
const (
	probeLimit      = 1000
	widerProbeLimit = 100_000
)

// Search runs a query (FHIR R4, http, search). Without _sort matches come in the
// order in which the resources were created, which never changes. A page begins
// behind the last resource of the page before, by its place in the order, so
// that pages neither lose nor repeat a resource that matches throughout and
// keeps its place, whatever others write. Resources that the view does not show
// are left out. Its error is a *ForbiddenError where the view may not
// search the type at all.
func (s *Store) Search(ctx context.Context, v View, q *Query) (*Page, error) {
	d := s.cur.Load()
	gs := s.gates(d.read, v)
	page, rows, err := s.search(ctx, d, gs, q)
	if err != nil {
		return nil, err
	}
	page.Included, page.Hidden, err = s.included(ctx, d, gs, q, rows)
	return page, err
}

// search is Search without what is included; rows are those of the matches.
func (s *Store) search(ctx context.Context, d *data, gs *gates, q *Query) (*Page, []row, error) {
	where, args, err := s.condition(ctx, d, gs, q)
	if err != nil {
		return nil, nil, err
	}

	page := &Page{Total: -1}
	if !q.SkipTotal || q.CountOnly {
		err := d.read.QueryRowContext(ctx, "SELECT count(*) FROM resource r WHERE "+where, args...).Scan(&page.Total)
		if err != nil {
			return nil, nil, fmt.Errorf("count %s: %w", q.Type, err)
		}
	}
	if q.CountOnly {
		return page, nil, nil
	}
	rows, cursors, err := d.sorted(ctx, where, args, q.sort, q.from, q.Count+1)
	if err != nil {
		return nil, nil, fmt.Errorf("search %s: %w", q.Type, err)
	}
	if rows, err = page.cut(q, rows, cursors); err != nil {
		return nil, nil, err
	}
	if page.Matches, err = d.resources(ctx, rows); err != nil {
		return nil, nil, err
	}
	return page, rows, nil
}

// cut takes a row too many off a page and sets the tokens of those around it.
func (page *Page) cut(q *Query, rows []row, cursors []cursor) ([]row, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	back, end := q.from != nil && q.from.Back, q.from != nil && q.from.End
	more := len(rows) > q.Count
	switch {
	case more && back:
		rows, cursors = rows[1:], cursors[1:]
	case more:
		rows, cursors = rows[:q.Count], cursors[:q.Count]
	}
	var err error
	if q.from != nil && (more || !back) {
		if page.Previous, err = cursors[0].back().token(); err != nil {
			return nil, err
		}
	}
	if more && !back || back && !end {
		if page.Next, err = cursors[len(cursors)-1].token(); err != nil {
			return nil, err
		}
		page.Last, err = cursor{Back: true, End: true}.token()
	}
	return rows, err
}

// plan returns the query as a condition on r. The clause that finds the least
// leads; the others are looked up for each resource that it finds, so that the
// cost follows the narrowest clause and not the widest.
func (d *data) plan(ctx context.Context, q *Query) (where string, args []any, err error) {
	clauses := q.clauses
	if both := together(clauses); both != nil { // which finds less than either
		clauses = append([]clause{*both}, clauses...)
	}
	lead, err := d.narrowest(ctx, clauses, probeLimit, widerProbeLimit)
	if err != nil {
		return "", nil, err
	}
	// The + keeps the type out of the choice of an index where a clause leads.
	types, typeArgs := q.typeList()
	where, args = "r.type IN "+types+" AND r.live = 1", typeArgs
	if lead >= 0 {
		source, sourceArgs, _ := clauses[lead].source()
		where, args = "r.rid IN ("+source+") AND +r.type IN "+types+" AND +r.live = 1", slices.Concat(sourceArgs, typeArgs)
	}
	for i := range q.clauses {
		if i == lead-(len(clauses)-len(q.clauses)) {
			continue
		}
		sql, a := q.clauses[i].exists()
		where, args = where+" AND "+sql, append(args, a...)
	}
	return where, args, nil
}

// narrowest returns the index of the clause that finds the least, as far as it
// was counted: to each limit only where all reach the one before. It is -1 if
// none can lead.
func (d *data) narrowest(ctx context.Context, clauses []clause, limits ...int) (int, error) {
	var able []int
	for i := range clauses {
		if _, _, ok := clauses[i].source(); ok {
			able = append(able, i)
		}
	}
	switch len(able) {
	case 0:
		return -1, nil
	case 1:
		return able[0], nil
	}
	lead := able[0]
	for _, limit := range limits {
		least := limit
		for _, i := range able {
			source, args, _ := clauses[i].source()
			var n int
			err := d.read.QueryRowContext(ctx, "SELECT count(*) FROM ("+source+" LIMIT "+strconv.Itoa(limit)+")", args...).Scan(&n)
			if err != nil {
				return -1, err
			}
			if n < least {
				lead, least = i, n
			}
		}
		if least < limit {
			break
		}
	}
	return lead, nil
}

// rows returns the resources for which a condition on r holds.
func (d *data) rows(ctx context.Context, where string, args ...any) ([]row, error) {
	var list []row
	err := each(ctx, d.read, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(r.columns()...); err != nil {
			return err
		}
		list = append(list, r)
		return nil
	}, "SELECT "+rowColumns+" FROM resource r WHERE "+where, args...)
	return list, err
}

func (d *data) resources(ctx context.Context, rows []row) ([]Resource, error) {
	list := make([]Resource, 0, len(rows))
	for i := range rows {
		json, err := d.packs.readBody(ctx, d.read, rows[i].body)
		if err != nil {
			return nil, err
		}
		list = append(list, rows[i].resource(json))
	}
	return list, nil
}
