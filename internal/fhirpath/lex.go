package fhirpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A SyntaxError says where and why an expression cannot be compiled.
type SyntaxError struct {
	Expression string
	Offset     int // in bytes, from 0
	Msg        string
}

// Error returns the message with the expression and the position, counted from 1.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at position %d of %s", e.Msg, e.Offset+1, e.Expression)
}

type tokenKind uint8

const (
	endToken     tokenKind = iota
	nameToken              // an identifier; quoted is set where it stood in backquotes
	textToken              // a string literal, decoded
	numberToken            // as written
	dateToken              // a date, dateTime or time literal without its @
	variable               // %resource, without the %
	specialToken           // $this, without the $
	symbolToken            // an operator or a bracket
)

type token struct {
	kind   tokenKind
	text   string
	offset int
	quoted bool
}

// is reports whether t is the symbol or unquoted word text.
func (t token) is(text string) bool {
	return t.text == text && (t.kind == symbolToken || t.kind == nameToken && !t.quoted)
}

func (t token) String() string {
	if t.kind == endToken {
		return "the end"
	}
	return strconv.Quote(t.text)
}

// A lexer cuts an expression into tokens (FHIRPath N1, section 11).
type lexer struct {
	src string
	pos int
}

func (l *lexer) fail(offset int, format string, args ...any) error {
	return &SyntaxError{Expression: l.src, Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

func (l *lexer) next() (token, error) {
	if err := l.skipSpace(); err != nil {
		return token{}, err
	}
	start := l.pos
	if start == len(l.src) {
		return token{kind: endToken, offset: start}, nil
	}
	switch c := l.src[start]; {
	case isLetter(c):
		return token{kind: nameToken, text: l.word(), offset: start}, nil
	case isDigit(c):
		return token{kind: numberToken, text: l.number(), offset: start}, nil
	case c == '`' || c == '\'':
		text, err := l.quoted(c)
		kind := textToken
		if c == '`' {
			kind = nameToken
		}
		return token{kind: kind, text: text, offset: start, quoted: true}, err
	case c == '@':
		l.pos++
		return token{kind: dateToken, text: l.run(isDateByte), offset: start}, nil
	case c == '$':
		l.pos++
		return token{kind: specialToken, text: l.word(), offset: start}, nil
	case c == '%':
		l.pos++
		text, err := l.variableName()
		return token{kind: variable, text: text, offset: start}, err
	}
	return l.symbol()
}

func (l *lexer) symbol() (token, error) {
	start := l.pos
	for _, s := range [...]string{"<=", ">=", "!=", "!~"} {
		if strings.HasPrefix(l.src[start:], s) {
			l.pos += len(s)
			return token{kind: symbolToken, text: s, offset: start}, nil
		}
	}
	if strings.IndexByte("().,[]|=<>+-&~*/{}", l.src[start]) < 0 {
		r, _ := utf8.DecodeRuneInString(l.src[start:])
		return token{}, l.fail(start, "unexpected character %q", r)
	}
	l.pos++
	return token{kind: symbolToken, text: l.src[start:l.pos], offset: start}, nil
}

// skipSpace steps over white space and comments.
func (l *lexer) skipSpace() error {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "//"):
			if end := strings.IndexByte(rest, '\n'); end >= 0 {
				l.pos += end + 1
			} else {
				l.pos = len(l.src)
			}
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return l.fail(l.pos, "a comment is not closed")
			}
			l.pos += 2 + end + 2
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) run(of func(byte) bool) string {
	start := l.pos
	for l.pos < len(l.src) && of(l.src[l.pos]) {
		l.pos++
	}
	return l.src[start:l.pos]
}

func (l *lexer) word() string {
	return l.run(func(c byte) bool { return isLetter(c) || isDigit(c) })
}

// number reads digits and, where a digit follows the point, a fraction: in "1.not()" the point
// begins an invocation.
func (l *lexer) number() string {
	start := l.pos
	l.run(isDigit)
	if l.pos+1 < len(l.src) && l.src[l.pos] == '.' && isDigit(l.src[l.pos+1]) {
		l.pos++
		l.run(isDigit)
	}
	return l.src[start:l.pos]
}

func (l *lexer) variableName() (string, error) {
	if l.pos < len(l.src) && (l.src[l.pos] == '`' || l.src[l.pos] == '\'') {
		return l.quoted(l.src[l.pos])
	}
	return l.word(), nil
}

// quoted reads a literal up to the closing quote and decodes its escapes.
func (l *lexer) quoted(quote byte) (string, error) {
	start := l.pos
	l.pos++
	var text strings.Builder
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		l.pos++
		switch c {
		case quote:
			return text.String(), nil
		case '\\':
			if err := l.escape(&text); err != nil {
				return "", err
			}
		default:
			text.WriteByte(c)
		}
	}
	return "", l.fail(start, "a quote is not closed")
}

// escape reads what follows a backslash.
func (l *lexer) escape(text *strings.Builder) error {
	start := l.pos - 1
	if l.pos == len(l.src) {
		return l.fail(start, "a quote is not closed")
	}
	c := l.src[l.pos]
	l.pos++
	switch c {
	case '\'', '"', '`', '\\', '/':
		text.WriteByte(c)
	case 'f':
		text.WriteByte('\f')
	case 'n':
		text.WriteByte('\n')
	case 'r':
		text.WriteByte('\r')
	case 't':
		text.WriteByte('\t')
	case 'u':
		digits := l.src[l.pos:min(l.pos+4, len(l.src))]
		r, err := strconv.ParseUint(digits, 16, 16)
		if err != nil || len(digits) < 4 {
			return l.fail(start, "\\u takes four hexadecimal digits")
		}
		text.WriteRune(rune(r))
		l.pos += 4
	default:
		return l.fail(start, "unknown escape in a quote")
	}
	return nil
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isDateByte(c byte) bool { return isDigit(c) || strings.IndexByte("-:.+TZ", c) >= 0 }
