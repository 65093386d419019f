package seed

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"
)

// The limits of a load where LoadOptions leaves them at zero.
const (
	DefaultMaxLine     = 32 << 20  // bytes of one NDJSON line
	DefaultMaxDocument = 256 << 20 // bytes of one JSON file after decompression
)

// LoadOptions say how Load reads. The zero value refuses the whole load at the first mistake.
type LoadOptions struct {
	// KeepGoing keeps what is good and counts what is bad. Without it the first bad line, entry
	// or file ends the load.
	KeepGoing bool

	// IsResourceType tells whether FHIR has a resource type of this name. Where it is nil any
	// name of letters that begins with a capital one will do.
	IsResourceType func(string) bool

	// Validate, where not nil, makes whatever further checks are wanted on the compact JSON of
	// a resource. Its error is reported at the resource.
	Validate func(typ string, json []byte) error

	// MaxLine is the greatest length of an NDJSON line and MaxDocument that of a JSON file, in
	// bytes after decompression. A document is held in memory whole, because the references of
	// a Bundle can point forward. Zero means DefaultMaxLine and DefaultMaxDocument.
	MaxLine     int
	MaxDocument int64

	// KeepInstants takes a resource's meta.lastUpdated as its At, where that is an instant not
	// after AsOf. A load happens now in the life of a workspace, so without this option At
	// stays zero and the store stamps the resource.
	KeepInstants bool

	// AsOf is the present for KeepInstants. Zero means the wall clock's.
	AsOf time.Time

	// Known, where not nil, tells of a file whether an earlier load had it. Such a file is passed
	// over; where others are not it is read all the same, for what the others refer to by
	// identifier. Standard input and what is no regular file is not asked about.
	Known func(File) bool

	// Stdin is what the path "-" names, NDJSON. Where it is nil that path is an error.
	Stdin io.Reader

	// Progress, where not nil, is told now and then how far the load is, and once at its end.
	Progress func(Progress)
}

// Progress is how far a load is.
type Progress struct {
	File       string // the file or archive member being read
	BytesRead  int64  // of the files as they lie on disk, so of compressed bytes; at the end BytesTotal
	BytesTotal int64  // of all files that are read, -1 when unknown
	Resources  int64
	Bad        int64
	Skipped    int64
}

// A ResourceError is how emit refuses one resource without ending the load: the refusal is
// reported at the resource's line and counts as bad. Any other error of emit ends the load.
type ResourceError struct{ Err error }

// Error returns the reason alone.
func (e *ResourceError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *ResourceError) Unwrap() error { return e.Err }

// Load reads people's own data and emits it resource by resource. A path is
//
//   - NDJSON: .ndjson or .jsonl, one resource a line;
//   - JSON: .json, a Bundle or a single resource;
//   - either of them compressed: .gz;
//   - an archive of them: .tar, .tgz, .tar.gz or .zip, nothing of which is unpacked to disk;
//   - a directory of all these, walked through in the order of the names;
//   - "-", NDJSON from standard input.
//
// In directories and archives everything else is passed over and counted by reason, and so are
// hidden files and the tools' output in package/other of a FHIR package; a file that the caller
// named has to be one of these kinds. JSON without a resourceType is passed over wherever it is. Of Synthea's files hospitalInformation* and
// practitionerInformation*, and NDJSON that is named for a type of shared context
// (Practitioner.ndjson, Organization.000.ndjson), are read first within a directory or zip archive,
// because the others refer to them by identifier.
//
// A load checks that the JSON is sound, that resourceType and id are there and well formed
// (FHIR R4, Resource.id), and that no type and id stands in the load twice; nothing more. What
// reaches emit is the resource as it was written, less insignificant white space: decimals,
// extensions, contained resources and unknown elements are untouched. meta.versionId and
// meta.lastUpdated stay in the JSON for the store to replace.
//
// Bundles are unpacked: collection, searchset, document, message, batch and transaction, of a
// history the latest version of each resource. An entry without an id takes that of its
// urn:uuid, urn:oid or literal fullUrl (http://example.org/fhir/Patient/p77); to one of a batch
// or transaction that has none either an id is assigned, as by a server, but the same one each
// time. References to the fullUrl of an entry become Type/id, those by urn in elements of type
// uri and in the links of narratives too, and a conditional reference by identifier becomes the one resource of the same Bundle that has it,
// else the one Organization, Location, Practitioner, PractitionerRole, HealthcareService or
// Medication that was read before, as it does in NDJSON. These are the only bytes that change. A
// reference that cannot be resolved stays as it is and is a warning.
//
// Memory does not grow with the size of an NDJSON file or a tar archive, but by some 50 bytes a
// resource, by which a duplicate is told. A compressed file that expands beyond all proportion
// is refused.
//
// Without KeepGoing the first mistake ends the load; the error is then a LoadProblem and the
// caller takes back what was emitted. Resource.JSON belongs to the callee. A path that does not
// exist, the end of ctx and an error of emit other than a *ResourceError end every load.
func Load(ctx context.Context, paths []string, opts LoadOptions, emit func(Resource) error) (LoadReport, error) {
	files, err := findFiles(paths, opts.Stdin != nil)
	if err != nil {
		return LoadReport{}, err
	}
	fresh, known, err := tellApart(ctx, files, opts.Known)
	if err != nil {
		return LoadReport{}, err
	}
	l := newLoader(ctx, opts, totalSize(files), emit)
	l.report.Files, l.report.Known = fresh, known
	if allKnown(files) {
		return l.report, nil
	}
	for _, f := range files {
		read := l.file
		if f.known {
			read = l.refer
		}
		if err := read(f); err != nil {
			return l.report, err
		}
	}
	l.tell()
	return l.report, nil
}

