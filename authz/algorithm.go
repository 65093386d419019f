package authz

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// keyType returns the kty and, for EC, the curve that an algorithm needs (RFC
// 7518 section 3.1); "" for an algorithm that no public key serves.
func keyType(alg string) (kty, crv string) {
	switch alg {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		return "RSA", ""
	case "ES256":
		return "EC", "P-256"
	case "ES384":
		return "EC", "P-384"
	case "ES512":
		return "EC", "P-521"
	}
	return "", ""
}

// isSymmetric reports whether alg is none or an HMAC: nothing that a public
// key may ever verify.
func isSymmetric(alg string) bool {
	return strings.EqualFold(alg, "none") || strings.HasPrefix(strings.ToUpper(alg), "HS")
}

// verifies reports whether the signature over the input is the key's under an
// algorithm of SupportedAlgorithms. A key whose type or curve does not fit
// never verifies.
func verifies(alg string, key *publicKey, input string, signature []byte) bool {
	kty, crv := keyType(alg)
	switch key.raw.(type) {
	case *rsa.PublicKey:
		if kty != "RSA" {
			return false
		}
	case *ecdsa.PublicKey:
		if kty != "EC" || key.crv != crv {
			return false
		}
	default:
		return false
	}
	verifier, err := jws.NewVerifier(jwa.SignatureAlgorithm(alg))
	if err != nil {
		return false
	}
	return verifier.Verify([]byte(input), signature, key.raw) == nil
}

// rawSignature turns an ASN.1 signature of ECDSA into r and s side by side,
// each of size octets (RFC 7518 section 3.4); ok is false if it is none.
func rawSignature(signature []byte, size int) (raw []byte, ok bool) {
	var pair struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(signature, &pair)
	if err != nil || len(rest) > 0 || pair.R.Sign() <= 0 || pair.S.Sign() <= 0 {
		return nil, false
	}
	if len(pair.R.Bytes()) > size || len(pair.S.Bytes()) > size {
		return nil, false
	}
	raw = make([]byte, 2*size)
	pair.R.FillBytes(raw[:size])
	pair.S.FillBytes(raw[size:])
	return raw, true
}
