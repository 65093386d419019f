package authz

import (
	"context"
	"slices"
	"strings"
)

// AssertionType is the client_assertion_type of RFC 7523 section 2.2.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// byAssertion proves the client by private_key_jwt: the envelope, the client
// it names, its claims, then key and signature, then replay (SMART App Launch
// 2.2, client-confidential-asymmetric). Nothing is recorded before the
// signature verified.
func (a *attempt) byAssertion(ctx context.Context) (*Client, *Error) {
	err := a.walk(ctx, []assertionStep{
		{a.assertionType, nil},
		{a.envelope, nil},
		{a.typ, []ruleIndex{ruleMembers}},
		{a.alg, []ruleIndex{ruleMembers}},
		{a.crit, []ruleIndex{ruleMembers}},
		{a.kid, []ruleIndex{ruleMembers}},
		{a.issuer, []ruleIndex{ruleMembers}},
		{a.subject, []ruleIndex{ruleIssuer}},
		{a.formClient, []ruleIndex{ruleIssuer}},
		{a.keyClient, []ruleIndex{ruleIssuer}},
		{a.audience, []ruleIndex{ruleMembers}},
		{a.expiry, []ruleIndex{ruleMembers}},
		{a.lifetime, []ruleIndex{ruleExpiry}},
		{a.notBefore, []ruleIndex{ruleMembers}},
		{a.issuedAt, []ruleIndex{ruleMembers}},
		{a.issuedAhead, []ruleIndex{ruleIssuedAt}},
		{a.jti, []ruleIndex{ruleMembers}},
		{a.jku, []ruleIndex{ruleIssuer}},
		{a.signature, []ruleIndex{ruleIssuer, ruleAlg, ruleKid}},
		{a.replay, []ruleIndex{ruleSignature, ruleExpiry, ruleJTI}},
	})
	if err != nil {
		return nil, err
	}
	return a.client, nil
}

// assertionStep is one or more rules, and the rules that have to hold before
// they can be judged.
type assertionStep struct {
	apply func(context.Context) *Error
	needs []ruleIndex
}

// walk applies the steps in order and stops at the first refusal. An
// examination goes on with every step that can still be judged.
func (a *attempt) walk(ctx context.Context, steps []assertionStep) *Error {
	var first *Error
	for _, step := range steps {
		if slices.ContainsFunc(step.needs, func(r ruleIndex) bool { return !a.checks.holds(r) }) {
			continue
		}
		err := step.apply(ctx)
		if err == nil {
			continue
		}
		if first == nil {
			first = err
		}
		if !a.thorough || err.Status >= 500 {
			return first
		}
	}
	return first
}

func (a *attempt) assertionType(context.Context) *Error {
	got := a.form["client_assertion_type"]
	if got == AssertionType {
		a.checks.pass(ruleAssertionType, got)
		return nil
	}
	return a.refuseClient(ruleAssertionType, wrongAssertionType(got))
}

// envelope takes the assertion apart.
func (a *attempt) envelope(context.Context) *Error {
	text := a.form["client_assertion"]
	j, broken := splitJWS(text)
	if broken != nil {
		tryWithoutBearer(broken, text)
		return a.refuseClient(ruleCompact, *broken)
	}
	a.jws = j
	a.checks.pass(ruleCompact, "3 parts")
	if broken := j.readMembers(); broken != nil {
		return a.refuseClient(ruleMembers, *broken)
	}
	a.assertion = &Assertion{Header: j.headerJSON, Claims: j.claimsJSON}
	a.assertion.KeyID, _ = j.header.text("kid")
	a.assertion.Algorithm, _ = j.header.text("alg")
	if iss, ok := j.claims.text("iss"); ok {
		a.clientID = iss
	}
	a.checks.pass(ruleMembers, plural(len(j.header), "header member")+", "+plural(len(j.claims), "claim"))
	return nil
}

func (a *attempt) typ(context.Context) *Error {
	got, ok := a.jws.header.text("typ")
	switch {
	case ok && strings.EqualFold(got, "JWT"):
		a.checks.pass(ruleTyp, got)
		return nil
	case a.jws.header.kind("typ") != 0:
		return a.refuseClient(ruleTyp, a.otherTyp())
	case a.behaviour.OptionalTyp:
		a.checks.warn(ruleTyp, typPassedOver())
		return nil
	}
	return a.refuseClient(ruleTyp, noTyp())
}

