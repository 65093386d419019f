package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// cors lets pages of any origin read discovery, and, since this is a sandbox,
// call everything else that FHIR and OAuth clients call (SMART App Launch 2.2,
// app-launch, CORS). The portal and the controls are for their own pages.
func (s *Server) cors(c *fiber.Ctx) error {
	routed := callOf(c).routed
	if c.Get(fiber.HeaderOrigin) == "" || surfaceOf(routed) == plainSurface && !strings.HasPrefix(routed, wellKn) {
		return c.Next()
	}
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set(fiber.HeaderAccessControlExposeHeaders, "Content-Location, ETag, Expires, Last-Modified, Link, Location, Retry-After, WWW-Authenticate, X-Progress, X-Request-Id")
	c.Vary(fiber.HeaderOrigin)
	if c.Method() != fiber.MethodOptions || c.Get(fiber.HeaderAccessControlRequestMethod) == "" {
		return c.Next()
	}
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD, POST, PUT, PATCH, DELETE")
	if asked := c.Get(fiber.HeaderAccessControlRequestHeaders); asked != "" {
		c.Set(fiber.HeaderAccessControlAllowHeaders, asked)
	}
	c.Set(fiber.HeaderAccessControlMaxAge, "600")
	return c.SendStatus(fiber.StatusNoContent)
}

// smartConfiguration is discovery (SMART App Launch 2.2, conformance, Using
// .well-known). It does not look at Accept.
func (l *call) smartConfiguration() error {
	return l.json(fiber.StatusOK, l.env.Auth.SMARTConfiguration(l.addresses))
}

// serverMetadata is discovery for OAuth clients (RFC 8414).
func (l *call) serverMetadata() error {
	if issuer := l.Params("*"); issuer != "" && issuer != "auth" {
		return notFound("there is no issuer at %s", l.path)
	}
	return l.json(fiber.StatusOK, l.env.Auth.Metadata(l.addresses))
}

// jwks are the keys that access tokens are signed with.
func (l *call) jwks() error {
	return l.send(fiber.StatusOK, fiber.MIMEApplicationJSON, l.env.Auth.JWKS())
}

// live says that the process answers.
func (l *call) live() error { return l.json(fiber.StatusOK, map[string]string{"status": "ok"}) }

// ready says that the sandbox's data can be read.
func (l *call) ready() error {
	if _, err := l.env.Data(l.UserContext()); err != nil {
		l.server.cfg.Logger.Error("not ready", "error", err)
		return l.json(fiber.StatusServiceUnavailable, map[string]string{"status": "no data"})
	}
	return l.json(fiber.StatusOK, map[string]string{"status": "ok"})
}
