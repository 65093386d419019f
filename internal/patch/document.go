package patch

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// What applying a patch may take. A patch of a few bytes could otherwise double a resource again
// and again, or look at all of it for each operation.
const (
	maxResult = 32 << 20   // bytes of the outcome, and of all that is copied
	maxSteps  = 20_000_000 // nodes that are looked at or moved
	pathSteps = 8          // what a step of an expression counts
	copySteps = 16         // what a copy of a node counts, for the memory it takes
)

// nowhere is the Start and End of a node that is not as it was written.
const nowhere = -1

// A document is a resource while it is patched. A node that nothing in it was changed of is
// written as it stands in text, any other from its parts.
type document struct {
	root  fhirjson.Node
	text  []byte // the resource, the source of the patch, and names that stand in neither
	patch int    // where in text the patch begins
	steps int    // that are left
	room  int    // bytes that may still be copied
}

func newDocument(root *fhirjson.Node, resource, patch []byte) *document {
	d := &document{root: *root, patch: len(resource), steps: maxSteps, room: maxResult}
	d.text = append(append(make([]byte, 0, len(resource)+len(patch)+64), resource...), patch...)
	return d
}

// spend counts work and reports when there has been too much.
func (d *document) spend(steps int) error {
	if d.steps -= steps; d.steps < 0 {
		return &Error{Operation: -1, Code: "too-costly", Message: "the patch takes too many steps"}
	}
	return nil
}

// changed notes that nodes are no longer as they were written.
func changed(nodes ...*fhirjson.Node) {
	for _, n := range nodes {
		n.Start, n.End = nowhere, nowhere
	}
}

// graft returns a copy of a node of the patch as a node of the document.
func (d *document) graft(n *fhirjson.Node) (fhirjson.Node, error) { return d.clone(n, d.patch) }

// duplicate returns a copy of a node of the document.
func (d *document) duplicate(n *fhirjson.Node) (fhirjson.Node, error) {
	if d.room -= d.size(n); d.room < 0 {
		return fhirjson.Node{}, &Error{Operation: -1, Code: "too-long", Message: "the patch copies too much"}
	}
	return d.clone(n, 0)
}

// clone copies n and all that is in it, so that changes of one are none of the other. shift is
// how much further behind in text the copy stands.
func (d *document) clone(n *fhirjson.Node, shift int) (fhirjson.Node, error) {
	c := *n
	if c.Start >= 0 {
		c.Start, c.End = c.Start+shift, c.End+shift
	}
	err := d.spend(copySteps)
	c.Members = slices.Clone(n.Members)
	for i := 0; err == nil && i < len(c.Members); i++ {
		m := &c.Members[i]
		m.NameStart += shift
		m.Value, err = d.clone(&n.Members[i].Value, shift)
	}
	c.Items = slices.Clone(n.Items)
	for i := 0; err == nil && i < len(c.Items); i++ {
		c.Items[i], err = d.clone(&n.Items[i], shift)
	}
	return c, err
}

// size is how many bytes n takes where it is written.
func (d *document) size(n *fhirjson.Node) int {
	if n.Start >= 0 {
		return n.End - n.Start
	}
	total := 2 + len(n.Members) + len(n.Items)
	for i := range n.Members {
		total += len(n.Members[i].Name) + 3 + d.size(&n.Members[i].Value)
	}
	for i := range n.Items {
		total += d.size(&n.Items[i])
	}
	return total
}

// fits refuses to put n inside of depth objects and arrays where that would nest them deeper than
// the reader of resources allows. Everything here that calls itself relies on it.
func (d *document) fits(depth int, n *fhirjson.Node) error {
	h, err := d.height(n)
	if err == nil && depth+h > fhirjson.MaxDepth {
		err = unfit("objects and arrays would be nested more than %d deep", fhirjson.MaxDepth)
	}
	return err
}

// height is how many objects and arrays are nested in n, itself included.
func (d *document) height(n *fhirjson.Node) (int, error) {
	if n.Kind != fhirjson.Object && n.Kind != fhirjson.Array {
		return 0, nil
	}
	most, err := 0, d.spend(1+len(n.Members)+len(n.Items))
	deepen := func(child *fhirjson.Node) {
		var h int
		if err == nil {
			h, err = d.height(child)
			most = max(most, h)
		}
	}
	for i := range n.Members {
		deepen(&n.Members[i].Value)
	}
	for i := range n.Items {
		deepen(&n.Items[i])
	}
	return 1 + most, err
}

// member returns a new member of an object.
func (d *document) member(name string, value fhirjson.Node) fhirjson.Member {
	return fhirjson.Member{Name: name, NameStart: d.write(name), Value: value}
}

// write puts a name at the end of text as a JSON string and returns its place.
func (d *document) write(name string) int {
	start := len(d.text)
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(name) // a string can always be written
	d.text = append(d.text, quoted.Bytes()...)
	return start
}

// appendNode appends n as JSON.
func (d *document) appendNode(dst []byte, n *fhirjson.Node) []byte {
	if n.Start >= 0 {
		return append(dst, d.text[n.Start:n.End]...)
	}
	switch n.Kind {
	case fhirjson.Object:
		dst = append(dst, '{')
		for i := range n.Members {
			m := &n.Members[i]
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, d.text[m.NameStart:fhirjson.EndOfString(d.text, m.NameStart)]...)
			dst = d.appendNode(append(dst, ':'), &m.Value)
		}
		return append(dst, '}')
	case fhirjson.Array:
		dst = append(dst, '[')
		for i := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = d.appendNode(dst, &n.Items[i])
		}
		return append(dst, ']')
	}
	return append(dst, "null"...) // the one scalar that is made here: a gap in an array of primitives
}
