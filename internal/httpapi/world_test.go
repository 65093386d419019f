package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/sandbox"
)

// patients is the size of every population here: built in no time, and cached.
const patients = 5

const (
	fhirJSON = "application/fhir+json"
	formType = "application/x-www-form-urlencoded"
)

// A world is a server under test on a real listener.
type world struct {
	*sandbox.Server
	web *http.Client
	all party // a client of the sandbox environment that may do everything
}

// start starts a server with a small population.
func start(t testing.TB, opts ...sandbox.Option) *world {
	t.Helper()
	sb := sandbox.Start(t, append([]sandbox.Option{sandbox.WithPatients(patients)}, opts...)...)
	w := &world{Server: sb, web: newWeb(t)}
	w.all = w.grant(t, "system/*.cruds")
	return w
}

// newWeb returns an HTTP client that shows answers as they come: compressed,
// and redirects instead of their targets.
func newWeb(t testing.TB) *http.Client {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// grant returns a party with a token of the default client with these scopes.
func (w *world) grant(t testing.TB, scopes ...string) party {
	t.Helper()
	return w.holder(t, w.DefaultClient(), scopes...)
}

// holder returns a party with a token of the client.
func (w *world) holder(t testing.TB, c *sandbox.Client, scopes ...string) party {
	t.Helper()
	token, err := c.Token(t.Context(), scopes...)
	if err != nil {
		t.Fatal(err)
	}
	return party{web: w.web, base: c.FHIRURL(), token: token.AccessToken}
}

// client registers a client of the sandbox environment with scopes.
func (w *world) client(t *testing.T, scopes ...string) *sandbox.Client {
	t.Helper()
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stranger is a party without a token.
func (w *world) stranger() party { return party{web: w.web, base: w.FHIRURL()} }

// at is a party without a token at the root of the server.
func (w *world) at() party { return party{web: w.web, base: w.URL()} }

// A party is someone who sends requests below a base URL.
type party struct {
	web   *http.Client
	base  string
	token string // bearer token, or ""
}

// send sends a request to a path below the base, or to an absolute URL, and
// reads the answer. header are names and values; a Host names the host that is
// asked for.
func (p party) send(t *testing.T, method, path, body string, header ...string) *answer {
	t.Helper()
	a, err := p.try(t.Context(), method, path, strings.NewReader(body), header...)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(path, "/") {
		a.described(t, method, path)
	}
	return a
}

func (p party) try(ctx context.Context, method, path string, body io.Reader, header ...string) (*answer, error) {
	target := path
	if !strings.HasPrefix(path, "http") {
		target = p.base + path
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	req.Header.Set("User-Agent", "") // sends none
	named := map[string]bool{}
	for i := 0; i < len(header); i += 2 {
		switch name := http.CanonicalHeaderKey(header[i]); {
		case name == "Host":
			req.Host = header[i+1]
		case named[name]:
			req.Header.Add(name, header[i+1])
		default:
			named[name] = true
			req.Header.Set(name, header[i+1])
		}
	}
	resp, err := p.web.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	a := &answer{request: method + " " + target, status: resp.StatusCode, header: resp.Header, length: resp.ContentLength}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return nil, fmt.Errorf("%s: read the answer: %w", a.request, err)
	}
	return a, nil
}

func (p party) get(t *testing.T, path string, header ...string) *answer {
	t.Helper()
	return p.send(t, http.MethodGet, path, "", header...)
}

// put sends FHIR JSON by PUT.
func (p party) put(t *testing.T, path, body string, header ...string) *answer {
	t.Helper()
	return p.send(t, http.MethodPut, path, body, append([]string{"Content-Type", fhirJSON}, header...)...)
}

// post sends FHIR JSON by POST.
func (p party) post(t *testing.T, path, body string, header ...string) *answer {
	t.Helper()
	return p.send(t, http.MethodPost, path, body, append([]string{"Content-Type", fhirJSON}, header...)...)
}

// patch sends a JSON Patch.
func (p party) patch(t *testing.T, path, body string, header ...string) *answer {
	t.Helper()
	return p.send(t, http.MethodPatch, path, body, append([]string{"Content-Type", "application/json-patch+json"}, header...)...)
}

// search sends a form to _search.
func (p party) search(t *testing.T, path, form string, header ...string) *answer {
	t.Helper()
	return p.send(t, http.MethodPost, path, form, append([]string{"Content-Type", formType}, header...)...)
}

// form encodes names and values as a form.
func form(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(pairs[i]) + "=" + url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}

// await waits until done says so, and fails the test where it never does.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: it did not happen", what)
		}
	}
}

