package httpapi_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// A signer is a client's key. It makes assertions with the standard library
// alone, as a reader of RFC 7515 and RFC 7518 would, so that a mistake in the
// signer of package sandbox cannot hide one of the server.
type signer struct {
	alg, kid string
	key      crypto.Signer
}

func newES384(t *testing.T, kid string) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{"ES384", kid, key}
}

func newRS384(t *testing.T, kid string) *signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{"RS384", kid, key}
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwk is the public key as a JWK (RFC 7517), changed as wanted.
func (s *signer) jwk(t *testing.T, change ...func(jwk map[string]any)) map[string]any {
	t.Helper()
	jwk := map[string]any{"kid": s.kid, "alg": s.alg, "use": "sig", "key_ops": []string{"verify"}}
	switch key := s.key.(type) {
	case *ecdsa.PrivateKey:
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half := (len(point) - 1) / 2
		jwk["kty"], jwk["crv"] = "EC", key.Params().Name
		jwk["x"], jwk["y"] = base64url(point[1:1+half]), base64url(point[1+half:])
	case *rsa.PrivateKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", base64url(key.N.Bytes()), base64url(big.NewInt(int64(key.E)).Bytes())
	}
	for _, c := range change {
		c(jwk)
	}
	return jwk
}

// keySet is a JWK Set of keys.
func keySet(jwks ...map[string]any) map[string]any { return map[string]any{"keys": jwks} }

// sign makes a JWS in compact serialization.
func (s *signer) sign(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	return s.seal(t, marshal(t, header), marshal(t, claims))
}

// seal signs what is JSON already, or is not.
func (s *signer) seal(t *testing.T, header, claims []byte) string {
	t.Helper()
	input := base64url(header) + "." + base64url(claims)
	digest := sha512.Sum384([]byte(input))
	var signature []byte
	switch key := s.key.(type) {
	case *ecdsa.PrivateKey:
		r, sum, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		signature = make([]byte, 96)
		r.FillBytes(signature[:48])
		sum.FillBytes(signature[48:])
	case *rsa.PrivateKey:
		var err error
		if signature, err = rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA384, digest[:]); err != nil {
			t.Fatal(err)
		}
	}
	return input + "." + base64url(signature)
}

// A twist makes an assertion differ from the right one.
type twist func(header, claims map[string]any)

// assertion is the client assertion of a client for a token endpoint (SMART
// App Launch 2.2, client-confidential-asymmetric, Authentication JWT).
func (s *signer) assertion(t *testing.T, client, aud string, twists ...twist) string {
	t.Helper()
	header := map[string]any{"typ": "JWT", "alg": s.alg, "kid": s.kid}
	claims := map[string]any{"iss": client, "sub": client, "aud": aud, "jti": rand.Text(), "exp": inSeconds(240)}
	for _, change := range twists {
		change(header, claims)
	}
	return s.sign(t, header, claims)
}

// inSeconds is an instant ahead in real time, as claims have it.
func inSeconds(n int) int64 {
	return clock.System{}.Now().Add(time.Duration(n) * time.Second).Unix()
}

func withClaim(name string, value any) twist {
	return func(_, claims map[string]any) { claims[name] = value }
}

func withoutClaim(name string) twist { return func(_, claims map[string]any) { delete(claims, name) } }

func withHeader(name string, value any) twist {
	return func(header, _ map[string]any) { header[name] = value }
}

func withoutHeader(name string) twist { return func(header, _ map[string]any) { delete(header, name) } }

// spoiled returns a JWT with one bit of its signature turned.
func spoiled(t *testing.T, jwt string) string {
	t.Helper()
	at := strings.LastIndexByte(jwt, '.') + 1
	signature, err := base64.RawURLEncoding.DecodeString(jwt[at:])
	if err != nil {
		t.Fatal(err)
	}
	signature[len(signature)/2] ^= 1
	return jwt[:at] + base64url(signature)
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// tokenForm is the form of a token request.
func tokenForm(assertion, scope string) string {
	return form("grant_type", "client_credentials", "scope", scope, "client_assertion_type", assertionType, "client_assertion", assertion)
}

// A tokenAnswer is the answer of a token endpoint that grants.
type tokenAnswer struct {
	AccessToken  string  `json:"access_token"`
	TokenType    string  `json:"token_type"`
	ExpiresIn    float64 `json:"expires_in"`
	Scope        string  `json:"scope"`
	RefreshToken *string `json:"refresh_token"`
}

// askToken posts an assertion.
func (p party) askToken(t *testing.T, tokenURL, assertion, scope string) *answer {
	t.Helper()
	return p.search(t, tokenURL, tokenForm(assertion, scope))
}

// granted checks a token answer (SB-ISS-01, SB-ISS-02, SB-ISS-04).
func (a *answer) granted(t *testing.T, scope string) tokenAnswer {
	t.Helper()
	a.want(t, 200)
	a.wantHeader(t, "Content-Type", "application/json").wantHeader(t, "Cache-Control", "no-store").wantHeader(t, "Pragma", "no-cache")
	var got tokenAnswer
	a.decode(t, &got)
	if got.AccessToken == "" || got.TokenType != "bearer" || got.ExpiresIn != 300 || got.Scope != scope || got.RefreshToken != nil {
		t.Errorf("%s: got %s, want a bearer token for 300 seconds with scope %q and without a refresh token", a.request, a.excerpt(), scope)
	}
	return got
}

// basic is the credential of Basic authentication.
func basic(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
}
