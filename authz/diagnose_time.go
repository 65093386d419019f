package authz

import (
	"math"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

func (a *attempt) byOffset(o outcome) outcome {
	switch off := a.behaviour.ClockOffset; {
	case off > 0:
		o.text += " This server's behaviour judges assertions by a clock that is " + seconds(off) +
			" ahead, as if yours were behind."
	case off < 0:
		o.text += " This server's behaviour judges assertions by a clock that is " + seconds(-off) +
			" behind, as if yours were ahead."
	}
	return o
}

func (a *attempt) fromFuture(name string, at float64) outcome {
	lead, most := instant(at).Sub(a.assertionTime), a.behaviour.issuedAhead()
	return outcome{finding: "C12", got: seconds(lead) + " ahead", want: "at most " + seconds(most) + " ahead",
		text: name + " is " + seconds(lead) + " in the future by the server's time " + stamp(a.assertionTime) +
			"; " + seconds(most) + " are tolerated. Your clock seems to lead" + zoneHint(lead) + ".",
		fix: "Synchronise the client's clock (NTP)."}
}

// wrongUnit explains a NumericDate beyond the year 9999.
func wrongUnit(name string, value float64, now time.Time) outcome {
	unit := "milliseconds"
	switch {
	case value > 1e17:
		unit = "nanoseconds"
	case value > 1e14:
		unit = "microseconds"
	}
	return outcome{finding: "C11", got: name + " in the year 10000 or later",
		want: "seconds since 1970, now " + unix(now),
		text: name + " is too large to be seconds since 1970: it looks like " + unit + ".",
		fix: "Divide before you sign: NumericDate is in seconds (RFC 7519 section 2), and the server's time is " +
			unix(now) + "."}
}

// diagnoseExpired explains an expired assertion: a slow clock, or one that
// was kept.
func (a *attempt) diagnoseExpired(exp float64, now time.Time) outcome {
	ago := seconds(gap(secondsOf(now) - exp))
	o := outcome{finding: "C08", got: a.jws.claims.show("exp") + ", " + ago + " ago", want: "after " + unix(now),
		text: "exp was " + ago + " ago by the server's time " + stamp(now) + " (" + unix(now) + ")."}
	iat, ok := a.jws.claims.numericDate("iat")
	switch lag := gap(secondsOf(now) - iat); {
	case exp <= 0 || exp < 1e9:
		o.text = "exp is " + a.jws.claims.show("exp") + ", which is no time of these years: exp is a point " +
			"in time, not a duration."
		o.fix = "Set exp = now + 240 in seconds since 1970."
		o.remedy.Kind = RemedyAssertion
	case ok && iat >= exp:
		o.text += " It is not after iat either."
		o.fix = "Set exp = iat + 240."
		o.remedy.Kind = RemedyAssertion
	case ok && lag > a.behaviour.Skew:
		o.text += " Your iat is " + seconds(lag) + " ago: either your clock is that much behind" +
			zoneHint(lag) + ", or the assertion was made once and kept."
		o.fix = "Synchronise the clock (NTP), and build a new assertion for every token request."
	default:
		o.text += " Either your clock is behind" + zoneHint(gap(secondsOf(now)-exp)) +
			", or the assertion was made once and kept."
		o.fix = "Synchronise the clock (NTP), and build a new assertion for every token request."
	}
	return o
}

// diagnoseFarExpiry explains an exp too far ahead: too long a life, or a fast
// clock.
func (a *attempt) diagnoseFarExpiry(ahead time.Duration, now time.Time) outcome {
	limit := a.behaviour.MaxAssertion
	o := outcome{finding: "C09", got: seconds(ahead) + " ahead", want: "at most " + seconds(limit)}
	o.text = "exp is " + seconds(ahead) + " ahead of the server's time " + stamp(now) + "; at most " +
		seconds(limit) + " are allowed"
	if a.behaviour.Skew > 0 {
		o.text += ", plus " + seconds(a.behaviour.Skew) + " for clock differences"
	}
	o.text += "."
	iat, ok := a.jws.claims.numericDate("iat")
	exp, _ := a.jws.claims.numericDate("exp")
	switch {
	case ok && iat <= lastSecond && gap(exp-iat) <= limit && exp > iat:
		lead := gap(iat - secondsOf(now))
		o.finding = "C10"
		o.counterfactual = "By a right clock it would pass: exp is only " + seconds(gap(exp-iat)) +
			" after iat, so your clock leads by about " + seconds(lead) + zoneHint(lead) + "."
		o.fix = "Synchronise the client's clock (NTP)."
	case isDefaultLifetime(ahead, a.behaviour.Skew):
		o.fix = "Set the lifetime yourself, exp = now + 240: libraries often default to " +
			seconds(ahead.Round(time.Minute)) + "."
	default:
		o.fix = "Set exp = now + 240, in seconds since 1970."
	}
	return o
}

// isDefaultLifetime recognises the lifetimes that JWT libraries choose.
func isDefaultLifetime(d, skew time.Duration) bool {
	for _, usual := range []time.Duration{10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
		2 * time.Hour, 24 * time.Hour} {
		if (d - usual).Abs() <= max(skew, 5*time.Second) {
			return true
		}
	}
	return false
}

// zoneHint recognises a difference of whole or half hours: local time taken
// for UTC.
func zoneHint(d time.Duration) string {
	d = d.Abs()
	const half = 30 * time.Minute
	near := d.Round(half)
	if near < half || near > 14*time.Hour || (d-near).Abs() > 2*time.Minute {
		return ""
	}
	return " (about " + seconds(near) + ", which looks like a time zone: is local time taken for UTC?)"
}

func (a *attempt) noExpiry() outcome {
	now, most := a.assertionTime, seconds(a.behaviour.MaxAssertion)
	return outcome{finding: "C07", got: "absent", want: "seconds since 1970, at most " + most + " ahead",
		text: "The assertion has no exp.",
		fix: "Set exp to now plus at most " + most + ", in seconds since 1970, for example " +
			unix(now.Add(240*time.Second)) + "; the server's time is " + unix(now) + "."}
}

func (a *attempt) expiryNoNumber() outcome {
	got := a.jws.claims.show("exp")
	return outcome{finding: "C07", got: got,
		want: "seconds since 1970, at most " + seconds(a.behaviour.MaxAssertion) + " ahead",
		text: "exp is " + got + ", which is no JSON number.",
		fix: "Write it without quotation marks: seconds since 1970, for example " +
			unix(a.assertionTime.Add(240*time.Second)) + "."}
}

func (a *attempt) expiredWithinSkew(late time.Duration) outcome {
	now := a.assertionTime
	return outcome{finding: "C08", got: a.jws.claims.show("exp"), want: "after " + unix(now),
		text: "exp was " + seconds(late) + " ago by the server's time " + stamp(now) +
			". It passed only because " + seconds(a.behaviour.Skew) + " of clock difference are tolerated.",
		fix: "Synchronise the client's clock (NTP), or set exp = now + 240."}
}

func (a *attempt) lifetimeWithinSkew(ahead time.Duration) outcome {
	return outcome{finding: "C10", got: seconds(ahead) + " ahead", want: "at most " + seconds(a.behaviour.MaxAssertion),
		text: "exp is " + seconds(ahead) + " ahead: " + seconds(a.behaviour.MaxAssertion) +
			" and your clock's lead of about " + seconds(ahead-a.behaviour.MaxAssertion) +
			". It passed only because " + seconds(a.behaviour.Skew) + " of clock difference are tolerated; a " +
			"server without such tolerance refuses it.",
		fix: "Set exp = now + 240 to stay safe."}
}

func noIssuedAt() outcome {
	return outcome{finding: "C13", got: "absent", want: "now, in seconds since 1970",
		text: "The assertion has no iat, which this server's behaviour requires, as some payers do (SMART does not).",
		fix:  "Add iat = now."}
}

func (a *attempt) issuedLongAgo(iat float64) outcome {
	age := time.Duration(math.Min(secondsOf(a.assertionTime)-iat, float64(1<<33))) * time.Second
	return outcome{finding: "C08", got: seconds(age) + " old", want: "at most " + seconds(a.behaviour.MaxIssuedAge),
		text: "The assertion says it was issued " + seconds(age) + " ago (iat " + a.jws.claims.show("iat") +
			"; the server's time is " + unix(a.assertionTime) + ").",
		fix: "Build a new assertion for every token request, with iat = now. If you did, your clock is behind" +
			zoneHint(age) + ": synchronise it (NTP)."}
}

func (a *attempt) noNumber(name string) outcome {
	got := a.jws.claims.show(name)
	o := outcome{got: got, want: "a number", text: name + " is " + got + ", which is no JSON number.",
		fix: "Write seconds since 1970 without quotation marks, or leave it out."}
	if a.jws.claims.kind(name) == jsontext.Kind('n') {
		o.text, o.fix = name+" is null.", "Write seconds since 1970, or leave it out."
	}
	return o
}
