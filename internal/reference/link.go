package reference

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// Tags and their attributes in XHTML that is well-formed; what is not has no links that count.
var (
	tag       = regexp.MustCompile(`<[A-Za-z](?:[^<>"']|"[^"]*"|'[^']*')*>`)
	attribute = regexp.MustCompile(`\s(href|src)\s*=\s*(?:"([^"]*)"|'([^']*)')|\s[^\s=<>"'/]+\s*=\s*(?:"[^"]*"|'[^']*')`)
)

// links asks for the links and images of a narrative, each without its fragment.
func (w *walk) links(div *fhirjson.Node) {
	if !strings.Contains(div.Text, "href") && !strings.Contains(div.Text, "src") {
		return
	}
	var raw []int // made when it is needed
	for _, t := range tag.FindAllStringIndex(div.Text, -1) {
		for _, found := range attribute.FindAllStringSubmatchIndex(div.Text[t[0]:t[1]], -1) {
			if found[2] < 0 { // another attribute
				continue
			}
			start, end := found[4], found[5]
			if start < 0 {
				start, end = found[6], found[7]
			}
			value := div.Text[t[0]+start : t[0]+end]
			url, _, _ := strings.Cut(strings.TrimSpace(html.UnescapeString(value)), "#")
			text := w.become(URI, url, div.Start)
			if text == "" {
				continue
			}
			if raw == nil {
				raw = offsets(w.data[div.Start:div.End])
			}
			// The fragment stays; an escaped # is none.
			if i := strings.IndexByte(value, '#'); i >= 0 && !strings.Contains(value, "&#") {
				end = start + i
			}
			w.edits = append(w.edits, Edit{div.Start + raw[t[0]+start], div.Start + raw[t[0]+end], text})
		}
	}
}

// offsets returns where in the literal of a JSON string each byte of its text stands, and where
// the text ends.
func offsets(literal []byte) []int {
	var at []int
	i := 1
	for i < len(literal)-1 {
		width, n := 1, 1 // of the literal, and of the text
		if literal[i] == '\\' {
			width, n = escaped(literal[i:])
		}
		for range n {
			at = append(at, i)
		}
		i += width
	}
	return append(at, i)
}

// escaped returns the length of the escape at the beginning of a literal's rest, and that of the
// text that it stands for.
func escaped(rest []byte) (width, n int) {
	if rest[1] != 'u' {
		return 2, 1
	}
	r := unit(rest)
	if utf16.IsSurrogate(r) && len(rest) >= 12 && rest[6] == '\\' {
		return 12, utf8.RuneLen(utf16.DecodeRune(r, unit(rest[6:])))
	}
	return 6, utf8.RuneLen(r)
}

// unit is the code unit of an escape \uXXXX.
func unit(escape []byte) rune {
	n, _ := strconv.ParseUint(string(escape[2:6]), 16, 16) // the parser took it
	return rune(n)
}
