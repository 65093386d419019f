package httpapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestJWKS proves that the keys that the server publishes are public, and those
// that its access tokens are signed with.
func TestJWKS(t *testing.T) {
	t.Parallel()
	w := start(t)
	producer, err := w.Production().RegisterClient(t.Context(), sandbox.ClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		token      string
	}{
		{"of the sandbox", "/auth/jwks", w.all.token},
		{"of the sandbox at the host root", "/.well-known/jwks.json", w.all.token},
		{"of production", "/production/auth/jwks", w.holder(t, producer).token},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.at().get(t, c.path).want(t, 200)
			var set struct{ Keys []map[string]string }
			a.decode(t, &set)
			if len(set.Keys) == 0 {
				t.Fatal("got no key")
			}
			for _, key := range set.Keys {
				if key["kid"] == "" || key["kty"] != "EC" || key["d"] != "" {
					t.Errorf("got key %v, want a public one with a kid", key)
				}
			}
			if !verifies(t, c.token, set.Keys) {
				t.Error("no published key verifies an access token")
			}
			if verifies(t, spoiled(t, c.token), set.Keys) {
				t.Error("a token with another signature verifies as well")
			}
		})
	}
	if a, b := w.at().get(t, "/auth/jwks"), w.at().get(t, "/production/auth/jwks"); string(a.body) == string(b.body) {
		t.Error("both environments sign with the same keys")
	}
}

// verifies checks an ES256 token with the key that it names.
func verifies(t *testing.T, token string, keys []map[string]string) bool {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("the token has %d parts", len(parts))
	}
	var header struct{ Alg, Kid string }
	if err := json.Unmarshal(fromBase64(t, parts[0]), &header); err != nil || header.Alg != "ES256" {
		t.Fatalf("header %s: %v, want ES256", fromBase64(t, parts[0]), err)
	}
	digest, signature := sha256.Sum256([]byte(parts[0]+"."+parts[1])), fromBase64(t, parts[2])
	for _, jwk := range keys {
		if jwk["kid"] != header.Kid {
			continue
		}
		x, y := fromBase64(t, jwk["x"]), fromBase64(t, jwk["y"])
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err != nil {
			t.Fatal(err)
		}
		return len(signature) == 64 && ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	return false
}

func fromBase64(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
