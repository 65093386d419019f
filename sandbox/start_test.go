package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// goroutines counts goroutines, without those that the HTTP engine lets sleep
// for some seconds after its end.
func goroutines(t *testing.T) int {
	t.Helper()
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 2); err != nil {
		t.Fatal(err)
	}
	n := 0
	for g := range strings.SplitSeq(text.String(), "\n\n") {
		if !strings.Contains(g, "fasthttp.(*workerPool).Start.") {
			n++
		}
	}
	return n
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // another operating system
	}
	return len(list)
}

func TestStartAndCloseLeaveNothingBehind(t *testing.T) {
	cycle := func() {
		tb := &recorder{}
		sb := start2(tb)
		client := sb.DefaultClient()
		put(t, http.StatusCreated, client.HTTPClient(), sb.FHIRURL(), "mine")
		if got := total(t, client.HTTPClient("system/Patient.s"), sb.FHIRURL()+"/Patient?_summary=count"); got != 3 {
			t.Fatalf("got %d patients, want 2 of the population and 1 of this server", got)
		}
		if log := tb.end(); log != "" {
			t.Fatalf("the server logged %q", log)
		}
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	cycle()
	http.DefaultClient.CloseIdleConnections()
	beforeGoroutines, beforeFiles := goroutines(t), openFiles(t)
	for range 100 {
		cycle()
	}
	for range 1000 { // what was told to end needs a processor to do so
		runtime.Gosched()
	}
	if got := goroutines(t); got > beforeGoroutines+3 {
		t.Errorf("got %d goroutines after 100 servers, want about %d", got, beforeGoroutines)
	}
	if got := openFiles(t); got > beforeFiles+3 {
		t.Errorf("got %d open files after 100 servers, want about %d", got, beforeFiles)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("got %v (%v) in the directory for temporary files, want nothing", left, err)
	}
}

// start2 is start for a TB that is not of package testing.
func start2(tb sandbox.TB) *sandbox.Server { return sandbox.Start(tb, sandbox.WithPatients(2)) }

func TestStartServersDoNotNoticeEachOther(t *testing.T) {
	t.Parallel()
	one, two := start(t), start(t, sandbox.WithSeed(7))
	client1, client2 := one.DefaultClient(), two.DefaultClient()
	http1, http2 := client1.HTTPClient(), client2.HTTPClient()

	put(t, http.StatusCreated, http1, one.FHIRURL(), "mine")
	expect(t, http.StatusOK, http1, http.MethodGet, one.FHIRURL()+"/Patient/mine", "")
	expect(t, http.StatusNotFound, http2, http.MethodGet, two.FHIRURL()+"/Patient/mine", "")

	_, people1 := expect(t, http.StatusOK, http1, http.MethodGet, one.FHIRURL()+"/Patient?_elements=name", "")
	_, people2 := expect(t, http.StatusOK, http2, http.MethodGet, two.FHIRURL()+"/Patient?_elements=name", "")
	if strings.ReplaceAll(people1, one.URL(), "") == strings.ReplaceAll(people2, two.URL(), "") {
		t.Error("servers with different seeds have the same people")
	}

	one.Clock().Advance(48 * time.Hour)
	if d := one.Clock().Now().Sub(two.Clock().Now()); d.Hours() < 47 {
		t.Errorf("the clocks are %v apart, want two days", d)
	}

	token, err := client1.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	resp, _ := do(t, http.DefaultClient, http.MethodGet, two.FHIRURL()+"/Patient", "", "Authorization", "Bearer "+token.AccessToken)
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token of the other server: got status %d, want 401", resp.StatusCode)
	}
	if n := len(one.Exchanges(func(e sandbox.Exchange) bool { return strings.HasPrefix(e.URL, two.URL()) })); n > 0 {
		t.Errorf("%d requests to the other server are in this one's log", n)
	}
}

func TestStartLogsRefusedRequestsOfAFailedTest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		failed  bool
		refused int
		want    []string
		not     []string
	}{
		{"a test that passed", false, 1, nil, []string{"refused"}},
		{"a failed test without refusals", true, 0, nil, []string{"refused"}},
		{"a failed test", true, 1, []string{"refused by http://127.0.0.1:", "POST", "/auth/token -> 400", `A12: kid "other-0" is not in the client's key set`, "only the kid is wrong"}, []string{"earlier"}},
		{"more than fit", true, 13, []string{"(3 earlier ones)", `"other-3"`, `"other-12"`}, []string{`"other-2"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tb := &recorder{failed: tt.failed}
			sb := start2(tb)
			client := sb.DefaultClient()
			if _, err := client.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i := range tt.refused {
				assertion, err := client.Assertion(sandbox.WithKeyID(fmt.Sprintf("other-%d", i)))
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.TokenFor(t.Context(), assertion)
				wantRefusal(t, err, "A12")
			}
			log := tb.end()
			last := -1
			for _, want := range tt.want {
				at := strings.Index(log, want)
				if at < 0 {
					t.Errorf("%q is not in the log:\n%s", want, log)
				}
				if at < last {
					t.Errorf("%q stands before what was refused earlier:\n%s", want, log)
				}
				last = at
			}
			for _, not := range tt.not {
				if strings.Contains(log, not) {
					t.Errorf("%q is in the log:\n%s", not, log)
				}
			}
		})
	}
}

func TestStartEndsTheTestOnAWrongOption(t *testing.T) {
	t.Parallel()
	tb := &recorder{}
	if sb := sandbox.Start(tb, sandbox.WithPatients(-1)); sb != nil || !tb.fatal {
		t.Errorf("got server %v and fatal %v, want none and a fatal error", sb, tb.fatal)
	}
	if log := tb.end(); !strings.Contains(log, "WithPatients: -1") {
		t.Errorf("got the log %q, want it to name the option", log)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	sb := start(t)
	client := sb.DefaultClient()
	expect(t, http.StatusOK, client.HTTPClient(), http.MethodGet, sb.FHIRURL()+"/Patient", "")
	expect(t, http.StatusUnauthorized, http.DefaultClient, http.MethodGet, sb.FHIRURL()+"/Patient", "") // leaves a connection open
	if err := sb.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := sb.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := client.Token(t.Context()); err == nil {
		t.Error("a closed server gave a token")
	}
	if err := sb.Listen("127.0.0.1:0"); err == nil {
		t.Error("a closed server listens")
	}
}

func TestShutdownCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	keys := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	t.Cleanup(keys.Close)
	t.Cleanup(func() { close(release) })

	sb := start(t)
	client := register(t, sb, sandbox.ClientConfig{JWKSURI: keys.URL})
	token := make(chan error, 1)
	go func() {
		_, err := client.Token(context.WithoutCancel(t.Context()))
		token <- err
	}()
	<-asked // so the request for a token is under way
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sb.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the error of the context", err)
	}
	var refused *sandbox.TokenError
	if err := <-token; err == nil || errors.As(err, &refused) {
		t.Errorf("got %v, want the error of a connection that was cut", err)
	}
}

func TestShutdownDoesNotWaitForConnectionsWithoutARequest(t *testing.T) {
	t.Parallel()
	sb := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(sb.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	expect(t, http.StatusOK, http.DefaultClient, http.MethodGet, sb.URL()+"/livez", "") // accepted after conn
	if err := sb.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
