package seed

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
)

// A File is a file on disk, an archive for instance, and what it holds.
type File struct {
	Path   string // as it was found: relative where the path of the load is
	Size   int64
	SHA256 [sha256.Size]byte // of its content
}

// tellApart asks isKnown about the files and marks those that it knows. What cannot be read is
// left for the load to report.
func tellApart(ctx context.Context, files []foundFile, isKnown func(File) bool) (fresh, known []File, err error) {
	for i := range files {
		f := &files[i]
		if isKnown == nil || f.skip != "" || f.size < 0 {
			continue
		}
		file, err := hashed(ctx, f)
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil:
		case isKnown(file):
			f.known = true
			known = append(known, file)
		default:
			fresh = append(fresh, file)
		}
	}
	return fresh, known, nil
}

func hashed(ctx context.Context, f *foundFile) (File, error) {
	r, err := os.Open(f.name)
	if err != nil {
		return File{}, err
	}
	defer r.Close()
	file, h := File{Path: f.name}, sha256.New()
	if file.Size, err = io.Copy(h, readerFunc(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return r.Read(p)
	})); err != nil {
		return File{}, err
	}
	h.Sum(file.SHA256[:0])
	return file, nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// allKnown tells whether all of the files that can be loaded are known, and there are any.
func allKnown(files []foundFile) bool {
	n := 0
	for _, f := range files {
		if f.skip == "" && !f.known {
			return false
		}
		if f.known {
			n++
		}
	}
	return n > 0
}

// refer reads a file that an earlier load had, for the identifiers by which the others refer to
// its resources. What is wrong with it was reported then.
func (l *loader) refer(f foundFile) error {
	reader := *l
	reader.opts.KeepGoing, reader.opts.Progress, reader.opts.Validate = true, nil, nil
	reader.emit = func(Resource) error { return nil }
	reader.report = newReport()
	reader.seen = newFirstPlaces()
	err := reader.file(f)
	l.read, l.finished = reader.read, reader.finished
	l.begin(0)
	return err
}
