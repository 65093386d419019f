package validation

import (
	"errors"
	"slices"
	"sync"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// MaxErrors is how many errors, and how many warnings, are reported of one resource.
const MaxErrors = 100

// A Validator judges resources. It is safe for concurrent use.
type Validator struct {
	defs      *r4.Table
	resources map[string]*shape // by resource type
	beside    *slot             // what extends a primitive that has a value
	instead   *slot             // and one that has none
	runs      sync.Pool

	mu     sync.Mutex
	shapes map[string]*shape // of data types and backbone elements
	sets   map[string]*valueSet
	rules  map[r4.Constraint]*rule
}

var standard = sync.OnceValue(func() *Validator { return New(r4.Definitions()) })

// R4 returns the validator by R4's own definitions, which is built once a process.
func R4() *Validator { return standard() }

// New returns a validator by the given definitions. What it needs to know of a type it works out
// when it first meets one.
func New(defs *r4.Table) *Validator {
	v := &Validator{
		defs:      defs,
		resources: map[string]*shape{},
		shapes:    map[string]*shape{},
		sets:      map[string]*valueSet{},
		rules:     map[r4.Constraint]*rule{},
	}
	for _, name := range defs.Types() {
		v.resources[name] = &shape{v: v, name: name, isResource: true}
	}
	v.beside = &slot{element: &element{}, typ: "Element", shape: &shape{v: v, name: "Element", idWillDo: true}}
	v.instead = &slot{element: &element{}, typ: "Element", shape: v.shape("Element")}
	v.runs.New = func() any { return &run{v: v, conditions: fhirpath.NewEvaluator(defs)} }
	return v
}

// Options are what a validation is for. The zero Options are a resource for its own sake.
type Options struct {
	// Incoming says that the resource is about to be stored: its id, meta.versionId and
	// meta.lastUpdated are replaced by the server's and therefore not judged (FHIR R4, http,
	// create and update).
	Incoming bool

	// ErrorsOnly leaves warnings out, and the work for them.
	ErrorsOnly bool
}

// Validate judges the bytes of one resource.
func (v *Validator) Validate(data []byte, opt Options) []Issue {
	root, err := fhirjson.Parse(data)
	if err != nil {
		return []Issue{SyntaxIssue(err)}
	}
	return v.Check(root, data, opt)
}

// SyntaxIssue returns the issue that an error of fhirjson.Parse is.
func SyntaxIssue(err error) Issue {
	issue := Issue{Severity: Error, Code: "structure", Message: "this is no JSON: " + err.Error()}
	var syntax *fhirjson.SyntaxError
	if errors.As(err, &syntax) {
		issue.Message = "this is no JSON: " + syntax.Msg
		issue.Line, issue.Column, issue.offset = syntax.Line, syntax.Column, syntax.Offset
	}
	return issue
}

// Check judges a resource that fhirjson.Parse read from data. The issues stand in the order of
// their places.
func (v *Validator) Check(root *fhirjson.Node, data []byte, opt Options) []Issue {
	r := v.runs.Get().(*run)
	r.begin(len(data), opt)
	r.document(root)
	issues := r.end()
	v.runs.Put(r)
	if opt.Incoming {
		meta := root.Get("meta")
		for _, replaced := range [...]*fhirjson.Node{root.Get("id"), meta.Get("versionId"), meta.Get("lastUpdated")} {
			if replaced != nil {
				issues = slices.DeleteFunc(issues, func(i Issue) bool { return i.offset == replaced.Start })
			}
		}
	}
	locate(issues, data)
	return issues
}

// Admit judges a resource that is about to be stored. Its error is an *InvalidError.
func (v *Validator) Admit(root *fhirjson.Node, data []byte) error {
	issues := v.Check(root, data, Options{Incoming: true, ErrorsOnly: true})
	if len(issues) == 0 {
		return nil
	}
	return &InvalidError{issues}
}

// shape returns what a data type or a backbone element has to look like.
func (v *Validator) shape(name string) *shape {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.shapes[name]
	if !ok {
		s = &shape{v: v, name: name}
		v.shapes[name] = s
	}
	return s
}
