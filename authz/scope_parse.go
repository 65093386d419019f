package authz

import "strings"

// ScopeError says why a scope cannot be taken.
type ScopeError struct {
	Scope   string    // the scope as sent
	Finding FindingID // "" where it has none
	Meant   string    // the scope that was probably meant, or ""
	// Text and Fix are full sentences: see Check.
	Text, Fix string
}

// Error returns the diagnosis.
func (e *ScopeError) Error() string { return sentences(e.Text, e.Fix) }

func (e *ScopeError) outcome() outcome {
	return outcome{finding: e.Finding, got: e.Scope, want: e.Meant, text: e.Text, fix: e.Fix}
}

// ParseScopes reads a list of scopes separated by spaces (RFC 6749 section
// 3.3). It knows the syntax only; Server.CheckScopes also knows the types and
// search parameters. Its errors are *ScopeError.
func ParseScopes(text string) (Scopes, error) {
	var scopes Scopes
	for _, word := range strings.Fields(text) {
		s, err := ParseScope(word)
		if err != nil {
			return nil, err
		}
		scopes = append(scopes, s)
	}
	return scopes, nil
}

// ParseScope reads one system scope, v1 or v2. Its errors are *ScopeError.
func ParseScope(text string) (Scope, error) {
	if err := scopeCharacters(text); err != nil {
		return Scope{}, err
	}
	if isExtensionScope(text) {
		return Scope{}, &ScopeError{Scope: text,
			Text: "The scope " + quote(text) + " is an extension scope, a URI or a name that begins with two " +
				"underscores; this server has none.",
			Fix: "Write for instance system/Patient.rs (v2) or system/Patient.read (v1)."}
	}
	head, query, constrained := strings.Cut(text, "?")
	if err := scopeSeparators(text, head); err != nil {
		return Scope{}, err
	}
	level, rest, found := strings.Cut(head, "/")
	if !found || rest == "" {
		return Scope{}, &ScopeError{Scope: text,
			Text: "The scope " + quote(text) + " is not of the form system/Type.letters.",
			Fix:  "Write for instance system/Patient.rs (v2) or system/Patient.read (v1)."}
	}
	if err := scopeLevel(text, level); err != nil {
		return Scope{}, err
	}
	typ, permissions, found := cutLast(rest, ".")
	if !found || typ == "" || permissions == "" {
		meant := "system/" + strings.Trim(rest, ".") + ".rs"
		return Scope{}, &ScopeError{Scope: text,
			Meant: meant,
			Text:  "The scope " + quote(text) + " does not say what may be done with the type.",
			Fix:   "Add a dot and letters: " + meant + "."}
	}
	s := Scope{Type: typ}
	if err := s.setPermissions(text, permissions, constrained); err != nil {
		return Scope{}, err
	}
	if err := scopeTypeSyntax(text, typ); err != nil {
		return Scope{}, err
	}
	if constrained {
		q, why := parseQuery(query)
		if why != "" {
			return Scope{}, &ScopeError{Scope: text,
				Text: "The scope " + quote(text) + " " + why + ".",
				Fix:  "Write the constraint as a search of the type: system/Observation.rs?category=laboratory."}
		}
		s.Query = q
	}
	return s, nil
}

// scopeCharacters checks the alphabet of a scope token: %x21 / %x23-5B /
// %x5D-7E.
func scopeCharacters(text string) *ScopeError {
	for i := range len(text) {
		c := text[i]
		if c > 0x20 && c < 0x7f && c != '"' && c != '\\' {
			continue
		}
		what := "a character beyond printable ASCII"
		hint := "Percent-encode it inside a constraint; nowhere else does a scope need it."
		switch c {
		case '"':
			what, hint = "a quotation mark", "Send the scopes without quotation marks around them."
		case '\\':
			what, hint = "a backslash", "Percent-encode it as %5C inside a constraint."
		}
		return &ScopeError{Scope: text,
			Text: "The scope " + quote(text) + " holds " + what + " at character " + itoa(i+1) +
				", which RFC 6749 section 3.3 does not allow.",
			Fix: hint}
	}
	return nil
}

// scopeSeparators finds lists that were joined by something other than a
// space.
func scopeSeparators(text, head string) *ScopeError {
	if i := strings.IndexAny(head, ",;"); i >= 0 {
		separator := "comma"
		if head[i] == ';' {
			separator = "semicolon"
		}
		meant := strings.Join(strings.FieldsFunc(text, func(r rune) bool {
			return r == rune(head[i]) ||
				r == ' '
		}), " ")
		return &ScopeError{Scope: text, Finding: "S04",
			Meant: meant,
			Text:  "Scopes are separated by spaces; found a " + separator + " after " + quote(head[:i]) + ".",
			Fix:   "Send them as scope=" + clip(meant) + " and let your HTTP library encode the spaces."}
	}
	for _, encoded := range []string{"%20", "+"} {
		if before, _, found := strings.Cut(head, encoded); found {
			meant := strings.ReplaceAll(head, encoded, " ")
			return &ScopeError{Scope: text, Finding: "S04",
				Meant: meant,
				Text: "The scope still holds " + quote(encoded) + " after " + quote(before) +
					" once the form is decoded: it was encoded twice.",
				Fix: "Hand your HTTP library the plain list, " + clip(meant) + ", and let it encode."}
		}
	}
	return nil
}

