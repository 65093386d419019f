package patch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// A Patch is a list of operations. It is immutable and safe for concurrent use.
type Patch struct {
	source     []byte // what the values of the operations are cut out of
	operations []operation
}

// An operation is one step of a patch.
type operation interface {
	// apply changes the document. Where it returns an error, the document is of no use any more.
	apply(d *document) error
	// String names the operation and its place.
	fmt.Stringer
	// expression is the FHIRPath of the operation in the patch, or "".
	expression(index int) string
}

// Apply returns the resource as the operations leave it, each applied to the outcome of the one
// before. The resource itself is not changed. The error is an *Error, or the
// *fhirjson.SyntaxError of a resource that is no JSON.
//
// A narrative that was generated from the data (text.status generated or extensions) is left out
// where the data change and the patch does not say what becomes of the narrative; and a patch is
// refused that leaves one as it is that holds more than the data (additional), for it could now
// contradict them (FHIR R4, http, patch).
func (p *Patch) Apply(resource []byte) ([]byte, error) {
	root, err := fhirjson.Parse(resource)
	if err != nil {
		return nil, err
	}
	d := newDocument(root, resource, p.source)
	for i, o := range p.operations {
		if err := o.apply(d); err != nil {
			return nil, at(i, o, err)
		}
	}
	if err := d.reviewNarrative(resource); err != nil {
		return nil, err
	}
	out := d.appendNode(make([]byte, 0, len(resource)+len(p.source)), &d.root)
	if len(out) > maxResult {
		return nil, &Error{Operation: -1, Code: "too-long", Message: fmt.Sprintf("the patched resource would have %d bytes; the most is %d", len(out), maxResult)}
	}
	return out, nil
}

// An Error says why a patch cannot be read or cannot be applied.
type Error struct {
	// Operation is the index of the operation at fault, from 0; -1 where it is the patch as a
	// whole.
	Operation int
	// Malformed is true for what is no patch, whatever it would be applied to. Otherwise the
	// patch does not fit the resource (RFC 5789, section 2.2).
	Malformed bool
	Code      string // of FHIR's issue types: structure, required, value, processing and so on
	// Expression is the FHIRPath of what is at fault in a FHIRPath Patch, or "".
	Expression string
	Message    string
}

// Error returns the message, which names the operation.
func (e *Error) Error() string { return e.Message }

// malformed is an error of an operation that is none. at says which.
func malformed(code, format string, args ...any) *Error {
	return &Error{Operation: -1, Malformed: true, Code: code, Message: fmt.Sprintf(format, args...)}
}

// unfit is an error of an operation that does not fit the resource.
func unfit(format string, args ...any) *Error {
	return &Error{Operation: -1, Code: "processing", Message: fmt.Sprintf(format, args...)}
}

// at says that an error is of the operation with that index.
func at(index int, o operation, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		e = unfit("%v", err)
	}
	of := *e
	of.Operation, of.Expression = index, o.expression(index)
	of.Message = fmt.Sprintf("operation %d (%s): %s", index, clip(o.String()), clip(e.Message))
	return &of
}

// clip shortens what a client sent to what can be read.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
