package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

// TestCompressedAnswers is about gzip of what is no export file (FR-GE-08).
func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	w := start(t)
	plain := w.all.get(t, "/Patient?_count=3").want(t, 200).wantHeader(t, "Content-Encoding", "")
	zipped := w.all.get(t, "/Patient?_count=3", "Accept-Encoding", "br, gzip;q=0.5").want(t, 200).wantHeader(t, "Content-Encoding", "gzip").wantHeader(t, "Content-Type", fhirJSON)
	r, err := gzip.NewReader(bytes.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	if inflated, err := io.ReadAll(r); err != nil || !bytes.Equal(inflated, plain.body) || len(zipped.body) >= len(plain.body) {
		t.Errorf("got %d bytes for %d, error %v", len(zipped.body), len(plain.body), err)
	}
	for _, a := range []*answer{plain, zipped} {
		if vary := strings.Join(a.header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Encoding") {
			t.Errorf("got Vary %q", vary)
		}
	}
	for name, a := range map[string]*answer{
		"refused":    w.all.get(t, "/Patient?_count=3", "Accept-Encoding", "gzip;q=0"),
		"small":      w.all.get(t, "/Patient/none", "Accept-Encoding", "gzip"),
		"HEAD":       w.all.send(t, "HEAD", "/Patient?_count=3", "", "Accept-Encoding", "gzip"),
		"no FHIR":    w.at().get(t, "/", "Accept-Encoding", "gzip"),
		"unmodified": w.all.get(t, "/Patient/pt-000001", "Accept-Encoding", "gzip", "If-None-Match", "*"),
	} {
		t.Run(name, func(t *testing.T) { a.wantHeader(t, "Content-Encoding", "") })
	}
	for _, x := range w.Exchanges() {
		if strings.Contains(x.URL, "_count=3") && x.Method == "GET" && !strings.HasPrefix(x.ResponseBody, `{"resourceType":"Bundle"`) {
			t.Errorf("the record of %s has the body %.40q, want it as it was before", x.URL, x.ResponseBody)
		}
	}
}
