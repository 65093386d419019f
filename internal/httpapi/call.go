package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// A call is one request on its way through the server.
type call struct {
	*fiber.Ctx
	server    *Server
	workspace *workspace.Workspace
	env       *workspace.Environment
	addresses authz.Addresses
	surface   surface

	root   string // the server's root URL
	prefix string // of the workspace, below root
	path   string // as it was asked for
	// original is path as it was sent, escapes included; Ctx forgets it once the
	// prefixes are off.
	original string
	routed   string // without prefixes

	body     *onceReader // the request's, once something looked at it
	exchange *recording
	access   *authz.Access // once authenticated
}

type callKeyType struct{}

var callKey = callKeyType{}

// callOf returns the request's call, or nil where it could not be located.
func callOf(c *fiber.Ctx) *call {
	l, _ := c.Locals(callKey).(*call)
	return l
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

// authorizations are the values of the Authorization header, each as sent.
func (l *call) authorizations() []string {
	var list []string
	for _, v := range l.Request().Header.PeekAll(fiber.HeaderAuthorization) {
		list = append(list, string(v))
	}
	return list
}
