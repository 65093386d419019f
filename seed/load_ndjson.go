package seed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ndjson loads one resource a line. Blank lines, a byte order mark and CRLF line ends are let
// pass, since exports of other systems have them.
func (l *loader) ndjson(name string, r io.Reader) error {
	lines := &lineReader{r: bufio.NewReaderSize(r, 64<<10), max: l.opts.MaxLine}
	for {
		line, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLongLine):
			err = l.bad(LoadProblem{File: name, Line: lines.n,
				Reason: fmt.Sprintf("the line is longer than %d bytes", l.opts.MaxLine)})
		case err != nil:
			return l.unreadable(name, lines.n, err)
		case len(bytes.TrimSpace(line)) != 0:
			err = l.document(&text{file: name, line: lines.n, data: line}, true)
		}
		if err != nil {
			return err
		}
	}
}

var errLongLine = errors.New("line too long")

// A lineReader reads lines of any length up to max bytes.
type lineReader struct {
	r   *bufio.Reader
	max int
	n   int    // number of the line that next returned, from 1
	buf []byte // a line that is longer than r's buffer
}

// next returns a line without its line end, valid until the following call; io.EOF after the
// last one; errLongLine for a line that is too long, from which reading goes on.
func (r *lineReader) next() ([]byte, error) {
	r.n++
	r.buf = r.buf[:0]
	for long := false; ; {
		part, err := r.r.ReadSlice('\n')
		if err == nil {
			part = part[:len(part)-1]
		}
		if len(r.buf)+len(part) > r.max {
			long = true
			r.buf = r.buf[:0]
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if !long {
				r.buf = append(r.buf, part...)
			}
			continue
		case err != nil && (!errors.Is(err, io.EOF) || len(r.buf)+len(part) == 0 && !long):
			return nil, err
		case long:
			return nil, errLongLine
		case len(r.buf) > 0:
			part = append(r.buf, part...)
			r.buf = part
		}
		if r.n == 1 {
			part = bytes.TrimPrefix(part, byteOrderMark())
		}
		return part, nil
	}
}

func byteOrderMark() []byte { return []byte("\xef\xbb\xbf") }
