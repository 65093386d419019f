package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sandfhir/sandfhir/sandbox"
)

// An apiDescription is openapi.json, read by a library that did not write it.
type apiDescription struct {
	paths    map[string]map[string]*apiOperation
	compiler *jsonschema.Compiler
	mu       sync.Mutex
}

type apiOperation struct {
	OperationID string `json:"operationId"`
	Responses   map[string]struct {
		Content map[string]json.RawMessage
	}
}

// descriptionURL is where the schemas of openapi.json are for the library.
const descriptionURL = "http://sandfhir.test/openapi.json"

// description is the description that a server gives, as all of them do.
var description = sync.OnceValues(func() (*apiDescription, error) {
	sb, err := sandbox.New(context.Background(), sandbox.WithPatients(0))
	if err != nil {
		return nil, err
	}
	defer sb.Close()
	w := httptest.NewRecorder()
	sb.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_sandbox/openapi.json", nil))
	d := &apiDescription{compiler: jsonschema.NewCompiler()}
	var read struct {
		Paths map[string]map[string]*apiOperation
	}
	if err := json.Unmarshal(w.Body.Bytes(), &read); err != nil {
		return nil, fmt.Errorf("status %d: %w", w.Code, err)
	}
	d.paths = read.Paths
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		return nil, err
	}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	return d, d.compiler.AddResource(descriptionURL, whole)
})

// operation is what the description says of a request; nil where that is about
// no route that it has.
func (d *apiDescription) operation(method, path string) (template string, o *apiOperation) {
	path, _, _ = strings.Cut(path, "?")
	path = strings.TrimPrefix(path, "/production")
	asked := strings.Split(path, "/")
	for template, operations := range d.paths {
		segments := strings.Split(template, "/")
		same := len(segments) == len(asked)
		for i := 0; same && i < len(segments); i++ {
			same = segments[i] == asked[i] || strings.HasPrefix(segments[i], "{") && asked[i] != "" && d.paths[path] == nil
		}
		if same && operations[strings.ToLower(method)] != nil {
			return template, operations[strings.ToLower(method)]
		}
	}
	return "", nil
}

// judge says what of an answer is not as the description has it.
func (d *apiDescription) judge(method, path string, a *answer) error {
	template, o := d.operation(method, path)
	if o == nil || strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		return nil
	}
	status, at := fmt.Sprint(a.status), ""
	if _, ok := o.Responses[status]; ok {
		at = "/paths/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(template) + "/" + strings.ToLower(method) + "/responses/" + status
	} else if a.status >= 400 {
		at = "/components/responses/Refused"
	} else {
		return fmt.Errorf("the status %s is not described", status)
	}
	if a.header.Get("Content-Type") != "application/json" || at != "/components/responses/Refused" && o.Responses[status].Content["application/json"] == nil {
		return nil // a page, or nothing
	}
	if at != "/components/responses/Refused" && !bytes.Contains(o.Responses[status].Content["application/json"], []byte(`"schema"`)) {
		return nil
	}
	d.mu.Lock()
	schema, err := d.compiler.Compile(descriptionURL + "#" + at + "/content/application~1json/schema")
	d.mu.Unlock()
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// described checks that an answer is as openapi.json says, where it says
// something.
func (a *answer) described(t *testing.T, method, path string) {
	t.Helper()
	d, err := description()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.judge(method, path, a); err != nil {
		t.Errorf("%s is not as openapi.json says: %v\n%s", a.request, err, a.excerpt())
	}
}

