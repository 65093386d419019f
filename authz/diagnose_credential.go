package authz

import "time"

func severalMechanisms(used []string) outcome {
	return outcome{finding: "K03", got: list(used), want: "one of them",
		text: "The request authenticates the client in more than one way: " + list(used) + ".",
		fix: "Use one. With a key that is client_assertion alone; check whether your HTTP client adds an " +
			"Authorization header of its own."}
}

// headerIgnored tells of an Authorization header beside another proof.
func (a *attempt) headerIgnored(used []string) outcome {
	return outcome{got: list(used) + ", and " + a.authorization(), want: list(used),
		text: "The Authorization header was ignored: the client authenticates by " + used[0] +
			". Other servers may take the header for a second attempt and refuse it.",
		fix: "Leave the header out of token requests."}
}

func noAssertionType() outcome {
	return outcome{finding: "A05", got: "no client_assertion_type", want: AssertionType,
		text: "client_assertion is there and client_assertion_type is missing.",
		fix:  "Send client_assertion_type=" + AssertionType + " beside it."}
}

func noAssertion() outcome {
	return outcome{got: "no client_assertion", want: "a signed JWT",
		text: "client_assertion_type is there and client_assertion is missing or empty.",
		fix:  "Put the signed JWT into the form field client_assertion."}
}

func (a *attempt) noCredential() outcome {
	got := "no credential"
	if a.clientID != "" {
		got = "client_id only"
	}
	return outcome{got: got, want: "client_assertion, a JWT, with client_assertion_type=" + AssertionType,
		text: "The request does not authenticate the client (" + got + ").",
		fix: "Send a JWT signed with your private key as client_assertion, and client_assertion_type=" +
			AssertionType + "."}
}

func (a *attempt) headerOnly() *outcome {
	return &outcome{got: a.authorization(), want: "client_assertion in the form",
		text: "The request has " + a.authorization() + " and no client_assertion in the form.",
		fix: "Send the signed JWT as the form field client_assertion with client_assertion_type=" +
			AssertionType + "."}
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
	if iss == "" || iss != sub && j.claims.kind("jti") == 0 || j.claims.kind("scope") != 0 ||
		j.claims.kind("client_id") != 0 {
		return nil
	}
	return &outcome{finding: "A04", got: "a JWT with iss=" + iss,
		want: "client_assertion in the form of a token request",
		text: "Your Authorization header holds a JWT with iss=" + clip(iss) + ", aud=" +
			j.claims.show("aud") + ": that is a client assertion, not an access token.",
		fix: "POST it to the token endpoint as the form field client_assertion, with client_assertion_type=" +
			AssertionType + ", and send the access_token of the answer as the bearer token.",
		remedy: Remedy{ClientID: iss}}
}

func (a *attempt) wrongMethod(used string) outcome {
	c := a.client
	o := outcome{finding: "K04", got: used, want: string(c.Method)}
	o.text = "Client " + quote(c.ID) + " is registered for " + string(c.Method) + "; the request used " + used + "."
	if c.Method.usesSecret() {
		o.fix = "Register a key set for the client and go on signing assertions, which is what SMART Backend " +
			"Services is; or send the client secret."
		o.remedy.Kind = RemedySecret
	} else {
		o.fix = "Sign an assertion with the private key whose public half is registered; a key client has no secret."
		o.remedy.Kind = RemedyAssertion
	}
	return o
}

func (a *attempt) tooManyFailures(limit int, wait time.Duration) outcome {
	return outcome{got: plural(limit, "failure") + " within a minute", want: "fewer",
		text: "Client " + quote(a.clientID) + " failed to authenticate " + plural(limit, "time") +
			" within a minute from this address; this server's behaviour then refuses it for the rest of the " +
			"minute, as some payers do.",
		fix:    "Wait " + seconds(wait) + " as Retry-After says, and mend what the refusals before named.",
		remedy: Remedy{Kind: RemedyNone}}
}
