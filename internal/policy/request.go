package policy

import "strings"

// A Request is what policies see of a request.
type Request struct {
	Method  string              // as it was sent
	URI     string              // the path below the environment's root, such as /fhir/Patient
	Params  map[string][]string // of the query
	Headers map[string]string   // by their names in lower case; without Authorization
	Client  string              // the client_id
	Scopes  string
	// Route is what the path names, where it names a resource.
	ResourceType, ResourceID string
}

// document is the request as Aidbox has it: {"request-method":"get",
// "uri":"/fhir/Patient","params":{…},"headers":{…},"client":{"id":…}}. A
// parameter that is there once is a string, one that is there more often a list;
// those that the path stands for are among them.
func (r Request) document() map[string]any {
	params := map[string]any{}
	for name, values := range r.Params {
		if len(values) == 1 {
			params[name] = values[0]
			continue
		}
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		params[name] = list
	}
	if r.ResourceType != "" {
		params["resource/type"] = r.ResourceType
	}
	if r.ResourceID != "" {
		params["resource/id"] = r.ResourceID
	}
	headers := map[string]any{}
	for name, value := range r.Headers {
		headers[name] = value
	}
	return map[string]any{
		"uri": r.URI, "request-method": strings.ToLower(r.Method), "params": params, "headers": headers,
		"client": map[string]any{"resourceType": "Client", "id": r.Client},
		"scope":  r.Scopes,
	}
}
