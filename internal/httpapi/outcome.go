package httpapi

import (
	"encoding/json"

	models "github.com/samply/golang-fhir-models/fhir-models/fhir"
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
	body, err := json.Marshal(models.OperationOutcome{Issue: []models.OperationOutcomeIssue{issue}})
	if err != nil {
		return []byte(`{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"exception"}]}`)
	}
	return body
}
