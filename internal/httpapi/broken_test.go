package httpapi_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A logBuffer is what a server logged.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// TestBrokenDownload takes the pack files away between kick-off and download:
// the client sees a body cut short, the log and the exchange tell why.
func TestBrokenDownload(t *testing.T) {
	t.Parallel()
	var log logBuffer
	dir := t.TempDir()
	w := start(t, sandbox.WithDataDir(dir), sandbox.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	file := w.all.export(t, "/$export?_type=Patient").Output[0]
	packs, err := filepath.Glob(filepath.Join(dir, "sandbox", "*.ndjson"))
	if err != nil || len(packs) == 0 {
		t.Fatalf("packs %v, error %v", packs, err)
	}
	for _, pack := range packs {
		if err := os.Remove(pack); err != nil {
			t.Fatal(err)
		}
	}
	for n, header := range []string{"Accept-Encoding: identity", "Accept-Encoding: gzip", "Range: bytes=10-"} {
		conn := w.all.dial(t)
		resp, err := http.ReadResponse(w.all.ask(t, conn, file.URL, header), nil)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: the answer ended with %v, want it cut short", header, err)
		}
		downloads := func() []sandbox.Exchange {
			return w.Exchanges(func(e sandbox.Exchange) bool { return e.URL == file.URL })
		}
		await(t, header+": the exchange is recorded", func() bool { return len(downloads()) > n })
		e := downloads()[n]
		if e.Aborted || !e.Broken {
			t.Errorf("%s: got %v with aborted %v, broken %v; want it broken", header, e, e.Aborted, e.Broken)
		}
		page := w.at().get(t, "/_sandbox/exchanges/"+e.ID, "Accept", "text/html").want(t, 200)
		if !strings.Contains(string(page.body), "The server failed before the whole answer was sent") {
			t.Errorf("%s: the page says nothing of it", header)
		}
		if got := strings.Count(log.String(), "an answer broke off"); got != n+1 {
			t.Errorf("%s: the log tells of %d broken answers, want %d: %s", header, got, n+1, &log)
		}
	}
	t.Run("FR-ER-24 a read fails", func(t *testing.T) {
		a := w.all.get(t, "/Patient/pt-000001").want(t, 500)
		var o outcome
		a.decode(t, &o)
		if len(o.Issue) != 1 || o.Issue[0].Severity != "fatal" || o.Issue[0].Code != "exception" || strings.Contains(o.Issue[0].Diagnostics, dir) {
			t.Errorf("got %+v", o)
		}
	})
	if !strings.Contains(log.String(), "open pack") || !strings.Contains(log.String(), "/Patient.ndjson") {
		t.Errorf("the log does not say what failed where: %s", &log)
	}
}
