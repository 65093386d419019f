package patch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// ParseParameters reads a FHIRPath Patch: a Parameters resource in which each parameter is an
// operation (FHIR R4, FHIRPath Patch, Parameters Format). Without parameters it changes nothing.
// Its error is a *fhirjson.SyntaxError or an *Error.
func ParseParameters(body []byte, defs *r4.Table) (*Patch, error) {
	root, err := fhirjson.Parse(body)
	if err != nil {
		return nil, err
	}
	if typ := root.Str("resourceType"); typ != "Parameters" {
		return nil, malformed("structure", "a FHIRPath Patch is a Parameters resource; the body is %s", describe(root, typ))
	}
	p := &Patch{source: body}
	list := root.Get("parameter")
	if list == nil {
		return p, nil
	}
	if list.Kind != fhirjson.Array {
		return nil, malformed("structure", "Parameters.parameter is a JSON %s; it has to be an array", list.Kind)
	}
	for i := range list.Items {
		o, err := parsePathOperation(&list.Items[i], defs)
		if err != nil {
			return nil, at(i, o, err)
		}
		p.operations = append(p.operations, o)
	}
	return p, nil
}

func describe(root *fhirjson.Node, typ string) string {
	switch {
	case root.Kind == fhirjson.Array:
		return "a JSON array, as a JSON Patch is, whose Content-Type is application/json-patch+json"
	case root.Kind != fhirjson.Object:
		return "a JSON " + root.Kind.String()
	case typ == "":
		return "an object without resourceType"
	}
	return "of the type " + clip(typ)
}

// A pathOperation is an operation of FHIRPath Patch.
type pathOperation struct {
	defs *r4.Table
	op   string
	path *fhirpath.Expr

	name                       string
	value                      content
	index, source, destination int
}

func (o *pathOperation) String() string {
	switch {
	case o.op == "":
		return "none"
	case o.path == nil:
		return o.op
	case o.name != "":
		return fmt.Sprintf("%s %s to %s", o.op, o.name, o.path)
	}
	return fmt.Sprintf("%s %s", o.op, o.path)
}

func (*pathOperation) expression(index int) string {
	return fmt.Sprintf("Parameters.parameter[%d]", index)
}

// partsOf returns the parts that an operation has besides its type, all of which it needs, or nil
// for what is no operation.
func partsOf(op string) []string {
	switch op {
	case "add":
		return []string{"path", "name", "value"}
	case "insert":
		return []string{"path", "index", "value"}
	case "delete":
		return []string{"path"}
	case "replace":
		return []string{"path", "value"}
	case "move":
		return []string{"path", "source", "destination"}
	}
	return nil
}

// parsePathOperation reads an operation. With an error comes what could be read.
func parsePathOperation(n *fhirjson.Node, defs *r4.Table) (*pathOperation, error) {
	o := &pathOperation{defs: defs}
	c, name, err := parseContent(n, defs)
	if err != nil {
		return o, err
	}
	if name != "operation" {
		return o, malformed("value", "the parameter's name is %q; in a FHIRPath Patch it has to be operation", name)
	}
	parts, err := namedParts(c)
	if err != nil {
		return o, err
	}
	op, err := textPart(parts, "type", "code")
	if err != nil {
		return o, err
	}
	takes := partsOf(op)
	if takes == nil {
		return o, malformed("value", "type is %q; it has to be add, insert, delete, replace or move", op)
	}
	o.op = op
	for _, part := range c.parts {
		if part.name != "type" && !slices.Contains(takes, part.name) {
			return o, malformed("invalid", "%s has no part %q; it takes %s", op, part.name, strings.Join(takes, ", "))
		}
	}
	for _, part := range takes {
		if err := o.read(parts, part); err != nil {
			return o, err
		}
	}
	return o, nil
}

func namedParts(c content) (map[string]content, error) {
	if c.parts == nil {
		return nil, malformed("required", "the operation has no parts")
	}
	parts := map[string]content{}
	for _, part := range c.parts {
		if _, twice := parts[part.name]; twice {
			return nil, malformed("invalid", "the part %q is there twice", part.name)
		}
		parts[part.name] = part.content
	}
	return parts, nil
}

