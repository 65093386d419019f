package r4

import (
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// Table tells the types of elements to FHIRPath expressions.
var _ fhirpath.Schema = (*Table)(nil)

// An ElementDef describes one element of a type.
type ElementDef struct {
	Path     string   // "Patient.contact.name", "Observation.value[x]"; of the type that defines it
	Name     string   // "name"; "value" for value[x]
	Choice   bool     // the name in JSON carries the type: valueQuantity
	Min      int      // 0 or 1
	Max      int      // -1 for *
	Types    []string // FHIR types; of a backbone element the path that Elements takes
	Targets  []string // resource types that a Reference or canonical may point to; nil: any
	Summary  bool     // part of _summary=true
	Modifier bool     // changes the meaning of the element that has it

	// Binding is the URL of the value set of a required binding, without version, or "".
	Binding string

	// Constraints are those that the element adds to the ones of its types.
	Constraints []Constraint
}

// A Constraint is an invariant: a condition on an element that FHIRPath can decide.
type Constraint struct {
	Key        string // "obs-6"
	Severity   string // "error" or "warning"
	Human      string // what it asks for
	Expression string // FHIRPath, evaluated on the element
}

// Elements returns the elements of a resource type, data type or backbone element ("Patient",
// "HumanName", "Patient.contact") in the order of the definition, inherited ones first. It
// returns nil for a type that R4 does not have.
func (t *Table) Elements(typ string) []ElementDef {
	if set := t.elementsOf(typ); set != nil {
		return set.defs[typ]
	}
	return nil
}

// Element returns the types that the child name of a value of the type may have. A choice
// element goes by its name ("value") and has several, or by its name in JSON ("valueQuantity")
// and has one.
func (t *Table) Element(typ, name string) (types []string, ok bool) {
	if set := t.elementsOf(typ); set != nil {
		types, ok = set.types[typ][name]
	}
	return types, ok
}

// Constraints returns the constraints on a resource or data type as a whole, those of its base
// types first. A backbone element's are in its ElementDef.
func (t *Table) Constraints(typ string) []Constraint {
	def, ok := t.types[typ]
	if !ok {
		return nil
	}
	return append(t.Constraints(def.base), t.constraintsByID(def.constraints)...)
}

// Base returns the type that typ specializes: "DomainResource" for "Patient", "Quantity" for
// "Age", "BackboneElement" or "Element" for a backbone element, and "" for Resource, Element and
// unknown types.
func (t *Table) Base(typ string) string {
	if def, ok := t.types[typ]; ok {
		return def.base
	}
	if set := t.elementsOf(typ); set != nil {
		return set.bases[typ]
	}
	return ""
}

// elementsOf returns the elements of the type that typ is or is a part of, nil for none.
func (t *Table) elementsOf(typ string) *elementSet {
	name, _, _ := strings.Cut(typ, ".")
	def, ok := t.types[name]
	if !ok {
		return nil
	}
	return def.elements()
}

// An elementSet is the elements of a type and of the backbone elements in it, by path.
type elementSet struct {
	defs  map[string][]ElementDef
	types map[string]map[string][]string // path, element name
	bases map[string]string              // of the backbone elements
}

func (def *typeDef) readElements() *elementSet {
	set := &elementSet{map[string][]ElementDef{}, map[string]map[string][]string{}, map[string]string{}}
	set.inherit(def.table, def.name, def.base)
	for line := range strings.Lines(def.lines) {
		if fields, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "el\t"); ok {
			set.read(def, fields)
		}
	}
	return set
}

// inherit begins the part at path with what it has from its base.
func (set *elementSet) inherit(t *Table, path, base string) {
	set.types[path] = map[string][]string{}
	for _, e := range t.Elements(base) {
		set.add(path, e)
	}
}

// read reads an element: path, cardinality, types, targets, flags, value set, constraints.
func (set *elementSet) read(def *typeDef, fields string) {
	f := split(fields, 7)
	least, most, _ := strings.Cut(f[1], "..")
	e := ElementDef{
		Path:        def.name + "." + f[0],
		Min:         integer(least),
		Max:         -1,
		Types:       list(f[2]),
		Targets:     list(f[3]),
		Summary:     strings.Contains(f[4], "S"),
		Modifier:    strings.Contains(f[4], "M"),
		Binding:     absolute(valueSetPrefix, f[5]),
		Constraints: def.table.constraintsByID(list(f[6])),
	}
	if most != "*" {
		e.Max = integer(most)
	}
	parent, name := cutLast(e.Path)
	e.Name, e.Choice = strings.CutSuffix(name, "[x]")
	switch only := e.Types[0]; {
	case only == "BackboneElement" || only == "Element":
		set.bases[e.Path] = only
		set.inherit(def.table, e.Path, only)
		e.Types = []string{e.Path}
	case only[0] == '#': // the content of another element
		e.Types = []string{only[1:]}
	}
	set.add(parent, e)
}

func (set *elementSet) add(parent string, e ElementDef) {
	set.defs[parent] = append(set.defs[parent], e)
	set.types[parent][e.Name] = e.Types
	if !e.Choice {
		return
	}
	for i, t := range e.Types {
		set.types[parent][e.Name+strings.ToUpper(t[:1])+t[1:]] = e.Types[i : i+1 : i+1]
	}
}

func cutLast(path string) (parent, name string) {
	i := strings.LastIndexByte(path, '.')
	return path[:i], path[i+1:]
}

// addConstraint reads a constraint: id, severity, expression, text.
func (t *Table) addConstraint(fields string) {
	f := split(fields, 4)
	key := f[0][strings.IndexByte(f[0], ':')+1:]
	t.constraints[f[0]] = Constraint{Key: key, Severity: f[1], Expression: f[2], Human: f[3]}
}

func (t *Table) constraintsByID(ids []string) []Constraint {
	var constraints []Constraint
	for _, id := range ids {
		constraints = append(constraints, t.constraints[id])
	}
	return constraints
}
