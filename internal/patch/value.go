package patch

import (
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// An entry is one element: its value and, for primitives, what extends it. Either may be absent;
// then its Kind is 0.
type entry struct{ value, ext fhirjson.Node }

// elementOf returns the definition of an element by its name, or by its name in JSON where that
// tells the type of a choice, which is returned as well.
func elementOf(defs *r4.Table, typ, name string) (def r4.ElementDef, choice string, ok bool) {
	for _, def := range defs.Elements(typ) {
		if def.Name == name {
			return def, "", true
		}
		if suffix, is := strings.CutPrefix(name, def.Name); is && def.Choice {
			if i := typeNamed(def.Types, suffix); i >= 0 {
				return def, def.Types[i], true
			}
		}
	}
	return r4.ElementDef{}, "", false
}

// typeNamed returns the index of the type that a member's name has behind that of its element, or
// -1.
func typeNamed(types []string, suffix string) int {
	return slices.IndexFunc(types, func(t string) bool { return capitalized(t) == suffix })
}

func capitalized(typ string) string { return strings.ToUpper(typ[:1]) + typ[1:] }

// jsonName is the name of an element of a type in JSON.
func jsonName(def r4.ElementDef, typ string) string {
	if def.Choice {
		return def.Name + capitalized(typ)
	}
	return def.Name
}

// build makes an element of content. choice is the type that the element has to have, or "" for
// any that it may have. It returns the element's type.
func (d *document) build(defs *r4.Table, def r4.ElementDef, choice string, c content, depth int) (e entry, typ string, err error) {
	types := def.Types
	if choice != "" {
		types = []string{choice}
	}
	switch {
	case c.parts != nil:
		if len(types) != 1 {
			return e, "", unfit("%s may be of several types: name the one that the parts make, as in %s", def.Name, jsonName(def, types[0]))
		}
		typ = types[0]
		e, err = d.assemble(defs, typ, c.parts, depth)
	case c.resource != nil:
		if typ = types[0]; typ != "Resource" {
			return e, "", unfit("%s is no resource; it has to be %s", def.Name, wanted(def, types))
		}
		e.value, err = d.graft(c.resource)
	default:
		if typ, err = valueType(def, types, c.typ); err == nil {
			e, err = d.simple(typ, c)
		}
	}
	if err == nil {
		err = d.fits(depth, &e.value)
	}
	if err == nil {
		err = d.fits(depth, &e.ext)
	}
	return e, typ, err
}

// valueType returns the type of an element of which a value has that type. It has to be right for
// the place (FHIR R4, FHIRPath Patch); Parameters have no xhtml, so that a string stands for it.
func valueType(def r4.ElementDef, types []string, typ string) (string, error) {
	if types[0] == "xhtml" && typ == "string" {
		return "xhtml", nil
	}
	if !slices.Contains(types, typ) {
		return "", unfit("%s cannot be a value%s; it has to be %s", def.Name, capitalized(typ), wanted(def, types))
	}
	return typ, nil
}

func wanted(def r4.ElementDef, types []string) string {
	var list []string
	for _, t := range types {
		switch {
		case t == "Resource":
			list = append(list, "a resource")
		case strings.Contains(t, "."), t == "Extension", t == "Narrative", t == "ElementDefinition": // what no parameter can be
			list = append(list, "parts, which are the elements of "+t)
		case t == "xhtml":
			list = append(list, "valueString")
		default:
			list = append(list, "value"+capitalized(t))
		}
	}
	const many = 8
	if len(list) > many {
		return "of one of the types that " + def.Path + " has"
	}
	return strings.Join(list, " or ")
}

// simple makes an element of a value.
func (d *document) simple(typ string, c content) (e entry, err error) {
	if c.value != nil {
		if err = checkKind(typ, c.value); err == nil {
			e.value, err = d.graft(c.value)
		}
	}
	if err != nil || c.ext == nil {
		return e, err
	}
	if !isPrimitive(typ) {
		return e, malformed("structure", "_value%s: only primitives have such a member", capitalized(typ))
	}
	e.ext, err = d.graft(c.ext)
	return e, err
}

// isPrimitive reports whether a type is one of a single value: only their names begin with a
// small letter.
func isPrimitive(typ string) bool { return typ != "" && 'a' <= typ[0] && typ[0] <= 'z' }

// checkKind refuses a value that is no JSON of its type.
func checkKind(typ string, n *fhirjson.Node) error {
	want := fhirjson.String
	switch typ {
	case "boolean":
		want = fhirjson.Bool
	case "integer", "positiveInt", "unsignedInt", "decimal":
		want = fhirjson.Number
	default:
		if !isPrimitive(typ) {
			want = fhirjson.Object
		}
	}
	if n.Kind != want {
		return malformed("structure", "a value%s is a JSON %s; this is a JSON %s", capitalized(typ), want, n.Kind)
	}
	return nil
}

// assemble makes an element of parts that are its own elements (FHIR R4, FHIRPath Patch,
// Anonymous Types).
func (d *document) assemble(defs *r4.Table, typ string, parts []namedContent, depth int) (e entry, err error) {
	object := fhirjson.Node{Kind: fhirjson.Object, Start: nowhere, End: nowhere}
	for _, p := range parts {
		if err := d.addTo(defs, &object, typ, p.name, p.content, depth+1); err != nil {
			return e, err
		}
	}
	if isPrimitive(typ) { // whose parts are its id and its extensions
		e.ext = object
	} else {
		e.value = object
	}
	return e, nil
}

// addTo adds an element of that name to an object of a type: behind those that there are of it,
// where it repeats.
func (d *document) addTo(defs *r4.Table, object *fhirjson.Node, typ, name string, c content, depth int) error {
	def, choice, ok := elementOf(defs, typ, name)
	if !ok {
		return unfit("%s has no element %q", typ, name)
	}
	repeats := def.Max != 1
	if repeats {
		depth++
	}
	e, of, err := d.build(defs, def, choice, c, depth)
	if err != nil {
		return err
	}
	if repeats {
		all, err := d.elements(object, def.Name)
		if err != nil {
			return err
		}
		if !all.repeat && len(all.list) > 0 {
			return unfit("%s is no array, though it repeats", def.Name)
		}
		all.list, all.repeat = append(all.list, e), true
		d.setElements(object, def.Name, all)
		return nil
	}
	for _, t := range def.Types {
		if has(object, jsonName(def, t)) {
			return unfit("there is %s already, which does not repeat; replace it", def.Name)
		}
	}
	d.setElements(object, jsonName(def, of), elements{list: []entry{e}})
	return nil
}
