package cli

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// A signingKey signs client assertions (SMART App Launch 2.2, client-confidential-asymmetric).
type signingKey struct {
	private any // *rsa.PrivateKey or *ecdsa.PrivateKey
	alg     jwa.SignatureAlgorithm
	id      string
}

// loadKey reads a private key from a file: PEM (PKCS #8, PKCS #1 or SEC 1), a JWK, or the only
// key of a JWK set. id names the key to the server; where it is empty the JWK's kid does, and
// without one the key's thumbprint (RFC 7638).
func loadKey(path, id string) (*signingKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the private key: %w", err)
	}
	key, err := parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	k := &signingKey{id: id}
	if k.id == "" {
		k.id = key.KeyID()
	}
	if k.id == "" {
		print, err := key.Thumbprint(crypto.SHA256)
		if err != nil {
			return nil, fmt.Errorf("%s: compute the key's thumbprint: %w", path, err)
		}
		k.id = base64.RawURLEncoding.EncodeToString(print)
	}
	if err := key.Raw(&k.private); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if k.alg, err = algorithm(k.private); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if alg := key.Algorithm(); alg.String() != "" && alg.String() != k.alg.String() {
		return nil, fmt.Errorf("%s: the key says alg %s, but SMART signs with %s", path, alg, k.alg)
	}
	return k, nil
}

func parseKey(data []byte) (jwk.Key, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		key, err := jwk.ParseKey(data, jwk.WithPEM(true))
		if err != nil {
			return nil, fmt.Errorf("neither a PEM private key nor a JWK: %w", err)
		}
		return key, nil
	}
	set, err := jwk.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("neither a PEM private key nor a JWK: %w", err)
	}
	if set.Len() != 1 {
		return nil, fmt.Errorf("the JWK set holds %d keys; one is wanted", set.Len())
	}
	key, _ := set.Key(0)
	return key, nil
}

// algorithm returns the one of SMART's two algorithms that a key is for.
func algorithm(private any) (jwa.SignatureAlgorithm, error) {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits < 2048 {
			return "", fmt.Errorf("the RSA key has %d bits, RS384 needs 2048", bits)
		}
		return jwa.RS384, nil
	case *ecdsa.PrivateKey:
		if key.Curve != elliptic.P384() {
			return "", fmt.Errorf("the key is of curve %s, ES384 needs P-384", key.Curve.Params().Name)
		}
		return jwa.ES384, nil
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return "", fmt.Errorf("this is a public key; signing needs the private one")
	}
	return "", fmt.Errorf("this kind of key (%T) is not for SMART; use RSA or EC P-384", private)
}

// assertionLife is how long an assertion is good for. SMART allows five minutes; less leaves
// room for clocks that differ.
const assertionLife = 4 * time.Minute

// assertion returns a signed client assertion for the token endpoint audience.
func (k *signingKey) assertion(client, audience string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iss": client,
		"sub": client,
		"aud": audience,
		"iat": now.Unix(),
		"exp": now.Add(assertionLife).Unix(),
		"jti": rand.Text(),
	})
	if err != nil {
		return "", fmt.Errorf("encode the assertion: %w", err)
	}
	headers := jws.NewHeaders()
	for name, value := range map[string]string{jws.TypeKey: "JWT", jws.KeyIDKey: k.id} {
		if err := headers.Set(name, value); err != nil {
			return "", fmt.Errorf("set the assertion's header: %w", err)
		}
	}
	signed, err := jws.Sign(claims, jws.WithKey(k.alg, k.private, jws.WithProtectedHeaders(headers)))
	if err != nil {
		return "", fmt.Errorf("sign the assertion: %w", err)
	}
	return string(signed), nil
}
