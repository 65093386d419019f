package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/portal"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// A surface is a kind of client that a path is for. It decides what an error
// looks like, whether pages of other origins may ask, and whether the admin
// token guards the path.
type surface int

const (
	plainSurface surface = iota // people and tools: plain JSON, guarded unless the route is public
	oauthSurface                // OAuth clients: errors of RFC 6749
	fhirSurface                 // FHIR clients: OperationOutcome
)

// surfaceOf is the surface of a path, whether a route serves it or not.
func surfaceOf(path string) surface {
	switch path = oneSlash(path); {
	case strings.Contains(path, wellKnown), isBelow(path, "/auth"):
		return oauthSurface
	case isBelow(path, fhir), isDump(path):
		return fhirSurface
	}
	return plainSurface
}

// isDump reports whether a path is that of $dump: no id of another resource that
// is spelt so.
func isDump(path string) bool {
	typ, ok := strings.CutSuffix(strings.TrimPrefix(path, "/"), dumpOperation)
	return ok && (typ == ":type" || r4.Definitions().IsType(typ))
}

func isBelow(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == '/')
}

// A route is one method of one path. Paths stand without the prefixes of a
// workspace (/w/{name}) and of an environment (/production). The path says what
// surface the route belongs to.
type route struct {
	method string // HEAD is offered with GET
	path   string
	public bool // open to everyone, whoever has the admin token
	noHead bool // GET begins something, so that HEAD is refused, which must not
	page   bool // of a page: tools do without it
	alone  bool // no entry of a batch or transaction can ask for it

	// One of the two: what answers, or what reads the change that is asked for.
	handle func(*call) error
	change func(*call) (fhirstore.Change, error)
}

// serve answers a request.
func (r route) serve(l *call) error {
	if r.change == nil {
		return r.handle(l)
	}
	c, err := r.change(l)
	if err != nil {
		return err
	}
	if l.wantsLater(c) {
		return l.changeLater(c)
	}
	return l.makeChange(c)
}

const (
	get          = fiber.MethodGet
	post         = fiber.MethodPost
	put          = fiber.MethodPut
	patchMethod  = fiber.MethodPatch
	deleteMethod = fiber.MethodDelete

	anyMethod = "*"

	fhir      = "/fhir"
	wellKnown = "/.well-known/"
)

