package httpapi

import (
	"errors"
	"fmt"
	"io"

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
	done      bool
}

// stream answers with n bytes of body from offset on.
func (l *call) stream(body sendable, offset, n int64) {
	l.exchange.later = true
	l.Context().SetBodyStream(&answerBody{body: body, offset: offset, n: n, recording: l.exchange}, int(n))
}

// WriteTo sends the body. An error or a panic below leaves it short, which a
// client sees by its length.
func (b *answerBody) WriteTo(w io.Writer) (written int64, err error) {
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
func (b *answerBody) Read(p []byte) (int, error) {
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
func (b *answerBody) Close() error {
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

// streamGzip sends a body compressed, of a length that nobody knows before.
func (l *call) streamGzip(body sendable, n int64) error {
	l.exchange.later = true
	l.Context().SetBodyStream(&gzipBody{answerBody: answerBody{body: body, n: n, recording: l.exchange}}, -1)
	return nil
}

// A gzipBody is an answerBody that is compressed on its way.
type gzipBody struct {
	answerBody
	pipe *io.PipeReader
}

func (g *gzipBody) Read(p []byte) (int, error) {
	if g.pipe == nil {
		r, w := io.Pipe()
		g.pipe = r
		go g.compress(w)
	}
	n, err := g.pipe.Read(p)
	g.recording.ResponseBytes += int64(n)
	g.done = err == io.EOF
	return n, err
}

// compress writes the compressed body into the pipe. A failure or a panic
// reaches the reader as an error, so that the answer ends without its last
// chunk and is seen to be cut.
func (g *gzipBody) compress(w *io.PipeWriter) {
	var err error
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("compress a body: %v", p)
		}
		w.CloseWithError(err)
	}()
	var zip *gzip.Writer
	if zip, err = gzip.NewWriterLevel(w, gzip.BestSpeed); err == nil {
		if err = g.body.send(zip, 0, g.n); err == nil {
			err = zip.Close()
		}
	}
}

// WriteTo hides the one of answerBody, which would send the body as it is.
func (g *gzipBody) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{g})
}

func (g *gzipBody) Close() error {
	if g.pipe != nil {
		g.pipe.Close()
	}
	return g.answerBody.Close()
}
