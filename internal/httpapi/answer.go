package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// httpDate is the layout of HTTP dates (RFC 9110 section 5.6.7).
const httpDate = http.TimeFormat

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// send answers with a body that is ready. _pretty=true has FHIR's JSON indented
// (FHIR R4, http, custom headers and parameters).
func (l *call) send(status int, contentType string, body []byte) error {
	if contentType == fhirJSON && strings.Contains(l.query(), "_pretty") && l.Query("_pretty") == "true" {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, body, "", "  "); err != nil {
			return fmt.Errorf("indent answer: %w", err)
		}
		body = pretty.Bytes()
	}
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
