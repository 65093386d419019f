package authz

// Misplaced is a request for a discovery document where there is none.
type Misplaced struct {
	Document  string // what was asked for: "SMART configuration"
	Under     string // the path that was taken for a base
	Place     string // the URL that has the document
	Requested string // the URL that was asked for
	Hint      string // a sentence about what went wrong, or ""
}

// Refusal is the 404 that says where the document is (SMART App Launch 2.2,
// conformance, Using .well-known).
func (m Misplaced) Refusal() *Error {
	l := new(checklist)
	return l.refusal(404, CodeInvalidRequest, ruleDiscovery, outcome{finding: "D01", got: m.Requested, want: m.Place,
		text: sentences("No "+m.Document+" under "+clip(m.Under)+".", m.Hint),
		fix:  "Discovery lives at " + m.Place + "; you asked " + clip(m.Requested) + "."})
}

// NoRegistration is the 404 of an environment without dynamic registration; at
// are the addresses of the one that has it.
func NoRegistration(at Addresses) *Error {
	l := new(checklist)
	return l.refusal(404, CodeInvalidRequest, ruleRegistrationOffered,
		outcome{finding: "D06", got: "no registration endpoint here",
			want:   at.RegistrationURL,
			remedy: Remedy{Environment: Sandbox},
			text:   "This payer has no dynamic registration in production.",
			fix: "Register in the sandbox at " + at.RegistrationURL + ". Production opens on approval; the " +
				"portal is at " + at.PortalURL})
}
