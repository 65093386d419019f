package authz

import (
	"errors"
	"strings"
	"time"
)

// ErrNoClient is returned by a Store for a client id that the environment does
// not hold.
var ErrNoClient = errors.New("authz: no such client")

// OAuth error codes (RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 7591
// section 3.2.2). An assertion that fails is invalid_client, never
// invalid_grant, which is for assertions that are the grant.
const (
	CodeInvalidRequest       = "invalid_request"
	CodeInvalidClient        = "invalid_client"
	CodeUnauthorizedClient   = "unauthorized_client"
	CodeUnsupportedGrantType = "unsupported_grant_type"
	CodeInvalidScope         = "invalid_scope"
	CodeServerError          = "server_error"
	// RFC 6749 defines it for the authorization endpoint and has no code for
	// a 429 of the token endpoint.
	CodeTemporarilyUnavailable = "temporarily_unavailable"
	CodeInvalidToken           = "invalid_token"
	CodeInsufficientScope      = "insufficient_scope"
	CodeInvalidRedirectURI     = "invalid_redirect_uri"
	CodeInvalidClientMetadata  = "invalid_client_metadata"
)

// Error is a refusal. Only the endpoint renders it: as OAuth JSON at OAuth
// endpoints, as an OperationOutcome on FHIR paths.
type Error struct {
	// Code is the OAuth error code. It is empty where RFC 6750 section 3
	// wants no error attribute, because the request has no credentials, and
	// where scopes are not what is wrong.
	Code string
	// Status is the HTTP status.
	Status int
	// Check is the check that failed.
	Check Check
	// Challenge is the WWW-Authenticate of the answer. At an OAuth endpoint
	// it is none unless the caller used Authorization: OAuth libraries that
	// meet a challenge hide the error from their caller.
	Challenge Challenge
	// Allow is the value of the Allow header; set with status 405 only.
	Allow string
	// RetryAfter is how long to wait; set with status 429 only.
	RetryAfter time.Duration

	cause error
}

// Error returns code, check id, diagnosis and cause, for logs.
func (e *Error) Error() string {
	code := e.Code
	switch {
	case code == "" && e.Status == 403:
		code = "forbidden"
	case code == "":
		code = "no credentials"
	}
	text := code + " (" + e.Check.ID() + "): " + e.Check.Explanation()
	if e.cause != nil {
		text += " Cause: " + e.cause.Error()
	}
	return text
}

// Unwrap returns the fault of the store or of the network behind a refusal,
// or nil.
func (e *Error) Unwrap() error { return e.cause }

// Description returns the diagnosis for error_description: the check's id and
// one sentence with what was got and what was wanted, in the characters that
// RFC 6749 section 5.2 allows, printable ASCII without quotation mark and
// backslash. What to do about it is in Check.Fix.
func (e *Error) Description() string {
	text := e.Check.sentence()
	if e.Status >= 500 {
		text = e.Check.Explanation() // short, and the fault is ours
	}
	return asciiDescription(e.Check.ID() + ": " + text)
}

// asciiDescription maps text into %x20-21 / %x23-5B / %x5D-7E.
func asciiDescription(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range text {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == ' ' || r == '\u00a0':
			space = b.Len() > 0
			continue
		case r == '"' || r == '“' || r == '”' || r == '‘' || r == '’':
			r = '\''
		case r == '\\':
			r = '/'
		case r == '–' || r == '—':
			r = '-'
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		switch {
		case r > 0x20 && r < 0x7f:
			b.WriteByte(byte(r))
		case r == '…':
			b.WriteString("...")
		case r == '≤':
			b.WriteString("<=")
		case r == '≠':
			b.WriteString("!=")
		case r == '‖':
			b.WriteString("||")
		case r == '→':
			b.WriteString("->")
		case r == '§':
			b.WriteString("section ")
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}
