package httpapi

import "github.com/gofiber/fiber/v2"

// cors lets pages of any origin read discovery, and, since this is a sandbox,
// call everything else that FHIR and OAuth clients call (SMART App Launch 2.2,
// app-launch, CORS). The portal and the controls are for their own pages. A
// browser's preflight is answered here and not recorded: it is none of the
// client's requests, and it allows methods that are then refused in words.
func (s *Server) cors(c *fiber.Ctx) error {
	if callOf(c).surface == plainSurface {
		return c.Next()
	}
	c.Vary(fiber.HeaderOrigin)
	if c.Get(fiber.HeaderOrigin) == "" {
		return c.Next()
	}
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	c.Set(fiber.HeaderAccessControlExposeHeaders, "Accept-Patch, Content-Location, ETag, Expires, Last-Modified, Link, Location, Preference-Applied, Retry-After, WWW-Authenticate, X-Progress, X-Request-Id")
	if c.Method() != fiber.MethodOptions || c.Get(fiber.HeaderAccessControlRequestMethod) == "" {
		return c.Next()
	}
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD, POST, PUT, PATCH, DELETE")
	if asked := c.Get(fiber.HeaderAccessControlRequestHeaders); asked != "" {
		c.Set(fiber.HeaderAccessControlAllowHeaders, asked)
	}
	c.Set(fiber.HeaderAccessControlMaxAge, "600")
	return c.Status(fiber.StatusNoContent).Send(nil)
}
