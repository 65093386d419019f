package seed

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	kflate "github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// MaxListed is how many problems, and how many warnings, a LoadReport lists. It counts all.
const MaxListed = 100

// A LoadReport is what came of a load.
type LoadReport struct {
	Resources int64            // emitted
	ByType    map[string]int64 // Resources by resource type

	Bad      int64         // lines, entries and files that are not in the load
	Problems []LoadProblem // the first MaxListed of them

	Warned   int64         // references that could not be resolved
	Warnings []LoadProblem // the first MaxListed of them

	Skipped   int64            // files and entries that are no data to load
	SkippedBy map[string]int64 // Skipped by reason

	// Where LoadOptions.Known is not nil: the files that were loaded, and those that were passed
	// over because it knew them.
	Files, Known []File
}

func newReport() LoadReport {
	return LoadReport{ByType: map[string]int64{}, SkippedBy: map[string]int64{}}
}

// A LoadProblem is one mistake and its place. As an error it wraps the cause, where there is one.
type LoadProblem struct {
	File   string // as given, with the archive member after a "!": us.tgz!package/example/x.json
	Line   int    // from 1; 0 where the file as a whole is meant
	Column int    // in bytes from 1; 0 where the line as a whole is meant
	Reason string

	err error
}

// Error returns "file:line:column: reason".
func (p LoadProblem) Error() string {
	switch {
	case p.Line == 0:
		return fmt.Sprintf("%s: %s", p.File, p.Reason)
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Reason)
}

// Unwrap returns the cause, such as the store's own error, or nil.
func (p LoadProblem) Unwrap() error { return p.err }

// bad counts and lists a problem. It returns the problem where the load has to end.
func (l *loader) bad(p LoadProblem) error {
	l.report.Bad++
	if len(l.report.Problems) < MaxListed {
		l.report.Problems = append(l.report.Problems, p)
	}
	if l.opts.KeepGoing {
		return nil
	}
	return p
}

func (l *loader) warn(p LoadProblem) {
	l.report.Warned++
	if len(l.report.Warnings) < MaxListed {
		l.report.Warnings = append(l.report.Warnings, p)
	}
}

func (l *loader) skip(reason string) {
	l.report.Skipped++
	l.report.SkippedBy[reason]++
}

// readReason puts an error of reading in the words of the person whose file it is.
func readReason(err error) string {
	var path *fs.PathError
	var corrupt flate.CorruptInputError
	var kcorrupt kflate.CorruptInputError
	switch {
	case errors.Is(err, errExpansion):
		return err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the file ends in the middle of its compressed or archived data"
	case errors.Is(err, gzip.ErrHeader):
		return "not gzip data, whatever the name says"
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zip.ErrChecksum):
		return "the checksum of the compressed data is wrong"
	case errors.As(err, &corrupt), errors.As(err, &kcorrupt):
		return "the compressed data are damaged"
	case errors.Is(err, tar.ErrHeader):
		return "not a tar archive, whatever the name says"
	case errors.Is(err, zip.ErrFormat):
		return "not a zip archive, whatever the name says"
	case errors.Is(err, zip.ErrAlgorithm):
		return "compressed by a method that cannot be read; use deflate"
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}

// printable returns name as it may be shown: an archive can hold names that would move the
// cursor of the terminal they are printed on.
func printable(name string) string {
	for _, r := range name {
		if !strconv.IsPrint(r) {
			q := strconv.Quote(name)
			return q[1 : len(q)-1]
		}
	}
	return name
}
