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
// signature verified (SB-JWT-20).
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

// assertionStep applies rules to an assertion. It makes sense where the rules
// that it needs hold.
type assertionStep struct {
	apply func(context.Context) *Error
	needs []ruleIndex
}

// walk applies the steps in order, to the first refusal or, in an examination,
// as far as they make sense.
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
	return a.refuseClient(ruleAssertionType, outcome{finding: "A05", got: got, want: AssertionType,
		text: "client_assertion_type is " + quote(got) + "; it must be exactly " + AssertionType + " (" + differ(got, AssertionType) + ").",
		fix:  "Send client_assertion_type=" + AssertionType + "."})
}

// envelope takes the assertion apart.
func (a *attempt) envelope(context.Context) *Error {
	text := a.form["client_assertion"]
	j, broken := splitJWS(text)
	if broken != nil {
		if rest, found := strings.CutPrefix(text, "Bearer "); found {
			if _, still := splitJWS(rest); still == nil {
				broken.text = "client_assertion begins with \"Bearer \"."
				broken.counterfactual = "Without it, it is a JWT of three parts."
				broken.fix = "Put the bare JWT into the field."
			}
		}
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
	case a.behaviour.OptionalTyp && a.jws.header.kind("typ") == 0:
		a.checks.warn(ruleTyp, outcome{finding: "A07", got: "absent", want: "JWT",
			text: `The header has no typ, which this server's behaviour lets pass; SMART requires "typ":"JWT".`, fix: `Add "typ":"JWT" to the header.`})
		return nil
	}
	o := outcome{finding: "A07", got: a.jws.header.show("typ"), want: "JWT"}
	if a.jws.header.kind("typ") == 0 {
		o.text = `The assertion's header has no typ; SMART requires "typ":"JWT".`
		o.fix = `Set "typ":"JWT" where you set alg and kid: some libraries leave it out unless told.`
	} else {
		o.fix = `Set "typ":"JWT" in the header.`
		o.text = `The assertion's header has "typ":` + o.got + `; SMART requires "typ":"JWT".`
	}
	return a.refuseClient(ruleTyp, o)
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
	got := a.jws.header.show("crit")
	return a.refuseClient(ruleCrit, outcome{got: got, want: "absent",
		text: "The header's crit lists " + got + " as critical. This server understands no such extension and must refuse the assertion (RFC 7515 section 4.1.11).",
		fix:  "Leave crit out."})
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
		o := outcome{got: a.jws.claims.show("iss"), want: "your client_id",
			text: "The assertion has no iss that is a string.", fix: "Set iss and sub both to your client_id."}
		if sub, _ := a.jws.claims.text("sub"); sub != "" {
			o.text = "The assertion has no iss that is a string; its sub is " + quote(sub) + "."
			o.remedy.ClientID = sub
		}
		return a.refuseClient(ruleIssuer, o)
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
	got := a.jws.claims.show("sub")
	return a.refuseClient(ruleSubject, outcome{finding: "C01", got: "iss=" + a.client.ID + ", sub=" + got, want: "sub=" + a.client.ID,
		text: "iss is " + quote(a.client.ID) + " and sub is " + got + "; both must be your client_id.", fix: "Set sub to " + quote(a.client.ID) + "."})
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
		return a.refuseClient(ruleFormClient, outcome{got: got, want: a.client.ID,
			text: "The form's client_id is " + quote(got) + ", the assertion's sub is " + quote(a.client.ID) + ".", fix: "Leave client_id out of the form, or send the same one."})
	}
	return nil
}

func (a *attempt) keyClient(context.Context) *Error {
	return a.checkClient("an assertion ("+string(PrivateKeyJWT)+")", a.client.Method == PrivateKeyJWT)
}

func (a *attempt) jti(context.Context) *Error {
	got, ok := a.jws.claims.text("jti")
	o := outcome{finding: "C14", got: a.jws.claims.show("jti"), want: "a fresh string for each assertion, such as a UUID"}
	switch {
	case a.jws.claims.kind("jti") == 0:
		o.text, o.fix = "The assertion has no jti.", "Add a fresh UUID for every token request."
	case !ok || got == "":
		o.text, o.fix = "jti is "+o.got+"; it must be a string that is not empty.", "Use a fresh UUID for every token request."
	case len(got) > a.behaviour.MaxJTI:
		o.finding, o.got, o.want = "C17", itoa(len(got))+" bytes", "at most "+itoa(a.behaviour.MaxJTI)
		o.text, o.fix = "jti is "+itoa(len(got))+" bytes long; this server takes "+itoa(a.behaviour.MaxJTI)+".", "Use a UUID."
	default:
		a.checks.pass(ruleJTI, got)
		return nil
	}
	return a.refuseClient(ruleJTI, o)
}

// replay records the assertion's jti, now that it is known to be the
// client's, unless it was used before.
func (a *attempt) replay(ctx context.Context) *Error {
	jti, _ := a.jws.claims.text("jti")
	exp, _ := a.jws.claims.numericDate("exp")
	now := a.realTime
	use := JTIUse{
		Env: a.server.env.Name, Issuer: a.client.ID, JTI: jti, Exchange: a.req.Exchange,
		At: now, Exp: instant(exp), Skew: a.behaviour.Skew,
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
	o := outcome{finding: "C15", got: jti + ", used at " + stamp(earlier.At), want: "a jti that was not used before"}
	o.text = "jti " + quote(jti) + " was used " + seconds(now.Sub(earlier.At)) + " ago"
	if earlier.Exchange != "" {
		o.text += " by request " + earlier.Exchange
	}
	o.text += "."
	o.fix = "Build a new assertion with a new jti for every token request, retries included; do not cache assertions."
	if a.behaviour.AllowReplay {
		o.finding = "C16"
		o.text += " This server's behaviour accepts the replay; strict payers refuse it."
		a.checks.warn(ruleReplay, o)
		return nil
	}
	return a.refuseClient(ruleReplay, o)
}
