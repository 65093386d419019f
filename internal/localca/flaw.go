package localca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"time"
)

// A Flaw is what is wrong with a certificate.
type Flaw string

// The flaws.
const (
	None                Flaw = "trusted"              // nothing, for whoever trusts the authority
	SelfSigned          Flaw = "self-signed"          // no authority has signed it
	Expired             Flaw = "expired"              // its time ended yesterday
	OtherName           Flaw = "other-name"           // it is for another host
	MissingIntermediate Flaw = "missing-intermediate" // the chain lacks the authority between it and the trusted one
)

// Flaws returns all of them.
func Flaws() []Flaw { return []Flaw{None, SelfSigned, Expired, OtherName, MissingIntermediate} }

// otherHost is the host that certificates are for that are for another one.
const otherHost = "another.example"

// Flawed makes a certificate for a name or address, with a flaw.
func (a *Authority) Flawed(flaw Flaw, name string) (*tls.Certificate, error) {
	if flaw == OtherName {
		name = otherHost
	}
	key, template, err := a.server(name)
	if err != nil {
		return nil, err
	}
	parent, signer, chain := a.cert, a.key, [][]byte{a.cert.Raw}
	switch flaw {
	case Expired:
		template.NotBefore, template.NotAfter = template.NotBefore.Add(-48*time.Hour), template.NotBefore.Add(-24*time.Hour)
	case SelfSigned:
		parent, signer, chain = template, key, nil
	case MissingIntermediate:
		if parent, signer, err = a.intermediate(); err != nil {
			return nil, err
		}
		chain = nil
	}
	leaf, err := sign(template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: append([][]byte{leaf.Raw}, chain...), PrivateKey: key, Leaf: leaf}, nil
}

// intermediate makes an authority below this one.
func (a *Authority) intermediate() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Sandfhir intermediate"},
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	cert, err := sign(template, a.cert, &key.PublicKey, a.key)
	return cert, key, err
}
