package seed

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/reference"
)

// compact returns the arrival's resource with its edits and without insignificant white space.
func (a *arrival) compact() []byte {
	n := a.node
	edits := a.edits
	if n.Get("id") == nil && a.id != "" {
		at := n.Get("resourceType").End
		edits = append(edits, reference.Edit{Start: at, End: at, Text: `,"id":"` + a.id + `"`})
		slices.SortFunc(edits, func(x, y reference.Edit) int { return cmp.Compare(x.Start, y.Start) })
	}
	src := reference.Apply(a.t.data[a.base:], n.Start, n.End, edits)
	return fhirjson.Compact(make([]byte, 0, len(src)), src)
}

// references is what the references of a Bundle's entries can mean.
type references struct {
	targets map[string]string // fullUrl to Type/id; "" where two resources claim it
	own     identifierIndex   // of this Bundle; nil where none of its references needs it
	earlier identifierIndex   // of the shared context in the Bundles before
}

// add notes that e holds resource.
func (r *references) add(e *bundleEntry, resource *fhirjson.Node) {
	if e.key == "" || e.deleted {
		return
	}
	if e.fullURL != "" {
		if key, taken := r.targets[e.fullURL]; taken && key != e.key {
			r.targets[e.fullURL] = ""
		} else {
			r.targets[e.fullURL] = e.key
		}
	}
	if r.own != nil {
		r.own.add(resource, e.key)
	}
}

// An unresolved reference stays as it is.
type unresolved struct {
	at     int // offset in what the resource was parsed from
	reason string
}

// resolve finds the strings of a resource that refer to an entry and what they become, in the
// order of the text. data are the bytes that the resource was parsed from.
func (r *references) resolve(resource *fhirjson.Node, data []byte) (edits []reference.Edit, left []unresolved) {
	edits = reference.Edits(resource, data, func(kind reference.Kind, text string, at int) string {
		if kind == reference.URI {
			if isURN(text) {
				return r.targets[text]
			}
			return ""
		}
		key, reason := r.reference(text)
		if reason != "" {
			left = append(left, unresolved{at, reason})
		}
		return key
	})
	return edits, left
}

// resolveConditional is resolve for a resource outside of a Bundle, where conditional references
// alone are to be replaced.
func (r *references) resolveConditional(resource *fhirjson.Node, data []byte) (edits []reference.Edit, left []unresolved) {
	edits = reference.Edits(resource, data, func(kind reference.Kind, text string, at int) string {
		if kind == reference.URI {
			return ""
		}
		key, reason := r.conditional(text)
		if reason != "" {
			left = append(left, unresolved{at, reason})
		}
		return key
	})
	return edits, left
}

func isURN(s string) bool {
	return strings.HasPrefix(s, "urn:uuid:") || strings.HasPrefix(s, "urn:oid:")
}

// reference returns the Type/id that a Reference.reference means, or why there is none although
// there should be.
func (r *references) reference(s string) (key, reason string) {
	if key, ok := r.targets[s]; ok {
		if key == "" {
			reason = fmt.Sprintf("reference %q means more than one entry of the Bundle", s)
		}
		return key, reason
	}
	if isURN(s) {
		return "", fmt.Sprintf("reference %q means no entry of the Bundle", s)
	}
	return r.conditional(s)
}

// conditional returns the Type/id that a conditional reference means, or why there is none. Of
// other references it returns neither.
func (r *references) conditional(s string) (key, reason string) {
	typ, query, ok := strings.Cut(s, "?")
	if !ok || !looksLikeType(typ) {
		return "", ""
	}
	value, ok := strings.CutPrefix(query, "identifier=")
	if !ok || strings.Contains(value, "&") {
		return "", fmt.Sprintf("conditional reference %q is not by one identifier and stays as it is", s)
	}
	if plain, err := url.PathUnescape(value); err == nil { // unlike a query's, its plus is a plus
		value = plain
	}
	for _, index := range []identifierIndex{r.own, r.earlier} {
		key, found := index[typ+"?"+value]
		switch {
		case found && key == "":
			return "", fmt.Sprintf("conditional reference %q matches more than one resource and stays as it is", s)
		case found:
			return key, ""
		}
	}
	return "", fmt.Sprintf("conditional reference %q matches no resource read so far and stays as it is", s)
}

// sharedContext tells whether resources of this type are such as many Bundles refer to, so that
// their identifiers are remembered for the rest of the load.
func sharedContext(typ string) bool {
	switch typ {
	case "Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Medication":
		return true
	}
	return false
}

// An identifierIndex finds resources by what a conditional reference to them looks like, less
// the name of the parameter: "Practitioner?system|value", "Practitioner?value". An empty value
// stands for more than one resource.
type identifierIndex map[string]string

// add notes the identifiers of resource, whose Type/id is key.
func (x identifierIndex) add(resource *fhirjson.Node, key string) {
	typ, _, _ := strings.Cut(key, "/")
	list := resource.Get("identifier")
	if list == nil {
		return
	}
	identifiers := list.Items
	if list.Kind == fhirjson.Object { // where FHIR allows one only
		identifiers = []fhirjson.Node{*list}
	}
	for i := range identifiers {
		system, value := identifiers[i].Str("system"), identifiers[i].Str("value")
		if value == "" {
			continue
		}
		for _, token := range []string{system + "|" + value, value} {
			if other, taken := x[typ+"?"+token]; taken && other != key {
				x[typ+"?"+token] = ""
			} else {
				x[typ+"?"+token] = key
			}
		}
	}
}
