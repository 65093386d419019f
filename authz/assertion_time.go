package authz

import (
	"context"
	"math"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// refuseTime and warnTime tell of a time claim, and of the switch under which it
// was judged.
func (a *attempt) refuseTime(r ruleIndex, o outcome) *Error {
	return a.refuseClient(r, a.byOffset(o))
}

func (a *attempt) warnTime(r ruleIndex, o outcome) { a.checks.warn(r, a.byOffset(o)) }

// expiry checks that exp is a number in the future; skew is granted.
func (a *attempt) expiry(context.Context) *Error {
	now := a.assertionTime
	exp, ok := a.jws.claims.numericDate("exp")
	o := outcome{finding: "C07", got: a.jws.claims.show("exp"), want: "seconds since 1970, at most " + seconds(a.behaviour.MaxAssertion) + " ahead"}
	switch {
	case a.jws.claims.kind("exp") == 0:
		o.text = "The assertion has no exp."
		o.fix = "Set exp to now plus at most " + seconds(a.behaviour.MaxAssertion) + ", in seconds since 1970, for example " + unix(now.Add(240*time.Second)) + "; the server's time is " + unix(now) + "."
		return a.refuseTime(ruleExpiry, o)
	case !ok:
		o.text = "exp is " + o.got + ", which is no JSON number."
		o.fix = "Write it without quotation marks: seconds since 1970, for example " + unix(now.Add(240*time.Second)) + "."
		return a.refuseTime(ruleExpiry, o)
	case exp > lastSecond:
		return a.refuseTime(ruleExpiry, wrongUnit("exp", exp, now))
	case exp <= secondsOf(now.Add(-a.behaviour.Skew)):
		return a.refuseTime(ruleExpiry, a.diagnoseExpired(exp, now))
	}
	if late := now.Sub(instant(exp)); late >= 0 {
		a.warnTime(ruleExpiry, outcome{finding: "C08", got: a.jws.claims.show("exp"), want: "after " + unix(now),
			text: "exp was " + seconds(late) + " ago by the server's time " + stamp(now) + ". It passed only because " + seconds(a.behaviour.Skew) + " of clock difference are tolerated.", fix: "Synchronise the client's clock (NTP), or set exp = now + 240."})
		return nil
	}
	a.checks.pass(ruleExpiry, a.jws.claims.show("exp")+", "+seconds(instant(exp).Sub(now))+" ahead")
	return nil
}

// lifetime checks that exp is not too far ahead. Five minutes by a clock that
// leads a little still pass: a client that signs exp = now + 300 needs that.
func (a *attempt) lifetime(context.Context) *Error {
	now := a.assertionTime
	exp, _ := a.jws.claims.numericDate("exp")
	ahead := instant(exp).Sub(now)
	switch {
	case ahead > a.behaviour.MaxAssertion+a.behaviour.Skew:
		return a.refuseTime(ruleLifetime, a.diagnoseFarExpiry(ahead, now))
	case ahead > a.behaviour.MaxAssertion:
		a.warnTime(ruleLifetime, outcome{finding: "C10", got: seconds(ahead) + " ahead", want: "at most " + seconds(a.behaviour.MaxAssertion),
			text: "exp is " + seconds(ahead) + " ahead: " + seconds(a.behaviour.MaxAssertion) + " and your clock's lead of about " + seconds(ahead-a.behaviour.MaxAssertion) + ". It passed only because " + seconds(a.behaviour.Skew) + " of clock difference are tolerated; a server without such tolerance refuses it.", fix: "Set exp = now + 240 to stay safe."})
	default:
		a.checks.pass(ruleLifetime, seconds(ahead)+" ahead")
	}
	return nil
}

func (a *attempt) notBefore(context.Context) *Error {
	return a.unlessIgnored(ruleNotBefore, a.behaviour.IgnoreNBF, a.notFuture(ruleNotBefore, "nbf"))
}

// unlessIgnored turns the refusal of a rule that is switched off into a
// warning.
func (a *attempt) unlessIgnored(r ruleIndex, ignored bool, refused *Error) *Error {
	if refused == nil || !ignored {
		return refused
	}
	o := *a.checks.notes[r].found
	o.text += " This server's behaviour does not look at it; strict servers refuse it."
	a.checks.warn(r, o)
	return nil
}

// notFuture checks a time claim that may be absent.
func (a *attempt) notFuture(r ruleIndex, name string) *Error {
	at, ok := a.jws.claims.numericDate(name)
	switch {
	case !ok:
		return a.absentOr(r, name)
	case at > lastSecond:
		return a.refuseTime(r, wrongUnit(name, at, a.assertionTime))
	case at > secondsOf(a.assertionTime.Add(a.behaviour.issuedAhead())):
		return a.refuseTime(r, a.fromFuture(name, at))
	}
	a.checks.pass(r, a.jws.claims.show(name))
	return nil
}

// issuedAt checks that iat, where it is there, is a time and not an old one. It
// is there where the behaviour requires it.
func (a *attempt) issuedAt(context.Context) *Error {
	if a.behaviour.RequireIAT && a.jws.claims.kind("iat") == 0 {
		return a.refuseTime(ruleIssuedAt, outcome{finding: "C13", got: "absent", want: "now, in seconds since 1970",
			text: "The assertion has no iat, which this server's behaviour requires, as some payers do (SMART does not).", fix: "Add iat = now."})
	}
	return a.unlessIgnored(ruleIssuedAt, a.behaviour.IgnoreIAT, a.checkIssuedAt())
}

func (a *attempt) checkIssuedAt() *Error {
	iat, ok := a.jws.claims.numericDate("iat")
	switch {
	case !ok:
		return a.absentOr(ruleIssuedAt, "iat")
	case iat > lastSecond:
		return a.refuseTime(ruleIssuedAt, wrongUnit("iat", iat, a.assertionTime))
	case a.behaviour.MaxIssuedAge > 0 && iat < secondsOf(a.assertionTime.Add(-a.behaviour.MaxIssuedAge-a.behaviour.Skew)):
		age := time.Duration(math.Min(secondsOf(a.assertionTime)-iat, float64(1<<33))) * time.Second
		return a.refuseTime(ruleIssuedAt, outcome{finding: "C08", got: seconds(age) + " old", want: "at most " + seconds(a.behaviour.MaxIssuedAge),
			text: "The assertion says it was issued " + seconds(age) + " ago (iat " + a.jws.claims.show("iat") + "; the server's time is " + unix(a.assertionTime) + ").",
			fix:  "Build a new assertion for every token request, with iat = now. If you did, your clock is behind" + zoneHint(age) + ": synchronise it (NTP)."})
	}
	a.checks.pass(ruleIssuedAt, a.jws.claims.show("iat"))
	return nil
}

// issuedAhead checks that iat, where it is there and a time, is not in the
// future.
func (a *attempt) issuedAhead(context.Context) *Error {
	if a.checks.notes[ruleIssuedAt].result == Warn { // it was passed over for what it is
		a.checks.pass(ruleIssuedAhead, a.jws.claims.show("iat"))
		return nil
	}
	return a.unlessIgnored(ruleIssuedAhead, a.behaviour.IgnoreIAT, a.notFuture(ruleIssuedAhead, "iat"))
}

// absentOr passes a time claim that is absent and refuses one that is no
// number.
func (a *attempt) absentOr(r ruleIndex, name string) *Error {
	if a.jws.claims.kind(name) == 0 {
		a.checks.pass(r, "absent")
		return nil
	}
	got := a.jws.claims.show(name)
	o := outcome{got: got, want: "a number", text: name + " is " + got + ", which is no JSON number.", fix: "Write seconds since 1970 without quotation marks, or leave it out."}
	if a.jws.claims.kind(name) == jsontext.Kind('n') {
		o.text, o.fix = name+" is null.", "Write seconds since 1970, or leave it out."
	}
	return a.refuseTime(r, o)
}

// gap converts seconds to a duration without overflow.
func gap(s float64) time.Duration {
	const limit = float64(1 << 33)
	return time.Duration(math.Max(-limit, math.Min(s, limit)) * float64(time.Second))
}

func secondsOf(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

func unix(t time.Time) string { return itoa(int(t.Unix())) }
