package sandbox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/sandfhir/sandfhir/internal/fault"
	"github.com/sandfhir/sandfhir/internal/localca"
)

// WithTLS has the server speak HTTPS, TLS 1.2 or later, with certificates of an
// authority of its own, for whatever name it is reached by. HTTPClient and the
// server's Clients trust it; other programs are given CACertificate, which the
// server serves at /_sandbox/ca.pem too. The authority is made anew for each
// server, or kept with WithDataDir, as ca.pem and ca-key.pem.
func WithTLS() Option {
	return func(c *config) error {
		c.tls = true
		return nil
	}
}

// WithCertificate has the server speak HTTPS with a certificate of the caller's;
// tls.LoadX509KeyPair reads one from files. HTTPClient and the server's Clients
// trust it, whoever issued it, and reach the server by the name in WithBaseURL.
func WithCertificate(cert tls.Certificate) Option {
	return func(c *config) error {
		if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
			return errors.New("WithCertificate: the certificate or its private key is missing")
		}
		c.certificate = &cert
		return nil
	}
}

// security is how a server speaks TLS.
type security struct {
	config *tls.Config
	roots  *x509.CertPool
	ca     *localca.Authority // the server's own, or nil
}

// newSecurity returns nil where the server speaks plain HTTP.
func newSecurity(cfg config) (*security, error) {
	served := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if cert := cfg.certificate; cert != nil {
		roots, err := x509.SystemCertPool()
		if err != nil {
			roots = x509.NewCertPool()
		}
		for _, der := range cert.Certificate {
			parsed, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, fmt.Errorf("WithCertificate: %w", err)
			}
			roots.AddCert(parsed)
		}
		served.Certificates = []tls.Certificate{*cert}
		return &security{config: served, roots: roots}, nil
	}
	if !cfg.tls {
		return nil, nil
	}
	authority, err := localca.Open(cfg.dataDir)
	if err != nil {
		return nil, err
	}
	served.GetCertificate = authority.Certificate
	return &security{config: served, roots: authority.Pool(), ca: authority}, nil
}

// meet has handshakes meet the faults of a set.
func (s *security) meet(faults *fault.Set) {
	if s == nil || s.ca == nil {
		return
	}
	flaws := map[string]localca.Flaw{
		"tls.self_signed": localca.SelfSigned, "tls.missing_intermediate": localca.MissingIntermediate,
		"tls.expired": localca.Expired, "tls.other_name": localca.OtherName,
	}
	s.config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if rule := faults.Meet(fault.Before, fault.Request{Kinds: []fault.Kind{fault.Handshake}}); rule != nil {
			return s.ca.Flawed(flaws[rule.Fault.ID], localca.NameOf(hello))
		}
		return s.ca.Certificate(hello)
	}
}

// rootsForKeys are the authorities to trust when a key set is fetched: the
// server's own is one, which has certified what the server itself hosts. nil is
// the system's.
func (c *config) rootsForKeys(s *security) *x509.CertPool {
	if c.keyRoots != nil || s == nil || s.ca == nil {
		return c.keyRoots
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(s.ca.PEM())
	return roots
}

// HTTPClient returns an HTTP client that trusts the server's certificate, where it
// has one, and sends no token: see Client.HTTPClient for one that does.
func (s *Server) HTTPClient() *http.Client { return &http.Client{Transport: s.transport} }

// CACertificate is the certificate of the server's own authority as PEM, nil
// without WithTLS.
func (s *Server) CACertificate() []byte {
	if a := s.authority(); a != nil {
		return slices.Clone(a.PEM())
	}
	return nil
}

// authority is the server's own, nil without WithTLS.
func (s *Server) authority() *localca.Authority {
	if s.security == nil {
		return nil
	}
	return s.security.ca
}

// scheme is that of the server's URLs.
func (s *Server) scheme() string {
	if s.security == nil {
		return "http"
	}
	return "https"
}
