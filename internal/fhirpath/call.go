package fhirpath

import "regexp"

// A selection is a function from one collection to another; a test is one that is true, false or
// undecided of a collection. args are not evaluated yet, since a criterion is evaluated on each
// item.
type (
	selection func(c *evaluation, in []Value, args arguments) ([]Value, error)
	test      func(c *evaluation, in []Value, args arguments) (truth, error)
)

// A function is what a name stands for: a selection or a test.
type function struct {
	least, most int // arguments
	selection   selection
	test        test
}

// arguments are a call's arguments with what they are evaluated on.
type arguments struct {
	nodes   []node
	focus   []Value        // of the call: an argument that is not a criterion is evaluated on it
	pattern *regexp.Regexp // of the first argument where that is a literal
}

// call reads a function's arguments. Its name has been read.
func (p *parser) call(name token, base node) (node, error) {
	switch name.text {
	case "as", "ofType", "is":
		return p.typeCall(name, base)
	}
	f, ok := functionNamed(name.text)
	if !ok {
		return nil, p.failAt(name, "unknown function %s()", name.text)
	}
	nodes, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(nodes) < f.least || len(nodes) > f.most {
		return nil, p.failAt(name, "%s() takes %d to %d arguments, not %d", name.text, f.least, f.most, len(nodes))
	}
	args := arguments{nodes: nodes}
	if name.text == "matches" || name.text == "replaceMatches" {
		if err := args.compilePattern(); err != nil {
			return nil, p.failAt(name, "the regular expression of %s() is invalid: %v", name.text, err)
		}
	}
	if f.test != nil {
		return predicate{testCall{base, f.test, args}}, nil
	}
	return selectionCall{base, f.selection, args}, nil
}

// typeCall reads the argument of is(), as() or ofType().
func (p *parser) typeCall(name token, base node) (node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	typ, err := p.typeName()
	if err != nil {
		return nil, err
	}
	if name.text == "is" {
		return predicate{isType{base, typ}}, p.expect(")")
	}
	return asType{base, typ}, p.expect(")")
}

func (p *parser) arguments() ([]node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var nodes []node
	for !p.tok.is(")") {
		if len(nodes) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		n, err := p.expression(1)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, p.advance()
}

// compilePattern compiles the first argument where that is a literal.
func (a *arguments) compilePattern() error {
	literal, ok := a.nodes[0].(constant)
	if !ok {
		return nil
	}
	var err error
	a.pattern, err = compilePattern(literal.value.Node.Text)
	return err
}

// compilePattern compiles a regular expression in single line mode (FHIRPath N1, section 5.6.10).
func compilePattern(s string) (*regexp.Regexp, error) { return regexp.Compile("(?s)" + s) }

type selectionCall struct {
	base node
	do   selection
	args arguments
}

func (n selectionCall) eval(c *evaluation, focus []Value) ([]Value, error) {
	in, err := n.base.eval(c, focus)
	if err != nil {
		return nil, err
	}
	args := n.args
	args.focus = focus
	return n.do(c, in, args)
}

type testCall struct {
	base node
	do   test
	args arguments
}

func (n testCall) truth(c *evaluation, focus []Value) (truth, error) {
	in, err := n.base.eval(c, focus)
	if err != nil {
		return undecided, err
	}
	args := n.args
	args.focus = focus
	return n.do(c, in, args)
}

// each calls do with the verdict on every item of in by the first argument. Without arguments
// every item counts as true.
func (a arguments) each(c *evaluation, in []Value, do func(item Value, t truth) (more bool)) error {
	outer := c.index
	defer func() { c.index = outer }()
	for i := range in {
		if err := c.spend(1); err != nil {
			return err
		}
		t := yes
		if len(a.nodes) > 0 {
			c.index = i
			var err error
			if t, err = truthOf(a.nodes[0], c, in[i:i+1:i+1]); err != nil {
				return err
			}
		}
		if !do(in[i], t) {
			return nil
		}
	}
	return nil
}

// text evaluates argument i to a text. ok is false where that is empty.
func (a arguments) text(c *evaluation, i int) (s string, ok bool, err error) {
	values, err := a.nodes[i].eval(c, a.focus)
	if err != nil {
		return "", false, err
	}
	return oneText(values)
}
