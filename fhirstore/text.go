package fhirstore

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A stringValue is a value of a string parameter, or a text of a token's: as it
// stands and as it is compared, without case and accents (FHIR R4, Search,
// string).
type stringValue struct {
	param       int32
	norm, exact string
}

func appendStrings(to []stringValue, p *r4.SearchParam, f fhirpath.Value) []stringValue {
	switch {
	case f.Type == "HumanName":
		to = appendParts(to, p.ID, f.Node, "family", "given", "prefix", "suffix", "text")
		return appendWords(to, p.ID, f.Node.Str("family"))
	case f.Type == "Address":
		return appendParts(to, p.ID, f.Node, "line", "city", "district", "state", "postalCode", "country", "text")
	case p.Code == "family":
		to = appendWords(to, p.ID, f.Node.Text)
	}
	return appendText(to, p.ID, f.Node)
}

// appendWords adds the words of a family name but for the first: it is found by
// each of them.
func appendWords(to []stringValue, param int32, family string) []stringValue {
	words := strings.FieldsFunc(family, isWordBreak)
	for _, w := range words[min(1, len(words)):] {
		to = append(to, stringValue{param, normalize(w), w})
	}
	return to
}

func isWordBreak(r rune) bool { return r == ' ' || r == '-' }

func appendParts(to []stringValue, param int32, n *fhirjson.Node, parts ...string) []stringValue {
	for _, part := range parts {
		if m := n.Get(part); m != nil {
			to = appendText(to, param, m)
		}
	}
	return to
}

// appendText adds a string or each of a list of strings.
func appendText(to []stringValue, param int32, n *fhirjson.Node) []stringValue {
	for i := range n.Items {
		to = appendText(to, param, &n.Items[i])
	}
	if n.Kind != fhirjson.String || n.Text == "" {
		return to
	}
	return append(to, stringValue{param, normalize(n.Text), n.Text})
}

// normalize folds case and drops accents.
func normalize(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
}

// stringQuery is one alternative of a string search.
type stringQuery struct {
	text string // normalized, but for :exact
	mode byte   // 0: starts with; 'e': exactly; 'c': contains
}

func (q stringQuery) match(s stringValue) bool {
	switch q.mode {
	case 'e':
		return s.exact == q.text
	case 'c':
		return strings.Contains(s.norm, q.text)
	}
	return strings.HasPrefix(s.norm, q.text)
}

func (q stringQuery) sql() (string, []any) {
	switch q.mode {
	case 'e':
		return "x.norm = ? AND x.exact = ?", []any{normalize(q.text), q.text}
	case 'c':
		return "instr(x.norm, ?) > 0", []any{q.text}
	}
	return "x.norm >= ? AND x.norm < ?", []any{q.text, q.text + "\U0010ffff"}
}
