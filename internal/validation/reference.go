package validation

import (
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// reference judges a Reference: that its text can be one, and the type of what it leads to as far
// as the text or its type tells (FHIR R4, references).
func (r *run) reference(sl *slot, n *fhirjson.Node) {
	named := ""
	if m := n.Get("type"); m != nil && m.Kind == fhirjson.String && m.Text != "" {
		named = r.referenceType(m, sl)
	}
	m := n.Get("reference")
	if m == nil || m.Kind != fhirjson.String || m.Text == "" {
		if !r.opt.ErrorsOnly && m == nil && n.Get("_reference") == nil && n.Get("identifier") == nil && n.Get("display") == nil && n.Get("extension") == nil {
			r.warn("value", n.Start, "refers to nothing: it has no reference, identifier or display")
		}
		return
	}
	r.enter("reference", -1)
	defer r.leave()
	target, wrong := r.target(m.Text)
	switch {
	case wrong != "":
		r.fault("value", m.Start, "is %s, %s", quote(m.Text), wrong)
	case target == "":
	case !allows(sl, target):
		r.fault("value", m.Start, "is %s; it leads to a %s, and has to lead to a %s", quote(m.Text), target, listed(sl.targets))
	case named != "" && named != target:
		r.fault("value", m.Start, "is %s, but the type beside it is %s", quote(m.Text), named)
	}
}

// referenceType judges Reference.type and returns the resource type that it names, or "".
func (r *run) referenceType(m *fhirjson.Node, sl *slot) string {
	r.enter("type", -1)
	defer r.leave()
	name := strings.TrimPrefix(m.Text, "http://hl7.org/fhir/StructureDefinition/")
	switch {
	case r.v.resources[name] != nil:
		if !allows(sl, name) {
			r.fault("value", m.Start, "is %s; the reference has to lead to a %s", quote(m.Text), listed(sl.targets))
			return ""
		}
		return name
	case !isAbsolute(m.Text):
		r.fault("value", m.Start, "is %s, which is no resource type of FHIR R4%s", quote(m.Text), didYouMean(m.Text, r.v.defs.Types()))
	}
	return ""
}

func allows(sl *slot, target string) bool {
	return sl.targets == nil || slices.Contains(sl.targets, target)
}

// target returns the type of the resource that a literal reference leads to, "" where it does not
// tell, or what is wrong with it.
func (r *run) target(text string) (typ, wrong string) {
	if text[0] == '#' {
		return r.localTarget(text)
	}
	if wrong := wrongURI(text); wrong != "" {
		return "", "which is no reference: " + wrong
	}
	typ = fhirpath.TargetType(text)
	known := r.v.resources[typ] != nil
	path, query, conditional := strings.Cut(text, "?")
	switch {
	case isAbsolute(text):
		if !known {
			typ = ""
		}
		return typ, ""
	case known && typ == path && query != "":
		if !r.transaction {
			return "", "a conditional reference, which can only stand in a transaction"
		}
		return typ, ""
	}
	parts := strings.Split(path, "/")
	versioned := len(parts) == 4 && parts[2] == "_history" && wrongID(parts[3]) == "" && parts[3] != ""
	switch {
	case conditional || len(parts) != 2 && !versioned || parts[1] == "" || wrongID(parts[1]) != "":
		return "", "which is no reference: it is Type/id, Type/id/_history/version, an absolute URL, or # and the id of a contained resource"
	case !known:
		return "", "but FHIR R4 has no resource type " + excerpt(parts[0]) + didYouMean(parts[0], r.v.defs.Types())
	}
	return typ, ""
}

// localTarget returns the type of the contained resource that a reference such as #id leads to.
func (r *run) localTarget(text string) (typ, wrong string) {
	r.refer(text)
	if text == "#" {
		return r.container.Type, ""
	}
	if r.local != nil {
		if i, ok := r.local.index[text[1:]]; ok {
			if typ = r.local.list.Items[i].Str("resourceType"); r.v.resources[typ] == nil {
				typ = "" // reported there
			}
			return typ, ""
		}
	}
	return "", "but nothing is contained here that has this id (ref-1)"
}
