package validation

import (
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// extension judges what its elements do not tell of an extension (FHIR R4, extensibility).
func (r *run) extension(sl *slot, n *fhirjson.Node) {
	value, parts := "", false
	for i := range n.Members {
		switch name := strings.TrimPrefix(n.Members[i].Name, "_"); {
		case strings.HasPrefix(name, "value"):
			value = name
		case name == "extension":
			parts = true
		}
	}
	switch {
	case value != "" && parts:
		r.fault("invariant", n.Start, "has both %s and extensions; it has a value or parts, not both (ext-1)", value)
	case value == "" && !parts:
		r.fault("invariant", n.Start, "has neither a value[x] nor extensions of its own (ext-1)")
	}
	if url := n.Get("url"); sl.owner != "Extension" && url != nil && url.Kind == fhirjson.String && url.Text != "" && !isAbsolute(url.Text) {
		r.enter("url", -1)
		r.fault("value", url.Start, "is %s; an extension is known by an absolute URL, and only parts of an extension have short names", quote(url.Text))
		r.leave()
	}
}

// system judges the system of a Coding or an Identifier.
func (r *run) system(_ *slot, n *fhirjson.Node) {
	if r.opt.ErrorsOnly {
		return
	}
	if s := n.Get("system"); s != nil && s.Kind == fhirjson.String && s.Text != "" && !isAbsolute(s.Text) {
		r.enter("system", -1)
		r.warn("value", s.Start, "is %s; a system is an absolute URI, such as http://loinc.org", quote(s.Text))
		r.leave()
	}
}
