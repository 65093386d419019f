package exchange

import (
	"encoding/json"
	"regexp"
	"strings"
)

// maskJSON hides members of a JSON text that are credentials, or private
// members of keys (RFC 7518 section 6). The text may be cut off, so it is
// searched, not parsed. If it turns out not to be JSON, it is searched again,
// and quotation marks count for less.
func maskJSON(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '"' {
			b.WriteByte(text[i])
			i++
			continue
		}
		end := stringEnd(text, i)
		name := text[i:end]
		i = end
		if valueStart(text, end) < 0 { // no name, but a string that may hold JSON
			masked, _ := maskInner(text, end-len(name))
			b.WriteString(masked)
			continue
		}
		b.WriteString(name)
		if value := valueStart(text, end); value >= 0 {
			b.WriteString(text[end:value])
			masked, next := maskMember(unquoted(name), text, value)
			if masked == "" && next < len(text) && text[next] == '"' { // JSON may stand within it
				masked, next = maskInner(text, next)
			}
			b.WriteString(masked)
			i = next
		}
	}
	masked := b.String()
	if json.Valid([]byte(masked)) {
		return masked
	}
	return looseMember.ReplaceAllString(masked, "${1}"+hidden)
}

// maskInner hides credentials in JSON that stands within the JSON string that
// begins at a quotation mark: people encode twice.
func maskInner(text string, from int) (masked string, next int) {
	end := stringEnd(text, from)
	literal := text[from:end]
	if !strings.Contains(literal, `\"`) {
		return literal, end
	}
	var inner string
	whole := literal
	for cut := 0; json.Unmarshal([]byte(whole), &inner) != nil; cut++ { // cut off, perhaps within an escape
		if cut > 6 || cut >= len(literal)-1 {
			return `"` + hidden, end
		}
		whole = literal[:len(literal)-cut] + `"`
	}
	hid := mask(inner)
	if hid == inner {
		return literal, end
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(hid); err != nil {
		return `"` + hidden, end
	}
	return strings.TrimSuffix(out.String(), "\n"), end
}

// looseMember finds members of a text that only resembles JSON, with other
// quotation marks or none.
var looseMember = regexp.MustCompile(`((?:^|[{,\s])'?(?:d|p|q|dp|dq|qi|oth|k|client_secret|secret|access_token|refresh_token|registration_access_token)'?\s*[:=]\s*'?)[^'",}\]\s(]+`)

// stringEnd returns where the string ends that begins at a quotation mark, or
// the end of a text that is cut off.
func stringEnd(text string, from int) int {
	for i := from + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// valueStart returns where the value of the member begins whose name ends
// here, or -1 if this is no member's name.
func valueStart(text string, from int) int {
	rest := strings.TrimLeft(text[from:], " \t\r\n")
	if !strings.HasPrefix(rest, ":") {
		return -1
	}
	return len(text) - len(strings.TrimLeft(rest[1:], " \t\r\n"))
}

// unquoted decodes a JSON string.
func unquoted(literal string) string {
	var name string
	if json.Unmarshal([]byte(literal), &name) != nil {
		return literal
	}
	return name
}

// maskMember returns a member's value, masked, as far as it had to look at
// it, and where the rest begins.
func maskMember(name, text string, value int) (masked string, next int) {
	isString := value < len(text) && text[value] == '"'
	isNested := value < len(text) && (text[value] == '[' || text[value] == '{')
	switch folded(name) {
	case "accesstoken", "clientassertion":
		if isString {
			return maskString(text, value, maskToken)
		}
	case "refreshtoken", "clientsecret", "secret", "registrationaccesstoken", "password", "apikey":
		switch {
		case isString:
			return maskString(text, value, func(string) string { return hidden })
		case isNested:
			return `"` + hidden + `"`, nestedEnd(text, value)
		}
	}
	switch name {
	case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
		switch {
		case isString:
			return maskString(text, value, func(string) string { return hidden })
		case isNested:
			return `"` + hidden + `"`, nestedEnd(text, value)
		}
	case "jwks": // a key in another format than JWK
		if isString {
			return maskString(text, value, func(string) string { return hidden })
		}
	}
	return "", value
}

// maskString masks the string that begins at a quotation mark.
func maskString(text string, from int, mask func(string) string) (masked string, next int) {
	end := stringEnd(text, from)
	inner, closed := strings.CutSuffix(text[from+1:end], `"`)
	masked = `"` + mask(inner)
	if closed && end-from > 1 {
		masked += `"`
	}
	return masked, end
}

// nestedEnd returns where an array or object ends, or the end of a text that
// is cut off.
func nestedEnd(text string, from int) int {
	depth := 0
	for i := from; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = stringEnd(text, i) - 1
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}
