package httpapi

import (
	"fmt"
	"mime"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/exchange"
)

// A recording is an exchange while it happens. It is added to the workspace's
// log once the answer has been sent, or is known not to arrive.
type recording struct {
	exchange.Exchange
	log   *exchange.Log
	wall  clock.Clock
	begun time.Time // by wall
	once  sync.Once
	// later is set by a handler whose answer is sent after it returned.
	later bool
	// quiet is set of what only looks at the server: pages and controls that are
	// read, which would push out what clients do. Those are noted that were refused, or
	// met a fault.
	quiet bool
	// dropped is set where the connection was closed instead of an answer.
	dropped bool
}

// finish adds the exchange to the log, once.
func (r *recording) finish(aborted bool) {
	r.once.Do(func() {
		r.Aborted = aborted
		r.Seconds = r.wall.Now().Sub(r.begun).Seconds()
		if !r.quiet || r.Refused() || r.Fault != "" || r.Status >= fiber.StatusInternalServerError {
			r.log.Add(&r.Exchange)
		}
	})
}

// record is the seam that every request passes: it notes what was asked and
// what was answered.
func (s *Server) record(c *fiber.Ctx) error {
	l := callOf(c)
	if l.workspace == nil { // there is not even a default one
		return c.Next()
	}
	id, err := l.workspace.Exchanges.NewID()
	if err != nil {
		return err
	}
	wall := l.workspace.Wall
	l.exchange = &recording{log: l.workspace.Exchanges, wall: wall, begun: wall.Now(), Exchange: exchange.Exchange{
		ID: id, Kind: exchange.Request, At: l.workspace.Clock.Now(), Method: l.Method(), URL: exchange.MaskURL(l.requestURL()), Page: l.exchangeURL(id),
	}}
	if l.env != nil {
		l.exchange.Environment = l.env.Name
	}
	l.exchange.quiet = l.surface == plainSurface && (l.Method() == fiber.MethodGet || l.Method() == fiber.MethodHead)
	r := l.exchange
	ctx, trace := authz.TraceFetches(c.UserContext(), r.ID)
	c.SetUserContext(ctx)
	c.Request().Header.VisitAll(func(name, value []byte) {
		r.RequestHeader = append(r.RequestHeader, header(string(name), string(value)))
	})
	if id := c.Get(fiber.HeaderXRequestID); id != "" {
		c.Set(fiber.HeaderXRequestID, id)
	}
	if err = c.Next(); err != nil {
		err = l.fail(err)
	}
	r.Fetches = trace.Records()
	l.noticeLostOperation()
	if r.Refused() {
		l.noteRemedy()
	}
	if r.dropped {
		r.finish(true)
		return err
	}
	l.drain()
	s.stamp(c)
	r.Status = c.Response().StatusCode()
	if !r.later && hasBody(c.Method(), r.Status) {
		r.ResponseBody = l.unrecorded
		if r.ResponseBody == "" {
			r.ResponseBody = l.bodyText(string(c.Response().Header.ContentType()), c.Response().Body())
		}
		l.compress()
		r.ResponseBytes = int64(len(c.Response().Body()))
	}
	c.Response().Header.VisitAll(func(name, value []byte) {
		r.ResponseHeader = append(r.ResponseHeader, header(string(name), string(value)))
	})
	if r.later {
		return err
	}
	r.finish(false)
	return err
}

// bodyText is a body as the record of the exchange keeps it. Of what OAuth
// clients send it keeps only the forms that it can find credentials in. Health
// data hold none to look for; a search's form may.
func (l *call) bodyText(contentType string, body []byte) string {
	media, _, _ := mime.ParseMediaType(contentType) // "" for what is none
	isForm := media == fiber.MIMEApplicationForm
	switch {
	case l.surface == fhirSurface:
		return exchange.Text(body, isForm)
	case l.surface == oauthSurface && len(body) > 0 && !isForm && media != fiber.MIMEApplicationJSON:
		return fmt.Sprintf("(%d bytes of %q)", len(body), contentType)
	}
	return exchange.Text(body, true)
}

// hasBody reports whether an answer may have a body (RFC 9110 section 6.4.1).
func hasBody(method string, status int) bool {
	return method != fiber.MethodHead && status != fiber.StatusNoContent && status != fiber.StatusNotModified
}

func header(name, value string) exchange.Header {
	return exchange.Header{Name: name, Value: exchange.MaskHeader(name, value)}
}

// explanation is the URL of the page that explains this exchange.
func (l *call) explanation() string {
	return l.exchangeURL(l.exchange.ID)
}
