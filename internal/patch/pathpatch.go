package patch

import (
	"errors"
	"slices"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

func (o *pathOperation) apply(d *document) error {
	left := d.steps / pathSteps
	values, err := o.path.Eval(o.defs, fhirpath.ResourceValue(&d.root), fhirpath.Options{Steps: &left})
	d.steps = left * pathSteps
	switch {
	case errors.Is(err, fhirpath.ErrTooCostly):
		return d.spend(d.steps + 1)
	case err != nil:
		return unfit("%v", err)
	case len(values) == 0 && o.op == "delete":
		return nil // deleted is what there is (FHIR R4, FHIRPath Patch)
	case len(values) == 0:
		return unfit("there is no such element")
	}
	switch o.op {
	case "insert":
		return o.insert(d, values)
	case "move":
		return o.move(d, values)
	}
	if len(values) > 1 {
		return unfit("the path leads to %d elements; it has to be a single one", len(values))
	}
	switch o.op {
	case "add":
		return o.add(d, values[0])
	case "replace":
		return o.replace(d, values[0])
	default:
		return o.delete(d, values[0])
	}
}

// add appends an element to what the path leads to.
func (o *pathOperation) add(d *document, to fhirpath.Value) error {
	if to.Node == &d.root {
		changed(&d.root)
		return d.addTo(o.defs, &d.root, to.Type, o.name, o.value, 1)
	}
	s, err := d.locate(o.defs, to)
	if err != nil {
		return err
	}
	changed(s.above...)
	object, depth := to.Node, s.depth()+1
	switch {
	case isPrimitive(to.Type):
		if object, err = d.extended(s); err != nil {
			return err
		}
	case object == nil || object.Kind != fhirjson.Object:
		return unfit("%s is no object, and takes no element %q", s.name, o.name)
	}
	if s.repeats() {
		changed(s.object.Get(s.member()))
	}
	changed(object)
	return d.addTo(o.defs, object, to.Type, o.name, o.value, depth)
}

// member is the name of the member that the slot was found under.
func (s *slot) member() string {
	if s.ext {
		return "_" + s.name
	}
	return s.name
}

// extended returns the object with the id and the extensions of a primitive, which it makes where
// there is none.
func (d *document) extended(s *slot) (*fhirjson.Node, error) {
	of, err := d.elements(s.object, s.name)
	if err != nil {
		return nil, err
	}
	if e := &of.list[s.index]; e.ext.Kind == 0 {
		e.ext = fhirjson.Node{Kind: fhirjson.Object, Start: nowhere, End: nowhere}
		d.setElements(s.object, s.name, of)
	}
	s.ext = true
	ext := s.object.Get("_" + s.name)
	if isArray(ext) {
		ext = &ext.Items[s.index]
	}
	if ext.Kind != fhirjson.Object {
		return nil, unfit("_%s is a JSON %s and takes no extensions", s.name, ext.Kind)
	}
	return ext, nil
}

// replace puts another value where the element stands.
func (o *pathOperation) replace(d *document, v fhirpath.Value) error {
	if v.Node == &d.root {
		return unfit("the path leads to the resource as a whole: update it")
	}
	s, err := d.locate(o.defs, v)
	if err != nil {
		return err
	}
	def, choice, ok := elementOf(o.defs, s.typ, s.name)
	if !ok {
		return unfit("%s has no element %q", s.typ, s.name)
	}
	if o.value.parts == nil {
		choice = "" // a value tells its type itself
	}
	e, typ, err := d.build(o.defs, def, choice, o.value, s.depth())
	if err != nil {
		return err
	}
	of, err := d.elements(s.object, s.name)
	if err != nil {
		return err
	}
	changed(s.above...)
	of.list[s.index] = e
	d.rename(s.object, s.name, jsonName(def, typ))
	d.setElements(s.object, jsonName(def, typ), of)
	return nil
}

// delete takes the element out, and what would hold nothing without it.
func (o *pathOperation) delete(d *document, v fhirpath.Value) error {
	if v.Node == &d.root {
		return unfit("the path leads to the resource as a whole: delete it")
	}
	s, err := d.locate(o.defs, v)
	for err == nil && s != nil {
		s, err = o.takeOut(d, s)
	}
	return err
}

// takeOut removes an element, or the object with a primitive's extensions and not its value, and
// returns where the object stands that it leaves empty.
func (o *pathOperation) takeOut(d *document, s *slot) (*slot, error) {
	of, err := d.elements(s.object, s.name)
	if err != nil {
		return nil, err
	}
	changed(s.above...)
	if e := &of.list[s.index]; s.ext && e.value.Kind != 0 {
		e.ext = fhirjson.Node{}
	} else {
		of.list = slices.Delete(of.list, s.index, s.index+1)
	}
	d.setElements(s.object, s.name, of)
	if len(s.object.Members) > 0 || s.object == &d.root {
		return nil, nil
	}
	return d.locateNode(o.defs, s.object)
}

// insert puts an element into the list that the path leads to.
func (o *pathOperation) insert(d *document, values []fhirpath.Value) error {
	s, of, err := o.whole(d, values)
	if err != nil {
		return err
	}
	if o.index > len(of.list) {
		return unfit("the index is %d, and the list has %d elements", o.index, len(of.list))
	}
	def, _, _ := elementOf(o.defs, s.typ, s.name)
	e, _, err := d.build(o.defs, def, "", o.value, s.depth())
	if err != nil {
		return err
	}
	of.list = slices.Insert(of.list, o.index, e)
	d.setElements(s.object, s.name, of)
	return nil
}

// move puts an element of the list that the path leads to elsewhere in it: where it stands
// afterwards is its destination.
func (o *pathOperation) move(d *document, values []fhirpath.Value) error {
	s, of, err := o.whole(d, values)
	if err != nil {
		return err
	}
	if last := len(of.list) - 1; o.source > last || o.destination > last {
		return unfit("source is %d and destination %d; the list has %d elements, so that the last one is %d", o.source, o.destination, len(of.list), last)
	}
	e := of.list[o.source]
	of.list = slices.Insert(slices.Delete(of.list, o.source, o.source+1), o.destination, e)
	d.setElements(s.object, s.name, of)
	return nil
}

// whole returns the list of which the values are all elements. A path to some of them, or to
// elements of several lists, leaves open what an index counts.
func (o *pathOperation) whole(d *document, values []fhirpath.Value) (*slot, elements, error) {
	var of elements
	if values[0].Node == &d.root {
		return nil, of, unfit("the path leads to the resource as a whole, which is no list")
	}
	first, err := d.locate(o.defs, values[0])
	if err != nil {
		return nil, of, err
	}
	if def, _, ok := elementOf(o.defs, first.typ, first.name); !ok || def.Max == 1 || !first.repeats() {
		return nil, of, unfit("the path leads to %s, which is no list", first.name)
	}
	if of, err = d.elements(first.object, first.name); err != nil {
		return nil, of, err
	}
	items := first.items()
	for _, v := range values {
		if !items[v.Node] && !items[v.Ext] {
			return nil, of, unfit("the path leads to elements of several lists; it has to be a single one")
		}
	}
	if len(values) != len(of.list) {
		return nil, of, unfit("the path leads to %d of the %d elements of %s; it has to lead to the whole list", len(values), len(of.list), first.name)
	}
	changed(first.above...)
	return first, of, nil
}

// items returns the nodes that stand in the slot's arrays.
func (s *slot) items() map[*fhirjson.Node]bool {
	items := map[*fhirjson.Node]bool{}
	for _, n := range [...]*fhirjson.Node{s.object.Get(s.name), s.object.Get("_" + s.name)} {
		if !isArray(n) {
			continue
		}
		for i := range n.Items {
			items[&n.Items[i]] = true
		}
	}
	return items
}
