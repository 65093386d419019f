package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// readJSON reads a JWK, a JWK Set, or a bare array of JWKs.
func (f *File) readJSON(data []byte) error {
	f.Form = JWKSet
	var list []json.RawMessage
	var object map[string]json.RawMessage
	switch err := json.Unmarshal(data, &object); {
	case json.Unmarshal(data, &list) == nil:
		f.odd("is an array of keys and not a JWK Set, which is an object with keys in it")
	case err != nil:
		return &FileError{Finding: "A19", Text: "this begins like JSON and is not valid JSON (" + strings.TrimPrefix(err.Error(), "json: ") + "): neither a PEM private key nor a JWK.", Fix: "Copy the whole file again."}
	case object["keys"] != nil:
		if json.Unmarshal(object["keys"], &list) != nil {
			return &FileError{Finding: "A19", Text: "the member keys is no array of JWKs."}
		}
	default:
		f.Form = JWK
		list = []json.RawMessage{data}
	}
	if len(list) == 0 {
		return &FileError{Finding: "A19", Text: "the JWK Set holds no key."}
	}
	for i, entry := range list {
		k, err := readJWK(entry)
		if err != nil {
			if len(list) > 1 {
				err.Text = fmt.Sprintf("key %d of the set: %s", i+1, err.Text)
			}
			return err
		}
		f.Keys = append(f.Keys, k)
	}
	return nil
}

// PrivateMembers are the members of a JWK that no published key may have (RFC 7518 sections 6.2.2,
// 6.3.2 and 6.4).
func PrivateMembers() []string { return []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} }

// readJWK reads one key.
func readJWK(data []byte) (*Key, *FileError) {
	k := &Key{}
	private := map[string]json.RawMessage{}
	if json.Unmarshal(data, &k.Members) != nil || k.Members == nil {
		return nil, &FileError{Finding: "A19", Text: "it is no JSON object, as a JWK is."}
	}
	for _, name := range PrivateMembers() {
		if value, ok := k.Members[name]; ok {
			private[name] = value
			delete(k.Members, name)
		}
	}
	k.ID, k.Alg = text(k.Members["kid"]), text(k.Members["alg"])
	var err *FileError
	switch kty := text(k.Members["kty"]); kty {
	case "EC":
		err = k.readEC(private)
	case "RSA":
		err = k.readRSA(private)
	case "oct":
		err = &FileError{Finding: "A14", Text: "this is a symmetric key (kty oct), which is not for SMART: it signs with RSA (RS384) and EC P-384 (ES384).", Fix: "Make a key pair for the client.", Command: newPair}
	case "":
		err = &FileError{Finding: "A19", Text: "the JSON has no kty and is no JWK."}
	default:
		err = &FileError{Finding: "A14", Text: fmt.Sprintf("this is a key of kty %q, which is not for SMART: it signs with RSA (RS384) and EC P-384 (ES384).", clip(kty)), Fix: "Make a key pair for the client.", Command: newPair}
	}
	return k, err
}

func (k *Key) readEC(private map[string]json.RawMessage) *FileError {
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
	crv := text(k.Members["crv"])
	curve, ok := curves[crv]
	if !ok {
		return &FileError{Finding: "A17", Text: fmt.Sprintf("the key is on curve %q; ES384 needs P-384.", clip(crv)), Fix: "Make a key pair on it.", Command: newPair + " --alg ES384"}
	}
	size := (curve.Params().BitSize + 7) / 8
	point := []byte{4}
	for _, name := range []string{"x", "y"} {
		n, err := number(name, k.Members[name])
		if err != nil {
			return err
		}
		if n.BitLen() > 8*size {
			return &FileError{Finding: "A18", Text: fmt.Sprintf("the member %s is longer than curve %s has it.", name, crv), Fix: "Export the key again."}
		}
		point = append(point, n.FillBytes(make([]byte, size))...)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return &FileError{Finding: "A18", Text: "the point (x, y) is not on curve " + crv + ".", Fix: "Export the key again."}
	}
	k.Public = public
	if private["d"] == nil {
		return nil
	}
	d, wrong := number("d", private["d"])
	if wrong != nil {
		return wrong
	}
	if d.BitLen() > 8*size {
		return &FileError{Finding: "A18", Text: "the member d is longer than curve " + crv + " has it.", Fix: "Export the key again."}
	}
	key, err := ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, size)))
	if err != nil {
		return &FileError{Finding: "A18", Text: "the member d is no private key of curve " + crv + ".", Fix: "Export the key again."}
	}
	if !key.PublicKey.Equal(public) {
		return &FileError{Finding: "A18", Text: "the private half d and the public half x, y are of two key pairs.", Fix: "Export the key again."}
	}
	k.Private, k.Public = key, &key.PublicKey
	return nil
}

