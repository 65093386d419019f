package httpapi

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/gofiber/fiber/v2"

	"github.com/sandfhir/sandfhir/internal/localca"
)

// origins are where the server is reached by HTTPS with certificates that have
// something wrong with them: on this machine, at ports of their own.
type origins struct {
	mu        sync.Mutex
	authority *localca.Authority // nil until one is needed
	urls      map[localca.Flaw]string
}

// Origin returns the URL of an origin of this machine at which the server has a
// certificate with a flaw. It is opened at the first call, and ends with the
// server.
func (s *Server) Origin(flaw localca.Flaw) (string, error) { return s.originWith(flaw) }

// originWith returns the URL of the origin with a flaw, which it opens at the
// first call.
func (s *Server) originWith(flaw localca.Flaw) (string, error) {
	if !slices.Contains(localca.Flaws(), flaw) {
		return "", badRequest("value", fmt.Sprintf("certificate is %q; there are %v", flaw, localca.Flaws()))
	}
	if flaw == localca.None && s.cfg.Authority == nil {
		return "", badRequest("value", "certificate is trusted; the server has no authority to be trusted: --tls gives it one")
	}
	o := &s.origins
	o.mu.Lock()
	defer o.mu.Unlock()
	if at := o.urls[flaw]; at != "" {
		return at, nil
	}
	const here = "127.0.0.1"
	authority, err := s.authorityLocked()
	if err != nil {
		return "", err
	}
	cert, err := authority.Flawed(flaw, here)
	if err != nil {
		return "", err
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(here, "0"))
	if err != nil {
		return "", fmt.Errorf("open an origin: %w", err)
	}
	served := tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	go func() {
		if err := s.Serve(served); err != nil {
			s.cfg.Logger.Error("an origin ended", "certificate", flaw, "error", err)
		}
	}()
	o.urls[flaw] = "https://" + ln.Addr().String()
	return o.urls[flaw], nil
}

// authorityLocked is the server's own authority, or one that is made now. The
// caller holds s.origins.mu.
func (s *Server) authorityLocked() (*localca.Authority, error) {
	if s.origins.authority == nil {
		var err error
		if s.origins.authority, err = localca.Open(""); err != nil {
			return nil, err
		}
	}
	return s.origins.authority, nil
}

// An originView is an origin as the control surface shows it.
type originView struct {
	Certificate localca.Flaw `json:"certificate" jsonschema:"trusted, self-signed, expired, other-name or missing-intermediate"`
	URL         string       `json:"url"`
}

type originAsked struct {
	Certificate localca.Flaw `json:"certificate"`
}

type originList struct {
	Origins []originView `json:"origins"`
}

// openOrigin has the server be reached with a certificate that has a flaw.
func (l *call) openOrigin() error {
	var asked originAsked
	if err := l.readControl(`an origin takes {"certificate":"self-signed"}`, &asked); err != nil {
		return err
	}
	at, err := l.server.originWith(asked.Certificate)
	if err != nil {
		return err
	}
	return l.json(fiber.StatusCreated, originView{asked.Certificate, at})
}

func (l *call) listOrigins() error {
	o := &l.server.origins
	o.mu.Lock()
	defer o.mu.Unlock()
	list := originList{Origins: []originView{}}
	for _, flaw := range localca.Flaws() {
		if at := o.urls[flaw]; at != "" {
			list.Origins = append(list.Origins, originView{flaw, at})
		}
	}
	return l.json(fiber.StatusOK, list)
}

// caCertificate shows the certificate of the server's own authority.
func (l *call) caCertificate() error {
	o := &l.server.origins
	o.mu.Lock()
	authority := o.authority
	o.mu.Unlock()
	if authority == nil {
		return notFound("this server has no certificate authority of its own; --tls gives it one")
	}
	return l.send(fiber.StatusOK, "application/x-pem-file", authority.PEM())
}
