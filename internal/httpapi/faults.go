package httpapi

import (
	"time"

	"github.com/gofiber/fiber/v2"
)

// faults is the seam where faults act: in front of every handler, behind the
// recorder, so that an exchange shows which fault it met.
func (s *Server) faults(c *fiber.Ctx) error {
	l := callOf(c)
	rule := l.workspace.Faults.Meet(l.Method(), l.routed)
	if rule == nil {
		return c.Next()
	}
	l.exchange.Fault = rule.Name
	effect := rule.Effect
	if effect.Delay > 0 {
		timer := time.NewTimer(effect.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.stopped: // nobody waits for the rest
		}
	}
	switch {
	case effect.Drop:
		l.exchange.dropped = true
		return c.Context().Conn().Close()
	case effect.Status == 0:
		return c.Next()
	}
	for name, value := range effect.Header {
		c.Set(name, value)
	}
	return c.Status(effect.Status).SendString(effect.Body)
}
