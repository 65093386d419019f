package authz

import (
	"math"
	"slices"
	"strings"
	"time"
)

func compareClaims(g, w *looseJWS) []Difference {
	var differences []Difference
	for _, name := range names(g.claims, w.claims, usualClaims()...) {
		d := compareMember(InClaims, g.claims, w.claims, name)
		switch name {
		case "iss", "sub":
		case "aud":
			compareAudiences(&d, g.claims, w.claims)
		case "iat", "nbf", "exp":
			compareTimes(&d, g.claims, w.claims)
		case "jti":
			compareJTIs(&d, g)
		default:
			if d.Kind != Same {
				d.How, d.Matters = "unknown to SMART; servers pass over it (RFC 7519 section 4)", false
			}
		}
		differences = append(differences, d)
	}
	return differences
}

func compareAudiences(d *Difference, g, w members) {
	want, isText := w.text("aud")
	if d.Kind != Changed || !isText {
		return
	}
	if got, ok := g.text("aud"); ok {
		if how := nearlyEqual(got, want); how != "" {
			d.How = "differs only by " + how
		}
		return
	}
	if got, ok := g.texts("aud"); ok && slices.Contains(got, want) {
		d.How, d.Matters = "the same one within an array, which some servers do not take", false
	}
}

// compareTimes compares what times mean: how long an assertion lives, and
// whether they are seconds. The times of two assertions always differ, so
// that alone does not matter.
func compareTimes(d *Difference, g, w members) {
	d.Got, d.Want = showTime(d.Got, g, d.Name), showTime(d.Want, w, d.Name)
	got, gotNumber := g.numericDate(d.Name)
	want, wantNumber := w.numericDate(d.Name)
	switch {
	case d.Kind == Same:
	case d.Kind == Missing && d.Name != "exp", d.Kind == Extra && gotNumber && got <= lastSecond:
		d.How, d.Matters = "it is optional", false
	case d.Kind != Changed || !gotNumber || !wantNumber:
	case got > lastSecond && want <= lastSecond:
		d.How = "too large to be seconds since 1970: milliseconds?"
	default:
		d.How, d.Matters = apart(got, want), false
		if d.Name == "exp" {
			compareLifetimes(d, g, w)
		}
	}
}

// compareLifetimes judges exp by its distance from iat, where there is one.
func compareLifetimes(d *Difference, g, w members) {
	got, ok := lifetimeOf(g)
	want, wantOK := lifetimeOf(w)
	limit := Strict().MaxAssertion
	switch {
	case !ok || !wantOK:
	case got <= 0 && want > 0:
		d.How, d.Matters = "not after iat", true
	case got > limit && want <= limit:
		d.How = "a lifetime of " + seconds(got) + " instead of " + seconds(want) +
			"; at most " + seconds(limit) + " are allowed"
		d.Matters = true
	}
}

func lifetimeOf(m members) (time.Duration, bool) {
	iat, ok := m.numericDate("iat")
	exp, also := m.numericDate("exp")
	return gap(exp - iat), ok && also && iat <= lastSecond && exp <= lastSecond
}

// apart says how far apart two times are.
func apart(got, want float64) string {
	switch d := gap(got - want); {
	case d > 0:
		return seconds(d) + " later"
	case d < 0:
		return seconds(d) + " earlier"
	}
	return "the same second, written otherwise"
}

// showTime adds the date and time that a NumericDate means.
func showTime(shown string, m members, name string) string {
	value, ok := m.numericDate(name)
	if shown == "" || !ok || math.Abs(value) > lastSecond {
		return shown
	}
	shown += ", " + stamp(instant(value))
	if life, ok := lifetimeOf(m); ok && name == "exp" {
		if shown += ", " + seconds(life) + " after iat"; life < 0 {
			shown = strings.TrimSuffix(shown, "after iat") + "before iat"
		}
	}
	return shown
}

func compareJTIs(d *Difference, g *looseJWS) {
	got, ok := g.claims.text("jti")
	switch {
	case d.Kind == Changed && ok && got != "":
		d.How, d.Matters = "a new one for every assertion, as it has to be", false
	case d.Kind == Same && !g.identical:
		d.How, d.Matters = "the same one: whichever assertion is sent second is a replay", true
	}
}

// compareEncodings lists the oddities that only one of the two has.
func compareEncodings(g, w *looseJWS) []Difference {
	var differences []Difference
	for _, o := range g.oddities {
		if !slices.Contains(w.oddities, o) {
			differences = append(differences, Difference{Part: InEncoding, Name: o.name, Kind: Extra,
				How: o.how, Matters: o.matters})
		}
	}
	for _, o := range w.oddities {
		if !slices.Contains(g.oddities, o) {
			differences = append(differences, Difference{Part: InEncoding, Name: o.name, Kind: Missing,
				How: o.how, Matters: o.matters})
		}
	}
	if len(g.signature) == 0 || len(w.signature) == 0 {
		return differences
	}
	d := Difference{Part: InEncoding, Name: "signature", Kind: Same, Got: signatureForm(g), Want: signatureForm(w)}
	const asn1 = " of ASN.1" // whose length varies from signature to signature
	if d.Got != d.Want && !(strings.HasSuffix(d.Got, asn1) && strings.HasSuffix(d.Want, asn1)) {
		d.Kind, d.How, d.Matters = Changed, "of another form or size", true
	}
	return append(differences, d)
}

// signatureForm tells an ASN.1 signature from r and s side by side.
func signatureForm(j *looseJWS) string {
	alg, _ := j.header.text("alg")
	text := plural(len(j.signature), "byte")
	if kty, _ := keyType(alg); kty == "EC" && j.signature[0] == 0x30 {
		if _, ok := rawSignature(j.signature, len(j.signature)); ok {
			text += " of ASN.1"
		}
	}
	return text
}
