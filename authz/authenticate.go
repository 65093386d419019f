package authz

import "context"

// authenticate proves the client that sends the request, by an assertion or
// by a secret, and returns it.
func (a *attempt) authenticate(ctx context.Context) (*Client, *Error) {
	if err := a.oneMechanism(); err != nil {
		return nil, err
	}
	if err := a.chooseMechanism(); err != nil {
		return nil, err
	}
	if err := a.throttled(); err != nil {
		return nil, err
	}
	prove := a.byAssertion
	if a.mechanism == BySecret {
		prove = a.bySecret
	}
	client, err := prove(ctx)
	a.countFailure(err)
	if err != nil {
		return nil, err
	}
	calls := 1
	if a.dry {
		calls = 0
	}
	if o := a.server.stillInSandbox(ctx, client, a.req.Addresses, calls); o != nil {
		a.checks.warn(ruleStatus, *o)
	}
	return client, nil
}

// oneMechanism refuses two proofs in one request (RFC 6749 section 2.3).
func (a *attempt) oneMechanism() *Error {
	var used []string
	if a.scheme == "basic" {
		used = append(used, "Basic in the Authorization header")
	}
	if a.form["client_secret"] != "" {
		used = append(used, "client_secret in the form")
	}
	if a.form["client_assertion"] != "" {
		used = append(used, "client_assertion in the form")
	}
	if len(a.req.Authorization) > 1 {
		used = append(used, "a second Authorization header")
	}
	if len(used) > 1 {
		return a.refuse(ruleOneMechanism, CodeInvalidRequest, severalMechanisms(used))
	}
	if a.sent && a.scheme != "basic" && len(used) == 1 {
		a.checks.warn(ruleOneMechanism, a.headerIgnored(used))
		return nil
	}
	a.checks.pass(ruleOneMechanism, list(used))
	return nil
}

// chooseMechanism settles whether the client authenticates by an assertion or
// by a secret.
func (a *attempt) chooseMechanism() *Error {
	assertion, kind := a.form["client_assertion"], a.form["client_assertion_type"]
	switch {
	case assertion != "" && kind == "":
		return a.refuse(ruleCredential, CodeInvalidRequest, noAssertionType())
	case assertion != "":
		a.checks.pass(ruleCredential, "client_assertion")
		a.mechanism = ByAssertion
		return nil
	case a.scheme == "basic" || a.form["client_secret"] != "":
		a.checks.pass(ruleCredential, "client secret")
		a.mechanism = BySecret
		return nil
	case a.sent:
		return a.refuseHeader()
	case kind != "":
		return a.refuse(ruleCredential, CodeInvalidRequest, noAssertion())
	}
	a.clientID = a.form["client_id"]
	e := a.refuse(ruleCredential, CodeInvalidClient, a.noCredential())
	if a.endpoint != TokenEndpoint {
		e.Status = 401
		e.Challenge = basicChallenge()
	}
	return e
}

// refuseHeader refuses an Authorization header that is not Basic, with no
// credential in the form: mostly an assertion in the wrong place.
func (a *attempt) refuseHeader() *Error {
	o := assertionInHeader(a.credential)
	if o == nil {
		o = a.headerOnly()
	}
	e := a.refuse(ruleCredential, CodeInvalidClient, *o)
	e.Status = 401
	e.Challenge = bearerChallenge("token", e)
	e.Challenge.Code = CodeInvalidToken // a bearer token is what the header holds
	return e
}

// checkClient checks what is registered about the client, whichever way it
// authenticates.
func (a *attempt) checkClient(used string, fits bool) *Error {
	c := a.client
	if o := a.server.statusOutcome(c, a.req.Addresses); o != nil {
		return a.refuseClient(ruleStatus, *o)
	}
	a.checks.pass(ruleStatus, string(c.Status))
	if !fits {
		return a.refuseClient(ruleClientMethod, a.wrongMethod(used))
	}
	a.checks.pass(ruleClientMethod, string(c.Method))
	return nil
}
