package httpapi

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"
)

// httpDate is the layout of HTTP dates (RFC 9110 section 5.6.7).
const httpDate = http.TimeFormat

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// send answers with a body that is ready.
func (l *call) send(status int, contentType string, body []byte) error {
	l.Set(fiber.HeaderContentType, contentType)
	return l.Status(status).Send(body)
}

// json answers with v as plain JSON.
func (l *call) json(status int, v any) error {
	body, err := marshal(v)
	if err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return l.send(status, fiber.MIMEApplicationJSON, body)
}

// noStore keeps an answer with credentials out of caches (RFC 6749 section
// 5.1).
func (l *call) noStore() {
	l.Set(fiber.HeaderCacheControl, "no-store")
	l.Set(fiber.HeaderPragma, "no-cache")
}
