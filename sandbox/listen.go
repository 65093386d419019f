package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
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
// With WithTLS or WithCertificate it speaks HTTPS there. Behind a listener of
// package crypto/tls it does so as well, but its URLs begin with https:// only
// where WithBaseURL says so; Handler in an http.Server finds out by itself.
func (s *Server) ListenOn(ln net.Listener) error {
	if s.cfg.adminToken == "" && !loopback(ln.Addr()) {
		ln.Close()
		return errReachable(ln.Addr())
	}
	if err := s.listenForProduction(); err != nil {
		ln.Close()
		return err
	}
	return s.begin(ln, s.api.Serve, &s.url)
}

// listenForProduction begins to serve the production environment at the address
// of its own, where there is one and nobody has done so.
func (s *Server) listenForProduction() error {
	s.mu.Lock()
	wanted := s.cfg.productionAddr != "" && s.productionURL == "" && !s.closed
	s.mu.Unlock()
	if !wanted {
		return nil
	}
	ln, err := net.Listen("tcp", s.cfg.productionAddr)
	if err != nil {
		return fmt.Errorf("sandbox: production: %w", err)
	}
	if s.cfg.adminToken == "" && !loopback(ln.Addr()) {
		ln.Close()
		return errReachable(ln.Addr())
	}
	return s.begin(ln, s.api.ServeProduction, &s.productionURL)
}

// begin begins to serve at a listener, whose URL is noted at url where none is
// yet.
func (s *Server) begin(ln net.Listener, serve func(net.Listener) error, url *string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		ln.Close()
		return ErrClosed
	}
	l := &serving{ln: ln, done: make(chan struct{})}
	s.serving = append(s.serving, l)
	if *url == "" {
		*url = urlOf(s.scheme(), ln.Addr())
	}
	if s.security != nil {
		ln = tls.NewListener(ln, s.security.config)
	}
	go func() {
		defer close(l.done)
		if l.err = serve(ln); l.err != nil {
			s.end(fmt.Errorf("sandbox: serve at %s: %w", ln.Addr(), l.err))
		}
	}()
	return nil
}

// ports are those of the listeners of both environments, as soon as each has one
// of its own; else they are empty.
func (s *Server) ports() (sandbox, production string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.productionURL == "" || s.url == "" {
		return "", ""
	}
	return portOf(s.url), portOf(s.productionURL)
}

func portOf(serverURL string) string {
	u, err := url.Parse(serverURL)
	if err != nil {
		return ""
	}
	return u.Port()
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

func errReachable(addr net.Addr) error {
	return fmt.Errorf("sandbox: %s can be reached from other machines, and portal and controls are open to whoever reaches it; give an admin token with WithAdminToken, or listen on 127.0.0.1", addr)
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
func urlOf(scheme string, addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return scheme + "://" + addr.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(tcp.Port))
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

// productionRoot is where the production environment is an origin of its own, or
// "". Where WithBaseURL names the server's host, it is that host's.
func (s *Server) productionRoot() string {
	s.mu.Lock()
	own := s.productionURL
	s.mu.Unlock()
	if own == "" || s.cfg.baseURL == "" {
		return own
	}
	return withPort(s.cfg.baseURL, portOf(own))
}

// withPort is a URL's origin at another port.
func withPort(serverURL, port string) string {
	u, err := url.Parse(serverURL)
	if err != nil {
		return ""
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	return u.String()
}

// newTransport returns the transport of a server's own clients. It is not
// shared, so that Close can end what it keeps open.
func newTransport() *http.Transport {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment}
}
