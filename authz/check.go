package authz

import (
	"fmt"
	"strings"
	"unicode"
)

// Result says how a check ended.
type Result uint8

// The results. NotReached is the zero value: an earlier check failed.
const (
	NotReached Result = iota
	Pass
	Warn // passed, but other servers or a later approval may refuse it
	Fail
)

// String returns the word used in JSON and on pages.
func (r Result) String() string {
	switch r {
	case Pass:
		return "pass"
	case Warn:
		return "warn"
	case Fail:
		return "fail"
	}
	return "not-reached"
}

// MarshalText returns the word that String returns.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a word that String returns.
func (r *Result) UnmarshalText(text []byte) error {
	for _, known := range []Result{NotReached, Pass, Warn, Fail} {
		if string(text) == known.String() {
			*r = known
			return nil
		}
	}
	return fmt.Errorf("authz: no check result %q", text)
}

// Check is one rule applied to one request.
type Check struct {
	// ID names what was found: the id of a Finding (A12) where a
	// check fails or warns with a known mistake, else Requirement.
	ID string `json:"id"`
	// Requirement is the rule's own id (SB-KEY-01), whatever the result.
	Requirement string `json:"requirement"`
	// Rule is what must hold, in one line.
	Rule string `json:"rule"`
	// Clause is where the rule comes from: document, section, step.
	Clause string `json:"clause"`
	Result Result `json:"result"`
	// Got and Want are short: a value, a list, a length. Want may be empty
	// where Rule says it all.
	Got  string `json:"got,omitempty"`
	Want string `json:"want,omitempty"`
	// Text is the diagnosis on Fail and Warn: full sentences, plain text that
	// may hold quotes and characters beyond ASCII. It never holds a secret, a
	// signature or any part of one.
	Text string `json:"text,omitempty"`
}

// sentence is the first sentence of the diagnosis, completed by what was
// wanted.
func (c Check) sentence() string {
	text := strings.TrimSuffix(firstSentence(c.Text), ".")
	if c.Want != "" && !strings.Contains(text, c.Want) {
		text += "; wanted: " + c.Want
	}
	return text + "."
}

// firstSentence cuts text behind its first full stop that a space and a letter
// follow. One between quotation marks does not count: that is what somebody
// sent.
func firstSentence(text string) string {
	quoted := false
	for i := 0; i+2 < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case !quoted && text[i] == '.' && text[i+1] == ' ' && unicode.IsLetter(rune(text[i+2])):
			return text[:i+1]
		}
	}
	return text
}
