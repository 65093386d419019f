package bulk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/subset"
)

// An element is one of _elements: a root element of a type, or of every type
// that has it.
type element struct{ typ, name string }

// elementsOf reads one _elements. A lenient export leaves out the elements that
// there are not.
func (p *parser) elementsOf(values []string) *Error {
	var first *Error
	for _, value := range values {
		e, err := p.element(strings.TrimSpace(value))
		switch {
		case err == nil:
			p.elements = append(p.elements, e)
		case first == nil:
			first = err
		default:
			first = &Error{err.ID, err.Code, err.Parameter, first.Message + "; " + err.Message}
		}
	}
	return first
}

func (p *parser) element(value string) (element, *Error) {
	wrong := func(format string, args ...any) (element, *Error) {
		return element{}, &Error{"BD-RJ-12", "invalid", "_elements", fmt.Sprintf(format, args...)}
	}
	typ, name, prefixed := strings.Cut(value, ".")
	if !prefixed {
		typ, name = "", value
	}
	switch {
	case name == "":
		return wrong("_elements names %q, which is no element", value)
	case strings.Contains(name, "."):
		return wrong("_elements names %s; only root elements can be named, such as %s.%s", value, typ, name[:strings.Index(name, ".")])
	case prefixed && !p.store.KnowsType(typ):
		hint := ""
		if near := p.store.NearestType(typ); near != "" {
			hint = fmt.Sprintf("; did you mean %s? Only root elements can be named", near)
		}
		return wrong("_elements names %s, and %q is no FHIR R4 resource type%s", value, typ, hint)
	case prefixed && !hasElement(typ, name):
		return wrong("_elements names %s, an element that %s does not have", value, typ)
	case !prefixed && !slices.ContainsFunc(p.store.Types(), func(typ string) bool { return hasElement(typ, name) }):
		return wrong("_elements names %s, an element that no FHIR R4 resource type has", value)
	}
	return element{typ, name}, nil
}

func hasElement(typ, name string) bool {
	_, unknown := subset.ParseElements(r4.Definitions(), typ, name)
	return len(unknown) == 0
}

// cuts returns, for the types that _elements concerns, the elements that are
// kept besides the mandatory ones (Bulk Data Access 2.0.0, _elements). A bare
// name concerns the types that have it; a type that no name concerns stays
// whole.
func (p *parser) cuts(types []string) map[string][]string {
	cuts := map[string][]string{}
	for _, typ := range types {
		for _, e := range p.elements {
			if e.typ == typ || e.typ == "" && hasElement(typ, e.name) {
				cuts[typ] = append(cuts[typ], e.name)
			}
		}
	}
	return cuts
}
