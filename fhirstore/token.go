package fhirstore

import (
	"fmt"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A tokenValue is a value of a token parameter. system is "" where the value
// has none, and impliedSystem where its type implies one that the value does
// not spell out (FHIR R4, Search, token).
type tokenValue struct {
	param        int32
	code, system string
}

// No system is a byte that is not UTF-8: JSON cannot hold it.
const impliedSystem = "\xff"

func appendTokens(to []tokenValue, param int32, f fhirpath.Value) []tokenValue {
	n := f.Node
	switch {
	case f.Type == "CodeableConcept":
		if codings := n.Get("coding"); codings != nil {
			to = appendCodings(to, param, codings)
		}
	case f.Type == "Coding":
		to = appendCoding(to, param, n, "code")
	case f.Type == "Identifier":
		to = appendCoding(to, param, n, "value")
	case f.Type == "ContactPoint":
		if value := n.Str("value"); value != "" {
			to = append(to, tokenValue{param, value, ""})
		}
	case n.Kind == fhirjson.Bool || f.Type == "string" || f.Type == "id" || f.Type == "uri":
		to = append(to, tokenValue{param, n.Text, ""})
	case n.Kind == fhirjson.String:
		to = append(to, tokenValue{param, n.Text, impliedSystem})
	}
	return to
}

func appendCodings(to []tokenValue, param int32, codings *fhirjson.Node) []tokenValue {
	for i := range codings.Items {
		to = appendCoding(to, param, &codings.Items[i], "code")
	}
	return to
}

func appendCoding(to []tokenValue, param int32, n *fhirjson.Node, member string) []tokenValue {
	code, system := n.Str(member), n.Str("system")
	if code == "" && system == "" {
		return to
	}
	return append(to, tokenValue{param, code, system})
}

// appendDisplays adds the texts that :text searches: of a CodeableConcept, a
// Coding or the type of an Identifier (FHIR R4, Search, token). They are not
// kept as they stand, since :text has no :exact.
func appendDisplays(to []stringValue, param int32, f fhirpath.Value) []stringValue {
	add := func(text string) {
		if text != "" {
			to = append(to, stringValue{param: param, norm: normalize(text)})
		}
	}
	switch f.Type {
	case "CodeableConcept":
		if codings := f.Node.Get("coding"); codings != nil {
			for i := range codings.Items {
				add(codings.Items[i].Str("display"))
			}
		}
		add(f.Node.Str("text"))
	case "Coding":
		add(f.Node.Str("display"))
	case "Identifier":
		add(f.Node.Get("type").Str("text"))
	}
	return to
}

// appendTyped adds what :of-type searches: an Identifier with each coding of its
// type.
func appendTyped(to []pair, param int32, f fhirpath.Value) []pair {
	if f.Type != "Identifier" || f.Node.Str("value") == "" {
		return to
	}
	codings := f.Node.Get("type").Get("coding")
	if codings == nil {
		return to
	}
	for _, t := range appendCodings(nil, param, codings) {
		to = append(to, pair{param: param, head: t, tail: tokenValue{param, f.Node.Str("value"), f.Node.Str("system")}})
	}
	return to
}

// tokenQuery is one alternative of a token search.
type tokenQuery struct {
	code      string // "" matches any
	system    string
	anySystem bool
	implied   bool // values may be of the system without saying so
}

func parseToken(p *r4.SearchParam, text string) (tokenQuery, error) {
	system, code, piped := cutUnescaped(text, '|')
	if !piped {
		return tokenQuery{code: unescape(text), anySystem: true}, nil
	}
	if !p.HasSystem() {
		return tokenQuery{}, fmt.Errorf("%q has a |, and values of %s are of no code system: give the value alone", text, p.Code)
	}
	q := tokenQuery{code: unescape(code), system: unescape(system)}
	if q.code == "" && q.system == "" {
		return q, fmt.Errorf("%q names neither a system nor a code", text)
	}
	q.implied = q.system != "" && p.Implies(q.system)
	return q, nil
}

// parseTyped reads a value of :of-type, system|code|value, of which no part may
// be missing (FHIR R4, Search, token).
func parseTyped(text string) (pairQuery, error) {
	parts := splitUnescaped(text, '|')
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return pairQuery{}, fmt.Errorf("%q is not system|code|value, the system and code of the identifier's type and its value, none of which may be left out", text)
	}
	return newPairQuery(tokenQuery{code: unescape(parts[1]), system: unescape(parts[0])}, tokenQuery{code: unescape(parts[2]), anySystem: true}), nil
}

func (q tokenQuery) match(t tokenValue) bool {
	if q.code != "" && !equalFoldASCII(q.code, t.code) {
		return false
	}
	return q.anySystem || q.system == t.system || q.implied && t.system == impliedSystem
}

// equalFoldASCII compares as the column of codes does, SQLite's NOCASE: only
// the letters of ASCII have two cases.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func (q tokenQuery) sql() (string, []any) { return q.on("x.") }

// on is match as a condition on columns code and system that have a prefix.
func (q tokenQuery) on(prefix string) (string, []any) {
	var parts []string
	var args []any
	if q.code != "" {
		parts, args = append(parts, prefix+"code = ?"), append(args, q.code)
	}
	switch {
	case q.anySystem:
	case q.system == "":
		parts = append(parts, prefix+"system = ''")
	case q.implied:
		parts, args = append(parts, prefix+"system IN (?, ?)"), append(args, q.system, impliedSystem)
	default:
		parts, args = append(parts, prefix+"system = ?"), append(args, q.system)
	}
	return strings.Join(parts, " AND "), args
}
