package authz

// Remedy says what code can show how to do it right, and which of its values
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

// remedyFor returns what helps against a mistake that a rule found. What a
// mistake in a registration comes to is another registration, unless it is the
// key that is no good.
func remedyFor(rule *Rule, finding string) RemedyKind {
	switch finding {
	case "A17", "A20", "A22", "L05":
		return RemedyNewKey
	case "A13", "A18", "A19", "A21", "A23", "J03", "J04":
		return RemedyKeySet
	case "J01", "J02", "J09":
		return RemedyFetch
	case "J08":
		return RemedyRegistration
	case "C08", "C10", "C12":
		return RemedyClock
	case "L03", "D01", "S13":
		return RemedyNone
	case "D06":
		return RemedyRegistration
	}
	switch rule.Part {
	case PartForm, PartGrantType, PartCaller, PartToken, PartTokenOwner:
		return RemedyForm
	case PartSecret, PartSecretMatch:
		return RemedySecret
	case PartScope, PartAccess:
		return RemedyScope
	case PartBearer:
		return RemedyBearer
	case PartInitialToken, PartManagementBody, PartRegistration:
		return remedyOfRegistration(rule, finding)
	case PartManagement:
		return RemedyManagement
	}
	switch rule.ID {
	case rules[ruleOneMechanism].ID:
		return RemedyForm
	case rules[ruleKeySet].ID, rules[ruleKeyUsable].ID:
		return RemedyKeySet
	}
	if finding == "A05" {
		return RemedyForm
	}
	return RemedyAssertion
}

func remedyOfRegistration(rule *Rule, finding string) RemedyKind {
	switch {
	case finding == "A14":
		return RemedyNewKey
	case rule.ID == rules[ruleRegisterKeySet].ID:
		return RemedyKeySet
	}
	return RemedyRegistration
}
