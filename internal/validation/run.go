package validation

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirpath"
	"github.com/sandfhir/sandfhir/internal/nearest"
)

// A run is one validation under way. Its memory is used again by the next.
type run struct {
	v          *Validator
	opt        Options
	conditions *fhirpath.Evaluator

	path     []step
	issues   []Issue
	errors   int
	warnings int
	tired    bool // the steps for invariants are used up

	scope
}

// A step is one element on the way from the root, with its index in an array or -1.
type step struct {
	name  string
	index int
}

// A scope is what depends on the resource that is being looked at.
type scope struct {
	resource  fhirpath.Value // %resource
	container fhirpath.Value // %rootResource: the resource that contains it, or itself

	local       *locals // of the container; nil where it contains none
	within      int     // index of the contained resource, -1 in the container itself
	transaction bool    // conditional references are allowed
}

// The steps that all invariants of a resource may take: some, and so many for each byte.
const (
	baseSteps    = 1_000_000
	stepsPerByte = 2
)

func (r *run) begin(size int, opt Options) {
	r.opt = opt
	r.path = r.path[:0]
	r.issues = nil
	r.errors, r.warnings, r.tired = 0, 0, false
	r.scope = scope{within: -1}
	r.conditions.Limit(baseSteps + stepsPerByte*size)
}

// end returns the issues and lets go of the resource.
func (r *run) end() []Issue {
	issues := r.issues
	if r.full() {
		issues = append(issues, Issue{Severity: Information, Code: "incomplete", offset: issues[len(issues)-1].offset,
			Message: fmt.Sprintf("there are %d errors; what else is wrong was not looked for", MaxErrors)})
	}
	r.issues, r.scope = nil, scope{}
	clear(r.path[:cap(r.path)])
	r.conditions.Limit(0)
	return issues
}

// full reports whether the run has found as much as is reported.
func (r *run) full() bool { return r.errors >= MaxErrors }

// enter and leave put an element on the path and take it off. index is -1 outside of arrays.
func (r *run) enter(name string, index int) { r.path = append(r.path, step{name, index}) }

func (r *run) leave() { r.path = r.path[:len(r.path)-1] }

// fault reports an error at the current path and a byte offset. The message goes on from the path:
// "has no status, which is required".
func (r *run) fault(code string, at int, format string, args ...any) {
	r.report(Error, code, at, format, args...)
}

// warn reports a warning.
func (r *run) warn(code string, at int, format string, args ...any) {
	r.report(Warning, code, at, format, args...)
}

func (r *run) report(severity Severity, code string, at int, format string, args ...any) {
	if severity == Error {
		if r.full() {
			return
		}
		r.errors++
	} else {
		if r.opt.ErrorsOnly || r.warnings == MaxErrors {
			return
		}
		r.warnings++
	}
	place := r.expression()
	message := strings.TrimSpace(cmp.Or(place, "this") + " " + fmt.Sprintf(format, args...))
	r.issues = append(r.issues, Issue{Severity: severity, Code: code, Expression: place, Message: message, offset: at})
}

// expression is the path in FHIRPath: element names, indexes and the dot.
func (r *run) expression() string {
	var b strings.Builder
	for i, s := range r.path {
		if i > 0 {
			b.WriteByte('.')
		}
		if isIdentifier(s.name) {
			b.WriteString(s.name)
		} else {
			b.WriteString("`" + strings.NewReplacer("`", "\\`", "\\", `\\`).Replace(excerpt(s.name)) + "`")
		}
		if s.index >= 0 {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		}
	}
	return b.String()
}

func isIdentifier(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return true
}

// longestExcerpt is how many characters of a text a message shows.
const longestExcerpt = 60

// excerpt cuts a text of the input to what a message can show.
func excerpt(s string) string {
	n := 0
	for i := range s {
		if n == longestExcerpt {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// quote shows a text of the input.
func quote(s string) string { return strconv.Quote(excerpt(s)) }

// didYouMean asks for the name that was probably meant, or is "".
func didYouMean(word string, names []string) string {
	if len(word) > longestExcerpt {
		return ""
	}
	if near := nearest.Name(word, names); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// listed joins names for a message: "a, b or c".
func listed(names []string) string {
	const most = 12
	switch {
	case len(names) == 0:
		return ""
	case len(names) == 1:
		return names[0]
	case len(names) > most:
		return strings.Join(names[:most-1], ", ") + " or " + strconv.Itoa(len(names)-most+1) + " others"
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
