package validation

import (
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// object judges a JSON object by a shape: its members, what is missing, and the constraints of the
// type. It returns false where there is nothing in it that could be judged further.
func (r *run) object(n *fhirjson.Node, s *shape) bool {
	s.ready()
	before := r.errors
	var seen uint64
	content := false // more than an id
	siblings := hasSiblings(n)
	for i := range n.Members {
		if r.full() {
			return false
		}
		m := &n.Members[i]
		sl := s.slots[m.Name]
		switch {
		case sl != nil:
		case m.Name == "resourceType" && s.isResource:
			content = true
			continue
		case m.Name != "" && m.Name[0] == '_':
			sl = s.slots[m.Name[1:]]
			if sl == nil || sl.kind == complexType || sl.kind == resourceType {
				content = true
				r.unknown(s, n, m)
				continue
			}
		default:
			content = true
			r.unknown(s, n, m)
			continue
		}
		content = content || m.Name != "id" || s.idWillDo
		if seen&sl.bit != 0 && sl.choice {
			r.secondChoice(n, m, sl)
		}
		seen |= sl.bit
		r.member(n, m, sl, siblings)
	}
	if !content {
		r.empty(n)
	}
	if missing := s.required &^ seen; missing != 0 {
		r.missing(n, s, missing)
	}
	if !content {
		return false
	}
	v := fhirpath.Value{Node: n, Type: s.name}
	for _, rule := range s.rules {
		r.judge(rule, v, n.Start, before)
	}
	return true
}

// hasSiblings reports whether an object has members that extend primitives, so that others need not
// look for theirs.
func hasSiblings(n *fhirjson.Node) bool {
	for i := range n.Members {
		if name := n.Members[i].Name; name != "" && name[0] == '_' {
			return true
		}
	}
	return false
}

// empty reports an object that says nothing (ele-1).
func (r *run) empty(n *fhirjson.Node) {
	if len(n.Members) == 0 {
		r.fault("structure", n.Start, "is an empty object; FHIR leaves out what has no content")
		return
	}
	r.fault("invariant", n.Start, "has nothing but an id; every element has a value or children (ele-1)")
}

// missing reports the elements of a set that have to be there.
func (r *run) missing(n *fhirjson.Node, s *shape, set uint64) {
	for _, e := range s.elements {
		switch {
		case set&e.bit == 0:
		case e.choice:
			r.fault("required", n.Start, "has no %s[x], which is required: one of %s", e.name, listed(e.choiceNames()))
		default:
			r.fault("required", n.Start, "has no %s, which is required", e.name)
		}
	}
}

// secondChoice reports m where another member of n chose a type for the same element before.
func (r *run) secondChoice(n *fhirjson.Node, m *fhirjson.Member, sl *slot) {
	own := strings.TrimPrefix(m.Name, "_")
	for i := range n.Members {
		other := &n.Members[i]
		if other == m {
			return
		}
		name := strings.TrimPrefix(other.Name, "_")
		if name != own && strings.HasPrefix(name, sl.name) && slotIs(sl, name) {
			r.enter(sl.name, -1)
			r.fault("structure", m.NameStart, "has two values, %s and %s; of a choice there is one", name, own)
			r.leave()
			return
		}
	}
}

// slotIs reports whether name is one of the names of the slot's choice.
func slotIs(sl *slot, name string) bool {
	suffix := name[len(sl.name):]
	for _, typ := range sl.types {
		if len(typ) == len(suffix) && strings.ToUpper(typ[:1])+typ[1:] == suffix {
			return true
		}
	}
	return false
}

// unknown reports a member that the type does not have.
func (r *run) unknown(s *shape, n *fhirjson.Node, m *fhirjson.Member) {
	if m.Name == "" {
		r.fault("structure", m.NameStart, "has a member whose name is empty")
		return
	}
	r.enter(m.Name, -1)
	defer r.leave()
	name := strings.TrimPrefix(m.Name, "_")
	if name != m.Name && s.slots[name] != nil {
		r.fault("structure", m.NameStart, "cannot be: %s is no primitive, so its id and extensions stand inside of it", name)
		return
	}
	if m.Name == "resourceType" {
		r.fault("structure", m.NameStart, "cannot be: only a resource has a resourceType, and this is a %s", s.name)
		return
	}
	for _, e := range s.elements {
		if e.choice && strings.HasPrefix(name, e.name) && (name == e.name || isUpper(name[len(e.name)])) {
			r.fault("structure", m.NameStart, "is no type that %s.%s[x] takes: use %s", s.name, e.name, listed(e.choiceNames()))
			return
		}
	}
	r.fault("structure", m.NameStart, "is no element of %s in FHIR R4%s", s.name, didYouMean(name, s.free(n)))
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// member judges one member of n. siblings says whether n has members that extend primitives.
func (r *run) member(n *fhirjson.Node, m *fhirjson.Member, sl *slot, siblings bool) {
	if sl.kind != complexType && sl.kind != resourceType {
		r.primitiveMember(n, m, sl, siblings)
		return
	}
	if !sl.many {
		r.enter(sl.name, -1)
		r.complex(&m.Value, sl)
		r.leave()
		return
	}
	r.enter(sl.name, -1)
	list := r.isList(&m.Value)
	r.leave()
	for i := 0; list && i < len(m.Value.Items) && !r.full(); i++ {
		r.enter(sl.name, i)
		r.complex(&m.Value.Items[i], sl)
		r.leave()
	}
}

// isList reports whether n is an array with items, and what it is otherwise.
func (r *run) isList(n *fhirjson.Node) bool {
	switch {
	case n.Kind == fhirjson.Null:
		r.null(n)
	case n.Kind != fhirjson.Array:
		r.fault("structure", n.Start, "is a JSON %s; it repeats, so it is an array even of one", n.Kind)
	case len(n.Items) == 0:
		r.fault("structure", n.Start, "is an empty array; FHIR leaves out what has no content")
	default:
		return true
	}
	return false
}

// complex judges the value of an element of a complex type, or a resource.
func (r *run) complex(n *fhirjson.Node, sl *slot) {
	switch {
	case n.Kind == fhirjson.Null:
		r.null(n)
		return
	case n.Kind == fhirjson.Array:
		r.tooMany(n, "an object")
		return
	case n.Kind != fhirjson.Object:
		r.fault("structure", n.Start, "is a JSON %s; %s is an object", n.Kind, sl.described())
		return
	case sl.kind == resourceType:
		r.nested(n, sl)
		return
	}
	before := r.errors
	if !r.object(n, sl.shape) {
		return
	}
	if sl.shape.special != nil {
		sl.shape.special(r, sl, n)
	}
	for _, rule := range sl.rules {
		r.judge(rule, fhirpath.Value{Node: n, Type: sl.typ}, n.Start, before)
	}
}

func (r *run) null(n *fhirjson.Node) {
	r.fault("structure", n.Start, "is null; FHIR leaves out what has no value, and has null only in arrays of primitives beside an extension")
}

// tooMany reports an array in the place of one value.
func (r *run) tooMany(n *fhirjson.Node, due string) {
	if r.path[len(r.path)-1].index >= 0 {
		r.fault("structure", n.Start, "is an array within an array; each item is %s", due)
		return
	}
	r.fault("structure", n.Start, "is an array; it does not repeat, so it is %s", due)
}

// described is the slot's type as a message calls it.
func (sl *slot) described() string {
	switch {
	case sl.typ == "Element":
		return "what extends a primitive"
	case strings.Contains(sl.typ, "."):
		return article(sl.name)
	}
	return article(sl.typ)
}

// article puts the indefinite article before a name.
func article(name string) string {
	if strings.ContainsRune("AEIOUaeio", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

// specialOf returns what is checked of a data type beyond its elements and constraints.
func specialOf(typ string) func(*run, *slot, *fhirjson.Node) {
	switch typ {
	case "Extension":
		return (*run).extension
	case "Reference":
		return (*run).reference
	case "CodeableConcept":
		return (*run).codeableConcept
	case "Coding", "Identifier":
		return (*run).system
	}
	return nil
}
