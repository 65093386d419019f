package authz

// BuildScopes returns the scopes that give the letters on a type, in the syntax
// of version 1 or 2. In version 1 reading and searching are one word, and so are
// creating, updating and deleting, so that a part of either gives the whole
// (SMART App Launch 2.2, scopes-and-launch-context, Scopes for requesting FHIR
// Resources). Without letters there are no scopes.
func BuildScopes(version int, typ string, letters Letters) Scopes {
	if letters == 0 {
		return nil
	}
	s := Scope{Type: typ, Letters: letters, V1: version == 1}
	if s.V1 {
		for _, whole := range []Letters{Read | Search, Create | Update | Delete} {
			if letters&whole != 0 {
				s.Letters |= whole
			}
		}
	}
	return Scopes{s}
}
