package exchange

import (
	"net/url"
	"strings"
)

// MaskHeader returns a header's value without what would let a reader use it.
func MaskHeader(name, value string) string {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization":
		return maskAuthorization(value)
	case "cookie", "set-cookie":
		return hidden
	case "referer", "location", "content-location":
		return MaskURL(value)
	}
	return value
}

// MaskURL returns a URL without the credentials that its query may carry.
func MaskURL(url string) string {
	path, query, ok := strings.Cut(url, "?")
	if !ok {
		return url
	}
	return path + "?" + maskTokens(maskForm(query))
}

// maskAuthorization leaves of a token its header and claims, and hides
// everything else.
func maskAuthorization(value string) string {
	scheme, credentials, ok := strings.Cut(value, " ")
	if !ok {
		return hidden
	}
	return scheme + " " + maskToken(credentials)
}

// mask hides the credentials in a body, whatever it says of itself: people send
// JSON as a form and forms as JSON.
func mask(text string) string {
	text = maskPEM(text)
	if start := strings.TrimLeft(text, " \t\r\n"); start != "" && strings.IndexByte(`{["`, start[0]) >= 0 {
		return maskTokens(maskJSON(text))
	}
	return maskTokens(maskForm(text))
}

// maskPEM hides what stands in a PEM block of a private key.
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
		switch plain {
		case "client_assertion", "token", "access_token":
			pairs[i] = name + "=" + maskToken(value)
		case "client_secret", "password", "refresh_token", "admin":
			pairs[i] = name + "=" + hidden
		}
	}
	return strings.Join(pairs, "&")
}
