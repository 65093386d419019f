package httpapi

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"

	"github.com/klauspost/compress/gzip"
)

// A sendable writes itself to a connection in large blocks.
type sendable interface {
	// send writes n bytes from offset on.
	send(w io.Writer, offset, n int64) error
}

// An answerBody is an answer's body that is sent after the handler returned. It
// implements io.WriterTo, which the server prefers to Read.
type answerBody struct {
	body      sendable
	offset, n int64
	recording *recording
	log       *slog.Logger
	done      bool
}

// stream answers with n bytes of body from offset on.
func (l *call) stream(body sendable, offset, n int64) {
	b := l.answerBody(body, offset, n)
	l.Context().SetBodyStream(&b, int(n))
}

func (l *call) answerBody(body sendable, offset, n int64) answerBody {
	l.exchange.later = true
	return answerBody{body: body, offset: offset, n: n, recording: l.exchange, log: l.server.cfg.Logger.With("method", l.Method(), "path", l.path)}
}

// WriteTo sends the body. An error or a panic below leaves it short, which a
// client sees by its length.
func (b *answerBody) WriteTo(w io.Writer) (written int64, err error) {
	out := &answerWriter{w: w}
	err = sendAll(b.body, out, b.offset, b.n)
	if err == nil && out.n != b.n {
		err = fmt.Errorf("the body has %d bytes of %d", out.n, b.n)
	}
	b.recording.ResponseBytes = out.n
	b.done = err == nil
	if err != nil && out.err == nil {
		b.broken(err)
	}
	return out.n, err
}

// broken notes, once, that the body could not be sent whole for a reason of
// ours.
func (b *answerBody) broken(err error) {
	if b.recording.Broken {
		return
	}
	b.recording.Broken = true
	if errors.Is(err, errReset) { // on purpose
		return
	}
	attrs := []any{"error", err}
	var p *panicError
	if errors.As(err, &p) {
		attrs = append(attrs, "stack", string(p.stack))
	}
	b.log.Error("an answer broke off", attrs...)
}

// sendAll sends a body; a panic below is an error.
func sendAll(body sendable, w io.Writer, offset, n int64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{p, debug.Stack()}
		}
	}()
	return body.send(w, offset, n)
}

// A panicError is a panic while a body was sent.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// Read serves a caller that does not know WriteTo.
func (b *answerBody) Read(p []byte) (int, error) {
	if b.n == 0 {
		b.done = true
		return 0, io.EOF
	}
	n := min(int64(len(p)), b.n)
	buf := &sliceWriter{p: p[:0]}
	if err := sendAll(b.body, buf, b.offset, n); err != nil {
		b.broken(err)
		return len(buf.p), err
	}
	b.offset, b.n = b.offset+n, b.n-n
	b.recording.ResponseBytes += n
	b.done = b.n == 0
	return int(n), nil
}

// Close ends the exchange: the server closes a body when it has been sent, or
// cannot be.
func (b *answerBody) Close() error {
	b.recording.finish(!b.done && !b.recording.Broken)
	return nil
}

// An answerWriter counts what a connection took, and keeps the error with which
// it took no more.
type answerWriter struct {
	w   io.Writer
	n   int64
	err error
}

// Flush sends what the connection's buffer holds.
func (a *answerWriter) Flush() error {
	if buffer, ok := a.w.(interface{ Flush() error }); ok {
		return buffer.Flush()
	}
	return nil
}

func (a *answerWriter) Write(p []byte) (int, error) {
	n, err := a.w.Write(p)
	a.n += int64(n)
	if err != nil {
		a.err = err
	}
	return n, err
}

type sliceWriter struct{ p []byte }

func (s *sliceWriter) Write(b []byte) (int, error) {
	s.p = append(s.p, b...)
	return len(b), nil
}

// streamPiped sends a body of a length that nobody knows before: compressed, or
// one that is made on its way.
func (l *call) streamPiped(body sendable, n int64, zip bool) {
	l.Context().SetBodyStream(&pipedBody{answerBody: l.answerBody(body, 0, n), zip: zip}, -1)
}

// A pipedBody is an answerBody whose length is not known.
type pipedBody struct {
	answerBody
	zip  bool // whether it is compressed on its way
	pipe *io.PipeReader
}

// Read returns the next bytes. What produce ended with is a failure of ours: it
// learns of the client's going by Close alone.
func (p *pipedBody) Read(b []byte) (int, error) {
	if p.pipe == nil {
		r, w := io.Pipe()
		p.pipe = r
		go p.produce(w)
	}
	n, err := p.pipe.Read(b)
	p.recording.ResponseBytes += int64(n)
	p.done = err == io.EOF
	if err != nil && err != io.EOF {
		p.broken(err)
	}
	return n, err
}

// produce writes the body into the pipe. A failure or a panic reaches the
// reader as an error, so that the answer ends without its last chunk and is
// seen to be cut.
func (p *pipedBody) produce(w *io.PipeWriter) {
	if !p.zip {
		w.CloseWithError(sendAll(p.body, w, 0, p.n))
		return
	}
	zip, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err == nil {
		if err = sendAll(p.body, zip, 0, p.n); err == nil {
			err = zip.Close()
		}
	}
	w.CloseWithError(err)
}

// WriteTo hides the one of answerBody, which would send the body as it is.
func (p *pipedBody) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{p})
}

func (p *pipedBody) Close() error {
	if p.pipe != nil {
		p.pipe.Close()
	}
	return p.answerBody.Close()
}
