package validation

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A rule is a constraint, compiled.
type rule struct {
	r4.Constraint
	expr    *fhirpath.Expr
	warning bool
}

// isStructural reports whether a constraint is judged on the way, without FHIRPath: in object.go,
// extension.go, reference.go and resource.go.
func isStructural(key string) bool {
	switch key {
	case "ele-1", "ext-1", "ref-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6":
		return true
	}
	return false
}

// amended returns a constraint's expression as it is meant. con-3 compares the concepts of category
// with a text, and so finds every Condition that has a category to be a problem list item.
func amended(c r4.Constraint) string {
	if c.Key == "con-3" {
		return strings.Replace(c.Expression, "category.select($this='problem-list-item').empty()",
			"category.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-category' and code='problem-list-item').empty()", 1)
	}
	return c.Expression
}

// rulesOf compiles constraints. They are part of the definitions; one that cannot be read is a
// mistake of the build and panics.
func (v *Validator) rulesOf(constraints []r4.Constraint) []*rule {
	v.mu.Lock()
	defer v.mu.Unlock()
	var rules []*rule
	for _, c := range constraints {
		if isStructural(c.Key) {
			continue
		}
		known, ok := v.rules[c]
		if !ok {
			expr, err := fhirpath.Compile(amended(c))
			if err != nil {
				panic(fmt.Sprintf("validation: constraint %s: %v", c.Key, err))
			}
			known = &rule{Constraint: c, expr: expr, warning: c.Severity != "error"}
			v.rules[c] = known
		}
		rules = append(rules, known)
	}
	return rules
}

// judge evaluates a constraint on a value. before is how many errors there were before the value
// was looked at: on what is malformed an expression may fail, and that is no news.
func (r *run) judge(c *rule, value fhirpath.Value, at, before int) {
	if r.tired || c.warning && r.opt.ErrorsOnly {
		return
	}
	opt := fhirpath.Options{Resource: r.resource, RootResource: r.container}
	holds, err := r.conditions.Holds(c.expr, value, opt, true)
	switch {
	case errors.Is(err, fhirpath.ErrTooCostly):
		r.tired = true
		r.warn("too-costly", at, "was not judged by %s and further invariants: they take too many steps", c.Key)
	case err != nil:
		if r.errors == before {
			r.warn("processing", at, "could not be judged by %s (%s): %v", c.Key, sentence(c.Human), err)
		}
	case holds:
	case c.warning:
		r.warn("invariant", at, "does not keep %s: %s", c.Key, sentence(c.Human))
	default:
		r.fault("invariant", at, "breaks %s: %s", c.Key, sentence(c.Human))
	}
}

// sentence is the text of a constraint within a sentence of ours.
func sentence(human string) string {
	return strings.TrimRight(strings.Join(strings.Fields(human), " "), ".")
}
