package fhirstore

import "fmt"

// A fileWriter lays the rows of an export out in files that are no larger than
// the selection wants.
type fileWriter struct {
	typ               string
	maxRows, maxBytes int64 // 0 means no bound
	files             []File
	cur               extentWriter // of the file that is being written
}

func (e *exporter) newFiles(typ string) *fileWriter {
	return &fileWriter{typ: typ, maxRows: e.sel.MaxRows, maxBytes: e.sel.MaxBytes}
}

// add adds a row.
func (w *fileWriter) add(b body) {
	if !w.fits(1, b.len+1) {
		w.cut(false)
	}
	w.cur.body(b)
}

// line adds a line that is not in the store, line end included.
func (w *fileWriter) line(line []byte) {
	if !w.fits(1, int64(len(line))) {
		w.cut(false)
	}
	w.cur.inline(line)
}

// fits reports whether the current file takes so many rows and bytes more: an
// empty one takes any one row.
func (w *fileWriter) fits(rows, bytes int64) bool {
	switch {
	case w.cur.rows == 0 && rows <= 1:
		return true
	case w.maxRows > 0 && w.cur.rows+rows > w.maxRows:
		return false
	}
	return w.maxBytes == 0 || w.cur.bytes+bytes <= w.maxBytes
}

// cut ends the current file, unless it is empty. continues says that it ends
// within a block.
func (w *fileWriter) cut(continues bool) {
	if w.cur.rows == 0 {
		return
	}
	w.files = append(w.files, File{Type: w.typ, Rows: w.cur.rows, Bytes: w.cur.bytes, Continues: continues, Extents: w.cur.encode()})
	w.cur = extentWriter{}
}

// done ends the last file and returns all of them.
func (w *fileWriter) done() []File {
	w.cut(false)
	return w.files
}

// body adds the bytes of a version.
func (x *extentWriter) body(b body) {
	if b.pack == 0 {
		x.loose(b.seq, b.len+1)
	} else {
		x.pack(b.pack, b.off, b.len+1, 1)
	}
}

// A run is a part of a pack of which every row is exported.
type run struct{ pack, off, length, rows int64 }

// wholeRun takes a run of a pack, in one piece where the file's bounds allow it.
func (e *exporter) wholeRun(w *fileWriter, typ string, r run) error {
	for r.rows > 0 {
		if w.fits(r.rows, r.length) {
			w.cur.pack(r.pack, r.off, r.length, r.rows)
			return nil
		}
		head, err := e.head(w, typ, r)
		if err != nil {
			return err
		}
		if head.rows > 0 {
			w.cur.pack(head.pack, head.off, head.length, head.rows)
			r.off, r.length, r.rows = r.off+head.length, r.length-head.length, r.rows-head.rows
		}
		w.cut(false)
	}
	return nil
}

// head is the beginning of a run that still fits into the current file: of an
// empty one at least a row.
func (e *exporter) head(w *fileWriter, typ string, r run) (run, error) {
	head := r
	if w.maxRows > 0 {
		head.rows = min(r.rows, max(0, w.maxRows-w.cur.rows))
	}
	if head.rows < r.rows {
		next, err := e.offsetOf(typ, r, head.rows)
		if err != nil {
			return head, err
		}
		head.length = next - r.off
	}
	if room := w.maxBytes - w.cur.bytes; w.maxBytes > 0 && head.length > room {
		var rows, length int64
		err := e.tx.QueryRowContext(e.ctx, `SELECT count(*), coalesce(max(off + len + 1), ?) - ? FROM resource
			WHERE type = ? AND live = 1 AND pack = ? AND off >= ? AND off < ? AND off + len < ?`,
			r.off, r.off, typ, r.pack, r.off, r.off+room, r.off+room).Scan(&rows, &length)
		if err != nil {
			return head, fmt.Errorf("divide pack %d: %w", r.pack, err)
		}
		head.rows, head.length = rows, length
	}
	if head.rows == 0 && w.cur.rows == 0 {
		head.rows, head.length = 1, r.length
		if r.rows > 1 {
			next, err := e.offsetOf(typ, r, 1)
			if err != nil {
				return head, err
			}
			head.length = next - r.off
		}
	}
	return head, nil
}

// offsetOf is where in its pack the row of a run begins that has so many of it
// before it.
func (e *exporter) offsetOf(typ string, r run, before int64) (off int64, err error) {
	err = e.tx.QueryRowContext(e.ctx, "SELECT off FROM resource WHERE type = ? AND live = 1 AND pack = ? AND off >= ? ORDER BY off LIMIT 1 OFFSET ?",
		typ, r.pack, r.off, before).Scan(&off)
	if err != nil {
		return 0, fmt.Errorf("divide pack %d: %w", r.pack, err)
	}
	return off, nil
}
