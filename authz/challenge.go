package authz

import "strings"

// Challenge is the WWW-Authenticate of a refusal (RFC 9110 section 11.6.1,
// RFC 6750 section 3); the zero value is none. Its texts hold only characters
// that a quoted string may.
type Challenge struct {
	Scheme string // "Basic" or "Bearer"
	Realm  string
	// Code, Description and Scope are the error, error_description and scope of
	// a Bearer challenge; "" is left out.
	Code, Description, Scope string
}

// basicChallenge asks for a client secret.
func basicChallenge() Challenge { return Challenge{Scheme: "Basic", Realm: "token"} }

// bearerChallenge asks for an access token. It says what is wrong with the one
// that was sent; where none was, the error has no code (RFC 6750 section 3).
func bearerChallenge(realm string, e *Error) Challenge {
	c := Challenge{Scheme: "Bearer", Realm: realm, Code: e.Code}
	if e.Code != "" {
		c.Description = e.Description()
	}
	return c
}

// String returns the header's value; "" of the zero value.
func (c Challenge) String() string {
	if c.Scheme == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString(c.Scheme + ` realm="` + c.Realm + `"`)
	if c.Scheme == "Basic" {
		b.WriteString(`, charset="UTF-8"`) // RFC 7617 section 2.1
	}
	for _, attribute := range [][2]string{{"error", c.Code}, {"error_description", c.Description}, {"scope", c.Scope}} {
		if attribute[1] != "" {
			b.WriteString(`, ` + attribute[0] + `="` + attribute[1] + `"`)
		}
	}
	return b.String()
}
