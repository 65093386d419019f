package reference

import (
	"regexp"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A Kind tells what a place is.
type Kind int

// The kinds.
const (
	Reference Kind = iota // Reference.reference
	URI                   // an element of type uri, url, oid or uuid, or a link or image of a narrative
)

// Edits asks of each place of a resource what its text becomes and returns what that changes, in
// the order of the text. data are the bytes that the resource was parsed from. become gets the
// text and where it stands in data, and returns the new text or "" for none; the new text needs
// no escapes in JSON or in HTML.
//
// Canonical URLs are no such places, nor is the url of a resource, which is its own canonical
// name.
func Edits(resource *fhirjson.Node, data []byte, become func(kind Kind, text string, at int) string) []Edit {
	w := walk{data: data, become: become}
	w.visit("", resource, nil)
	return w.edits
}

type walk struct {
	data   []byte
	become func(kind Kind, text string, at int) string
	edits  []Edit
}

func (w *walk) visit(name string, n, parent *fhirjson.Node) {
	for i := range n.Members {
		w.visit(n.Members[i].Name, &n.Members[i].Value, n)
	}
	for i := range n.Items {
		w.visit(name, &n.Items[i], parent)
	}
	if n.Kind != fhirjson.String {
		return
	}
	switch {
	case name == "reference":
		w.whole(Reference, n)
	case isURI(name, parent):
		w.whole(URI, n)
	case name == "div":
		w.links(n)
	}
}

func (w *walk) whole(kind Kind, n *fhirjson.Node) {
	if text := w.become(kind, n.Text, n.Start); text != "" {
		w.edits = append(w.edits, Edit{n.Start, n.End, `"` + text + `"`})
	}
}

// isURI reports whether an element of this name holds a uri, url, oid or uuid that can lead to a
// resource. A name does: code systems and the like, whose elements are called system, are named
// by a URI and are not where it leads to.
func isURI(name string, parent *fhirjson.Node) bool {
	if name == "url" {
		return parent.Get("resourceType") == nil
	}
	for _, suffix := range [...]string{"Uri", "Url", "Uuid", "Oid"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return name == "uri"
}

// link finds the value of an href or src in the JSON of a narrative, behind whichever white space
// and in whichever quotation marks.
var link = regexp.MustCompile(`(?:[ \t]|\\[nrt]|\\u00[0-9A-Fa-f]{2})(?:href|src)[ \t]*=[ \t]*(?:(?:\\"|\\u0022)([^"'\\<>]+)|(?:'|\\u0027)([^"'\\<>]+))`)

// links asks for the links and images of a narrative, each without its fragment.
func (w *walk) links(div *fhirjson.Node) {
	literal := w.data[div.Start:div.End]
	for _, found := range link.FindAllSubmatchIndex(literal, -1) {
		start, end := found[2], found[3]
		if start < 0 {
			start, end = found[4], found[5]
		}
		url, _, _ := strings.Cut(string(literal[start:end]), "#")
		start += div.Start
		if text := w.become(URI, url, start); text != "" {
			w.edits = append(w.edits, Edit{start, start + len(url), text})
		}
	}
}
