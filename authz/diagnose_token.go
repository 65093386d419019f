package authz

import "time"

func severalTokens(inQuery bool) outcome {
	got := "two Authorization headers"
	if inQuery {
		got = "a token in the header and one in the query string"
	}
	return outcome{got: got, want: "one Authorization header",
		text: "The request carries " + got + ".",
		fix:  "Send the token once, in the Authorization header (RFC 6750 section 2)."}
}

func tokenInQuery() outcome {
	return outcome{got: "access_token in the query string", want: "Authorization: Bearer",
		text: "The access token is in the query string, where it is not read: URLs end up in logs.",
		fix:  "Send it as Authorization: Bearer, then the token."}
}

func (b *bearer) noToken() outcome {
	return outcome{got: "no Authorization header", want: "Authorization: Bearer",
		text: "The request has no credentials.", fix: tokenHint(b.req.Addresses)}
}

func (b *bearer) otherScheme(scheme string) outcome {
	if scheme == "" {
		return outcome{got: "a value without a scheme", want: "Authorization: Bearer",
			text: "The Authorization header has no scheme before the token.",
			fix:  "Write Bearer, a space, then the token."}
	}
	return outcome{got: "Authorization: " + scheme, want: "Authorization: Bearer",
		text: "The Authorization header has the scheme " + quote(scheme) + "; the FHIR API takes Bearer tokens only.",
		fix:  tokenHint(b.req.Addresses)}
}

func emptyToken() outcome {
	return outcome{got: "Bearer without a token", want: "Bearer, a space, the token",
		text: "The Authorization header says Bearer and no token follows.",
		fix:  "Send the value of access_token behind it. Is the variable that holds the token empty?"}
}

func moreThanToken() outcome {
	return outcome{got: "Bearer and more than a token", want: "Bearer, a space, the token",
		text: "What follows Bearer is not a token alone: it holds a space, a comma or a quotation mark.",
		fix:  "Send the value of access_token from the token answer, and nothing else."}
}

func tokenHint(a Addresses) string {
	text := "Get an access token from the token endpoint"
	if a.TokenURL != "" {
		text += ", " + a.TokenURL + ","
	}
	return text + " and send it as Authorization: Bearer, then the token."
}

func schemeCase(scheme string) outcome {
	return outcome{finding: "T02", got: scheme, want: "Bearer",
		text: "The Authorization scheme is " + quote(scheme) + "; this server's behaviour needs \"Bearer\", " +
			"as some payers do (RFC 6750 takes any case).",
		fix: "Write Bearer with a capital B."}
}

func notOurs() outcome {
	return outcome{got: "something that is no token of this server", want: "the access_token of a token answer",
		text: "The bearer token is none that this server issues.",
		fix: "Send the value of access_token exactly as the token endpoint returned it. Is it cut short, " +
			"quoted, or from another server?"}
}

func (b *bearer) anotherJWT(j *compactJWS) outcome {
	return outcome{got: "a JWT of typ " + j.header.show("typ") + " from issuer " + j.claims.show("iss"),
		want: "an access token of this server",
		text: "The bearer token is a JWT, but none that this server issued: its iss is " + j.claims.show("iss") + ".",
		fix:  tokenHint(b.req.Addresses)}
}

func (b *bearer) otherClaims() outcome {
	return outcome{got: "claims that cannot be read", want: "an access token of this server",
		text: "The bearer token is none that this server issued: its claims have other types.",
		fix:  tokenHint(b.req.Addresses)}
}

func (b *bearer) fromElsewhere(from Environment, claims *tokenClaims) outcome {
	here := b.server.env.String()
	o := outcome{finding: "T05", got: clip(from.String()), want: here}
	o.text = "The token was issued by " + clip(from.String()) + " (iss " + clip(claims.Issuer) + "); this is " +
		here + ". Tokens do not travel between environments."
	o.fix = "Get a token from this one's token endpoint"
	if b.req.Addresses.TokenURL != "" {
		o.fix += ", " + b.req.Addresses.TokenURL
	}
	o.fix += ", or call the FHIR base of the other, " + clip(claims.Audience) + "."
	return o
}

func (b *bearer) unknownSigningKey(kid string) outcome {
	return outcome{got: "a token signed with key " + clip(kid), want: "a key of this environment",
		text: "The token was signed with a key that this environment does not have (any more). It is from " +
			"before a reset or a restart without stored data, or from another server.",
		fix: tokenHint(b.req.Addresses)}
}

func changedToken() outcome {
	return outcome{got: "a signature that does not verify", want: "the token as issued",
		text: "The token names this server's key, but its signature does not verify: it was changed or cut " +
			"on the way.",
		fix: "Send the value of access_token exactly as the token endpoint returned it."}
}

func expiredToken(claims *tokenClaims, now time.Time) outcome {
	expires := time.Unix(claims.Expires, 0)
	return outcome{finding: "T03", got: "expired at " + stamp(expires), want: "after " + stamp(now),
		text: "The token expired " + seconds(now.Sub(expires)) + " ago, at " + stamp(expires) +
			" by this server's clock; it lived " +
			seconds(time.Duration(claims.Expires-claims.IssuedAt)*time.Second) + ".",
		fix: "Get a new token with a new assertion and repeat this request; an export job goes on meanwhile."}
}

func agedToken(expires time.Time) outcome {
	return outcome{finding: "T03", got: "expired by the sandbox's controls", want: "a token that was issued since",
		text: "The token was made to expire before its time, " + stamp(expires) + ", by the sandbox's controls.",
		fix:  "Get a new token with a new assertion and repeat this request; an export job goes on meanwhile."}
}

func revokedToken() outcome {
	return outcome{finding: "T06", got: "revoked", want: "not revoked",
		text: "This token was revoked at the revocation endpoint or in the portal.",
		fix:  "Get a new one with a new assertion."}
}

func deletedClient(id string) outcome {
	return outcome{finding: "T06", got: "a client that was deleted", want: "a registered client",
		text:   "Client " + quote(id) + " was deleted; all its tokens are revoked.",
		fix:    "Register it again.",
		remedy: Remedy{Kind: RemedyRegistration}}
}

func otherGeneration(client *Client, claims *tokenClaims) outcome {
	return outcome{finding: "T06", got: "generation " + itoa(int(claims.Generation)),
		want: "generation " + itoa(int(client.Generation)),
		text: "The tokens of " + client.display() + " were revoked after this one was issued.",
		fix:  "Get a new one with a new assertion."}
}

func noTokenParameter() outcome {
	return outcome{got: "no token", want: "an access token",
		text: "The form has no token.",
		fix:  "Send the access token as the form field token; token_type_hint may be left out."}
}

func tokenOfOther(client *Client) outcome {
	return outcome{got: "a token of another client", want: "a token of " + client.ID,
		text: "The token was issued to another client and stays valid. A client can revoke its own tokens " +
			"only (RFC 7009 section 2.1).",
		fix: "Authenticate as the client that the token was issued to."}
}
