package httpapi

import (
	"bufio"
	"bytes"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// stamp gives an answer its Date: the second in which its head is complete, by
// real time. What it says of its age does not lie after that (RFC 9110 section
// 8.8.2.1), although the workspace's clock may be ahead. An answer that has its
// Date already keeps it.
func (s *Server) stamp(c *fiber.Ctx) {
	header := &c.Response().Header
	if len(header.Peek(fiber.HeaderDate)) > 0 {
		return
	}
	now := wallOf(c).Now().UTC()
	if modified, err := http.ParseTime(string(header.Peek(fiber.HeaderLastModified))); err == nil && modified.After(now) {
		header.Set(fiber.HeaderLastModified, now.Format(httpDate))
	}
	// The header sets no Date: it takes one only from fields as they are on the
	// wire. The server's own, which is cached, is up to two seconds old.
	line := now.AppendFormat([]byte(fiber.HeaderDate+": "), httpDate)
	fields := bytes.NewReader(append(line, "\r\n\r\n"...))
	if err := header.ReadTrailer(bufio.NewReaderSize(fields, fields.Len())); err != nil {
		s.cfg.Logger.Error("an answer has no Date", "error", err)
	}
}

// wallOf is real time as the request's workspace knows it.
func wallOf(c *fiber.Ctx) clock.Clock {
	if l := callOf(c); l != nil && l.workspace != nil {
		return l.workspace.Wall
	}
	return clock.System{}
}
