package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
)

// ErrClosed is returned by Listen and ListenOn after Close.
var ErrClosed = errors.New("sandbox: the server is closed")

// serving is one listener that is served.
type serving struct {
	ln   net.Listener
	done chan struct{} // closed when err is there
	err  error
}

// close stops to listen and waits until nothing is served any more.
func (l *serving) close() error {
	l.ln.Close() // the server closed it too, if it had begun to serve
	<-l.done
	return l.err
}

// Listen begins to serve at a TCP address of the form host:port and returns;
// port 0 is a free one, which URL tells. Close ends it.
//
// The portal and the controls have no guard but the address, so that an
// address other machines can reach needs WithAdminToken; without it Listen
// returns an error.
func (s *Server) Listen(addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return s.ListenOn(ln)
}

// ListenOn is Listen with a listener of the caller's, which it closes in any
// case: with an error, or when Close ends it.
//
// Behind a listener of package crypto/tls the server speaks HTTPS, but its URLs
// begin with https:// only where WithBaseURL says so; Handler in an http.Server
// finds out by itself.
func (s *Server) ListenOn(ln net.Listener) error {
	if s.cfg.adminToken == "" && !loopback(ln.Addr()) {
		ln.Close()
		return fmt.Errorf("sandbox: %s can be reached from other machines, and portal and controls are open to whoever reaches it; give an admin token with WithAdminToken, or listen on 127.0.0.1", ln.Addr())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		ln.Close()
		return ErrClosed
	}
	l := &serving{ln: ln, done: make(chan struct{})}
	s.serving = append(s.serving, l)
	if s.url == "" {
		s.url = urlOf(ln.Addr())
	}
	go func() {
		defer close(l.done)
		if l.err = s.api.Serve(ln); l.err != nil {
			s.end(fmt.Errorf("sandbox: serve at %s: %w", ln.Addr(), l.err))
		}
	}()
	return nil
}

// Wait waits until the server is closed, and returns nil; or until one of its
// listeners fails, or ctx is done, and returns that error. It closes nothing
// itself.
func (s *Server) Wait(ctx context.Context) error {
	select {
	case <-s.ended:
		return s.endErr
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end lets Wait return. The first reason counts.
func (s *Server) end(err error) {
	s.endOnce.Do(func() {
		s.endErr = err
		close(s.ended)
	})
}

// loopback reports whether only this machine reaches the address.
func loopback(addr net.Addr) bool {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	at, err := netip.ParseAddrPort(addr.String())
	return err == nil && at.Addr().IsLoopback()
}

// urlOf is the URL under which this machine reaches a listener.
func urlOf(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return "http://" + addr.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(tcp.Port))
}

// rootURL is where the server is reached, without a slash at its end: what
// WithBaseURL says, else the address it listens on, and "" before Listen.
func (s *Server) rootURL() string {
	if s.cfg.baseURL != "" {
		return s.cfg.baseURL
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// newTransport returns the transport of a server's own clients. It is not
// shared, so that Close can end what it keeps open.
func newTransport() *http.Transport {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment}
}
