package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/behaviour"
)

// An operation is what openapi.json says of a route.
type operation struct {
	method, path string // of the route
	summary      string
	query        []queryParameter
	body         any    // zero value of what is read as JSON; nil is no body
	form         bool   // the body is a form in place of JSON
	optional     bool   // the body may be left out
	example      string // of a body, as JSON
	answers      map[int]any
	page         bool // browsers get a page
}

// noContent is the answer without a body.
type noContent struct{}

// A document is an answer that is no JSON of a Go type, by its media type.
type document string

// A queryParameter is a parameter of a query.
type queryParameter struct{ name, does string }

// described reports whether a route is one that openapi.json has: the controls,
// the portal for scripts, and the administration resources. Pages and their
// files are not.
func (r route) described() bool {
	for _, root := range []string{"/_sandbox", "/portal/api", "/Client", "/AccessPolicy", "/Session"} {
		if isBelow(r.path, root) {
			return !r.page
		}
	}
	return false
}

// openAPI answers with the description of the controls and of the portal for
// scripts (OpenAPI 3.1).
func (l *call) openAPI() error {
	text, err := openAPIDocument(l.root + l.prefix)
	if err != nil {
		return err
	}
	return l.send(fiber.StatusOK, fiber.MIMEApplicationJSON, text)
}

// openAPIDocument makes it of the table of operations, with the schemas of the
// Go types that handlers read and write.
func openAPIDocument(server string) ([]byte, error) {
	s := newSchemas()
	paths := map[string]map[string]any{}
	for _, o := range operations() {
		entry, err := o.describe(s)
		if err != nil {
			return nil, fmt.Errorf("describe %s %s: %w", o.method, o.path, err)
		}
		path := bracedPath(o.path)
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(o.method)] = entry
	}
	failed, err := s.of(plainError{})
	if err != nil {
		return nil, err
	}
	return marshal(map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title":   "Sandfhir: controls, portal and administration",
			"version": "1",
			"description": "What is open to whoever runs the sandbox and to tests in any language. The FHIR server describes itself at /fhir/metadata, " +
				"and the authorization server at /fhir/.well-known/smart-configuration.",
		},
		"servers":  []any{map[string]any{"url": server}},
		"security": []any{map[string]any{}, map[string]any{"adminToken": []string{}}},
		"paths":    paths,
		"components": map[string]any{
			"schemas": s.named,
			"securitySchemes": map[string]any{"adminToken": map[string]any{
				"type": "http", "scheme": "bearer",
				"description": "The admin token, where the server was started with one: one that listens on more than its own machine needs it.",
			}},
			"responses": map[string]any{"Refused": map[string]any{
				"description": "It was refused: what is wrong, and field by field where the body is a form of many.",
				"content":     map[string]any{fiber.MIMEApplicationJSON: map[string]any{"schema": failed}},
			}},
		},
	})
}

// bracedPath is a route's path as OpenAPI has it: /services/{service}.
func bracedPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

// describe returns the Operation Object.
func (o operation) describe(s *schemas) (map[string]any, error) {
	entry := map[string]any{"summary": o.summary, "operationId": o.id(), "tags": []string{o.tag()}}
	var parameters []any
	for _, segment := range strings.Split(o.path, "/") {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			parameters = append(parameters, map[string]any{"name": name, "in": "path", "required": true, "schema": map[string]string{"type": "string"}})
		}
	}
	for _, q := range o.query {
		parameters = append(parameters, map[string]any{"name": q.name, "in": "query", "description": q.does, "schema": map[string]string{"type": "string"}})
	}
	if parameters != nil {
		entry["parameters"] = parameters
	}
	if o.body != nil {
		body, err := o.requestBody(s)
		if err != nil {
			return nil, err
		}
		entry["requestBody"] = body
	}
	responses := map[string]any{"default": map[string]string{"$ref": "#/components/responses/Refused"}}
	for status, value := range o.answers {
		answer := map[string]any{"description": http.StatusText(status)}
		if err := o.fillContent(s, answer, value); err != nil {
			return nil, err
		}
		responses[strconv.Itoa(status)] = answer
	}
	entry["responses"] = responses
	return entry, nil
}

func (o operation) requestBody(s *schemas) (map[string]any, error) {
	if media, is := o.body.(document); is {
		return map[string]any{"required": !o.optional, "content": map[string]any{string(media): map[string]any{}}}, nil
	}
	schema, err := s.of(o.body)
	if err != nil {
		return nil, err
	}
	media, content := fiber.MIMEApplicationJSON, map[string]any{"schema": schema}
	if o.form {
		media = fiber.MIMEApplicationForm
	}
	if o.example != "" {
		content["example"] = json.RawMessage(o.example)
	}
	return map[string]any{"required": !o.optional, "content": map[string]any{media: content}}, nil
}

