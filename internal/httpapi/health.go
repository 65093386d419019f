package httpapi

import (
	"github.com/gofiber/fiber/v2"
)

// live says that the process answers.
func (l *call) live() error { return l.json(fiber.StatusOK, map[string]string{"status": "ok"}) }

// ready says that the sandbox's data can be read.
func (l *call) ready() error {
	if _, err := l.data(); err != nil {
		l.server.cfg.Logger.Error("not ready", "error", err)
		return l.json(fiber.StatusServiceUnavailable, map[string]string{"status": "no data"})
	}
	return l.json(fiber.StatusOK, map[string]string{"status": "ok"})
}