// read reads one part of the operation.
func (o *pathOperation) read(parts map[string]content, name string) (err error) {
	switch name {
	case "path":
		var path string
		if path, err = textPart(parts, name, "string"); err == nil {
			if o.path, err = fhirpath.Compile(path); err != nil {
				err = malformed("value", "path: %v", err)
			}
		}
	case "name":
		o.name, err = textPart(parts, name, "string")
	case "index":
		o.index, err = indexPart(parts, name)
	case "source":
		o.source, err = indexPart(parts, name)
	case "destination":
		o.destination, err = indexPart(parts, name)
	case "value":
		var ok bool
		if o.value, ok = parts[name]; !ok {
			err = malformed("required", "%s needs a value", o.op)
		}
	}
	return err
}

// part returns a part of a primitive type.
func part(parts map[string]content, name, typ string) (*fhirjson.Node, error) {
	c, ok := parts[name]
	if !ok {
		return nil, malformed("required", "the part %s is missing", name)
	}
	if c.typ != typ || c.value == nil {
		return nil, malformed("structure", "the part %s has to be a value%s", name, capitalized(typ))
	}
	return c.value, checkKind(typ, c.value)
}

func textPart(parts map[string]content, name, typ string) (string, error) {
	n, err := part(parts, name, typ)
	if err != nil {
		return "", err
	}
	return n.Text, nil
}

func indexPart(parts map[string]content, name string) (int, error) {
	n, err := part(parts, name, "integer")
	if err != nil {
		return 0, err
	}
	i, err := strconv.Atoi(n.Text)
	if err != nil || i < 0 {
		return 0, malformed("value", "%s is %s; it has to be a whole number from 0", name, clip(n.Text))
	}
	return i, nil
}

// content is what a parameter holds: a value of a data type, a resource, or parts.
type content struct {
	typ        string         // of a value
	value, ext *fhirjson.Node // valueDate and _valueDate
	resource   *fhirjson.Node
	parts      []namedContent // not nil where there are parts
}

type namedContent struct {
	name string
	content
}

// parseContent reads a parameter or a part (FHIR R4, Parameters).
func parseContent(n *fhirjson.Node, defs *r4.Table) (c content, name string, err error) {
	if n.Kind != fhirjson.Object {
		return c, "", malformed("structure", "a parameter is a JSON object; this is a JSON %s", n.Kind)
	}
	if name = n.Str("name"); name == "" {
		return c, "", malformed("required", "a parameter has no name")
	}
	kinds := 0
	for i := range n.Members {
		m := &n.Members[i]
		switch m.Name {
		case "name", "id", "extension":
		case "resource":
			c.resource, kinds = &m.Value, kinds+1
			if m.Value.Str("resourceType") == "" {
				return c, name, malformed("structure", "the resource of the part %s has no resourceType", name)
			}
		case "part":
			kinds++
			if c.parts, err = parseParts(&m.Value, name, defs); err != nil {
				return c, name, err
			}
		default:
			before := c.typ
			if err := c.readValue(m, defs); err != nil {
				return c, name, err
			}
			if c.typ != before {
				kinds++
			}
		}
	}
	if kinds != 1 { // inv-1 of Parameters
		return c, name, malformed("structure", "the part %s has to have one value, one resource or parts, and only one of them", name)
	}
	return c, name, nil
}

// readValue reads the member of a value or of what extends one.
func (c *content) readValue(m *fhirjson.Member, defs *r4.Table) error {
	name, isExt := strings.CutPrefix(m.Name, "_")
	_, typ, _ := elementOf(defs, "Parameters.parameter", name)
	switch {
	case typ == "":
		return malformed("structure", "a parameter has no element %q", m.Name)
	case isExt && m.Value.Kind != fhirjson.Object:
		return malformed("structure", "%s is a JSON %s; it has to be an object", m.Name, m.Value.Kind)
	case isExt:
		c.ext = &m.Value
	default:
		c.value = &m.Value
	}
	c.typ = typ
	return nil
}

func parseParts(list *fhirjson.Node, name string, defs *r4.Table) ([]namedContent, error) {
	if list.Kind != fhirjson.Array || len(list.Items) == 0 {
		return nil, malformed("structure", "the parts of %s have to be an array that is not empty", name)
	}
	parts := make([]namedContent, len(list.Items))
	for i := range list.Items {
		var err error
		if parts[i].content, parts[i].name, err = parseContent(&list.Items[i], defs); err != nil {
			return nil, err
		}
	}
	return parts, nil
}
