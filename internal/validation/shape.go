package validation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A shape is what an object of a type has to look like, ready for use: the members that it may
// have by their names in JSON. Where a shape refers to others it only points to them, since types
// contain each other.
type shape struct {
	v          *Validator
	name       string // "Patient", "HumanName", "Patient.contact"
	isResource bool
	idWillDo   bool // an id is content enough: the value stands beside it

	once     sync.Once
	slots    map[string]*slot
	elements []*element
	required uint64  // bits of the elements that must be there
	rules    []*rule // of the type as a whole
	narrated bool    // a DomainResource
	special  func(*run, *slot, *fhirjson.Node)
}

// An element is an element of a type. Its bit says in a set of elements that it is there.
type element struct {
	bit     uint64
	name    string // "value" for value[x]
	choice  bool
	many    bool // an array in JSON
	types   []string
	targets []string
	binding *valueSet
	rules   []*rule
	owner   string // the name of the shape
}

// A slot is a name in JSON of an element with the type that it means there.
type slot struct {
	*element
	typ   string
	kind  kind
	shape *shape // of a complex type
}

// ready returns the shape with what it holds worked out.
func (s *shape) ready() *shape {
	s.once.Do(s.fill)
	return s
}

func (s *shape) fill() {
	defs := s.v.defs
	s.slots = map[string]*slot{}
	s.rules = s.v.rulesOf(defs.Constraints(s.name))
	s.special = specialOf(s.name)
	for _, def := range defs.Elements(s.name) {
		s.add(def)
	}
	s.narrated = s.slots["text"] != nil && s.slots["contained"] != nil && s.isResource
}

func (s *shape) add(def r4.ElementDef) {
	const most = 64
	if len(s.elements) == most {
		panic(fmt.Sprintf("validation: %s has more than %d elements", s.name, most))
	}
	e := &element{
		bit:     1 << len(s.elements),
		owner:   s.name,
		name:    def.Name,
		choice:  def.Choice,
		many:    def.Max != 1,
		types:   def.Types,
		targets: def.Targets,
		binding: s.v.valueSet(def),
		rules:   s.v.rulesOf(append(s.v.referred(def), def.Constraints...)),
	}
	s.elements = append(s.elements, e)
	if def.Min > 0 {
		s.required |= e.bit
	}
	for _, typ := range e.types {
		name := e.name
		if e.choice {
			name += strings.ToUpper(typ[:1]) + typ[1:]
		}
		sl := &slot{element: e, typ: typ, kind: kindOf(typ)}
		if sl.kind == complexType {
			sl.shape = s.v.shape(typ)
		}
		s.slots[name] = sl
	}
}

// referred returns the constraints of the element whose content def refers to: those on an item of a
// Questionnaire go for the items in it as well.
func (v *Validator) referred(def r4.ElementDef) []r4.Constraint {
	path := def.Types[0]
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 || path == def.Path {
		return nil
	}
	for _, e := range v.defs.Elements(path[:dot]) {
		if e.Path == path {
			return slices.Clone(e.Constraints)
		}
	}
	return nil
}

// free returns the names of members that an object of the shape may have and n does not, in
// alphabetical order.
func (s *shape) free(n *fhirjson.Node) []string {
	names := slices.Sorted(maps.Keys(s.slots))
	if len(n.Members) > 2*len(names) {
		return names // it would take long, and make no difference
	}
	return slices.DeleteFunc(names, func(name string) bool { return n.Get(name) != nil })
}

// choiceNames returns the names in JSON of a choice.
func (e *element) choiceNames() []string {
	var names []string
	for _, typ := range e.types {
		names = append(names, e.name+strings.ToUpper(typ[:1])+typ[1:])
	}
	return names
}
