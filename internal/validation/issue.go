package validation

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
)

// A Severity is how bad an issue is, from FHIR's code system issue-severity.
type Severity string

// The severities of issues. A resource with an Error is invalid.
const (
	Error       Severity = "error"
	Warning     Severity = "warning"
	Information Severity = "information"
)

// An Issue is one thing that is wrong with a resource.
type Issue struct {
	Severity Severity

	// Code is from FHIR's code system issue-type: structure (JSON, unknown elements, what stands
	// where it may not), required (what is missing), value (what cannot be read), invalid,
	// code-invalid (outside of a required binding), invariant, too-costly.
	Code string

	// Expression is where, as a FHIRPath of element names and indexes: Patient.name[0].family. It
	// is "" where the input is no resource at all.
	Expression string

	// Message says in one sentence what was got and what was wanted. It does not repeat the place
	// in the text.
	Message string

	Line   int // from 1
	Column int // in characters, from 1

	offset int
}

// An InvalidError is the error of a resource of which one issue or more are of severity Error.
type InvalidError struct{ Issues []Issue }

// Error returns the first issue with its place, and says how many more there are.
func (e *InvalidError) Error() string {
	first := e.Issues[0]
	return fmt.Sprintf("%s (line %d, column %d)%s", first.Message, first.Line, first.Column, e.more())
}

// Reason is Error without the place, for whoever knows a better one.
func (e *InvalidError) Reason() string { return e.Issues[0].Message + e.more() }

func (e *InvalidError) more() string {
	switch n := len(e.Issues) - 1; n {
	case 0:
		return ""
	case 1:
		return "; and one more issue"
	default:
		return fmt.Sprintf("; and %d more issues", n)
	}
}

// locate sorts issues by their place in data and works out line and column.
func locate(issues []Issue, data []byte) {
	slices.SortStableFunc(issues, func(a, b Issue) int { return a.offset - b.offset })
	line, column, at := 1, 1, 0
	for i := range issues {
		between := data[at:issues[i].offset]
		if last := bytes.LastIndexByte(between, '\n'); last >= 0 {
			line += bytes.Count(between, []byte{'\n'})
			column, between = 1, between[last+1:]
		}
		column += utf8.RuneCount(between)
		at = issues[i].offset
		issues[i].Line, issues[i].Column = line, column
	}
}
