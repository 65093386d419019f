package authz

import (
	"context"
	"slices"
	"strings"
)

// audience checks that aud is, or contains, the token endpoint's URL as this
// request addressed the server, byte for byte (RFC 7523 section 3 item 3), or
// what the behaviour takes for it.
func (a *attempt) audience(context.Context) *Error {
	want, name := a.behaviour.audience(a.req.Addresses)
	audiences, ok := a.jws.claims.texts("aud")
	got := a.jws.claims.show("aud")
	if a.behaviour.DenyAudienceArray && a.jws.claims.kind("aud") == '[' {
		return a.refuseClient(ruleAudience, outcome{finding: "C06", got: got, want: want,
			text: "aud is an array of " + itoa(len(audiences)) + "; this server's behaviour takes one string, as some payers do (RFC 7519 section 4.1.3 allows an array).", fix: "Set aud to the string " + want + "."})
	}
	if a.behaviour.takesAudience(AudienceToken) {
		accepted := []string{a.req.Addresses.TokenURL, a.endpointURL()}
		for _, aud := range audiences {
			if aud != "" && slices.Contains(accepted, aud) {
				a.checks.pass(ruleAudience, aud)
				return nil
			}
		}
	}
	if kind := a.lenientAudience(audiences); kind != "" {
		a.checks.warn(ruleAudience, outcome{finding: "C03", got: got, want: a.req.Addresses.TokenURL,
			text: "aud is " + got + ", which this server's behaviour lets pass (" + kind + "); a strict server wants the token endpoint.", fix: "Set aud to " + a.req.Addresses.TokenURL + "."})
		return nil
	}
	switch {
	case a.jws.claims.kind("aud") == 0:
		return a.refuseClient(ruleAudience, outcome{finding: "C03", got: "absent", want: want,
			text: "The assertion has no aud.", fix: "Set aud to " + name + "'s URL, " + want + ", as discovery gives it."})
	case !ok:
		return a.refuseClient(ruleAudience, outcome{finding: "C03", got: got, want: want,
			text: "aud is " + got + "; it must be a string, or an array of strings.", fix: "Set aud to " + want + "."})
	}
	return a.refuseClient(ruleAudience, a.diagnoseAudience(audiences, want, name))
}

const tokenEndpoint = "the token endpoint"

// Audience is the URL that a client is best told to use as aud.
func (b Behaviour) Audience(addresses Addresses) string {
	uri, _ := b.audience(addresses)
	return uri
}

// audience is Audience, and what that URL is.
func (b Behaviour) audience(addresses Addresses) (uri, name string) {
	for _, kind := range b.Audiences {
		switch kind {
		case AudienceIssuer:
			uri, name = addresses.Issuer, "the issuer"
		case AudienceFHIRBase:
			uri, name = addresses.FHIRBase, "the FHIR base"
		default:
			return addresses.TokenURL, tokenEndpoint
		}
	}
	return uri, name
}

// lenientAudience returns which switch takes one of the audiences, or "".
func (a *attempt) lenientAudience(audiences []string) string {
	if a.behaviour.takesAudience(AudienceAny) {
		return "aud is not looked at"
	}
	token := a.req.Addresses.TokenURL
	for _, aud := range audiences {
		switch {
		case aud == "":
		case a.behaviour.takesAudience(AudienceIssuer) && aud == a.req.Addresses.Issuer:
			return "the issuer is taken"
		case a.behaviour.takesAudience(AudienceFHIRBase) && aud == a.req.Addresses.FHIRBase:
			return "the FHIR base is taken"
		case a.behaviour.takesAudience(AudienceSlash) && strings.TrimSuffix(aud, "/") == strings.TrimSuffix(token, "/"):
			return "a slash at the end is passed over"
		case a.behaviour.takesAudience(AudienceScheme) && withoutScheme(aud) == withoutScheme(token):
			return "http and https are not told apart"
		}
	}
	return ""
}

func withoutScheme(uri string) string {
	_, rest, found := strings.Cut(uri, "://")
	if !found {
		return uri
	}
	return rest
}
