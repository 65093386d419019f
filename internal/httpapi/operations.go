package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/portal"
)

// operations describes every route that is for tools, in the order of the table
// of routes.
func operations() []operation {
	resource, bundle := map[string]any{}, adminBundle{}
	created, stored := map[int]any{fiber.StatusCreated: resource, fiber.StatusOK: resource}, map[int]any{fiber.StatusOK: resource}
	done := map[int]any{fiber.StatusNoContent: noContent{}}
	service := map[int]any{fiber.StatusOK: serviceView{}}
	return []operation{
		{method: get, path: "/_sandbox/openapi.json", summary: "This document", answers: map[int]any{fiber.StatusOK: document(fiber.MIMEApplicationJSON)}},

		{method: get, path: "/_sandbox/clock", summary: "The workspace clock", answers: map[int]any{fiber.StatusOK: clockState{}}},
		{method: post, path: "/_sandbox/clock", summary: "Move, set, freeze or release the workspace clock",
			body: clockChange{}, example: `{"advance":"10m"}`, answers: map[int]any{fiber.StatusOK: clockState{}}},
		{method: get, path: "/_sandbox/data", summary: "How many resources there are, by type", page: true, answers: map[int]any{fiber.StatusOK: dataView{}}},
		{method: post, path: "/_sandbox/data/load", summary: "Add NDJSON, a Bundle or a resource to the data, all or nothing", body: document(fhirNDJSON),
			answers: map[int]any{fiber.StatusOK: loadedView{}}},
		{method: get, path: "/_sandbox/data/:type", summary: "The resources of a type, without a token; the query is one of FHIR's search", page: true,
			answers: map[int]any{fiber.StatusOK: typeView{}}},
		{method: get, path: "/_sandbox/data/:type/:id", summary: "A resource with its versions and what it has to do with", page: true,
			query:   []queryParameter{{"version", "the version to show; the latest by default"}},
			answers: map[int]any{fiber.StatusOK: resourceView{}}},
		{method: post, path: "/_sandbox/data/evolve", summary: "Move a sample population on by some days",
			body: evolution{}, example: `{"days":30}`, answers: map[int]any{fiber.StatusOK: evolved{}}},
		{method: post, path: "/_sandbox/reset", summary: "Begin anew: data, clients, clock, faults and behaviour as at the start", answers: map[int]any{fiber.StatusOK: doneView{}}},
		{method: get, path: "/_sandbox/state", summary: "All that the workspace holds, as one file", answers: map[int]any{fiber.StatusOK: document(zipType)}},
		{method: put, path: "/_sandbox/state", summary: "Hold what such a file has", body: document(zipType), answers: map[int]any{fiber.StatusOK: doneView{}}},
		{method: get, path: "/_sandbox/snapshots", summary: "The snapshots, the oldest first", answers: map[int]any{fiber.StatusOK: snapshotList{}}},
		{method: post, path: "/_sandbox/snapshots/:name", summary: "Keep what the workspace holds under a name", answers: map[int]any{fiber.StatusCreated: snapshotView{}}},
		{method: post, path: "/_sandbox/snapshots/:name/restore", summary: "Hold what a snapshot has", answers: map[int]any{fiber.StatusOK: restoredView{}}},
		{method: deleteMethod, path: "/_sandbox/snapshots/:name", summary: "Remove a snapshot", answers: done},
		{method: post, path: "/_sandbox/workspaces", summary: "Make a workspace beside the default one: at the server's root", body: worldAsked{}, optional: true,
			example: `{"name":"suite-1","ttl":"10m"}`, answers: map[int]any{fiber.StatusCreated: worldView{}}},
		{method: get, path: "/_sandbox/workspaces", summary: "The workspaces beside the default one, the oldest first", answers: map[int]any{fiber.StatusOK: worldList{}}},
		{method: get, path: "/_sandbox/workspaces/:name", summary: "One workspace", answers: map[int]any{fiber.StatusOK: worldView{}}},
		{method: deleteMethod, path: "/_sandbox/workspaces/:name", summary: "End a workspace", answers: map[int]any{fiber.StatusNoContent: noContent{}, fiber.StatusAccepted: doneView{}}},
		{method: get, path: "/_sandbox/faults", summary: "The faults in force, with how often they were met", page: true,
			answers: map[int]any{fiber.StatusOK: faultList{}}},
		{method: post, path: "/_sandbox/faults", summary: "Make requests fail on purpose", body: faultAsked{}, example: `{"fault":"poll.5xx#times=2"}`,
			answers: map[int]any{fiber.StatusCreated: faultState{}, fiber.StatusSeeOther: noContent{}}},
		{method: deleteMethod, path: "/_sandbox/faults", summary: "Remove all faults", answers: done},
		{method: get, path: "/_sandbox/faults/:fault", summary: "One fault", answers: map[int]any{fiber.StatusOK: faultState{}}},
		{method: deleteMethod, path: "/_sandbox/faults/:fault", summary: "Remove one fault", answers: done},
		{method: get, path: "/_sandbox/keys", summary: "The key sets that the server hosts for clients", page: true, answers: map[int]any{fiber.StatusOK: keyHostList{}}},
		{method: post, path: "/_sandbox/keys", summary: "Host a key set for a client; its private key is shown this once", body: keyHostAsked{}, optional: true,
			example: `{"name":"app","alg":"ES384"}`, answers: map[int]any{fiber.StatusCreated: keyHostView{}, fiber.StatusSeeOther: noContent{}}},
		{method: get, path: "/_sandbox/keys/:name", summary: "One hosted key set", answers: map[int]any{fiber.StatusOK: keyHostView{}}},
		{method: deleteMethod, path: "/_sandbox/keys/:name", summary: "Host a key set no more", answers: done},
		{method: post, path: "/_sandbox/keys/:name/rotate", summary: "Give a hosted key set another key, shown this once", body: rotationAsked{}, optional: true,
			example: `{"overlap":"10m"}`, answers: map[int]any{fiber.StatusOK: keyHostView{}}},
		{method: get, path: "/_sandbox/keys/:name/jwks.json", summary: "A hosted key set as the world sees it: the jwks_uri", answers: map[int]any{fiber.StatusOK: document(keySetMedia)}},
		{method: get, path: "/_sandbox/origins", summary: "Where the server is reached with certificates that have flaws", answers: map[int]any{fiber.StatusOK: originList{}}},
		{method: post, path: "/_sandbox/origins", summary: "Have the server be reached by https with such a certificate", body: originAsked{},
			example: `{"certificate":"self-signed"}`, answers: map[int]any{fiber.StatusCreated: originView{}}},
		{method: get, path: "/_sandbox/behaviour", summary: "What the workspace is strict about: every switch", answers: map[int]any{fiber.StatusOK: behaviourState{}}},
		{method: put, path: "/_sandbox/behaviour", summary: "Take another behaviour, or change switches of the one in force",
			body: behaviourChange{}, example: `{"name":"aidbox","switches":{"exp.max":"120s"}}`, answers: map[int]any{fiber.StatusOK: behaviourState{}}},
		{method: post, path: "/_sandbox/clients/:client/rotate-secret", summary: "Give a secret client a new secret", body: overlapAsked{}, optional: true,
			example: `{"overlap":"10m"}`, answers: map[int]any{fiber.StatusOK: rotatedSecret{}}},
		{method: post, path: "/_sandbox/clients/:client/revoke", summary: "Revoke the tokens of a client", answers: map[int]any{fiber.StatusOK: tokensView{}}},
		{method: post, path: "/_sandbox/tokens/expire", summary: "Have all access tokens of the workspace expire, in both environments", answers: map[int]any{fiber.StatusOK: tokensView{}}},
		{method: get, path: "/_sandbox/ca.pem", summary: "The certificate of the server's own authority, where it has one", answers: map[int]any{fiber.StatusOK: document("application/x-pem-file")}},
		{method: post, path: "/_sandbox/token/explain", summary: "Decide a token request with every check, and issue nothing", body: tokenForm{}, form: true,
			answers: map[int]any{fiber.StatusOK: tokenExplanation{}}},
		{method: get, path: "/_sandbox/exchanges", summary: "What was asked and answered, newest first", page: true,
			query: append(filterParameters(),
				queryParameter{"limit", "how many at most; 100 by default"},
				queryParameter{"after", "only those that came after the exchange with this id"},
				queryParameter{"wait", "how long to wait for one, such as 10s, where there is none"},
				queryParameter{"_format", "json is JSON whatever Accept says"}),
			answers: map[int]any{fiber.StatusOK: []exchangeView{}}},
		{method: get, path: "/_sandbox/exchanges.har", summary: "The same as an HTTP Archive 1.2, oldest first", query: filterParameters(),
			answers: map[int]any{fiber.StatusOK: exchange.HAR{}}},
		{method: get, path: "/_sandbox/events", summary: "Exchanges as they come, as server-sent events of the type exchange; Last-Event-ID goes on after one", query: filterParameters(),
			answers: map[int]any{fiber.StatusOK: document(eventStream)}},
		{method: get, path: "/_sandbox/exchanges/:id", summary: "One exchange, with its checks and the code that puts a refusal right", page: true,
			query:   []queryParameter{{"_format", "json is JSON whatever Accept says"}},
			answers: map[int]any{fiber.StatusOK: exchangeView{}}},

		{method: get, path: "/Client", summary: "The Clients of the environment", answers: map[int]any{fiber.StatusOK: bundle}},
		{method: get, path: "/Client/:id", summary: "A Client", answers: stored},
		{method: put, path: "/Client/:id", summary: "Put a Client", body: resource, answers: created},
		{method: deleteMethod, path: "/Client/:id", summary: "Delete a Client, and with it its tokens", answers: done},
		{method: get, path: "/Client/:id/_history", summary: "The versions of a Client", answers: map[int]any{fiber.StatusOK: bundle}},
		{method: get, path: "/AccessPolicy", summary: "The AccessPolicies of the environment, those that are derived from scopes too",
			query: []queryParameter{{"link", "only those of this client: Client/{id}"}}, answers: map[int]any{fiber.StatusOK: bundle}},
		{method: get, path: "/AccessPolicy/:id", summary: "An AccessPolicy", answers: stored},
		{method: put, path: "/AccessPolicy/:id", summary: "Put an AccessPolicy", body: resource, answers: created},
		{method: deleteMethod, path: "/AccessPolicy/:id", summary: "Delete an AccessPolicy", answers: done},
		{method: get, path: "/AccessPolicy/:id/_history", summary: "The versions of an AccessPolicy", answers: map[int]any{fiber.StatusOK: bundle}},
		{method: get, path: "/Session", summary: "What the access token in Authorization stands for", answers: map[int]any{fiber.StatusOK: sessionView{}}},
		{method: deleteMethod, path: "/Session", summary: "End the access token in Authorization", answers: done},

		{method: get, path: "/portal/api/services", summary: "The services, the latest registered first",
			query: []queryParameter{{"status", "only those of this status"}}, answers: map[int]any{fiber.StatusOK: serviceList{}}},
		{method: post, path: "/portal/api/services", summary: "Register a service: a draft", body: serviceForm{},
			example: `{"name":"Claims fetcher","authentication":"jwks_uri","jwks_uri":"https://app.example/jwks.json","scope":"system/Patient.rs"}`,
			answers: map[int]any{fiber.StatusCreated: serviceView{}}},
		{method: get, path: "/portal/api/services/:service", summary: "One service, with its history", answers: service},
		{method: put, path: "/portal/api/services/:service", summary: "Edit a service: it is a draft again", body: serviceForm{}, answers: service},
		{method: deleteMethod, path: "/portal/api/services/:service", summary: "Delete a service in both environments", answers: done},
		stepOperation(portal.Submit, "Hand a draft in for review"),
		stepOperation(portal.Approve, "Approve a service: its client is copied to production"),
		stepOperation(portal.Reject, "Reject a service, with a reason"),
		stepOperation(portal.Deactivate, "End a service in both environments, with a reason"),
		{method: post, path: "/portal/api/services/:service/rotate-secret", summary: "Give a service a new secret, shown this once",
			body: overlapAsked{}, optional: true, example: `{"overlap":"10m"}`, answers: service},
		{method: post, path: "/portal/api/keys", summary: "Judge public keys before they are registered", body: keysAsked{},
			example: `{"jwks_uri":"https://app.example/jwks.json"}`, answers: map[int]any{fiber.StatusOK: keysView{}}},
		{method: get, path: "/portal/api/organizations", summary: "The organizations whose data a service can be bound to",
			answers: map[int]any{fiber.StatusOK: organizationList{}}},
	}
}

