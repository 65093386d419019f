package seed

import (
	"bufio"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

// file loads one file from disk.
func (l *loader) file(f foundFile) error {
	if f.skip != "" {
		l.skip(f.skip)
		return nil
	}
	l.current = printable(f.name)
	l.begin(f.size)
	defer func() {
		l.end()
		l.tell()
	}()
	if f.name == "-" {
		return l.standardInput()
	}
	osFile, err := os.Open(f.name)
	if err != nil {
		return l.unreadable(l.current, 0, err)
	}
	defer osFile.Close()

	kind, gzipped := formatOf(f.name)
	if kind == formatZip {
		return l.zip(l.current, osFile, f.size)
	}
	var r io.Reader = &countedReader{r: osFile, l: l}
	if gzipped {
		if r, err = inflate(r); err != nil {
			return l.unreadable(l.current, 0, err)
		}
	}
	switch kind {
	case formatNDJSON:
		return l.ndjson(l.current, r)
	case formatTar:
		return l.tar(l.current, r)
	default:
		return l.json(l.current, r, f.size)
	}
}

// standardInput reads NDJSON, gzipped or plain.
func (l *loader) standardInput() error {
	br := bufio.NewReader(&countedReader{r: l.opts.Stdin, l: l})
	var r io.Reader = br
	if magic, _ := br.Peek(2); string(magic) == "\x1f\x8b" {
		var err error
		if r, err = inflate(br); err != nil {
			return l.unreadable(l.current, 0, err)
		}
	}
	return l.ndjson(l.current, r)
}

// A countedReader reads a file for progress and ends with the load's context.
type countedReader struct {
	r io.Reader
	l *loader
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if stop := c.l.count(n); stop != nil {
		return n, stop
	}
	return n, err
}

// A countedReaderAt is a countedReader for archives with a table of contents at their end, which
// does not count.
type countedReaderAt struct {
	r       io.ReaderAt
	l       *loader
	members bool // are read, and no longer the table
}

func (c *countedReaderAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	counted := n
	if !c.members {
		counted = 0
	}
	if stop := c.l.count(counted); stop != nil {
		return n, stop
	}
	return n, err
}

// Data may expand freely up to freeExpansion bytes, and past that to maxExpansion times their
// compressed size. NDJSON of real populations shrinks ten to thirty-fold; deflate's utmost is a
// thousand-fold.
const (
	freeExpansion = 16 << 20
	maxExpansion  = 250
)

var errExpansion = errors.New("expands to more than 250 times its size, which looks like a decompression bomb")

// A guardedReader refuses data that expand beyond all proportion.
type guardedReader struct {
	r   io.Reader
	in  func() int64 // compressed bytes so far
	out int64
}

func (g *guardedReader) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.out += int64(n)
	if g.out > freeExpansion && g.out/maxExpansion > g.in() {
		return n, errExpansion
	}
	return n, err
}

// inflate returns what the gzip data of r hold, guarded.
func inflate(r io.Reader) (io.Reader, error) {
	in := &sizedReader{r: r}
	z, err := gzip.NewReader(in)
	if errors.Is(err, io.EOF) {
		err = gzip.ErrHeader // an empty file
	}
	if err != nil {
		return nil, err
	}
	return &guardedReader{r: z, in: func() int64 { return in.n }}, nil
}

type sizedReader struct {
	r io.Reader
	n int64
}

func (s *sizedReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	return n, err
}