func (a *attempt) alg(ctx context.Context) *Error {
	got, ok := a.jws.header.text("alg")
	if ok && slices.Contains(a.behaviour.Algorithms, got) {
		a.checks.pass(ruleAlg, got)
		return nil
	}
	return a.refuseClient(ruleAlg, a.diagnoseAlg(ctx, got))
}

// crit refuses critical header members, all of which are unknown here (RFC
// 7515 section 4.1.11). jwk, x5u, x5c and x5t are ignored as key sources.
func (a *attempt) crit(context.Context) *Error {
	if a.jws.header.kind("crit") == 0 {
		a.checks.pass(ruleCrit, "absent")
		return nil
	}
	return a.refuseClient(ruleCrit, criticalHeader(a.jws.header.show("crit")))
}

func (a *attempt) kid(ctx context.Context) *Error {
	if got, ok := a.jws.header.text("kid"); ok && got != "" {
		a.checks.pass(ruleKid, got)
		return nil
	}
	return a.refuseClient(ruleKid, a.diagnoseNoKid(ctx))
}

func (a *attempt) issuer(ctx context.Context) *Error {
	iss, ok := a.jws.claims.text("iss")
	if !ok || iss == "" {
		return a.refuseClient(ruleIssuer, a.noIssuer())
	}
	if _, err := a.lookUp(ctx, ruleIssuer, iss); err != nil {
		return err
	}
	a.checks.pass(ruleIssuer, iss)
	return nil
}

func (a *attempt) subject(context.Context) *Error {
	sub, ok := a.jws.claims.text("sub")
	if ok && sub == a.client.ID {
		a.checks.pass(ruleSubject, sub)
		return nil
	}
	return a.refuseClient(ruleSubject, a.otherSubject(a.jws.claims.show("sub")))
}

// formClient checks a client_id beside the assertion (RFC 7521 section 4.2).
func (a *attempt) formClient(context.Context) *Error {
	got := a.form["client_id"]
	switch got {
	case "":
		a.checks.pass(ruleFormClient, "absent")
	case a.client.ID:
		a.checks.pass(ruleFormClient, got)
	default:
		return a.refuseClient(ruleFormClient, a.otherFormClient(got))
	}
	return nil
}

func (a *attempt) keyClient(context.Context) *Error {
	return a.checkClient("an assertion ("+string(PrivateKeyJWT)+")", a.client.Method == PrivateKeyJWT)
}

func (a *attempt) jti(context.Context) *Error {
	got, ok := a.jws.claims.text("jti")
	switch {
	case a.jws.claims.kind("jti") == 0:
		return a.refuseClient(ruleJTI, noJTI())
	case !ok || got == "":
		return a.refuseClient(ruleJTI, unusableJTI(a.jws.claims.show("jti")))
	case len(got) > a.behaviour.MaxJTI:
		return a.refuseClient(ruleJTI, longJTI(len(got), a.behaviour.MaxJTI))
	}
	a.checks.pass(ruleJTI, got)
	return nil
}

// replay records the assertion's jti, now that it is known to be the
// client's, unless it was used before.
func (a *attempt) replay(ctx context.Context) *Error {
	jti, _ := a.jws.claims.text("jti")
	exp, _ := a.jws.claims.numericDate("exp")
	use := JTIUse{
		Env: a.server.env.Name, Issuer: a.client.ID, JTI: jti, Exchange: a.req.Exchange,
		At: a.realTime, Exp: instant(exp), Skew: a.behaviour.Skew,
	}
	record := a.server.store.UseJTI
	if a.dry {
		record = a.server.store.EarlierJTI
	}
	earlier, err := record(ctx, use)
	if err != nil {
		return a.checks.serverError(ruleReplay, "record the assertion's jti", err)
	}
	if earlier == nil {
		a.checks.pass(ruleReplay, jti)
		return nil
	}
	if a.behaviour.AllowReplay {
		a.checks.warn(ruleReplay, a.replayAllowed(jti, earlier))
		return nil
	}
	return a.refuseClient(ruleReplay, a.replayed(jti, earlier))
}
