package authz

// Need is an interaction that scopes must allow.
type Need struct {
	Type    string
	Letters Letters
	// Doing says what the request does, as the beginning of a sentence:
	// "GET /fhir/Observation?code=1 is a search". Empty names type and letters.
	Doing string
}

// Allows returns what the token's scopes, taken together, say about an
// interaction with a type that needs all of letters; see Scopes.Allows.
func (a *Access) Allows(typ string, letters Letters) Permission {
	return a.Scopes.Allows(typ, letters)
}

// Require returns the permission for a need and the check that was made, or
// the 403 insufficient_scope that names the scope that would do (RFC 6750
// section 3.1, SB-RS-04).
func (a *Access) Require(need Need) (Permission, Check, *Error) {
	l := new(checklist)
	permission := a.Allows(need.Type, need.Letters)
	if permission.Granted {
		l.pass(ruleTokenScope, permission.By.String())
		return permission, l.check(ruleTokenScope), nil
	}
	err := a.Insufficient(need)
	return Permission{}, err.Check, err
}

// Insufficient is the refusal of an interaction that no scope allows.
func (a *Access) Insufficient(need Need) *Error {
	l := new(checklist)
	wanted := a.wouldDo(need)
	doing := need.Doing
	if doing == "" {
		doing = "The request needs " + need.Letters.String() + " on " + need.Type
	}
	o := outcome{got: a.Scopes.String(), want: wanted.String()}
	o.text = doing + "; the token's scopes are " + orNothing(a.Scopes) + "."
	o.remedy.Scope = wanted.String()
	missing := a.missing(need)
	switch {
	case need.Letters.Has(Search) && missing == Search && a.Allows(need.Type, Read).Granted:
		o.finding = "S08"
		o.text += " A search needs the letter s besides r."
		o.counterfactual = "The token would do for reading a single " + need.Type + "."
		o.fix = "Ask for " + wanted.String() + "."
	case len(a.wildcard) > 0 && (Read | Search).Has(need.Letters) && !a.mentions(need.Type) && a.readsAll(a.wildcard):
		o.finding = "S10"
		o.text = "Here system/*.read expands to " + plural(len(a.wildcard), "type") + "; " + need.Type +
			" is not one of them."
		o.fix = "Ask for " + wanted.String() + "."
	case missing == need.Letters && !a.mentions(need.Type):
		o.finding = "S11"
		o.text += " None of them covers " + need.Type + "."
		o.fix = "Ask for " + wanted.String() + ", which the client's registration must hold as well."
	default:
		o.text += " Missing: " + missing.String() + " on " + need.Type + "."
		o.fix = "Ask for " + wanted.String() + ", which the client's registration must hold as well."
	}
	e := &Error{Code: CodeInsufficientScope, Status: 403, Check: l.fail(ruleTokenScope, o)}
	e.Challenge = bearerChallenge(realmFHIR, e)
	e.Challenge.Scope = wanted.String()
	return e
}

// readsAll reports whether the scopes let read and search each of the types.
func (a *Access) readsAll(types []string) bool {
	for _, typ := range types {
		if !a.Allows(typ, Read|Search).Granted {
			return false
		}
	}
	return true
}

// missing returns the letters that the need has and no scope gives.
func (a *Access) missing(need Need) Letters {
	var missing Letters
	for i := range len(letterNames) {
		letter := Letters(1 << i)
		if need.Letters&letter != 0 && !a.Allows(need.Type, letter).Granted {
			missing |= letter
		}
	}
	return missing
}

func (a *Access) mentions(typ string) bool {
	for _, s := range a.Scopes {
		if s.Type == typ || s.Type == AnyType {
			return true
		}
	}
	return false
}

// wouldDo is the scope that would satisfy the need, in v1 if all of the
// token's scopes are.
func (a *Access) wouldDo(need Need) Scope {
	s := Scope{Type: need.Type, Letters: need.Letters}
	if len(a.Scopes) == 0 {
		return s
	}
	for _, held := range a.Scopes {
		if !held.V1 {
			return s
		}
	}
	for _, words := range []Letters{Read | Search, Create | Update | Delete, Create | Read | Update | Delete | Search} {
		if words.Has(need.Letters) {
			return Scope{Type: need.Type, Letters: words, V1: true}
		}
	}
	return s
}
