package authz

import (
	"context"
	"encoding/base64"
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
	counted *throttleKey // under which a failure counts; nil where none does
	// thorough goes on after a rule that does not hold.
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
	if a.form == nil { // refused for its form: what it asks for may be told even so
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

// readForm checks method, content type, encoding and where the parameters are.
func (a *attempt) readForm(wanted ...string) *Error {
	if err := a.checkMethod(); err != nil {
		return err
	}
	parse := parseForm
	switch {
	case isForm(a.req.ContentType):
		a.checks.pass(ruleContentType, formType)
	case a.behaviour.JSONRequests && isJSON(a.req.ContentType):
		parse = parseJSONForm
		a.checks.warn(ruleContentType, outcome{finding: "D04", got: a.req.ContentType, want: formType,
			text: "The request is JSON, which this server's behaviour takes; SMART and every strict server want " + formType + ".", fix: "Encode the parameters as a form."})
	default:
		return a.refuse(ruleContentType, CodeInvalidRequest, wrongContentType(a.req.ContentType))
	}
	f, broken := parse(a.req.Body)
	if broken != nil {
		return a.refuse(ruleParameters, CodeInvalidRequest, *broken)
	}
	a.form = f
	a.checks.pass(ruleParameters, plural(len(f), "parameter"))
	return a.checkQueryString(wanted)
}

func (a *attempt) checkMethod() *Error {
	if a.req.Method == "POST" {
		a.checks.pass(ruleMethod, "POST")
		return nil
	}
	e := a.refuse(ruleMethod, CodeInvalidRequest, outcome{finding: "D05", got: a.req.Method, want: "POST",
		text: "This endpoint takes POST only; the request was a " + clip(a.req.Method) + ".", fix: "Send the parameters as a form in the body of a POST: URLs end up in logs."})
	e.Status, e.Allow = 405, "POST"
	return e
}

func wrongContentType(got string) outcome {
	o := outcome{finding: "D04", got: got, want: formType}
	if got == "" {
		o.got = "none"
		o.text = "The request has no Content-Type."
		o.fix = "Send the parameters as a form, with Content-Type: " + formType + "."
		return o
	}
	o.text = "The body must be " + formType + "; Content-Type is " + quote(got) + "."
	o.fix = "Encode the parameters as a form (in curl: -d or --data-urlencode) and set that content type."
	return o
}

// checkQueryString tells of parameters that were put into the URL. They are
// not read (RFC 6749 section 2.3.1).
func (a *attempt) checkQueryString(wanted []string) *Error {
	if a.req.Query == "" {
		a.checks.pass(ruleQueryString, "")
		return nil
	}
	found := queryNames(a.req.Query, wanted...)
	if len(found) == 0 {
		a.checks.pass(ruleQueryString, "")
		return nil
	}
	o := outcome{finding: "D05", got: list(found) + " in the query string", want: "in the body"}
	for _, name := range found {
		if a.form[name] == "" {
			o.text = list(found) + " came in the query string and " + name + " is missing from the body. Parameters are read from the body only."
			o.fix = "Send them in the body of the POST: URLs end up in logs."
			return a.refuse(ruleQueryString, CodeInvalidRequest, o)
		}
	}
	o.text = list(found) + " came in the query string as well and was ignored there."
	o.fix = "Send it in the body of the POST only: URLs end up in logs."
	a.checks.warn(ruleQueryString, o)
	return nil
}

// basicCredential splits the Authorization header's value.
func (a *attempt) basicCredential() (id, secret string, why string) {
	raw, err := base64.StdEncoding.DecodeString(a.credential)
	if err != nil {
		return "", "", "what follows Basic is not base64"
	}
	id, secret, found := strings.Cut(string(raw), ":")
	if !found {
		return "", "", "what follows Basic decodes to something without a colon"
	}
	return id, secret, ""
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
	if wait := client.CreatedAt.Add(a.behaviour.PropagationDelay).Sub(a.server.workspaceClock.Now()); a.behaviour.PropagationDelay > 0 && wait > 0 {
		return nil, a.refuseClient(r, a.notPropagated(client, wait))
	}
	a.client = client
	return client, nil
}

// notPropagated explains a client that vendors whose registrations take time
// to spread do not know yet.
func (a *attempt) notPropagated(client *Client, wait time.Duration) outcome {
	delay := a.behaviour.PropagationDelay
	return outcome{finding: "A03", got: "a client created " + seconds(delay-wait) + " ago", want: "one created " + seconds(delay) + " ago or earlier",
		text: client.display() + " was created " + seconds(delay-wait) + " ago; this server's behaviour knows a new client after " + seconds(delay) + " only, as vendors whose registrations take time to spread.",
		fix:  "Try again in " + seconds(wait) + " by this server's clock, or move that clock ahead (/_sandbox/clock). With such a vendor wait, and do not register again: that begins anew.",
	}
}

// endpointURL is the URL of the endpoint that the form was posted to.
func (a *attempt) endpointURL() string {
	switch a.endpoint {
	case IntrospectionEndpoint:
		return a.req.Addresses.IntrospectionURL
	case RevocationEndpoint:
		return a.req.Addresses.RevocationURL
	}
	return a.req.Addresses.TokenURL
}
