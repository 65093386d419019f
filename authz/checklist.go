package authz

import "slices"

// checklist records what became of each rule. In the zero value none was
// reached.
type checklist struct {
	notes [numRules]note
}

// A note is what became of one rule. Only rules that do not hold have a
// diagnosis.
type note struct {
	result Result
	got    string
	found  *outcome // nil if the rule holds without a warning
}

// An outcome is what was found where a rule does not hold, or would not
// elsewhere.
type outcome struct {
	finding   FindingID
	got, want string
	// text, counterfactual and fix are the diagnosis: see Check.
	text, counterfactual, fix string
	remedy                    Remedy
}

// whole is the diagnosis in running sentences.
func (o *outcome) whole() string { return sentences(o.text, o.counterfactual, o.fix) }

// pass records that a rule holds and what was got.
func (l *checklist) pass(r ruleIndex, got string) {
	l.notes[r] = note{result: Pass, got: clip(got)}
}

// warn records that a rule holds here, and what others may refuse.
func (l *checklist) warn(r ruleIndex, o outcome) {
	l.note(r, Warn, o)
}

// fail records that a rule is broken and returns the check.
func (l *checklist) fail(r ruleIndex, o outcome) Check {
	l.note(r, Fail, o)
	return l.check(r)
}

func (l *checklist) note(r ruleIndex, result Result, o outcome) {
	o.got, o.want = clip(o.got), clip(o.want)
	l.notes[r] = note{result: result, got: o.got, found: &o}
}

// refusal records that a rule is broken and returns the error to answer with.
func (l *checklist) refusal(status int, code string, r ruleIndex, o outcome) *Error {
	return &Error{Status: status, Code: code, Check: l.fail(r, o)}
}

// serverError records that a rule could not be applied because the store or
// the server failed.
func (l *checklist) serverError(r ruleIndex, doing string, err error) *Error {
	e := l.refusal(500, CodeServerError, r, outcome{text: "The server could not " + doing + ".",
		fix: "That is not your client's fault; try again."})
	e.cause = err
	return e
}

func (l *checklist) check(r ruleIndex) Check {
	rule, n := &rules[r], &l.notes[r]
	c := Check{RuleID: rule.ID, Rule: rule.Rule, Clause: rule.Clause, Result: n.result, Got: n.got}
	if o := n.found; o != nil {
		c.Finding, c.Want, c.Remedy = o.finding, o.want, o.remedy
		c.Text, c.Counterfactual, c.Fix = o.text, o.counterfactual, o.fix
		if c.Remedy.Kind == "" {
			c.Remedy.Kind = remedyFor(rule, o.finding)
		}
	}
	return c
}

// broken returns what was found where a rule does not hold, or nil.
func (l *checklist) broken() *outcome {
	for r := range l.notes {
		if l.notes[r].result == Fail {
			return l.notes[r].found
		}
	}
	return nil
}

// list returns the checks of the parts in order.
func (l *checklist) list(parts ...Part) []Check {
	listed := func(r ruleIndex) bool { return slices.Contains(parts, rules[r].Part) }
	n := 0
	for r := range numRules {
		if listed(r) {
			n++
		}
	}
	checks := make([]Check, 0, n)
	for r := range numRules {
		if listed(r) {
			checks = append(checks, l.check(r))
		}
	}
	return checks
}

// holds reports whether a rule was applied and holds.
func (l *checklist) holds(r ruleIndex) bool {
	return l.notes[r].result == Pass || l.notes[r].result == Warn
}
