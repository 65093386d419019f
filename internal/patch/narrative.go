package patch

import (
	"slices"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// reviewNarrative keeps a narrative from saying what the data no longer do. See Patch.Apply.
func (d *document) reviewNarrative(resource []byte) error {
	text := d.root.Get("text")
	if text == nil || d.root.Str("resourceType") == "" {
		return nil
	}
	status := text.Str("status")
	if status != "generated" && status != "extensions" && status != "additional" {
		return nil
	}
	before, err := fhirjson.Parse(resource) // d's own tree is no longer what it was
	if err != nil {
		return err
	}
	if old := before.Get("text"); old == nil || !fhirpath.Same(old, text) || !dataChanged(before, &d.root) {
		return nil
	}
	if status == "additional" {
		return &Error{Operation: -1, Code: "business-rule", Message: "the patch changes data and not the narrative, which holds more than the data (text.status is additional) " +
			"and could now contradict them: let the patch say what becomes of text"}
	}
	changed(&d.root)
	d.root.Members = slices.DeleteFunc(d.root.Members, func(m fhirjson.Member) bool { return m.Name == "text" || m.Name == "_text" })
	return nil
}

// dataChanged reports whether two states of a resource differ in what a narrative tells of.
func dataChanged(before, after *fhirjson.Node) bool {
	changes := func(from, to *fhirjson.Node) bool {
		return slices.ContainsFunc(from.Members, func(m fhirjson.Member) bool {
			if m.Name == "text" || m.Name == "meta" {
				return false
			}
			other := to.Get(m.Name)
			return other == nil || !fhirpath.Same(&m.Value, other)
		})
	}
	return changes(before, after) || changes(after, before)
}
