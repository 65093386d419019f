package authz

import "slices"

// checklist records the outcome of each rule as a request meets it.
type checklist struct {
	parts    []Part
	outcomes [numRules]outcome
}

type outcome struct {
	result    Result
	finding   string
	got, want string
	// text, counterfactual and fix are the diagnosis: see Check.
	text, counterfactual, fix string
	remedy                    Remedy
}

// whole is the diagnosis in running sentences.
func (o *outcome) whole() string { return sentences(o.text, o.counterfactual, o.fix) }

func newChecklist(parts []Part) *checklist { return &checklist{parts: parts} }

// pass records that a rule holds and what was got.
func (l *checklist) pass(r ruleIndex, got string) {
	l.outcomes[r] = outcome{result: Pass, got: clip(got)}
}

// warn records that a rule holds here, with a finding that others may refuse.
func (l *checklist) warn(r ruleIndex, o outcome) {
	o.result, o.got, o.want = Warn, clip(o.got), clip(o.want)
	l.outcomes[r] = o
}

// fail records that a rule is broken and returns the check.
func (l *checklist) fail(r ruleIndex, o outcome) Check {
	o.result, o.got, o.want = Fail, clip(o.got), clip(o.want)
	l.outcomes[r] = o
	return l.check(r)
}

// refusal records that a rule is broken and returns the error to answer with.
func (l *checklist) refusal(status int, code string, r ruleIndex, o outcome) *Error {
	return &Error{Status: status, Code: code, Check: l.fail(r, o)}
}

// serverError records that a rule could not be applied because the store or
// the server failed.
func (l *checklist) serverError(r ruleIndex, doing string, err error) *Error {
	e := l.refusal(500, CodeServerError, r, outcome{text: "The server could not " + doing + ".", fix: "That is not your client's fault; try again."})
	e.cause = err
	return e
}

func (l *checklist) check(r ruleIndex) Check {
	rule, o := &rules[r], &l.outcomes[r]
	c := Check{
		ID: rule.ID, Requirement: rule.ID, Rule: rule.Rule, Clause: rule.Clause,
		Result: o.result, Got: o.got, Want: o.want,
		Text: o.text, Counterfactual: o.counterfactual, Fix: o.fix,
	}
	if o.finding != "" {
		c.ID = o.finding
	}
	if o.result == Fail || o.result == Warn {
		c.Remedy = o.remedy
		if c.Remedy.Kind == "" {
			c.Remedy.Kind = remedyFor(rule, o.finding)
		}
	}
	return c
}

// checks returns all checks of the checklist in order.
func (l *checklist) checks() []Check {
	var walked []ruleIndex
	for r := range numRules {
		if slices.Contains(l.parts, rules[r].Part) {
			walked = append(walked, r)
		}
	}
	checks := make([]Check, len(walked))
	for i, r := range walked {
		checks[i] = l.check(r)
	}
	return checks
}
