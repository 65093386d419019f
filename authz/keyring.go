package authz

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// tokenAlgorithm signs access tokens: RSA signing costs twenty times as much.
const tokenAlgorithm = jwa.ES256

// keyring holds the signing keys of an environment. The newest one signs; all
// verify.
type keyring struct {
	store Store
	env   string

	mu      sync.RWMutex
	current string // kid
	private map[string]*ecdsa.PrivateKey
	jwks    []byte
}

// openKeyring loads the keys, or makes the first one.
func openKeyring(ctx context.Context, store Store, env string, clock clock.Clock) (*keyring, error) {
	r := &keyring{store: store, env: env}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	if r.current != "" {
		return r, nil
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encode signing key: %w", err)
	}
	public, err := publicJWK(private)
	if err != nil {
		return nil, err
	}
	key := SigningKey{ID: public.KeyID, PKCS8: der, CreatedAt: clock.Now()}
	if err := store.PutSigningKey(ctx, env, key); err != nil {
		return nil, fmt.Errorf("store signing key: %w", err)
	}
	// Another server may have stored a key at the same moment: read both.
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	if r.current == "" {
		return nil, errors.New("the store lost the signing key")
	}
	return r, nil
}

// load reads the keys from the store.
func (r *keyring) load(ctx context.Context) error {
	stored, err := r.store.SigningKeys(ctx, r.env)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	private := make(map[string]*ecdsa.PrivateKey, len(stored))
	set := struct {
		Keys []ownJWK `json:"keys"`
	}{Keys: []ownJWK{}}
	current := ""
	for _, s := range stored {
		parsed, err := x509.ParsePKCS8PrivateKey(s.PKCS8)
		if err != nil {
			return fmt.Errorf("read signing key %s: %w", s.ID, err)
		}
		key, ok := parsed.(*ecdsa.PrivateKey)
		if !ok || key.Curve != elliptic.P256() {
			return fmt.Errorf("read signing key %s: not a P-256 key", s.ID)
		}
		public, err := publicJWK(key)
		if err != nil {
			return err
		}
		public.KeyID = s.ID
		set.Keys = append(set.Keys, public)
		private[s.ID] = key
		current = s.ID
	}
	jwks, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("encode key set: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current, r.private, r.jwks = current, private, jwks
	return nil
}

// signing returns the key to sign with.
func (r *keyring) signing() (kid string, key *ecdsa.PrivateKey) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.current, r.private[r.current]
}

// find returns the key of a kid. An unknown one may have been stored by
// another server since: the store is asked once more.
func (r *keyring) find(ctx context.Context, kid string) (*ecdsa.PublicKey, error) {
	if key := r.get(kid); key != nil {
		return key, nil
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	return r.get(kid), nil
}

func (r *keyring) get(kid string) *ecdsa.PublicKey {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if key, ok := r.private[kid]; ok {
		return &key.PublicKey
	}
	return nil
}

func (r *keyring) published() []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.jwks
}

// ownJWK is the public half of one of the server's keys.
type ownJWK struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	Y         string `json:"y"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
}

// publicJWK returns the public half, its kid the RFC 7638 thumbprint.
func publicJWK(key *ecdsa.PrivateKey) (ownJWK, error) {
	point, err := key.PublicKey.Bytes()
	if err != nil || len(point) != 65 {
		return ownJWK{}, fmt.Errorf("encode public key: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	j := ownJWK{KeyType: "EC", Curve: "P-256", X: encode(point[1:33]), Y: encode(point[33:]),
		Use: "sig", Algorithm: string(tokenAlgorithm)}
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + j.X + `","y":"` + j.Y + `"}`))
	j.KeyID = encode(sum[:])
	return j, nil
}

// sign returns the compact JWS of header and claims, both JSON.
func sign(key *ecdsa.PrivateKey, header, claims []byte) (string, error) {
	signer, err := jws.NewSigner(tokenAlgorithm)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode(header) + "." + encode(claims)
	signature, err := signer.Sign([]byte(input), key)
	if err != nil {
		return "", err
	}
	return input + "." + encode(signature), nil
}

// signedBy reports whether the JWS is the key's.
func signedBy(key *ecdsa.PublicKey, j *compactJWS) bool {
	verifier, err := jws.NewVerifier(tokenAlgorithm)
	if err != nil {
		return false
	}
	return verifier.Verify([]byte(j.signingInput), j.signature, key) == nil
}
