package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/fault"
	"github.com/sandfhir/sandfhir/internal/httpapi"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// newServer returns a server with one workspace, without a listener.
func newServer(t *testing.T) (*httpapi.Server, *workspace.Workspace) {
	t.Helper()
	w, err := workspace.New(t.Context(), workspace.Config{Populations: workspace.NewPopulations(""), ExportLength: bulk.OnePoll})
	if err != nil {
		t.Fatal(err)
	}
	s := httpapi.New(httpapi.Config{Workspace: func(string) *workspace.Workspace { return w }})
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		w.Close()
	})
	return s, w
}

// A pipes listener hands out connections without any buffer: what the server
// writes is under way until the client reads it.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial returns a new connection to the server that accepts from p.
func (p *pipes) dial(t *testing.T) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close() })
	select {
	case p.conns <- server:
	case <-t.Context().Done():
		t.Fatal("the server does not accept")
	}
	return client
}

func sendRequest(t *testing.T, conn net.Conn, path string) {
	t.Helper()
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
}

// finished reports how many exchanges the workspace has recorded.
func finished(w *workspace.Workspace) int { return len(w.Exchanges.List(0, nil)) }

func TestShutdownWaitsUntilAnswersAreSent(t *testing.T) {
	t.Parallel()
	s, w := newServer(t)
	ln := newPipes()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	busy, resting := ln.dial(t), ln.dial(t)
	sendRequest(t, resting, "/auth/jwks") // a connection that is kept alive
	if _, err := http.ReadResponse(bufio.NewReader(resting), nil); err != nil {
		t.Fatal(err)
	}
	sendRequest(t, busy, "/auth/jwks")
	await(t, "the request is recorded", func() bool { return finished(w) == 2 })
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	// The body of the first answer is still there to be read.
	if _, err := io.Copy(io.Discard, resting); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a connection without a request: %v; want it closed", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(busy), nil)
	if err != nil {
		t.Fatalf("the answer under way was cut: %v", err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || len(body) == 0 {
		t.Errorf("got status %d and body %q: %v", resp.StatusCode, body, err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestShutdownCutsWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	s, w := newServer(t)
	ln := newPipes()
	go s.Serve(ln)
	conn := ln.dial(t)
	sendRequest(t, conn, "/auth/jwks")
	await(t, "the request is recorded", func() bool { return finished(w) == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that a request was cut", err)
	}
}

func TestShutdownDoesNotWaitForADelay(t *testing.T) {
	t.Parallel()
	s, w := newServer(t)
	addFault(t, w, "slow:by=9m@path=/auth/jwks#times=1")
	ln := newPipes()
	go s.Serve(ln)
	conn := ln.dial(t)
	sendRequest(t, conn, "/auth/jwks")
	await(t, "the request waits", func() bool { return w.Faults.List()[0].Hits == 1 })
	answered := make(chan error, 1)
	go func() {
		_, err := http.ReadResponse(bufio.NewReader(conn), nil)
		answered <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the delayed request: %v; want its answer without the rest of the delay", err)
	}
}

func TestDroppedRequestsHaveNoStatus(t *testing.T) {
	t.Parallel()
	s, w := newServer(t)
	addFault(t, w, "drop@path=/auth/jwks")
	ln := newPipes()
	go s.Serve(ln)
	conn := ln.dial(t)
	sendRequest(t, conn, "/auth/jwks")
	if got, err := io.ReadAll(conn); err != nil || len(got) != 0 {
		t.Errorf("got %q: %v; want nothing", got, err)
	}
	await(t, "the request is recorded", func() bool { return finished(w) == 1 })
	if e := w.Exchanges.List(0, nil)[0]; e.Status != 0 || !e.Aborted || e.Fault != "drop@path=/auth/jwks" {
		t.Errorf("got status %d, aborted %v, fault %q; want 0, true, drop@path=/auth/jwks", e.Status, e.Aborted, e.Fault)
	}
}

// TestHandlerAndShutdown proves that a Handler neither hangs nor serves once
// the server is closed, in whatever order they come.
func TestHandlerAndShutdown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		handle func(*httpapi.Server) http.Handler
	}{
		{"Handler before Shutdown", func(s *httpapi.Server) http.Handler {
			h := s.Handler()
			s.Shutdown(context.Background())
			return h
		}},
		{"Handler after Shutdown", func(s *httpapi.Server) http.Handler {
			s.Shutdown(context.Background())
			return s.Handler()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, w := newServer(t)
			h := c.handle(s)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			aborted := func() (p any) {
				defer func() { p = recover() }()
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/auth/jwks", nil))
				return nil
			}()
			if aborted != http.ErrAbortHandler || ctx.Err() != nil || finished(w) != 0 {
				t.Errorf("got %v, %v and %d exchanges; want the request aborted at once", aborted, ctx.Err(), finished(w))
			}
		})
	}
}

func TestHandlerDoesNotBelieveTheScheme(t *testing.T) {
	t.Parallel()
	s, _ := newServer(t)
	h := s.Handler()
	for name, value := range map[string]string{"X-Url-Scheme": "https", "X-Forwarded-Ssl": "on", "X-Forwarded-Protocol": "https", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/x"} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/fhir/.well-known/smart-configuration", nil)
			r.Header.Set(name, value)
			got := httptest.NewRecorder()
			h.ServeHTTP(got, r)
			if want := `"token_endpoint":"http://example.com/auth/token"`; got.Code != 200 || !strings.Contains(got.Body.String(), want) {
				t.Errorf("got status %d and %s; want %s in it", got.Code, got.Body, want)
			}
		})
	}
}

func addFault(t *testing.T, w *workspace.Workspace, text string) {
	t.Helper()
	rule, err := fault.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	w.Faults.Add(rule)
}
