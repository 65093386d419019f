package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// The algorithms of SMART (SMART App Launch 2.2, client-confidential-asymmetric).
const (
	ES384 = "ES384" // ECDSA on P-384
	RS384 = "RS384" // RSA, PKCS #1 v1.5
)

// MinBits is the least size of an RSA key (RFC 7518 section 3.3).
const MinBits = 2048

// A Key is a key pair, or the public half of one.
type Key struct {
	Private crypto.Signer    // *ecdsa.PrivateKey or *rsa.PrivateKey; nil where the file has the public half only
	Public  crypto.PublicKey // *ecdsa.PublicKey or *rsa.PublicKey
	ID      string           // the JWK's kid, "" where there is none
	Alg     string           // the JWK's alg, "" where there is none
	// Members are the JWK's members without the private ones, as they were
	// written; nil for a key that was not a JWK.
	Members map[string]json.RawMessage
}

// Generate makes a key pair for one of SMART's algorithms. bits is the size of an RSA key.
func Generate(algorithm string, bits int) (*Key, error) {
	var private crypto.Signer
	var err error
	switch algorithm {
	case ES384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case RS384:
		private, err = rsa.GenerateKey(rand.Reader, bits)
	default:
		return nil, fmt.Errorf("%q is neither ES384 nor RS384", algorithm)
	}
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return &Key{Private: private, Public: private.Public()}, nil
}

// Algorithm returns the algorithm of SMART that the key signs. It judges the kind of key only; its
// strength is judged where it is used.
func (k *Key) Algorithm() (string, error) {
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		return RS384, nil
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P384() {
			return "", fmt.Errorf("the key is on curve %s; ES384 needs P-384", public.Params().Name)
		}
		return ES384, nil
	}
	return "", fmt.Errorf("a %T is no key for SMART, which has RSA and EC P-384", k.Public)
}

// Describe says what kind of key it is: "RSA of 2048 bits", "EC on P-384".
func (k *Key) Describe() string {
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA of %d bits", public.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC on " + public.Params().Name
	}
	return fmt.Sprintf("%T", k.Public)
}

// Bits is the size of the key: of the modulus, or of the curve.
func (k *Key) Bits() int {
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		return public.N.BitLen()
	case *ecdsa.PublicKey:
		return public.Params().BitSize
	}
	return 0
}

// KeyID is the name by which a server knows the key: its kid, or where it has none its thumbprint.
func (k *Key) KeyID() (string, error) {
	if k.ID != "" {
		return k.ID, nil
	}
	return k.Thumbprint()
}

// Thumbprint is the key's own name: SHA-256 in base64url (RFC 7638).
func (k *Key) Thumbprint() (string, error) {
	public, err := k.publicNumbers()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(public) // members in the order of their names, as the RFC wants them
	if err != nil {
		return "", fmt.Errorf("encode the key: %w", err)
	}
	sum := sha256.Sum256(text)
	return Encode(sum[:]), nil
}

// Encode writes octets as JOSE does: base64url without padding (RFC 7515 section 2).
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
