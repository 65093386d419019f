package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	_ "crypto/sha512" // SHA-384 and SHA-512
)

// SignJWT returns the JWT of the header and the claims in compact form (RFC 7515 section 3.1),
// signed with the algorithm that the header names.
func (k *Key) SignJWT(header, claims map[string]any) (string, error) {
	alg, ok := header["alg"].(string)
	if !ok {
		return "", errors.New("the header names no alg")
	}
	input, err := SigningInput(header, claims)
	if err != nil {
		return "", err
	}
	signature, err := k.Sign(alg, []byte(input))
	if err != nil {
		return "", err
	}
	return input + "." + Encode(signature), nil
}

// AssertionLife is how long a client assertion is good for. SMART allows five minutes; less leaves
// room for clocks that differ.
const AssertionLife = 4 * time.Minute

// ClientAssertion returns a signed client assertion for the token endpoint audience (SMART App
// Launch 2.2, client-confidential-asymmetric, Authentication JWT). kid names the key to the server.
func (k *Key) ClientAssertion(kid, client, audience string, now time.Time) (string, error) {
	alg, err := k.Algorithm()
	if err != nil {
		return "", err
	}
	return k.SignJWT(map[string]any{"typ": "JWT", "alg": alg, "kid": kid}, map[string]any{
		"iss": client,
		"sub": client,
		"aud": audience,
		"iat": now.Unix(),
		"exp": now.Add(AssertionLife).Unix(),
		"jti": rand.Text(),
	})
}

// SigningInput returns what the signature of a JWT is over (RFC 7515 section 5.1).
func SigningInput(header, claims map[string]any) (string, error) {
	h, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("encode the header: %w", err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode the claims: %w", err)
	}
	return Encode(h) + "." + Encode(c), nil
}

// Sign signs with the hash and the padding that alg names, by this key's kind of signature: an
// ES384 by an RSA key is an RSA signature.
func (k *Key) Sign(alg string, input []byte) ([]byte, error) {
	if k.Private == nil {
		return nil, errors.New("sign: only the public half of the key is known")
	}
	h := HashOf(alg).New()
	h.Write(input)
	var opts crypto.SignerOpts = HashOf(alg)
	if strings.HasPrefix(alg, "PS") {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: HashOf(alg)}
	}
	signature, err := k.Private.Sign(rand.Reader, h.Sum(nil), opts)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if key, ok := k.Private.(*ecdsa.PrivateKey); ok {
		return sideBySide(signature, (key.Params().BitSize+7)/8)
	}
	return signature, nil
}

// HashOf returns the hash that an algorithm names, SHA-384 where it names none.
func HashOf(alg string) crypto.Hash {
	switch {
	case strings.HasSuffix(alg, "256"):
		return crypto.SHA256
	case strings.HasSuffix(alg, "512"):
		return crypto.SHA512
	}
	return crypto.SHA384
}

// sideBySide turns an ECDSA signature in ASN.1 into r and s of size octets each (RFC 7518 section
// 3.4).
func sideBySide(signature []byte, size int) ([]byte, error) {
	var p struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &p); err != nil {
		return nil, fmt.Errorf("read the signature: %w", err)
	}
	out := make([]byte, 2*size)
	p.R.FillBytes(out[:size])
	p.S.FillBytes(out[size:])
	return out, nil
}
