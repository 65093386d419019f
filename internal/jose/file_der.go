package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
)

// readDER reads a key in DER that the label, "" where there was none, says something about. What
// it is decides, not what it is called.
func (f *File) readDER(label string, der []byte) error {
	found, key := parseDER(der)
	switch {
	case found == "":
		return unknownDER(der)
	case label == "" && found == "CERTIFICATE":
		f.Form = Certificate
	case label != "" && label != found && formOf(label) != formOf(found):
		f.odd("is labelled " + label + " and holds a " + found)
	}
	return f.addParsed(key)
}

// maxBits bounds the work that an RSA key can cost.
const maxBits = 16384

// addParsed keeps a key of package x509's.
func (f *File) addParsed(key any) error {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		f.add(key, key.Public())
	case *ecdsa.PrivateKey:
		f.add(key, key.Public())
	case *rsa.PublicKey:
		if key.N.BitLen() > maxBits {
			return &FileError{Finding: "A22", Text: fmt.Sprintf("the RSA key has %d bits, more than anybody computes with.", key.N.BitLen()), Fix: "Make a key pair for the client.", Command: newPair}
		}
		f.add(nil, key)
	case *ecdsa.PublicKey:
		f.add(nil, crypto.PublicKey(key))
	case ed25519.PrivateKey, ed25519.PublicKey:
		return otherKind("an Ed25519 key (EdDSA)")
	default:
		return otherKind(fmt.Sprintf("a %T", key))
	}
	return nil
}

// otherKind refuses a key that SMART has no algorithm for.
func otherKind(what string) error {
	return &FileError{Finding: "A14", Text: "this is " + what + ", which is not part of SMART: it signs with RSA (RS384) and EC P-384 (ES384).", Fix: "Make a key pair for the client.", Command: newPair}
}

// unknownDER says what DER is that none of the readings takes.
func unknownDER(der []byte) error {
	// An encrypted key, a PKCS #12 file and a key of an unknown kind all say what they are near
	// their beginning, by an object identifier.
	head := der[:min(len(der), 96)]
	damaged := &FileError{Finding: "A19", Text: "the key is cut or changed: what it holds is no private key in PKCS #8, PKCS #1 or SEC 1.", Fix: "Copy the whole file again."}
	for _, known := range []struct {
		id   asn1.ObjectIdentifier
		what error
	}{
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, &FileError{Finding: "A19", Text: "this is a PKCS #12 file (.p12, .pfx).",
			Fix: "Take the key out of it.", Command: "openssl pkcs12 -in FILE -nocerts -nodes -out key.pem"}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, &FileError{Finding: "A19", Text: "the private key is encrypted with a passphrase, and a client that runs by itself has nobody to type it.",
			Fix: "Decrypt it, and keep the new file as secret as the passphrase.", Command: "openssl pkey -inform DER -in FILE -out key.pem"}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}, otherKind("an RSA key that is restricted to PSS")},
		{asn1.ObjectIdentifier{1, 3, 101, 113}, otherKind("an Ed448 key (EdDSA)")},
		{asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}, otherKind("a DSA key")},
		{asn1.ObjectIdentifier{1, 3, 132, 0, 10}, &FileError{Finding: "A17", Text: "the key is on curve secp256k1, Bitcoin's; ES384 needs P-384 (secp384r1).", Fix: "Make a key pair on it.", Command: newPair + " --alg ES384"}},
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, damaged}, // P-256
		{asn1.ObjectIdentifier{1, 3, 132, 0, 34}, damaged},          // P-384
		{asn1.ObjectIdentifier{1, 3, 132, 0, 35}, damaged},          // P-521
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, &FileError{Finding: "A17", Text: "the key is on a curve that is none of P-256, P-384 and P-521, or writes its curve out instead of naming it; ES384 needs P-384 (secp384r1).", Fix: "Make a key pair on it.", Command: newPair + " --alg ES384"}},
	} {
		if id, err := asn1.Marshal(known.id); err == nil && bytes.Contains(head, id) {
			return known.what
		}
	}
	return damaged
}
