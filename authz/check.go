package authz

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
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
	// RuleID is the rule's own id (SB-KEY-01), whatever the result.
	RuleID RuleID `json:"requirement"`
	// Finding is what a check that fails or warns has found (A12); "" where it
	// passed, and where what is wrong has no id of its own.
	Finding FindingID `json:"-"`
	// Rule is what must hold, in one line.
	Rule string `json:"rule"`
	// Clause is where the rule comes from: document, section, step.
	Clause string `json:"clause"`
	Result Result `json:"result"`
	// Got and Want are short: a value, a list, a length. Want may be empty
	// where Rule says it all.
	Got  string `json:"got,omitempty"`
	Want string `json:"want,omitempty"`
	// Text, Counterfactual and Fix are the diagnosis on Fail and Warn, in
	// full sentences: what is wrong; what was found by trying otherwise ("The
	// signature verifies with key k2: only the kid is wrong."); and what to
	// do. They are plain text, may hold quotes and characters beyond ASCII,
	// and never hold a secret or any part of a signature.
	Text           string `json:"text,omitempty"`
	Counterfactual string `json:"counterfactual,omitempty"`
	Fix            string `json:"fix,omitempty"`
	// Remedy says which code shows how to do it right, and what is known of
	// its values. It is set on Fail and Warn.
	Remedy Remedy `json:"-"`
}

// ID is what people look a check up by, and the id of its JSON: Finding where
// there is one, else RuleID.
func (c Check) ID() string { return cmp.Or(string(c.Finding), string(c.RuleID)) }

// MarshalJSON writes the check with its ID.
func (c Check) MarshalJSON() ([]byte, error) {
	type fields Check
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // that is for whoever encodes the whole
	err := e.Encode(struct {
		ID string `json:"id"`
		fields
	}{c.ID(), fields(c)})
	return bytes.TrimSpace(b.Bytes()), err
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Check) UnmarshalJSON(data []byte) error {
	type fields Check
	var read struct {
		ID string `json:"id"`
		fields
	}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	*c = Check(read.fields)
	if read.ID != string(c.RuleID) {
		c.Finding = FindingID(read.ID)
	}
	return nil
}

// Explanation is the whole diagnosis in running sentences: Text,
// Counterfactual and Fix.
func (c Check) Explanation() string { return sentences(c.Text, c.Counterfactual, c.Fix) }

// sentences joins the parts of a diagnosis that there are.
func sentences(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " ")
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

// firstSentence cuts text behind its first full stop that a space and a
// letter follow. Full stops between quotation marks do not count: they are
// part of what somebody sent.
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