// fillContent adds what an answer holds.
func (o operation) fillContent(s *schemas, answer map[string]any, value any) error {
	switch v := value.(type) {
	case noContent:
		return nil
	case document:
		answer["content"] = map[string]any{string(v): map[string]any{}}
		return nil
	}
	schema, err := s.of(value)
	if err != nil {
		return err
	}
	content := map[string]any{fiber.MIMEApplicationJSON: map[string]any{"schema": schema}}
	if o.page {
		content[fiber.MIMETextHTML] = map[string]any{}
	}
	answer["content"] = content
	return nil
}

// id is unique among operations, and a name in most languages: post_sandbox_clock.
func (o operation) id() string {
	words := strings.FieldsFunc(strings.ToLower(o.method)+o.path, func(r rune) bool { return r == '/' || r == '_' || r == ':' || r == '-' || r == '.' })
	return strings.Join(words, "_")
}

// tag is the group that an operation is shown in.
func (o operation) tag() string {
	switch {
	case isBelow(o.path, "/portal/api"):
		return "portal"
	case isBelow(o.path, "/_sandbox"):
		return "control"
	}
	return "administration"
}

// schemas are the JSON Schemas of Go types. Those of structs with a name stand
// once, under components, and are referred to.
type schemas struct {
	named map[string]*jsonschema.Schema
	types map[reflect.Type]*jsonschema.Schema // what stands for a type
}

// A describedCheck and a describedSetting are what authz.Check and
// behaviour.Setting write themselves as.
type (
	checkFields    authz.Check
	describedCheck struct {
		ID string `json:"id" jsonschema:"what people look it up by: of a check that found something, the finding's"`
		checkFields
	}
	describedSetting struct {
		Name    string           `json:"name"`
		Kind    behaviour.Kind   `json:"kind"`
		Values  []string         `json:"values,omitempty" jsonschema:"what a choice or a list takes"`
		Value   any              `json:"value"`
		Default any              `json:"default"`
		Differs bool             `json:"differs"`
		Effect  behaviour.Effect `json:"effect,omitempty"`
		Meaning string           `json:"meaning"`
		IDs     []string         `json:"ids"`
		Source  string           `json:"source" jsonschema:"what the value follows"`
	}
)

func newSchemas() *schemas {
	s := &schemas{named: map[string]*jsonschema.Schema{}, types: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[json.RawMessage](): {},
		reflect.TypeFor[time.Time]():       {Type: "string", Format: "date-time"},
		reflect.TypeFor[authz.Result]():    {Type: "string", Enum: []any{"pass", "warn", "fail", "not-reached"}},
	}}
	s.types[reflect.TypeFor[authz.Check]()] = s.add("Check", reflect.TypeFor[describedCheck]())
	s.types[reflect.TypeFor[behaviour.Setting]()] = s.add("Switch", reflect.TypeFor[describedSetting]())
	return s
}

// add adds the schema of a type that stands in for another one.
func (s *schemas) add(name string, t reflect.Type) *jsonschema.Schema {
	schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: s.types})
	if err != nil { // of the program's own types
		panic(err)
	}
	s.named[name] = plain(schema)
	return &jsonschema.Schema{Ref: "#/components/schemas/" + name}
}

// of is the schema of a value's type.
func (s *schemas) of(value any) (*jsonschema.Schema, error) {
	t := reflect.TypeOf(value)
	if s.types[t] != nil {
		return s.types[t], nil
	}
	schema, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: s.types})
	if err != nil {
		return nil, err
	}
	schema = plain(schema)
	if t.Kind() != reflect.Struct {
		return schema, nil
	}
	name := schemaName(t)
	s.named[name] = schema
	s.types[t] = &jsonschema.Schema{Ref: "#/components/schemas/" + name}
	return s.types[t], nil
}

// schemaName is the name of a type's schema: that of the type without what says
// that it is one of answers, such as Service for serviceView.
func schemaName(t reflect.Type) string {
	name := strings.TrimPrefix(t.Name(), "plain")
	for _, end := range []string{"View", "State"} {
		name = strings.TrimSuffix(name, end)
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// plain takes null out of a schema: no answer has one.
func plain(s *jsonschema.Schema) *jsonschema.Schema {
	if s == nil {
		return nil
	}
	s.Types = slices.DeleteFunc(s.Types, func(t string) bool { return t == "null" })
	if len(s.Types) == 1 {
		s.Type, s.Types = s.Types[0], nil
	}
	if len(s.Types) == 0 {
		s.Types = nil
	}
	for _, property := range s.Properties {
		plain(property)
	}
	plain(s.Items)
	plain(s.AdditionalProperties)
	return s
}
