package authz

import (
	"slices"
	"strings"
)

// scopes decides what the client gets of what it asks (SMART App Launch 2.2,
// backend-services, Evaluate requested access): the requested part of the
// registered scopes.
func (a *attempt) scopes() (Scopes, *Error) {
	if !slices.Contains(a.client.Grants, GrantClientCredentials) {
		return nil, a.refuse(ruleClientGrant, CodeUnauthorizedClient, a.otherGrants())
	}
	a.checks.pass(ruleClientGrant, GrantClientCredentials)
	registered := a.client.Scopes
	text := a.form["scope"]
	words := strings.Fields(text)
	if len(words) == 0 {
		return a.defaultScopes(registered)
	}
	a.checks.pass(ruleScopePresent, text)
	requested, dropped, err := a.requestedScopes(words)
	if err != nil {
		return nil, err
	}
	requested, expanded := a.behaviour.expandWildcard(requested)
	granted := negotiate(requested, registered)
	if len(granted) == 0 {
		return nil, a.refuse(ruleScopeGranted, CodeInvalidScope, a.nothingGranted(text, dropped))
	}
	if a.req.Within != nil {
		if part := negotiate(granted, a.req.Within); len(part) > 0 {
			granted = part
		}
	}
	missing := append(shortfall(requested, granted), dropped...)
	switch {
	case len(missing) > 0 && a.behaviour.RefuseSuperset:
		return nil, a.refuse(ruleScopeGranted, CodeInvalidScope, a.supersetRefused(missing, granted))
	case len(missing) > 0:
		a.checks.warn(ruleScopeGranted, a.partGranted(missing, granted))
	case expanded:
		a.checks.warn(ruleScopeGranted, a.behaviour.wildcardExpanded(text, granted))
	default:
		a.checks.pass(ruleScopeGranted, granted.String())
	}
	return granted, nil
}

// requestedScopes reads the words. Scopes that belong to apps with a user are
// passed over; dropped says which and why.
func (a *attempt) requestedScopes(words []string) (requested Scopes, dropped []string, refused *Error) {
	for _, word := range words {
		if why := ungrantable(word); why != "" {
			dropped = append(dropped, clip(word)+" ("+why+")")
			continue
		}
		scope, err := a.server.checkScope(word)
		if err == nil {
			requested = append(requested, scope)
			continue
		}
		bad := scopeError(word, err)
		if whole := strings.Join(words, " "); bad.Finding == "S04" && !strings.Contains(whole, "?") {
			bad = scopeSeparators(whole, whole) // shows the list mended as a whole
		}
		if a.behaviour.DropBadScopes {
			dropped = append(dropped, clip(word)+" (not well-formed)")
			continue
		}
		return nil, nil, a.refuse(ruleScopeSyntax, CodeInvalidScope, a.badScope(bad, words))
	}
	a.checks.pass(ruleScopeSyntax, plural(len(words), "scope"))
	return requested, dropped, nil
}

// defaultScopes deals with a request without scope: refused, or all of the
// registration where the behaviour says so.
func (a *attempt) defaultScopes(registered Scopes) (Scopes, *Error) {
	if !a.behaviour.DefaultScopes || len(registered) == 0 {
		return nil, a.refuse(ruleScopePresent, CodeInvalidScope, a.noScope())
	}
	a.checks.warn(ruleScopePresent, a.allScopes())
	a.checks.pass(ruleScopeSyntax, "")
	granted, expanded := a.behaviour.expandWildcard(registered)
	a.checks.pass(ruleScopeGranted, granted.String())
	if expanded {
		granted = factor(granted)
		a.checks.warn(ruleScopeGranted, a.behaviour.wildcardExpanded(registered.String(), granted))
	}
	return granted, nil
}

// expandWildcard replaces system/*.read in a request by the types that the
// behaviour lets it stand for. v2 scopes and registered scopes keep their
// meaning.
func (b Behaviour) expandWildcard(scopes Scopes) (Scopes, bool) {
	isWildcard := func(s Scope) bool {
		return s.V1 && s.Type == AnyType && s.Letters == Read|Search && len(s.Query) == 0
	}
	if len(b.WildcardRead) == 0 || !slices.ContainsFunc(scopes, isWildcard) {
		return scopes, false
	}
	var expanded Scopes
	for _, s := range scopes {
		if !isWildcard(s) {
			expanded = append(expanded, s)
			continue
		}
		for _, typ := range b.WildcardRead {
			s.Type = typ
			expanded = append(expanded, s)
		}
	}
	return expanded, true
}

// negotiate returns the part of the requested scopes that is registered. Each
// keeps the syntax in which it was asked for, if that can express what
// remains.
func negotiate(requested, registered Scopes) Scopes {
	var granted Scopes
	for _, r := range requested {
		var parts Scopes
		for _, g := range registered {
			if part, ok := common(r, g); ok {
				parts = append(parts, part)
			}
		}
		for _, part := range factor(parts) {
			_, expressible := part.Letters.version1()
			part.V1 = r.V1 && expressible && len(part.Query) == 0
			granted = append(granted, part)
		}
	}
	return factor(granted)
}

// common returns what two scopes both give. Where both are constrained, one
// must provably be the narrower.
func common(requested, registered Scope) (Scope, bool) {
	part := Scope{Type: requested.Type, Letters: requested.Letters & registered.Letters}
	switch {
	case part.Letters == 0:
		return Scope{}, false
	case requested.Type == registered.Type, registered.Type == AnyType:
	case requested.Type == AnyType:
		part.Type = registered.Type
	default:
		return Scope{}, false
	}
	switch {
	case requested.Query.narrows(registered.Query):
		part.Query = requested.Query
	case registered.Query.narrows(requested.Query):
		part.Query = registered.Query
	default:
		return Scope{}, false
	}
	return part, true
}

// factor joins v2 scopes of one type and constraint, and drops scopes that
// another of the same syntax covers.
func factor(scopes Scopes) Scopes {
	var joined Scopes
	for _, s := range scopes {
		i := slices.IndexFunc(joined, func(j Scope) bool {
			return !s.V1 && !j.V1 && j.Type == s.Type && j.Query.equal(s.Query)
		})
		if i < 0 {
			joined = append(joined, s)
			continue
		}
		joined[i].Letters |= s.Letters
	}
	var kept Scopes
	for i, s := range joined {
		redundant := false
		for j, other := range joined {
			if i == j || other.V1 != s.V1 || !other.covers(s) {
				continue
			}
			// Of two that cover each other the first stays.
			redundant = redundant || !s.covers(other) || j < i
		}
		if !redundant {
			kept = append(kept, s)
		}
	}
	return kept
}

// shortfall lists the requested scopes that the grant does not give whole.
func shortfall(requested, granted Scopes) []string {
	var missing []string
	for _, r := range requested {
		if !slices.ContainsFunc(granted, func(g Scope) bool { return g.covers(r) }) && !coveredByParts(r, granted) {
			missing = append(missing, r.String())
		}
	}
	return missing
}

// coveredByParts reports whether several scopes together give r.
func coveredByParts(r Scope, granted Scopes) bool {
	var letters Letters
	for _, g := range granted {
		if (g.Type == AnyType || g.Type == r.Type) && r.Query.narrows(g.Query) {
			letters |= g.Letters
		}
	}
	return letters.Has(r.Letters)
}
