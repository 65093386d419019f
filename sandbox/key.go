package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"

	"github.com/sandfhir/sandfhir/internal/jose"
)

// Algorithm is a signature algorithm of SMART (SMART App Launch 2.2,
// client-confidential-asymmetric).
type Algorithm string

// The algorithms that a client can sign its assertions with.
const (
	ES384 Algorithm = jose.ES384 // ECDSA on P-384
	RS384 Algorithm = jose.RS384 // RSA, PKCS #1 v1.5
)

// rsaBits is the size of the RSA keys made here.
const rsaBits = 2048

// privateKey is the key of a client.
type privateKey struct {
	*jose.Key
	alg Algorithm
	id  string // the kid
}

// newPrivateKey makes the key that cfg asks for, or takes its Key.
func newPrivateKey(cfg ClientConfig) (*privateKey, error) {
	k := &privateKey{alg: cfg.Algorithm}
	switch key := cfg.Key.(type) {
	case nil:
		if k.alg == "" {
			k.alg = ES384
		}
		if k.alg != ES384 && k.alg != RS384 {
			return nil, fmt.Errorf("Algorithm: %q is neither ES384 nor RS384", cfg.Algorithm)
		}
		var err error
		if k.Key, err = jose.Generate(string(k.alg), rsaBits); err != nil {
			return nil, err
		}
	case *ecdsa.PrivateKey:
		if key.Curve != elliptic.P384() {
			return nil, fmt.Errorf("Key: it is on curve %s; ES384 needs P-384", key.Params().Name)
		}
		k.Key = &jose.Key{Private: key, Public: key.Public()}
	case *rsa.PrivateKey:
		if len(key.Primes) != 2 {
			return nil, fmt.Errorf("Key: an RSA key of %d primes; 2 are usual", len(key.Primes))
		}
		k.Key = &jose.Key{Private: key, Public: key.Public()}
	default:
		return nil, fmt.Errorf("Key: a %T is none of *ecdsa.PrivateKey and *rsa.PrivateKey", cfg.Key)
	}
	fits, err := k.Key.Algorithm()
	if err != nil {
		return nil, fmt.Errorf("Key: %w", err)
	}
	if k.alg != "" && string(k.alg) != fits {
		return nil, fmt.Errorf("Algorithm: the key signs %s, not %s", fits, k.alg)
	}
	k.alg, k.Key.ID = Algorithm(fits), cfg.KeyID
	k.id, err = k.KeyID()
	return k, err
}

// sign signs for a header that names alg, as far as this key can. An algorithm
// without a key pair gets what its name promises: none nothing, HS… a code
// with the public key for its secret, which is how servers that take a public
// key for a secret are tricked.
func (k *privateKey) sign(alg string, input []byte) ([]byte, error) {
	switch {
	case strings.EqualFold(alg, "none"):
		return nil, nil
	case strings.HasPrefix(alg, "HS"):
		public, err := k.PublicPEM()
		if err != nil {
			return nil, err
		}
		mac := hmac.New(jose.HashOf(alg).New, public)
		mac.Write(input)
		return mac.Sum(nil), nil
	}
	return k.Sign(alg, input)
}

// inASN1 turns r and s side by side into ASN.1.
func inASN1(signature []byte) ([]byte, error) {
	half := len(signature) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])})
}
