package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// An exchangeItem is an exchange as a list has it.
type exchangeItem struct {
	ID, Method, URL, Client, Fault string
	Status                         int
	Access                         *struct{ Scopes, Organization, Policy string }
}

func (w *world) exchangeList(t *testing.T, query string) (list []exchangeItem) {
	t.Helper()
	w.at().get(t, "/_sandbox/exchanges?"+query).want(t, 200).decode(t, &list)
	return list
}

// Lists are narrowed by what their query says; one that says nothing known is
// refused.
func TestExchangeFilters(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.get(t, "/Patient?_count=1").want(t, 200)
	w.all.get(t, "/Patient/none").want(t, 404)
	w.at().get(t, "/fhir/Patient").want(t, 401)
	w.at().get(t, "/production/fhir/metadata").want(t, 200)
	for query, want := range map[string]int{
		"client=default-client&path=/fhir/*":     2,
		"path=/fhir/Patient":                     2,
		"path=/fhir/Patient*":                    3,
		"path=/fhir/Patient*&status=4xx":         2,
		"status=404":                             1,
		"environment=production":                 1,
		"method=post&path=/auth/token":           1,
		"check=SB-RS-02":                         1,
		"check=SB-RS-02&refused=true&method=GET": 1,
		"client=nobody":                          0,
		"path=/fhir/Patient&limit=1":             1,
		"kind=fetch":                             0,
		"path=/_sandbox/*":                       0, // looking is not listed
		"path=/fhir/*&client=default-client&_format=json&limit=10": 2,
	} {
		if got := w.exchangeList(t, query); len(got) != want {
			t.Errorf("%s: got %d, want %d: %v", query, len(got), want, got)
		}
	}
	for query, want := range map[string]string{
		"clinet=a":          "did you mean client?",
		"status=fine":       "404, or a class such as 4xx",
		"refused=perhaps":   "true or false",
		"wait=soon":         "a duration such as 10s",
		"wait=1h":           "at most 5m0s",
		"limit=0":           "from 1",
		"kind=conversation": "request, entry or fetch",
	} {
		if a := w.at().get(t, "/_sandbox/exchanges?"+query).want(t, 400); !strings.Contains(string(a.body), want) {
			t.Errorf("%s: got %s", query, a.body)
		}
	}
	if read := w.exchangeList(t, "path=/fhir/Patient&status=200"); read[0].Access == nil || read[0].Access.Scopes != "system/*.cruds" {
		t.Errorf("got access %+v", read[0].Access)
	}
}

