package localca_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/localca"
)

func open(t *testing.T, dir string) *localca.Authority {
	t.Helper()
	a, err := localca.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// verify judges what a server sends as a client does that trusts the authority.
func verify(t *testing.T, a *localca.Authority, sent *tls.Certificate, name string) error {
	t.Helper()
	leaf, err := x509.ParseCertificate(sent.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	between := x509.NewCertPool()
	for _, der := range sent.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(c)
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: a.Pool(), Intermediates: between})
	return err
}

// Certificates are good for the names that are asked for, for whoever trusts the
// authority and for nobody else, and live no longer than clients allow.
func TestCertificates(t *testing.T) {
	t.Parallel()
	a, other := open(t, ""), open(t, "")
	for asked, name := range map[string]string{
		"payer.example.test": "payer.example.test", "PAYER.example.test.": "payer.example.test", "": "localhost", "127.0.0.1": "127.0.0.1", "::1": "::1",
	} {
		c, err := a.Certificate(&tls.ClientHelloInfo{ServerName: asked})
		if err != nil {
			t.Fatalf("%s: %v", asked, err)
		}
		if err := verify(t, a, c, name); err != nil {
			t.Errorf("%s: %v", asked, err)
		}
		if err := verify(t, a, c, "another.name.test"); err == nil {
			t.Errorf("%s: it is good for any name", asked)
		}
		var unknown x509.UnknownAuthorityError
		if err := verify(t, other, c, name); !errors.As(err, &unknown) {
			t.Errorf("%s: who trusts another authority says %v", asked, err)
		}
		if life := c.Leaf.NotAfter.Sub(c.Leaf.NotBefore); life > 398*24*time.Hour {
			t.Errorf("%s: it lives for %v", asked, life)
		}
		if again, _ := a.Certificate(&tls.ClientHelloInfo{ServerName: asked}); again != c {
			t.Errorf("%s: another one is made for each connection", asked)
		}
	}
}

// Each flaw is the one that clients find.
func TestFlaws(t *testing.T) {
	t.Parallel()
	a := open(t, "")
	for _, flaw := range localca.Flaws() {
		c, err := a.Flawed(flaw, "127.0.0.1")
		if err != nil {
			t.Fatalf("%s: %v", flaw, err)
		}
		err = verify(t, a, c, "127.0.0.1")
		var unknown x509.UnknownAuthorityError
		var invalid x509.CertificateInvalidError
		var host x509.HostnameError
		found := map[localca.Flaw]bool{
			localca.None:                err == nil,
			localca.SelfSigned:          errors.As(err, &unknown),
			localca.MissingIntermediate: errors.As(err, &unknown),
			localca.Expired:             errors.As(err, &invalid) && invalid.Reason == x509.Expired,
			localca.OtherName:           errors.As(err, &host),
		}
		if !found[flaw] {
			t.Errorf("%s: got %v", flaw, err)
		}
	}
}

// An authority stays in its directory, its key for its owner alone; what is there
// and is none is not replaced.
func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir)
	if again := open(t, dir); string(again.PEM()) != string(first.PEM()) {
		t.Error("another authority")
	}
	info, err := os.Stat(filepath.Join(dir, "ca-key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(dir, localca.CertificateFile), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := localca.Open(dir); err == nil || !strings.Contains(err.Error(), "read the certificate authority") {
		t.Errorf("got %v", err)
	}
	if _, err := localca.Open(filepath.Join(dir, "not", "there")); err == nil {
		t.Error("an authority in a directory that is not there")
	}
}

// Connections come at once, for more names than are kept.
func TestManyNames(t *testing.T) {
	t.Parallel()
	a := open(t, "")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 30 {
				name := "n" + string(rune('a'+i)) + string(rune('a'+n%26)) + ".test"
				c, err := a.Certificate(&tls.ClientHelloInfo{ServerName: name})
				if err != nil {
					t.Error(err)
					return
				}
				if err := verify(t, a, c, name); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
