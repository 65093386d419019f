package authz

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Query is the constraint of a scope: search parameters that a resource must
// all match (SMART App Launch 2.2, scopes-and-launch-context, finer-grained
// resource constraints).
type Query []Parameter

// Parameter is one condition: any of the values will do. Values are in the
// syntax of FHIR search (system|code, backslash escapes), percent-decoded.
type Parameter struct {
	Name   string
	Values []string
}

// Value returns the values as FHIR search takes them: joined by commas.
func (p Parameter) Value() string { return strings.Join(p.Values, ",") }

// String writes the query in the characters that a scope may hold, parameters
// in the order in which they were given.
func (q Query) String() string {
	var b strings.Builder
	for i, p := range q {
		if i > 0 {
			b.WriteByte('&')
		}
		escapeScopePart(&b, p.Name)
		b.WriteByte('=')
		for j, v := range p.Values {
			if j > 0 {
				b.WriteByte(',')
			}
			escapeScopePart(&b, v)
		}
	}
	return b.String()
}

// escapeScopePart percent-encodes what would end the part or is no character
// of a scope (RFC 6749 section 3.3).
func escapeScopePart(b *strings.Builder, text string) {
	const hex = "0123456789ABCDEF"
	for i := range len(text) {
		c := text[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"\%&#+`, c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(c)
	}
}

// narrows reports whether q provably admits nothing that the other does not
// admit: it has every condition of the other, each with the same or fewer
// values.
func (q Query) narrows(of Query) bool {
	for _, want := range of {
		if !slices.ContainsFunc(q, func(p Parameter) bool { return p.narrows(want) }) {
			return false
		}
	}
	return true
}

func (p Parameter) narrows(of Parameter) bool {
	if p.Name != of.Name {
		return false
	}
	for _, v := range p.Values {
		if !slices.Contains(of.Values, v) {
			return false
		}
	}
	return true
}

// equal reports whether both say the same, whatever the order.
func (q Query) equal(r Query) bool { return q.narrows(r) && r.narrows(q) }

// and returns the query that has the conditions of both.
func (q Query) and(r Query) Query {
	both := slices.Clone(q)
	for _, p := range r {
		known := slices.ContainsFunc(both, func(b Parameter) bool { return b.narrows(p) && p.narrows(b) })
		if !known {
			both = append(both, p)
		}
	}
	return both
}

// bothOf returns what both one of the alternatives and one of the scopes
// admit, as alternatives again.
func bothOf(alternatives []Query, scopes Scopes) []Query {
	var both []Query
	for _, a := range alternatives {
		// A scope that admits all of a makes its other meetings needless.
		if slices.ContainsFunc(scopes, func(s Scope) bool { return a.narrows(s.Query) }) {
			both = append(both, a)
			continue
		}
		for _, s := range scopes {
			both = append(both, a.and(s.Query))
		}
	}
	return both
}

// canonical drops alternatives that another covers, and puts the rest into an
// order of its own.
func canonical(alternatives []Query) []Query {
	var kept []Query
	for i, q := range alternatives {
		covered := false
		for j, other := range alternatives {
			// Of two that say the same the first stays.
			if i != j && q.narrows(other) && (j < i || !other.narrows(q)) {
				covered = true
				break
			}
		}
		if !covered {
			kept = append(kept, q.sorted())
		}
	}
	slices.SortFunc(kept, func(a, b Query) int { return strings.Compare(a.String(), b.String()) })
	return kept
}

// sorted returns the query with parameters and values in order, each once.
func (q Query) sorted() Query {
	s := make(Query, len(q))
	for i, p := range q {
		values := slices.Clone(p.Values)
		slices.Sort(values)
		s[i] = Parameter{Name: p.Name, Values: slices.Compact(values)}
	}
	slices.SortFunc(s, func(a, b Parameter) int {
		if a.Name != b.Name {
			return strings.Compare(a.Name, b.Name)
		}
		return slices.Compare(a.Values, b.Values)
	})
	return s
}

// parseQuery reads the part of a scope after the question mark. Its second
// result says what is wrong, as the end of a sentence.
func parseQuery(text string) (Query, string) {
	if text == "" {
		return nil, "ends in a question mark; write the constraint after it, or drop it"
	}
	var q Query
	for _, pair := range strings.Split(text, "&") {
		name, value, found := strings.Cut(pair, "=")
		if pair == "" || !found || name == "" || value == "" {
			return nil, "has the constraint " + quote(pair) + ", which is not of the form parameter=value"
		}
		name, err := url.PathUnescape(name)
		if err != nil || !utf8.ValidString(name) {
			return nil, "has the constraint " + quote(pair) + ", whose percent-encoding is broken"
		}
		value, err = url.PathUnescape(value)
		if err != nil || !utf8.ValidString(value) {
			return nil, "has the constraint " + quote(pair) + ", whose percent-encoding is broken"
		}
		if why := unusableParameter(name); why != "" {
			return nil, why
		}
		values := splitValues(value)
		if slices.Contains(values, "") {
			return nil, "has an empty value in the constraint " + quote(pair)
		}
		q = q.and(Query{{Name: name, Values: values}})
	}
	return q, ""
}

// unusableParameter refuses what SMART calls experimental (modifiers, chains,
// _filter) and what does not select resources.
func unusableParameter(name string) string {
	switch name {
	case "_filter", "_has", "_query", "_list", "_text", "_content", "_type":
		return "constrains by " + name + ", which SMART leaves experimental and this server does not take in " +
			"a scope; use plain search parameters"
	case "_count", "_sort", "_include", "_revinclude", "_summary", "_elements", "_total",
		"_contained", "_containedType", "_format", "_pretty", "_score":
		return "constrains by " + name + ", which shapes a search result and selects nothing; drop it"
	}
	if i := strings.IndexByte(name, ':'); i >= 0 {
		return "constrains by " + quote(name) + "; the modifier " + name[i:] + " is experimental in SMART " +
			"and not taken in a scope; use the plain parameter " + quote(name[:i])
	}
	if i := strings.IndexByte(name, '.'); i >= 0 {
		return "constrains by " + quote(name) + "; chained parameters are experimental in SMART and not " +
			"taken in a scope; use a parameter of the type itself"
	}
	for i := range len(name) {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return "constrains by " + quote(name) + ", which is no name of a search parameter"
		}
	}
	return ""
}

// splitValues splits at commas that no backslash escapes, and drops repeats.
func splitValues(text string) []string {
	var values []string
	add := func(v string) {
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	start := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case ',':
			add(text[start:i])
			start = i + 1
		}
	}
	add(text[start:])
	return values
}

// commonParameters are the search parameters of every resource type: the only
// ones that may constrain a scope of all types.
func commonParameters() []string {
	return []string{"_id", "_lastUpdated", "_tag", "_profile", "_security"}
}