// A loader is the state of one load.
type loader struct {
	ctx    context.Context
	opts   LoadOptions
	emit   func(Resource) error
	report LoadReport

	seen        *firstPlaces
	identifiers identifierIndex           // of all Bundles so far
	assigned    map[[sha256.Size]byte]int // how often an id was assigned to a content

	current   string // the file being read
	size      int64  // of the file on disk that it is or is in, -1 when unknown
	read      int64  // bytes read from disk, some of an archive's twice
	begun     int64  // read when the file on disk was begun
	finished  int64  // bytes of the files on disk that are done with
	total     int64
	told, gap int64 // bytes read when Progress was last told, and how often to tell
}

func newLoader(ctx context.Context, opts LoadOptions, total int64, emit func(Resource) error) *loader {
	if opts.MaxLine <= 0 {
		opts.MaxLine = DefaultMaxLine
	}
	if opts.MaxDocument <= 0 {
		opts.MaxDocument = DefaultMaxDocument
	}
	if opts.IsResourceType == nil {
		opts.IsResourceType = looksLikeType
	}
	return &loader{
		ctx:         ctx,
		opts:        opts,
		emit:        emit,
		report:      newReport(),
		seen:        newFirstPlaces(),
		identifiers: identifierIndex{},
		assigned:    map[[sha256.Size]byte]int{},
		total:       total,
		gap:         max(total/200, 32<<10),
	}
}

// looksLikeType accepts what the grammar of resource type names does: a capital letter and
// letters after it.
func looksLikeType(name string) bool {
	for i, c := range []byte(name) {
		upper, lower := 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z'
		if !upper && (!lower || i == 0) {
			return false
		}
	}
	return name != ""
}

// tell reports progress.
func (l *loader) tell() {
	l.told = l.read
	if l.opts.Progress == nil {
		return
	}
	l.opts.Progress(Progress{
		File:       l.current,
		BytesRead:  l.finished + l.ofFile(),
		BytesTotal: l.total,
		Resources:  l.report.Resources,
		Bad:        l.report.Bad,
		Skipped:    l.report.Skipped,
	})
}

// begin notes that a file of this size on disk is begun.
func (l *loader) begin(size int64) { l.size, l.begun = size, l.read }

// end notes that the file on disk is done with, whether or not it was read to its last byte.
func (l *loader) end() {
	l.finished += max(l.size, l.ofFile())
	l.begin(0)
}

// ofFile is how many bytes of the file on disk are read.
func (l *loader) ofFile() int64 {
	if n := l.read - l.begun; l.size < 0 || n < l.size {
		return n
	}
	return l.size
}

// count notes that n bytes were read from disk and says whether reading may go on.
func (l *loader) count(n int) error {
	l.read += int64(n)
	if l.read-l.told >= l.gap {
		l.tell()
	}
	if err := l.ctx.Err(); err != nil {
		return &stopped{err}
	}
	return nil
}

// stopped carries the end of the context through readers that would call it a broken file.
type stopped struct{ err error }

func (e *stopped) Error() string { return e.err.Error() }
func (e *stopped) Unwrap() error { return e.err }

// unreadable reports that a file cannot be read, or not to its end: from line on, where that is
// not zero.
func (l *loader) unreadable(file string, line int, err error) error {
	var end *stopped
	if errors.As(err, &end) {
		return fmt.Errorf("load %s: %w", file, end.err)
	}
	return l.bad(LoadProblem{File: file, Line: line, Reason: readReason(err), err: err})
}
