package validation

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The functions named wrong… return what is wrong with a text of a type, as a message goes on, or
// "".

// wrongInteger judges an integer of 32 bits that is not less than least.
func wrongInteger(s string, least int64) string {
	if strings.ContainsAny(s, ".eE") || s == "-0" {
		return "it is written with digits only, without a fraction or an exponent"
	}
	i, err := strconv.ParseInt(s, 10, 32)
	if err != nil || i < least {
		return fmt.Sprintf("it is from %d to 2147483647", least)
	}
	return ""
}

// wrongCode judges a code: no white space at its ends, and single spaces inside.
func wrongCode(s string) string {
	space := true // before the first character, and behind a space
	for _, c := range s {
		switch {
		case !unicode.IsSpace(c):
			space = false
		case space:
			return "a code has no white space at its ends, and no two spaces in a row"
		default:
			space = true
		}
	}
	if space {
		return "a code has no white space at its ends, and no two spaces in a row"
	}
	return ""
}

// wrongID judges an id: 1 to 64 of A-Z a-z 0-9 - and the dot.
func wrongID(s string) string {
	const wanted = "it has 1 to 64 of the characters A-Z, a-z, 0-9, - and ."
	if len(s) > 64 {
		return wanted
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.') {
			return wanted
		}
	}
	return ""
}

// wrongURI judges a uri, url or canonical: no white space, and an OID or UUID that can be one.
func wrongURI(s string) string {
	switch {
	case hasSpace(s):
		return "there is white space in it"
	case strings.HasPrefix(s, "urn:uuid:") && !isUUID(s):
		return "behind urn:uuid: there are 32 hexadecimal digits as 8-4-4-4-12"
	case strings.HasPrefix(s, "urn:oid:") && !isOID(s):
		return "behind urn:oid: there are numbers and dots, such as 1.2.3"
	}
	return ""
}

func hasSpace(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c > ' ' && c < utf8.RuneSelf:
		case c >= utf8.RuneSelf:
			return strings.ContainsFunc(s[i:], unicode.IsSpace)
		default:
			return true
		}
	}
	return false
}

// isAbsolute reports whether a uri begins with a scheme (RFC 3986 section 3.1).
func isAbsolute(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	if !ok || scheme == "" {
		return false
	}
	for i := range len(scheme) {
		c := scheme[i] | 0x20 // in lower case, if it is a letter
		if 'a' <= c && c <= 'z' || i > 0 && strings.IndexByte("0123456789+-.", scheme[i]) >= 0 {
			continue
		}
		return false
	}
	return true
}

// isUUID reports whether s is urn:uuid: and a UUID, in either case.
func isUUID(s string) bool {
	const form = "urn:uuid:00000000-0000-0000-0000-000000000000"
	if len(s) != len(form) || !strings.HasPrefix(s, "urn:uuid:") {
		return false
	}
	for i := len("urn:uuid:"); i < len(s); i++ {
		c := s[i]
		isHex := '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
		if form[i] == '-' && c != '-' || form[i] == '0' && !isHex {
			return false
		}
	}
	return true
}

// isOID reports whether s is urn:oid: and an OID.
func isOID(s string) bool {
	s, ok := strings.CutPrefix(s, "urn:oid:")
	if !ok || len(s) < 3 || s[0] < '0' || s[0] > '2' || s[1] != '.' {
		return false
	}
	for arc := range strings.SplitSeq(s[2:], ".") {
		if arc == "" || len(arc) > 1 && arc[0] == '0' || strings.Trim(arc, "0123456789") != "" {
			return false
		}
	}
	return true
}

// wrongBase64 judges base64 in groups of four, which may have white space around them.
func wrongBase64(s string) string {
	n, padding := 0, 0
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/':
			if padding > 0 {
				return "= stands at the end only"
			}
			n++
		case c == '=':
			padding++
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case c == '-' || c == '_':
			return "FHIR's base64 has + and / where that for URLs has - and _"
		default:
			return fmt.Sprintf("%q is no character of base64", c)
		}
	}
	if (n+padding)%4 != 0 || padding > 2 || n == 0 {
		return "it has to be groups of four characters, the last one filled up with ="
	}
	return ""
}
