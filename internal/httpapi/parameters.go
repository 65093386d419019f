package httpapi

import (
	"bytes"
	"fmt"
	"strings"

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
	if len(params) > 0 {
		return nil, badRequest("invalid", "parameters are either in the body or in the query, not in both")
	}
	if err := l.sendsJSON(); err != nil {
		return nil, err
	}
	return parametersOf(body)
}

// notAList is the refusal of a Parameters resource whose parameter is no array.
func notAList(parameter *fhirjson.Node) error {
	return badRequest("structure", "Parameters.parameter has to be an array; it is a JSON "+parameter.Kind.String())
}

// valueType is the type of a parameter of $export in a Parameters resource
// (Bulk Data Access 2.0.0, OperationDefinition export), or "" for a parameter
// that it does not have.
func valueType(name string) string {
	switch name {
	case "_since", "_until":
		return "valueInstant"
	case "patient":
		return "valueReference"
	case "includeAssociatedData":
		return "valueCode"
	case "allowPartialManifests":
		return "valueBoolean"
	case "_outputFormat", "_type", "_typeFilter", "_elements", "organizeOutputBy":
		return "valueString"
	}
	return ""
}

// parametersOf reads a Parameters resource.
func parametersOf(body []byte) ([]bulk.Param, error) {
	resource, err := fhirjson.Parse(body)
	if err != nil {
		return nil, err
	}
	if typ := resource.Str("resourceType"); typ != "Parameters" {
		return nil, badRequest("structure", fmt.Sprintf("the body of a kick-off is a Parameters resource; this is %q", typ))
	}
	list := resource.Get("parameter")
	if list == nil {
		return nil, nil
	}
	if list.Kind != fhirjson.Array {
		return nil, notAList(list)
	}
	params := make([]bulk.Param, 0, len(list.Items))
	for i := range list.Items {
		p := &list.Items[i]
		name := p.Str("name")
		if name == "" {
			return nil, badRequest("structure", fmt.Sprintf("Parameters.parameter[%d] has no name", i))
		}
		text, err := parameterText(p, name)
		if err != nil {
			return nil, err
		}
		params = append(params, bulk.Param{Name: name, Value: text, Posted: true})
	}
	return params, nil
}

// parameterText is the text of a parameter's value. A parameter that $export
// does not have may be of any type: whether it does harm is not decided here.
func parameterText(p *fhirjson.Node, name string) (string, error) {
	want := valueType(name)
	if want == "" {
		for i := range p.Members {
			if m := &p.Members[i]; strings.HasPrefix(m.Name, "value") {
				return m.Value.Text, nil
			}
		}
		return "", nil
	}
	value := p.Get(want)
	if value == nil {
		return "", badRequest("value", fmt.Sprintf("the parameter %s has to be a %s", name, want))
	}
	text, kind := value.Text, fhirjson.String
	switch want {
	case "valueReference":
		text, kind = value.Str("reference"), fhirjson.Object
	case "valueBoolean":
		kind = fhirjson.Bool
	}
	if value.Kind != kind || text == "" {
		return "", badRequest("value", fmt.Sprintf("the parameter %s: its %s cannot be read", name, want))
	}
	return text, nil
}
