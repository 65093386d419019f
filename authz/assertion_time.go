package authz

import (
	"context"
	"math"
	"time"
)

// refuseTime and warnTime are refuse and warn for a time claim: they mention
// the switch that shifts the clock which judges it.
func (a *attempt) refuseTime(r ruleIndex, o outcome) *Error {
	return a.refuseClient(r, a.byOffset(o))
}

func (a *attempt) warnTime(r ruleIndex, o outcome) { a.checks.warn(r, a.byOffset(o)) }

// expiry checks that exp is a number in the future; skew is granted.
func (a *attempt) expiry(context.Context) *Error {
	now := a.assertionTime
	exp, ok := a.jws.claims.numericDate("exp")
	switch {
	case a.jws.claims.kind("exp") == 0:
		return a.refuseTime(ruleExpiry, a.noExpiry())
	case !ok:
		return a.refuseTime(ruleExpiry, a.expiryNoNumber())
	case exp > lastSecond:
		return a.refuseTime(ruleExpiry, wrongUnit("exp", exp, now))
	case exp <= secondsOf(now.Add(-a.behaviour.Skew)):
		return a.refuseTime(ruleExpiry, a.diagnoseExpired(exp, now))
	}
	if late := now.Sub(instant(exp)); late >= 0 {
		a.warnTime(ruleExpiry, a.expiredWithinSkew(late))
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
		a.warnTime(ruleLifetime, a.lifetimeWithinSkew(ahead))
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

// notFuture checks that a time claim is not in the future; it may be absent.
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

// issuedAt checks that iat is a time and not an old one. It may be absent
// unless the behaviour requires it.
func (a *attempt) issuedAt(context.Context) *Error {
	if a.behaviour.RequireIAT && a.jws.claims.kind("iat") == 0 {
		return a.refuseTime(ruleIssuedAt, noIssuedAt())
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
	case a.behaviour.MaxIssuedAge > 0 &&
		iat < secondsOf(a.assertionTime.Add(-a.behaviour.MaxIssuedAge-a.behaviour.Skew)):
		return a.refuseTime(ruleIssuedAt, a.issuedLongAgo(iat))
	}
	a.checks.pass(ruleIssuedAt, a.jws.claims.show("iat"))
	return nil
}

// issuedAhead checks that iat, if it is a time, is not in the future.
func (a *attempt) issuedAhead(context.Context) *Error {
	if a.checks.notes[ruleIssuedAt].result == Warn { // it is no usable time, and the behaviour lets that pass
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
	return a.refuseTime(r, a.noNumber(name))
}

// gap converts seconds to a duration without overflow.
func gap(s float64) time.Duration {
	const limit = float64(1 << 33)
	return time.Duration(math.Max(-limit, math.Min(s, limit)) * float64(time.Second))
}

func secondsOf(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

func unix(t time.Time) string { return itoa(int(t.Unix())) }
