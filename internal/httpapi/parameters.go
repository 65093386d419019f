package httpapi

import (
	"bytes"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// kickOffParams are the parameters of the query or of the Parameters body; a
// POST without a body may have them in its query.
func (l *call) kickOffParams() ([]bulk.Param, error) {
	query, err := l.queryParams()
	if err != nil {
		return nil, err
	}
	var params []bulk.Param
	for _, p := range query {
		if p.Name != "_format" {
			params = append(params, bulk.Param{Name: p.Name, Value: p.Value})
		}
	}
	if l.Method() != fiber.MethodPost {
		return params, nil
	}
	body, err := l.readBody(maxFHIRBody)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return params, err
	}
	if err := l.sendsJSON(); err != nil {
		return nil, err
	}
	posted, err := bulk.ReadParameters(body)
	if err != nil {
		return nil, err
	}
	if len(params) > 0 && len(posted) > 0 {
		both := bulk.Param{Wrong: &bulk.Error{ID: "BD-RJ-14", Code: "invalid", Message: "parameters are either in the body or in the query, not in both"}}
		params = append([]bulk.Param{both}, params...)
	}
	return append(params, posted...), nil
}

// notAList is the refusal of a Parameters resource whose parameter is no array.
func notAList(parameter *fhirjson.Node) error {
	return badRequest("structure", "Parameters.parameter has to be an array; it is a JSON "+parameter.Kind.String())
}
