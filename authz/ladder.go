package authz

import "slices"

// ladder records the outcome of each rule as a request climbs.
type ladder struct {
	parts    []Part
	outcomes [numRungs]outcome
}

type outcome struct {
	result    Result
	finding   string
	got, want string
	text      string
}

func newLadder(parts []Part) *ladder { return &ladder{parts: parts} }

// pass records that a rule holds and what was got.
func (l *ladder) pass(r rung, got string) {
	l.outcomes[r] = outcome{result: Pass, got: clip(got)}
}

// warn records that a rule holds here, with a finding that others may refuse.
func (l *ladder) warn(r rung, o outcome) {
	o.result, o.got, o.want = Warn, clip(o.got), clip(o.want)
	l.outcomes[r] = o
}

// fail records that a rule is broken and returns the check.
func (l *ladder) fail(r rung, o outcome) Check {
	o.result, o.got, o.want = Fail, clip(o.got), clip(o.want)
	l.outcomes[r] = o
	return l.check(r)
}

func (l *ladder) check(r rung) Check {
	rule, o := &rules[r], &l.outcomes[r]
	c := Check{
		ID: rule.ID, Requirement: rule.ID, Rule: rule.Rule, Clause: rule.Clause,
		Result: o.result, Got: o.got, Want: o.want, Text: o.text,
	}
	if o.finding != "" {
		c.ID = o.finding
	}
	return c
}

// checks returns all checks of the ladder in order.
func (l *ladder) checks() []Check {
	var walked []rung
	for r := range numRungs {
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
