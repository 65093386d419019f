package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestExportFile is about one file of an export: the whole, parts of it, and
// its compressed form (BD-FI-01 to BD-FI-10).
func TestExportFile(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	m := p.export(t, "/Patient/$export?_type=Patient,Observation")
	file, other := m.of("Observation")[0].URL, m.of("Patient")[0].URL
	plain := p.get(t, file).want(t, 200)
	whole := string(plain.body)
	size := len(whole)
	if size < 10000 || plain.length != int64(size) || plain.header.Get("Accept-Ranges") != "bytes" {
		t.Fatalf("BD-FI-09 BD-FI-10: got %d bytes, Content-Length %d, Accept-Ranges %q", size, plain.length, plain.header.Get("Accept-Ranges"))
	}
	tag, modified := plain.header.Get("ETag"), plain.header.Get("Last-Modified")
	if !strings.HasPrefix(tag, `"`) {
		t.Fatalf("BD-FI-09: got ETag %q, want a strong one", tag)
	}
	if disposition := plain.header.Get("Content-Disposition"); !strings.Contains(disposition, "Observation.ndjson") {
		t.Errorf("BD-FI-10: got Content-Disposition %q", disposition)
	}

	for _, c := range []struct {
		name, header string
		from, to     int // of what is wanted
	}{
		{"from the beginning", "bytes=0-99", 0, 100},
		{"one byte", "bytes=0-0", 0, 1},
		{"the last byte", fmt.Sprintf("bytes=%d-", size-1), size - 1, size},
		{"resumed", "bytes=5000-", 5000, size},
		{"across lines", "bytes=1000-8999", 1000, 9000},
		{"beyond the end", fmt.Sprintf("bytes=%d-%d", size-10, size+100), size - 10, size},
		{"suffix", "bytes=-100", size - 100, size},
		{"suffix longer than the file", fmt.Sprintf("bytes=-%d", size+100), 0, size},
		{"all of it", "bytes=0-", 0, size},
	} {
		t.Run("BD-FI-09 range "+c.name, func(t *testing.T) {
			for _, condition := range []string{"", tag, modified} {
				a := p.get(t, file, "Range", c.header, "If-Range", condition, "Accept-Encoding", "gzip").want(t, 206)
				if string(a.body) != whole[c.from:c.to] || a.length != int64(c.to-c.from) {
					t.Errorf("got %d bytes, Content-Length %d; want bytes %d to %d", len(a.body), a.length, c.from, c.to)
				}
				a.wantHeader(t, "Content-Range", fmt.Sprintf("bytes %d-%d/%d", c.from, c.to-1, size)).wantHeader(t, "ETag", tag).wantHeader(t, "Content-Encoding", "")
			}
			head := p.send(t, "HEAD", file, "", "Range", c.header)
			if head.status != 200 && head.status != 206 || len(head.body) != 0 {
				t.Errorf("HEAD: got status %d", head.status)
			}
		})
	}
	for _, header := range []string{fmt.Sprintf("bytes=%d-", size), "bytes=99999999-", "bytes=-0"} {
		t.Run("BD-FI-09 416 "+header, func(t *testing.T) {
			a := p.get(t, file, "Range", header)
			a.refused(t, 416, "value", "invalid", "not-supported")
			a.wantHeader(t, "Content-Range", fmt.Sprintf("bytes */%d", size)).wantHeader(t, "Content-Disposition", "").wantHeader(t, "ETag", "")
		})
	}
	for name, header := range map[string][]string{
		"other unit":                {"Range", "lines=0-9"},
		"malformed":                 {"Range", "bytes=9-0"},
		"malformed number":          {"Range", "bytes=a-b"},
		"several":                   {"Range", "bytes=0-9,20-29"},
		"If-Range of another file":  {"Range", "bytes=0-9", "If-Range", p.get(t, other).header.Get("ETag")},
		"If-Range of a weak tag":    {"Range", "bytes=0-9", "If-Range", "W/" + tag},
		"If-Range of another time":  {"Range", "bytes=0-9", "If-Range", "Thu, 01 Jan 2015 00:00:00 GMT"},
		"If-Range of the gzip form": {"Range", "bytes=0-9", "If-Range", strings.TrimSuffix(tag, `"`) + `-gzip"`},
	} {
		t.Run("BD-FI-09 range is passed over: "+name, func(t *testing.T) {
			a := p.get(t, file, header...)
			if name == "several" && a.status == 206 {
				return // multipart/byteranges would be right as well
			}
			if a.want(t, 200); string(a.body) != whole {
				t.Errorf("got %d bytes, want all %d", len(a.body), size)
			}
		})
	}
	t.Run("BD-FI-05 gzip", func(t *testing.T) {
		for _, accept := range []string{"gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.5", "GZIP", "*"} {
			a := p.get(t, file, "Accept-Encoding", accept).want(t, 200)
			if accept == "*" && a.header.Get("Content-Encoding") == "" {
				continue // may be, need not be
			}
			a.wantHeader(t, "Content-Encoding", "gzip").wantHeader(t, "Content-Type", "application/fhir+ndjson")
			if !strings.Contains(a.header.Get("Vary"), "Accept-Encoding") || a.header.Get("ETag") == tag {
				t.Errorf("%s: got Vary %q and ETag %q, want Accept-Encoding and a tag of its own", accept, a.header.Get("Vary"), a.header.Get("ETag"))
			}
			if got := gunzip(t, a.body); got != whole || len(a.body) >= size/2 {
				t.Errorf("%s: got %d bytes, and of them %d; want less than half of %d", accept, len(a.body), len(got), size)
			}
		}
	})
	t.Run("BD-FI-05 identity", func(t *testing.T) {
		for _, accept := range []string{"identity", "gzip;q=0", "br", "deflate", ""} {
			a := p.get(t, file, "Accept-Encoding", accept).want(t, 200).wantHeader(t, "Content-Encoding", "")
			if string(a.body) != whole || !strings.Contains(a.header.Get("Vary"), "Accept-Encoding") {
				t.Errorf("%q: got %d bytes and Vary %q", accept, len(a.body), a.header.Get("Vary"))
			}
		}
	})
	t.Run("BD-FI-09 HEAD", func(t *testing.T) {
		a := p.send(t, "HEAD", file, "").want(t, 200).wantHeader(t, "ETag", tag).wantHeader(t, "Content-Type", "application/fhir+ndjson").wantHeader(t, "Accept-Ranges", "bytes")
		if a.length != int64(size) || len(a.body) != 0 {
			t.Errorf("got Content-Length %d, want %d", a.length, size)
		}
		p.send(t, "HEAD", file, "", "Accept-Encoding", "gzip").want(t, 200).wantHeader(t, "Content-Encoding", "gzip")
		p.get(t, file).want(t, 200) // the connection is still good
	})
	t.Run("BD-FI-09 If-None-Match", func(t *testing.T) {
		zipped := strings.TrimSuffix(tag, `"`) + `-gzip"`
		for _, held := range []string{tag, "W/" + tag, `"other", ` + tag, "*", zipped} {
			p.get(t, file, "If-None-Match", held, "Range", "bytes=0-9").want(t, 304).wantHeader(t, "ETag", tag).wantHeader(t, "Content-Range", "")
		}
		p.get(t, file, "If-None-Match", tag, "Accept-Encoding", "gzip").want(t, 304).wantHeader(t, "ETag", zipped)
		if a := p.get(t, file, "If-None-Match", `"other"`).want(t, 200); string(a.body) != whole {
			t.Errorf("another tag: got %d bytes", len(a.body))
		}
	})
	for accept, status := range map[string]int{
		"application/fhir+ndjson": 200, "application/ndjson": 200, "*/*": 200, "application/*": 200, "": 200, "application/fhir+json": 200,
		"text/html, application/fhir+ndjson;q=0.1": 200, "text/html": 406, "application/fhir+xml": 406,
	} {
		t.Run("BD-FI-04 Accept "+accept, func(t *testing.T) {
			if a := p.get(t, file, "Accept", accept).want(t, status); status == 406 {
				a.refused(t, 406, "not-supported")
			}
		})
	}
	t.Run("BD-FI-06 no token", func(t *testing.T) {
		a := w.stranger().get(t, file)
		a.refused(t, 401, "login")
		a.challenge(t, "")
	})
	for _, url := range []string{file + "x", strings.Replace(file, "Observation", "Patient", 1), strings.Replace(file, "/1/", "/99/", 1), strings.Replace(file, "/1/", "/x/", 1), strings.Replace(file, "/1/", "/-1/", 1)} {
		t.Run("BD-FI-08 no such file "+url[len(w.FHIRURL()):], func(t *testing.T) {
			if i := p.get(t, url).refused(t, 404, "not-found"); !strings.HasPrefix(i.Diagnostics, "the export job ") || !strings.Contains(i.Diagnostics, " has no file ") {
				t.Errorf("got %q, want it to say that the job has no such file", i.Diagnostics)
			}
		})
	}
	t.Run("a download in many parts", func(t *testing.T) {
		var got bytes.Buffer
		for got.Len() < size {
			got.Write(p.get(t, file, "Range", fmt.Sprintf("bytes=%d-%d", got.Len(), got.Len()+7776), "If-Range", tag).want(t, 206).body)
		}
		if got.String() != whole {
			t.Error("the parts do not make the whole")
		}
	})
}

