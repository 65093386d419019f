package httpapi

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/exchange"
)

// The largest bodies that are read, in bytes after decompression.
const (
	maxFHIRBody  = 32 << 20
	maxOAuthBody = 64 << 10
)

// maxDrain is how much of a body that is refused is still read, so that the
// client gets to see the refusal instead of a broken connection.
const maxDrain = 64 << 20

// readBody returns the request's body, inflated where it is gzip. A body of
// more than limit bytes is a 413.
func (l *call) readBody(limit int64) ([]byte, error) {
	stream := l.Context().RequestBodyStream()
	if stream == nil {
		return nil, nil
	}
	var reader io.Reader = stream
	switch encoding := strings.ToLower(l.Get(fiber.HeaderContentEncoding)); encoding {
	case "", "identity":
	case "gzip":
		zip, err := gzip.NewReader(stream)
		if err != nil {
			l.refuseBody(stream)
			return nil, badRequest("structure", "the body is not gzip, as its Content-Encoding says")
		}
		reader = zip
	default:
		l.refuseBody(stream)
		return nil, &httpError{status: fiber.StatusUnsupportedMediaType, code: "not-supported", message: "Content-Encoding " + encoding + " is not supported; send the body as it is, or as gzip"}
	}
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(reader, limit+1))
	body := buf.Bytes()
	l.exchange.RequestBody = exchange.Text(body[:min(n, limit)], l.Get(fiber.HeaderContentType))
	if n > limit {
		l.refuseBody(stream)
		return nil, &httpError{status: fiber.StatusRequestEntityTooLarge, code: "too-long", message: "the body is larger than " + bytesText(limit) + ", the most that is taken here"}
	}
	if err != nil {
		l.Context().SetConnectionClose()
		return nil, badRequest("structure", "the body ends early or is damaged: "+err.Error())
	}
	return body, nil
}

// refuseBody reads a body to its end and ends the connection after the answer.
func (l *call) refuseBody(stream io.Reader) {
	_, _ = io.Copy(io.Discard, io.LimitReader(stream, maxDrain)) // what is left is of no interest
	l.Context().SetConnectionClose()
}

func bytesText(n int64) string {
	if n >= 1<<20 {
		return itoa(n>>20) + " MiB"
	}
	return itoa(n>>10) + " KiB"
}
