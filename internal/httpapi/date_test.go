package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// date is the one Date of an answer.
func (a *answer) date(t *testing.T) time.Time {
	t.Helper()
	fields := a.header.Values("Date")
	if len(fields) != 1 {
		t.Fatalf("FR-GE-07: %s: got Date %q, want one", a.request, fields)
	}
	date, err := http.ParseTime(fields[0])
	if err != nil {
		t.Fatalf("FR-GE-07: %s: got Date %q: %v", a.request, fields[0], err)
	}
	return date
}

// TestDate proves that every answer says when it was made, to the second
// (RFC 9110 section 6.6.1).
func TestDate(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	file := p.export(t, "/Patient/$export?_type=Patient").Output[0].URL
	p.put(t, "/Patient/mine", patient("mine"), "If-None-Match", "*").want(t, 201)
	for name, ask := range map[string]func() *answer{
		"read":         func() *answer { return p.get(t, "/Patient/mine").want(t, 200) },
		"head":         func() *answer { return p.send(t, "HEAD", "/Patient/mine", "").want(t, 200) },
		"not modified": func() *answer { return p.get(t, "/Patient/mine", "If-None-Match", `W/"1"`).want(t, 304) },
		"refusal":      func() *answer { return p.get(t, "/Patient/nobody").want(t, 404) },
		"file":         func() *answer { return p.get(t, file).want(t, 200) },
		"file as gzip": func() *answer { return p.get(t, file, "Accept-Encoding", "gzip").want(t, 200) },
		"token":        func() *answer { return w.at().search(t, "/auth/token", "").want(t, 400) },
		"page":         func() *answer { return w.at().get(t, "/").want(t, 200) },
		"preflight": func() *answer {
			return p.send(t, "OPTIONS", "/Patient", "", "Origin", "http://a.example", "Access-Control-Request-Method", "GET").want(t, 204)
		},
		"no HTTP at all": func() *answer {
			return w.at().raw(t, "GET /fhir/Patient HTTP/1.1\r\nContent-Length: x\r\n\r\n").want(t, 400)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := clock.System{}.Now().Truncate(time.Second)
			a := ask()
			if d := a.date(t); d.Before(before) || d.After(clock.System{}.Now()) {
				t.Errorf("got Date %v for a request at %v", d, before)
			}
		})
	}
}

// TestDateIsNotBehind proves that Date goes with the clock, and that nothing was
// modified after the answer that tells of it (RFC 9110 section 8.8.2.1).
func TestDateIsNotBehind(t *testing.T) {
	t.Parallel()
	w := start(t)
	for begun := (clock.System{}).Now(); (clock.System{}).Now().Sub(begun) < 1100*time.Millisecond; {
		before := clock.System{}.Now().Truncate(time.Second)
		a := w.all.put(t, "/Patient/mine", patient("mine"))
		date := a.date(t)
		if date.Before(before) {
			t.Fatalf("got Date %v for a request that was sent later, at %v", date, before)
		}
		if modified, err := http.ParseTime(a.header.Get("Last-Modified")); err != nil || modified.After(date) {
			t.Fatalf("FR-GE-03: got Last-Modified %q (%v) and Date %v", a.header.Get("Last-Modified"), err, date)
		}
	}
}

// TestDateOfAWorkspaceAhead proves that Date is real time, and what is modified
// in the workspace's future is modified now.
func TestDateOfAWorkspaceAhead(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.Clock().Advance(time.Minute)
	for _, a := range []*answer{
		w.all.put(t, "/Patient/mine", patient("mine")).want(t, 201),
		w.all.get(t, "/Patient/mine").want(t, 200),
		w.all.get(t, w.all.export(t, "/Patient/$export?_type=Patient").Output[0].URL).want(t, 200),
	} {
		if d := (clock.System{}).Now().Sub(a.date(t)); d.Abs() > 30*time.Second {
			t.Errorf("%s: Date is %v behind real time", a.request, d)
		}
		a.wantHeader(t, "Last-Modified", a.header.Get("Date"))
	}
	// A condition with such a date holds nothing back.
	a := w.all.get(t, "/Patient/mine")
	if !strings.Contains(string(w.all.get(t, "/Patient/mine", "If-Modified-Since", a.header.Get("Last-Modified")).want(t, 200).body), "mine") {
		t.Error("got no resource")
	}
}
