package authz

import "slices"

// Remedy says which code shows how to do it right, and which of its values
// the diagnosis knows better than the request.
type Remedy struct {
	Kind RemedyKind
	// ClientID is the client that was probably meant; "" is the one that the
	// request names.
	ClientID string
	// Environment is where the request belongs; "" is where it was made.
	Environment string
	// KeyID and Algorithm are those of the key that signed; "" leaves them to
	// what the client has registered.
	KeyID, Algorithm string
	// Scope is what to ask for; "" is what the request asks for.
	Scope string
}

// RemedyKind says what the code does.
type RemedyKind string

// The kinds of remedies.
const (
	RemedyNone         RemedyKind = "none"         // what is wrong is not in the code
	RemedyAssertion    RemedyKind = "assertion"    // sign an assertion and ask for a token
	RemedyForm         RemedyKind = "form"         // post the form as it has to be
	RemedyScope        RemedyKind = "scope"        // the same, with scopes that would be granted
	RemedySecret       RemedyKind = "secret"       // send the secret
	RemedyNewKey       RemedyKind = "new-key"      // make a key pair and its public key set
	RemedyKeySet       RemedyKind = "key-set"      // write the public key set of the key that there is
	RemedyFetch        RemedyKind = "fetch"        // fetch the key set as the server does
	RemedyClock        RemedyKind = "clock"        // compare the clocks
	RemedyBearer       RemedyKind = "bearer"       // use the access token at the FHIR server
	RemedyRegistration RemedyKind = "registration" // register the client
	RemedyManagement   RemedyKind = "management"   // read the registration with its own token
)

// RemedyOf returns the code that helps against a finding of a rule; RemedyNone
// where neither is known.
func RemedyOf(id RuleID, finding FindingID) RemedyKind {
	rule := Rule{remedy: RemedyNone}
	if i := slices.IndexFunc(rules[:], func(r Rule) bool { return r.ID == id }); i >= 0 {
		rule = rules[i]
	}
	return remedyFor(&rule, finding)
}

// remedyFor returns what helps against a finding of a rule: what the finding
// asks for, else the rule, else the part that the rule belongs to.
func remedyFor(rule *Rule, finding FindingID) RemedyKind {
	if i := slices.IndexFunc(findings[:], func(f Finding) bool { return f.ID == finding }); i >= 0 &&
		findings[i].Remedy != "" {
		return findings[i].Remedy
	}
	if rule.remedy != "" {
		return rule.remedy
	}
	switch rule.Part {
	case PartForm, PartGrantType, PartToken, PartTokenOwner:
		return RemedyForm
	case PartSecret, PartSecretMatch:
		return RemedySecret
	case PartScope, PartAccess:
		return RemedyScope
	case PartBearer, PartCaller:
		return RemedyBearer
	case PartInitialToken, PartManagementBody, PartRegistration:
		return RemedyRegistration
	case PartManagement:
		return RemedyManagement
	}
	return RemedyAssertion
}
