package fhirpath

import (
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// isA reports whether typ is the type want or derives from it. Case is of no account: R4 writes
// "DateTime" in one place and "dateTime" in another, and no two of its types differ by case.
func (c *evaluation) isA(typ, want string) bool {
	for t := typ; t != ""; t = parentType(t) {
		if strings.EqualFold(t, want) {
			return true
		}
	}
	switch want {
	case "Resource":
		return c.isResource(typ)
	case "DomainResource":
		return c.isResource(typ) && typ != "Bundle" && typ != "Binary" && typ != "Parameters"
	case "Element":
		return !c.isResource(typ)
	case "BackboneElement":
		return strings.Contains(typ, ".")
	}
	return false
}

// parentType returns the data type that typ specializes, "" for none that matters.
func parentType(typ string) string {
	switch typ {
	case "code", "id", "markdown":
		return "string"
	case "canonical", "oid", "url", "uuid":
		return "uri"
	case "positiveInt", "unsignedInt":
		return "integer"
	case "Age", "Count", "Distance", "Duration", "MoneyQuantity", "SimpleQuantity":
		return "Quantity"
	}
	return ""
}

// isResource reports whether typ is a resource type: only these have implicitRules.
func (c *evaluation) isResource(typ string) bool {
	_, ok := c.schema.Element(typ, "implicitRules")
	return ok
}

// resolve leads from references to what they refer to: a contained resource, or a value that has
// no node and the type that the reference's text names.
func resolve(c *evaluation, in []Value, _ arguments) ([]Value, error) {
	var out []Value
	for _, v := range in {
		if err := c.spend(1); err != nil {
			return nil, err
		}
		target := c.target(v)
		if target.Type != "" {
			out = append(out, target)
		}
	}
	return out, nil
}

// target returns what the Reference, canonical or uri v refers to; its type is "" where that is
// unknown.
func (c *evaluation) target(v Value) Value {
	if v.Node == nil {
		return Value{}
	}
	text, typ := v.Node.Text, ""
	if v.Node.Kind == fhirjson.Object {
		text, typ = v.Node.Str("reference"), v.Node.Str("type")
	}
	if id, local := strings.CutPrefix(text, "#"); local {
		return c.contained(id)
	}
	if named := TargetType(text); c.isResource(named) {
		return Value{Type: named}
	}
	if c.isResource(typ) {
		return Value{Type: typ}
	}
	return Value{}
}

// contained returns the contained resource of that id; without an id, the container.
func (c *evaluation) contained(id string) Value {
	if id == "" {
		return c.container
	}
	resources := c.container.Node.Get("contained")
	c.steps -= count(resources)
	for i := range count(resources) {
		if n := item(resources, i); n.Str("id") == id {
			return ResourceValue(n)
		}
	}
	return Value{}
}

// TargetType returns the name in a literal reference that stands where the target's type does:
// Patient for "Patient/1", "https://a.example/fhir/Patient/1/_history/2" and the conditional
// "Patient?identifier=x". It is "" where there is none, as in "urn:uuid:…".
func TargetType(reference string) string {
	if typ, _, conditional := strings.Cut(reference, "?"); conditional {
		return typ[strings.LastIndexByte(typ, '/')+1:]
	}
	reference, _, _ = strings.Cut(reference, "#")
	if i := strings.Index(reference, "/_history/"); i >= 0 {
		reference = reference[:i]
	}
	end := strings.LastIndexByte(reference, '/')
	if end < 0 {
		return ""
	}
	return reference[strings.LastIndexByte(reference[:end], '/')+1 : end]
}
