package authz

import (
	"errors"
	"slices"
	"strings"
)

// CheckScopes reads a list of scopes and checks types and search parameters
// as well. Its errors are *ScopeError.
func (s *Server) CheckScopes(text string) (Scopes, error) {
	var scopes Scopes
	for _, word := range strings.Fields(text) {
		scope, err := s.checkScope(word)
		if err != nil {
			return nil, err
		}
		scopes = append(scopes, scope)
	}
	return scopes, nil
}

// checkScope reads one scope and checks what the syntax cannot tell.
func (s *Server) checkScope(word string) (Scope, error) {
	scope, err := ParseScope(word)
	if err != nil {
		return Scope{}, err
	}
	if scope.Type != AnyType && !s.isResourceType(scope.Type) {
		return Scope{}, s.unknownType(word, scope)
	}
	if !s.behaviour.takesScopeVersion(scope.version()) {
		return Scope{}, otherVersion(word, scope)
	}
	for _, p := range scope.Query {
		if text, fix := s.unknownParameter(scope.Type, p.Name); text != "" {
			return Scope{}, &ScopeError{Scope: word, Text: "The scope " + quote(word) + " " + text + ".", Fix: fix}
		}
	}
	if len(scope.Query) > 0 {
		if err := s.checkConstraint(scope.Type, scope.Query.String()); err != nil {
			return Scope{}, &ScopeError{Scope: word, Text: "The scope " + quote(word) + " has a constraint that no search could be made with: " + strings.TrimSuffix(clip(err.Error()), ".") + ".",
				Fix: "Try the constraint as a search of the type first."}
		}
	}
	return scope, nil
}

// scopeError returns err as the ScopeError that it is.
func scopeError(word string, err error) *ScopeError {
	var bad *ScopeError
	if !errors.As(err, &bad) {
		bad = &ScopeError{Scope: word, Text: err.Error()}
	}
	return bad
}

// otherVersion explains a scope in a syntax that is switched off.
func otherVersion(word string, scope Scope) *ScopeError {
	e := &ScopeError{Scope: word, Finding: "S03"}
	e.Text = quote(word) + " is a SMART v" + itoa(scope.version()) + " scope; this server takes v" + itoa(3-scope.version()) + " only."
	_, expressible := scope.Letters.version1()
	if scope.V1 || expressible && len(scope.Query) == 0 {
		scope.V1 = !scope.V1
		e.Meant = scope.String()
		e.Fix = "Ask for " + e.Meant + "."
	} else {
		e.Fix = "Ask for read, write or * without a constraint: v1 has no other."
	}
	return e
}

// unknownParameter says what is wrong with a constraint's parameter, and what
// to do; "" if it is known.
func (s *Server) unknownParameter(typ, name string) (text, fix string) {
	switch {
	case slices.Contains(commonParameters(), name):
		return "", ""
	case typ == AnyType:
		return "constrains all types by " + quote(name) + ", which not every type has", "Name the type; for * there are " + list(commonParameters()) + "."
	case s.searchParameter(typ, name):
		return "", ""
	}
	return "constrains by " + quote(name) + ", which is no search parameter of " + typ, "Take a search parameter that the CapabilityStatement lists for " + typ + "."
}

// unknownType explains a type that does not exist; a spelling that does is
// offered.
func (s *Server) unknownType(word string, scope Scope) *ScopeError {
	e := &ScopeError{Scope: word, Text: "The scope " + quote(word) + " names " + quote(scope.Type) + ", which is no FHIR R4 resource type.",
		Fix: "Name a type as FHIR R4 spells it, for instance " + Scope{Type: "Patient", Letters: scope.Letters, V1: scope.V1}.String() + ", or * for all."}
	singular := strings.TrimSuffix(scope.Type, "s")
	for _, guess := range []string{capital(scope.Type), capital(strings.ToLower(scope.Type)), capital(singular), capital(strings.ToLower(singular))} {
		if s.isResourceType(guess) {
			e.Meant = strings.Replace(word, "/"+scope.Type+".", "/"+guess+".", 1)
			e.Fix = "Did you mean " + e.Meant + "? Types are case-sensitive, and in the singular."
			return e
		}
	}
	return e
}

