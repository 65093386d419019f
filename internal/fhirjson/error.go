package fhirjson

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A SyntaxError says where and why an input is not one JSON value.
type SyntaxError struct {
	Offset  int    // of the offending byte, from 0
	Line    int    // from 1
	Column  int    // in characters, from 1
	Msg     string // what is wrong there
	Pointer string // JSON Pointer (RFC 6901) of the value at fault, "" at the top
}

// Error returns the message with its line, column and, where known, the pointer.
func (e *SyntaxError) Error() string {
	if e.Pointer == "" {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
	}
	return fmt.Sprintf("line %d, column %d (%s): %s", e.Line, e.Column, shortened(e.Pointer), e.Msg)
}

// shortened is a pointer without its middle where it is too long to read.
func shortened(pointer string) string {
	const shown = 40 // bytes at each end
	if len(pointer) <= 3*shown {
		return pointer
	}
	return strings.ToValidUTF8(pointer[:shown], "") + "…" + strings.ToValidUTF8(pointer[len(pointer)-shown:], "")
}

// within adds the member or index in which e happened to the front of its pointer.
func (e *SyntaxError) within(token string) *SyntaxError {
	e.Pointer = "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(token) + e.Pointer
	return e
}

const (
	endsEarly = "the input ends before the value does"
	aValue    = "a value"
)

func (p *parser) fail(offset int, msg string) *SyntaxError {
	before := p.src[:offset]
	return &SyntaxError{
		Offset: offset,
		Line:   1 + strings.Count(before, "\n"),
		Column: 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]),
		Msg:    msg,
	}
}

// unexpected reports the next byte, or word, where something else is due.
func (p *parser) unexpected(due string) *SyntaxError {
	if p.pos == len(p.src) {
		return p.fail(p.pos, endsEarly)
	}
	if word := p.word(); len(word) > 1 {
		msg := "expected " + due + ", got the word " + word
		if due == aValue {
			msg += "; JSON has the words true, false and null, and strings in double quotes"
		}
		return p.fail(p.pos, msg)
	}
	if comma := strings.TrimRight(p.src[:p.pos], " \t\r\n"); (p.at('}') || p.at(']')) && strings.HasSuffix(comma, ",") {
		return p.fail(len(comma)-1, "a comma stands before the closing "+quoted(p.src[p.pos]))
	}
	msg := "expected " + due + ", got " + quoted(p.src[p.pos])
	switch {
	case p.at('\''):
		msg += "; strings and names take double quotes"
	case p.at('/'):
		msg += "; JSON has no comments"
	}
	return p.fail(p.pos, msg)
}

// word is the run of ASCII letters that comes next, cut short where it is long.
func (p *parser) word() string {
	const most = 20
	rest := p.src[p.pos:]
	n := 0
	for n < len(rest) && n < most && ('a' <= rest[n]|0x20 && rest[n]|0x20 <= 'z') {
		n++
	}
	return rest[:n]
}

// quoted shows one byte of the input.
func quoted(c byte) string {
	if c < utf8.RuneSelf {
		return fmt.Sprintf("%q", c)
	}
	return fmt.Sprintf("byte %02X", c)
}

// refusedStart says what is wrong with an input that cannot be JSON from its first bytes on, or
// returns "".
func refusedStart(src string) string {
	switch {
	case strings.TrimLeft(src, " \t\r\n") == "":
		return "the input is empty"
	case strings.HasPrefix(src, "\xEF\xBB\xBF"):
		return "the input starts with a byte order mark (EF BB BF), which JSON may not have (RFC 8259, section 8.1)"
	case strings.HasPrefix(src, "\xFF\xFE"), strings.HasPrefix(src, "\xFE\xFF"):
		return "the input is UTF-16; FHIR JSON is UTF-8"
	}
	return ""
}
