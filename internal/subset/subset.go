// Package subset cuts a resource down to what _summary or _elements ask for
// (FHIR R4, Search, summary and elements), and marks it with the tag
// SUBSETTED. What it keeps, it keeps byte for byte.
//
// It imports internal/r4 and internal/fhirjson and nothing else of ours.
package subset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A Selection says which part of resources is wanted. The zero Selection is
// all of them.
type Selection struct {
	// Summary is the value of _summary: true, text or data; empty for none.
	Summary string
	// Elements are the root elements that _elements names, without their
	// resource type; empty for none. Mandatory elements are kept besides.
	Elements []string
}

// IsZero reports whether the selection is all of a resource.
func (s Selection) IsZero() bool { return s.Summary == "" && len(s.Elements) == 0 }

// tag marks a resource that is not whole.
const tag = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}`

// Of returns the selected part of a resource, one line of JSON.
func Of(defs *r4.Table, resource []byte, selection Selection) ([]byte, error) {
	if selection.IsZero() {
		return resource, nil
	}
	root, err := fhirjson.Parse(resource)
	if err != nil {
		return nil, fmt.Errorf("subset: %w", err)
	}
	typ := root.Str("resourceType")
	c := cutter{defs: defs, src: resource, selection: selection}
	c.object(root, typ, true)
	return c.out, nil
}

type cutter struct {
	defs      *r4.Table
	src, out  []byte
	selection Selection
}

// object writes what is kept of an object of a type; the root is marked.
func (c *cutter) object(n *fhirjson.Node, typ string, root bool) {
	elements := c.defs.Elements(typ)
	c.out = append(c.out, '{')
	first, marked := true, !root
	member := func(name string) {
		if !first {
			c.out = append(c.out, ',')
		}
		first = false
		c.out = append(append(append(c.out, '"'), name...), '"', ':')
	}
	for i := range n.Members {
		m := &n.Members[i]
		if root && m.Name == "meta" {
			member("meta")
			c.meta(&m.Value)
			marked = true
			continue
		}
		def := find(elements, m.Name)
		if !c.keeps(m.Name, def, root) {
			continue
		}
		if root && !marked && m.Name != "resourceType" && m.Name != "id" {
			member("meta")
			c.out = append(c.out, `{"tag":[`+tag+`]}`...)
			marked = true
		}
		member(m.Name)
		c.value(&m.Value, def)
	}
	if !marked {
		member("meta")
		c.out = append(c.out, `{"tag":[`+tag+`]}`...)
	}
	c.out = append(c.out, '}')
}

// keeps reports whether an element is kept. def is nil for what the definitions
// do not know.
func (c *cutter) keeps(name string, def *r4.ElementDef, root bool) bool {
	if root && (name == "resourceType" || name == "id") {
		return true
	}
	if def == nil {
		return c.selection.Summary == "data"
	}
	if !root { // below the root only _summary=true chooses
		return def.Summary || def.Min > 0 || def.Name == "id" || def.Name == "extension"
	}
	mandatory := def.Min > 0 || def.Modifier && c.selection.Summary == "true"
	switch c.selection.Summary {
	case "true":
		return def.Summary || mandatory
	case "text":
		return def.Name == "text" || mandatory
	case "data":
		return def.Name != "text"
	}
	return mandatory || slices.Contains(c.selection.Elements, def.Name) || slices.Contains(c.selection.Elements, strings.TrimPrefix(name, "_")) ||
		slices.Contains(c.selection.Elements, def.Name+"[x]")
}

// value writes an element's value: whole, but for _summary=true of a backbone
// element, of which it is a part again.
func (c *cutter) value(n *fhirjson.Node, def *r4.ElementDef) {
	if c.selection.Summary != "true" || def == nil || len(def.Types) != 1 || !strings.Contains(def.Types[0], ".") {
		c.out = append(c.out, c.src[n.Start:n.End]...)
		return
	}
	switch n.Kind {
	case fhirjson.Object:
		c.object(n, def.Types[0], false)
	case fhirjson.Array:
		c.out = append(c.out, '[')
		for i := range n.Items {
			if i > 0 {
				c.out = append(c.out, ',')
			}
			c.value(&n.Items[i], def)
		}
		c.out = append(c.out, ']')
	default:
		c.out = append(c.out, c.src[n.Start:n.End]...)
	}
}

// meta writes meta with the tag added to it.
func (c *cutter) meta(n *fhirjson.Node) {
	if n.Kind != fhirjson.Object {
		c.out = append(c.out, c.src[n.Start:n.End]...)
		return
	}
	tags := n.Get("tag")
	switch {
	case tags != nil && tags.Kind == fhirjson.Array && len(tags.Items) > 0:
		for _, t := range tags.Items {
			if t.Str("code") == "SUBSETTED" {
				c.out = append(c.out, c.src[n.Start:n.End]...)
				return
			}
		}
		c.out = append(append(c.out, c.src[n.Start:tags.End-1]...), ","+tag+"]"...)
		c.out = append(c.out, c.src[tags.End:n.End]...)
	case tags != nil: // empty, or no array: stored without validation
		c.out = append(append(c.out, c.src[n.Start:tags.Start]...), "["+tag+"]"...)
		c.out = append(c.out, c.src[tags.End:n.End]...)
	case len(n.Members) == 0:
		c.out = append(c.out, `{"tag":[`+tag+`]}`...)
	default:
		c.out = append(append(c.out, c.src[n.Start:n.End-1]...), `,"tag":[`+tag+`]}`...)
	}
}

// find returns the definition of an element by its name in JSON.
func find(elements []r4.ElementDef, name string) *r4.ElementDef {
	name = strings.TrimPrefix(name, "_")
	for i := range elements {
		def := &elements[i]
		if def.Name == name && !def.Choice {
			return def
		}
		if rest, ok := strings.CutPrefix(name, def.Name); ok && def.Choice && rest != "" {
			for _, typ := range def.Types {
				if strings.EqualFold(rest[:1], typ[:1]) && rest[1:] == typ[1:] {
					return def
				}
			}
		}
	}
	return nil
}

// ParseElements reads the value of _elements for resources of a type: names of
// root elements, each alone or behind a resource type and a point. Names behind
// another type do not concern it. unknown are names that the type does not have.
func ParseElements(defs *r4.Table, typ, value string) (names, unknown []string) {
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if of, rest, found := strings.Cut(name, "."); found {
			if of != typ && of != "*" {
				continue
			}
			name = rest
		}
		if name == "" {
			continue
		}
		if name != "resourceType" && typ != "" && find(defs.Elements(typ), name) == nil && !isChoice(defs.Elements(typ), name) {
			unknown = append(unknown, name)
			continue
		}
		names = append(names, name)
	}
	return names, unknown
}

// isChoice reports whether name is that of a choice element without its type.
func isChoice(elements []r4.ElementDef, name string) bool {
	name = strings.TrimSuffix(name, "[x]")
	return slices.ContainsFunc(elements, func(def r4.ElementDef) bool { return def.Choice && def.Name == name })
}
