package authz

import "strings"

// maxScheme is longer than the name of any scheme that is registered for
// HTTP.
const maxScheme = 20

// splitAuthorization splits an Authorization header's value into scheme and
// credential, which spaces separate (RFC 9110 section 11.4). Where the value
// does not begin with a scheme, all of it is the credential, and no diagnosis
// may repeat it.
func splitAuthorization(header string) (scheme, credential string) {
	header = strings.TrimSpace(header)
	scheme, credential, found := strings.Cut(header, " ")
	if !isScheme(scheme) || !found && !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "Basic") {
		return "", header
	}
	return scheme, strings.TrimLeft(credential, " ")
}

// isScheme reports whether word can be the name of a scheme: every registered
// one is letters, digits and hyphens and begins with a letter.
func isScheme(word string) bool {
	if word == "" || len(word) > maxScheme {
		return false
	}
	for i, r := range word {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r != '-' && (r < '0' || r > '9')) {
			return false
		}
	}
	return true
}
