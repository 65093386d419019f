package exchange

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// MaskHeader returns a header's value without its credentials.
func MaskHeader(name, value string) string {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization":
		return maskAuthorization(value)
	case "cookie", "set-cookie", "x-sandfhir-admin", "x-api-key", "api-key", "x-auth-token", "x-access-token", "x-forwarded-access-token", "x-amz-security-token":
		return hidden
	case "referer", "location", "content-location":
		return MaskURL(value)
	}
	return maskTokens(value)
}

// MaskURL returns a URL without the credentials that its query may carry.
func MaskURL(url string) string {
	url, fragment, hasFragment := strings.Cut(url, "#")
	if hasFragment {
		fragment = "#" + maskTokens(maskForm(fragment))
	}
	path, query, ok := strings.Cut(url, "?")
	if !ok {
		return url + fragment
	}
	return path + "?" + maskTokens(maskForm(query)) + fragment
}

// maskSignatures hides the signatures of URLs in a text: with one, anybody can
// fetch a file of an export.
func maskSignatures(text string) string {
	const name = "signature="
	first, rest, found := strings.Cut(text, name)
	if !found {
		return text
	}
	masked := first
	for found {
		rest = strings.TrimLeft(rest, "0123456789abcdef")
		first, rest, found = strings.Cut(rest, name)
		masked += name + hidden + first
	}
	return masked
}

// maskAuthorization keeps header and claims of a JWT and hides everything
// else. Dots do not make a JWT: a secret of somebody's own choice can have
// them too.
func maskAuthorization(value string) string {
	scheme, credentials, ok := strings.Cut(value, " ")
	switch {
	case !ok:
		return hidden
	case !isJWT(credentials):
		return scheme + " " + hidden
	}
	return scheme + " " + maskToken(credentials)
}

// mask hides the credentials in a body, form and JSON alike, whatever its
// type says: people send the one as the other.
func mask(text string) string {
	text = maskDER(maskPEM(text))
	if start := strings.TrimLeft(text, " \t\r\n"); start != "" && strings.IndexByte(`{["`, start[0]) >= 0 {
		return maskTokens(maskFormsIn(maskJSON(text)))
	}
	return maskTokens(maskForm(text))
}

// HasCredentials reports whether a text has something in it that records
// hide: a private key, a secret or a token.
func HasCredentials(text string) bool { return mask(text) != text }

// maskFormsIn hides the credentials of forms within strings, or within
// quotation marks that are not JSON.
func maskFormsIn(text string) string {
	if strings.IndexByte(text, '=') < 0 { // a form's name and value have one between them
		return text
	}
	if !json.Valid([]byte(text)) || strings.HasPrefix(strings.TrimSpace(text), `"`) {
		text = maskForm(text)
	}
	return formPair.ReplaceAllString(text, "${1}"+hidden)
}

// formPair finds a form's name and value that are a credential, wherever they
// stand.
var formPair = regexp.MustCompile(`((?:^|[&?"'\s])(?:client_secret|password|refresh_token|access_token|token|admin)=)[^&"'\s(]+`)

// maskPEM hides the inside of private keys in PEM.
func maskPEM(text string) string {
	const begin, end = "PRIVATE KEY-----", "-----END"
	for from := 0; ; {
		i := strings.Index(text[from:], begin)
		if i < 0 {
			return text
		}
		from += i + len(begin)
		stop := len(text)
		if j := strings.Index(text[from:], end); j >= 0 {
			stop = from + j
		}
		text = text[:from] + hidden + text[stop:]
		from += len(hidden)
		if j := strings.Index(text[from:], begin); j >= 0 && strings.HasPrefix(text[from:], end) {
			from += j + len(begin) // the end of this block
		}
	}
}

// maskDER hides private keys in base64 without the first and last line of
// PEM, also where the end is cut off.
func maskDER(text string) string {
	var masked strings.Builder
	rest := 0 // text[rest:] is not in masked yet
	for i := 0; i < len(text); i++ {
		if text[i] != 'M' || i > 0 && isBase64(text[i-1]) || !beginsPrivateKey(text[i:]) {
			continue
		}
		masked.WriteString(text[rest:i] + hidden)
		rest = i + base64Length(text[i:])
		i = rest - 1
	}
	if rest == 0 {
		return text
	}
	return masked.String() + text[rest:]
}

// beginsPrivateKey reports whether text is base64 of a private key in DER: a
// sequence that begins with the version 0 or 1 (RFC 5208 section 5, RFC 8017
// section A.1.2, RFC 5915 section 3). That of a public key or a certificate
// begins with another sequence.
func beginsPrivateKey(text string) bool {
	const enough = 12
	if len(text) < enough {
		return false
	}
	der, err := base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(text[:enough]))
	if err != nil || der[0] != 0x30 {
		return false
	}
	content := der[2:]
	if long := int(der[1]) - 0x80; long > 0 {
		content = der[min(2+long, len(der)):]
	}
	return bytes.HasPrefix(content, []byte{2, 1, 0}) || bytes.HasPrefix(content, []byte{2, 1, 1})
}

// base64Length is how many bytes of text are base64; they may be broken into
// lines, or be escaped for JSON or a form.
func base64Length(text string) int {
	for i := 0; ; i++ {
		i += len(text[i:]) - len(strings.TrimLeft(text[i:], "\r\n \t"))
		switch {
		case i == len(text):
			return i
		case isBase64(text[i]) || text[i] == '=':
		case strings.IndexByte(`\%`, text[i]) >= 0: // \n, \/, %2B
		default:
			return i
		}
	}
}

func isBase64(c byte) bool { return isBase64URL(c) || c == '+' || c == '/' }

// isJWT reports whether the first of three parts is the JSON object of a header.
func isJWT(text string) bool {
	header, rest, _ := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.DecodeString(header)
	var object map[string]any
	return err == nil && strings.Count(rest, ".") == 1 && json.Unmarshal(raw, &object) == nil
}

// maskTokens hides the signature of everything that looks like a JWT.
func maskTokens(text string) string {
	const begin = "eyJ" // the base64url form of {"
	for from := 0; ; {
		i := strings.Index(text[from:], begin)
		if i < 0 {
			return text
		}
		from += i
		end, third := from, 0
		for dots := 0; end < len(text) && (isBase64URL(text[end]) || text[end] == '.' && dots < 2); end++ {
			if text[end] == '.' {
				if dots++; dots == 2 {
					third = end + 1
				}
			}
		}
		if third > 0 && end > third {
			text = text[:third] + hidden + text[end:]
			end = third + len(hidden)
		}
		from = max(end, from+len(begin))
	}
}

func isBase64URL(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

const hidden = "(hidden)"

// maskToken hides a token's signature, and the whole token where it has none.
func maskToken(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return hidden
	}
	return parts[0] + "." + parts[1] + "." + hidden
}

// folded is a name as people may misspell it: without its case, and without what
// joins words.
func folded(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "", ".", "").Replace(name))
}

// maskForm hides the values of a form that are credentials.
func maskForm(form string) string {
	pairs := strings.Split(form, "&")
	for i, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		switch folded(plain) {
		case "clientassertion", "token", "accesstoken":
			pairs[i] = name + "=" + maskToken(value)
		case "clientsecret", "secret", "password", "refreshtoken", "admin", "signature", "apikey":
			pairs[i] = name + "=" + hidden
		default:
			if decoded, err := url.QueryUnescape(value); err == nil && decoded != value {
				if masked := mask(decoded); masked != decoded { // a key that is pasted into a field
					pairs[i] = name + "=" + url.QueryEscape(masked)
				}
			}
		}
	}
	return strings.Join(pairs, "&")
}
