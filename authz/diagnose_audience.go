package authz

import (
	"net/url"
	"sort"
	"strings"
)

// diagnoseAudience explains the audience that comes closest.
func (a *attempt) diagnoseAudience(audiences []string) outcome {
	want, name := a.behaviour.audience(a.req.Addresses)
	best, rank := outcome{}, -1
	for _, aud := range audiences {
		if o, r := a.explainAudience(aud, want, name); r > rank {
			best, rank = o, r
		}
	}
	if len(audiences) == 0 {
		best = outcome{finding: "C03",
			text: "aud is an empty array.",
			fix:  "Set aud to " + name + "'s URL, " + want + "."}
	} else if len(audiences) > 1 {
		best.text = "None of the " + itoa(len(audiences)) + " values of aud is " + name + ". " + best.text
	}
	best.got, best.want = a.jws.claims.show("aud"), want
	return best
}

// explainAudience says what a wrong audience is, and how close it comes.
func (a *attempt) explainAudience(aud, want, name string) (o outcome, rank int) {
	if how := nearlyEqual(aud, want); how != "" {
		return outcome{finding: "C04",
			text: "aud is " + quote(aud) + "; it differs from " + want + " only by " + how +
				". The comparison is byte for byte (RFC 7523 section 3, RFC 3986 section 6.2.1).",
			fix: "Use the URL exactly as discovery gives it: " + want + "."}, 4
	}
	if kind, finding := a.ownAddress(aud); kind != "" {
		return outcome{finding: finding,
			text: "aud is " + quote(aud) + ", " + kind + ".",
			fix:  "Set aud to " + name + " here, " + want + "."}, 3
	}
	if how := aliasOf(aud, want); how != "" && name == theTokenEndpoint {
		return outcome{finding: "C05",
			text: "aud is " + quote(aud) + ", which is this server's token endpoint under another address (" +
				how + "). As you called it, the URL is " + want + ".",
			fix: "Take the token URL from discovery at the address that you call. If the server stands " +
				"behind a proxy, start it with --base-url."}, 2
	}
	here := " of the server that you call"
	if name == theTokenEndpoint {
		here = " that you post to"
	}
	parsed, err := url.Parse(aud)
	if err != nil || parsed.Scheme == "" || parsed.Host == "" {
		return outcome{finding: "C03",
			text: "aud is " + quote(aud) + ", which is no URL.",
			fix:  "Set aud to " + name + "'s URL, " + want + "."}, 0
	}
	return outcome{finding: "C03", text: "aud is " + quote(aud) + ", which is none of this server's URLs.",
		fix: "Set aud to " + name + here + ", " + want + ", as discovery gives it. Is the aud of another " +
			"server configured?"}, 1
}

// nearlyEqual names a difference that is easy to overlook.
func nearlyEqual(got, want string) string {
	switch {
	case strings.TrimSpace(got) == want:
		return "white space around it"
	case got == want+"/":
		return "the slash at its end"
	case got+"/" == want:
		return "the missing slash at its end"
	case strings.EqualFold(got, want):
		return "upper and lower case"
	case withoutDoubleSlashes(got) == want:
		return "a doubled slash"
	case withoutDoubleSlashes(strings.TrimSuffix(got, "/")) == want:
		return "slashes"
	}
	if unescaped, err := url.PathUnescape(got); err == nil && unescaped == want {
		return "percent-encoding"
	}
	if base, _, found := strings.Cut(got, "?"); found && base == want {
		return "its query string"
	}
	if base, _, found := strings.Cut(got, "#"); found && base == want {
		return "its fragment"
	}
	return ""
}

func withoutDoubleSlashes(uri string) string {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found {
		return uri
	}
	for strings.Contains(rest, "//") {
		rest = strings.ReplaceAll(rest, "//", "/")
	}
	return scheme + "://" + rest
}

// ownAddress says which other URL of this server, or of the workspace's other
// environments, aud is.
func (a *attempt) ownAddress(aud string) (kind string, finding FindingID) {
	if kind := addressKind(a.req.Addresses, aud); kind != "" {
		return "this server's " + kind + " URL", "C03"
	}
	names := make([]string, 0, len(a.req.Addresses.Other))
	for name := range a.req.Addresses.Other {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if kind := addressKind(a.req.Addresses.Other[name], aud); kind != "" {
			return "the " + kind + " URL of " + name + ", and you called " + a.server.env.Name, "C03"
		}
	}
	return "", ""
}

// addressKind names which of the addresses uri is; a slash at its end does
// not count.
func addressKind(addresses Addresses, uri string) string {
	for _, known := range []struct{ kind, uri string }{
		{"token", addresses.TokenURL},
		{"issuer", addresses.Issuer},
		{"FHIR base", addresses.FHIRBase},
		{"revocation", addresses.RevocationURL},
		{"introspection", addresses.IntrospectionURL},
		{"registration", addresses.RegistrationURL},
		{"JWKS", addresses.JWKSURL},
		{"smart-configuration", addresses.FHIRBase + "/.well-known/smart-configuration"},
	} {
		if known.uri != "" && strings.TrimSuffix(uri, "/") == strings.TrimSuffix(known.uri, "/") {
			return known.kind
		}
	}
	return ""
}

// aliasOf says how the address differs, if the path is the token endpoint's.
func aliasOf(got, want string) string {
	g, err := url.Parse(got)
	if err != nil || g.Host == "" {
		return ""
	}
	w, err := url.Parse(want)
	if err != nil || strings.TrimSuffix(g.Path, "/") != w.Path {
		return ""
	}
	var parts []string
	if g.Scheme != w.Scheme {
		parts = append(parts, g.Scheme+" instead of "+w.Scheme)
	}
	if g.Hostname() != w.Hostname() {
		parts = append(parts, "host "+clip(g.Hostname())+" instead of "+w.Hostname())
	}
	if g.Port() != w.Port() {
		parts = append(parts, "port "+portName(g)+" instead of "+portName(w))
	}
	return list(parts)
}

func portName(u *url.URL) string {
	if u.Port() == "" {
		return "none"
	}
	return u.Port()
}

func (a *attempt) audienceArray(n int) outcome {
	want, got := a.behaviour.Audience(a.req.Addresses), a.jws.claims.show("aud")
	return outcome{finding: "C06", got: got, want: want,
		text: "aud is an array of " + itoa(n) + "; this server's behaviour takes one string, as some payers " +
			"do (RFC 7519 section 4.1.3 allows an array).",
		fix: "Set aud to the string " + want + "."}
}

func (a *attempt) audienceTaken(kind string) outcome {
	got := a.jws.claims.show("aud")
	return outcome{finding: "C03", got: got, want: a.req.Addresses.TokenURL,
		text: "aud is " + got + ", which this server's behaviour lets pass (" + kind +
			"); a strict server wants the token endpoint.",
		fix: "Set aud to " + a.req.Addresses.TokenURL + "."}
}

func (a *attempt) noAudience() outcome {
	want, name := a.behaviour.audience(a.req.Addresses)
	return outcome{finding: "C03", got: "absent", want: want,
		text: "The assertion has no aud.",
		fix:  "Set aud to " + name + "'s URL, " + want + ", as discovery gives it."}
}

func (a *attempt) audienceNoString() outcome {
	want, got := a.behaviour.Audience(a.req.Addresses), a.jws.claims.show("aud")
	return outcome{finding: "C03", got: got, want: want,
		text: "aud is " + got + "; it must be a string, or an array of strings.",
		fix:  "Set aud to " + want + "."}
}
