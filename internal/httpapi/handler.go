package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// pipeAddress is where connections through Handler seem to come from: an
// address for documentation (RFC 5737), which no real client has. What they say
// in X-Forwarded-* is believed, because Handler wrote it.
const pipeAddress = "192.0.2.1"

// A pipeListener hands out in-memory connections.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr() }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- pipeConn{server}:
		return client, nil
	case <-l.done:
		return nil, errors.New("the server is closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type pipeConn struct{ net.Conn }

func (pipeConn) RemoteAddr() net.Addr { return pipeAddr() }
func (pipeConn) LocalAddr() net.Addr  { return pipeAddr() }

// pipeAddr is of the one type that the server looks for an address in.
func pipeAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(pipeAddress), Port: 1} }

// Handler returns the server as an http.Handler, for a net/http server of the
// caller's own. It keeps the request's Host, passes on whether TLS was used
// and the path prefix that http.StripPrefix took off, streams both ways, and
// aborts the answer where the server cut it. It works without Serve.
func (s *Server) Handler() http.Handler {
	s.once.Do(func() {
		inner := newPipeListener()
		if s.register(inner) {
			go s.serve(inner, false) // until Shutdown
		}
		s.handler = &httputil.ReverseProxy{
			Rewrite:       forward,
			Transport:     &http.Transport{DialContext: inner.dial, DisableCompression: true, MaxIdleConnsPerHost: 32},
			FlushInterval: -1,
			ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
				s.cfg.Logger.Debug("an answer was cut", "path", r.URL.Path, "error", err)
				panic(http.ErrAbortHandler)
			},
		}
	})
	return s.handler
}

// forward turns a request for the caller's server into one for ours.
func forward(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = "http", "sandfhir"
	r.Out.URL.RawQuery = r.In.URL.RawQuery // as it was sent, mistakes included
	r.Out.Host = r.In.Host
	r.Out.Header.Set("X-Forwarded-Host", r.In.Host)
	r.Out.Header.Set("X-Forwarded-Proto", "http")
	if r.In.TLS != nil {
		r.Out.Header.Set("X-Forwarded-Proto", "https")
	}
	for _, name := range []string{"X-Forwarded-Prefix", "X-Forwarded-Protocol", "X-Forwarded-Ssl", "X-Url-Scheme"} {
		r.Out.Header.Del(name) // the client's word
	}
	if asked, err := url.ParseRequestURI(r.In.RequestURI); err == nil {
		if cut := len(asked.Path) - len(r.In.URL.Path); cut > 0 && asked.Path[cut:] == r.In.URL.Path {
			prefix := url.URL{Path: asked.Path[:cut]}
			r.Out.Header.Set("X-Forwarded-Prefix", prefix.EscapedPath())
		}
	}
	if _, ok := r.Out.Header["User-Agent"]; !ok {
		r.Out.Header.Set("User-Agent", "") // do not invent one
	}
}
