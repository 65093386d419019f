package r4

import (
	"fmt"
	"slices"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
)

// A ParamKind is the type of a search parameter (FHIR R4, Search, section 3.1.1.4).
type ParamKind uint8

// The kinds of search parameter.
const (
	Number ParamKind = iota + 1
	Date
	String
	Token
	Reference
	Composite
	Quantity
	URI
	Special
)

// kindNames are the codes of http://hl7.org/fhir/search-param-type.
func kindNames() [9]string {
	return [...]string{"number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"}
}

// String returns the kind's code in http://hl7.org/fhir/search-param-type: "number", "date" and
// so on.
func (k ParamKind) String() string {
	if k < Number || k > Special {
		return fmt.Sprintf("ParamKind(%d)", uint8(k))
	}
	return kindNames()[k-Number]
}

func kindNamed(name string) ParamKind {
	for i, known := range kindNames() {
		if known == name {
			return Number + ParamKind(i)
		}
	}
	panic("r4: the embedded table is damaged: unknown kind of parameter " + name)
}

// A SearchParam is one search parameter of one resource type.
type SearchParam struct {
	// ID is this parameter's for good, unique over type and code, and below 32768: the number
	// of the type times 128 plus that of the parameter within the type. Numbers of parameters
	// that every type has (_id, _lastUpdated) are the same for all types.
	ID         int32
	Type, Code string
	Kind       ParamKind
	URL        string // canonical URL of the SearchParameter

	// Expression is the FHIRPath that selects the values, cut down to what applies to Type. It
	// is empty for parameters that are not evaluated on a resource: _content, _text, _query.
	Expression string

	Targets    []string    // resource types that a reference may point to, sorted
	Components []Component // of a composite

	table   *Table
	compile func() (*fhirpath.Expr, error)
}

// Eval returns the parameter's values in root, a resource of its type, each with a non-nil Node.
// Values have the types of their elements: a token may be a code, Coding, CodeableConcept,
// Identifier, ContactPoint, boolean or string. The Bundle parameters composition and message
// select a resource instead of a reference to one. Eval compiles the expression when first
// called; it is safe for concurrent use.
func (p *SearchParam) Eval(root *fhirjson.Node) ([]fhirpath.Value, error) {
	if p.Expression == "" {
		return nil, nil
	}
	expr, err := p.compile()
	if err != nil {
		return nil, fmt.Errorf("search parameter %s of %s: %w", p.Code, p.Type, err)
	}
	values, err := expr.Eval(p.table, fhirpath.Value{Node: root, Type: p.Type}, fhirpath.Options{})
	if err != nil {
		return nil, fmt.Errorf("search parameter %s of %s: %w", p.Code, p.Type, err)
	}
	return withNode(values), nil
}

// A Component is one part of a composite parameter.
type Component struct {
	Param      *SearchParam // what the part is a value of
	Expression string       // FHIRPath on a value of the composite's own expression

	table   *Table
	compile func() (*fhirpath.Expr, error)
}

// Eval returns the part's values in base, which is one of the values that the composite's Eval
// returned for the resource root.
func (c *Component) Eval(root *fhirjson.Node, base fhirpath.Value) ([]fhirpath.Value, error) {
	expr, err := c.compile()
	if err != nil {
		return nil, fmt.Errorf("component %s of a composite of %s: %w", c.Param.Code, c.Param.Type, err)
	}
	values, err := expr.Eval(c.table, base, fhirpath.Options{
		Resource: fhirpath.Value{Node: root, Type: c.Param.Type},
	})
	if err != nil {
		return nil, fmt.Errorf("component %s of a composite of %s: %w", c.Param.Code, c.Param.Type, err)
	}
	return withNode(values), nil
}

// withNode drops values that have nothing to search by: primitives that are only extended.
func withNode(values []fhirpath.Value) []fhirpath.Value {
	lacksNode := func(v fhirpath.Value) bool { return v.Node == nil }
	if !slices.ContainsFunc(values, lacksNode) {
		return values
	}
	return slices.DeleteFunc(slices.Clone(values), lacksNode)
}
