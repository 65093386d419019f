package httpapi

import (
	"errors"
	"io"
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
	conns *conns
	begun time.Time
	once  sync.Once
	// later is set by a handler whose answer is sent after it returned.
	later bool
}

// finish adds the exchange to the log, once.
func (r *recording) finish(aborted bool) {
	r.once.Do(func() {
		r.Aborted = aborted
		r.Seconds = clock.System{}.Now().Sub(r.begun).Seconds()
		r.log.Add(&r.Exchange)
		r.conns.end()
	})
}

// record is the seam that every request passes: it notes what was asked and
// what was answered.
func (s *Server) record(c *fiber.Ctx) error {
	l := callOf(c)
	s.conns.begin()
	l.exchange = &recording{log: l.workspace.Exchanges, conns: s.conns, begun: clock.System{}.Now(), Exchange: exchange.Exchange{
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
	l.drain()
	r.Status = c.Response().StatusCode()
	c.Response().Header.VisitAll(func(name, value []byte) {
		r.ResponseHeader = append(r.ResponseHeader, header(string(name), string(value)))
	})
	if r.later {
		return err
	}
	body := c.Response().Body()
	r.ResponseBytes = int64(len(body))
	r.ResponseBody = l.bodyText(body)
	r.finish(false)
	return err
}

func header(name, value string) exchange.Header {
	return exchange.Header{Name: name, Value: exchange.MaskHeader(name, value)}
}

// explanation is the URL of the page that explains this exchange.
func (l *call) explanation() string {
	return l.exchangeURL(l.exchange.ID)
}

// A sendable writes itself to a connection in large blocks.
type sendable interface {
	// send writes n bytes from offset on.
	send(w io.Writer, offset, n int64) error
}

// A bodyStream is an answer's body that is sent after the handler returned. It
// implements io.WriterTo, which the server prefers to Read.
type bodyStream struct {
	body      sendable
	offset, n int64
	recording *recording
	done      bool
}

// stream answers with n bytes of body from offset on.
func (l *call) stream(body sendable, offset, n int64) {
	l.exchange.later = true
	l.Context().SetBodyStream(&bodyStream{body: body, offset: offset, n: n, recording: l.exchange}, int(n))
}

// WriteTo sends the body. An error or a panic below leaves it short, which a
// client sees by its length.
func (b *bodyStream) WriteTo(w io.Writer) (written int64, err error) {
	counter := &countingWriter{w: w}
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("a body could not be sent")
		}
		written = counter.n
		b.recording.ResponseBytes = written
		b.done = err == nil && written == b.n
	}()
	err = b.body.send(counter, b.offset, b.n)
	return counter.n, err
}

// Read serves a caller that does not know WriteTo.
func (b *bodyStream) Read(p []byte) (int, error) {
	if b.n == 0 {
		b.done = true
		return 0, io.EOF
	}
	n := min(int64(len(p)), b.n)
	buf := &sliceWriter{p: p[:0]}
	if err := b.body.send(buf, b.offset, n); err != nil {
		return len(buf.p), err
	}
	b.offset, b.n = b.offset+n, b.n-n
	b.recording.ResponseBytes += n
	b.done = b.n == 0
	return int(n), nil
}

// Close ends the exchange: the server closes a body when it has been sent, or
// cannot be.
func (b *bodyStream) Close() error {
	b.recording.finish(!b.done)
	return nil
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

type sliceWriter struct{ p []byte }

func (s *sliceWriter) Write(b []byte) (int, error) {
	s.p = append(s.p, b...)
	return len(b), nil
}
