package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/httpapi"
	"github.com/sandfhir/sandfhir/internal/workspace"
	"github.com/sandfhir/sandfhir/sandbox"
)

// latest is the exchange of the request that was made last.
func (w *world) latest(t *testing.T) sandbox.Exchange {
	t.Helper()
	list := w.Exchanges()
	if len(list) == 0 {
		t.Fatal("there is no exchange")
	}
	return list[len(list)-1]
}

// TestRecordedAsSent proves that an exchange has the answer that the client
// got, and no body where none was sent.
func TestRecordedAsSent(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Patient/x", patient("x")).want(t, 201)
	for _, c := range []struct {
		method, path string
		header       []string
		status       int
	}{
		{http.MethodHead, "/Patient/x", nil, 200},
		{http.MethodHead, "/Patient/nobody", nil, 404},
		{http.MethodGet, "/Patient/x", []string{"If-None-Match", `W/"1"`}, 304},
		{http.MethodDelete, "/Patient/x", nil, 204},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			p.send(t, c.method, c.path, "", c.header...).want(t, c.status)
			e := w.latest(t)
			if e.Method != c.method || e.Status != c.status || e.ResponseBody != "" || e.ResponseBytes != 0 {
				t.Errorf("got %s with status %d and %d bytes %q; want none", e.Method, e.Status, e.ResponseBytes, e.ResponseBody)
			}
		})
	}
}

// TestRecordedURLIsTheOneAsked proves that the prefixes of an environment stay
// in what is told of a request.
func TestRecordedURLIsTheOneAsked(t *testing.T) {
	t.Parallel()
	w := start(t)
	c, err := w.Production().RegisterClient(t.Context(), sandbox.ClientConfig{Scopes: []string{"system/*.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	p := w.holder(t, c, "system/*.rs")
	kickOff := p.base + "/$export?_type=Patient"
	if !strings.Contains(kickOff, "/production/") {
		t.Fatalf("%s is not production's", kickOff)
	}
	status := p.kickOff(t, kickOff)
	if e := w.latest(t); e.URL != kickOff {
		t.Errorf("the exchange has the URL %s, want %s", e.URL, kickOff)
	}
	p.finish(t, status)
	var manifest struct{ Request string }
	p.get(t, status).want(t, 200).decode(t, &manifest)
	if manifest.Request != kickOff {
		t.Errorf("BD-ST-09: the manifest has the request %s, want %s", manifest.Request, kickOff)
	}
}

// TestMultipartBodies proves that a multipart body is bounded like any other,
// and that its credentials are not kept.
func TestMultipartBodies(t *testing.T) {
	t.Parallel()
	w := start(t)
	multipart := func(n int) string {
		return "--x\r\nContent-Disposition: form-data; name=\"client_secret\"; filename=\"f\"\r\n\r\nopen-sesame" + strings.Repeat("y", n) + "\r\n--x--\r\n"
	}
	const contentType = "multipart/form-data; boundary=x"
	a := w.at().search(t, "/auth/token", multipart(1<<20), "Content-Type", contentType).want(t, 413)
	var refusal struct {
		URI string `json:"error_uri"`
	}
	a.decode(t, &refusal)
	if refusal.URI == "" {
		t.Errorf("the refusal has no error_uri: %s", a.body)
	} else {
		w.at().get(t, refusal.URI).want(t, 200)
	}
	w.at().search(t, "/auth/token", multipart(0), "Content-Type", contentType).want(t, 400)
	if e := w.latest(t); strings.Contains(e.RequestBody, "sesame") || !strings.Contains(e.RequestBody, "multipart/form-data") {
		t.Errorf("the exchange keeps the body %q, want its type and length", e.RequestBody)
	}
	w.all.search(t, "/Patient/_search", "access_token=open-sesame&name=x")
	if e := w.latest(t); strings.Contains(e.RequestBody, "sesame") || !strings.Contains(e.RequestBody, "name=x") {
		t.Errorf("the exchange keeps the form %q, want it without the token", e.RequestBody)
	}
}

// A stopped clock always tells the same time.
type stopped time.Time

func (s stopped) Now() time.Time { return time.Time(s) }

// A repeater reads as one byte for ever.
type repeater byte

func (r repeater) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

// TestRecordsUseTheTimeAndRandomnessOfTheWorkspace proves that a workspace's
// exchanges depend on nothing but what the workspace was given.
func TestRecordsUseTheTimeAndRandomnessOfTheWorkspace(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)
	w, err := workspace.New(t.Context(), workspace.Config{
		Populations: workspace.NewPopulations(""), ExportLength: bulk.OnePoll,
		Wall: stopped(at), Rand: repeater(0xab),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	s := httpapi.New(httpapi.Config{Workspace: func(string) *workspace.Workspace { return w }})
	t.Cleanup(func() { s.Shutdown(context.Background()) })
	got := httptest.NewRecorder()
	s.Handler().ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), "GET", "/fhir/metadata", nil))
	list := w.Exchanges.List(0, nil)
	if got.Code != 200 || len(list) != 1 {
		t.Fatalf("got status %d and %d exchanges, want 200 and one", got.Code, len(list))
	}
	if e := list[0]; e.ID != strings.Repeat("ab", 16) || !e.At.Equal(at) || e.Seconds != 0 {
		t.Errorf("got id %s at %v after %v s, want the workspace's randomness and time", e.ID, e.At, e.Seconds)
	}
}
