package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Span is a run of text that looks the same.
type Span struct {
	Text string
	Kind SpanKind
}

// SpanKind says how a span looks.
type SpanKind string

// The kinds of spans.
const (
	Plain     SpanKind = ""
	Differs   SpanKind = "differs"   // where two values are not the same
	Invisible SpanKind = "invisible" // the name of a character that cannot be seen
)

// line takes a text of one line apart so that characters that cannot be seen,
// or that would rearrange what can be seen, are shown by their code. A
// zero-width space in a key id is otherwise not to be found.
func line(text string) []Span { return appendSpans(nil, text, Plain, "") }

// lines does the same with a text of many lines.
func lines(text string) []Span { return appendSpans(nil, text, Plain, "\n\t") }

// appendSpans appends the spans of text, in which the characters of plain are
// seen as themselves.
func appendSpans(list []Span, text string, kind SpanKind, plain string) []Span {
	begin := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		name := ""
		switch {
		case r == utf8.RuneError && size == 1:
			name = fmt.Sprintf("byte %02X", text[i])
		case !visible(r) && !strings.ContainsRune(plain, r):
			name = fmt.Sprintf("U+%04X", r)
		}
		if name != "" {
			list = appendRun(list, text[begin:i], kind)
			list = append(list, Span{name, Invisible})
			begin = i + size
		}
		i += size
	}
	return appendRun(list, text[begin:], kind)
}

func appendRun(list []Span, text string, kind SpanKind) []Span {
	if text == "" {
		return list
	}
	return append(list, Span{text, kind})
}

// visible reports whether a reader sees the character as itself.
func visible(r rune) bool { return r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// Comparison is what was got and what was wanted, for showing side by side.
type Comparison struct{ Got, Want []Span }

// compare marks the part in which two similar values differ. Values that have
// little in common stay as they are: marking all of them helps nobody. What
// was got may be the JSON of a string; its quotation marks do not count.
func compare(got, want string) Comparison {
	core, quoted := strings.CutPrefix(got, `"`)
	if end, ok := strings.CutSuffix(core, `"`); quoted && ok {
		core = end
	} else {
		core, quoted = got, false
	}
	prefix := commonPrefix(core, want)
	suffix := commonSuffix(core[prefix:], want[prefix:])
	if core == want || 2*(prefix+suffix) < max(len(core), len(want)) {
		return Comparison{line(got), line(want)}
	}
	mark := func(text, around string) []Span {
		list := appendSpans(nil, around+text[:prefix], Plain, "")
		list = appendSpans(list, text[prefix:len(text)-suffix], Differs, "")
		return appendSpans(list, text[len(text)-suffix:]+around, Plain, "")
	}
	around := ""
	if quoted {
		around = `"`
	}
	return Comparison{mark(core, around), mark(want, "")}
}

// commonPrefix returns how many bytes two texts have in common at their
// beginning, whole characters only.
func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && !(atBoundary(a, n) && atBoundary(b, n)) {
		n--
	}
	return n
}

// commonSuffix is commonPrefix from the end.
func commonSuffix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	for n > 0 && !(atBoundary(a, len(a)-n) && atBoundary(b, len(b)-n)) {
		n--
	}
	return n
}

func atBoundary(s string, i int) bool { return i == len(s) || utf8.RuneStart(s[i]) }

// maxDepth is the deepest JSON that is indented. The white space of deeper
// texts grows with the square of their length.
const maxDepth = 40

// indent returns a JSON text indented, and anything else as it is.
func indent(text []byte) string {
	if depth(text) > maxDepth {
		return string(text)
	}
	var buf bytes.Buffer
	if err := json.Indent(&buf, text, "", "  "); err != nil {
		return string(text)
	}
	return buf.String()
}

// depth returns how deep a JSON text is nested.
func depth(text []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			now++
			deepest = max(deepest, now)
		case b == '}' || b == ']':
			now--
		}
	}
	return deepest
}

// parameters returns the parameters of a form in order, decoded where they can
// be.
func parameters(form string) []Field {
	var list []Field
	for pair := range strings.SplitSeq(form, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		list = append(list, Field{unescape(name), unescape(value)})
	}
	return list
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// instants returns the claims exp, nbf and iat that are numbers, in UTC.
func instants(claims []byte) []Field {
	var members map[string]json.RawMessage
	if json.Unmarshal(claims, &members) != nil {
		return nil
	}
	var list []Field
	for _, name := range []string{"iat", "nbf", "exp"} {
		seconds, err := strconv.ParseFloat(string(members[name]), 64)
		if err != nil || seconds < 0 || seconds > maxSeconds {
			continue
		}
		list = append(list, Field{name, instant(time.Unix(int64(seconds), 0))})
	}
	return list
}

// maxSeconds is the end of the year 9999.
const maxSeconds = 253402300799

// clip shortens a text to n characters.
func clip(text string, n int) string {
	for i := range text {
		if n--; n < 0 {
			return text[:i] + "…"
		}
	}
	return text
}
