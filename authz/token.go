package authz

import (
	"context"
	"encoding/json"
	"net/url"
)

// FormRequest is a request to a form endpoint (token, introspection,
// revocation), as it came in.
type FormRequest struct {
	Method        string
	ContentType   string   // the header's value, parameters included
	Body          []byte   // raw, at most what the door lets in
	Query         string   // the raw query string: credentials there are not read, but diagnosed
	Authorization []string // every value of the header
	Addresses     Addresses
	Exchange      string // the id of this exchange, kept with the jti
	Remote        string // the address that the request came from, without a port

	// Within bounds what a token request is granted, below what the client asks
	// and is registered for, as a server may (SMART App Launch 2.2,
	// backend-services: "can be different from the scopes requested"). Nil bounds
	// nothing.
	Within Scopes
}

// TokenForm returns the body of a token request that an assertion proves (SMART
// App Launch 2.2, backend-services, Obtain access token, Request). scope is a
// list separated by spaces.
func TokenForm(assertion, scope string) url.Values {
	return url.Values{
		"grant_type": {GrantClientCredentials}, "scope": {scope},
		"client_assertion_type": {AssertionType}, "client_assertion": {assertion},
	}
}

// FormDecision is what became of a form, whichever endpoint it was posted to.
type FormDecision struct {
	// Checks is the whole checklist in order; what comes after a failed check is
	// NotReached.
	Checks []Check
	Err    *Error // nil if the request is not refused

	// ClientID is the client that the request claims to come from, proven or
	// not; "" if it names none.
	ClientID string
	// Assertion is what the client's assertion says; nil if there was none
	// that could be read.
	Assertion *Assertion
	// Scope is the scope that the form asks for, as it was sent; "" if none.
	Scope string
}

// TokenDecision is what became of a token request: a Grant or an Err.
type TokenDecision struct {
	FormDecision
	Grant *Grant
	// Client is the client that ClientID names here; nil if there is none or
	// the checks did not get that far.
	Client *Client
}

// Assertion is the readable part of a client assertion, for explanation: the
// signature is left out. None of it is to be trusted unless the request was
// granted.
type Assertion struct {
	Header json.RawMessage `json:"header"`
	Claims json.RawMessage `json:"claims"`
	// KeyID and Algorithm are the header's kid and alg; "" if that is no string.
	KeyID     string `json:"-"`
	Algorithm string `json:"-"`
}

// Grant is an issued access token or, by Explain, what would be issued.
type Grant struct {
	ClientID     string
	TokenID      string // the token's jti; "" by Explain
	Organization string
	Requested    string // scope as asked
	Scopes       Scopes // scope as granted
	Response     TokenResponse
}

// TokenResponse is the JSON of a successful answer (SMART App Launch 2.2,
// backend-services, Issue access token; RFC 6749 section 5.1). There is no
// refresh token: a backend service asks again with a new assertion.
type TokenResponse struct {
	AccessToken string `json:"access_token"` // "" by Explain
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope,omitempty"`
}

// Token decides a token request: the form, the grant type, the client's
// proof, then the scopes, in this order so that one defect has one stable code.
func (s *Server) Token(ctx context.Context, req FormRequest) *TokenDecision {
	return s.attempt(TokenEndpoint, req).decide(ctx)
}

func (a *attempt) decide(ctx context.Context) *TokenDecision {
	grant, err := a.token(ctx)
	return &TokenDecision{FormDecision: a.decision(err), Grant: grant, Client: a.client}
}

func (a *attempt) token(ctx context.Context) (*Grant, *Error) {
	if err := a.readForm("grant_type", "scope", "client_assertion_type", "client_assertion",
		"client_secret"); err != nil {
		return nil, err
	}
	if err := a.grantType(); err != nil {
		return nil, err
	}
	client, err := a.authenticate(ctx)
	if err != nil {
		if a.thorough && a.client != nil {
			a.scopes()
		}
		return nil, err
	}
	granted, err := a.scopes()
	if err != nil {
		return nil, err
	}
	if a.dry {
		return a.server.grant(client, granted, a.form["scope"]), nil
	}
	grant, failure := a.server.issue(client, granted, a.form["scope"], a.req.Addresses)
	if failure != nil {
		return nil, a.checks.serverError(ruleScopeGranted, "issue the token for what is granted", failure)
	}
	return grant, nil
}

func (a *attempt) grantType() *Error {
	got := a.form["grant_type"]
	if got == "" {
		return a.refuse(ruleGrantTypePresent, CodeInvalidRequest, noGrantType())
	}
	a.checks.pass(ruleGrantTypePresent, got)
	if got != GrantClientCredentials {
		return a.refuse(ruleGrantType, CodeUnsupportedGrantType, otherGrantType(got))
	}
	a.checks.pass(ruleGrantType, got)
	return nil
}
