package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A Policy is an AccessPolicy.
type Policy struct {
	ID     string
	Engine string
	// Scopes are those of the engine scopes, separated by spaces: what the policy
	// allows is what they allow.
	Scopes string

	clients []string // that it links to; none: it is global
	others  bool     // it links to something that is no client, and so to no request here
	matcho  any
	schema  *jsonschema.Schema
}

// Engines are the engines that there are.
func Engines() []string { return []string{"allow", "matcho", "json-schema", "scopes"} }

// An InvalidError says what is wrong with an AccessPolicy, and where.
type InvalidError struct{ Path, Message string }

func (e *InvalidError) Error() string { return e.Path + ": " + e.Message }

func invalid(path, format string, args ...any) error {
	return &InvalidError{"AccessPolicy" + path, fmt.Sprintf(format, args...)}
}

// body is an AccessPolicy as it is sent.
type body struct {
	Type   string          `json:"resourceType"`
	ID     string          `json:"id"`
	Engine string          `json:"engine"`
	Link   []link          `json:"link"`
	Matcho json.RawMessage `json:"matcho"`
	Schema json.RawMessage `json:"schema"`
	Scopes []string        `json:"scopes"`
}

type link struct {
	Type      string `json:"resourceType"`
	ID        string `json:"id"`
	Reference string `json:"reference"`
}

// Parse reads an AccessPolicy, which has this id. Its errors are *InvalidError.
func Parse(id string, text []byte) (*Policy, error) {
	var b body
	if err := json.Unmarshal(text, &b); err != nil {
		if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) && kind.Field != "" {
			return nil, invalid("."+kind.Field, "a value of JSON's type %s cannot stand here", kind.Value)
		}
		return nil, invalid("", "the resource cannot be read: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	switch {
	case b.Type != "" && b.Type != "AccessPolicy":
		return nil, invalid(".resourceType", "it is %q", b.Type)
	case b.ID != "" && b.ID != id:
		return nil, invalid(".id", "it is %q; the URL says %q", b.ID, id)
	}
	p := &Policy{ID: id, Engine: b.Engine, Scopes: strings.Join(b.Scopes, " ")}
	if err := p.readLinks(b.Link); err != nil {
		return nil, err
	}
	return p, p.readEngine(b)
}

// readLinks reads who the policy is for: Client/x as a reference of FHIR or of
// Aidbox.
func (p *Policy) readLinks(links []link) error {
	for i, l := range links {
		typ, id := l.Type, l.ID
		if l.Reference != "" {
			typ, id, _ = strings.Cut(l.Reference, "/")
		}
		switch {
		case id == "" || typ == "":
			return invalid(fmt.Sprintf(".link[%d]", i), `a link is {"reference":"Client/x"}, or {"resourceType":"Client","id":"x"}`)
		case typ == "Client":
			p.clients = append(p.clients, id)
		default:
			p.others = true
		}
	}
	return nil
}

func (p *Policy) readEngine(b body) error {
	switch b.Engine {
	case "allow":
	case "scopes":
		if p.Scopes == "" {
			return invalid(".scopes", "the engine scopes needs a list of scopes, such as [\"system/Patient.rs\"]")
		}
	case "matcho":
		if len(b.Matcho) == 0 {
			return invalid(".matcho", "the engine matcho needs a pattern")
		}
		if err := json.Unmarshal(b.Matcho, &p.matcho); err != nil {
			return invalid(".matcho", "it cannot be read: %v", err)
		}
		return checkPattern(".matcho", p.matcho)
	case "json-schema":
		return p.compile(b.Schema)
	case "":
		return invalid(".engine", "it is missing; there are %s", strings.Join(Engines(), ", "))
	default:
		return invalid(".engine", "%q is not offered by this sandbox; %s are", b.Engine, strings.Join(Engines(), ", "))
	}
	return nil
}

// compile reads the schema of the engine json-schema. A schema that refers to
// another document is refused: nothing is fetched.
func (p *Policy) compile(text json.RawMessage) error {
	if len(text) == 0 {
		return invalid(".schema", "the engine json-schema needs a schema")
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return invalid(".schema", "it cannot be read: %v", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	compiler.UseLoader(jsonschema.SchemeURLLoader{})
	const name = "urn:sandfhir:AccessPolicy.schema"
	if err := compiler.AddResource(name, document); err != nil {
		return invalid(".schema", "it is no JSON Schema: %v", err)
	}
	if p.schema, err = compiler.Compile(name); err != nil {
		return invalid(".schema", "it is no JSON Schema: %v", err)
	}
	return nil
}

// Concerns reports whether the policy is for a client: it links to it, or to
// nobody.
func (p *Policy) Concerns(client string) bool {
	if len(p.clients) == 0 {
		return !p.others
	}
	return slices.Contains(p.clients, client)
}

// Names reports whether the policy links to a client.
func (p *Policy) Names(client string) bool { return slices.Contains(p.clients, client) }

// Allows reports whether the policy says true to a request. The engine scopes
// always does: what it allows is told by Scopes.
func (p *Policy) Allows(r Request) bool {
	switch p.Engine {
	case "matcho":
		document := r.document()
		return matches(p.matcho, document, document)
	case "json-schema":
		return p.schema.Validate(r.document()) == nil
	}
	return true
}