// routeTable returns every route. Operations stand before /:type/:id, which
// would match them too.
func routeTable() []route {
	return []route{
		{method: get, path: "/livez", public: true, handle: (*call).live},
		{method: get, path: "/readyz", public: true, handle: (*call).ready},

		// Discovery. In production only what has /fhir or /auth in its path is there.
		{method: get, path: fhir + smartDocument, handle: (*call).smartConfiguration},
		{method: get, path: smartDocument, handle: (*call).smartConfiguration},
		{method: get, path: keysDocument, handle: (*call).jwks},
		{method: get, path: issuerDocument + "/auth", handle: (*call).serverMetadata},
		{method: get, path: fhir + metadata, handle: (*call).capabilities},

		// OAuth. The forms take POST; every method gets there, for authz to say so.
		// Production has no registration.
		{method: anyMethod, path: "/auth/token", handle: (*call).token},
		{method: anyMethod, path: movedToken, handle: (*call).tokenElsewhere},
		{method: anyMethod, path: "/auth/introspect", handle: (*call).introspect},
		{method: anyMethod, path: "/auth/revoke", handle: (*call).revoke},
		{method: get, path: "/auth/jwks", handle: (*call).jwks},
		{method: post, path: "/auth/register", handle: (*call).register},
		{method: get, path: "/auth/register/:client", handle: (*call).manage},
		{method: put, path: "/auth/register/:client", handle: (*call).manage},
		{method: deleteMethod, path: "/auth/register/:client", handle: (*call).manage},

		// Bulk Data.
		{method: get, path: fhir + "/$export", noHead: true, alone: true, handle: (*call).exportSystem},
		{method: post, path: fhir + "/$export", alone: true, handle: (*call).exportSystem},
		{method: get, path: fhir + "/Patient/$export", noHead: true, alone: true, handle: (*call).exportPatients},
		{method: post, path: fhir + "/Patient/$export", alone: true, handle: (*call).exportPatients},
		{method: get, path: fhir + "/Group/:id/$export", noHead: true, alone: true, handle: (*call).exportGroup},
		{method: post, path: fhir + "/Group/:id/$export", alone: true, handle: (*call).exportGroup},
		{method: get, path: fhir + "/$export-v4", noHead: true, alone: true, handle: (*call).exportSystem4},
		{method: post, path: fhir + "/$export-v4", alone: true, handle: (*call).exportSystem4},
		{method: get, path: fhir + "/Patient/$export-v4", noHead: true, alone: true, handle: (*call).exportPatients4},
		{method: post, path: fhir + "/Patient/$export-v4", alone: true, handle: (*call).exportPatients4},
		{method: get, path: fhir + "/Group/:id/$export-v4", noHead: true, alone: true, handle: (*call).exportGroup4},
		{method: post, path: fhir + "/Group/:id/$export-v4", alone: true, handle: (*call).exportGroup4},
		{method: get, path: fhir + "/_export/:job", alone: true, handle: (*call).exportStatus},
		{method: deleteMethod, path: fhir + "/_export/:job", alone: true, handle: (*call).exportDelete},
		{method: get, path: fhir + "/_export/:job/manifest/:page", alone: true, handle: (*call).exportManifest},
		{method: get, path: fhir + "/_export/:job/:number/:name", alone: true, handle: (*call).exportFile},
		{method: get, path: "/:type" + dumpOperation, alone: true, handle: (*call).dump},

		// FHIR REST.
		{method: get, path: fhir + "/Patient/:id/$everything", handle: (*call).everything},
		{method: post, path: fhir + "/Patient/:id/$everything", handle: (*call).everything},
		{method: get, path: fhir + "/DocumentReference/$docref", handle: (*call).docref},
		{method: post, path: fhir + "/DocumentReference/$docref", handle: (*call).docref},
		{method: get, path: fhir, handle: (*call).searchSystem},
		{method: get, path: fhir + "/", handle: (*call).searchSystem},
		{method: post, path: fhir, alone: true, handle: (*call).transact},
		{method: post, path: fhir + "/_search", handle: (*call).searchSystem},
		{method: post, path: fhir + "/:type/$validate", handle: (*call).validateType},
		{method: post, path: fhir + "/:type/:id/$validate", handle: (*call).validateInstance},
		{method: post, path: fhir + "/:type/_search", handle: (*call).search},
		{method: get, path: fhir + "/_history", handle: (*call).historyOfAll},
		{method: get, path: fhir + "/:type/_history", handle: (*call).historyOfType},
		{method: get, path: fhir + "/:type/:id/_history/:version", handle: (*call).vread},
		{method: get, path: fhir + "/:type/:id/_history", handle: (*call).history},
		{method: post, path: fhir + "/Patient/:id/:type/_search", handle: (*call).searchCompartment},
		{method: get, path: fhir + "/Patient/:id/:type", handle: (*call).searchCompartment},
		{method: get, path: fhir + "/:type/:id", handle: (*call).read},
		{method: put, path: fhir + "/:type/:id", change: (*call).update},
		{method: patchMethod, path: fhir + "/:type/:id", change: (*call).patch},
		{method: deleteMethod, path: fhir + "/:type/:id", change: (*call).delete},
		{method: get, path: fhir + "/:type", handle: (*call).search},
		{method: post, path: fhir + "/:type", change: (*call).create},
		{method: put, path: fhir + "/:type", change: (*call).updateWhere},
		{method: patchMethod, path: fhir + "/:type", change: (*call).patchWhere},
		{method: deleteMethod, path: fhir + "/:type", change: (*call).deleteWhere},

		// Control.
		{method: get, path: "/_sandbox/openapi.json", handle: (*call).openAPI},
		{method: get, path: "/_sandbox/clock", handle: (*call).clock},
		{method: post, path: "/_sandbox/clock", handle: (*call).setClock},
		{method: get, path: "/_sandbox/data", handle: (*call).dataOverview},
		{method: post, path: "/_sandbox/data/load", handle: (*call).loadData},
		{method: post, path: "/_sandbox/data/evolve", handle: (*call).evolve},
		{method: get, path: "/_sandbox/data/:type", handle: (*call).dataType},
		{method: get, path: "/_sandbox/data/:type/:id", handle: (*call).dataResource},
		{method: get, path: "/_sandbox/faults", handle: (*call).listFaults},
		{method: post, path: "/_sandbox/faults", handle: (*call).addFault},
		{method: deleteMethod, path: "/_sandbox/faults", handle: (*call).clearFaults},
		{method: get, path: "/_sandbox/faults/:fault", handle: (*call).readFault},
		{method: deleteMethod, path: "/_sandbox/faults/:fault", handle: (*call).removeFault},
		{method: post, path: "/_sandbox/reset", handle: (*call).reset},
		{method: get, path: "/_sandbox/state", noHead: true, handle: (*call).exportState},
		{method: put, path: "/_sandbox/state", handle: (*call).importState},
		{method: get, path: "/_sandbox/snapshots", handle: (*call).listSnapshots},
		{method: post, path: "/_sandbox/snapshots/:name", handle: (*call).takeSnapshot},
		{method: post, path: "/_sandbox/snapshots/:name/restore", handle: (*call).restoreSnapshot},
		{method: deleteMethod, path: "/_sandbox/snapshots/:name", handle: (*call).deleteSnapshot},
		{method: post, path: "/_sandbox/workspaces", handle: (*call).makeWorld},
		{method: get, path: "/_sandbox/workspaces", handle: (*call).listWorlds},
		{method: get, path: "/_sandbox/workspaces/:name", handle: (*call).world},
		{method: deleteMethod, path: "/_sandbox/workspaces/:name", handle: (*call).endWorld},
		{method: get, path: "/_sandbox/keys", handle: (*call).listKeyHosts},
		{method: post, path: "/_sandbox/keys", handle: (*call).makeKeyHost},
		{method: get, path: "/_sandbox/keys/:name", handle: (*call).readKeyHost},
		{method: deleteMethod, path: "/_sandbox/keys/:name", handle: (*call).removeKeyHost},
		{method: post, path: "/_sandbox/keys/:name/rotate", handle: (*call).rotateKeys},
		{method: get, path: "/_sandbox/keys/:name/jwks.json", public: true, handle: (*call).hostedKeySet}, // whoever fetches keys has no token
		{method: get, path: "/_sandbox/origins", handle: (*call).listOrigins},
		{method: post, path: "/_sandbox/origins", handle: (*call).openOrigin},
		{method: get, path: "/_sandbox/behaviour", handle: (*call).behaviour},
		{method: put, path: "/_sandbox/behaviour", handle: (*call).setBehaviour},
		{method: post, path: "/_sandbox/clients/:client/rotate-secret", handle: (*call).rotateSecret},
		{method: post, path: "/_sandbox/clients/:client/revoke", handle: (*call).revokeClient},
		{method: post, path: "/_sandbox/tokens/expire", handle: (*call).expireTokens},
		{method: post, path: "/_sandbox/token/explain", handle: (*call).explainToken},
		{method: get, path: "/_sandbox/exchanges", handle: (*call).exchanges},
		{method: get, path: "/_sandbox/exchanges.har", handle: (*call).exchangesHAR},
		{method: get, path: "/_sandbox/events", noHead: true, handle: (*call).events},
		{method: get, path: "/_sandbox/exchanges/:id", public: true, handle: (*call).exchangePage}, // whoever knows the id may read it

		// The administration resources of Aidbox.
		{method: get, path: "/Client", handle: (*call).searchClients},
		{method: get, path: "/Client/:id", handle: (*call).readClient},
		{method: put, path: "/Client/:id", handle: (*call).putClient},
		{method: deleteMethod, path: "/Client/:id", handle: (*call).deleteClient},
		{method: get, path: "/Client/:id/_history", handle: adminHistory(clientType)},
		{method: get, path: "/AccessPolicy", handle: (*call).searchPolicies},
		{method: get, path: "/AccessPolicy/:id", handle: (*call).readPolicy},
		{method: put, path: "/AccessPolicy/:id", handle: (*call).putPolicy},
		{method: deleteMethod, path: "/AccessPolicy/:id", handle: (*call).deletePolicy},
		{method: get, path: "/AccessPolicy/:id/_history", handle: adminHistory(policyType)},
		{method: get, path: "/Session", public: true, handle: (*call).session}, // for whoever has the token
		{method: deleteMethod, path: "/Session", public: true, handle: (*call).closeSession},

		// The portal for scripts.
		{method: get, path: "/portal/api/services", handle: (*call).services},
		{method: post, path: "/portal/api/services", handle: (*call).createService},
		{method: get, path: "/portal/api/services/:service", handle: (*call).service},
		{method: put, path: "/portal/api/services/:service", handle: (*call).editService},
		{method: deleteMethod, path: "/portal/api/services/:service", handle: (*call).deleteService},
		{method: post, path: "/portal/api/services/:service/submit", handle: takeStep(portal.Submit)},
		{method: post, path: "/portal/api/services/:service/approve", handle: takeStep(portal.Approve)},
		{method: post, path: "/portal/api/services/:service/reject", handle: takeStep(portal.Reject)},
		{method: post, path: "/portal/api/services/:service/deactivate", handle: takeStep(portal.Deactivate)},
		{method: post, path: "/portal/api/services/:service/rotate-secret", handle: (*call).rotateServiceSecret},
		{method: post, path: "/portal/api/keys", handle: (*call).checkKeys},
		{method: get, path: "/portal/api/organizations", handle: (*call).organizations},

		// Portal.
		{method: get, path: "/", handle: (*call).home},
		{method: get, path: "/services/new", handle: (*call).newServiceForm},
		{method: post, path: "/services", handle: (*call).sendServiceForm},
		{method: get, path: "/services/:service", handle: (*call).servicePage},
		{method: get, path: "/services/:service/edit", handle: (*call).editServiceForm},
		{method: post, path: "/services/:service/edit", handle: (*call).sendServiceForm},
		{method: post, path: "/services/:service/submit", handle: takeStepByForm(portal.Submit)},
		{method: post, path: "/services/:service/rotate-secret", handle: (*call).rotateByForm},
		{method: post, path: "/services/:service/delete", handle: (*call).deleteByForm},
		{method: post, path: "/services/:service/try", handle: (*call).tryService},
		{method: get, path: "/admin", handle: (*call).adminPage},
		{method: get, path: "/admin/services/:service", handle: (*call).reviewPage},
		{method: post, path: "/admin/services/:service/approve", handle: takeStepByForm(portal.Approve)},
		{method: post, path: "/admin/services/:service/reject", handle: takeStepByForm(portal.Reject)},
		{method: post, path: "/admin/services/:service/deactivate", handle: takeStepByForm(portal.Deactivate)},
		{method: post, path: "/_sandbox/snapshots", page: true, handle: (*call).snapshotForm},
		{method: post, path: "/_sandbox/data", page: true, handle: (*call).changeDataByForm},
		{method: post, path: "/_sandbox/data/:type", page: true, handle: (*call).dataQuery},
		{method: get, path: "/_sandbox/smart-configuration", page: true, handle: (*call).configurationPage},
		{method: post, path: "/_sandbox/smart-configuration", page: true, handle: (*call).chooseBehaviour},
		{method: get, path: "/_sandbox/ca.pem", public: true, handle: (*call).caCertificate},
		{method: get, path: "/_sandbox/style.css", page: true, public: true, handle: (*call).style},
		{method: get, path: "/_sandbox/script.js", page: true, public: true, handle: (*call).script},
		{method: get, path: "/_sandbox/keys.js", page: true, public: true, handle: (*call).keyScript},
		{method: get, path: "/_sandbox/icon.svg", page: true, public: true, handle: (*call).icon},
		{method: get, path: "/favicon.ico", public: true, handle: (*call).icon},
	}
}
