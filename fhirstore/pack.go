package fhirstore

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// maxPackBytes ends a pack: a dead row in it makes an export look at the
// pack's rows one by one, and that should not be a whole population's.
const maxPackBytes = 64 << 20

const (
	packSuffix     = ".ndjson"
	packPartSuffix = ".ndjson.part"
)

// packs are the immutable NDJSON files beside a database. They are opened when
// first read and stay open. A set may stand on another one, whose packs it
// reads as its own.
type packs struct {
	dir  string // "" keeps them in memory
	base *packs // nil, or where packs with a number up to top lie
	top  int64  // the highest number in base

	building bool // whoever builds syncs everything once, at the end
	disk     disk

	mu     sync.Mutex
	open   map[int64]packFile
	closed bool
}

type packFile interface {
	io.ReaderAt
	io.Closer
}

func newPacks(dir string, base *packs, top int64) *packs {
	return &packs{dir: dir, base: base, top: top, disk: osDisk{}, open: map[int64]packFile{}}
}

func (p *packs) path(n int64) string {
	return filepath.Join(p.dir, strconv.FormatInt(n, 10)+packSuffix)
}

// file returns pack n for reading. It stays open until close.
func (p *packs) file(n int64) (io.ReaderAt, error) {
	if p.base != nil && n <= p.top {
		return p.base.file(n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("open pack %d: %w", n, errClosed)
	}
	if f, ok := p.open[n]; ok {
		return f, nil
	}
	if p.dir == "" {
		return nil, fmt.Errorf("pack %d is not in memory", n)
	}
	f, err := os.Open(p.path(n))
	if err != nil {
		return nil, fmt.Errorf("open pack: %w", err)
	}
	p.open[n] = f
	return f, nil
}

// errClosed meets a request that goes on after its store was closed.
var errClosed = errors.New("the store is closed")

func (p *packs) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for n, f := range p.open {
		errs = append(errs, f.Close())
		delete(p.open, n)
	}
	return errors.Join(errs...)
}

// sweep removes the files that no row of the database names: what a process
// that died in the middle of a load left behind.
func (p *packs) sweep(known map[int64]bool) error {
	if p.dir == "" {
		return nil
	}
	entries, err := os.ReadDir(p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list packs: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		n, err := strconv.ParseInt(strings.TrimSuffix(name, packSuffix), 10, 64)
		isPack := strings.HasSuffix(name, packSuffix) && err == nil
		if strings.HasSuffix(name, packPartSuffix) || isPack && !known[n] {
			if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
				return fmt.Errorf("remove orphaned pack: %w", err)
			}
		}
	}
	return nil
}

// A packWriter writes one pack. Until keep the file has a temporary name.
type packWriter struct {
	number  int64
	typ     string
	rows    int64
	bytes   int64
	outside int64 // of the rows: those in no patient's compartment

	file *os.File // nil in memory
	w    *bufio.Writer
	mem  bytes.Buffer
}

func (p *packs) create(n int64, typ string) (*packWriter, error) {
	w := &packWriter{number: n, typ: typ}
	if p.dir == "" {
		w.w = bufio.NewWriter(&w.mem)
		return w, nil
	}
	f, err := os.OpenFile(p.path(n)+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create pack: %w", err)
	}
	w.file, w.w = f, bufio.NewWriterSize(f, 256<<10)
	return w, nil
}

// add appends one line and returns the offset where it begins.
func (w *packWriter) add(json []byte) (offset int64, err error) {
	offset = w.bytes
	if _, err := w.w.Write(json); err != nil {
		return 0, fmt.Errorf("write pack: %w", err)
	}
	if err := w.w.WriteByte('\n'); err != nil {
		return 0, fmt.Errorf("write pack: %w", err)
	}
	w.bytes += int64(len(json)) + 1
	w.rows++
	return offset, nil
}

// keep makes the pack readable under its number. Between it and the commit
// that names the pack there has to be a syncNames.
func (p *packs) keep(w *packWriter) error {
	if err := w.w.Flush(); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	if w.file == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.open[w.number] = memoryPack{bytes.NewReader(w.mem.Bytes())}
		return nil
	}
	if !p.building {
		if err := p.disk.syncFile(w.file); err != nil {
			return fmt.Errorf("sync pack: %w", err)
		}
	}
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("close pack: %w", err)
	}
	return os.Rename(p.path(w.number)+".part", p.path(w.number))
}

// syncNames puts the names of the packs kept on the disk, so that a commit after
// it names nothing that a crash could take away.
func (p *packs) syncNames() error {
	if p.dir == "" || p.building {
		return nil
	}
	if err := p.disk.syncDir(p.dir); err != nil {
		return fmt.Errorf("sync packs: %w", err)
	}
	return nil
}

// drop removes a pack that no commit named, kept or not.
func (p *packs) drop(w *packWriter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f, ok := p.open[w.number]; ok {
		f.Close()
		delete(p.open, w.number)
	}
	if w.file != nil {
		w.file.Close()
		os.Remove(p.path(w.number) + ".part")
		os.Remove(p.path(w.number))
	}
}

type memoryPack struct{ *bytes.Reader }

func (memoryPack) Close() error { return nil }