// An answer is what a server said.
type answer struct {
	request string
	status  int
	header  http.Header
	body    []byte
	length  int64 // by Content-Length, -1 without
}

// want ends the test unless the answer has the status.
func (a *answer) want(t *testing.T, status int) *answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("%s: got status %d, want %d: %s", a.request, a.status, status, a.excerpt())
	}
	return a
}

func (a *answer) excerpt() string { return string(a.body[:min(len(a.body), 600)]) }

// wantHeader checks one field of the header.
func (a *answer) wantHeader(t *testing.T, name, want string) *answer {
	t.Helper()
	if got := a.header.Get(name); got != want {
		t.Errorf("%s: got %s %q, want %q", a.request, name, got, want)
	}
	return a
}

// decode reads the body's JSON.
func (a *answer) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: status %d, not the JSON wanted: %v: %s", a.request, a.status, err, a.excerpt())
	}
}

// object reads the body as a JSON object.
func (a *answer) object(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	a.decode(t, &v)
	return v
}

// An issue is one of an OperationOutcome.
type issue struct {
	Severity    string
	Code        string
	Diagnostics string
	Expression  []string
}

// refused checks that the answer is a refusal that FHIR clients can read
// (FR-GE-01): the status, and an OperationOutcome with one of the codes.
func (a *answer) refused(t *testing.T, status int, codes ...string) issue {
	t.Helper()
	a.want(t, status)
	var outcome struct {
		ResourceType string
		Issue        []issue
	}
	if got := a.header.Get("Content-Type"); got != fhirJSON {
		t.Errorf("%s: got Content-Type %q, want %q", a.request, got, fhirJSON)
	}
	a.decode(t, &outcome)
	if outcome.ResourceType != "OperationOutcome" || len(outcome.Issue) == 0 {
		t.Fatalf("%s: got %s, want an OperationOutcome with an issue", a.request, a.excerpt())
	}
	i := outcome.Issue[0]
	if i.Severity != "error" || !slices.Contains(codes, i.Code) || i.Diagnostics == "" {
		t.Errorf("%s: got severity %q, code %q, diagnostics %q; want an error of code %v that is explained", a.request, i.Severity, i.Code, i.Diagnostics, codes)
	}
	return i
}

// An oauthError is a refusal by an OAuth endpoint (RFC 6749 section 5.2).
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri"`
}

// oauth checks that the answer is a refusal that OAuth clients can read: the
// status, the code, JSON, not to be cached (SB-TOK-09), and a description in
// the characters that RFC 6749 allows (SB-TOK-10).
func (a *answer) oauth(t *testing.T, status int, code string) oauthError {
	t.Helper()
	a.want(t, status)
	a.wantHeader(t, "Content-Type", "application/json").wantHeader(t, "Cache-Control", "no-store").wantHeader(t, "Pragma", "no-cache")
	var e oauthError
	a.decode(t, &e)
	if e.Error != code {
		t.Errorf("%s: got error %q (%s), want %q", a.request, e.Error, e.Description, code)
	}
	if e.Description == "" || strings.ContainsFunc(e.Description, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
		t.Errorf("%s: got description %q, want one of printable ASCII without quotation marks and backslashes", a.request, e.Description)
	}
	return e
}

// challenge checks WWW-Authenticate: that it is of Bearer, and the error that
// it names, or "" for none (RFC 6750 section 3).
func (a *answer) challenge(t *testing.T, errorCode string) string {
	t.Helper()
	got := a.header.Get("WWW-Authenticate")
	if !strings.HasPrefix(got, `Bearer realm="fhir"`) {
		t.Errorf("%s: got WWW-Authenticate %q, want one of Bearer", a.request, got)
	}
	if errorCode == "" && strings.Contains(got, "error") || errorCode != "" && !strings.Contains(got, `error="`+errorCode+`"`) {
		t.Errorf("%s: got WWW-Authenticate %q, want error %q", a.request, got, errorCode)
	}
	return got
}

// as is the same party with a token.
func (p party) as(token string) party {
	p.token = token
	return p
}

// raw sends bytes as they are on a connection of their own and reads one
// answer.
func (p party) raw(t *testing.T, text string) *answer {
	t.Helper()
	u, err := url.Parse(p.base)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(clock.System{}.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a := &answer{request: strings.SplitN(text, "\r", 2)[0], status: resp.StatusCode, header: resp.Header, length: resp.ContentLength}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return a
}
