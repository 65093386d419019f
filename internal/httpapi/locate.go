package httpapi

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
)

// locate finds the workspace and the environment that a path names, takes
// their prefixes off it, and works out the URLs as this request addressed the
// server.
func (s *Server) locate(c *fiber.Ctx) error {
	if s.cfg.BaseURL == "" && c.Hostname() == "" {
		return fiber.NewError(fiber.StatusBadRequest, "the request has no Host (RFC 9112 section 3.2)")
	}
	if isAmbiguous(c.Request().Header.RawHeaders()) {
		c.Context().SetConnectionClose()
		return fiber.NewError(fiber.StatusBadRequest, "the request says in two ways how long it is, or where it is for (RFC 9112 section 6.3)")
	}
	l := &call{Ctx: c, server: s, root: s.rootURL(c), path: c.Path(), original: string(c.Request().URI().PathOriginal())}
	path, name := c.Path(), ""
	// RFC 8414 puts its well-known name before the path of the issuer.
	if rest, ok := strings.CutPrefix(path, wellKnown+"oauth-authorization-server/"); ok {
		if prefix := strings.TrimSuffix("/"+rest, "/auth"); prefix != "" && strings.HasSuffix(rest, "auth") {
			path = prefix + wellKnown + "oauth-authorization-server/auth"
			path = strings.Replace(path, "//", "/", 1)
		}
	}
	if rest, ok := strings.CutPrefix(path, "/w/"); ok {
		var found bool
		name, rest, found = strings.Cut(rest, "/")
		if path = "/" + rest; !found {
			path = "/"
		}
		if name == "" {
			return fiber.NewError(fiber.StatusNotFound, "there is no workspace without a name under /w/")
		}
		l.prefix = "/w/" + url.PathEscape(name)
	}
	if l.workspace = s.cfg.Workspace(name); l.workspace == nil {
		return fiber.NewError(fiber.StatusNotFound, "there is no workspace "+name)
	}
	env := authz.Sandbox
	if rest, ok := strings.CutPrefix(path, "/"+authz.Production); ok && (rest == "" || rest[0] == '/') {
		env, path = authz.Production, rest
		if path == "" {
			path = "/"
		}
	}
	l.env = l.workspace.Environment(env)
	l.routed = path
	l.addresses = l.addressesOf(env)
	other := authz.Production
	if env == other {
		other = authz.Sandbox
	}
	l.addresses.Other = map[string]authz.Addresses{other: l.addressesOf(other)}
	c.Locals(callKey, l)
	c.Path(path)
	return c.Next()
}

// isAmbiguous reports whether header fields leave open where the request ends or
// whom it is for: a proxy in front could read it differently.
func isAmbiguous(raw []byte) bool {
	var lengths, codings, hosts int
	for line := range bytes.Lines(raw) {
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
	return lengths > 1 || codings > 1 || lengths+codings > 1 || hosts > 1
}

// rootURL is the URL of the server's root as the request addressed it.
func (s *Server) rootURL(c *fiber.Ctx) string {
	if s.cfg.BaseURL != "" {
		return s.cfg.BaseURL
	}
	root := c.BaseURL()
	if c.IsProxyTrusted() {
		if prefix := c.Get("X-Forwarded-Prefix"); prefix != "" {
			root += "/" + strings.Trim(prefix, "/")
		}
	}
	return root
}

// addressesOf are the URLs of an environment of the call's workspace.
func (l *call) addressesOf(env string) authz.Addresses {
	base := l.root + l.prefix
	a := authz.Addresses{PortalURL: base + "/"}
	if env == authz.Production {
		base += "/" + authz.Production
	} else {
		a.RegistrationURL = base + "/auth/register"
	}
	a.Issuer, a.FHIRBase = base+"/auth", base+fhir
	a.TokenURL, a.JWKSURL = base+"/auth/token", base+"/auth/jwks"
	a.IntrospectionURL, a.RevocationURL = base+"/auth/introspect", base+"/auth/revoke"
	return a
}