// A test in another language asks for what it has caused, and waits for it.
func TestExchangesAreAwaited(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.get(t, "/Patient?_count=1").want(t, 200)
	first := w.exchangeList(t, "path=/fhir/Patient&wait=10s")
	if len(first) != 1 {
		t.Fatalf("what is there does not come at once: %v", first)
	}
	waited := make(chan []exchangeItem, 1)
	go func() { waited <- w.exchangeList(t, "path=/fhir/*&wait=20s&after="+first[0].ID) }()
	w.all.get(t, "/Group?_count=1").want(t, 200)
	if got := <-waited; len(got) != 1 || !strings.Contains(got[0].URL, "/fhir/Group") {
		t.Errorf("got %v", got)
	}
	if got := w.exchangeList(t, "path=/nowhere&wait=20ms"); len(got) != 0 {
		t.Errorf("got %v", got)
	}

	// From Go.
	e, err := w.AwaitExchange(t.Context(), func(e sandbox.Exchange) bool { return strings.HasSuffix(e.URL, "/fhir/Group?_count=1") })
	if err != nil || e.Scopes != "system/*.cruds" {
		t.Errorf("got %+v, %v", e, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := w.AwaitExchange(ctx, func(sandbox.Exchange) bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	ends, err := w.NewWorld(t.Context(), sandbox.WorldConfig{Empty: true})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := ends.AwaitExchange(t.Context(), func(sandbox.Exchange) bool { return false })
		ended <- err
	}()
	if err := ends.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, sandbox.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// A stream is a reader of server-sent events.
type stream struct {
	resp *http.Response
	read *bufio.Reader
}

func (w *world) stream(t *testing.T, query string, header ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", w.URL()+"/_sandbox/events?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.web.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %v", resp.StatusCode, resp.Header)
	}
	s := &stream{resp, bufio.NewReader(resp.Body)}
	s.line(t, "retry: ")
	return s
}

// line reads on to a line that begins so, and returns the rest of it.
func (s *stream) line(t *testing.T, begin string) string {
	t.Helper()
	for {
		line, err := s.read.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended before %q: %v", begin, err)
		}
		if rest, ok := strings.CutPrefix(line, begin); ok {
			return strings.TrimSpace(rest)
		}
	}
}

// Exchanges come as they happen, and who was away goes on where it was.
func TestEvents(t *testing.T) {
	t.Parallel()
	w := start(t)
	s := w.stream(t, "path=/fhir/*")
	w.all.get(t, "/Patient?_count=1").want(t, 200)
	id := s.line(t, "id: ")
	if s.line(t, "event: ") != "exchange" || !strings.Contains(s.line(t, "data: "), `"url":"`+w.FHIRURL()+`/Patient?_count=1"`) {
		t.Error("got another event")
	}
	s.resp.Body.Close()
	w.all.get(t, "/Group?_count=1").want(t, 200)
	again := w.stream(t, "path=/fhir/*", "Last-Event-ID", id)
	if data := again.line(t, "data: "); !strings.Contains(data, "/fhir/Group?_count=1") {
		t.Errorf("got %s", data)
	}
	w.at().get(t, "/_sandbox/events?clinet=a").want(t, 400)
}

// Readers that do not read, and such as go away, cost nothing to others, and
// nobody waits for them at the end.
func TestManyEventReaders(t *testing.T) {
	t.Parallel()
	w := start(t)
	for i := range 60 {
		s := w.stream(t, "")
		if i%2 == 0 {
			s.resp.Body.Close()
		}
	}
	follows := w.stream(t, "path=/fhir/Group")
	for range 400 { // more than a reader may be behind
		w.all.get(t, "/Patient?_count=1&_elements=id").want(t, 200)
	}
	w.all.get(t, "/Group?_count=1").want(t, 200)
	follows.line(t, "id: ")
	if err := w.Close(); err != nil { // which does not wait for readers for good
		t.Error(err)
	}
}

// A HAR has what an archive needs, and no secrets; a request is there as a
// command.
func TestExchangesAsFiles(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.askFor(t).want(t, 200)
	w.all.get(t, "/Patient/it's").want(t, 404)
	har := w.at().get(t, "/_sandbox/exchanges.har?path=/auth/token").want(t, 200)
	har.wantHeader(t, "Content-Disposition", `attachment; filename="sandfhir.har"`)
	var read struct {
		Log struct {
			Version string
			Entries []struct {
				StartedDateTime time.Time
				Request         struct {
					Method, URL string
					PostData    struct {
						MimeType string
						Params   []struct{ Name, Value string }
					}
				}
				Response struct{ Status int }
			}
		}
	}
	har.decode(t, &read)
	last := read.Log.Entries[len(read.Log.Entries)-1]
	if read.Log.Version != "1.2" || last.Request.URL != w.TokenURL() || last.Response.Status != 200 || last.StartedDateTime.IsZero() {
		t.Errorf("got %+v", read)
	}
	secret := ""
	for _, p := range last.Request.PostData.Params {
		if p.Name == "client_assertion" {
			secret = p.Value
		}
	}
	if !strings.HasSuffix(secret, "(hidden)") {
		t.Errorf("the assertion is %q", secret)
	}
	commandOf := func(path string) string {
		list := w.exchangeList(t, "limit=1&path="+path)
		var whole struct{ Curl string }
		w.at().get(t, "/_sandbox/exchanges/"+list[0].ID, "Accept", "application/json").want(t, 200).decode(t, &whole)
		return whole.Curl
	}
	if got := commandOf("/auth/token"); !strings.HasPrefix(got, "curl \\\n  -X POST \\\n  '"+w.TokenURL()+"'") ||
		!strings.Contains(got, `--data-urlencode "client_assertion=$CLIENT_ASSERTION"`) || !strings.Contains(got, "--data-urlencode 'grant_type=client_credentials'") {
		t.Errorf("got %s", got)
	}
	if got := commandOf("/fhir/Patient/*"); got != fmt.Sprintf("curl \\\n  '%s/Patient/it'\\''s' \\\n  -H \"Authorization: Bearer $ACCESS_TOKEN\"", w.FHIRURL()) {
		t.Errorf("got %s", got)
	}
	page := w.at().get(t, "/_sandbox/exchanges?path=/fhir/*&refused=true", "Accept", "text/html")
	page.page(t, 200, "Patient/it", "Show all", `data-events="events?path=%2Ffhir%2F%2A&amp;refused=true"`)
	w.at().get(t, "/_sandbox/exchanges?status=x", "Accept", "text/html").page(t, 400, "Status has to be one such as 404")
}