// filterParameters are those of exchange.ParseFilter.
func filterParameters() []queryParameter {
	return []queryParameter{
		{"client", "only of this client_id"},
		{"environment", "only of this environment: sandbox or production"},
		{"path", "only of this path, in which * is any text: /fhir/Patient*"},
		{"method", "only of this method"},
		{"status", "only of this status, or of a class: 404, 4xx"},
		{"check", "only where this check failed or warned: C08"},
		{"kind", "only of this kind: request, entry or fetch"},
		{"refused", "true keeps refusals only"},
	}
}

func stepOperation(action portal.Action, summary string) operation {
	return operation{
		method: post, path: "/portal/api/services/:service/" + string(action), summary: summary,
		body: stepAsked{}, optional: true, example: `{"reason":"The contact does not answer."}`,
		answers: map[int]any{fiber.StatusOK: serviceView{}},
	}
}

// A tokenForm is a token request (RFC 6749 section 4.4.2, RFC 7523 section 2.2),
// as the description of its dry run has it.
type tokenForm struct {
	GrantType     string `json:"grant_type"`
	AssertionType string `json:"client_assertion_type,omitempty"`
	Assertion     string `json:"client_assertion,omitempty"`
	ClientID      string `json:"client_id,omitempty"`
	ClientSecret  string `json:"client_secret,omitempty"`
	Scope         string `json:"scope,omitempty"`
}

// A behaviourChange is what setBehaviour reads.
type behaviourChange struct {
	Name     string         `json:"name,omitempty" jsonschema:"a behaviour to take afresh"`
	Switches map[string]any `json:"switches,omitempty" jsonschema:"values by the names of switches"`
}
