package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"

	_ "crypto/sha512" // SHA-384 and SHA-512
)

// Algorithm is a signature algorithm of SMART (SMART App Launch 2.2,
// client-confidential-asymmetric).
type Algorithm string

// The algorithms that a client can sign its assertions with.
const (
	ES384 Algorithm = "ES384" // ECDSA on P-384
	RS384 Algorithm = "RS384" // RSA, PKCS #1 v1.5
)

// rsaBits is the size of the RSA keys made here.
const rsaBits = 2048

// privateKey is the key of a client.
type privateKey struct {
	signer crypto.Signer // *ecdsa.PrivateKey on P-384 or *rsa.PrivateKey
	alg    Algorithm
	id     string // the kid
}

// newPrivateKey makes the key that cfg asks for, or takes its Key.
func newPrivateKey(cfg ClientConfig) (*privateKey, error) {
	k := &privateKey{signer: cfg.Key, alg: cfg.Algorithm, id: cfg.KeyID}
	if k.signer == nil {
		var err error
		switch cfg.Algorithm {
		case "", ES384:
			k.signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		case RS384:
			k.signer, err = rsa.GenerateKey(rand.Reader, rsaBits)
		default:
			return nil, fmt.Errorf("Algorithm: %q is neither ES384 nor RS384", cfg.Algorithm)
		}
		if err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
	}
	var fits Algorithm
	switch key := k.signer.(type) {
	case *ecdsa.PrivateKey:
		if key.Curve != elliptic.P384() {
			return nil, fmt.Errorf("Key: it is on curve %s; ES384 needs P-384", key.Params().Name)
		}
		fits = ES384
	case *rsa.PrivateKey:
		fits = RS384
	default:
		return nil, fmt.Errorf("Key: a %T is none of *ecdsa.PrivateKey and *rsa.PrivateKey", cfg.Key)
	}
	if k.alg != "" && k.alg != fits {
		return nil, fmt.Errorf("Algorithm: the key signs %s, not %s", fits, k.alg)
	}
	k.alg = fits
	if k.id == "" {
		id, err := k.thumbprint()
		if err != nil {
			return nil, err
		}
		k.id = id
	}
	return k, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// numbers are the members of the JWK that make the key (RFC 7518 section 6):
// the public ones, and those that a private key adds.
func (k *privateKey) numbers() (public, private map[string]string, err error) {
	switch key := k.signer.(type) {
	case *ecdsa.PrivateKey:
		point, err := key.PublicKey.Bytes()
		if err != nil {
			return nil, nil, fmt.Errorf("encode the key: %w", err)
		}
		d, err := key.Bytes()
		if err != nil {
			return nil, nil, fmt.Errorf("encode the key: %w", err)
		}
		size := len(point) / 2 // the first byte says that both coordinates follow
		return map[string]string{"kty": "EC", "crv": "P-384", "x": encode(point[1 : 1+size]), "y": encode(point[1+size:])},
			map[string]string{"d": encode(d)}, nil
	case *rsa.PrivateKey:
		if len(key.Primes) != 2 {
			return nil, nil, fmt.Errorf("Key: an RSA key of %d primes; 2 are usual", len(key.Primes))
		}
		key.Precompute()
		return map[string]string{"kty": "RSA", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes())},
			map[string]string{
				"d": encode(key.D.Bytes()), "p": encode(key.Primes[0].Bytes()), "q": encode(key.Primes[1].Bytes()),
				"dp": encode(key.Precomputed.Dp.Bytes()), "dq": encode(key.Precomputed.Dq.Bytes()), "qi": encode(key.Precomputed.Qinv.Bytes()),
			}, nil
	}
	return nil, nil, fmt.Errorf("a %T is no key of a client", k.signer)
}

// thumbprint is the key's own name (RFC 7638).
func (k *privateKey) thumbprint() (string, error) {
	public, _, err := k.numbers()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(public) // members in the order of their names, as the RFC wants them
	if err != nil {
		return "", fmt.Errorf("encode the key: %w", err)
	}
	sum := sha256.Sum256(text)
	return encode(sum[:]), nil
}

// jwk returns the key as a JWK, the private one or its public half.
func (k *privateKey) jwk(private bool) (map[string]string, error) {
	members, secret, err := k.numbers()
	if err != nil {
		return nil, err
	}
	members["kid"], members["alg"], members["use"] = k.id, string(k.alg), "sig"
	if private {
		for name, value := range secret {
			members[name] = value
		}
	}
	return members, nil
}

// jwks returns the public half as a JWK Set (RFC 7517 section 5).
func (k *privateKey) jwks() ([]byte, error) {
	public, err := k.jwk(false)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"keys": []any{public}})
}

// pem returns the private key in PKCS #8.
func (k *privateKey) pem() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// sign signs for a header that names alg, as far as this key can: with the
// hash that alg names and the padding, by this key's kind of signature. An
// algorithm without a key pair gets what its name promises: none nothing, HS…
// a code with the public key for its secret, which is how servers that take a
// public key for a secret are tricked.
func (k *privateKey) sign(alg string, input []byte) ([]byte, error) {
	if strings.EqualFold(alg, "none") {
		return nil, nil
	}
	hash := crypto.SHA384
	switch {
	case strings.HasSuffix(alg, "256"):
		hash = crypto.SHA256
	case strings.HasSuffix(alg, "512"):
		hash = crypto.SHA512
	}
	if strings.HasPrefix(alg, "HS") {
		public, err := x509.MarshalPKIXPublicKey(k.signer.Public())
		if err != nil {
			return nil, fmt.Errorf("encode the key: %w", err)
		}
		mac := hmac.New(hash.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
		mac.Write(input)
		return mac.Sum(nil), nil
	}
	h := hash.New()
	h.Write(input)
	var opts crypto.SignerOpts = hash
	if strings.HasPrefix(alg, "PS") {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	signature, err := k.signer.Sign(rand.Reader, h.Sum(nil), opts)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if key, ok := k.signer.(*ecdsa.PrivateKey); ok {
		return sideBySide(signature, (key.Params().BitSize+7)/8)
	}
	return signature, nil
}

// point is an ECDSA signature as ASN.1 has it.
type point struct{ R, S *big.Int }

// sideBySide turns an ECDSA signature in ASN.1 into r and s of size octets each
// (RFC 7518 section 3.4).
func sideBySide(signature []byte, size int) ([]byte, error) {
	var p point
	if _, err := asn1.Unmarshal(signature, &p); err != nil {
		return nil, fmt.Errorf("read the signature: %w", err)
	}
	out := make([]byte, 2*size)
	p.R.FillBytes(out[:size])
	p.S.FillBytes(out[size:])
	return out, nil
}

// inASN1 turns r and s side by side into ASN.1.
func inASN1(signature []byte) ([]byte, error) {
	half := len(signature) / 2
	return asn1.Marshal(point{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])})
}
