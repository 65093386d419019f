package bulk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
)

// mistypedValue is the rule that a value of the wrong type breaks.
const mistypedValue = "BD-RJ-15"

// ReadParameters reads the Parameters resource of a POST (Bulk Data Access,
// OperationDefinition export). Its errors are *Error, and *fhirjson.SyntaxError
// for what is no JSON. A parameter whose value has the wrong type says so
// itself.
func ReadParameters(body []byte) ([]Param, error) {
	resource, err := fhirjson.Parse(body)
	if err != nil {
		return nil, err
	}
	wrong := func(format string, args ...any) ([]Param, error) {
		return nil, &Error{"BD-RJ-15", "structure", "", fmt.Sprintf(format, args...)}
	}
	if typ := resource.Str("resourceType"); typ != "Parameters" {
		return wrong("the body of a kick-off is a Parameters resource; this is %q", typ)
	}
	list := resource.Get("parameter")
	if list == nil {
		return nil, nil
	}
	if list.Kind != fhirjson.Array {
		return wrong("Parameters.parameter has to be an array; it is a JSON %s", list.Kind)
	}
	params := make([]Param, 0, len(list.Items))
	for i := range list.Items {
		p := &list.Items[i]
		name := p.Str("name")
		if name == "" {
			return wrong("Parameters.parameter[%d] has no name", i)
		}
		params = append(params, readParameter(p, name))
	}
	return params, nil
}

// readParameter reads one parameter. One that $export does not have may be of
// any type: whether it does harm is not decided here.
func readParameter(p *fhirjson.Node, name string) Param {
	param := Param{Name: name, Posted: true}
	def, known := definitionOf(name)
	var value *fhirjson.Member
	values := 0
	for i := range p.Members {
		if strings.HasPrefix(p.Members[i].Name, "value") {
			value = &p.Members[i]
			values++
		}
	}
	switch {
	case values > 1:
		param.Wrong = &Error{mistypedValue, "structure", name, fmt.Sprintf("the parameter %s has %d values; a parameter has one", name, values)}
	case !known && value != nil:
		param.Value = textOf(value)
	case !known:
	case value == nil:
		param.Wrong = mistyped(name, "it has no value of that type")
	case !slices.Contains(def.values, value.Name):
		param.Wrong = mistyped(name, "it is a "+value.Name)
		if jsonKind(def.values[0]) == fhirjson.String && isTextual(value.Name) && value.Value.Kind == fhirjson.String {
			param.Value = value.Value.Text // for whoever is lenient
		}
	case jsonKind(value.Name) != value.Value.Kind || textOf(value) == "":
		param.Wrong = mistyped(name, "its value cannot be read")
	default:
		param.Value = textOf(value)
	}
	return param
}

func mistyped(name, how string) *Error {
	def, _ := definitionOf(name)
	return &Error{mistypedValue, "value", name, fmt.Sprintf("the parameter %s has to be a %s; %s", name, def.values[0], how)}
}

// isTextual reports whether values of a type are texts that a lenient export
// takes for one another.
func isTextual(valueType string) bool {
	return slices.Contains([]string{"valueString", "valueCode", "valueUri", "valueUrl", "valueCanonical", "valueId"}, valueType)
}

// jsonKind is the kind of JSON value that a value of a type is.
func jsonKind(valueType string) fhirjson.Kind {
	switch valueType {
	case "valueReference", "valueCoding":
		return fhirjson.Object
	case "valueBoolean":
		return fhirjson.Bool
	case "valueInteger", "valuePositiveInt", "valueUnsignedInt", "valueDecimal":
		return fhirjson.Number
	}
	return fhirjson.String
}

// textOf is a value as it would stand in a query: of a Reference what it refers
// to, of a Coding its code.
func textOf(value *fhirjson.Member) string {
	switch value.Name {
	case "valueReference":
		return value.Value.Str("reference")
	case "valueCoding":
		return value.Value.Str("code")
	}
	return value.Value.Text
}
