package authztest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"time"
)

// Key is a client's key pair.
type Key struct {
	ID      string // the kid
	Private crypto.Signer
}

// NewRSAKey makes an RSA key pair. It panics if the system has no randomness.
func NewRSAKey(kid string, bits int) *Key {
	private, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return &Key{ID: kid, Private: private}
}

// NewECKey makes an EC key pair; ES384 needs elliptic.P384.
func NewECKey(kid string, curve elliptic.Curve) *Key {
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return &Key{ID: kid, Private: private}
}

// WithID returns the same pair under another kid.
func (k *Key) WithID(kid string) *Key { return &Key{ID: kid, Private: k.Private} }

// Alg returns the algorithm of SMART that the key signs: RS384 or ES384, and
// ES256 or ES512 on the other curves.
func (k *Key) Alg() string {
	if key, ok := k.Private.(*ecdsa.PrivateKey); ok {
		switch key.Curve {
		case elliptic.P256():
			return "ES256"
		case elliptic.P521():
			return "ES512"
		}
		return "ES384"
	}
	return "RS384"
}

// JWK returns the public half as a JWK without optional members.
func (k *Key) JWK() map[string]any {
	switch key := k.Private.(type) {
	case *rsa.PrivateKey:
		return map[string]any{"kty": "RSA", "kid": k.ID,
			"n": Encode(key.N.Bytes()), "e": Encode(big.NewInt(int64(key.E)).Bytes())}
	case *ecdsa.PrivateKey:
		size := (key.Params().BitSize + 7) / 8
		point, err := key.PublicKey.Bytes()
		if err != nil {
			panic(err)
		}
		return map[string]any{"kty": "EC", "kid": k.ID, "crv": key.Params().Name,
			"x": Encode(point[1 : 1+size]), "y": Encode(point[1+size:])}
	}
	panic(fmt.Sprintf("no JWK for %T", k.Private))
}

// JWKS returns a JWK Set of the public halves.
func JWKS(keys ...*Key) []byte {
	set := make([]map[string]any, len(keys))
	for i, k := range keys {
		set[i] = k.JWK()
	}
	return RawJWKS(set...)
}

// RawJWKS returns a JWK Set of any objects.
func RawJWKS(keys ...map[string]any) []byte {
	if keys == nil {
		keys = []map[string]any{}
	}
	data, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	return data
}

// Assertion is a client assertion before it is signed. A nil value in a map
// stands for a member that is left out.
type Assertion struct {
	Header map[string]any
	Claims map[string]any
}

// NewAssertion returns what SMART wants of an assertion: exp four minutes
// ahead, a fresh jti, neither iat nor nbf.
func (k *Key) NewAssertion(clientID, tokenURL string, now time.Time) Assertion {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		panic(err)
	}
	return Assertion{
		Header: map[string]any{"alg": k.Alg(), "kid": k.ID, "typ": "JWT"},
		Claims: map[string]any{"iss": clientID, "sub": clientID, "aud": tokenURL,
			"exp": now.Unix() + 240, "jti": hex.EncodeToString(id)},
	}
}

// Sign returns the compact JWS, signed with the algorithm that the header
// names.
func (k *Key) Sign(a Assertion) string {
	alg, _ := a.Header["alg"].(string)
	return k.SignAs(a, alg)
}

// SignAs returns the compact JWS, signed with alg whatever the header says:
// RS, PS and ES algorithms, HS ones with the public modulus as the secret,
// "DER" for ECDSA in ASN.1, "none" for no signature.
func (k *Key) SignAs(a Assertion, alg string) string {
	input := Encode(encodeMembers(a.Header)) + "." + Encode(encodeMembers(a.Claims))
	return input + "." + Encode(k.Signature(input, alg))
}

func encodeMembers(m map[string]any) []byte {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	data, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return data
}

// Signature signs bytes with an algorithm of RFC 7518 section 3.1; see SignAs.
func (k *Key) Signature(input, alg string) []byte {
	hash := hashOf(alg)
	h := hash.New()
	h.Write([]byte(input))
	sum := h.Sum(nil)
	var signature []byte
	var err error
	switch key := k.Private.(type) {
	case *rsa.PrivateKey:
		switch {
		case strings.HasPrefix(alg, "PS"):
			signature, err = rsa.SignPSS(rand.Reader, key, hash, sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		case strings.HasPrefix(alg, "HS"):
			mac := hmac.New(hash.New, key.N.Bytes())
			mac.Write([]byte(input))
			signature = mac.Sum(nil)
		case strings.HasPrefix(alg, "RS"):
			signature, err = rsa.SignPKCS1v15(rand.Reader, key, hash, sum)
		}
	case *ecdsa.PrivateKey:
		signature, err = ecdsa.SignASN1(rand.Reader, key, sum)
		if err == nil && alg != "DER" {
			signature = joined(signature, (key.Params().BitSize+7)/8)
		}
	}
	if err != nil {
		panic(err)
	}
	if alg == "none" {
		return nil
	}
	return signature
}

func hashOf(alg string) crypto.Hash {
	if len(alg) == 5 {
		switch alg[2:] {
		case "256":
			return crypto.SHA256
		case "512":
			return crypto.SHA512
		}
	}
	return crypto.SHA384
}

// joined turns an ASN.1 signature into r and s side by side.
func joined(der []byte, size int) []byte {
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		panic(err)
	}
	raw := make([]byte, 2*size)
	pair.R.FillBytes(raw[:size])
	pair.S.FillBytes(raw[size:])
	return raw
}

// Encode is base64url without padding.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
