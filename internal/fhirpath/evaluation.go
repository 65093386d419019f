package fhirpath

import (
	"errors"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// ErrTooCostly means that an evaluation was given up because it looked at more than ten million
// elements, or at more than its Options allow.
var ErrTooCostly = errors.New("the evaluation takes too many steps")

const maxSteps = 10_000_000

// An evaluation is one run of an expression: where it runs and how far it has come.
type evaluation struct {
	schema    Schema
	context   [1]Value // the root, as the collection that the expression begins with
	resource  Value    // %resource
	container Value    // %rootResource
	index     int      // $index
	steps     int      // left
}

func newEvaluation(s Schema, root Value, opt Options) *evaluation {
	c := &evaluation{schema: s, steps: maxSteps}
	if opt.Steps != nil {
		c.steps = *opt.Steps
	}
	c.begin(root, opt)
	return c
}

// begin sets where the next expression runs.
func (c *evaluation) begin(root Value, opt Options) {
	c.context[0], c.resource, c.index = root, root, 0
	if opt.Resource.Node != nil {
		c.resource = opt.Resource
	}
	c.container = c.resource
	if opt.RootResource.Node != nil {
		c.container = opt.RootResource
	}
}

// settle takes what was used off the budget that the evaluation shares.
func (c *evaluation) settle(opt Options) {
	if opt.Steps != nil {
		*opt.Steps = max(0, c.steps)
	}
}

// spend counts work, and reports an error when there has been too much.
func (c *evaluation) spend(steps int) error {
	if c.steps -= steps; c.steps < 0 {
		return ErrTooCostly
	}
	return nil
}

// appendPath appends what the steps lead to from v.
func (c *evaluation) appendPath(out []Value, v Value, steps []string) ([]Value, error) {
	if len(steps) == 0 {
		return append(out, v), nil
	}
	if len(steps) == 1 {
		return c.appendChild(out, v, steps[0])
	}
	var few [4]Value // most elements have few values: no allocation for them
	children, err := c.appendChild(few[:0], v, steps[0])
	for i := 0; err == nil && i < len(children); i++ {
		out, err = c.appendPath(out, children[i], steps[1:])
	}
	return out, err
}

// appendChild appends the values of v's element name.
func (c *evaluation) appendChild(out []Value, v Value, name string) ([]Value, error) {
	if v.Node == nil || v.Node.Kind != fhirjson.Object {
		return c.appendOfPrimitive(out, v, name)
	}
	members := v.Node.Members
	if err := c.spend(1 + len(members)); err != nil {
		return nil, err
	}
	first := 0
	for first < len(members) && !isMemberOf(members[first].Name, name) {
		first++
	}
	if first == len(members) { // most elements that are asked for are absent: no need for the schema
		return out, nil
	}
	types, ok := c.schema.Element(v.Type, name)
	if !ok || len(types) == 0 {
		return out, nil
	}
	var value, ext *fhirjson.Node
	typ := types[0]
	for i := first; i < len(members); i++ {
		m := &members[i]
		if !isMemberOf(m.Name, name) {
			continue
		}
		plain, isExt := strings.CutPrefix(m.Name, "_")
		of, found := elementType(plain[len(name):], types)
		switch {
		case !found:
		case isExt:
			ext, typ = &m.Value, of
		default:
			value, typ = &m.Value, of
		}
	}
	return appendElement(out, typ, value, ext), c.spend(max(count(value), count(ext)))
}

// isMemberOf reports whether a member may be one of the element name: its value, its extensions
// or one of its choices.
func isMemberOf(member, name string) bool {
	if len(member) > 0 && member[0] == '_' {
		member = member[1:]
	}
	return strings.HasPrefix(member, name)
}

// elementType tells which of an element's types a member has whose name is the element's with
// suffix behind it: choice elements have the capitalized type there.
func elementType(suffix string, types []string) (typ string, found bool) {
	if suffix == "" {
		return types[0], true
	}
	if len(types) == 1 {
		return "", false
	}
	for _, t := range types {
		if len(t) == len(suffix) && t[1:] == suffix[1:] && upper(t[0]) == suffix[0] {
			return t, true
		}
	}
	return "", false
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// appendOfPrimitive appends the id or extensions of a primitive.
func (c *evaluation) appendOfPrimitive(out []Value, v Value, name string) ([]Value, error) {
	switch {
	case v.Ext == nil:
		return out, nil
	case name == "extension":
		return appendElement(out, "Extension", v.Ext.Get(name), nil), nil
	case name == "id":
		return appendElement(out, "string", v.Ext.Get(name), nil), nil
	}
	return out, nil
}

// appendElement appends the values that an element has in JSON: value is what stands under its
// name and ext what stands under the name with an underscore. Either may be nil or an array.
func appendElement(out []Value, typ string, value, ext *fhirjson.Node) []Value {
	for i := range max(count(value), count(ext)) {
		v := Value{Type: typ, Node: item(value, i), Ext: item(ext, i)}
		if v.Node != nil && v.Node.Kind == fhirjson.Null {
			v.Node = nil
		}
		if v.Ext != nil && v.Ext.Kind != fhirjson.Object {
			v.Ext = nil
		}
		if v.Node == nil && v.Ext == nil {
			continue
		}
		if typ == "Resource" || typ == "DomainResource" {
			v.Type = v.Node.Str("resourceType")
		}
		out = append(out, v)
	}
	return out
}

// count returns how many values n holds: those of an array, or itself.
func count(n *fhirjson.Node) int {
	switch {
	case n == nil:
		return 0
	case n.Kind == fhirjson.Array:
		return len(n.Items)
	}
	return 1
}

func item(n *fhirjson.Node, i int) *fhirjson.Node {
	switch {
	case i >= count(n):
		return nil
	case n.Kind == fhirjson.Array:
		return &n.Items[i]
	}
	return n
}

// appendChildren appends the values of all of v's elements.
func (c *evaluation) appendChildren(out []Value, v Value) ([]Value, error) {
	if v.Node == nil || v.Node.Kind != fhirjson.Object {
		out, _ = c.appendOfPrimitive(out, v, "id")
		return c.appendOfPrimitive(out, v, "extension")
	}
	if err := c.spend(1 + len(v.Node.Members)); err != nil {
		return nil, err
	}
	for i := range v.Node.Members {
		m := &v.Node.Members[i]
		name, isExt := strings.CutPrefix(m.Name, "_")
		types, ok := c.schema.Element(v.Type, name)
		switch {
		case !ok || len(types) != 1:
		case !isExt:
			out = appendElement(out, types[0], &m.Value, v.Node.Get("_"+name))
		case v.Node.Get(name) == nil:
			out = appendElement(out, types[0], nil, &m.Value)
		}
	}
	return out, nil
}

// appendDescendants appends v's children, their children and so on.
func (c *evaluation) appendDescendants(out []Value, v Value) ([]Value, error) {
	start := len(out)
	out, err := c.appendChildren(out, v)
	for i := start; err == nil && i < len(out); i++ {
		out, err = c.appendChildren(out, out[i])
	}
	return out, err
}
