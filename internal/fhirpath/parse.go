package fhirpath

import (
	"fmt"
	"strings"
)

// maxDepth limits how deeply an expression may be nested, so that neither compiling nor
// evaluating it can exhaust the stack.
const maxDepth = 100

// Compile reads an expression. Its error is a *SyntaxError, also for a function or variable that
// this package does not know.
func Compile(expression string) (*Expr, error) {
	p := parser{lex: lexer{src: expression}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	root, err := p.expression(1)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != endToken {
		return nil, p.fail("unexpected %v", p.tok)
	}
	return &Expr{text: expression, root: root}, nil
}

// A parser turns tokens into nodes by precedence climbing (FHIRPath N1, section 6.8).
type parser struct {
	lex   lexer
	tok   token // the next one
	depth int
}

// precedence returns how tightly the binary operator t binds, 0 for what is none.
func precedence(t token) int {
	if t.kind != symbolToken && (t.kind != nameToken || t.quoted) {
		return 0
	}
	switch t.text {
	case "implies":
		return 1
	case "or", "xor":
		return 2
	case "and":
		return 3
	case "in", "contains":
		return 4
	case "=", "!=", "~", "!~":
		return 5
	case "<", "<=", ">", ">=":
		return 6
	case "|":
		return 7
	case "is", "as":
		return 8
	case "+", "-", "&":
		return 9
	case "*", "/", "div", "mod":
		return 10
	}
	return 0
}

// expression reads operands joined by operators that bind at least as tightly as atLeast.
func (p *parser) expression(atLeast int) (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("the expression is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	for chain := 0; ; chain++ {
		operator := p.tok
		binds := precedence(operator)
		if binds == 0 || binds < atLeast {
			return left, nil
		}
		if chain == maxDepth {
			return nil, p.fail("more than %d operators in a row", maxDepth)
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if operator.is("is") || operator.is("as") {
			left, err = p.typeOperator(operator, left)
		} else {
			var right node
			if right, err = p.expression(binds + 1); err == nil {
				left, err = p.binary(operator, left, right)
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) typeOperator(operator token, left node) (node, error) {
	name, err := p.typeName()
	if err != nil {
		return nil, err
	}
	if operator.is("is") {
		return predicate{isType{left, name}}, nil
	}
	return asType{left, name}, nil
}

func (p *parser) binary(operator token, left, right node) (node, error) {
	switch operator.text {
	case "and", "or", "xor", "implies":
		return predicate{logical{operator.text, left, right}}, nil
	case "=", "!=":
		return predicate{equality{left, right, operator.text == "!="}}, nil
	case "<", "<=", ">", ">=":
		return predicate{ordering{operator.text, left, right}}, nil
	case "in":
		return predicate{membership{left, right}}, nil
	case "contains":
		return predicate{membership{right, left}}, nil
	case "|":
		return union{left, right}, nil
	case "+", "&":
		return sum{left, right, operator.text == "&"}, nil
	}
	return nil, p.failAt(operator, "unknown operator %v", operator)
}

// operand reads a term with its invocations and indexes.
func (p *parser) operand() (node, error) {
	if p.tok.is("-") || p.tok.is("+") {
		return p.signed()
	}
	term, err := p.term()
	if err != nil {
		return nil, err
	}
	for links := 0; ; links++ {
		if links == maxDepth {
			return nil, p.fail("more than %d steps in a row", maxDepth)
		}
		switch {
		case p.tok.is("."):
			if err := p.advance(); err != nil {
				return nil, err
			}
			term, err = p.invocation(term)
		case p.tok.is("["):
			term, err = p.index(term)
		default:
			return term, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (p *parser) signed() (node, error) {
	negative := p.tok.is("-")
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind != numberToken {
		return nil, p.fail("a sign stands before %v; it may only stand before a number", p.tok)
	}
	if negative {
		p.tok.text = "-" + p.tok.text
	}
	return p.term()
}

func (p *parser) term() (node, error) {
	t := p.tok
	switch {
	case t.is("("):
		return p.parenthesized()
	case t.is("{"):
		return p.emptyCollection()
	case t.is("true"), t.is("false"):
		return constant{booleanValue(t.text == "true")}, p.advance()
	case t.kind == textToken:
		return constant{textValue(t.text)}, p.advance()
	case t.kind == numberToken:
		return constant{numberValue(t.text)}, p.advance()
	case t.kind == dateToken:
		v, ok := temporalLiteral(t.text)
		if !ok {
			return nil, p.fail("@%s is not a date or time", t.text)
		}
		return constant{v}, p.advance()
	case t.kind == variable:
		return p.variable()
	case t.kind == specialToken:
		return p.special()
	case t.kind == nameToken:
		return p.head()
	}
	return nil, p.fail("expected a value, got %v", t)
}

func (p *parser) parenthesized() (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	inner, err := p.expression(1)
	if err != nil {
		return nil, err
	}
	return inner, p.expect(")")
}

func (p *parser) emptyCollection() (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	return nothing{}, p.expect("}")
}

func (p *parser) variable() (node, error) {
	t := p.tok
	switch t.text {
	case "resource", "rootResource", "context":
		return environment{t.text}, p.advance()
	case "ucum":
		return constant{textValue("http://unitsofmeasure.org")}, p.advance()
	}
	return nil, p.fail("unknown variable %%%s", t.text)
}

func (p *parser) special() (node, error) {
	switch p.tok.text {
	case "this":
		return this{}, p.advance()
	case "index":
		return index{}, p.advance()
	}
	return nil, p.fail("unknown variable $%s", p.tok.text)
}

// head reads the first step of a path: a function, the name of a type that the context is, or an
// element. Types of resources begin with a capital letter and elements never do.
func (p *parser) head() (node, error) {
	t := p.tok
	step, err := p.invocation(this{})
	if path, ok := step.(path); ok && !t.quoted && 'A' <= t.text[0] && t.text[0] <= 'Z' {
		return typedHead{path.steps[0]}, err
	}
	return step, err
}

// invocation reads an element or a function that applies to base.
func (p *parser) invocation(base node) (node, error) {
	t := p.tok
	if _, err := p.name("a name"); err != nil {
		return nil, err
	}
	if p.tok.is("(") && !t.quoted {
		return p.call(t, base)
	}
	if parent, ok := base.(path); ok {
		steps := append(parent.steps[:len(parent.steps):len(parent.steps)], t.text)
		return path{parent.base, steps}, nil
	}
	return path{base, []string{t.text}}, nil
}

func (p *parser) index(base node) (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	at, err := p.expression(1)
	if err != nil {
		return nil, err
	}
	return indexer{base, at}, p.expect("]")
}

// typeName reads a type specifier and returns it without its namespace.
func (p *parser) typeName() (string, error) {
	name, err := p.name("the name of a type")
	if err != nil || name != "FHIR" && name != "System" || !p.tok.is(".") {
		return name, err
	}
	if err := p.advance(); err != nil {
		return "", err
	}
	return p.name("the name of a type")
}

func (p *parser) name(of string) (string, error) {
	name := p.tok.text
	if p.tok.kind != nameToken || name == "" {
		return "", p.fail("expected %s, got %v", of, p.tok)
	}
	return name, p.advance()
}

func (p *parser) advance() (err error) {
	p.tok, err = p.lex.next()
	return err
}

func (p *parser) expect(symbol string) error {
	if !p.tok.is(symbol) {
		return p.fail("expected %q, got %v", symbol, p.tok)
	}
	return p.advance()
}

func (p *parser) fail(format string, args ...any) error { return p.failAt(p.tok, format, args...) }

func (p *parser) failAt(t token, format string, args ...any) error {
	return &SyntaxError{
		Expression: strings.Clone(p.lex.src),
		Offset:     t.offset,
		Msg:        fmt.Sprintf(format, args...),
	}
}
