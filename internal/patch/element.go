package patch

import (
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// elements are all that an object has under one name: the values of the member of that name, each
// with the id and extensions from the member with an underscore before it (FHIR R4, JSON
// representation of primitive elements).
type elements struct {
	list   []entry
	repeat bool // in arrays
}

// has reports whether an object has an element of that name in JSON.
func has(object *fhirjson.Node, name string) bool {
	return object.Get(name) != nil || object.Get("_"+name) != nil
}

// elements reads what an object has under a name.
func (d *document) elements(object *fhirjson.Node, name string) (elements, error) {
	value, ext := object.Get(name), object.Get("_"+name)
	of := elements{repeat: isArray(value) || isArray(ext)}
	of.list = make([]entry, max(count(value), count(ext)))
	for i := range of.list {
		of.list[i] = entry{nodeAt(value, i), nodeAt(ext, i)}
	}
	return of, d.spend(1 + len(object.Members) + len(of.list))
}

func isArray(n *fhirjson.Node) bool { return n != nil && n.Kind == fhirjson.Array }

func count(n *fhirjson.Node) int {
	switch {
	case n == nil:
		return 0
	case n.Kind == fhirjson.Array:
		return len(n.Items)
	}
	return 1
}

// nodeAt returns the value with that index; one of Kind 0 where there is none.
func nodeAt(n *fhirjson.Node, i int) fhirjson.Node {
	switch {
	case i >= count(n):
		return fhirjson.Node{}
	case n.Kind == fhirjson.Array:
		n = &n.Items[i]
	}
	if n.Kind == fhirjson.Null {
		return fhirjson.Node{}
	}
	return *n
}

// setElements writes what an object is to have under a name. Members without content go, since
// FHIR has no empty ones.
func (d *document) setElements(object *fhirjson.Node, name string, of elements) {
	changed(object)
	d.setMember(object, name, "_"+name, of, func(e *entry) *fhirjson.Node { return &e.value })
	d.setMember(object, "_"+name, name, of, func(e *entry) *fhirjson.Node { return &e.ext })
}

// setMember writes one of the two members of elements, the other being its neighbour.
func (d *document) setMember(object *fhirjson.Node, name, neighbour string, of elements, side func(*entry) *fhirjson.Node) {
	at := memberIndex(object, name)
	filled := slices.ContainsFunc(of.list, func(e entry) bool { return side(&e).Kind != 0 })
	if !filled {
		if at >= 0 {
			object.Members = slices.Delete(object.Members, at, at+1)
		}
		return
	}
	value := *side(&of.list[0])
	if of.repeat {
		value = fhirjson.Node{Kind: fhirjson.Array, Start: nowhere, End: nowhere, Items: make([]fhirjson.Node, len(of.list))}
		for i := range of.list {
			if value.Items[i] = *side(&of.list[i]); value.Items[i].Kind == 0 {
				value.Items[i] = fhirjson.Node{Kind: fhirjson.Null, Start: nowhere, End: nowhere}
			}
		}
	}
	switch beside := memberIndex(object, neighbour); {
	case at >= 0:
		object.Members[at].Value = value
	case beside >= 0 && neighbour[0] == '_':
		object.Members = slices.Insert(object.Members, beside, d.member(name, value))
	case beside >= 0:
		object.Members = slices.Insert(object.Members, beside+1, d.member(name, value))
	default:
		object.Members = append(object.Members, d.member(name, value))
	}
}

func memberIndex(object *fhirjson.Node, name string) int {
	return slices.IndexFunc(object.Members, func(m fhirjson.Member) bool { return m.Name == name })
}

// rename gives the element that an object has under one name another name in JSON.
func (d *document) rename(object *fhirjson.Node, from, to string) {
	for _, prefix := range [...]string{"", "_"} {
		if i := memberIndex(object, prefix+from); i >= 0 && from != to {
			object.Members[i].Name, object.Members[i].NameStart = prefix+to, d.write(prefix+to)
		}
	}
}

// A slot is where an element stands.
type slot struct {
	object *fhirjson.Node
	typ    string // FHIR type of the object
	name   string // of the element in JSON, without underscore
	index  int    // among the elements of that name
	ext    bool   // what was looked for stands under the name with an underscore

	above []*fhirjson.Node // all that hold it: from the root to the object
}

// repeats reports whether it stands in an array.
func (s *slot) repeats() bool {
	return isArray(s.object.Get(s.name)) || isArray(s.object.Get("_"+s.name))
}

// depth is how many objects and arrays the element stands in.
func (s *slot) depth() int {
	if s.repeats() {
		return len(s.above) + 1
	}
	return len(s.above)
}

// locate finds where a value stands that an expression selected.
func (d *document) locate(defs *r4.Table, v fhirpath.Value) (*slot, error) {
	want := v.Node
	if want == nil {
		want = v.Ext
	}
	s, err := d.locateNode(defs, want)
	if s == nil && err == nil {
		err = unfit("the path leads to a %s that is worked out and is no element of the resource", v.Type)
	}
	return s, err
}

// locateNode finds where a node of the tree stands; nil for one that is not in it.
func (d *document) locateNode(defs *r4.Table, want *fhirjson.Node) (*slot, error) {
	f := finder{document: d, defs: defs, want: want}
	if want == nil || !f.object(&d.root, d.root.Str("resourceType")) {
		return nil, f.err
	}
	return &f.found, nil
}

// A finder walks the tree in search of a node, which is known by its address.
type finder struct {
	*document
	defs  *r4.Table
	want  *fhirjson.Node
	above []*fhirjson.Node
	found slot
	err   error
}

// object looks for the node in n, which is an object of the type.
func (f *finder) object(n *fhirjson.Node, typ string) bool {
	if f.err = f.spend(1 + len(n.Members)); f.err != nil {
		return false
	}
	f.above = append(f.above, n)
	for i := range n.Members {
		m := &n.Members[i]
		name, ext := strings.CutPrefix(m.Name, "_")
		at := slot{object: n, typ: typ, name: name, ext: ext}
		if f.here(&m.Value, at) || f.err != nil {
			return f.err == nil
		}
		if m.Value.Kind != fhirjson.Array {
			continue
		}
		f.above = append(f.above, &m.Value)
		for at.index = range m.Value.Items {
			if f.here(&m.Value.Items[at.index], at) || f.err != nil {
				return f.err == nil
			}
		}
		f.above = f.above[:len(f.above)-1]
	}
	f.above = f.above[:len(f.above)-1]
	return false
}

// here reports whether n is the node or holds it. at is where n stands.
func (f *finder) here(n *fhirjson.Node, at slot) bool {
	if n == f.want {
		f.found = at
		f.found.above = slices.Clone(f.above)
		if f.found.above[len(f.above)-1] != at.object { // the array counts by the slot's index
			f.found.above = f.found.above[:len(f.above)-1]
		}
		return true
	}
	if n.Kind != fhirjson.Object {
		return false
	}
	return f.object(n, f.typeOf(n, at))
}

// typeOf returns the FHIR type of an object that stands there, or of the primitive that it
// extends; "" where it has none.
func (f *finder) typeOf(n *fhirjson.Node, at slot) string {
	types, ok := f.defs.Element(at.typ, at.name)
	switch {
	case !ok || len(types) != 1:
		return ""
	case types[0] == "Resource":
		return n.Str("resourceType")
	}
	return types[0]
}