func (k *Key) readRSA(private map[string]json.RawMessage) *FileError {
	n, err := number("n", k.Members["n"])
	if err != nil {
		return err
	}
	e, err := number("e", k.Members["e"])
	if err != nil {
		return err
	}
	if n.BitLen() > maxBits {
		return &FileError{Finding: "A22", Text: fmt.Sprintf("the RSA key has %d bits, more than anybody computes with.", n.BitLen()), Fix: "Make a key pair for the client.", Command: newPair}
	}
	if e.BitLen() > 31 || e.Int64() < 3 || e.Bit(0) == 0 || n.Sign() == 0 {
		return &FileError{Finding: "A18", Text: "the members n and e make no RSA key.", Fix: "Export the key again."}
	}
	public := rsa.PublicKey{N: n, E: int(e.Int64())}
	k.Public = &public
	if private["d"] == nil {
		return nil
	}
	key := &rsa.PrivateKey{PublicKey: public}
	if key.D, err = number("d", private["d"]); err != nil {
		return err
	}
	if private["oth"] != nil {
		return &FileError{Finding: "A18", Text: "the RSA key has more than two primes (oth), which few libraries take.", Fix: "Make a key pair for the client.", Command: newPair}
	}
	var p, q *big.Int
	if private["p"] != nil || private["q"] != nil {
		if p, err = number("p", private["p"]); err != nil {
			return err
		}
		if q, err = number("q", private["q"]); err != nil {
			return err
		}
	} else if p, q = primes(n, e, key.D); p == nil {
		return &FileError{Finding: "A18", Text: "the private half d and the public half n, e are of two key pairs.", Fix: "Export the key again."}
	}
	key.Primes = []*big.Int{p, q}
	if key.Validate() != nil {
		return &FileError{Finding: "A18", Text: "the numbers of the RSA key do not belong together.", Fix: "Export the key again."}
	}
	key.Precompute()
	k.Private, k.Public = crypto.Signer(key), &key.PublicKey
	return nil
}

// number decodes a number of a JWK. Padding and the other alphabet of base64 are read as well; a
// server that refuses them says so (A18).
func number(name string, value json.RawMessage) (*big.Int, *FileError) {
	encoded := text(value)
	if encoded == "" {
		return nil, &FileError{Finding: "A18", Text: "the JWK has no " + name + ".", Fix: "Export the key again."}
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(encoded))
	if err != nil {
		return nil, &FileError{Finding: "A18", Text: "the member " + name + " of the JWK is not base64url.", Fix: "Export the key again."}
	}
	return new(big.Int).SetBytes(raw), nil
}

// primes finds the primes of n from both exponents (NIST SP 800-56B, appendix C), for a JWK that
// leaves them out; nil if the exponents do not belong to n.
func primes(n, e, d *big.Int) (p, q *big.Int) {
	one := big.NewInt(1)
	odd := new(big.Int).Mul(d, e)
	odd.Sub(odd, one)
	if d.BitLen() > n.BitLen() || odd.Sign() <= 0 || n.Bit(0) == 0 {
		return nil, nil
	}
	halvings := odd.TrailingZeroBits()
	odd.Rsh(odd, halvings)
	last := new(big.Int).Sub(n, one)
	for base := int64(2); base < 64; base++ { // each fails for half of all keys
		x := new(big.Int).Exp(big.NewInt(base), odd, n)
		for range halvings {
			y := new(big.Int).Mul(x, x)
			if y.Mod(y, n); y.Cmp(one) == 0 && x.Cmp(one) != 0 && x.Cmp(last) != 0 {
				p = new(big.Int).GCD(nil, nil, x.Sub(x, one), n)
				return p, new(big.Int).Div(n, p)
			}
			x = y
		}
	}
	return nil, nil
}

// text is the string that a member is, "" where it is none.
func text(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// clip shortens a value for a message.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(slices.Concat(r[:40], []rune("…")))
	}
	return s
}
