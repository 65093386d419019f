package httpapi

import (
	"bytes"
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// locate finds the workspace and the environment that a path names, takes
// their prefixes off it, and works out the URLs as this request addressed the
// server. What it finds to be wrong is refused by admit, once it is recorded.
func (s *Server) locate(c *fiber.Ctx) error {
	l, at := s.newCall(c)
	c.Locals(callKey, l)
	root, noRoot := s.rootURL(c)
	if l.atProd && s.cfg.BaseURL != "" { // which is the sandbox's
		_, port := s.cfg.Ports()
		root = withPort(root, port)
	}
	l.root, l.refused = root, cmp.Or(l.refused, noRoot, unambiguous(c))
	if !l.enter(at) {
		l.refused = cmp.Or(l.refused, error(notFound("there is no workspace %q: POST /_sandbox/workspaces makes one, which ends by DELETE, when its time is over or with the server", at.workspace)))
		l.workspace = s.cfg.Workspace("") // it has the request in its log
		return c.Next()
	}
	l.prefix = at.prefix
	l.addresses = l.addressesOf(at.env)
	l.addresses.FHIRBase = strings.TrimSuffix(l.addresses.FHIRBase, fhir) + at.base + fhir
	other := authz.Production
	if at.env == other {
		other = authz.Sandbox
	}
	if at.env == authz.Production && !l.atProd && s.twoOrigins() {
		l.refused = cmp.Or(l.refused, error(notFound("the production environment is an origin of its own here: %s", l.rootOf(authz.Production))))
	}
	l.addresses.Other = map[string]authz.Addresses{other: l.addressesOf(other)}
	c.Path(l.routed)
	return c.Next()
}

// enter takes the workspace and the environment that a path names until the
// answer has been sent, and reports whether there is such a workspace.
func (l *call) enter(at place) bool {
	w := l.server.workspaceOf(at)
	if w == nil {
		return false
	}
	env, leave, err := w.Enter(at.env)
	if err != nil {
		return false
	}
	l.server.conns.hold(l.Context().Conn(), leave)
	l.workspace, l.env = w, env
	return true
}

// admit refuses what locate found to be wrong, and what leads nowhere.
func (s *Server) admit(c *fiber.Ctx) error {
	l := callOf(c)
	if l.refused != nil {
		return l.refused
	}
	if err := l.astray(); err != nil {
		return err
	}
	if l.organization != "" && isOpen(l.routed) {
		if err := l.isOrganization(); err != nil {
			return err
		}
	}
	return c.Next()
}

// newCall returns the call of a request as far as its path tells.
func (s *Server) newCall(c *fiber.Ctx) (*call, place) {
	l := &call{Ctx: c, server: s, method: methodOf(c), original: string(c.Request().URI().PathOriginal())}
	l.params = sync.OnceValues(func() ([]fhirstore.Param, error) { return fhirstore.ParseParams(l.query()) })
	if l.original == "" { // its URL and Host together are no URL
		l.original, _, _ = strings.Cut(c.OriginalURL(), "?")
	}
	l.path, l.refused = unescapePath(l.original)
	if query := l.query(); l.refused == nil && (strings.Contains(query, "%") || !utf8.ValidString(query)) {
		_, l.refused = l.queryParams()
	}
	at := placeOf(l.path)
	if l.atProd = isAtProduction(c); l.atProd {
		at.env = authz.Production
	}
	l.routed, l.surface, l.organization = at.path, surfaceOf(at.path), at.organization
	return l, at
}

// unescapePath returns what a path says, or the path itself where it cannot be
// decoded to UTF-8.
func unescapePath(original string) (string, error) {
	path, err := url.PathUnescape(original)
	var escape url.EscapeError
	switch {
	case errors.As(err, &escape):
		return original, badRequest("invalid", "the path has "+strconv.Quote(string(escape))+", where two hexadecimal digits have to follow the % (RFC 3986 section 2.1)")
	case !utf8.ValidString(path):
		segments := strings.Split(path, "/")
		i := slices.IndexFunc(segments, func(s string) bool { return !utf8.ValidString(s) })
		return strings.ToValidUTF8(path, "?"), badRequest("invalid", "the path is not UTF-8 once it is decoded: its segment "+strconv.Quote(segments[i]))
	}
	return path, nil
}

// A place is what a path names.
type place struct {
	workspace string // name, "" for the default one
	prefix    string // the workspace's, escaped, or ""
	env       string
	// organization is the id of the one whose view of the data is asked for, and
	// base the escaped part of the path that says so; both may be "".
	organization, base string
	path               string // without the prefixes, and without a slash at its end
}

// placeOf takes the prefixes of workspace and environment off a path.
func placeOf(asked string) place {
	if strings.HasPrefix(asked, "//") {
		asked = "/" + strings.TrimLeft(asked, "/")
	}
	at := place{env: authz.Sandbox, path: asked}
	// RFC 8414 section 3 puts its well-known name before the path of the issuer.
	if issuer, ok := strings.CutPrefix(asked, issuerDocument+"/"); ok {
		if prefix, ok := strings.CutSuffix(issuer, "/auth"); ok && prefix != "" {
			at.path = "/" + prefix + issuerDocument + "/auth"
		}
	}
	if rest, ok := strings.CutPrefix(at.path, "/w/"); ok {
		at.workspace, rest, _ = strings.Cut(rest, "/")
		at.prefix, at.path = "/w/"+url.PathEscape(at.workspace), "/"+rest
	}
	if rest, ok := strings.CutPrefix(at.path, "/"+authz.Production); ok && (rest == "" || rest[0] == '/') {
		at.env, at.path = authz.Production, rest
	}
	if rest, ok := strings.CutPrefix(at.path, "/Organization/"); ok {
		if id, rest, _ := strings.Cut(rest, "/"); isBelow("/"+rest, fhir) {
			at.organization, at.base, at.path = id, "/Organization/"+url.PathEscape(id), "/"+rest
		}
	}
	if at.path = strings.TrimRight(at.path, "/"); at.path == "" {
		at.path = "/"
	}
	return at
}

// workspaceOf returns the workspace that a path names, or nil.
func (s *Server) workspaceOf(at place) *workspace.Workspace {
	if at.prefix != "" && at.workspace == "" {
		return nil
	}
	return s.cfg.Workspace(at.workspace)
}

// unambiguous refuses a request whose header fields leave open where it ends or
// whom it is for: a proxy in front could read it differently.
func unambiguous(c *fiber.Ctx) error {
	var lengths, codings, hosts int
	for line := range bytes.Lines(c.Request().Header.RawHeaders()) {
		name, _, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte(fiber.HeaderContentLength)):
			lengths++
		case bytes.EqualFold(name, []byte(fiber.HeaderTransferEncoding)):
			codings++
		case bytes.EqualFold(name, []byte(fiber.HeaderHost)):
			hosts++
		}
	}
	message := ""
	switch {
	case hosts > 1:
		message = "the request says in two ways whom it is for: it has several Host fields (RFC 9112 section 3.2)"
	case lengths+codings > 1:
		message = "the request says in two ways how long it is, by Content-Length and Transfer-Encoding (RFC 9112 section 6.3)"
	default:
		return nil
	}
	c.Context().SetConnectionClose()
	return badRequest("structure", message)
}
