package fhirstore

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Param is one search parameter of a request as it was sent, percent-decoded:
// Name may carry a modifier ("name:exact").
type Param struct{ Name, Value string }

// ParseParams splits a URL-encoded query and keeps the order of its parameters.
// Its error is a *QueryError that tells which one cannot be decoded to UTF-8.
func ParseParams(encoded string) ([]Param, error) {
	var params []Param
	for _, pair := range strings.Split(encoded, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, problem := decodeParam(rawName)
		if problem != "" {
			return nil, &QueryError{Code: "invalid", Parameter: rawName, Message: fmt.Sprintf("the name of the parameter %q %s", rawName, problem)}
		}
		value, problem := decodeParam(rawValue)
		if problem != "" {
			return nil, &QueryError{Code: "invalid", Parameter: name, Message: fmt.Sprintf("the value of the parameter %q %s", name, problem)}
		}
		params = append(params, Param{name, value})
	}
	return params, nil
}

// decodeParam decodes a name or a value; problem is empty or goes behind what it
// is of.
func decodeParam(encoded string) (text, problem string) {
	text, err := url.QueryUnescape(encoded)
	var escape url.EscapeError
	if errors.As(err, &escape) {
		return "", fmt.Sprintf("has %q, where two hexadecimal digits have to follow the %% (RFC 3986 section 2.1)", string(escape))
	}
	for i, r := range text {
		if _, size := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && size == 1 {
			return "", fmt.Sprintf("is not UTF-8 once it is decoded: its byte %d is %02X", i+1, text[i])
		}
	}
	return text, ""
}

// splitAlternatives splits a value at its commas.
func splitAlternatives(value string) ([]string, error) {
	alternatives := splitUnescaped(value, ',')
	if len(alternatives) > maxAlternatives {
		return nil, &QueryError{Code: "too-costly", Message: fmt.Sprintf("a search parameter takes at most %d values; this one has %d", maxAlternatives, len(alternatives))}
	}
	if slices.Contains(alternatives, "") {
		return nil, fmt.Errorf("%q has an empty value beside a comma", value)
	}
	return alternatives, nil
}

// cutPrefix splits the comparison off a number or date; without one it is eq.
func cutPrefix(text string) (prefix, rest string) {
	if len(text) > 2 {
		switch text[:2] {
		case "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap":
			return text[:2], text[2:]
		}
	}
	return "eq", text
}

// splitUnescaped splits at each sep that no backslash stands before.
func splitUnescaped(text string, sep byte) []string {
	var parts []string
	for {
		before, after, found := cutUnescaped(text, sep)
		parts = append(parts, before)
		if !found {
			return parts
		}
		text = after
	}
}

func cutUnescaped(text string, sep byte) (before, after string, found bool) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case sep:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

// unescape takes the backslashes away that stand before , $ | and \.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	return strings.NewReplacer(`\,`, ",", `\$`, "$", `\|`, "|", `\\`, `\`).Replace(text)
}
