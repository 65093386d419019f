package httpapi

import (
	"net"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
)

// rootURL is the URL of the server's root as the request addressed it, or ""
// with the refusal of a request that does not tell.
func (s *Server) rootURL(c *fiber.Ctx) (string, error) {
	if host := string(c.Request().Header.Host()); host != "" && !isHost(host) {
		return s.cfg.BaseURL, badRequest("invalid", "Host is "+strconv.Quote(host)+", which is no host with or without a port (RFC 9112 section 3.2)")
	}
	if s.cfg.BaseURL != "" {
		return s.cfg.BaseURL, nil
	}
	if hostOf(c) == "" {
		return "", badRequest("invalid", "the request has no Host (RFC 9112 section 3.2)")
	}
	if !c.IsProxyTrusted() {
		return c.BaseURL(), nil
	}
	return forwardedRoot(c)
}

// forwardedRoot is the root as a trusted proxy says that the client addressed
// it. Of a list, which several proxies have made, the first is the client's.
func forwardedRoot(c *fiber.Ctx) (string, error) {
	host, scheme := hostOf(c), strings.ToLower(strings.TrimSpace(c.Protocol()))
	prefix, _, _ := strings.Cut(c.Get("X-Forwarded-Prefix"), ",")
	if prefix = strings.Trim(strings.TrimSpace(prefix), "/"); prefix != "" {
		prefix = "/" + prefix
	}
	wrong := func(header, value, what string) (string, error) {
		return "", badRequest("invalid", "the proxy's "+header+" is "+strconv.Quote(value)+", which is no "+what)
	}
	switch {
	case !isHost(host):
		return wrong(fiber.HeaderXForwardedHost, host, "host with or without a port")
	case scheme != "http" && scheme != "https":
		return wrong(fiber.HeaderXForwardedProto, scheme, "scheme, http or https")
	case !isPath(prefix):
		return wrong("X-Forwarded-Prefix", prefix, "path such as /sandbox")
	}
	return scheme + "://" + host + prefix, nil
}

// hostOf is the host, with its port where it has one, that the client asked for.
func hostOf(c *fiber.Ctx) string { return strings.TrimSpace(c.Hostname()) }

// isHost reports whether a text is the host of a URL, with or without a port.
func isHost(text string) bool {
	u, err := url.Parse("http://" + text)
	return err == nil && u.Host == text && u.Hostname() != ""
}

// isPath reports whether a text is an absolute path as it stands in URLs,
// without a slash at its end; "" is the root's.
func isPath(text string) bool {
	u, err := url.Parse(text)
	return text == "" || err == nil && u.EscapedPath() == text && path.Clean(text) == text
}

// addressesOf are the URLs of an environment of the call's workspace.
func (l *call) addressesOf(env string) authz.Addresses { return l.addressesBelow(l.prefix, env) }

// addressesBelow are the URLs of an environment of the workspace with a prefix.
func (l *call) addressesBelow(prefix, env string) authz.Addresses {
	base := l.rootOf(env) + prefix
	a := authz.Addresses{PortalURL: l.rootOf(authz.Sandbox) + prefix + "/"}
	if env == authz.Production {
		if !l.server.twoOrigins() {
			base += "/" + authz.Production
		}
	} else {
		a.RegistrationURL = base + "/auth/register"
	}
	a.Issuer, a.FHIRBase = base+"/auth", base+fhir
	a.TokenURL, a.JWKSURL = base+"/auth/token", base+"/auth/jwks"
	if l.workspace.Faults.Stands(moveTokenEndpoint) {
		a.TokenURL = base + movedToken
	}
	a.IntrospectionURL, a.RevocationURL = base+"/auth/introspect", base+"/auth/revoke"
	return a
}

// twoOrigins reports whether each environment has an origin of its own.
func (s *Server) twoOrigins() bool {
	if s.cfg.Ports == nil {
		return false
	}
	_, production := s.cfg.Ports()
	return production != ""
}

// rootOf is the root URL under which an environment is: the request's own, or the
// one at the other environment's port of the same host.
func (l *call) rootOf(env string) string {
	if !l.server.twoOrigins() || l.atProd == (env == authz.Production) {
		return l.root
	}
	sandbox, production := l.server.cfg.Ports()
	port := sandbox
	if env == authz.Production {
		port = production
	}
	return withPort(l.root, port)
}

// withPort is a root URL at another port.
func withPort(root, port string) string {
	u, err := url.Parse(root)
	if err != nil {
		return root
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	return u.String()
}

// isAtProduction reports whether a request came to the production environment's
// own origin.
func isAtProduction(c *fiber.Ctx) bool {
	conn, ok := c.Context().Conn().(interface{ ofProduction() bool })
	return ok && conn.ofProduction()
}
