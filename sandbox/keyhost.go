package sandbox

import (
	"crypto"
	"fmt"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/internal/jose"
	"github.com/sandfhir/sandfhir/internal/keyhost"
	"github.com/sandfhir/sandfhir/internal/localca"
)

// Certificate is what is wrong with the certificate of an HTTPS origin.
type Certificate string

// The certificates of Origin and KeyHostConfig. TrustedCertificate has nothing
// wrong for whoever trusts CACertificate, and needs WithTLS.
const (
	TrustedCertificate    Certificate = Certificate(localca.None)
	SelfSigned            Certificate = Certificate(localca.SelfSigned)
	ExpiredCertificate    Certificate = Certificate(localca.Expired)
	OtherNameCertificate  Certificate = Certificate(localca.OtherName)
	MissingIntermediateCA Certificate = Certificate(localca.MissingIntermediate)
)

// Origin returns the URL at which the server is reached by HTTPS with such a
// certificate, at a port of its own on this machine: for a client that has to
// refuse it. Whatever is below URL is below it too.
func (s *Server) Origin(c Certificate) (string, error) {
	at, err := s.api.Origin(localca.Flaw(c))
	if err != nil {
		return "", fmt.Errorf("sandbox: origin: %w", err)
	}
	return at, nil
}

// KeyHostConfig describes a key set to host. The zero value has a key for ES384
// and a name that nobody guesses.
type KeyHostConfig struct {
	Name      string    // 1 to 64 of the characters a-z, A-Z, 0-9, ".", "_" and "-"
	Algorithm Algorithm // ES384 or RS384; empty is ES384
	// Certificate has the set published at an Origin; empty is the server's own.
	Certificate Certificate
}

// A KeyHost is a key set that the server publishes for a client, as its jwks_uri.
// Faults have the host misbehave: Inject("jwks.html"), "slow:by=10s@path=/_sandbox/keys/*".
// It is safe for concurrent use.
type KeyHost struct {
	world *World
	host  *keyhost.Host
	url   string

	mu  sync.Mutex
	key *jose.Key
}

// HostKeys has the server publish a key set, until it ends, is reset, or Close.
// Listen comes first. A client is registered with it by
//
//	sb.RegisterClient(ctx, sandbox.ClientConfig{JWKSURI: host.URL(), Key: host.Key(), KeyID: host.KeyID()})
func (w *World) HostKeys(cfg KeyHostConfig) (*KeyHost, error) {
	root := w.URL()
	if root == "" {
		return nil, fmt.Errorf("sandbox: host keys: the server has no URL before Listen")
	}
	if cfg.Certificate != "" {
		at, err := w.server.Origin(cfg.Certificate)
		if err != nil {
			return nil, err
		}
		root = at + w.path
	}
	h, made, err := w.workspace.KeyHosts.Make(cfg.Name, string(cfg.Algorithm), string(cfg.Certificate))
	if err != nil {
		return nil, fmt.Errorf("sandbox: host keys: %w", err)
	}
	return &KeyHost{world: w, host: h, url: root + "/_sandbox/keys/" + h.Name + "/jwks.json", key: made}, nil
}

// URL is the jwks_uri.
func (h *KeyHost) URL() string { return h.url }

// Key is the latest private key, KeyID its kid.
func (h *KeyHost) Key() crypto.Signer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.key.Private
}

// KeyID is the kid of the latest key.
func (h *KeyHost) KeyID() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.key.ID
}

// Rotation says how keys change, by the world's clock. The zero value takes the
// keys before away at once.
type Rotation struct {
	Algorithm Algorithm     // of the new key; empty is ES384
	Overlap   time.Duration // how long the keys before stay published
	Late      time.Duration // how long until the new key is published
}

// Rotate gives the host another key, which Key and KeyID return from then on; an
// assertion of a client that is registered already is signed by it with
// SignedWith.
func (h *KeyHost) Rotate(r Rotation) error {
	made, err := h.host.Rotate(string(r.Algorithm), h.world.workspace.Clock.Now(), r.Overlap, r.Late)
	if err != nil {
		return fmt.Errorf("sandbox: rotate keys: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.key = made
	return nil
}

// Close has the key set published no more. One that is gone already is gone.
func (h *KeyHost) Close() { _ = h.world.workspace.KeyHosts.Remove(h.host.Name) }
