package seed_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// A packed is a file of an archive.
type packed struct{ name, content string }

func tarOf(t *testing.T, files ...packed) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), Typeflag: tar.TypeReg}
		if target, ok := strings.CutPrefix(f.content, "-> "); ok {
			header = &tar.Header{Name: f.name, Linkname: target, Typeflag: tar.TypeSymlink}
			f.content = ""
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipOf(t *testing.T, files ...packed) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if strings.HasPrefix(f.content, "-> ") {
			header.SetMode(0o777 | os.ModeSymlink)
		}
		m, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Write([]byte(f.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func patientOf(id string) string { return `{"resourceType":"Patient","id":"` + id + `"}` }

func TestArchive(t *testing.T) {
	t.Parallel()
	files := []packed{
		{"package/package.json", `{"name":"x"}`},
		{"package/example/b.json", patientOf("b")},
		{"package/example/a.json", patientOf("a")},
		{"package/.index.json", `{}`},
		{"package/other/validation-oo.json", patientOf("validation")},
		{"__MACOSX/._a.json", "x"},
		{"../../escape.ndjson", patientOf("c") + "\n" + patientOf("d")},
		{"/etc/absolute.json", patientOf("e")},
		{"more.ndjson.gz", gzipped(t, []byte(patientOf("f")))},
		{"nested.zip", "x"},
		{"p.xml", "<x/>"},
		{"link.json", "-> package/example/a.json"},
		{"bad\x1b[31m.json", `{"resourceType":"Patient"}`},
	}
	skipped := map[string]int64{"JSON without a resourceType": 1, "hidden file": 2, "package/other of a FHIR package": 1,
		"archive inside an archive": 1, "XML": 1, "not a regular file": 1}
	tests := []struct {
		file, content string
		order         string
	}{
		{"x.tar", tarOf(t, files...), "b a c d e f"},
		{"x.tgz", gzipped(t, []byte(tarOf(t, files...))), "b a c d e f"},
		{"x.tar.gz", gzipped(t, []byte(tarOf(t, files...))), "b a c d e f"},
		{"x.zip", zipOf(t, files...), "f c d e a b"},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := write(t, dir, test.file, test.content)
			got := load(t, seed.LoadOptions{KeepGoing: true}, p)
			if got.err != nil {
				t.Fatal(got.err)
			}
			var want []string
			for id := range strings.FieldsSeq(test.order) {
				want = append(want, "Patient/"+id)
			}
			wantOrder(t, got, want...)
			if !maps.Equal(got.report.SkippedBy, skipped) {
				t.Errorf("skipped %v, want %v", got.report.SkippedBy, skipped)
			}
			problem := p + `!bad\x1b[31m.json:1:1: Patient has no id`
			if got.report.Bad != 1 || got.report.Problems[0].Error() != problem {
				t.Errorf("problems %q, want %q", got.report.Problems, problem)
			}
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) != 1 {
				t.Errorf("the load left %v behind, %v", entries, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "../../escape.ndjson")); err == nil {
				t.Error("an archive member was written to disk")
			}
		})
	}
}

func TestArchiveDamage(t *testing.T) {
	t.Parallel()
	whole := tarOf(t, packed{"a.json", patientOf("a")}, packed{"b.json", patientOf("b")})
	damagedZip := []byte(zipOf(t, packed{"a.json", patientOf("a")}, packed{"b.json", patientOf("b") + strings.Repeat(" x", 99)}))
	damagedZip[45] ^= 0xff
	encrypted := []byte(zipOf(t, packed{"a.json", patientOf("a")}))
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1
	tests := []struct {
		name, file, content string
		want                string
		kept                []string
	}{
		{"tar cut in a member", "x.tar", whole[:1024+512+5], "x.tar!b.json: the file ends in the middle", []string{"Patient/a"}},
		{"tgz cut", "x.tgz", gzipped(t, []byte(whole))[:90], "x.tgz", nil},
		{"zip with a damaged member", "x.zip", string(damagedZip), "x.zip!a.json: ", nil},
		{"encrypted zip", "x.zip", string(encrypted), "x.zip!a.json: the file is encrypted", nil},
		{"bad gzip inside", "x.tar", tarOf(t, packed{"a.json.gz", strings.Repeat("x", 20)}, packed{"b.json", patientOf("b")}), "x.tar!a.json.gz: not gzip", []string{"Patient/b"}},
		{"bomb in a tgz", "x.tgz", gzipped(t, []byte(tarOf(t, packed{"a.ndjson", strings.Repeat("\n", 20<<20)}))), "x.tgz!a.ndjson:", nil},
		{"bomb in a zip", "x.zip", zipOf(t, packed{"a.ndjson", strings.Repeat("\n", 20<<20)}), "x.zip!a.ndjson:", nil},
		{"bomb in a skipped member", "x.tgz", gzipped(t, []byte(tarOf(t, packed{"a.png", strings.Repeat("\n", 20<<20)}))), "x.tgz: expands", nil},
		{"large JSON", "x.zip", zipOf(t, packed{"a.json", strings.Repeat(" ", 2<<20)}), "x.zip!a.json: the file is larger than", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			got := load(t, seed.LoadOptions{KeepGoing: true, MaxDocument: 1 << 20}, write(t, dir, test.file, test.content))
			if got.err != nil {
				t.Fatal(got.err)
			}
			if len(test.kept) > 0 {
				wantOrder(t, got, test.kept...)
			}
			if got.report.Bad == 0 || !strings.HasPrefix(got.report.Problems[0].Error(), filepath.Join(dir, test.want)) {
				t.Errorf("problems %v, want %s", got.report.Problems, test.want)
			}
		})
	}
}
