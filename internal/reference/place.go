package reference

import (
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A Kind tells what a place is.
type Kind int

// The kinds.
const (
	Reference Kind = iota // Reference.reference
	URI                   // an element of type uri or url, or a link or image of a narrative
)

// Edits asks of each place of a resource what its text becomes and returns what that changes, in
// the order of the text. data are the bytes that the resource was parsed from. become gets the
// text and where it stands in data, and returns the new text or "" for none; the new text needs
// no escapes in JSON or in HTML.
//
// What names something and does not lead to it is no such place: canonical URLs, the url of a
// resource or an extension, the system of a code or identifier. Nor are UUIDs and OIDs, which no
// other text can stand for, and what is within a Bundle, whose names are its own.
func Edits(resource *fhirjson.Node, data []byte, become func(kind Kind, text string, at int) string) []Edit {
	w := walk{defs: r4.Definitions(), data: data, become: become}
	w.object(resource, resource.Str("resourceType"))
	return w.edits
}

type walk struct {
	defs   *r4.Table
	data   []byte
	become func(kind Kind, text string, at int) string
	edits  []Edit
}

// object walks through an object of a type, "" for one that is not known.
func (w *walk) object(n *fhirjson.Node, typ string) {
	for i := range n.Members {
		m := &n.Members[i]
		if typ == "Bundle" && m.Name == "entry" {
			continue
		}
		w.element(&m.Value, m.Name, n, typ)
	}
}

// element walks through the element name of a parent.
func (w *walk) element(n *fhirjson.Node, name string, parent *fhirjson.Node, parentType string) {
	for i := range n.Items {
		w.element(&n.Items[i], name, parent, parentType)
	}
	switch n.Kind {
	case fhirjson.Object:
		w.object(n, w.typeOf(n, name, parentType))
	case fhirjson.String:
		w.text(n, name, parent, parentType)
	}
}

// typeOf is the type of an element that is an object.
func (w *walk) typeOf(n *fhirjson.Node, name, parentType string) string {
	if types, ok := w.defs.Element(parentType, name); ok && len(types) == 1 && types[0] != "Resource" {
		return types[0]
	}
	return n.Str("resourceType") // within contained, a parameter, or what is not known
}

func (w *walk) text(n *fhirjson.Node, name string, parent *fhirjson.Node, parentType string) {
	types, known := w.defs.Element(parentType, name)
	switch {
	case name == "reference" && (!known || parentType == "Reference"):
		w.whole(Reference, n)
	case name == "div" && (!known || slices.Contains(types, "xhtml")):
		w.links(n)
	case known && (slices.Contains(types, "uri") || slices.Contains(types, "url")) && !isName(name, parent, parentType),
		!known && looksLikeURI(name, parent):
		w.whole(URI, n)
	}
}

func (w *walk) whole(kind Kind, n *fhirjson.Node) {
	if text := w.become(kind, n.Text, n.Start); text != "" {
		w.edits = append(w.edits, Edit{n.Start, n.End, `"` + text + `"`})
	}
}

// isName reports whether an element of type uri says what something is called, not where it is.
func isName(name string, parent *fhirjson.Node, parentType string) bool {
	switch name {
	case "system":
		return parentType == "Coding" || parentType == "Identifier" || strings.HasSuffix(parentType, "Quantity")
	case "url":
		return parentType == "Extension" || parent.Get("resourceType") != nil
	}
	return false
}

// looksLikeURI reports whether an element that R4 does not define has the name of one that holds
// a uri or url.
func looksLikeURI(name string, parent *fhirjson.Node) bool {
	if name == "url" {
		return parent.Get("resourceType") == nil
	}
	return name == "uri" || strings.HasSuffix(name, "Uri") || strings.HasSuffix(name, "Url") && name != "fullUrl"
}
