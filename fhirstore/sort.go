package fhirstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
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
// which had these values of the sort keys.
type cursor struct {
	Keys []any `json:"k,omitempty"`
	RID  int64 `json:"r"`
}

// token writes the cursor as the value of NextParam. It says nothing about the
// query: every page is searched for with the parameters that its link has.
func (c cursor) token() (string, error) {
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
	if err != nil || c.RID < 0 || len(c.Keys) != keys {
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
		default:
			return c, foreignPage()
		}
	}
	return c, nil
}

func foreignPage() error {
	return &QueryError{Code: "value", Parameter: pageParam, Message: fmt.Sprintf("%s is not the token of a page of this search: follow the link that the page before gave", pageParam)}
}

// after is the condition on r, with the sort keys as its columns k0, k1 and so
// on, to come behind the cursor.
func (c cursor) after(keys []sortKey) (where string, args []any) {
	where, args = "r.rid > ?", []any{c.RID}
	for i := len(keys) - 1; i >= 0; i-- {
		k := "r.k" + strconv.Itoa(i)
		if c.Keys[i] == nil {
			where = "(" + k + " IS NULL AND " + where + ")"
			continue
		}
		beyond := " > ?"
		if keys[i].descending {
			beyond = " < ?"
		}
		where = "(" + k + beyond + " OR " + k + " IS NULL OR " + k + " = ? AND " + where + ")"
		args = append([]any{c.Keys[i], c.Keys[i]}, args...)
	}
	return where, args
}

// sorted returns at most limit rows for which a condition on r holds, in the
// order of the keys and those of one place in the order of their creation, and
// the cursor of each.
func (d *data) sorted(ctx context.Context, where string, args []any, keys []sortKey, from *cursor, limit int) (list []row, cursors []cursor, err error) {
	var columns, order strings.Builder
	var all []any
	for i, key := range keys {
		k := "k" + strconv.Itoa(i)
		columns.WriteString(", " + key.sql + " AS " + k)
		all = append(all, key.args...)
		direction := ""
		if key.descending {
			direction = " DESC"
		}
		order.WriteString("r." + k + " IS NULL, r." + k + direction + ", ")
	}
	all = append(all, args...)
	behind := "1"
	if from != nil {
		var more []any
		behind, more = from.after(keys)
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
		list, cursors = append(list, r), append(cursors, cursor{values, r.rid})
		return nil
	}, "SELECT "+rowColumns+selected+" FROM (SELECT r.*"+columns.String()+" FROM resource r WHERE "+where+") r WHERE "+behind+
		" ORDER BY "+order.String()+"r.rid LIMIT ?", append(all, limit)...)
	return list, cursors, err
}
