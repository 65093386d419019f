package httpapi

import (
	"encoding/json"
	"fmt"

	models "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/sandfhir/sandfhir/internal/validation"
)

// The media types of FHIR (FHIR R4, http, Content Types; Bulk Data Access,
// Bulk Data Output File Request).
const (
	fhirJSON   = "application/fhir+json"
	fhirNDJSON = "application/fhir+ndjson"
)

// operationOutcome returns an OperationOutcome with one issue. Empty diagnostics
// are left out, because FHIR has no empty values.
func operationOutcome(severity, code, diagnostics, expression string) []byte {
	issue := models.OperationOutcomeIssue{}
	if diagnostics != "" {
		issue.Diagnostics = &diagnostics
	}
	// A severity or code that FHIR does not have would be a mistake of ours, and
	// leaves the enumeration's first value.
	_ = issue.Severity.UnmarshalJSON([]byte(`"` + severity + `"`))
	_ = issue.Code.UnmarshalJSON([]byte(`"` + code + `"`))
	if expression != "" {
		issue.Expression = []string{expression}
	}
	return marshalOutcome(issue)
}

// The extensions for where in a text an issue is.
const (
	issueLine   = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"
	issueColumn = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col"
)

// issuesOutcome returns an OperationOutcome with what a validation found.
func issuesOutcome(found []validation.Issue) []byte {
	issues := make([]models.OperationOutcomeIssue, len(found))
	for i, f := range found {
		issue := &issues[i]
		diagnostics := f.Message
		if f.Line > 0 {
			diagnostics = fmt.Sprintf("%s (line %d, column %d)", f.Message, f.Line, f.Column)
			line, column := f.Line, f.Column
			issue.Extension = []models.Extension{{Url: issueLine, ValueInteger: &line}, {Url: issueColumn, ValueInteger: &column}}
		}
		issue.Diagnostics = &diagnostics
		_ = issue.Severity.UnmarshalJSON([]byte(`"` + string(f.Severity) + `"`))
		_ = issue.Code.UnmarshalJSON([]byte(`"` + f.Code + `"`))
		if f.Expression != "" {
			issue.Expression = []string{f.Expression}
		}
	}
	return marshalOutcome(issues...)
}

func marshalOutcome(issues ...models.OperationOutcomeIssue) []byte {
	body, err := json.Marshal(models.OperationOutcome{Issue: issues})
	if err != nil {
		return []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"exception"}]}`)
	}
	return body
}