// scopeLevel takes "system" only: a backend service has no user and no
// patient in context.
func scopeLevel(text, level string) *ScopeError {
	if level == "system" {
		return nil
	}
	_, rest, _ := strings.Cut(text, "/")
	meant := "system/" + rest
	switch strings.ToLower(level) {
	case "patient", "user":
		return &ScopeError{Scope: text, Finding: "S02",
			Meant: meant,
			Text: "The scope " + quote(text) + " is for apps with a user: a backend service has neither user " +
				"nor patient in context.",
			Fix: "Use " + meant + "."}
	case "system":
		return &ScopeError{Scope: text,
			Meant: meant,
			Text:  "Scopes are case-sensitive: " + quote(level) + " has to be system.",
			Fix:   "Use " + meant + "."}
	}
	e := &ScopeError{Scope: text,
		Text: "The scope " + quote(text) + " begins with " + quote(level) + "/; backend services use system/."}
	e.Fix = "Write for instance system/Patient.rs (v2) or system/Patient.read (v1)."
	if _, err := ParseScope(meant); err == nil {
		e.Meant, e.Fix = meant, "Use "+meant+"."
	}
	return e
}

func scopeTypeSyntax(text, typ string) *ScopeError {
	if typ == AnyType {
		return nil
	}
	for i := range len(typ) {
		c := typ[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return &ScopeError{Scope: text,
				Text: "The scope " + quote(text) + " names " + quote(typ) + ", which is neither a FHIR " +
					"resource type nor *.",
				Fix: "Name one resource type, or * for all."}
		}
	}
	return nil
}

// setPermissions reads the part after the dot. The v1 words are recognised
// before any letter, so that read is never r…d.
func (s *Scope) setPermissions(text, permissions string, constrained bool) *ScopeError {
	switch permissions {
	case "read":
		s.Letters, s.V1 = Read|Search, true
	case "write":
		s.Letters, s.V1 = Create|Update|Delete, true
	case "*":
		s.Letters, s.V1 = Create|Read|Update|Delete|Search, true
	}
	if s.V1 {
		if !constrained {
			return nil
		}
		meant := strings.Replace(text, "."+permissions+"?", "."+s.Letters.String()+"?", 1)
		return &ScopeError{Scope: text,
			Meant: meant,
			Text:  "The scope " + quote(text) + " puts a constraint on a v1 scope; constraints exist in v2 only.",
			Fix:   "Use " + meant + "."}
	}
	ordered, last := true, Letters(0)
	for i := range len(permissions) {
		at := strings.IndexByte(letterNames, permissions[i])
		if at < 0 {
			return unknownLetter(text, permissions, permissions[i:i+1])
		}
		letter := Letters(1 << at)
		ordered = ordered && letter > last
		last = letter
		s.Letters |= letter
	}
	if !ordered {
		meant := strings.Replace(text, "."+permissions, "."+s.Letters.String(), 1)
		return &ScopeError{Scope: text, Finding: "S07",
			Meant: meant,
			Text:  "The letters of " + quote(text) + " must be in the order c r u d s, each at most once.",
			Fix:   "Use " + meant + "."}
	}
	return nil
}

func unknownLetter(text, permissions, letter string) *ScopeError {
	e := &ScopeError{Scope: text,
		Text: "The scope " + quote(text) + " has " + quote(permissions) + " after the dot; " + quote(letter) +
			" is none of the letters c r u d s (create, read, update, delete, search), and the whole is none " +
			"of the v1 words read, write and *."}
	switch lower := strings.ToLower(permissions); lower {
	case "read", "write":
		e.Meant = strings.Replace(text, "."+permissions, "."+lower, 1)
	case "search", "list":
		e.Meant = strings.Replace(text, "."+permissions, ".s", 1)
	case "readwrite", "all", "full":
		e.Meant = strings.Replace(text, "."+permissions, ".cruds", 1)
	}
	e.Fix = "Write letters, for instance rs to read and search."
	if e.Meant != "" {
		e.Fix = "Did you mean " + e.Meant + "?"
	}
	return e
}

// cutLast cuts text around the last separator.
func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