func capital(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// ungrantable says why a scope that is no data scope is passed over, or "".
func ungrantable(word string) string {
	switch {
	case word == "openid", word == "fhirUser", word == "profile", word == "email":
		return "there is no user to tell about"
	case word == "launch", strings.HasPrefix(word, "launch/"):
		return "there is no launch"
	case word == "offline_access", word == "online_access":
		return "backend services have no refresh token; ask again with a new assertion"
	case isExtensionScope(word):
		return "this server has no extension scopes"
	}
	return ""
}

// isExtensionScope reports whether a scope is of a vendor's own: a URI, or a
// name that begins with two underscores (SMART App Launch 2.2,
// scopes-and-launch-context, Scopes and Extensibility).
func isExtensionScope(word string) bool {
	scheme, _, isURI := strings.Cut(word, "://")
	return strings.HasPrefix(word, "__") || isURI && scheme != "" && !strings.ContainsAny(scheme, "/?,;")
}

// scopes decides what the client gets of what it asks (SMART App Launch 2.2,
// backend-services, Evaluate requested access): the requested part of the
// registered scopes.
func (a *attempt) scopes() (Scopes, *Error) {
	if !slices.Contains(a.client.Grants, GrantClientCredentials) {
		got := list(a.client.Grants)
		return nil, a.refuse(ruleClientGrant, CodeUnauthorizedClient, outcome{got: got, want: GrantClientCredentials,
			text: "Client " + quote(a.client.ID) + " is registered for the grant types " + got + ", not for client_credentials.", fix: "Add client_credentials to grant_types of its registration.", remedy: Remedy{Kind: RemedyRegistration}})
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
	missing := append(shortfall(requested, granted), dropped...)
	switch {
	case len(missing) > 0 && a.behaviour.RefuseSuperset:
		return nil, a.refuse(ruleScopeGranted, CodeInvalidScope, outcome{got: text, want: registered.String(),
			text:   "Asked " + clip(text) + ", of which " + list(missing) + " is not registered. This server's behaviour refuses a request for more than the registration holds, as some payers do; others grant the part that is registered. Registered for client " + quote(a.client.ID) + ": " + clip(registered.String()) + ".",
			fix:    "Ask for what is registered, or have the client's registration changed.",
			remedy: Remedy{Scope: granted.String()}})
	case len(missing) > 0:
		a.checks.warn(ruleScopeGranted, outcome{finding: "S05", got: text, want: granted.String(),
			text:   "Asked " + clip(text) + ", granted " + clip(granted.String()) + ". Missing: " + list(missing) + ". Registered are " + clip(registered.String()) + ".",
			fix:    "Read the scope of the answer: a server may narrow what is asked. To get more, have the client's registration changed.",
			remedy: Remedy{Scope: granted.String()}})
	case expanded:
		a.checks.warn(ruleScopeGranted, a.behaviour.wildcardExpanded(text, granted))
	default:
		a.checks.pass(ruleScopeGranted, granted.String())
	}
	return granted, nil
}

// expandWildcard replaces system/*.read by what it stands for, where the
// behaviour has it stand for some types only. Scopes in the v2 syntax and those
// of a registration keep their meaning.
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

func (b Behaviour) wildcardExpanded(asked string, granted Scopes) outcome {
	return outcome{finding: "S10", got: asked, want: granted.String(),
		text: "Here system/*.read expands to " + plural(len(b.WildcardRead), "type") + ": " + list(b.WildcardRead) + ".",
		fix:  "Ask for any other type by its name, such as system/ExplanationOfBenefit.read."}
}

// defaultScopes deals with a request without scope: refused, or all of the
// registration where the behaviour says so.
func (a *attempt) defaultScopes(registered Scopes) (Scopes, *Error) {
	o := outcome{finding: "S01", got: "no scope", want: registered.String(), remedy: Remedy{Scope: registered.String()}}
	if !a.behaviour.DefaultScopes || len(registered) == 0 {
		o.text = "The request has no scope."
		o.fix = "Name the scopes that you want, separated by spaces. Registered for client " + quote(a.client.ID) + ": " + orNothing(registered) + "."
		return nil, a.refuse(ruleScopePresent, CodeInvalidScope, o)
	}
	o.text = "The request has no scope; this server's behaviour grants all that is registered. SMART requires scope."
	o.fix = "Name the scopes that you want, separated by spaces."
	a.checks.warn(ruleScopePresent, o)
	a.checks.pass(ruleScopeSyntax, "")
	granted, expanded := a.behaviour.expandWildcard(registered)
	a.checks.pass(ruleScopeGranted, granted.String())
	if expanded {
		granted = factor(granted)
		a.checks.warn(ruleScopeGranted, a.behaviour.wildcardExpanded(registered.String(), granted))
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

// badScope is the outcome for a scope that cannot be taken; its remedy asks for
// the list with that scope mended.
func (a *attempt) badScope(bad *ScopeError, words []string) outcome {
	o := bad.outcome()
	switch {
	case bad.Meant == "":
		o.remedy.Scope = a.client.Scopes.String()
	case bad.Finding == "S04":
		o.remedy.Scope = bad.Meant
	default:
		var mended []string
		for _, word := range words {
			if word == bad.Scope {
				word = bad.Meant
			}
			mended = append(mended, word)
		}
		o.remedy.Scope = strings.Join(mended, " ")
	}
	return o
}

func (a *attempt) nothingGranted(text string, dropped []string) outcome {
	o := outcome{finding: "S06", got: text, want: a.client.Scopes.String(), remedy: Remedy{Scope: a.client.Scopes.String()}}
	o.text = "Nothing of " + quote(text) + " is registered for client " + quote(a.client.ID) + ", which has " + orNothing(a.client.Scopes) + "."
	o.fix = "Ask for scopes that it has, or have its registration changed."
	if len(dropped) > 0 {
		o.text += " Not for backend services: " + list(dropped) + "."
	}
	return o
}

func orNothing(ss Scopes) string {
	if len(ss) == 0 {
		return "no scopes"
	}
	return clip(ss.String())
}

// negotiate returns what of the requested scopes is registered, never more
// than either. Each scope keeps the syntax it was asked in, where that can
// express what remains.
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

// factor joins v2 scopes of one type and constraint and drops those that
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
