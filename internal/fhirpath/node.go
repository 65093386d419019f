package fhirpath

import (
	"fmt"
	"strconv"
)

// A node is one part of a compiled expression. focus is the collection that a path begins with,
// which is also $this.
type node interface {
	eval(c *evaluation, focus []Value) ([]Value, error)
}

// A condition is a part that is true, false or undecided. As a node it is a predicate.
type condition interface {
	truth(c *evaluation, focus []Value) (truth, error)
}

type predicate struct{ condition }

func (n predicate) eval(c *evaluation, focus []Value) ([]Value, error) {
	t, err := n.truth(c, focus)
	return t.values(), err
}

// truthOf evaluates n as a condition.
func truthOf(n node, c *evaluation, focus []Value) (truth, error) {
	if p, ok := n.(predicate); ok {
		return p.truth(c, focus)
	}
	values, err := n.eval(c, focus)
	if err != nil {
		return undecided, err
	}
	return truthOfValues(values)
}

// constant is a literal.
type constant struct{ value Value }

func (n constant) eval(*evaluation, []Value) ([]Value, error) { return []Value{n.value}, nil }

// nothing is {}.
type nothing struct{}

func (nothing) eval(*evaluation, []Value) ([]Value, error) { return nil, nil }

// this is $this and what a path without a base begins with.
type this struct{}

func (this) eval(_ *evaluation, focus []Value) ([]Value, error) { return focus, nil }

// index is $index.
type index struct{}

func (index) eval(c *evaluation, _ []Value) ([]Value, error) {
	return []Value{integerValue(c.index)}, nil
}

// environment is %resource and its like.
type environment struct{ name string }

func (n environment) eval(c *evaluation, _ []Value) ([]Value, error) {
	switch n.name {
	case "resource":
		return []Value{c.resource}, nil
	case "rootResource":
		return []Value{c.container}, nil
	}
	return c.context[:], nil
}

// typedHead is the name of a type at the beginning of a path: the context where it is of that
// type, and nothing otherwise.
type typedHead struct{ name string }

func (n typedHead) eval(c *evaluation, focus []Value) ([]Value, error) {
	return filterType(c, focus, n.name), nil
}

// path is a run of elements.
type path struct {
	base  node
	steps []string
}

func (n path) eval(c *evaluation, focus []Value) ([]Value, error) {
	bases, err := n.base.eval(c, focus)
	var out []Value
	for i := 0; err == nil && i < len(bases); i++ {
		out, err = c.appendPath(out, bases[i], n.steps)
	}
	return out, err
}

// indexer is [n].
type indexer struct{ base, at node }

func (n indexer) eval(c *evaluation, focus []Value) ([]Value, error) {
	values, err := n.base.eval(c, focus)
	if err != nil {
		return nil, err
	}
	at, err := n.at.eval(c, focus)
	if err != nil {
		return nil, err
	}
	s, ok, err := oneText(at)
	if !ok {
		return nil, err
	}
	i, err := strconv.Atoi(s)
	if err != nil {
		return nil, fmt.Errorf("the index %q is not an integer", s)
	}
	if i < 0 || i >= len(values) {
		return nil, nil
	}
	return values[i : i+1 : i+1], nil
}

// asType is the operator as and the functions as and ofType.
type asType struct {
	base node
	name string
}

func (n asType) eval(c *evaluation, focus []Value) ([]Value, error) {
	values, err := n.base.eval(c, focus)
	return filterType(c, values, n.name), err
}

// isType is the operator and the function is.
type isType struct {
	base node
	name string
}

func (n isType) truth(c *evaluation, focus []Value) (truth, error) {
	values, err := n.base.eval(c, focus)
	switch {
	case err != nil || len(values) == 0:
		return undecided, err
	case len(values) > 1:
		return undecided, errSeveral
	}
	return truthIf(c.isA(values[0].Type, n.name)), nil
}

// filterType keeps the values that are of the type name. The outcome may share its memory with
// values.
func filterType(c *evaluation, values []Value, name string) []Value {
	kept := 0
	for kept < len(values) && c.isA(values[kept].Type, name) {
		kept++
	}
	out := values[:kept:kept]
	for _, v := range values[kept:] {
		if c.isA(v.Type, name) {
			out = append(out, v)
		}
	}
	return out
}
