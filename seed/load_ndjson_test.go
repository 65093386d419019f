package seed_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// patients is an endless-looking stream of n lines of about 1 KB.
func patients(n int) io.Reader {
	text := strings.Repeat("x", 1000)
	r, w := io.Pipe()
	go func() {
		for i := range n {
			if _, err := fmt.Fprintf(w, `{"resourceType":"Patient","id":"%d","text":"%s"}`+"\n", i, text); err != nil {
				return
			}
		}
		w.Close()
	}()
	return r
}

func TestLoadMemoryDoesNotGrowWithTheFile(t *testing.T) {
	const n = 48_000 // 48 MB
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, after, seen := heap(), uint64(0), 0
	report, err := seed.Load(t.Context(), []string{"-"}, seed.LoadOptions{Stdin: patients(n)}, func(seed.Resource) error {
		if seen++; seen == n {
			after = heap()
		}
		return nil
	})
	if err != nil || report.Resources != n {
		t.Fatalf("%d resources, %v", report.Resources, err)
	}
	if grown := int64(after) - int64(before); grown > 10<<20 {
		t.Errorf("the heap grew by %d bytes for a stream of %d KB", grown, n)
	}
}

func TestLoadOfNDJSONAsOthersWriteIt(t *testing.T) {
	t.Parallel()
	const a, b = `{"resourceType":"Patient","id":"a"}`, `{"resourceType":"Patient","id":"b"}`
	for name, content := range map[string]string{
		"LF":                        a + "\n" + b + "\n",
		"no final line end":         a + "\n" + b,
		"CRLF":                      a + "\r\n" + b + "\r\n",
		"byte order mark":           "\xef\xbb\xbf" + a + "\n" + b,
		"blank lines":               "\n\n" + a + "\n \t\r\n\n" + b + "\n\n",
		"white space around":        "  " + a + "  \n\t" + b,
		"a line over the buffer":    a + "\n" + strings.Repeat(" ", 100_000) + b,
		"a line of the buffer size": a + "\n" + strings.Repeat(" ", 64<<10-len(b)) + b,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := load(t, seed.LoadOptions{}, write(t, t.TempDir(), "x.ndjson", content))
			if got.err != nil {
				t.Fatal(got.err)
			}
			wantOrder(t, got, "Patient/a", "Patient/b")
			if got.json("Patient/a") != a || got.json("Patient/b") != b {
				t.Errorf("emitted %s and %s", got.json("Patient/a"), got.json("Patient/b"))
			}
		})
	}
}

func TestLoadOfGzip(t *testing.T) {
	t.Parallel()
	plain, err := os.ReadFile("testdata/people.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	packed := gzipped(t, plain)
	dir := t.TempDir()

	whole := load(t, seed.LoadOptions{}, write(t, dir, "a.ndjson.gz", packed))
	wantOrder(t, whole, "Patient/ann", "Observation/weight.1", "Patient/bob")
	two := load(t, seed.LoadOptions{}, write(t, dir, "two.ndjson.gz", packed+gzipped(t, []byte(`{"resourceType":"Patient","id":"z"}`))))
	wantOrder(t, two, "Patient/ann", "Observation/weight.1", "Patient/bob", "Patient/z")
	piped := load(t, seed.LoadOptions{Stdin: strings.NewReader(packed)}, "-")
	wantOrder(t, piped, "Patient/ann", "Observation/weight.1", "Patient/bob")

	// What stood before the end of a truncated file stays only with KeepGoing, which goes on
	// with the next file.
	p := write(t, dir, "cut.ndjson.gz", gzipped(t, bytes.Repeat(plain[:bytes.IndexByte(plain, '\n')+1], 2))[:40])
	cut := load(t, seed.LoadOptions{KeepGoing: true}, p, "testdata/people.ndjson")
	if cut.err != nil || cut.report.Bad != 1 || !strings.Contains(cut.report.Problems[0].Error(), "cut.ndjson.gz:1: the file ends in the middle") {
		t.Errorf("truncated: %v, %v", cut.err, cut.report.Problems)
	}
	wantOrder(t, cut, "Patient/ann", "Observation/weight.1", "Patient/bob")
	if cut = load(t, seed.LoadOptions{}, p); cut.err == nil {
		t.Error("a truncated file is no error")
	}
}

func TestLoadRefusesADecompressionBomb(t *testing.T) {
	t.Parallel()
	bomb := gzipped(t, bytes.Repeat([]byte{' '}, 20<<20))
	got := load(t, seed.LoadOptions{KeepGoing: true, MaxLine: 1 << 20}, write(t, t.TempDir(), "bomb.ndjson.gz", bomb))
	if got.report.Bad != 1 || !strings.Contains(got.report.Problems[0].Reason, "bomb") {
		t.Errorf("problems %v, want one of a bomb", got.report.Problems)
	}
}

func gzipped(t *testing.T, plain []byte) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
