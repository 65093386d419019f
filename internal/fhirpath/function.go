package fhirpath

// functionNamed returns the function of that name. What is missing from FHIRPath occurs in no
// search parameter and no constraint of R4; htmlChecks() is left to whoever validates narrative.
func functionNamed(name string) (function, bool) {
	switch name {
	// Tests of a collection (FHIRPath N1, section 5.1).
	case "exists":
		return function{0, 1, nil, exists}, true
	case "empty":
		return function{0, 0, nil, empty}, true
	case "all":
		return function{1, 1, nil, all}, true
	case "not":
		return function{0, 0, nil, not}, true
	case "allTrue":
		return function{0, 0, nil, uniform(no, no)}, true
	case "anyTrue":
		return function{0, 0, nil, uniform(yes, yes)}, true
	case "allFalse":
		return function{0, 0, nil, uniform(yes, no)}, true
	case "anyFalse":
		return function{0, 0, nil, uniform(no, yes)}, true
	case "isDistinct":
		return function{0, 0, nil, isDistinct}, true
	case "hasValue":
		return function{0, 0, nil, hasValue}, true

	// Selections (sections 5.2 to 5.4).
	case "where":
		return function{1, 1, where, nil}, true
	case "select":
		return function{1, 1, project, nil}, true
	case "first":
		return function{0, 0, first, nil}, true
	case "last":
		return function{0, 0, last, nil}, true
	case "tail":
		return function{0, 0, tail, nil}, true
	case "distinct":
		return function{0, 0, unique, nil}, true
	case "count":
		return function{0, 0, countItems, nil}, true
	case "combine":
		return function{1, 1, combine, nil}, true
	case "union":
		return function{1, 1, unite, nil}, true
	case "intersect":
		return function{1, 1, intersect, nil}, true
	case "iif":
		return function{2, 3, iif, nil}, true
	case "trace":
		return function{1, 2, trace, nil}, true

	// The tree and FHIR's own additions (section 5.8; FHIR R4, FHIRPath, section 2.9.1.5).
	case "children":
		return function{0, 0, children, nil}, true
	case "descendants":
		return function{0, 0, descendants, nil}, true
	case "extension":
		return function{1, 1, extension, nil}, true
	case "resolve":
		return function{0, 0, resolve, nil}, true
	}
	return textFunctionNamed(name)
}

// stepsPerValue is what a value that is put into a new collection costs: such collections can
// double at each step of an expression.
const stepsPerValue = 8

// stepsPerKey is what it costs to put a value into a set.
const stepsPerKey = 32

func exists(c *evaluation, in []Value, args arguments) (truth, error) {
	found := no
	err := args.each(c, in, func(_ Value, t truth) bool {
		if t == yes {
			found = yes
		}
		return found == no
	})
	return found, err
}

func empty(_ *evaluation, in []Value, _ arguments) (truth, error) {
	return truthIf(len(in) == 0), nil
}

func all(c *evaluation, in []Value, args arguments) (truth, error) {
	verdict := yes
	err := args.each(c, in, func(_ Value, t truth) bool {
		if t != yes {
			verdict = no
		}
		return verdict == yes
	})
	return verdict, err
}

func not(_ *evaluation, in []Value, _ arguments) (truth, error) {
	t, err := truthOfValues(in)
	return t.not(), err
}

// uniform returns the test that is verdict as soon as an item is sought, and the opposite where
// none is.
func uniform(sought, verdict truth) test {
	return func(_ *evaluation, in []Value, _ arguments) (truth, error) {
		for i := range in {
			t, err := truthOfValues(in[i : i+1])
			if err != nil || t == sought {
				return verdict, err
			}
		}
		return verdict.not(), nil
	}
}

func isDistinct(c *evaluation, in []Value, _ arguments) (truth, error) {
	kept, err := distinct(c, in)
	return truthIf(len(kept) == len(in)), err
}

func hasValue(_ *evaluation, in []Value, _ arguments) (truth, error) {
	if len(in) != 1 {
		return no, nil
	}
	k := classOf(in[0])
	return truthIf(k != absent && k != complexValue), nil
}

