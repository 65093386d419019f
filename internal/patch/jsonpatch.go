package patch

import (
	"fmt"
	"slices"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// ParseJSON reads a JSON Patch document (RFC 6902). Its error is a *fhirjson.SyntaxError or an
// *Error.
func ParseJSON(body []byte) (*Patch, error) {
	root, err := fhirjson.Parse(body)
	if err != nil {
		return nil, err
	}
	switch {
	case root.Str("resourceType") == "Parameters":
		return nil, malformed("structure", "a JSON Patch is an array of operations; this is a FHIRPath Patch, whose Content-Type is application/fhir+json")
	case root.Kind != fhirjson.Array:
		return nil, malformed("structure", "a JSON Patch is an array of operations; this is a JSON %s", root.Kind)
	}
	p := &Patch{source: body}
	for i := range root.Items {
		o, err := parseJSONOperation(&root.Items[i])
		if err != nil {
			return nil, at(i, o, err)
		}
		p.operations = append(p.operations, o)
	}
	return p, nil
}

// A jsonOperation is an operation of JSON Patch.
type jsonOperation struct {
	op         string
	path, from pointer
	value      *fhirjson.Node
}

func (o *jsonOperation) String() string {
	switch {
	case o.op == "":
		return "none"
	case o.op == "move" || o.op == "copy":
		return fmt.Sprintf("%s %s %s", o.op, o.from, o.path)
	}
	return fmt.Sprintf("%s %s", o.op, o.path)
}

func (*jsonOperation) expression(int) string { return "" }

// parseJSONOperation reads an operation. Members that it does not take are ignored (RFC 6902,
// section 4). With an error comes what could be read.
func parseJSONOperation(n *fhirjson.Node) (o *jsonOperation, err error) {
	o = &jsonOperation{}
	if n.Kind != fhirjson.Object {
		return o, malformed("structure", "an operation is a JSON object; this is a JSON %s", n.Kind)
	}
	op, err := text(n, "op")
	if err != nil {
		return o, err
	}
	if !slices.Contains([]string{"add", "remove", "replace", "move", "copy", "test"}, op) {
		return o, malformed("value", "op is %q; it has to be add, remove, replace, move, copy or test", op)
	}
	o.op = op
	if o.path, err = pointerIn(n, "path"); err != nil {
		return o, err
	}
	switch op {
	case "add", "replace", "test":
		if o.value = n.Get("value"); o.value == nil {
			return o, malformed("required", "%s needs a value", op)
		}
	case "move", "copy":
		if o.from, err = pointerIn(n, "from"); err != nil {
			return o, err
		}
		if op == "move" && o.from.leadsInto(o.path) {
			return o, malformed("invalid", "a value cannot be moved into itself")
		}
	}
	return o, nil
}

func text(n *fhirjson.Node, name string) (string, error) {
	switch v := n.Get(name); {
	case v == nil:
		return "", malformed("required", "the operation has no %s", name)
	case v.Kind != fhirjson.String:
		return "", malformed("structure", "%s is a JSON %s; it has to be a string", name, v.Kind)
	default:
		return v.Text, nil
	}
}

func pointerIn(n *fhirjson.Node, name string) (pointer, error) {
	s, err := text(n, name)
	if err != nil {
		return nil, err
	}
	p, err := parsePointer(s)
	if err != nil {
		return nil, malformed("value", "%s: %v", name, err)
	}
	return p, nil
}

func (o *jsonOperation) apply(d *document) error {
	switch o.op {
	case "add":
		return o.add(d)
	case "remove":
		_, err := d.remove(o.path)
		return err
	case "replace":
		return o.replace(d)
	case "move":
		return o.move(d)
	case "copy":
		return o.copy(d)
	default:
		return o.test(d)
	}
}

// add is RFC 6902, section 4.1.
func (o *jsonOperation) add(d *document) error {
	value, err := d.graft(o.value)
	if err != nil {
		return err
	}
	return d.add(o.path, value)
}

// replace is RFC 6902, section 4.3: the value has to be there.
func (o *jsonOperation) replace(d *document) error {
	n, err := d.walk(o.path, true)
	if err != nil {
		return err
	}
	value, err := d.graft(o.value)
	if err != nil {
		return err
	}
	*n = value
	return d.fits(len(o.path), n)
}

// move is RFC 6902, section 4.4.
func (o *jsonOperation) move(d *document) error {
	if slices.Equal(o.from, o.path) {
		_, err := d.walk(o.from, false)
		return err
	}
	value, err := d.remove(o.from)
	if err != nil {
		return err
	}
	return d.add(o.path, value)
}

// copy is RFC 6902, section 4.5.
func (o *jsonOperation) copy(d *document) error {
	n, err := d.walk(o.from, false)
	if err != nil {
		return err
	}
	value, err := d.duplicate(n)
	if err != nil {
		return err
	}
	return d.add(o.path, value)
}

// test is RFC 6902, section 4.6. What the resource has instead is not told: whoever may write it
// need not be one who may read it. A comparison that succeeds takes no longer than the patch is.
func (o *jsonOperation) test(d *document) error {
	n, err := d.walk(o.path, false)
	if err != nil {
		return err
	}
	if !fhirpath.Same(n, o.value) {
		return unfit("the value is not the one that the test wants")
	}
	return nil
}

// add puts a value into an array, or into an object instead of what has that name there.
func (d *document) add(p pointer, value fhirjson.Node) error {
	if err := d.fits(len(p), &value); err != nil {
		return err
	}
	if len(p) == 0 {
		d.root = value
		return nil
	}
	parent, token := p.last()
	n, err := d.walk(parent, true)
	if err != nil {
		return err
	}
	switch n.Kind {
	case fhirjson.Object:
		i, err := d.find(n, token)
		if err != nil {
			return err
		}
		if i < 0 {
			n.Members = append(n.Members, d.member(token, value))
			return nil
		}
		n.Members[i].Value = value
		return nil
	case fhirjson.Array:
		i, err := index(n, parent, token)
		if err != nil {
			return err
		}
		n.Items = slices.Insert(n.Items, i, value)
		return d.spend(1 + len(n.Items) - i)
	}
	return unfit("%s is a %s and takes nothing by the name %q", parent.place(), n.Kind, token)
}

// remove takes a value out of its object or array and returns it (RFC 6902, section 4.2).
func (d *document) remove(p pointer) (fhirjson.Node, error) {
	if len(p) == 0 {
		return fhirjson.Node{}, unfit("the resource as a whole cannot be removed: delete it")
	}
	parent, token := p.last()
	n, err := d.walk(parent, true)
	if err != nil {
		return fhirjson.Node{}, err
	}
	child, err := d.child(n, parent, token)
	if err != nil {
		return fhirjson.Node{}, err
	}
	value := *child
	if n.Kind == fhirjson.Object {
		n.Members = slices.DeleteFunc(n.Members, func(m fhirjson.Member) bool { return m.Name == token })
		return value, d.spend(len(n.Members))
	}
	i, err := index(n, parent, token)
	if err != nil {
		return fhirjson.Node{}, err
	}
	n.Items = slices.Delete(n.Items, i, i+1)
	return value, d.spend(len(n.Items) - i)
}