// Every operation is answered as openapi.json says; a test that does not know
// of one fails.
func TestOperationsAreAsDescribed(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithPatients(3))
	d, err := description()
	if err != nil {
		t.Fatal(err)
	}
	called := map[string]bool{}
	call := func(method, path, body string, status int, header ...string) *answer {
		t.Helper()
		a := w.at().send(t, method, path, body, append([]string{"Content-Type", "application/json"}, header...)...).want(t, status)
		_, o := d.operation(method, path)
		if o == nil {
			t.Fatalf("%s %s is not described", method, path)
		}
		called[o.OperationID] = true
		return a
	}
	call("GET", "/_sandbox/openapi.json", "", 200)
	call("GET", "/_sandbox/clock", "", 200)
	call("POST", "/_sandbox/clock", `{"advance":"1s"}`, 200)
	call("POST", "/_sandbox/data/evolve", `{"days":1}`, 200)
	call("GET", "/_sandbox/data", "", 200)
	call("POST", "/_sandbox/data/load", `{"resourceType":"Basic","id":"b","code":{"text":"x"}}`, 200)
	call("GET", "/_sandbox/data/Patient", "", 200)
	call("GET", "/_sandbox/data/Basic/b", "", 200)
	fault := call("POST", "/_sandbox/faults", `{"fault":"status@path=/nowhere"}`, 201).object(t)["id"].(string)
	call("GET", "/_sandbox/faults", "", 200)
	call("GET", "/_sandbox/faults/"+fault, "", 200)
	call("DELETE", "/_sandbox/faults/"+fault, "", 204)
	call("DELETE", "/_sandbox/faults", "", 204)
	call("GET", "/_sandbox/behaviour", "", 200)
	call("PUT", "/_sandbox/behaviour", `{"switches":{"job.ttl":"1h"}}`, 200)
	call("POST", "/_sandbox/token/explain", form("grant_type", "client_credentials"), 200, "Content-Type", formType)

	call("POST", "/_sandbox/workspaces", `{"name":"a"}`, 201)
	call("GET", "/_sandbox/workspaces", "", 200)
	call("GET", "/_sandbox/workspaces/a", "", 200)
	call("DELETE", "/_sandbox/workspaces/a", "", 204)
	call("POST", "/_sandbox/snapshots/a", "", 201)
	call("GET", "/_sandbox/snapshots", "", 200)
	call("POST", "/_sandbox/snapshots/a/restore", "", 200)
	call("DELETE", "/_sandbox/snapshots/a", "", 204)
	state := call("GET", "/_sandbox/state", "", 200)
	call("PUT", "/_sandbox/state", string(state.body), 200)
	call("POST", "/_sandbox/reset", "", 200)
	call("POST", "/_sandbox/tokens/expire", "", 200)
	call("GET", "/_sandbox/ca.pem", "", 404)

	call("POST", "/_sandbox/keys", `{"name":"a"}`, 201)
	call("GET", "/_sandbox/keys", "", 200)
	call("GET", "/_sandbox/keys/a", "", 200)
	call("POST", "/_sandbox/keys/a/rotate", "", 200)
	call("GET", "/_sandbox/keys/a/jwks.json", "", 200)
	call("DELETE", "/_sandbox/keys/a", "", 204)
	call("POST", "/_sandbox/origins", `{"certificate":"expired"}`, 201)
	call("GET", "/_sandbox/origins", "", 200)

	service := call("POST", "/portal/api/services", string(marshal(t, bySecret("system/Patient.rs"))), 201).service(t, 201)
	path := "/portal/api/services/" + service.ClientID
	call("GET", "/portal/api/services", "", 200)
	call("GET", path, "", 200)
	call("PUT", path, string(marshal(t, bySecret("system/Patient.r"))), 200)
	call("POST", path+"/rotate-secret", "", 200)
	call("POST", "/_sandbox/clients/"+service.ClientID+"/rotate-secret", "", 200)
	call("POST", "/_sandbox/clients/"+service.ClientID+"/revoke", "", 200)
	call("POST", path+"/submit", "", 200)
	call("POST", path+"/reject", `{"reason":"no"}`, 200)
	call("PUT", path, string(marshal(t, bySecret("system/Patient.r"))), 200)
	call("POST", path+"/submit", "", 200)
	call("POST", path+"/approve", "", 200)
	call("POST", path+"/deactivate", `{"reason":"no"}`, 200)
	call("DELETE", path, "", 204)
	call("POST", "/portal/api/keys", `{"jwks":{"keys":[]}}`, 200)
	call("GET", "/portal/api/organizations", "", 200)

	call("PUT", "/Client/c", `{"secret":"verysecret","grant_types":["client_credentials"]}`, 201)
	call("GET", "/Client", "", 200)
	call("GET", "/Client/c", "", 200)
	call("GET", "/Client/c/_history", "", 200)
	call("PUT", "/AccessPolicy/p", `{"engine":"allow","link":[{"reference":"Client/c"}]}`, 201)
	call("GET", "/AccessPolicy", "", 200)
	call("GET", "/AccessPolicy/p", "", 200)
	call("GET", "/AccessPolicy/p/_history", "", 200)
	call("DELETE", "/AccessPolicy/p", "", 204)
	call("DELETE", "/Client/c", "", 204)
	token := "Bearer " + w.grant(t, "system/*.rs").token
	call("GET", "/Session", "", 200, "Authorization", token)
	call("DELETE", "/Session", "", 204, "Authorization", token)

	call("GET", "/_sandbox/exchanges?limit=50", "", 200)
	call("GET", "/_sandbox/exchanges.har", "", 200)
	call("GET", "/_sandbox/exchanges/"+w.latest(t).ID, "", 200)

	for template, operations := range d.paths {
		for method, o := range operations {
			if !called[o.OperationID] && template != "/_sandbox/events" { // it does not end: see TestEvents
				t.Errorf("%s %s was not called", method, template)
			}
		}
	}
	ids := map[string]bool{}
	for _, operations := range d.paths {
		for _, o := range operations {
			if ids[o.OperationID] || o.OperationID == "" || slices.Contains(strings.Split(o.OperationID, "_"), "") {
				t.Errorf("the operationId %q is not its own", o.OperationID)
			}
			ids[o.OperationID] = true
		}
	}
}
