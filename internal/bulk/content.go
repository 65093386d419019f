package bulk

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/subset"
)

// A Content is what a file holds, as it is sent but for compression.
type Content struct {
	reader   *fhirstore.FileReader
	bytes    int64
	typ      string              // of every line; empty for files of blocks
	elements map[string][]string // nil: the lines are sent as they are stored
	// Gzip is set where the file itself is gzip.
	Gzip bool
}

// Open opens a file of a job. Where whole is false nothing is read: for its
// length alone. Its error is ErrNoJob where the job has been deleted.
func (s *Service) Open(ctx context.Context, job *Job, file *File, whole bool) (*Content, error) {
	c := &Content{bytes: file.Bytes, typ: file.Type, Gzip: job.Gzip}
	if file.Kind == Output && job.isCut(file.Type) {
		c.elements = job.Elements
	}
	if !whole {
		return c, nil
	}
	extents, err := s.cfg.Jobs.Extents(ctx, s.cfg.Env, job.ID, file.Number)
	if err != nil {
		return nil, err
	}
	c.reader = s.cfg.Data.OpenFile(extents)
	return c, nil
}

// Size is the content's length in bytes, and whether it is known before it has
// been sent: that of resources that are cut down is not.
func (c *Content) Size() (bytes int64, known bool) { return c.bytes, c.elements == nil && !c.Gzip }

// WriteRange writes n bytes of the content from offset on to w. Of a content of
// unknown size everything is written.
func (c *Content) WriteRange(ctx context.Context, w io.Writer, offset, n int64) error {
	if c.elements == nil {
		_, err := c.reader.WriteRange(ctx, w, offset, n)
		return err
	}
	cut := &lineCutter{content: c, w: w}
	if _, err := c.reader.WriteRange(ctx, cut, 0, c.bytes); err != nil {
		return err
	}
	return cut.flush()
}

// cutBlock is about how much a lineCutter writes at a time, in bytes.
const cutBlock = 128 << 10

// A lineCutter cuts each line that is written to it down to some elements.
type lineCutter struct {
	content *Content
	w       io.Writer
	rest    []byte // of a line that is not complete
	out     []byte
}

func (l *lineCutter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			l.rest = append(l.rest, p...)
			return n, nil
		}
		line := p[:end]
		if len(l.rest) > 0 {
			l.rest = append(l.rest, line...)
			line = l.rest
		}
		if err := l.line(line); err != nil {
			return 0, err
		}
		l.rest, p = l.rest[:0], p[end+1:]
	}
}

func (l *lineCutter) line(line []byte) error {
	typ := l.content.typ
	if typ == "" {
		root, err := fhirjson.Parse(line)
		if err != nil {
			return fmt.Errorf("cut down a line: %w", err)
		}
		typ = root.Str("resourceType")
	}
	if names := l.content.elements[typ]; names != nil {
		var err error
		if line, err = subset.Of(r4.Definitions(), line, subset.Selection{Elements: names}); err != nil {
			return err
		}
	}
	l.out = append(append(l.out, line...), '\n')
	if len(l.out) < cutBlock {
		return nil
	}
	return l.flush()
}

func (l *lineCutter) flush() error {
	_, err := l.w.Write(l.out)
	l.out = l.out[:0]
	return err
}
