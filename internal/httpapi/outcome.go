package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/validation"
)

// The media types of FHIR (FHIR R4, http, Content Types; Bulk Data Access,
// Bulk Data Output File Request).
const (
	fhirJSON   = "application/fhir+json"
	fhirNDJSON = "application/fhir+ndjson"
)

// An outcomeIssue is one of an OperationOutcome. Members without a value are
// left out, because FHIR has no empty ones.
type outcomeIssue struct {
	Extension   []integerExtension `json:"extension,omitempty"`
	Severity    string             `json:"severity"`
	Code        string             `json:"code"`
	Diagnostics string             `json:"diagnostics,omitempty"`
	Expression  []string           `json:"expression,omitempty"`
}

type integerExtension struct {
	URL   string `json:"url"`
	Value int    `json:"valueInteger"`
}

// The extensions for where in a text an issue is.
const (
	issueLine   = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"
	issueColumn = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col"
)

// operationOutcome returns an OperationOutcome with one issue.
func operationOutcome(severity, code, diagnostics, expression string) []byte {
	issue := outcomeIssue{Severity: severity, Code: code, Diagnostics: diagnostics}
	if expression != "" {
		issue.Expression = []string{expression}
	}
	return marshalOutcome(issue)
}

// issuesOutcome returns an OperationOutcome with what a validation found.
func issuesOutcome(found []validation.Issue) []byte {
	issues := make([]outcomeIssue, len(found))
	for i, f := range found {
		issue := outcomeIssue{Severity: string(f.Severity), Code: f.Code, Diagnostics: f.Message}
		if f.Line > 0 {
			issue.Diagnostics = fmt.Sprintf("%s (line %d, column %d)", f.Message, f.Line, f.Column)
			issue.Extension = []integerExtension{{issueLine, f.Line}, {issueColumn, f.Column}}
		}
		if f.Expression != "" {
			issue.Expression = []string{f.Expression}
		}
		issues[i] = issue
	}
	return marshalOutcome(issues...)
}

func marshalOutcome(issues ...outcomeIssue) []byte {
	body, err := marshal(struct {
		ResourceType string         `json:"resourceType"`
		Issue        []outcomeIssue `json:"issue"`
	}{"OperationOutcome", issues})
	if err != nil {
		return []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"exception"}]}`)
	}
	return body
}

// marshal writes v as JSON. Characters of HTML stay as they are: an & in a URL
// is easier to read than \u0026.
func marshal(v any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(body.Bytes(), []byte("\n")), nil
}

// ignoredText says that a parameter was ignored and why.
func ignoredText(e fhirstore.QueryError) string {
	if strings.HasPrefix(e.Message, e.Parameter+" ") {
		return e.Message + ", so it was ignored"
	}
	return e.Parameter + " was ignored: " + e.Message
}
