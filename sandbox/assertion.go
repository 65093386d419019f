package sandbox

import (
	"crypto"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// assertion is a client assertion in the making.
type assertion struct {
	header, claims map[string]any
	now            time.Time
	key            *privateKey
	der, broken    bool
}

// An AssertionOption makes an assertion differ from the right one. Options are
// applied in order.
type AssertionOption func(*assertion)

// Assertion returns a signed client assertion for the client's token endpoint
// (SMART App Launch 2.2, client-confidential-asymmetric, Authentication JWT):
// iss and sub are the client, exp is four minutes ahead in real time, jti is
// new. Without options it is right, and good for one token request.
func (c *Client) Assertion(opts ...AssertionOption) (string, error) {
	if err := c.ready(); err != nil {
		return "", err
	}
	a := &assertion{
		header: map[string]any{"typ": "JWT", "alg": string(c.key.alg), "kid": c.key.id},
		claims: map[string]any{"iss": c.id, "sub": c.id, "aud": c.TokenURL(), "jti": rand.Text()},
		now:    clock.System{}.Now(),
		key:    c.key,
	}
	a.setTimes()
	for _, option := range opts {
		option(a)
	}
	return a.sign()
}

func (a *assertion) setTimes() {
	a.claims["iat"] = a.now.Unix()
	a.claims["exp"] = a.now.Add(jose.AssertionLife).Unix()
}

func (a *assertion) sign() (string, error) {
	input, err := jose.SigningInput(a.header, a.claims)
	if err != nil {
		return "", fmt.Errorf("sandbox: assertion: %w", err)
	}
	alg, ok := a.header["alg"].(string)
	if !ok {
		alg = string(a.key.alg)
	}
	signature, err := a.key.sign(alg, []byte(input))
	if err == nil && a.der && len(signature) > 0 {
		signature, err = inASN1(signature)
	}
	if err != nil {
		return "", fmt.Errorf("sandbox: assertion: %w", err)
	}
	if a.broken && len(signature) > 0 {
		signature[len(signature)/2] ^= 1
	}
	return input + "." + jose.Encode(signature), nil
}

// WithClaim sets a claim to what value is in JSON.
func WithClaim(name string, value any) AssertionOption {
	return func(a *assertion) { a.claims[name] = value }
}

// WithoutClaim leaves a claim out: iss, sub, aud, exp, jti (C14), iat.
func WithoutClaim(name string) AssertionOption {
	return func(a *assertion) { delete(a.claims, name) }
}

// WithHeader sets a member of the header to what value is in JSON.
func WithHeader(name string, value any) AssertionOption {
	return func(a *assertion) { a.header[name] = value }
}

// WithoutHeader leaves a member of the header out: typ (A07), alg, kid (A11).
func WithoutHeader(name string) AssertionOption {
	return func(a *assertion) { delete(a.header, name) }
}

// WithIssuer sets iss and leaves sub as it is (C02).
func WithIssuer(iss string) AssertionOption { return WithClaim("iss", iss) }

// WithSubject sets sub and leaves iss as it is (C01).
func WithSubject(sub string) AssertionOption { return WithClaim("sub", sub) }

// WithAudience sets aud to a URL that is not the token endpoint's (C03), or
// not quite (C04); to an array where several are given.
func WithAudience(aud ...string) AssertionOption {
	if len(aud) == 1 {
		return WithClaim("aud", aud[0])
	}
	return WithClaim("aud", aud)
}

// WithExpiry sets exp to that far ahead: more than five minutes is too far
// (C09), less than nothing is in the past (C08).
func WithExpiry(ahead time.Duration) AssertionOption {
	return func(a *assertion) { a.claims["exp"] = a.now.Add(ahead).Unix() }
}

// WithJTI sets jti, for a second time to replay it (C15).
func WithJTI(jti string) AssertionOption { return WithClaim("jti", jti) }

// WithClockError makes the assertion one of a client whose clock is ahead by
// that much (C10, C12), or behind where it is negative (C08).
func WithClockError(ahead time.Duration) AssertionOption {
	return func(a *assertion) {
		a.now = a.now.Add(ahead)
		a.setTimes()
	}
}

// WithKeyID sets kid to that of another key (A12).
func WithKeyID(kid string) AssertionOption { return WithHeader("kid", kid) }

// WithoutKeyID leaves kid out (A11).
func WithoutKeyID() AssertionOption { return WithoutHeader("kid") }

// WithAlgorithm signs by another algorithm, as far as the key can, and says so:
// RS256 (A08), none or HS384 (A10), RS384 with an EC key (A14).
func WithAlgorithm(alg string) AssertionOption { return WithHeader("alg", alg) }

// SignedBy signs with the key of another client and says it was this one's
// (A15).
func SignedBy(other *Client) AssertionOption {
	return func(a *assertion) {
		if other.key != nil {
			a.key = other.key
		}
	}
}

// SignedWith signs with another key, on P-384 or RSA, and names it by its kid, as
// after a rotation. A key of another kind leaves the client's own.
func SignedWith(key crypto.Signer, kid string) AssertionOption {
	return func(a *assertion) {
		if other, err := newPrivateKey(ClientConfig{Key: key, KeyID: kid}); err == nil {
			a.key = other
			WithHeader("kid", kid)(a)
			WithHeader("alg", string(other.alg))(a)
		}
	}
}

// WithBrokenSignature changes a bit of the signature (A15).
func WithBrokenSignature() AssertionOption { return func(a *assertion) { a.broken = true } }

// WithASN1Signature writes an ECDSA signature in ASN.1, as general-purpose
// crypto libraries return it, instead of r and s side by side (A16).
func WithASN1Signature() AssertionOption {
	return func(a *assertion) { a.der = a.key.alg == ES384 }
}
