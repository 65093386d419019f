package httpapi

import "github.com/gofiber/fiber/v2"

// A surface is a kind of client that a route is for. It decides what an error
// looks like.
type surface int

const (
	plainSurface   surface = iota // people and tools: plain JSON
	oauthSurface                  // OAuth clients: RFC 6749 errors
	fhirSurface                   // FHIR clients: OperationOutcome
	controlSurface                // portal and controls: JSON, guarded by the admin token
)

// A route is one method of one path. Paths stand without the prefixes of a
// workspace (/w/{name}) and of an environment (/production).
type route struct {
	method      string
	path        string
	surface     surface
	sandboxOnly bool
	handle      func(*call) error
}

const (
	get          = fiber.MethodGet
	post         = fiber.MethodPost
	put          = fiber.MethodPut
	deleteMethod = fiber.MethodDelete

	anyMethod = "*"

	fhir      = "/fhir"
	wellKnown = "/.well-known/"
)

// routeTable returns every route. Operations stand before /:type/:id, which
// would match them too.
func routeTable() []route {
	return []route{
		{method: get, path: "/livez", surface: plainSurface, handle: (*call).live},
		{method: get, path: "/readyz", surface: plainSurface, handle: (*call).ready},

		// Discovery.
		{method: get, path: fhir + wellKnown + "smart-configuration", surface: oauthSurface, handle: (*call).smartConfiguration},
		{method: get, path: wellKnown + "smart-configuration", surface: oauthSurface, sandboxOnly: true, handle: (*call).smartConfiguration},
		{method: get, path: wellKnown + "jwks.json", surface: oauthSurface, sandboxOnly: true, handle: (*call).jwks},
		{method: get, path: wellKnown + "oauth-authorization-server", surface: oauthSurface, sandboxOnly: true, handle: (*call).serverMetadata},
		{method: get, path: wellKnown + "oauth-authorization-server/*", surface: oauthSurface, handle: (*call).serverMetadata},
		{method: get, path: fhir + "/metadata", surface: fhirSurface, handle: (*call).capabilities},

		// OAuth. The forms take POST; every method gets there, for authz to say so.
		{method: anyMethod, path: "/auth/token", surface: oauthSurface, handle: (*call).token},
		{method: anyMethod, path: "/auth/introspect", surface: oauthSurface, handle: (*call).introspect},
		{method: anyMethod, path: "/auth/revoke", surface: oauthSurface, handle: (*call).revoke},
		{method: get, path: "/auth/jwks", surface: oauthSurface, handle: (*call).jwks},
		{method: post, path: "/auth/register", surface: oauthSurface, sandboxOnly: true, handle: (*call).register},
		{method: get, path: "/auth/register/:client", surface: oauthSurface, sandboxOnly: true, handle: (*call).manage},
		{method: put, path: "/auth/register/:client", surface: oauthSurface, sandboxOnly: true, handle: (*call).manage},
		{method: deleteMethod, path: "/auth/register/:client", surface: oauthSurface, sandboxOnly: true, handle: (*call).manage},

		// Bulk Data.
		{method: get, path: fhir + "/$export", surface: fhirSurface, handle: (*call).exportSystem},
		{method: post, path: fhir + "/$export", surface: fhirSurface, handle: (*call).exportSystem},
		{method: get, path: fhir + "/Patient/$export", surface: fhirSurface, handle: (*call).exportPatients},
		{method: post, path: fhir + "/Patient/$export", surface: fhirSurface, handle: (*call).exportPatients},
		{method: get, path: fhir + "/Group/:id/$export", surface: fhirSurface, handle: (*call).exportGroup},
		{method: post, path: fhir + "/Group/:id/$export", surface: fhirSurface, handle: (*call).exportGroup},
		{method: get, path: fhir + "/_export/:job", surface: fhirSurface, handle: (*call).exportStatus},
		{method: deleteMethod, path: fhir + "/_export/:job", surface: fhirSurface, handle: (*call).exportDelete},
		{method: get, path: fhir + "/_export/:job/:number/:name", surface: fhirSurface, handle: (*call).exportFile},

		// FHIR REST.
		{method: post, path: fhir + "/:type/_search", surface: fhirSurface, handle: (*call).search},
		{method: get, path: fhir + "/:type/:id/_history/:version", surface: fhirSurface, handle: (*call).vread},
		{method: get, path: fhir + "/:type/:id/_history", surface: fhirSurface, handle: (*call).history},
		{method: get, path: fhir + "/:type/:id", surface: fhirSurface, handle: (*call).read},
		{method: put, path: fhir + "/:type/:id", surface: fhirSurface, handle: (*call).update},
		{method: deleteMethod, path: fhir + "/:type/:id", surface: fhirSurface, handle: (*call).delete},
		{method: get, path: fhir + "/:type", surface: fhirSurface, handle: (*call).search},
		{method: post, path: fhir + "/:type", surface: fhirSurface, handle: (*call).create},

		// Control.
		{method: get, path: "/_sandbox/clock", surface: controlSurface, handle: (*call).clock},
		{method: post, path: "/_sandbox/clock", surface: controlSurface, handle: (*call).setClock},
		{method: post, path: "/_sandbox/clients/:client/rotate-secret", surface: controlSurface, handle: (*call).rotateSecret},
		{method: post, path: "/_sandbox/token/explain", surface: controlSurface, handle: (*call).explainToken},
		{method: get, path: "/_sandbox/exchanges", surface: controlSurface, handle: (*call).exchanges},
		{method: get, path: "/_sandbox/exchanges/:id", surface: plainSurface, handle: (*call).exchangePage}, // whoever knows the id may read it

		// Portal.
		{method: get, path: "/", surface: controlSurface, handle: (*call).home},
		{method: get, path: "/_sandbox/style.css", surface: plainSurface, handle: (*call).style},
		{method: get, path: "/_sandbox/script.js", surface: plainSurface, handle: (*call).script},
		{method: get, path: "/_sandbox/icon.svg", surface: plainSurface, handle: (*call).icon},
		{method: get, path: "/favicon.ico", surface: plainSurface, handle: (*call).icon},
	}
}
