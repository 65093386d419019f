package fhirstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The kinds of extents: a run of bytes in a pack, one loose row, or bytes that
// the extent itself carries.
const (
	extentPack = iota
	extentLoose
	extentInline
)

// An extent is a run of an export file's bytes, whole lines each.
type extent struct {
	kind      int
	pack, off int64 // extentPack
	seq       int64 // extentLoose
	data      []byte
	len       int64
}

// An extentWriter collects the extents of a file and joins those that touch.
type extentWriter struct {
	code  []byte
	last  extent
	any   bool
	rows  int64
	bytes int64
	seq   int64 // of the last loose row, which the next one is coded against
}

func (x *extentWriter) pack(n, off, length, rows int64) {
	x.rows, x.bytes = x.rows+rows, x.bytes+length
	if x.any && x.last.kind == extentPack && x.last.pack == n && x.last.off+x.last.len == off {
		x.last.len += length
		return
	}
	x.flush()
	x.last, x.any = extent{kind: extentPack, pack: n, off: off, len: length}, true
}

func (x *extentWriter) loose(seq, length int64) {
	x.rows, x.bytes = x.rows+1, x.bytes+length
	x.flush()
	x.code = binary.AppendUvarint(x.code, extentLoose)
	x.code = binary.AppendVarint(x.code, seq-x.seq)
	x.code = binary.AppendUvarint(x.code, uint64(length))
	x.seq = seq
}

func (x *extentWriter) inline(line []byte) {
	x.rows, x.bytes = x.rows+1, x.bytes+int64(len(line))
	x.flush()
	x.code = binary.AppendUvarint(x.code, extentInline)
	x.code = binary.AppendUvarint(x.code, uint64(len(line)))
	x.code = append(x.code, line...)
}

func (x *extentWriter) flush() {
	if !x.any {
		return
	}
	x.code = binary.AppendUvarint(x.code, extentPack)
	x.code = binary.AppendUvarint(x.code, uint64(x.last.pack))
	x.code = binary.AppendUvarint(x.code, uint64(x.last.off))
	x.code = binary.AppendUvarint(x.code, uint64(x.last.len))
	x.any = false
}

func (x *extentWriter) encode() []byte {
	x.flush()
	return x.code
}

var errExtents = errors.New("the list of extents is damaged")

// An extentReader decodes a list of extents.
type extentReader struct {
	code []byte
	seq  int64
}

func (r *extentReader) next() (extent, error) {
	if len(r.code) == 0 {
		return extent{}, io.EOF
	}
	var e extent
	var err error
	number := func() int64 {
		n, size := binary.Uvarint(r.code)
		if size <= 0 || n > 1<<62 {
			err = errExtents
			return 0
		}
		r.code = r.code[size:]
		return int64(n)
	}
	e.kind = int(number())
	switch e.kind {
	case extentPack:
		e.pack, e.off, e.len = number(), number(), number()
	case extentLoose:
		delta, size := binary.Varint(r.code)
		if size <= 0 {
			return e, errExtents
		}
		r.code = r.code[size:]
		r.seq += delta
		e.seq, e.len = r.seq, number()
	case extentInline:
		e.len = number()
		if err != nil || e.len > int64(len(r.code)) {
			return e, errExtents
		}
		e.data, r.code = r.code[:e.len], r.code[e.len:]
	default:
		return e, errExtents
	}
	return e, err
}

// A FileReader reads an export file. It holds nothing open between its calls.
type FileReader struct {
	store   *Store
	data    *data
	extents []byte
}

// OpenFile returns a reader of the file that has these extents. They are a
// capability: Export makes them for what a view shows, and whoever has them reads
// it without one.
func (s *Store) OpenFile(extents []byte) *FileReader {
	return &FileReader{s, s.cur.Load(), extents}
}

// looseBatch is how many loose rows are read at a time.
const looseBatch = 64

// blockSize is how much is read from a pack at a time. Large writes matter more
// than anything else here.
const blockSize = 256 << 10

