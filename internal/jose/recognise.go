package jose

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"strings"
)

// Recognised is a key or a certificate that was found where something else was wanted, named for
// what it is.
type Recognised struct {
	Name        string // with its article: "a private key (PKCS #8)"
	IsPrivate   bool
	Certificate bool
	Key         *Key // its public half; nil where it cannot be read
}

// Recognise returns the first PEM block of a text, or the DER that all of it is the base64 of. It
// goes by the block's label, so that one is recognised that was cut or encrypted.
func Recognise(text string) (r Recognised, ok bool) {
	label, der := "", []byte(nil)
	if _, rest, found := strings.Cut(text, "-----BEGIN "); found {
		var body string
		label, body, _ = strings.Cut(rest, "-----")
		body, _, _ = strings.Cut(body, "-----")
		der, _ = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), "")) // a broken one has its label
	} else if der, _ = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); len(der) == 0 || der[0] != 0x30 {
		return r, false
	}
	found, key := parseDER(der)
	if label == "" {
		label = found
	}
	if label == "" {
		return r, false
	}
	r = Recognised{Name: nameOf(label), IsPrivate: strings.Contains(label, "PRIVATE KEY"), Certificate: strings.Contains(label, "CERTIFICATE")}
	if signer, isPrivate := key.(crypto.Signer); isPrivate {
		r.IsPrivate, key = true, signer.Public()
	}
	if key != nil {
		r.Key = &Key{Public: key}
	}
	return r, true
}

// nameOf names what a label promises.
func nameOf(label string) string {
	for _, l := range labels() {
		if l.label == label {
			return l.name
		}
	}
	return "PEM (" + clip(label) + ")"
}

// formOf returns the form that a label promises, "" for one that promises no key.
func formOf(label string) Form {
	for _, l := range labels() {
		if l.label == label {
			return l.form
		}
	}
	return ""
}

type labelled struct {
	label string // of PEM (RFC 7468)
	form  Form   // "" is none that a key is read from
	name  string
}

func labels() []labelled {
	return []labelled{
		{"PRIVATE KEY", PKCS8PEM, "a private key (PKCS #8)"},
		{"RSA PRIVATE KEY", PKCS1PEM, "a private RSA key (PKCS #1)"},
		{"EC PRIVATE KEY", SEC1PEM, "a private EC key (SEC 1)"},
		{"PUBLIC KEY", PublicKeyPEM, "a public key (SPKI)"},
		{"RSA PUBLIC KEY", PublicKeyPEM, "a public RSA key (PKCS #1)"},
		{"CERTIFICATE", Certificate, "an X.509 certificate"},
		{"X509 CERTIFICATE", Certificate, "an X.509 certificate"},
		{"TRUSTED CERTIFICATE", Certificate, "an X.509 certificate"},
		{"ENCRYPTED PRIVATE KEY", "", "an encrypted private key (PKCS #8)"},
		{"CERTIFICATE REQUEST", "", "a certificate request"},
	}
}

// parseDER returns the key in DER, of a certificate the one that it certifies, and the label that
// PEM has for it; "" where it is none of these.
func parseDER(der []byte) (label string, key any) {
	for _, reading := range []struct {
		label string
		parse func([]byte) (any, error)
	}{
		{"PRIVATE KEY", x509.ParsePKCS8PrivateKey},
		{"RSA PRIVATE KEY", func(b []byte) (any, error) { return x509.ParsePKCS1PrivateKey(b) }},
		{"EC PRIVATE KEY", func(b []byte) (any, error) { return x509.ParseECPrivateKey(b) }},
		{"PUBLIC KEY", x509.ParsePKIXPublicKey},
		{"RSA PUBLIC KEY", func(b []byte) (any, error) { return x509.ParsePKCS1PublicKey(b) }},
		{"CERTIFICATE", certified},
	} {
		if key, err := reading.parse(der); err == nil {
			return reading.label, key
		}
	}
	return "", nil
}

func certified(der []byte) (any, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return cert.PublicKey, nil
}
