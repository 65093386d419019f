package authz

import "slices"

// Withheld returns a warning about the types of an export that were left out,
// instead of refused, because no scope covers them.
func (a *Access) Withheld(types []string) Check {
	l := new(checklist)
	var wanted Scopes
	for _, typ := range types {
		wanted = append(wanted, a.wouldDo(Need{Type: typ, Letters: Read | Search}))
	}
	l.warn(ruleTokenScope, outcome{finding: "S11", got: a.Scopes.String(), want: wanted.String(),
		text: "_type names " + list(types) + ", and the token has no read scope for " + pronoun(len(types)) +
			". This server's behaviour exports the rest; a strict server refuses the request.",
		fix: "Ask for " + wanted.String() + ", which the client's registration must hold as well, or " +
			"leave the type out. Compare the types of the manifest with those that you asked for.",
		remedy: Remedy{Scope: wanted.String()}})
	return l.check(ruleTokenScope)
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// RequireV1 is Require at a server that takes only v1 scopes there, although
// those of v2 mean the same.
func (a *Access) RequireV1(typ string) *Error {
	first := *a
	first.Scopes = slices.DeleteFunc(slices.Clone(a.Scopes), func(s Scope) bool { return !s.V1 })
	if first.Allows(typ, Read|Search).Granted {
		return nil
	}
	l := new(checklist)
	wanted := Scope{Type: typ, Letters: Read | Search, V1: true}.String()
	o := outcome{finding: "S12", got: a.Scopes.String(), want: wanted,
		text: "The file needs " + wanted + "; the token's scopes are " + a.Scopes.String() +
			". This server's behaviour takes scopes of the first version only for files, as some servers do.",
		fix:    "Ask for " + wanted + " besides.",
		remedy: Remedy{Scope: wanted}}
	if by := a.Allows(typ, Read|Search); by.Granted {
		o.counterfactual = by.By.String() + " means the same: at other servers the token would do."
	}
	e := &Error{Code: CodeInsufficientScope, Status: 403, Check: l.fail(ruleTokenScope, o)}
	e.Challenge = bearerChallenge(realmFHIR, e)
	e.Challenge.Scope = wanted
	return e
}
