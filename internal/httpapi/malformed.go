package httpapi

import (
	"bytes"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// otherMethod is what a method that the router was not told of goes by there.
const otherMethod = "OTHER"

type methodKeyType struct{}

var methodKey = methodKeyType{}

// takeAnyMethod has requests of every method take the way of all others, so
// that they are refused in the words that their path is due. The types of the
// handler and its context belong to a library below fiber.
func takeAnyMethod[H ~func(C), C interface{ Method() []byte }](handler *H, acquire func(C) *fiber.Ctx, release func(*fiber.Ctx)) {
	next := *handler
	*handler = func(ctx C) {
		if !slices.Contains(fiber.DefaultMethods, string(ctx.Method())) {
			c := acquire(ctx)
			c.Locals(methodKey, c.Method())
			c.Request().Header.SetMethod(otherMethod)
			release(c)
		}
		next(ctx)
	}
}

// methodOf is the method of a request as it was sent.
func methodOf(c *fiber.Ctx) string {
	if sent, ok := c.Locals(methodKey).(string); ok {
		return sent
	}
	return c.Method()
}

// unreadable is the refusal of bytes that are no request. What the library says
// of them quotes them, credentials included.
func unreadable(err *fiber.Error) *httpError {
	e := &httpError{status: err.Code, code: "structure", message: "the request cannot be read: its request line or a header field is not as RFC 9112 has it"}
	switch {
	case err.Code == fiber.StatusRequestHeaderFieldsTooLarge:
		e.code, e.message = "too-long", "the request line and the header fields together are longer than "+bytesText(readBuffer)+", the most that is taken"
	case err.Code == fiber.StatusRequestTimeout:
		e.code, e.message = "timeout", "the request did not come to its end in time"
	case strings.HasPrefix(err.Message, "error when reading request headers: cannot parse Content-Length"):
		e.message = "the request cannot be read: its Content-Length is no number of bytes (RFC 9112 section 6.3)"
	case !strings.HasPrefix(err.Message, "error when reading request headers"):
		e.message = bodyEndsEarly
	}
	return e
}

// unrouted renders what went wrong outside of every handler.
func (s *Server) unrouted(c *fiber.Ctx, err error) error {
	l := callOf(c)
	if l == nil { // the request could not be read
		l, _ = s.newCall(c)
		conn, ok := c.Context().Conn().(interface {
			target() string
			refuseUnread()
		})
		if ok {
			l.surface = surfaceOf(placeOf(conn.target()).path)
			conn.refuseUnread()
		}
	}
	err = l.fail(err)
	s.stamp(c)
	return err
}

// A beginning is the first bytes of the request that a connection reads. A
// request that cannot be parsed shows by them whom its answer is for.
type beginning struct{ bytes []byte }

// maxBeginning is enough for the method and the first segments of the path.
const maxBeginning = 256

// note adds what was read behind the rest.
func (b *beginning) note(read []byte) {
	if room := maxBeginning - len(b.bytes); room > 0 {
		b.bytes = append(b.bytes, read[:min(room, len(read))]...)
	}
}

func (b *beginning) forgetBeginning() { b.bytes = b.bytes[:0] }

// target is the path of the request line, as far as it is known, or "".
func (b *beginning) target() string {
	line, _, _ := bytes.Cut(bytes.TrimLeft(b.bytes, "\r\n"), []byte("\r\n"))
	_, target, _ := strings.Cut(string(line), " ")
	target, _, _ = strings.Cut(target, " ")
	target, _, _ = strings.Cut(target, "?")
	return target
}
