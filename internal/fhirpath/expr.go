package fhirpath

import (
	"fmt"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A Schema knows the elements of FHIR types.
type Schema interface {
	// Element tells the types that the child name of a value of the FHIR type typ may have.
	// typ is the name of a resource or data type ("Patient", "HumanName") or the path of a
	// backbone element ("Patient.contact"). A choice element goes by its name without [x] and
	// has several types; its name in JSON ("valueQuantity") is known as well and has one. ok
	// is false where typ has no such child. The slice is not changed.
	Element(typ, name string) (types []string, ok bool)
}

// A Value is an element of a resource, or what an operation made of such elements.
type Value struct {
	// Node is the element's JSON. It is nil for a primitive that has extensions but no value,
	// and for the target of a reference that lies outside of the resource. A literal and the
	// outcome of an operation have a node of their own with Start and End at -1.
	Node *fhirjson.Node

	// Ext is the object that holds a primitive's id and extensions (the member "_birthDate"
	// beside "birthDate"), or nil.
	Ext *fhirjson.Node

	// Type is the FHIR type: "Identifier", "code", "Quantity", "Patient", "Patient.contact".
	// Literals and the outcomes of operations have "boolean", "string", "integer", "decimal",
	// "date", "dateTime" or "time".
	Type string
}

// ResourceValue returns a resource as a value of the type that its resourceType names.
func ResourceValue(n *fhirjson.Node) Value {
	return Value{Node: n, Type: n.Str("resourceType")}
}

// Options are an evaluation's settings. The zero Options will do for search parameters.
type Options struct {
	// Resource is what %resource stands for: the resource that holds the root. It is the root
	// itself where it is the zero Value.
	Resource Value

	// RootResource is what %rootResource stands for and where contained resources are looked
	// for: the container of a contained resource. It is Resource where it is the zero Value.
	RootResource Value

	// Steps is a budget that several evaluations share: how many elements they may look at, from
	// which each takes what it used. nil means ten million for this one.
	Steps *int
}

// An Expr is a compiled expression. It is immutable and safe for concurrent use.
type Expr struct {
	text string
	root node
}

// String returns the expression as it was given to Compile.
func (e *Expr) String() string { return e.text }

// Eval evaluates e on root: a resource, or the element that a constraint belongs to. It returns
// nil where e selects nothing. An error means that the expression asks for something that the
// values do not allow, such as telling whether several values are true, or that it takes
// ErrTooCostly.
func (e *Expr) Eval(s Schema, root Value, opt Options) ([]Value, error) {
	c := newEvaluation(s, root, opt)
	defer c.settle(opt)
	values, err := e.root.eval(c, c.context[:])
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", e.text, err)
	}
	return values, nil
}

// Holds evaluates e as a condition on root. Nothing selected counts as false unless unknown is
// true: constraints are kept where they cannot be decided.
func (e *Expr) Holds(s Schema, root Value, opt Options, unknown bool) (bool, error) {
	c := newEvaluation(s, root, opt)
	defer c.settle(opt)
	t, err := truthOf(e.root, c, c.context[:])
	if err != nil {
		return false, fmt.Errorf("evaluate %s: %w", e.text, err)
	}
	return t == yes || t == undecided && unknown, nil
}
