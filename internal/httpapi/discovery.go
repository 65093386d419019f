package httpapi

import (
	"github.com/gofiber/fiber/v2"
)

// smartConfiguration is discovery (SMART App Launch 2.2, conformance, Using
// .well-known). It does not look at Accept.
func (l *call) smartConfiguration() error {
	return l.json(fiber.StatusOK, l.env.Auth.SMARTConfiguration(l.addresses))
}

// serverMetadata is discovery for OAuth clients (RFC 8414).
func (l *call) serverMetadata() error {
	return l.json(fiber.StatusOK, l.env.Auth.Metadata(l.addresses))
}

// jwks are the keys that access tokens are signed with.
func (l *call) jwks() error {
	return l.send(fiber.StatusOK, fiber.MIMEApplicationJSON, l.env.Auth.JWKS())
}
