package httpapi

import (
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/exchange"
)

// A recording is an exchange while it happens. It is added to the workspace's
// log once the answer has been sent, or is known not to arrive.
type recording struct {
	exchange.Exchange
	log   *exchange.Log
	begun time.Time
	once  sync.Once
	// later is set by a handler whose answer is sent after it returned.
	later bool
	// dropped is set where the connection was closed instead of an answer.
	dropped bool
}

// finish adds the exchange to the log, once.
func (r *recording) finish(aborted bool) {
	r.once.Do(func() {
		r.Aborted = aborted
		r.Seconds = clock.System{}.Now().Sub(r.begun).Seconds()
		r.log.Add(&r.Exchange)
	})
}

// record is the seam that every request passes: it notes what was asked and
// what was answered.
func (s *Server) record(c *fiber.Ctx) error {
	l := callOf(c)
	l.exchange = &recording{log: l.workspace.Exchanges, begun: clock.System{}.Now(), Exchange: exchange.Exchange{
		ID: exchange.NewID(), Environment: l.env.Name, At: l.workspace.Clock.Now(), Method: c.Method(), URL: exchange.MaskURL(l.requestURL()),
	}}
	r := l.exchange
	c.Request().Header.VisitAll(func(name, value []byte) {
		r.RequestHeader = append(r.RequestHeader, header(string(name), string(value)))
	})
	if id := c.Get(fiber.HeaderXRequestID); id != "" {
		c.Set(fiber.HeaderXRequestID, id)
	}
	err := c.Next()
	if err != nil {
		err = l.fail(err)
	}
	if r.dropped {
		r.finish(true)
		return err
	}
	l.drain()
	r.Status = c.Response().StatusCode()
	c.Response().Header.VisitAll(func(name, value []byte) {
		r.ResponseHeader = append(r.ResponseHeader, header(string(name), string(value)))
	})
	if r.later {
		return err
	}
	if body := c.Response().Body(); hasBody(c.Method(), r.Status) {
		r.ResponseBytes = int64(len(body))
		r.ResponseBody = l.bodyText(string(c.Response().Header.ContentType()), body)
	}
	r.finish(false)
	return err
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
