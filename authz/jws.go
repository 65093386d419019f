package authz

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// compactJWS is a JWS in compact form (RFC 7515 section 3.1), taken apart.
type compactJWS struct {
	signingInput string // the first two parts with the dot between, as sent
	signature    []byte
	headerJSON   []byte
	claimsJSON   []byte
	header       members
	claims       members
}

// members are the members of a JSON object.
type members map[string]jsontext.Value

// splitJWS decodes the three parts; the outcome says why it could not.
func splitJWS(text string) (*compactJWS, *outcome) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, wrongParts(text, len(parts))
	}
	decoded := make([][]byte, 3)
	for i, name := range []string{"header", "claims", "signature"} {
		if i == 2 && parts[i] == "" {
			break // unsigned: the rule about alg says more
		}
		raw, why := decodeBase64URL(parts[i])
		if why != "" {
			return nil, &outcome{finding: "A06", got: "part " + itoa(i+1) + ": " + why,
				want: "base64url without padding",
				text: "Part " + itoa(i+1) + " of the assertion (the " + name + ") is not base64url: " + why + ".",
				fix: "Encode each of the three parts as base64url without padding (RFC 7515 section 2); a " +
					"JWT library does it for you."}
		}
		decoded[i] = raw
	}
	return &compactJWS{
		signingInput: text[:len(parts[0])+1+len(parts[1])],
		headerJSON:   decoded[0],
		claimsJSON:   decoded[1],
		signature:    decoded[2],
	}, nil
}

func wrongParts(text string, n int) *outcome {
	o := &outcome{finding: "A06", got: plural(n, "part"), want: "3 parts"}
	switch {
	case n == 5:
		o.text = "The assertion has five parts: it is an encrypted JWT (JWE)."
		o.fix = "Send a signed one: header.claims.signature, alg RS384 or ES384."
	case strings.Contains(text, "-----BEGIN"):
		o.text = "client_assertion holds a PEM block, not a JWT."
		o.fix = "Use the private key to sign a JWT, and send that JWT. If what you sent was the private key, " +
			"revoke it and make a new one."
	case strings.HasPrefix(strings.TrimSpace(text), "{"):
		o.text = "client_assertion holds JSON."
		o.fix = "Send the signed JWT in its compact form, three base64url parts joined by dots."
	case n == 2:
		o.text = "The assertion has two parts: the signature is missing."
		o.fix = "Sign it with your private key and send all three parts: header.claims.signature."
	default:
		o.text = "The assertion has " + plural(n, "part") + " separated by dots; a signed JWT has three: " +
			"header.claims.signature."
		o.fix = "Send the whole JWT as your library returns it. Is it cut short, or is it something other than a JWT?"
	}
	return o
}

// decodeBase64URL decodes strictly (RFC 7515 section 2): no padding, no line
// breaks, no stray bits. The second result says what is wrong and where.
func decodeBase64URL(text string) ([]byte, string) {
	if text == "" {
		return nil, "it is empty"
	}
	for i := range len(text) {
		c := text[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			continue
		}
		at := " at position " + itoa(i+1)
		switch c {
		case '+', '/':
			return nil, "found " + quote(string(c)) + at + ", which is standard base64; base64url has - and _ instead"
		case '=':
			return nil, "found the padding character \"=\"" + at + "; base64url in a JWT has none"
		case ' ':
			return nil, "found a space" + at + "; a + of standard base64 turns into a space in a form"
		case '\n', '\r', '\t':
			return nil, "found a line break or tab" + at
		case '"', '\'':
			return nil, "found a quotation mark" + at
		case '%':
			return nil, "found a percent sign" + at + "; the form was encoded twice"
		}
		if c < 0x20 || c >= 0x7f {
			return nil, "found a byte that is no character of it" + at
		}
		return nil, "found " + quote(string(c)) + at
	}
	if len(text)%4 == 1 {
		return nil, "its length of " + itoa(len(text)) + " characters is impossible; it was cut"
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, "its last character, position " + itoa(len(text)) + ", carries stray bits; it was cut or changed"
	}
	return raw, ""
}

// readMembers reads header and claims of the JWS.
func (c *compactJWS) readMembers() *outcome {
	var o *outcome
	if c.header, o = parseMembers("header", c.headerJSON); o != nil {
		return o
	}
	c.claims, o = parseMembers("claims", c.claimsJSON)
	return o
}

// parseMembers reads a JSON object; duplicate names and invalid UTF-8 are
// refused.
func parseMembers(part string, data []byte) (members, *outcome) {
	var m members
	if jsontext.Value(data).Kind() != '{' {
		return nil, &outcome{finding: "A06", got: part + ": " + clip(string(data)), want: "a JSON object",
			text: "The assertion's " + part + " part does not decode to a JSON object.",
			fix:  "Sign a JWT whose header and claims are JSON objects."}
	}
	err := json.Unmarshal(data, &m)
	if err == nil {
		return m, nil
	}
	o := &outcome{got: part + ": " + err.Error(), want: "a JSON object without duplicate members"}
	var syntactic *jsontext.SyntacticError
	at := ""
	if errors.As(err, &syntactic) {
		at = " near byte " + itoa(int(syntactic.ByteOffset))
	}
	if errors.Is(err, jsontext.ErrDuplicateName) {
		name := "a member"
		if syntactic != nil {
			name = quote(strings.TrimPrefix(string(syntactic.JSONPointer), "/"))
		}
		o.got = part + ": " + name + " twice"
		o.text = "The assertion's " + part + " part has " + name + " twice" + at + ". Which of the two " +
			"counts is undefined, so neither does (RFC 7515 section 4, RFC 7519 section 4)."
		o.fix = "Write each member once."
		return nil, o
	}
	o.finding = "A06"
	o.text = "The assertion's " + part + " part decodes to something that is not valid JSON" + at + "."
	o.fix = "Build the JWT with a library or a JSON encoder."
	return nil, o
}

// kind says what a member is: 0 absent, else the first byte of jsontext.Kind.
func (m members) kind(name string) jsontext.Kind {
	v, ok := m[name]
	if !ok {
		return 0
	}
	return v.Kind()
}

// text returns a string member; ok is false if it is absent or no string.
func (m members) text(name string) (value string, ok bool) {
	v, present := m[name]
	if !present || v.Kind() != '"' {
		return "", false
	}
	raw, err := jsontext.AppendUnquote(nil, v)
	return string(raw), err == nil
}

// show returns a member as a diagnosis shows it.
func (m members) show(name string) string {
	v, ok := m[name]
	if !ok {
		return "absent"
	}
	return clip(string(v))
}

// texts returns a member that is a string or an array of strings.
func (m members) texts(name string) (values []string, ok bool) {
	v, present := m[name]
	if !present {
		return nil, false
	}
	if v.Kind() == '"' {
		one, ok := m.text(name)
		return []string{one}, ok
	}
	if err := json.Unmarshal(v, &values); err != nil || values == nil {
		return nil, false
	}
	return values, true
}

// numericDate returns a NumericDate (RFC 7519 section 2), whole seconds or
// with a fraction; ok is false if the member is absent or no number.
func (m members) numericDate(name string) (seconds float64, ok bool) {
	v, present := m[name]
	if !present || v.Kind() != '0' {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil { // beyond the range of a float64: infinite, with its sign
		return math.Copysign(math.MaxFloat64, f), true
	}
	return f, true
}

// lastSecond is the last second of the year 9999; beyond it a NumericDate
// cannot be meant as seconds.
const lastSecond = 253402300799

// instant converts a NumericDate between the years 1 and 9999.
func instant(seconds float64) time.Time {
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9))
}
