package validation

import (
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// document judges the root of an input.
func (r *run) document(n *fhirjson.Node) {
	if s := r.shapeOf(n); s != nil {
		r.enter(s.name, -1)
		r.independent(n, s)
		r.leave()
	}
}

// shapeOf returns the shape of a resource by its resourceType, or reports why there is none.
func (r *run) shapeOf(n *fhirjson.Node) *shape {
	if n.Kind != fhirjson.Object {
		r.fault("structure", n.Start, "is a JSON %s; a resource is an object", n.Kind)
		return nil
	}
	m := n.Get("resourceType")
	switch {
	case m == nil:
		r.fault("required", n.Start, "has no resourceType, so it is no FHIR resource")
		return nil
	case m.Kind != fhirjson.String:
		r.fault("structure", m.Start, "has a JSON %s for its resourceType; it is a text in quotation marks", m.Kind)
		return nil
	}
	s := r.v.resources[m.Text]
	if s == nil {
		r.fault("value", m.Start, "has the resourceType %s, which FHIR R4 does not have%s", quote(m.Text), didYouMean(m.Text, r.v.defs.Types()))
	}
	return s
}

// nested judges a resource inside of another.
func (r *run) nested(n *fhirjson.Node, sl *slot) {
	s := r.shapeOf(n)
	switch {
	case s == nil:
	case sl.name != "contained":
		r.independent(n, s)
	case r.within >= 0:
		r.fault("invariant", n.Start, "is contained in a contained resource; containers hold all of them side by side (dom-2)")
	default:
		r.contained(n, s)
	}
}

// independent judges a resource that is not contained: the root, or one that an entry or a
// parameter holds.
func (r *run) independent(n *fhirjson.Node, s *shape) {
	outer := r.scope
	v := fhirpath.Value{Node: n, Type: s.name}
	r.scope = scope{resource: v, container: v, within: -1, transaction: outer.transaction}
	if s.name == "Bundle" {
		r.transaction = n.Str("type") == "transaction"
	}
	if list := n.Get("contained"); list != nil && len(list.Items) > 0 {
		r.local = newLocals(list)
	}
	r.object(n, s)
	if r.local != nil && !r.full() {
		r.unreferenced()
	}
	if s.narrated && !r.opt.ErrorsOnly && n.Get("text").Get("div") == nil {
		r.warn("invariant", n.Start, "has no narrative; a resource should have one, for people (dom-6)")
	}
	r.scope = outer
}

// locals are the contained resources of a container.
type locals struct {
	list  *fhirjson.Node
	index map[string]int // by id
	used  []bool         // by index
}

func newLocals(list *fhirjson.Node) *locals {
	l := &locals{list: list, index: make(map[string]int, len(list.Items)), used: make([]bool, len(list.Items))}
	for i := range list.Items {
		if id := list.Items[i].Str("id"); id != "" {
			if _, taken := l.index[id]; !taken {
				l.index[id] = i
			}
		}
	}
	return l
}

// contained judges a contained resource (FHIR R4, references, contained resources).
func (r *run) contained(n *fhirjson.Node, s *shape) {
	outer := r.scope
	r.within = r.path[len(r.path)-1].index
	r.resource = fhirpath.Value{Node: n, Type: s.name}
	switch id := n.Get("id"); {
	case id == nil:
		r.fault("required", n.Start, "has no id; a contained resource needs one, for references such as #%s", strings.ToLower(s.name))
	case r.local != nil && id.Kind == fhirjson.String && id.Text != "" && r.local.index[id.Text] != r.within:
		r.fault("value", id.Start, "has the id %s, as another contained resource has", quote(id.Text))
	}
	meta := n.Get("meta")
	for _, name := range [...]string{"versionId", "lastUpdated"} {
		if m := meta.Get(name); m != nil {
			r.fault("invariant", m.Start, "has meta.%s; a contained resource has no versions of its own (dom-4)", name)
		}
	}
	if m := meta.Get("security"); m != nil {
		r.fault("invariant", m.Start, "has meta.security; the labels of the container go for what it contains (dom-5)")
	}
	r.object(n, s)
	r.scope = outer
}

// refer notes a reference such as #id. "#" alone means the container.
func (r *run) refer(text string) {
	switch {
	case r.local == nil:
	case text == "#" && r.within >= 0:
		r.local.used[r.within] = true
	default:
		if i, ok := r.local.index[text[1:]]; ok {
			r.local.used[i] = true
		}
	}
}

// unreferenced reports contained resources that nothing refers to and that do not refer to their
// container (dom-3).
func (r *run) unreferenced() {
	for i, used := range r.local.used {
		n := &r.local.list.Items[i]
		if id := n.Str("id"); !used && id != "" && r.local.index[id] == i {
			r.enter("contained", i)
			r.fault("invariant", n.Start, "is referred to by nothing; what is contained is there for a reference #%s (dom-3)", excerpt(id))
			r.leave()
		}
	}
}
