package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/gofiber/fiber/v2"
	"github.com/klauspost/compress/gzip"

	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fault"
)

// sendFaulty answers with a file as a fault has it. It returns false where the
// file goes out as it is.
func (l *call) sendFaulty(r *fault.Rule, content *bulk.Content) (sent bool) {
	l.Set(fiber.HeaderContentType, fhirNDJSON)
	size, known := content.Size()
	switch r.Fault.ID {
	case "files.content_type":
		l.Set(fiber.HeaderContentType, r.Value("value"))
		if known {
			l.stream(contentBody{content}, 0, size)
			return true
		}
		l.streamPiped(contentBody{content}, size, content.Gzip)
		return true
	case "files.gzip":
		switch r.Value("as") {
		case "encoding":
			l.Set(fiber.HeaderContentEncoding, "gzip")
		case "file":
			l.Set(fiber.HeaderContentType, gzipType)
		}
	case "files.reset_at":
		if known && r.Number("bytes") < size {
			l.stream(&faultyBody{content, &resetter{left: r.Number("bytes")}}, 0, size)
			return true
		}
	}
	mangler := manglerOf(r)
	if c, ok := mangler.(*corrupter); ok && known {
		c.at = min(c.at, size-1)
	}
	if mangler == nil {
		return false
	}
	l.streamPiped(&faultyBody{content, mangler}, size, false)
	return true
}

// A mangler changes a file on its way to a writer.
type mangler interface {
	// over returns the writer to write the file to, and what ends it.
	over(w io.Writer) (io.Writer, func() error)
}

// A faultyBody is a file that a mangler changes.
type faultyBody struct {
	content *bulk.Content
	mangler mangler
}

func (b *faultyBody) send(w io.Writer, _, n int64) error {
	out, end := b.mangler.over(w)
	// the request's own context ends before the body is sent
	if err := b.content.WriteRange(context.Background(), out, 0, n); err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return end()
}

// errEnough ends a file early that is to look complete.
var errEnough = errors.New("enough")

func manglerOf(r *fault.Rule) mangler {
	switch r.Fault.ID {
	case "files.truncate":
		return &truncater{left: r.Number("bytes")}
	case "files.corrupt":
		return &corrupter{at: r.Number("at")}
	case "files.gzip":
		return zipper{}
	case "ndjson.blank_lines":
		return &liner{end: "\n\n"}
	case "ndjson.crlf":
		return &liner{end: "\r\n"}
	case "ndjson.bom":
		return &liner{begin: "\ufeff", end: "\n"}
	case "ndjson.no_final_newline":
		return &liner{end: "\n", open: true}
	case "ndjson.long_line":
		return &liner{end: "\n", long: int(r.Number("bytes"))}
	}
	return nil
}

// A resetter ends the connection after some bytes.
type resetter struct {
	w    io.Writer
	left int64
}

func (m *resetter) over(w io.Writer) (io.Writer, func() error) {
	m.w = w
	return m, func() error { return nil }
}

// errReset ends a file on purpose.
var errReset = errors.New("the file ends here, by a fault")

func (m *resetter) Write(p []byte) (int, error) {
	if int64(len(p)) <= m.left {
		m.left -= int64(len(p))
		return m.w.Write(p)
	}
	n, err := m.w.Write(p[:m.left])
	m.left = 0
	if buffer, ok := m.w.(interface{ Flush() error }); ok && err == nil {
		err = buffer.Flush() // the client gets all of them
	}
	if err == nil {
		err = errReset
	}
	return n, err
}

// A truncater ends a file after some bytes.
type truncater struct {
	w    io.Writer
	left int64
}

func (m *truncater) over(w io.Writer) (io.Writer, func() error) {
	m.w = w
	return m, func() error { return nil }
}

func (m *truncater) Write(p []byte) (int, error) {
	n := min(int64(len(p)), m.left)
	m.left -= n
	if _, err := m.w.Write(p[:n]); err != nil {
		return 0, err
	}
	if m.left == 0 {
		return int(n), errEnough
	}
	return len(p), nil
}

// A corrupter turns a byte of a file into another one.
type corrupter struct {
	w      io.Writer
	at, of int64
}

func (m *corrupter) over(w io.Writer) (io.Writer, func() error) {
	m.w = w
	return m, func() error { return nil }
}

func (m *corrupter) Write(p []byte) (int, error) {
	if i := m.at - m.of; i >= 0 && i < int64(len(p)) {
		p = bytes.Clone(p)
		p[i] ^= 1
	}
	m.of += int64(len(p))
	return m.w.Write(p)
}

// A zipper compresses a file, and nothing tells of it.
type zipper struct{}

func (zipper) over(w io.Writer) (io.Writer, func() error) {
	zip := gzip.NewWriter(w)
	return zip, zip.Close
}

// A liner writes the lines of a file with other ends.
type liner struct {
	begin, end string
	open       bool // the last line has no end
	long       int  // so many bytes of the first line

	w     io.Writer
	rest  []byte
	lines int
}

func (m *liner) over(w io.Writer) (io.Writer, func() error) {
	m.w = w
	return m, m.finish
}

func (m *liner) Write(p []byte) (int, error) {
	m.rest = append(m.rest, p...)
	for {
		i := bytes.IndexByte(m.rest, '\n')
		if i < 0 {
			return len(p), nil
		}
		if err := m.line(m.rest[:i]); err != nil {
			return 0, err
		}
		m.rest = m.rest[i+1:]
	}
}

// line writes a line, with the end of the one before it.
func (m *liner) line(line []byte) error {
	before := m.end
	if m.lines == 0 {
		before = m.begin
	}
	m.lines++
	if m.lines == 1 && m.long > len(line) && len(line) > 0 {
		line = append(append([]byte{line[0]}, bytes.Repeat([]byte{' '}, m.long-len(line))...), line[1:]...)
	}
	_, err := m.w.Write(append([]byte(before), line...))
	return err
}

func (m *liner) finish() error {
	if m.open || m.lines == 0 {
		return nil
	}
	_, err := io.WriteString(m.w, m.end)
	return err
}
