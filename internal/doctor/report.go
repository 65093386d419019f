package doctor

import (
	"slices"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/snippet"
)

// Report is what was found.
type Report struct {
	OK       bool       `json:"ok"` // nothing failed
	Failed   int        `json:"failed"`
	Warned   int        `json:"warned"`
	Passed   int        `json:"passed"`
	Sections []*Section `json:"sections"`
}

// Section is what was found about one thing.
type Section struct {
	Name    string        `json:"name"`    // key, key-set, key-in-set, assertion, signed-by, server, client
	Subject string        `json:"subject"` // the file, URL or id
	Facts   []Fact        `json:"facts,omitempty"`
	Checks  []authz.Check `json:"checks,omitempty"`
	// NotChecked are full sentences: what was left out, and what it would take.
	NotChecked []string `json:"not_checked,omitempty"`
	// Commands mend what can be mended by a command, or look further. FILE stands for the subject's
	// file, ID for the client's id.
	Commands []string `json:"commands,omitempty"`
	// Snippets is the code that does right what the section found wrong, in four languages.
	Snippets []snippet.Snippet `json:"snippets,omitempty"`
}

// Fact is something worth knowing that is neither right nor wrong.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Words string `json:"words,omitempty"` // what the value means
}

// The rules of the doctor's own: about what no server sees.
const (
	RuleKeyFile   authz.RuleID = "DR-KEY"
	RuleKeyForm   authz.RuleID = "DR-FORM"
	RuleKeyMode   authz.RuleID = "DR-MODE"
	RuleDiscovery authz.RuleID = "DR-DISC"
)

// Rules returns the rules of the doctor's own, in the order in which they are applied.
func Rules() []authz.Rule {
	return []authz.Rule{
		{ID: RuleKeyFile, Rule: "the file holds one private key for SMART",
			Clause: "SMART App Launch 2.2, client-confidential-asymmetric, Registering a client communicating public keys", Findings: []authz.FindingID{"A13", "A14", "A17", "A18", "A19", "A22", "A23"}},
		{ID: RuleKeyForm, Rule: "the key is written as every library reads it",
			Clause: "RFC 7468 section 10; RFC 5958; RFC 7517", Findings: []authz.FindingID{"A19"}},
		{ID: RuleKeyMode, Rule: "the file is for its owner alone",
			Clause: "SMART App Launch 2.2, client-confidential-asymmetric, the private key is kept secret"},
		{ID: RuleDiscovery, Rule: "the server tells what a backend service needs",
			Clause: "SMART App Launch 2.2, conformance, Using .well-known", Findings: []authz.FindingID{"D01", "D02", "D03", "D07"}},
	}
}

// rule returns a check of the rule with this id, nothing decided yet.
func rule(id authz.RuleID) authz.Check {
	for _, r := range append(Rules(), authz.Rules()...) {
		if r.ID == id {
			return authz.Check{RuleID: r.ID, Rule: r.Rule, Clause: r.Clause}
		}
	}
	return authz.Check{RuleID: id}
}

func passed(id authz.RuleID, got string) authz.Check {
	c := rule(id)
	c.Result, c.Got = authz.Pass, got
	return c
}

// found returns a check that found something: what is wrong, and what to do.
func found(result authz.Result, id authz.RuleID, finding authz.FindingID, text, fix string) authz.Check {
	c := rule(id)
	c.Result, c.Finding, c.Text, c.Fix = result, finding, text, fix
	c.Remedy.Kind = authz.RemedyOf(id, finding)
	return c
}

func (r *Report) section(name, subject string) *Section {
	s := &Section{Name: name, Subject: subject}
	r.Sections = append(r.Sections, s)
	return s
}

func (s *Section) check(checks ...authz.Check) { s.Checks = append(s.Checks, checks...) }

func (s *Section) fact(name, value, words string) {
	if value != "" {
		s.Facts = append(s.Facts, Fact{name, value, words})
	}
}

func (s *Section) notChecked(sentence string) { s.NotChecked = append(s.NotChecked, sentence) }

func (s *Section) try(command string) {
	if command != "" && !slices.Contains(s.Commands, command) {
		s.Commands = append(s.Commands, command)
	}
}

// failed reports whether a check of the section failed.
func (s *Section) failed() bool {
	return slices.ContainsFunc(s.Checks, func(c authz.Check) bool { return c.Result == authz.Fail })
}

// tells reports whether a check of the report failed in the same way as this one: with its finding
// or, where that has none, by its rule.
func (r *Report) tells(check authz.Check) bool {
	same := func(c authz.Check) bool {
		return c.Result == authz.Fail && c.Finding == check.Finding && (c.Finding != "" || c.RuleID == check.RuleID)
	}
	return slices.ContainsFunc(r.Sections, func(s *Section) bool { return slices.ContainsFunc(s.Checks, same) })
}

// close counts. Sections in which nothing was found are dropped.
func (r *Report) close() {
	r.Sections = slices.DeleteFunc(r.Sections, func(s *Section) bool {
		return len(s.Checks)+len(s.Facts)+len(s.NotChecked) == 0
	})
	for _, s := range r.Sections {
		for _, c := range s.Checks {
			switch c.Result {
			case authz.Fail:
				r.Failed++
			case authz.Warn:
				r.Warned++
			case authz.Pass:
				r.Passed++
			}
		}
	}
	r.OK = r.Failed == 0
}

// ofParts returns the checks that belong to the parts and were applied.
func ofParts(checks []authz.Check, parts ...authz.Part) []authz.Check {
	rules := authz.RulesOf(parts...)
	var kept []authz.Check
	for _, c := range checks {
		if c.Result != authz.NotReached && slices.ContainsFunc(rules, func(r authz.Rule) bool { return r.ID == c.RuleID }) {
			kept = append(kept, c)
		}
	}
	return kept
}

// checkOf returns the check of a rule.
func checkOf(checks []authz.Check, id authz.RuleID) authz.Check {
	for _, c := range checks {
		if c.RuleID == id {
			return c
		}
	}
	return authz.Check{RuleID: id}
}

// without drops the checks of rules.
func without(checks []authz.Check, ids ...authz.RuleID) []authz.Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c authz.Check) bool { return slices.Contains(ids, c.RuleID) })
}
