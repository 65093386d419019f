package seed

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"
)

// tar loads the files of a tar archive in its own order, as they stream by.
func (l *loader) tar(archive string, r io.Reader) error {
	for tr := tar.NewReader(r); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return l.unreadable(archive, 0, err)
		}
		switch header.Typeflag {
		case tar.TypeReg:
		case tar.TypeDir, tar.TypeXGlobalHeader:
			continue
		default:
			l.skip(skipSpecial)
			continue
		}
		// A sparse file of a few bytes can claim to be endless.
		read := l.read
		guarded := &guardedReader{r: tr, in: func() int64 { return l.read - read }}
		if err := l.member(archive, header.Name, header.Size, guarded); err != nil {
			return err
		}
	}
}

// zip loads the files of a zip archive, sorted as those of a directory. The archive's table of
// contents is held in memory.
func (l *loader) zip(archive string, file *os.File, size int64) error {
	if size < 0 {
		return l.bad(LoadProblem{File: archive, Reason: "a zip archive has to be a regular file"})
	}
	r := &countedReaderAt{r: file, l: l}
	zr, err := zip.NewReader(r, size)
	if err != nil {
		return l.unreadable(archive, 0, err)
	}
	r.members = true
	zr.RegisterDecompressor(zip.Deflate, flate.NewReader)
	slices.SortStableFunc(zr.File, func(a, b *zip.File) int { return compareNames(a.Name, b.Name) })
	for _, f := range zr.File {
		if f.FileInfo().IsDir() {
			continue
		}
		if err := l.zipMember(archive, f); err != nil {
			return err
		}
	}
	return nil
}

const zipEncrypted = 1 // general purpose bit 0, APPNOTE.TXT 4.4.4

func (l *loader) zipMember(archive string, f *zip.File) error {
	if !f.Mode().IsRegular() {
		l.skip(skipSpecial)
		return nil
	}
	if skip := skipMember(f.Name); skip != "" {
		l.skip(skip)
		return nil
	}
	name := memberName(archive, f.Name)
	if f.Flags&zipEncrypted != 0 {
		return l.bad(LoadProblem{File: name, Reason: "the file is encrypted"})
	}
	r, err := f.Open()
	if err != nil {
		return l.unreadable(name, 0, err)
	}
	defer r.Close()
	packed := int64(f.CompressedSize64)
	return l.member(archive, f.Name, int64(f.UncompressedSize64), &guardedReader{r: r, in: func() int64 { return packed }})
}

// member loads one file of an archive. Nothing is written to disk, so its name is only shown.
func (l *loader) member(archive, member string, size int64, r io.Reader) error {
	if skip := skipMember(member); skip != "" {
		l.skip(skip)
		return nil
	}
	name := memberName(archive, member)
	l.current = name
	kind, gzipped := formatOf(member)
	if gzipped {
		size = -1
		var err error
		if r, err = inflate(r); err != nil {
			return l.unreadable(name, 0, err)
		}
	}
	if kind == formatNDJSON {
		return l.ndjson(name, r)
	}
	return l.json(name, r, size)
}

func memberName(archive, member string) string { return archive + "!" + printable(member) }

// otherFolder is where a FHIR package keeps what its tools wrote about it: validation results,
// not resources of the guide (FHIR NPM package specification, package structure).
const otherFolder = "package/other/"

// skipMember says why a file of an archive is passed over, "" when it is not.
func skipMember(name string) string {
	name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
	if strings.HasPrefix(name, otherFolder) {
		return skipPackageOther
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "__MACOSX" || (strings.HasPrefix(part, ".") && part != "..") {
			return skipHidden
		}
	}
	switch kind, _ := formatOf(name); kind {
	case formatOther:
		return otherReason(name)
	case formatTar, formatZip:
		return skipNested
	}
	return ""
}
