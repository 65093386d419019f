package httpapi_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/sandbox"
)

// TestStalledDownloads proves that clients who stop reading, of whole files, of
// compressed ones and of such as are cut down, cost others nothing: 100 reads
// and writes at once take as long as before, and the downloads are whole once
// they go on.
func TestStalledDownloads(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	files := []string{exportOfLarge(t, w).URL, p.export(t, "/$export?_type=Binary&_elements=Binary.data").Output[0].URL}
	crowd := func() time.Duration {
		begun := clock.System{}.Now()
		var wg sync.WaitGroup
		for n := range 100 {
			wg.Go(func() {
				method, path, body := http.MethodGet, "/Patient?_count=3", ""
				switch n % 4 {
				case 0:
					method, path, body = http.MethodPut, "/Basic/x", `{"resourceType":"Basic","id":"x","code":{"text":"x"}}`
				case 1:
					path = "/Group/all"
				}
				if a, err := p.try(t.Context(), method, path, strings.NewReader(body), "Content-Type", fhirJSON); err != nil || a.status >= 300 {
					t.Errorf("%s %s: %v, %+v", method, path, err, a)
				}
			})
		}
		wg.Wait()
		return clock.System{}.Now().Sub(begun)
	}
	crowd()
	before := min(crowd(), crowd(), crowd())
	var stalled []io.Reader
	for range 4 {
		for _, file := range files {
			for _, header := range []string{"Accept-Encoding: identity", "Accept-Encoding: gzip"} {
				r := p.ask(t, p.dial(t), file, header)
				if _, err := io.CopyN(io.Discard, r, 1000); err != nil {
					t.Fatal(err)
				}
				stalled = append(stalled, r)
			}
		}
	}
	during := min(crowd(), crowd(), crowd())
	t.Logf("100 requests at once took %v, and %v beside %d downloads that stand still", before, during, len(stalled))
	if during > 3*before+200*time.Millisecond {
		t.Errorf("100 requests at once took %v before, and %v beside %d downloads that stand still", before, during, len(stalled))
	}
	if n, err := io.CopyN(io.Discard, stalled[0], 20<<20); err != nil {
		t.Errorf("a download that goes on ends after %d bytes: %v", n, err)
	}
}

// TestManyExports runs 50 exports at once, each by its whole way, beside
// writes; each is whole.
func TestManyExports(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithExportDuration(0))
	p := w.all
	want := len(p.ids(t, "/Observation?_count=500"))
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			level := levels[n%len(levels)].path
			a, err := p.try(t.Context(), http.MethodGet, level+"?_type=Observation,Patient", nil, exportHeader()...)
			if err != nil || a.status != 202 {
				t.Errorf("%s: %v, %+v", level, err, a)
				return
			}
			p.put(t, "/Basic/x", `{"resourceType":"Basic","id":"x","code":{"text":"x"}}`)
			m := p.finish(t, a.header.Get("Content-Location"))
			var files sync.WaitGroup
			for _, item := range m.Output { // in parallel too
				files.Go(func() {
					a, err := p.try(t.Context(), http.MethodGet, item.URL, nil)
					if err != nil || int64(len(a.body)) != a.length || strings.Count(string(a.body), "\n") != item.Count {
						t.Errorf("%s: %v, %d lines of %d", item.URL, err, strings.Count(string(a.body), "\n"), item.Count)
					}
				})
			}
			files.Wait()
			if len(m.Output) != 2 || m.Output[0].Count != want || m.Output[1].Count != patients {
				t.Errorf("%s: got %+v, want %d Observations and %d Patients", level, m.Output, want, patients)
			}
		})
	}
	wg.Wait()
}

// BD-MF-12: what a request for a file costs does not grow with the number of
// files that the job has.
func TestFileOfManyCostsNoMore(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithExportDuration(0))
	few := w.all.export(t, "/$export?_type=Patient")
	if err := w.SetBehaviour("", map[string]string{"files.max_rows": "1"}); err != nil {
		t.Fatal(err)
	}
	many := w.all.export(t, "/$export")
	if len(many.Output) < 300 {
		t.Fatalf("got %d files, want hundreds", len(many.Output))
	}
	const rounds = 60
	cost := func(url string) (best time.Duration) { // of several, the one that nothing disturbed
		for range rounds {
			begun := clock.System{}.Now()
			w.all.get(t, url).want(t, 200)
			took := clock.System{}.Now().Sub(begun)
			if best == 0 || took < best {
				best = took
			}
		}
		return best
	}
	one, of := cost(few.Output[0].URL), cost(many.Output[len(many.Output)/2].URL)
	if of > 3*one {
		t.Errorf("a file of %d takes %v, the file of one takes %v", len(many.Output), of, one)
	}
}
