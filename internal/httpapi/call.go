package httpapi

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fault"
	"github.com/sandfhir/sandfhir/internal/portal"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// A call is one request on its way through the server.
type call struct {
	*fiber.Ctx
	server    *Server
	workspace *workspace.Workspace
	env       *workspace.Environment // nil where the path names no workspace
	addresses authz.Addresses
	surface   surface
	refused   error // what locate found to be wrong with the request, or nil

	method       string // as it was sent
	organization string // whose view of the data the path names, or ""

	root     string // the server's root URL
	atProd   bool   // root is that of the production environment, an origin of its own
	prefix   string // of the workspace, below root
	path     string // as it was asked for
	original string // path as it was sent, escapes included
	routed   string // without prefixes

	params   func() ([]fhirstore.Param, error) // see queryParams
	body     *onceReader                       // the request's, once something looked at it
	exchange *recording
	access   *authz.Access       // once authenticated
	version  *fhirstore.Resource // that the answer is about, or nil

	ownFault      *fault.Rule    // that the request itself asks for, or nil
	ruled         *portal.Portal // under the behaviour that faults have the request be answered by; nil: the one in force
	noPolicy      bool           // a fault has no policy allow anything
	pages         int            // into which a fault has the manifest of the export be split; 0: none
	grantedWithin authz.Scopes   // what a fault lets a token request have; nil: all that it may
	everybody     bool           // a fault has an empty group export everybody
	shown         *bulk.Job      // whose manifest the answer is, or nil

	unrecorded string // stands in the record for the answer's body; "" keeps that
	scopeAsked string // by a request for a token or a registration, as it was sent

	// Of an entry of a batch or transaction:
	bound map[string]string // the parts of the path, by their names in the route
	store *fhirstore.Store  // that shows the transaction; nil outside of one
}

type callKeyType struct{}

var callKey = callKeyType{}

// callOf returns the request's call, or nil where it could not be read.
func callOf(c *fiber.Ctx) *call {
	l, _ := c.Locals(callKey).(*call)
	return l
}

// Method is the request's method as it was sent, one that no route is of
// included.
func (l *call) Method() string { return l.method }

// Params is a part of the path by its name in the route.
func (l *call) Params(name string) string {
	if l.bound != nil {
		return l.bound[name]
	}
	return l.Ctx.Params(name)
}

// data is the environment's store, or the transaction that the call is part of.
func (l *call) data() (*fhirstore.Store, error) {
	if l.store != nil {
		return l.store, nil
	}
	return l.env.Data(l.UserContext())
}

// requestURL is the request's own URL, absolute and escaped as it was sent.
func (l *call) requestURL() string {
	u := l.root + l.original
	if q := l.query(); q != "" {
		u += "?" + q
	}
	return u
}

// query is the raw query string.
func (l *call) query() string { return string(l.Request().URI().QueryString()) }

// queryParams are the parameters of the query, which is read once.
func (l *call) queryParams() ([]fhirstore.Param, error) {
	params, err := l.params()
	return slices.Clone(params), err
}

// authorizations are the values of the Authorization header, each as sent.
func (l *call) authorizations() []string {
	var list []string
	for _, v := range l.Request().Header.PeekAll(fiber.HeaderAuthorization) {
		list = append(list, string(v))
	}
	return list
}
