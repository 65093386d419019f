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
			return Scope{}, &ScopeError{Scope: word,
				Text: "The scope " + quote(word) + " has a constraint that no search could be made with: " +
					strings.TrimSuffix(clip(err.Error()), ".") + ".",
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

// unknownParameter says what is wrong with a constraint's parameter, and what
// to do; "" if it is known.
func (s *Server) unknownParameter(typ, name string) (text, fix string) {
	switch {
	case slices.Contains(commonParameters(), name):
		return "", ""
	case typ == AnyType:
		return "constrains all types by " + quote(name) +
			", which not every type has", "Name the type; for * there are " + list(commonParameters()) + "."
	case s.searchParameter(typ, name):
		return "", ""
	}
	return "constrains by " + quote(name) + ", which is no search parameter of " +
		typ, "Take a search parameter that the CapabilityStatement lists for " + typ + "."
}

// ungrantable says why a scope that is about no data is dropped, or "".
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

// unknownType explains a type that does not exist; a spelling that does is
// offered.
func (s *Server) unknownType(word string, scope Scope) *ScopeError {
	e := &ScopeError{Scope: word,
		Text: "The scope " + quote(word) + " names " + quote(scope.Type) + ", which is no FHIR R4 resource type.",
		Fix: "Name a type as FHIR R4 spells it, for instance " +
			Scope{Type: "Patient", Letters: scope.Letters, V1: scope.V1}.String() + ", or * for all."}
	singular := strings.TrimSuffix(scope.Type, "s")
	for _, guess := range []string{capital(scope.Type), capital(strings.ToLower(scope.Type)), capital(singular),
		capital(strings.ToLower(singular))} {
		if s.isResourceType(guess) {
			e.Meant = strings.Replace(word, "/"+scope.Type+".", "/"+guess+".", 1)
			e.Fix = "Did you mean " + e.Meant + "? Types are case-sensitive, and in the singular."
			return e
		}
	}
	return e
}

// otherVersion explains a scope in a syntax that is switched off.
func otherVersion(word string, scope Scope) *ScopeError {
	e := &ScopeError{Scope: word, Finding: "S03"}
	e.Text = quote(word) + " is a SMART v" + itoa(scope.version()) + " scope; this server takes v" +
		itoa(3-scope.version()) + " only."
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

func capital(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