// WriteRange writes length bytes of the file from offset on to w, in large
// blocks. No read transaction is open while w is written to.
func (f *FileReader) WriteRange(ctx context.Context, w io.Writer, offset, length int64) (written int64, err error) {
	block, ok := f.store.blocks.Get().(*[]byte)
	if !ok {
		b := make([]byte, blockSize)
		block = &b
	}
	defer f.store.blocks.Put(block)
	c := rangeCopier{ctx: ctx, data: f.data, w: w, skip: offset, left: length, block: *block}
	r := extentReader{code: f.extents}
	for c.left > 0 {
		e, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return c.written, err
		}
		if err := c.copy(e); err != nil {
			return c.written, err
		}
	}
	if err := c.flushLoose(); err != nil {
		return c.written, err
	}
	if c.left > 0 {
		return c.written, fmt.Errorf("the file ends %d bytes early: %w", c.left, errExtents)
	}
	return c.written, nil
}

// A rangeCopier writes the part of the extents it is given that lies in a range.
type rangeCopier struct {
	ctx        context.Context
	data       *data
	w          io.Writer
	skip, left int64 // bytes still to pass over, and to write behind them
	written    int64
	block      []byte
	pending    []extent // loose rows that wait to be read together
}

func (c *rangeCopier) copy(e extent) error {
	if e.kind != extentLoose {
		if err := c.flushLoose(); err != nil {
			return err
		}
	}
	// Pending rows have not taken their part of skip yet.
	if len(c.pending) == 0 && c.skip >= e.len {
		c.skip -= e.len
		return nil
	}
	switch e.kind {
	case extentPack:
		return c.copyPack(e)
	case extentInline:
		return c.write(e.data)
	}
	c.pending = append(c.pending, e)
	if len(c.pending) == looseBatch {
		return c.flushLoose()
	}
	return nil
}

func (c *rangeCopier) copyPack(e extent) error {
	file, err := c.data.packs.file(e.pack)
	if err != nil {
		return err
	}
	off, end := e.off+c.skip, e.off+e.len
	c.skip = 0
	for off < end && c.left > 0 {
		n := min(int64(len(c.block)), end-off, c.left)
		if _, err := file.ReadAt(c.block[:n], off); err != nil {
			return fmt.Errorf("read pack %d: %w", e.pack, err)
		}
		if err := c.write(c.block[:n]); err != nil {
			return err
		}
		off += n
	}
	return nil
}

// flushLoose reads the pending loose rows in one query and writes them.
func (c *rangeCopier) flushLoose() error {
	if len(c.pending) == 0 {
		return nil
	}
	args := make([]any, len(c.pending))
	for i, e := range c.pending {
		args[i] = e.seq
	}
	rows, err := c.data.read.QueryContext(c.ctx, "SELECT seq, json FROM loose WHERE seq IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")+")", args...)
	if err != nil {
		return fmt.Errorf("read loose rows: %w", err)
	}
	defer rows.Close()
	bySeq := make(map[int64][]byte, len(args))
	for rows.Next() {
		var seq int64
		var json []byte
		if err := rows.Scan(&seq, &json); err != nil {
			return fmt.Errorf("read loose rows: %w", err)
		}
		bySeq[seq] = append(json, '\n')
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read loose rows: %w", err)
	}
	rows.Close()
	out := c.block[:0]
	for _, e := range c.pending {
		line, ok := bySeq[e.seq]
		if !ok || int64(len(line)) != e.len {
			return fmt.Errorf("loose row %d has %d bytes of %d: %w", e.seq, len(line), e.len, errExtents)
		}
		out = append(out, line...)
	}
	c.pending = c.pending[:0]
	return c.write(out)
}

// write writes b without what is to be skipped and without what is too much.
func (c *rangeCopier) write(b []byte) error {
	n := min(c.skip, int64(len(b)))
	b, c.skip = b[n:], c.skip-n
	b = b[:min(int64(len(b)), c.left)]
	if len(b) == 0 {
		return nil
	}
	m, err := c.w.Write(b)
	c.written, c.left = c.written+int64(m), c.left-int64(m)
	return err
}

// InlineFile returns an export file whose lines, each a resource without a line
// end, are not in the store.
func InlineFile(typ string, lines [][]byte) File {
	var x extentWriter
	for _, line := range lines {
		x.inline(append(line[:len(line):len(line)], '\n'))
	}
	return File{Type: typ, Rows: x.rows, Bytes: x.bytes, Extents: x.encode()}
}
