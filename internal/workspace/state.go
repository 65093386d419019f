package workspace

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/control"
)

// ErrState is wrapped by the errors of ImportState that are about the file.
var ErrState = errors.New("this is no state that can be imported")

// ExportState writes what the workspace holds at one instant as one file, a ZIP
// of a snapshot with the data of both environments written out.
func (w *Workspace) ExportState(ctx context.Context, to io.Writer) error {
	dir, err := w.cfg.Temp.Make()
	if err != nil {
		return fmt.Errorf("export state: %w", err)
	}
	defer os.RemoveAll(dir)
	root := filepath.Join(dir, "state")
	if _, err := w.writeSnapshot(ctx, root, "state", true); err != nil {
		return fmt.Errorf("export state: %w", err)
	}
	if err := pack(to, root); err != nil {
		return fmt.Errorf("export state: %w", err)
	}
	return nil
}

// pack writes the files of a directory into a ZIP.
func pack(to io.Writer, root string) error {
	archive := zip.NewWriter(to)
	archive.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	if err := archive.AddFS(os.DirFS(root)); err != nil {
		return err
	}
	return archive.Close()
}

// ImportState has the workspace hold what a file of ExportState says. The file is
// read and judged first: where its error is not nil nothing has changed. What no
// return to an earlier state undoes, stays: see control.DB.Carry.
func (w *Workspace) ImportState(ctx context.Context, file io.ReaderAt, size int64) error {
	dir, err := w.cfg.Temp.Make()
	if err != nil {
		return fmt.Errorf("import state: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := unpack(dir, file, size); err != nil {
		return fmt.Errorf("import state: %w: %w", ErrState, err)
	}
	if err := judgeState(ctx, dir); err != nil {
		return fmt.Errorf("import state: %w: %w", ErrState, err)
	}
	if err := w.restoreFrom(ctx, dir, true); err != nil {
		return fmt.Errorf("import state: %w", err)
	}
	return nil
}

// stateFile is what the files of a state are called.
const stateFile = `^(snapshot\.json|control\.db|(sandbox|production)/(fhir\.db|[0-9]+\.ndjson|(population|loaded)\.json))$`

// A state has a seventh of its size as a ZIP. What would become more than this is
// no state, and could fill the disk.
const (
	maxInflation = 50
	minInflated  = 256 << 20
)

// unpack writes the files of a ZIP into a directory, each checked by its sum.
func unpack(dir string, file io.ReaderAt, size int64) error {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return err
	}
	known, err := regexp.Compile(stateFile)
	if err != nil {
		return err
	}
	most, total := uint64(size)*maxInflation+minInflated, uint64(0)
	for _, f := range archive.File {
		if total += f.UncompressedSize64; total > most {
			return fmt.Errorf("its files would have more than %d bytes, which no state of %d bytes has", most, size)
		}
		if path.Ext(f.Name) == "" && f.FileInfo().IsDir() {
			continue
		}
		if !known.MatchString(f.Name) {
			return fmt.Errorf("it holds %q, which no state has", f.Name)
		}
		if err := unpackFile(filepath.Join(dir, filepath.FromSlash(f.Name)), f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func unpackFile(to string, f *zip.File) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(in, int64(f.UncompressedSize64)+1)) // the reader judges its sum at its end
	if err == nil && uint64(n) > f.UncompressedSize64 {
		err = zip.ErrFormat
	}
	if err == nil {
		err = out.Sync() // its file may become one of the data's
	}
	return errors.Join(err, out.Close())
}

// judgeState finds out whether all of a state is there, whole, and of a version
// that this program reads.
func judgeState(ctx context.Context, dir string) error {
	if _, err := readSnapshot(dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("it has no %s", snapshotFile)
		}
		return err
	}
	path := filepath.Join(dir, controlFile)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("it has no %s", controlFile)
	}
	db, err := control.Open(ctx, path, control.Options{})
	if err != nil {
		return err
	}
	if err := errors.Join(db.Check(ctx), db.Close()); err != nil {
		return fmt.Errorf("%s: %w", controlFile, err)
	}
	for _, name := range environmentNames() {
		env := filepath.Join(dir, name)
		if !fhirstore.IsStore(env) {
			return fmt.Errorf("it has no data of %s", name)
		}
		store, err := fhirstore.Open(ctx, env, fhirstore.Options{})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := errors.Join(store.Check(ctx), store.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
