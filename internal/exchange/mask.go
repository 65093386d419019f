package exchange

import (
	"regexp"
	"strings"
)

// MaskAuthorization returns the value of an Authorization header without what
// would let a reader use it: a token keeps its header and claims, not its
// signature; everything else is hidden.
func MaskAuthorization(value string) string {
	scheme, credentials, ok := strings.Cut(value, " ")
	if !ok {
		return hidden
	}
	return scheme + " " + maskToken(credentials)
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
		switch name {
		case "client_assertion", "token":
			pairs[i] = name + "=" + maskToken(value)
		case "client_secret", "password", "refresh_token", "code":
			pairs[i] = name + "=" + hidden
		}
	}
	return strings.Join(pairs, "&")
}

// secretMember is a member of a JSON object that is a credential, with what of
// its text value has been seen.
var secretMember = regexp.MustCompile(`("(?:access_token|refresh_token|client_secret|registration_access_token|client_assertion|d|p|q|dp|dq|qi|k)"\s*:\s*")((?:[^"\\]|\\.)*)`)

// maskJSON hides the members of a JSON text that are credentials.
func maskJSON(text string) string {
	return secretMember.ReplaceAllStringFunc(text, func(m string) string {
		parts := secretMember.FindStringSubmatch(m)
		return parts[1] + maskToken(parts[2])
	})
}
