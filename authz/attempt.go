package authz

import (
	"context"
	"errors"
	"strings"
	"time"
)

// attempt is one request on its way through the rules of a form endpoint. Its
// methods are the rules; server is what they ask, checks is where they write
// down what became of them.
type attempt struct {
	server    *Server
	behaviour *Behaviour // the server's
	checks    *checklist
	endpoint  Endpoint
	mechanism Mechanism // ByAssertion until the form says otherwise
	req       FormRequest
	form      form

	// Real time, read once: realTime is when the request came, assertionTime the
	// same by the clock that judges exp, nbf and iat (Behaviour.ClockOffset).
	// Workspace time is server.workspaceClock's.
	realTime, assertionTime time.Time

	dry     bool         // nothing is issued and nothing remembered
	counted *throttleKey // what a failure is counted under; nil if it is not counted
	// thorough makes the walk go on after a rule that does not hold: see
	// Examine.
	thorough bool

	sent       bool   // there is an Authorization header
	scheme     string // its scheme in lower case; "" where it has none
	credential string // what follows the scheme

	clientID  string
	client    *Client
	jws       *compactJWS
	assertion *Assertion
}

func (s *Server) attempt(endpoint Endpoint, req FormRequest) *attempt {
	a := &attempt{
		server: s, behaviour: &s.behaviour, checks: new(checklist),
		endpoint: endpoint, req: req, realTime: s.wallClock.Now(),
	}
	a.assertionTime = a.realTime.Add(s.behaviour.ClockOffset)
	if len(req.Authorization) > 0 {
		a.sent = true
		scheme, credential := splitAuthorization(req.Authorization[0])
		a.scheme, a.credential = strings.ToLower(scheme), credential
	}
	return a
}

// decision is what became of the form.
func (a *attempt) decision(err *Error) FormDecision {
	d := FormDecision{
		Checks: a.checks.list(PartsOf(a.endpoint, a.mechanism)...), Err: err,
		ClientID: a.clientID, Assertion: a.assertion, Scope: a.form["scope"],
	}
	if a.form == nil { // refused before it was read
		d.Scope = scopeIn(a.req.Body)
	}
	return d
}

// refuse ends the attempt at a rule.
func (a *attempt) refuse(r ruleIndex, code string, o outcome) *Error {
	return a.checks.refusal(400, code, r, o)
}

// refuseClient ends the attempt as invalid_client: 400, but 401 with a
// challenge where the client used the Authorization header (RFC 6749 section
// 5.2, SB-ERR-32) and no switch says otherwise.
func (a *attempt) refuseClient(r ruleIndex, o outcome) *Error {
	e := a.refuse(r, CodeInvalidClient, o)
	if a.scheme == "basic" && a.behaviour.BasicStatus == 401 {
		e.Status = 401
		e.Challenge = basicChallenge()
	}
	return e
}

// lookUp finds a client by the id that the request claims.
func (a *attempt) lookUp(ctx context.Context, r ruleIndex, id string) (*Client, *Error) {
	a.clientID = id
	client, err := a.server.store.Client(ctx, a.server.env.Name, id)
	switch {
	case errors.Is(err, ErrNoClient):
		o, fault := a.diagnoseUnknownClient(ctx, r, id)
		if fault != nil {
			return nil, a.checks.serverError(r, "look up the client", fault)
		}
		return nil, a.refuseClient(r, o)
	case err != nil:
		return nil, a.checks.serverError(r, "look up the client", err)
	}
	if delay := a.behaviour.PropagationDelay; delay > 0 {
		if wait := client.CreatedAt.Add(delay).Sub(a.server.workspaceClock.Now()); wait > 0 {
			return nil, a.refuseClient(r, a.notPropagated(client, wait))
		}
	}
	a.client = client
	return client, nil
}

// endpointURL is the URL of the endpoint that the form was posted to, which
// aud may name as well as the token endpoint.
func (a *attempt) endpointURL() string {
	switch a.endpoint {
	case IntrospectionEndpoint:
		return a.req.Addresses.IntrospectionURL
	case RevocationEndpoint:
		return a.req.Addresses.RevocationURL
	}
	return a.req.Addresses.TokenURL
}
