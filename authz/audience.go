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
	audiences, ok := a.jws.claims.texts("aud")
	if a.behaviour.DenyAudienceArray && a.jws.claims.kind("aud") == '[' {
		return a.refuseClient(ruleAudience, a.audienceArray(len(audiences)))
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
		a.checks.warn(ruleAudience, a.audienceTaken(kind))
		return nil
	}
	switch {
	case a.jws.claims.kind("aud") == 0:
		return a.refuseClient(ruleAudience, a.noAudience())
	case !ok:
		return a.refuseClient(ruleAudience, a.audienceNoString())
	}
	return a.refuseClient(ruleAudience, a.diagnoseAudience(audiences))
}

// theTokenEndpoint is how a diagnosis names it.
const theTokenEndpoint = "the token endpoint"

// Audience is the URL that a client is best told to use as aud.
func (b Behaviour) Audience(addresses Addresses) string {
	uri, _ := b.audience(addresses)
	return uri
}

// audience is Audience with the name of that URL.
func (b Behaviour) audience(addresses Addresses) (uri, name string) {
	for _, kind := range b.Audiences {
		switch kind {
		case AudienceIssuer:
			uri, name = addresses.Issuer, "the issuer"
		case AudienceFHIRBase:
			uri, name = addresses.FHIRBase, "the FHIR base"
		default:
			return addresses.TokenURL, theTokenEndpoint
		}
	}
	return uri, name
}

// lenientAudience says, in words, which switch takes one of the audiences; ""
// if none does.
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
