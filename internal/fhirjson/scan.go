package fhirjson

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func (p *parser) skipSpace() {
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// at reports whether the next byte is c.
func (p *parser) at(c byte) bool { return p.pos < len(p.src) && p.src[p.pos] == c }

// take steps over the next byte if that is c.
func (p *parser) take(c byte) bool {
	if p.at(c) {
		p.pos++
		return true
	}
	return false
}

// literal reads word, of which the first byte is known to be there.
func (p *parser) literal(word string) (string, *SyntaxError) {
	rest := p.src[p.pos:]
	switch {
	case strings.HasPrefix(rest, word):
		p.pos += len(word)
		return word, nil
	case strings.HasPrefix(word, rest):
		return "", p.fail(len(p.src), endsEarly)
	}
	return "", p.unexpected(aValue)
}

// number reads a number (RFC 8259, section 6) and returns it as it is written.
func (p *parser) number() (string, *SyntaxError) {
	start := p.pos
	p.take('-')
	if !p.take('0') && !p.digits() {
		return "", p.unexpected("a digit")
	}
	if p.pos < len(p.src) && isDigit(p.src[p.pos]) {
		return "", p.fail(start, "a number does not begin with 0 before other digits")
	}
	if p.take('.') && !p.digits() {
		return "", p.unexpected("a digit after the decimal point")
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return "", p.unexpected("a digit of the exponent")
		}
	}
	return p.src[start:p.pos], nil
}

// digits steps over a run of digits and reports whether there were any.
func (p *parser) digits() bool {
	start := p.pos
	for p.pos < len(p.src) && isDigit(p.src[p.pos]) {
		p.pos++
	}
	return p.pos > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// text reads a string from its opening quote on and returns it decoded.
func (p *parser) text() (string, *SyntaxError) {
	p.pos++
	start := p.pos
	if err := p.plainText(); err != nil {
		return "", err
	}
	if p.src[p.pos] == '"' {
		p.pos++
		return p.src[start : p.pos-1], nil
	}
	decoded := []byte(p.src[start:p.pos])
	for {
		var err *SyntaxError
		if decoded, err = p.escape(decoded); err != nil {
			return "", err
		}
		start = p.pos
		if err := p.plainText(); err != nil {
			return "", err
		}
		decoded = append(decoded, p.src[start:p.pos]...)
		if p.take('"') {
			return string(decoded), nil
		}
	}
}

// plainText steps to the string's next quote or backslash.
func (p *parser) plainText() *SyntaxError {
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		switch {
		case c == '"' || c == '\\':
			return nil
		case c < ' ':
			return p.fail(p.pos, "a control character in a string has to be written as an escape, got "+quoted(c))
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, size := utf8.DecodeRuneInString(p.src[p.pos:])
			if r == utf8.RuneError && size == 1 {
				return p.fail(p.pos, "a string holds bytes that are not UTF-8")
			}
			p.pos += size
		}
	}
	return p.fail(p.pos, endsEarly)
}

// escape reads an escape sequence from its backslash on and appends what it stands for.
func (p *parser) escape(dst []byte) ([]byte, *SyntaxError) {
	start := p.pos
	p.pos++
	if p.pos == len(p.src) {
		return nil, p.fail(p.pos, endsEarly)
	}
	c := p.src[p.pos]
	p.pos++
	switch c {
	case '"', '\\', '/':
		return append(dst, c), nil
	case 'b':
		return append(dst, '\b'), nil
	case 'f':
		return append(dst, '\f'), nil
	case 'n':
		return append(dst, '\n'), nil
	case 'r':
		return append(dst, '\r'), nil
	case 't':
		return append(dst, '\t'), nil
	case 'u':
		r, ok := p.hexRune()
		if ok && utf16.IsSurrogate(r) {
			ok = p.take('\\') && p.take('u')
			if ok {
				var low rune
				low, ok = p.hexRune()
				r = utf16.DecodeRune(r, low)
				ok = ok && r != utf8.RuneError
			}
			if !ok {
				return nil, p.fail(start, "an escape names half of a surrogate pair")
			}
		}
		if ok {
			return utf8.AppendRune(dst, r), nil
		}
		return nil, p.fail(start, "the escape \\u takes four hexadecimal digits")
	}
	return nil, p.fail(start, "no escape has a backslash before "+quoted(c))
}

// hexRune reads four hexadecimal digits.
func (p *parser) hexRune() (rune, bool) {
	if len(p.src)-p.pos < 4 {
		return 0, false
	}
	r, err := strconv.ParseUint(p.src[p.pos:p.pos+4], 16, 16)
	p.pos += 4
	return rune(r), err == nil
}
