package httpapi

import (
	"github.com/gofiber/fiber/v2"
)

// live says that the process answers.
func (l *call) live() error { return l.json(fiber.StatusOK, map[string]string{"status": "ok"}) }

// caCertificate shows the certificate of the server's own authority, for clients
// to trust.
func (l *call) caCertificate() error {
	if l.server.cfg.CACertificate == nil {
		return notFound("this server has no certificate authority of its own; --tls gives it one")
	}
	return l.send(fiber.StatusOK, "application/x-pem-file", l.server.cfg.CACertificate)
}

// ready says that the sandbox's data can be read.
func (l *call) ready() error {
	if _, err := l.data(); err != nil {
		l.server.cfg.Logger.Error("not ready", "error", err)
		return l.json(fiber.StatusServiceUnavailable, map[string]string{"status": "no data"})
	}
	return l.json(fiber.StatusOK, map[string]string{"status": "ok"})
}
