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
		return a.refuse(ruleOneMechanism, CodeInvalidRequest, outcome{finding: "K03", got: list(used), want: "one of them",
			text: "The request authenticates the client in more than one way: " + list(used) + ".",
			fix:  "Use one. With a key that is client_assertion alone; check whether your HTTP client adds an Authorization header of its own."})
	}
	if a.sent && a.scheme != "basic" && len(used) == 1 {
		a.checks.warn(ruleOneMechanism, outcome{got: list(used) + ", and " + a.authorization(), want: list(used),
			text: "The Authorization header was ignored: the client authenticates by " + used[0] + ". Other servers may take the header for a second attempt and refuse it.",
			fix:  "Leave the header out of token requests."})
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
		return a.refuse(ruleCredential, CodeInvalidRequest, outcome{finding: "A05", got: "no client_assertion_type", want: AssertionType,
			text: "client_assertion is there and client_assertion_type is missing.", fix: "Send client_assertion_type=" + AssertionType + " beside it."})
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
		return a.refuse(ruleCredential, CodeInvalidRequest, outcome{got: "no client_assertion", want: "a signed JWT",
			text: "client_assertion_type is there and client_assertion is missing or empty.", fix: "Put the signed JWT into the form field client_assertion."})
	}
	got := "no credential"
	if id := a.form["client_id"]; id != "" {
		got = "client_id only"
		a.clientID = id
	}
	e := a.refuse(ruleCredential, CodeInvalidClient, outcome{got: got, want: "client_assertion, a JWT, with client_assertion_type=" + AssertionType,
		text: "The request does not authenticate the client (" + got + ").",
		fix:  "Send a JWT signed with your private key as client_assertion, and client_assertion_type=" + AssertionType + "."})
	if a.endpoint != TokenEndpoint {
		e.Status = 401
		e.Challenge = basicChallenge()
	}
	return e
}

// refuseHeader deals with an Authorization header that is neither Basic nor
// accompanied by a credential in the form: mostly an assertion gone astray.
func (a *attempt) refuseHeader() *Error {
	o := outcome{got: a.authorization(), want: "client_assertion in the form",
		text: "The request has " + a.authorization() + " and no client_assertion in the form.",
		fix:  "Send the signed JWT as the form field client_assertion with client_assertion_type=" + AssertionType + "."}
	if found := assertionInHeader(a.credential); found != nil {
		o = *found
	}
	e := a.refuse(ruleCredential, CodeInvalidClient, o)
	e.Status = 401
	e.Challenge = bearerChallenge("token", e)
	e.Challenge.Code = CodeInvalidToken // a bearer token is what the header holds
	return e
}

// authorization says what kind of Authorization header there is.
func (a *attempt) authorization() string {
	if a.scheme == "" {
		return "an Authorization header without a scheme"
	}
	return "an Authorization header of the scheme " + quote(a.scheme)
}

// assertionInHeader returns the outcome for a client assertion that was sent
// as a bearer token, or nil if it is none. An access token of this server has
// a scope and a client_id; an assertion says iss = sub and has neither.
func assertionInHeader(credential string) *outcome {
	j, broken := splitJWS(credential)
	if broken != nil || j.readMembers() != nil {
		return nil
	}
	iss, _ := j.claims.text("iss")
	sub, _ := j.claims.text("sub")
	if iss == "" || iss != sub && j.claims.kind("jti") == 0 || j.claims.kind("scope") != 0 || j.claims.kind("client_id") != 0 {
		return nil
	}
	return &outcome{finding: "A04", got: "a JWT with iss=" + iss, want: "client_assertion in the form of a token request",
		text:   "Your Authorization header holds a JWT with iss=" + clip(iss) + ", aud=" + j.claims.show("aud") + ": that is a client assertion, not an access token.",
		fix:    "POST it to the token endpoint as the form field client_assertion, with client_assertion_type=" + AssertionType + ", and send the access_token of the answer as the bearer token.",
		remedy: Remedy{ClientID: iss}}
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

func (a *attempt) wrongMethod(used string) outcome {
	c := a.client
	o := outcome{finding: "K04", got: used, want: string(c.Method)}
	o.text = "Client " + quote(c.ID) + " is registered for " + string(c.Method) + "; the request used " + used + "."
	if c.Method.usesSecret() {
		o.fix = "Register a key set for the client and go on signing assertions, which is what SMART Backend Services is; or send the client secret."
		o.remedy.Kind = RemedySecret
	} else {
		o.fix = "Sign an assertion with the private key whose public half is registered; a key client has no secret."
		o.remedy.Kind = RemedyAssertion
	}
	return o
}
