package jose

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
)

// publicNumbers are the members of the JWK that make the public key, no more and no fewer than a
// thumbprint takes (RFC 7638 section 3.2).
func (k *Key) publicNumbers() (map[string]string, error) {
	switch key := k.Public.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			return nil, fmt.Errorf("encode the key: %w", err)
		}
		size := len(point) / 2 // the first byte says that both coordinates follow
		return map[string]string{"kty": "EC", "crv": key.Params().Name, "x": Encode(point[1 : 1+size]), "y": Encode(point[1+size:])}, nil
	case *rsa.PublicKey:
		return map[string]string{"kty": "RSA", "n": Encode(key.N.Bytes()), "e": Encode(big.NewInt(int64(key.E)).Bytes())}, nil
	}
	return nil, fmt.Errorf("a %T is no key of a client", k.Public)
}

// privateNumbers are the members that a private key adds (RFC 7518 sections 6.2.2 and 6.3.2).
func (k *Key) privateNumbers() (map[string]string, error) {
	switch key := k.Private.(type) {
	case *ecdsa.PrivateKey:
		d, err := key.Bytes()
		if err != nil {
			return nil, fmt.Errorf("encode the key: %w", err)
		}
		return map[string]string{"d": Encode(d)}, nil
	case *rsa.PrivateKey:
		if len(key.Primes) != 2 {
			return nil, fmt.Errorf("an RSA key of %d primes; 2 are usual", len(key.Primes))
		}
		key.Precompute()
		return map[string]string{
			"d": Encode(key.D.Bytes()), "p": Encode(key.Primes[0].Bytes()), "q": Encode(key.Primes[1].Bytes()),
			"dp": Encode(key.Precomputed.Dp.Bytes()), "dq": Encode(key.Precomputed.Dq.Bytes()), "qi": Encode(key.Precomputed.Qinv.Bytes()),
		}, nil
	}
	return nil, fmt.Errorf("a %T is no private key of a client", k.Private)
}

// PublicJWK returns the public half as the members of a JWK, with kid, use and, where it signs one
// of SMART's algorithms, alg.
func (k *Key) PublicJWK() (map[string]string, error) {
	members, err := k.publicNumbers()
	if err != nil {
		return nil, err
	}
	if members["kid"], err = k.KeyID(); err != nil {
		return nil, err
	}
	members["use"] = "sig"
	if alg, err := k.Algorithm(); err == nil {
		members["alg"] = alg
	}
	return members, nil
}

// PrivateJWK returns the key pair as the members of a JWK.
func (k *Key) PrivateJWK() (map[string]string, error) {
	members, err := k.PublicJWK()
	if err != nil {
		return nil, err
	}
	private, err := k.privateNumbers()
	if err != nil {
		return nil, err
	}
	maps.Copy(members, private)
	return members, nil
}

// PublicSet returns the public halves as a JWK Set (RFC 7517 section 5).
func PublicSet(keys ...*Key) ([]byte, error) {
	set := make([]map[string]string, len(keys))
	for i, k := range keys {
		var err error
		if set[i], err = k.PublicJWK(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(map[string]any{"keys": set})
}
