package seed

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A format is what the name of a file says it holds.
type format int

const (
	formatOther format = iota
	formatNDJSON
	formatJSON
	formatTar
	formatZip
)

// formatOf reads a file name's extensions.
func formatOf(name string) (f format, gzipped bool) {
	name = strings.ToLower(path.Base(filepath.ToSlash(name)))
	if strings.HasSuffix(name, ".tgz") {
		return formatTar, true
	}
	name, gzipped = strings.CutSuffix(name, ".gz")
	switch path.Ext(name) {
	case ".ndjson", ".jsonl":
		return formatNDJSON, gzipped
	case ".json":
		return formatJSON, gzipped
	case ".tar":
		return formatTar, gzipped
	case ".zip":
		if !gzipped {
			return formatZip, false
		}
	}
	return formatOther, gzipped
}

// The reasons for which files are passed over, besides those of otherReason.
const (
	skipHidden       = "hidden file"
	skipSpecial      = "not a regular file"
	skipNested       = "archive inside an archive"
	skipNotFHIR      = "JSON without a resourceType"
	skipDirLink      = "link to a directory"
	skipPackageOther = "package/other of a FHIR package"
)

// otherReason says why a file of formatOther is passed over.
func otherReason(name string) string {
	switch ext := strings.ToLower(path.Ext(filepath.ToSlash(name))); {
	case ext == ".xml":
		return "XML"
	case ext == "" || len(ext) > 12:
		return "other file"
	default:
		return "other file (" + printable(ext) + ")"
	}
}

func hidden(name string) bool { return strings.HasPrefix(path.Base(filepath.ToSlash(name)), ".") }

// A foundFile is one file of a load as it lies on disk.
type foundFile struct {
	name  string // as it is shown and opened; "-" is standard input
	size  int64  // bytes, -1 when unknown
	skip  string // reason to pass it over
	known bool   // an earlier load had it
}

// findFiles resolves paths into files.
func findFiles(paths []string, stdin bool) ([]foundFile, error) {
	var files []foundFile
	for _, p := range paths {
		if p == "-" {
			if !stdin {
				return nil, LoadProblem{File: p, Reason: "standard input is not available here"}
			}
			files = append(files, foundFile{name: p, size: -1})
			continue
		}
		info, err := os.Stat(p)
		if err != nil {
			return nil, LoadProblem{File: p, Reason: readReason(err), err: err}
		}
		if info.IsDir() {
			found, err := walk(p)
			if err != nil {
				return nil, err
			}
			files = append(files, found...)
			continue
		}
		if f, _ := formatOf(p); f == formatOther {
			return nil, LoadProblem{File: p, Reason: "no data that can be loaded: the name has to end in " +
				".ndjson, .jsonl or .json, with .gz or without, or in .tar, .tgz, .tar.gz or .zip"}
		}
		size := info.Size()
		if !info.Mode().IsRegular() {
			size = -1
		}
		files = append(files, foundFile{name: p, size: size})
	}
	return files, nil
}

// walk lists the files below dir. It follows links to files, because that is how a mounted
// Kubernetes ConfigMap looks, but none to directories.
func walk(dir string) ([]foundFile, error) {
	var files []foundFile
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case p == dir:
			return nil
		case hidden(p):
			files = append(files, foundFile{name: p, skip: skipHidden})
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		files = append(files, found(p))
		return nil
	})
	if err != nil {
		return nil, LoadProblem{File: dir, Reason: err.Error(), err: err}
	}
	slices.SortStableFunc(files, func(a, b foundFile) int { return compareNames(a.name, b.name) })
	return files, nil
}

func found(p string) foundFile {
	f := foundFile{name: p}
	info, err := os.Stat(p)
	switch kind, _ := formatOf(p); {
	case kind == formatOther:
		f.skip = otherReason(p)
	case err != nil: // a link to nowhere: opening it tells the reason
	case info.IsDir():
		f.skip = skipDirLink
	case !info.Mode().IsRegular():
		f.skip = skipSpecial
	default:
		f.size = info.Size()
	}
	return f
}

// compareNames orders the files of a directory or zip archive: by folder, within a folder the
// files that Synthea's others refer to first, then by name.
func compareNames(a, b string) int {
	dirA, baseA := path.Split(filepath.ToSlash(a))
	dirB, baseB := path.Split(filepath.ToSlash(b))
	if c := strings.Compare(dirA, dirB); c != 0 {
		return c
	}
	if first := referredTo(baseA); first != referredTo(baseB) {
		if first {
			return -1
		}
		return 1
	}
	return strings.Compare(baseA, baseB)
}

// referredTo tells whether a file is by its name one that others refer to by identifier: those of
// Synthea, and NDJSON of a type of shared context, such as Practitioner.ndjson and
// Practitioner.000.ndjson.
func referredTo(base string) bool {
	if strings.HasPrefix(base, "hospitalInformation") || strings.HasPrefix(base, "practitionerInformation") {
		return true
	}
	typ, rest, _ := strings.Cut(base, ".")
	return sharedContext(typ) && strings.Contains("."+rest, ".ndjson")
}

func totalSize(files []foundFile) int64 {
	var total int64
	for _, f := range files {
		if f.size < 0 {
			return -1
		}
		if f.skip == "" {
			total += f.size
		}
	}
	return total
}