func where(c *evaluation, in []Value, args arguments) ([]Value, error) {
	var out []Value
	err := args.each(c, in, func(item Value, t truth) bool {
		if t == yes {
			out = append(out, item)
		}
		return true
	})
	return out, err
}

func project(c *evaluation, in []Value, args arguments) ([]Value, error) {
	var out []Value
	outer := c.index
	defer func() { c.index = outer }()
	for i := range in {
		if err := c.spend(1); err != nil {
			return nil, err
		}
		c.index = i
		values, err := args.nodes[0].eval(c, in[i:i+1:i+1])
		if err != nil {
			return nil, err
		}
		if err := c.spend(stepsPerValue * len(values)); err != nil {
			return nil, err
		}
		out = append(out, values...)
	}
	return out, nil
}

func first(_ *evaluation, in []Value, _ arguments) ([]Value, error) {
	return in[:min(1, len(in)):min(1, len(in))], nil
}

func last(_ *evaluation, in []Value, _ arguments) ([]Value, error) {
	return in[max(0, len(in)-1):len(in):len(in)], nil
}

func tail(_ *evaluation, in []Value, _ arguments) ([]Value, error) {
	return in[min(1, len(in)):len(in):len(in)], nil
}

func unique(c *evaluation, in []Value, _ arguments) ([]Value, error) { return distinct(c, in) }

func countItems(_ *evaluation, in []Value, _ arguments) ([]Value, error) {
	return []Value{integerValue(len(in))}, nil
}

func combine(c *evaluation, in []Value, args arguments) ([]Value, error) {
	other, err := args.nodes[0].eval(c, args.focus)
	if err != nil {
		return nil, err
	}
	if err := c.spend(stepsPerValue * (len(in) + len(other))); err != nil {
		return nil, err
	}
	return append(in[:len(in):len(in)], other...), nil
}

func unite(c *evaluation, in []Value, args arguments) ([]Value, error) {
	other, err := args.nodes[0].eval(c, args.focus)
	if err != nil {
		return nil, err
	}
	return distinct(c, in, other)
}

func intersect(c *evaluation, in []Value, args arguments) ([]Value, error) {
	other, err := args.nodes[0].eval(c, args.focus)
	if err != nil {
		return nil, err
	}
	if err := c.spend(stepsPerKey * len(other)); err != nil {
		return nil, err
	}
	theirs := make(map[string]bool, len(other))
	for _, v := range other {
		if v.Node != nil {
			theirs[string(appendKey(nil, v.Node))] = true
		}
	}
	ours, err := distinct(c, in)
	var out []Value
	for _, v := range ours {
		if v.Node != nil && theirs[string(appendKey(nil, v.Node))] {
			out = append(out, v)
		}
	}
	return out, err
}

// iif evaluates its arguments on the input: R4's ctm-1 asks there whether the input is empty.
func iif(c *evaluation, in []Value, args arguments) ([]Value, error) {
	t, err := truthOf(args.nodes[0], c, in)
	switch {
	case err != nil:
		return nil, err
	case t == yes:
		return args.nodes[1].eval(c, in)
	case len(args.nodes) > 2:
		return args.nodes[2].eval(c, in)
	}
	return nil, nil
}

// trace writes no log: nobody reads one here.
func trace(_ *evaluation, in []Value, _ arguments) ([]Value, error) { return in, nil }

func children(c *evaluation, in []Value, _ arguments) (out []Value, err error) {
	for i := 0; err == nil && i < len(in); i++ {
		out, err = c.appendChildren(out, in[i])
	}
	return out, err
}

func descendants(c *evaluation, in []Value, _ arguments) (out []Value, err error) {
	for i := 0; err == nil && i < len(in); i++ {
		out, err = c.appendDescendants(out, in[i])
	}
	return out, err
}

func extension(c *evaluation, in []Value, args arguments) ([]Value, error) {
	url, ok, err := args.text(c, 0)
	if err != nil || !ok {
		return nil, err
	}
	var all []Value
	for i := 0; err == nil && i < len(in); i++ {
		all, err = c.appendChild(all, in[i], "extension")
	}
	var out []Value
	for _, v := range all {
		if v.Node.Str("url") == url {
			out = append(out, v)
		}
	}
	return out, err
}
