package fhirstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/sandfhir/sandfhir/internal/r4"
)

// A sortKey is one rule of _sort: the least value of a search parameter that a
// resource has, or with descending the greatest (FHIR R4, Search, _sort).
// Resources without a value come last either way.
type sortKey struct {
	sql        string // the value of the resource r; NULL where it has none
	args       []any
	descending bool
}

// maxSortKeys is how many rules _sort may have.
const maxSortKeys = 5

// sort reads _sort.
func (p *queryParser) sort(param Param) error {
	names := strings.Split(param.Value, ",")
	if len(names) > maxSortKeys {
		return &QueryError{Code: "too-costly", Parameter: param.Name, Message: fmt.Sprintf("_sort takes at most %d rules", maxSortKeys)}
	}
	var keys []sortKey
	for _, name := range names {
		code, descending := strings.CutPrefix(name, "-")
		key, ok := p.sortKey(code, descending)
		if !ok {
			return p.unknown(param, fmt.Sprintf("%s cannot be sorted by %q", cmp.Or(p.query.Type, "a search across types"), code))
		}
		keys = append(keys, key)
	}
	p.query.sort = keys
	p.query.Used = append(p.query.Used, param)
	return nil
}

func (p *queryParser) sortKey(code string, descending bool) (sortKey, bool) {
	key := sortKey{descending: descending}
	switch code {
	case "_id":
		key.sql = "r.id"
		return key, true
	case "_lastUpdated":
		key.sql = "r.at"
		return key, true
	}
	def, ok := p.defs.Param(p.query.Type, code)
	if !ok || def.Expression == "" || tableOf(def.Kind) == "" {
		return key, false
	}
	value := map[r4.ParamKind]string{r4.Token: "code", r4.String: "norm", r4.Reference: "target", r4.URI: "value",
		r4.Number: "lo", r4.Quantity: "lo", r4.Date: "lo"}[def.Kind]
	choice := "min"
	if descending {
		choice = "max"
		if value == "lo" {
			value = "hi"
		}
	}
	key.sql = "(SELECT " + choice + "(x." + value + ") FROM " + tableOf(def.Kind) + " x WHERE x.rid = r.rid AND x.param = ?)"
	key.args = []any{def.ID}
	return key, true
}

// A cursor is where a page begins: behind the last resource of the page before,
// which had these values of the sort keys. With Back the page ends there: before
// the first resource of the page behind it, or with End, at the end of all.
type cursor struct {
	Keys []any `json:"k,omitempty"`
	RID  int64 `json:"r"`
	Back bool  `json:"b,omitempty"`
	End  bool  `json:"e,omitempty"`
}

// back is the cursor of the page that ends before a resource.
func (c cursor) back() cursor { return cursor{Keys: c.Keys, RID: c.RID, Back: true} }

// infinite is the name under which a token says of an infinite value whether it
// is above all others.
const infinite = "inf"

// token writes the cursor as the value of NextParam. It says nothing about the
// query: every page is searched for with the parameters that its link has.
func (c cursor) token() (string, error) {
	c.Keys = slices.Clone(c.Keys)
	for i, key := range c.Keys {
		if f, ok := key.(float64); ok && math.IsInf(f, 0) { // the open end of a range, which JSON cannot write
			c.Keys[i] = map[string]bool{infinite: f > 0}
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write page token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// parseCursor reads a page token of a query with so many sort keys.
func parseCursor(token string, keys int) (cursor, error) {
	var c cursor
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber() // instants are beyond what a float holds
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&c)
	}
	if err == nil && c.End && c.Back && len(c.Keys) == 0 {
		return c, nil
	}
	if err != nil || c.End || c.RID < 0 || len(c.Keys) != keys {
		return c, foreignPage()
	}
	for i, key := range c.Keys {
		switch v := key.(type) {
		case nil, string:
		case json.Number:
			if n, err := v.Int64(); err == nil {
				c.Keys[i] = n
			} else if f, err := v.Float64(); err == nil {
				c.Keys[i] = f
			} else {
				return c, foreignPage()
			}
		case map[string]any:
			above, ok := v[infinite].(bool)
			if !ok || len(v) != 1 {
				return c, foreignPage()
			}
			if c.Keys[i] = math.Inf(-1); above {
				c.Keys[i] = math.Inf(1)
			}
		default:
			return c, foreignPage()
		}
	}
	return c, nil
}

func foreignPage() error {
	return &QueryError{Code: "value", Parameter: pageParam, Message: fmt.Sprintf("%s is not the token of a page of this search: follow the link that the page before gave", pageParam)}
}

// beyond is the condition on r, with the sort keys as its columns k0, k1 and so
// on, to come behind the cursor or, with Back, before it.
func (c cursor) beyond(keys []sortKey) (where string, args []any) {
	if c.End {
		return "1", nil
	}
	where, args = "r.rid > ?", []any{c.RID}
	if c.Back {
		where = "r.rid < ?"
	}
	for i := len(keys) - 1; i >= 0; i-- {
		k := "r.k" + strconv.Itoa(i)
		if c.Keys[i] == nil { // which come last
			where = "(" + k + " IS NULL AND " + where + ")"
			if c.Back {
				where = "(" + k + " IS NOT NULL OR " + where + ")"
			}
			continue
		}
		compare := " > ?"
		if keys[i].descending != c.Back {
			compare = " < ?"
		}
		behind := ""
		if !c.Back {
			behind = " OR " + k + " IS NULL"
		}
		where = "(" + k + compare + behind + " OR " + k + " = ? AND " + where + ")"
		args = append([]any{c.Keys[i], c.Keys[i]}, args...)
	}
	return where, args
}

// sorted returns at most limit rows for which a condition on r holds, in the
// order of the keys and those of one place in the order of their creation, and
// the cursor of each. They are the first ones beyond from; where that leads
// back, the last ones.
func (d *data) sorted(ctx context.Context, where string, args []any, keys []sortKey, from *cursor, limit int) (list []row, cursors []cursor, err error) {
	var columns, order strings.Builder
	var all []any
	back := from != nil && from.Back
	direction := func(descending bool) string {
		if descending != back {
			return " DESC"
		}
		return ""
	}
	for i, key := range keys {
		k := "k" + strconv.Itoa(i)
		columns.WriteString(", " + key.sql + " AS " + k)
		all = append(all, key.args...)
		order.WriteString("r." + k + " IS NULL" + direction(false) + ", r." + k + direction(key.descending) + ", ")
	}
	all = append(all, args...)
	behind := "1"
	if from != nil {
		var more []any
		behind, more = from.beyond(keys)
		all = append(all, more...)
	}
	selected := ""
	for i := range keys {
		selected += ", r.k" + strconv.Itoa(i)
	}
	err = each(ctx, d.read, func(rows *sql.Rows) error {
		var r row
		values := make([]any, len(keys))
		into := r.columns()
		for i := range values {
			into = append(into, &values[i])
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			if text, ok := v.([]byte); ok {
				values[i] = string(text)
			}
		}
		list, cursors = append(list, r), append(cursors, cursor{Keys: values, RID: r.rid})
		return nil
	}, "SELECT "+rowColumns+selected+" FROM (SELECT r.*"+columns.String()+" FROM resource r WHERE "+where+") r WHERE "+behind+
		" ORDER BY "+order.String()+"r.rid"+direction(false)+" LIMIT ?", append(all, limit)...)
	if back {
		slices.Reverse(list)
		slices.Reverse(cursors)
	}
	return list, cursors, err
}
