package authz

import (
	"context"
	"slices"
)

// Examine decides a token request as Explain does and goes on where Explain
// ends: after a rule that does not hold, every rule that can be judged without
// it is, so that all mistakes come to light at once. The decision's Err is the
// first refusal, the one that the client would get.
func (s *Server) Examine(ctx context.Context, req FormRequest) *TokenDecision {
	a := s.attempt(TokenEndpoint, req)
	a.dry, a.thorough = true, true
	return a.decide(ctx)
}

// assertionStep applies rules to an assertion. It makes sense where the rules
// that it needs hold.
type assertionStep struct {
	apply func(context.Context) *Error
	needs []ruleIndex
}

// walk applies the steps in order, to the first refusal or, in an examination,
// as far as they make sense.
func (a *attempt) walk(ctx context.Context, steps []assertionStep) *Error {
	var first *Error
	for _, step := range steps {
		if slices.ContainsFunc(step.needs, func(r ruleIndex) bool { return !a.checks.holds(r) }) {
			continue
		}
		err := step.apply(ctx)
		if err == nil {
			continue
		}
		if first == nil {
			first = err
		}
		if !a.thorough || err.Status >= 500 {
			return first
		}
	}
	return first
}

// holds reports whether a rule was applied and holds.
func (l *checklist) holds(r ruleIndex) bool {
	return l.notes[r].result == Pass || l.notes[r].result == Warn
}