func gunzip(t *testing.T, compressed []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExportDelete is about cancelling and cleaning up (BD-ST-13 to BD-ST-17).
func TestExportDelete(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	gone := func(t *testing.T, urls ...string) {
		t.Helper()
		for _, url := range urls {
			p.get(t, url).refused(t, 404, "not-found")
			p.send(t, "DELETE", urls[0], "").refused(t, 404, "not-found") // BD-ST-17
		}
		a := p.send(t, "DELETE", urls[0], "", "Accept", "application/json").want(t, 404).wantHeader(t, "Content-Type", "application/json")
		if a.resource(t).ResourceType != "OperationOutcome" {
			t.Errorf("got %s", a.body)
		}
	}
	t.Run("BD-ST-15 before the first status", func(t *testing.T) {
		status := p.kickOff(t, "/$export")
		p.send(t, "DELETE", status, "").want(t, 202)
		gone(t, status)
	})
	t.Run("BD-ST-15 while it runs", func(t *testing.T) {
		status := p.kickOff(t, "/$export")
		p.get(t, status).want(t, 202)
		p.send(t, "DELETE", status, "").want(t, 202)
		gone(t, status)
	})
	t.Run("BD-ST-16 when it is done", func(t *testing.T) {
		status := p.kickOff(t, "/$export?nothing=1", "Prefer", "respond-async, handling=lenient")
		m := p.finish(t, status)
		urls := []string{status}
		for _, i := range append(m.Output, m.Error...) {
			p.send(t, "HEAD", i.URL, "").want(t, 200)
			urls = append(urls, i.URL)
		}
		other := p.kickOff(t, "/$export")
		a := p.send(t, "DELETE", status, "").want(t, 202)
		if len(a.body) > 0 && a.resource(t).ResourceType != "OperationOutcome" {
			t.Errorf("BD-ST-15: got body %s", a.body)
		}
		gone(t, urls...)
		p.finish(t, other) // the others stay
	})
	t.Run("BD-ST-13 unknown job", func(t *testing.T) {
		gone(t, w.FHIRURL()+"/_export/0123456789abcdef0123456789abcdef")
	})
	t.Run("BD-KR-04 many in quick succession", func(t *testing.T) {
		for range 6 {
			p.send(t, "DELETE", p.kickOff(t, "/Patient/$export"), "").want(t, 202)
		}
	})
}

// TestExportAges is about jobs and the workspace clock.
func TestExportAges(t *testing.T) {
	t.Parallel()
	w := start(t)
	status := w.all.kickOff(t, "/Patient/$export")
	m := w.all.finish(t, status)
	deadline, err := http.ParseTime(w.all.get(t, status).header.Get("Expires"))
	if err != nil {
		t.Fatal(err)
	}
	if left := deadline.Sub(w.Clock().Now()); left < 23*time.Hour || left > 25*time.Hour {
		t.Errorf("BD-ST-08: it expires in %v, want a day", left)
	}
	w.Clock().Advance(23 * time.Hour)
	p := w.grant(t, "system/*.rs")
	p.get(t, m.Output[0].URL).want(t, 200)
	a := p.get(t, status).want(t, 200)
	again := wantManifest(t, a)
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	if deadline, err = http.ParseTime(a.header.Get("Expires")); err != nil || deadline.Sub(date) > 61*time.Minute {
		t.Errorf("BD-ST-08: got Expires %s at Date %s, want the hour that is left: %v", deadline, date, err)
	}
	if fmt.Sprint(again) != fmt.Sprint(m) {
		t.Errorf("BD-ST-14: got %+v, want the manifest as before: %+v", again, m)
	}
	w.Clock().Advance(2 * time.Hour) // 25 in all
	p = w.grant(t, "system/*.rs")
	if i := p.get(t, status).refused(t, 404, "not-found"); !strings.Contains(i.Diagnostics, "_since="+m.TransactionTime) { // BD-ST-13
		t.Errorf("P08: got %q, want when it expired and what to go on with", i.Diagnostics)
	}
	w.holder(t, w.client(t, "system/*.rs")).get(t, status).refused(t, 404, "not-found")
	for _, i := range m.Output {
		p.get(t, i.URL).refused(t, 404, "not-found") // BD-FI-08
	}
	p.send(t, "DELETE", status, "").refused(t, 404, "not-found")
}

// TestFilesBeforeTheManifest proves that there is no file until the job is
// done, and that whoever looks at the status by HEAD does not move it on.
func TestFilesBeforeTheManifest(t *testing.T) {
	t.Parallel()
	w := start(t)
	status := w.all.kickOff(t, "/$export?_type=Patient")
	for range 3 {
		w.all.send(t, "HEAD", status, "").want(t, 202)
	}
	if i := w.all.get(t, status+"/1/Patient.ndjson").refused(t, 404, "not-found"); !strings.Contains(i.Diagnostics, "not done yet") {
		t.Errorf("got %q", i.Diagnostics)
	}
	w.all.get(t, status).want(t, 202)
	w.all.send(t, "HEAD", status, "").want(t, 200)
	w.all.get(t, status).want(t, 200)
	a := w.all.get(t, status+"/1/Patient.ndjson", "Origin", "https://client.example").want(t, 200)
	if vary := strings.Join(a.header.Values("Vary"), ", "); !strings.Contains(vary, "Origin") || !strings.Contains(vary, "Accept-Encoding") {
		t.Errorf("got Vary %q, want it to name Origin and Accept-Encoding", vary)
	}
}
