package fhirpath

import "fmt"

// An Evaluator evaluates conditions one after the other within one limit of steps, so that all
// conditions on the parts of a resource together take bounded time. It serves one goroutine at a
// time.
type Evaluator struct{ c evaluation }

// NewEvaluator returns an evaluator of conditions on values that s describes.
func NewEvaluator(s Schema) *Evaluator { return &Evaluator{evaluation{schema: s}} }

// Limit sets how many steps there are from now on, and lets go of the values that were evaluated
// last. A step is about one element that is looked at.
func (v *Evaluator) Limit(steps int) { v.c = evaluation{schema: v.c.schema, steps: steps} }

// Holds is Expr.Holds within the evaluator's limit: beyond it every error is ErrTooCostly.
func (v *Evaluator) Holds(e *Expr, root Value, opt Options, unknown bool) (bool, error) {
	v.c.begin(root, opt)
	t, err := truthOf(e.root, &v.c, v.c.context[:])
	if err != nil {
		return false, fmt.Errorf("evaluate %s: %w", e.text, err)
	}
	return t == yes || t == undecided && unknown, nil
}
