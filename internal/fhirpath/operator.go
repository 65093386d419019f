package fhirpath

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// logical is and, or, xor or implies (FHIRPath N1, section 6.5).
type logical struct {
	operator    string
	left, right node
}

func (n logical) truth(c *evaluation, focus []Value) (truth, error) {
	left, err := truthOf(n.left, c, focus)
	if err != nil {
		return undecided, err
	}
	switch {
	case n.operator == "and" && left == no:
		return no, nil
	case n.operator == "or" && left == yes, n.operator == "implies" && left == no:
		return yes, nil
	}
	right, err := truthOf(n.right, c, focus)
	if err != nil {
		return undecided, err
	}
	switch n.operator {
	case "and":
		return and(left, right), nil
	case "or":
		return and(left.not(), right.not()).not(), nil
	case "implies":
		return and(left, right.not()).not(), nil
	}
	if left == undecided || right == undecided {
		return undecided, nil
	}
	return truthIf(left != right), nil // xor
}

func and(a, b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == undecided || b == undecided:
		return undecided
	}
	return yes
}

// equality is = or, negated, !=.
type equality struct {
	left, right node
	negated     bool
}

func (n equality) truth(c *evaluation, focus []Value) (truth, error) {
	left, right, err := evalBoth(c, focus, n.left, n.right)
	if err != nil || len(left) == 0 || len(right) == 0 {
		return undecided, err
	}
	t, err := equalCollections(c, left, right)
	if n.negated {
		t = t.not()
	}
	return t, err
}

func equalCollections(c *evaluation, left, right []Value) (truth, error) {
	if len(left) != len(right) {
		return no, nil
	}
	all := yes
	for i := range left {
		if err := c.spend(1); err != nil {
			return undecided, err
		}
		all = and(all, equal(left[i], right[i]))
	}
	return all, nil
}

// ordering is <, <=, > or >=.
type ordering struct {
	operator    string
	left, right node
}

func (n ordering) truth(c *evaluation, focus []Value) (truth, error) {
	left, right, err := evalBoth(c, focus, n.left, n.right)
	switch {
	case err != nil || len(left) == 0 || len(right) == 0:
		return undecided, err
	case len(left) > 1 || len(right) > 1:
		return undecided, errSeveral
	}
	order, known, err := compare(left[0], right[0])
	if err != nil || !known {
		return undecided, err
	}
	switch n.operator {
	case "<":
		return truthIf(order < 0), nil
	case "<=":
		return truthIf(order <= 0), nil
	case ">":
		return truthIf(order > 0), nil
	}
	return truthIf(order >= 0), nil
}

// membership is in and, with its sides exchanged, contains.
type membership struct{ member, collection node }

func (n membership) truth(c *evaluation, focus []Value) (truth, error) {
	member, collection, err := evalBoth(c, focus, n.member, n.collection)
	switch {
	case err != nil || len(member) == 0:
		return undecided, err
	case len(member) > 1:
		return undecided, errSeveral
	}
	if err := c.spend(len(collection)); err != nil {
		return undecided, err
	}
	for _, v := range collection {
		if equal(member[0], v) == yes {
			return yes, nil
		}
	}
	return no, nil
}

// union is |: the values of both sides, each once.
type union struct{ left, right node }

func (n union) eval(c *evaluation, focus []Value) ([]Value, error) {
	left, right, err := evalBoth(c, focus, n.left, n.right)
	if err != nil {
		return nil, err
	}
	if len(left)+len(right) < 2 {
		return append(left[:len(left):len(left)], right...), nil
	}
	return distinct(c, left, right)
}

// sum is + or, joining, &: texts are put together, integers added.
type sum struct {
	left, right node
	joining     bool
}

func (n sum) eval(c *evaluation, focus []Value) ([]Value, error) {
	left, right, err := evalBoth(c, focus, n.left, n.right)
	if err != nil {
		return nil, err
	}
	a, aok, err := oneText(left)
	if err != nil {
		return nil, err
	}
	b, bok, err := oneText(right)
	if err != nil {
		return nil, err
	}
	if n.joining {
		return joined(c, a, b)
	}
	if !aok || !bok {
		return nil, nil
	}
	switch ca, cb := classOf(left[0]), classOf(right[0]); {
	case ca == number && cb == number:
		return added(a, b)
	case ca == text && cb == text:
		return joined(c, a, b)
	}
	return nil, fmt.Errorf("cannot add %s and %s", left[0].Type, right[0].Type)
}

func joined(c *evaluation, a, b string) ([]Value, error) {
	if err := c.spend((len(a) + len(b)) / 4); err != nil {
		return nil, err
	}
	return []Value{textValue(a + b)}, nil
}

func added(a, b string) ([]Value, error) {
	x, errx := strconv.ParseInt(a, 10, 64)
	y, erry := strconv.ParseInt(b, 10, 64)
	if errx != nil || erry != nil {
		return nil, errors.New("only integers can be added")
	}
	if y > 0 && x > math.MaxInt64-y || y < 0 && x < math.MinInt64-y {
		return nil, errors.New("the sum is too large")
	}
	return []Value{numberValue(strconv.FormatInt(x+y, 10))}, nil
}

func evalBoth(c *evaluation, focus []Value, l, r node) (left, right []Value, err error) {
	if left, err = l.eval(c, focus); err != nil {
		return nil, nil, err
	}
	right, err = r.eval(c, focus)
	return left, right, err
}
