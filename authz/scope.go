package authz

import "strings"

// Letters is a set of the interactions that SMART v2 scopes name by letter.
type Letters uint8

// The letters, in the order in which a scope writes them: c, r, u, d, s.
const (
	Create Letters = 1 << iota
	Read           // read, vread, history of an instance
	Update         // update, patch
	Delete
	Search // search and history of a type or of the system
)

const letterNames = "cruds"

// String returns the letters in order: "rs".
func (l Letters) String() string {
	var b strings.Builder
	for i := range len(letterNames) {
		if l&(1<<i) != 0 {
			b.WriteByte(letterNames[i])
		}
	}
	return b.String()
}

// Has reports whether l holds every letter of other.
func (l Letters) Has(other Letters) bool { return l&other == other }

// version1 returns the v1 word for exactly these letters.
func (l Letters) version1() (string, bool) {
	switch l {
	case Read | Search:
		return "read", true
	case Create | Update | Delete:
		return "write", true
	case Create | Read | Update | Delete | Search:
		return "*", true
	}
	return "", false
}

// AnyType is the type of a scope that covers every resource type.
const AnyType = "*"

// Scope is one system scope of SMART App Launch 2.2, scopes-and-launch-
// context: system/Type.letters?query in v2, system/Type.read in v1. Backend
// services have no patient/ and user/ scopes.
type Scope struct {
	Type    string // a resource type, or AnyType
	Letters Letters
	Query   Query // the constraint; empty means none
	// V1 says that the scope is written in the v1 syntax. It is ignored where
	// the letters or a query have no v1 form.
	V1 bool
}

// String writes the scope in its own syntax.
func (s Scope) String() string {
	text := "system/" + s.Type + "."
	if s.V1 && len(s.Query) == 0 {
		if word, ok := s.Letters.version1(); ok {
			return text + word
		}
	}
	text += s.Letters.String()
	if len(s.Query) > 0 {
		text += "?" + s.Query.String()
	}
	return text
}

// covers reports whether s gives everything that t gives.
func (s Scope) covers(t Scope) bool {
	return (s.Type == AnyType || s.Type == t.Type) && s.Letters.Has(t.Letters) && t.Query.narrows(s.Query)
}

// version returns the version of the syntax that the scope is written in.
func (s Scope) version() int {
	if s.V1 {
		return 1
	}
	return 2
}

// Scopes is a list of scopes; as a set of rights it is their union.
type Scopes []Scope

// String writes the scopes separated by spaces, as in the scope parameter.
func (ss Scopes) String() string {
	words := make([]string, len(ss))
	for i, s := range ss {
		words[i] = s.String()
	}
	return strings.Join(words, " ")
}

// MarshalText returns what String returns.
func (ss Scopes) MarshalText() ([]byte, error) { return []byte(ss.String()), nil }

// UnmarshalText reads what ParseScopes reads.
func (ss *Scopes) UnmarshalText(text []byte) error {
	parsed, err := ParseScopes(string(text))
	if err != nil {
		return err
	}
	*ss = parsed
	return nil
}

// Allows returns what the scopes, taken together, say about an interaction
// with a type that needs all of letters. Scopes of one type are a union; an
// unconstrained one makes constrained ones irrelevant for its letters.
func (ss Scopes) Allows(typ string, letters Letters) Permission {
	permission := Permission{Granted: true}
	alternatives := []Query{nil}
	for i := range len(letterNames) {
		letter := Letters(1 << i)
		if letters&letter == 0 {
			continue
		}
		free, constrained := ss.giving(typ, letter)
		if len(free)+len(constrained) == 0 {
			return Permission{}
		}
		if len(free) > 0 {
			permission.By = permission.By.with(free[0])
			continue
		}
		alternatives = bothOf(alternatives, constrained)
		permission.By = permission.By.with(constrained...)
	}
	if len(alternatives) > 1 || len(alternatives[0]) > 0 {
		permission.Constraints = canonical(alternatives)
	}
	return permission
}

// giving returns the scopes that give a letter on a type, without and with a
// constraint.
func (ss Scopes) giving(typ string, letter Letters) (free, constrained Scopes) {
	for _, s := range ss {
		switch {
		case s.Letters&letter == 0 || s.Type != typ && s.Type != AnyType:
		case len(s.Query) == 0:
			free = append(free, s)
		default:
			constrained = append(constrained, s)
		}
	}
	return free, constrained
}

// with appends the scopes that ss does not hold yet.
func (ss Scopes) with(more ...Scope) Scopes {
	for _, s := range more {
		held := false
		for _, known := range ss {
			held = held || known.V1 == s.V1 && known.covers(s) && s.covers(known)
		}
		if !held {
			ss = append(ss, s)
		}
	}
	return ss
}

// Permission is what scopes say about one interaction with one type.
type Permission struct {
	Granted bool
	// By lists scopes that give it.
	By Scopes
	// Constraints is set if only constrained scopes give it: a resource must
	// match at least one of them. Empty means every resource of the type. The
	// order of scopes, parameters and values makes no difference to it.
	Constraints []Query
}
