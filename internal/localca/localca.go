// Package localca is a certificate authority of one server's own, for the names
// under which a sandbox is reached on a developer's network. Whoever trusts its
// certificate trusts that server and no other.
//
// It imports internal/clock.
package localca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// The files of an authority in its directory.
const (
	CertificateFile = "ca.pem"
	keyFile         = "ca-key.pem"
)

// Lifetimes: clients refuse certificates of servers that live for longer than 398
// days (CA/Browser Forum, baseline requirements, 6.3.2).
const (
	authorityLife = 10 * 365 * 24 * time.Hour
	serverLife    = 90 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
)

// maxNames is for how many names certificates are kept.
const maxNames = 100

// An Authority issues the certificates of a server as they are asked for. It is
// safe for concurrent use.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
	wall clock.Clock

	mu     sync.Mutex
	issued map[string]*tls.Certificate
}

// Open returns the authority that a directory keeps, which makes it where there
// is none; an empty dir makes one that nothing keeps.
func Open(dir string) (*Authority, error) {
	if dir == "" {
		return newAuthority()
	}
	a, err := read(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	if a, err = newAuthority(); err != nil {
		return nil, err
	}
	return a, a.write(dir)
}

func read(dir string) (*Authority, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, CertificateFile), filepath.Join(dir, keyFile))
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || pair.Leaf == nil || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("%s is no certificate authority of this program; remove it and %s to have another made", filepath.Join(dir, CertificateFile), keyFile)
	}
	return authorityOf(pair.Leaf, key), nil
}

func newAuthority() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the certificate authority: %w", err)
	}
	now := clock.System{}.Now()
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Sandfhir " + serial.Text(36)[:8], Organization: []string{"Sandfhir, for tests only"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(authorityLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: 1, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	cert, err := sign(template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return authorityOf(cert, key), nil
}

func authorityOf(cert *x509.Certificate, key *ecdsa.PrivateKey) *Authority {
	return &Authority{cert: cert, key: key, pem: pemOf("CERTIFICATE", cert.Raw), wall: clock.System{}, issued: map[string]*tls.Certificate{}}
}

func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return serial.SetBit(serial, 126, 1), nil
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// write keeps the authority. The key is there before the certificate, without
// which nobody looks for it.
func (a *Authority) write(dir string) error {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, keyFile), pemOf("PRIVATE KEY", der), 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, CertificateFile), a.pem, 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep the certificate authority: %w", err)
	}
	return nil
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte { return a.pem }

// Pool is the authority as the only one to trust.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// Certificate implements tls.Config.GetCertificate: one for the name that a client
// asks for, or for the address at which it came where it names none (RFC 6066
// section 3).
func (a *Authority) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := NameOf(hello)
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.issued[name]; c != nil && a.wall.Now().Add(renewBefore).Before(c.Leaf.NotAfter) {
		return c, nil
	}
	c, err := a.issue(name)
	if err != nil {
		return nil, err
	}
	if len(a.issued) >= maxNames {
		clear(a.issued)
	}
	a.issued[name] = c
	return c, nil
}

// NameOf is the name that a client asks for, or the address at which it came.
func NameOf(hello *tls.ClientHelloInfo) string {
	if name := strings.ToLower(strings.TrimSuffix(hello.ServerName, ".")); name != "" {
		return name
	}
	if hello.Conn != nil {
		if host, _, err := net.SplitHostPort(hello.Conn.LocalAddr().String()); err == nil {
			return host
		}
	}
	return "localhost"
}

// issue makes a certificate for a name.
func (a *Authority) issue(name string) (*tls.Certificate, error) {
	key, template, err := a.server(name)
	if err != nil {
		return nil, err
	}
	leaf, err := sign(template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// server returns a key and what is to be certified of a server with a name.
func (a *Authority) server(name string) (*ecdsa.PrivateKey, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, nil, err
	}
	now := a.wall.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	return key, template, nil
}
