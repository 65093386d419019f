package sandbox

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// Status is a client's place in the review of registrations.
type Status string

// The statuses. The sandbox environment takes all but rejected clients,
// production takes active ones only.
const (
	StatusDraft       Status = "draft"
	StatusUnderReview Status = "under-review"
	StatusActive      Status = "active"
	StatusRejected    Status = "rejected"
)

// everything is the scope of a client that names none.
const everything = "system/*.cruds"

// ClientConfig describes a client to register. The zero value makes a client
// with a new key that may do everything.
type ClientConfig struct {
	// ID is the client_id, in printable ASCII; empty has one made.
	ID   string
	Name string
	// Scopes bound what the client can be granted (SMART App Launch 2.2,
	// scopes-and-launch-context), v1 or v2; empty is system/*.cruds.
	Scopes []string

	// Method is how the client authenticates; empty is PrivateKeyJWT. A client
	// with a secret gets one made: see Client.Secret.
	Method AuthMethod
	// Algorithm is ES384 or RS384; empty is ES384, or RS384 where the server's
	// behaviour takes no ES384.
	Algorithm Algorithm
	// Key is the client's private key, an *ecdsa.PrivateKey on P-384 or an
	// *rsa.PrivateKey; nil has one made. An RSA key takes some time to make.
	Key crypto.Signer
	// KeyID is the key's kid; empty is its thumbprint (RFC 7638).
	KeyID string
	// JWKSURI is where the server fetches the client's key set. The caller
	// serves it there, PublicJWKS for instance. Empty registers the set by value.
	JWKSURI string
	// JWKS is the key set to register by value instead of PublicJWKS: one that
	// has something wrong with it. It is not checked.
	JWKS []byte

	// Organization is the id of the one Organization whose data the client may
	// reach; empty is all data.
	Organization string
	// TokenLifetime is how long the client's access tokens live, in whole
	// seconds and at most as long as the server's behaviour allows: five minutes
	// under strict. 0 is what the behaviour says, five minutes as well.
	TokenLifetime time.Duration
	// Status is the client's status; empty is StatusActive.
	Status Status
}

// A Client is a registered client with its private key. It is safe for
// concurrent use.
type Client struct {
	env    *Environment
	id     string
	key    *privateKey
	scopes []string
	method AuthMethod
	secret *secret

	base      string            // the world's URL as this client reaches it; "" is the world's own
	transport http.RoundTripper // nil is the server's own

	private, pem, jwks []byte // the key in its forms
	err                error  // why there is no such client, where it could not be registered
}

// RegisterClient registers a client with the environment. Its errors tell which
// field of cfg is wrong.
func (e *Environment) RegisterClient(ctx context.Context, cfg ClientConfig) (*Client, error) {
	c, err := e.newClient(cfg)
	if err != nil {
		return nil, fmt.Errorf("sandbox: register client: %w", err)
	}
	if err := e.put(ctx, c, cfg, false); err != nil {
		return nil, fmt.Errorf("sandbox: register client: %w", err)
	}
	return c, nil
}

// DefaultKeyFile is the name of the file in a data directory that holds the
// private key of the default client: PEM, PKCS #8, for its owner's eyes only.
const DefaultKeyFile = "default-client.pem"

// keyDir is where the default client's key is kept, or "": what is made beside
// the server's own world ends with it.
func (w *World) keyDir() string {
	if w.workspace.Name != "" {
		return ""
	}
	return w.server.cfg.dataDir
}

// DefaultClient returns a client of the sandbox environment that may do
// everything and signs ES384, or RS384 where the server's behaviour takes no
// ES384. It is registered at the first call, with the id
// "default-client" and a key of this server's own; with WithDataDir the key is
// kept there, and the client is the same after a restart. Where that fails,
// every request for a token says so.
func (w *World) DefaultClient() *Client {
	w.defaultOnce.Do(func() {
		cfg := ClientConfig{ID: "default-client", Name: "Default client"}
		c, err := w.newDefaultClient(cfg)
		if err != nil {
			c = &Client{env: w.sandbox, id: cfg.ID, secret: &secret{}, err: fmt.Errorf("sandbox: register the default client: %w", err)}
		}
		w.defaultClient = c
	})
	return w.defaultClient
}

func (w *World) newDefaultClient(cfg ClientConfig) (*Client, error) {
	dir := w.keyDir()
	path := filepath.Join(dir, DefaultKeyFile)
	if dir != "" {
		key, err := readKey(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		cfg.Key = w.sandbox.usable(key)
	}
	c, err := w.sandbox.newClient(cfg)
	if err != nil {
		return nil, err
	}
	if dir != "" && cfg.Key == nil {
		if err := os.WriteFile(path, c.pem, 0o600); err != nil {
			return nil, fmt.Errorf("keep its key: %w", err)
		}
	}
	if err := w.sandbox.put(context.Background(), c, cfg, true); err != nil {
		return nil, err
	}
	w.workspace.KeepClient(w.sandbox.name, c.id)
	return c, nil
}

// readKey reads a private key from a file. It returns nil, not a typed nil,
// where there is none.
func readKey(path string) (crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	file, err := jose.Read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, err := file.PrivateKey("")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key.Private, nil
}

// newClient makes a client that is not registered yet.
func (e *Environment) newClient(cfg ClientConfig) (*Client, error) {
	c := &Client{env: e, id: cfg.ID, scopes: strings.Fields(strings.Join(cfg.Scopes, " ")), secret: &secret{}}
	if len(c.scopes) == 0 {
		c.scopes = []string{everything}
	}
	var err error
	if c.method, err = cfg.authMethod(); err != nil {
		return nil, err
	}
	if strings.ContainsFunc(c.id, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, fmt.Errorf("ID: %q holds what no client_id may: it is printable ASCII (RFC 6749 appendix A.1)", c.id)
	}
	if c.id == "" {
		if c.id, err = e.inner().Auth.NewClientID(); err != nil {
			return nil, err
		}
	}
	cfg.Algorithm = e.algorithm(cfg)
	if c.key, err = newPrivateKey(cfg); err != nil {
		return nil, err
	}
	jwk, err := c.key.PrivateJWK()
	if err != nil {
		return nil, err
	}
	if c.private, err = json.Marshal(jwk); err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	if c.pem, err = c.key.PEM(); err != nil {
		return nil, err
	}
	c.jwks, err = jose.PublicSet(c.key.Key)
	return c, err
}

// checkLifetime refuses a life of tokens that the server would not give them.
func (e *Environment) checkLifetime(life time.Duration) error {
	switch most := e.inner().Auth.Behaviour().MaxTokenLifetime; {
	case life < 0:
		return fmt.Errorf("%v is less than nothing", life)
	case life%time.Second != 0:
		return fmt.Errorf("%v is not in whole seconds", life)
	case life > most:
		return fmt.Errorf("%v is more than %v, the most that the server's behaviour allows", life, most)
	}
	return nil
}

// put registers a client that newClient made.
func (e *Environment) put(ctx context.Context, c *Client, cfg ClientConfig, replace bool) error {
	scopes, err := e.inner().Auth.CheckScopes(strings.Join(c.scopes, " "))
	if err != nil {
		return fmt.Errorf("Scopes: %w", err)
	}
	status, err := cfg.status()
	if err != nil {
		return err
	}
	if err := e.checkLifetime(cfg.TokenLifetime); err != nil {
		return fmt.Errorf("TokenLifetime: %w", err)
	}
	registered := &authz.Client{
		ID: c.id, Name: cfg.Name, Method: authz.PrivateKeyJWT, JWKS: c.jwks,
		Scopes: scopes, Grants: []string{authz.GrantClientCredentials}, Organization: cfg.Organization,
		TokenLifetime: cfg.TokenLifetime, Status: status,
		CreatedAt: e.world.workspace.Clock.Now(), Source: "go",
	}
	switch {
	case cfg.JWKSURI != "" && cfg.JWKS != nil:
		return errors.New("JWKSURI and JWKS exclude each other")
	case cfg.JWKSURI != "":
		if err := e.inner().Auth.CanFetchKeys(cfg.JWKSURI); err != nil {
			return fmt.Errorf("JWKSURI: %w", err)
		}
		registered.JWKS, registered.JWKSURI = nil, cfg.JWKSURI
	case cfg.JWKS != nil:
		registered.JWKS = cfg.JWKS
	case c.method.usesSecret():
		if err := c.issueSecret(registered); err != nil {
			return err
		}
	}
	store := e.world.workspace.Control()
	if !replace {
		_, err := store.Client(ctx, e.name, c.id)
		if err == nil {
			return fmt.Errorf("ID: %s has a client %q already", e.name, c.id)
		}
		if !errors.Is(err, authz.ErrNoClient) {
			return err
		}
	}
	_, err = store.PutClient(ctx, e.name, registered)
	return err
}

func (cfg ClientConfig) status() (authz.Status, error) {
	status := authz.Status(cfg.Status)
	if status == "" {
		return authz.StatusActive, nil
	}
	known := []authz.Status{authz.StatusDraft, authz.StatusUnderReview, authz.StatusActive, authz.StatusRejected}
	if !slices.Contains(known, status) {
		return "", fmt.Errorf("Status: %q is none of %v", status, known)
	}
	return status, nil
}

// At returns the same client as one that reaches the server at another URL: that
// of a server of your own around Handler, with the path that Handler is mounted
// at. via supplies the transport, such as the Client of an httptest server,
// which knows its certificate; nil is the usual one.
func (c *Client) At(serverURL string, via *http.Client) *Client {
	moved := *c
	moved.base = strings.TrimRight(serverURL, "/") + c.env.world.path
	moved.transport = nil
	if via != nil {
		moved.transport = via.Transport
	}
	return &moved
}

// ID is the client_id.
func (c *Client) ID() string { return c.id }

// Algorithm is what the client signs its assertions with.
func (c *Client) Algorithm() Algorithm {
	if c.key == nil {
		return ""
	}
	return c.key.alg
}

// KeyID is the kid of the client's key.
func (c *Client) KeyID() string {
	if c.key == nil {
		return ""
	}
	return c.key.id
}

// PrivateJWK is the client's private key as a JWK (RFC 7517), for the program
// under test. It has kid and alg.
func (c *Client) PrivateJWK() []byte { return slices.Clone(c.private) }

// PrivateKeyPEM is the client's private key as PEM (PKCS #8).
func (c *Client) PrivateKeyPEM() []byte { return slices.Clone(c.pem) }

// PublicJWKS is the public half of the client's key as a JWK Set, as a client
// publishes it at its jwks_uri.
func (c *Client) PublicJWKS() []byte { return slices.Clone(c.jwks) }

// FHIRURL is the base URL of the client's FHIR server.
func (c *Client) FHIRURL() string { return c.addresses().fhir() }

// TokenURL is the client's token endpoint.
func (c *Client) TokenURL() string { return c.addresses().token() }

// Revoke ends all access tokens that the client has. It can get new ones.
func (c *Client) Revoke(ctx context.Context) error {
	if _, err := c.env.world.workspace.Control().RevokeClient(ctx, c.env.name, c.id); err != nil {
		return fmt.Errorf("sandbox: revoke the tokens of %s: %w", c.id, err)
	}
	return nil
}

// worldURL is the URL of the client's world as this client reaches it.
func (c *Client) worldURL() string {
	if c.base != "" {
		return c.base
	}
	return c.env.world.URL()
}

func (c *Client) addresses() addresses {
	if c.base != "" {
		return c.env.at(c.base)
	}
	return c.env.addresses()
}

// roundTripper is what the client sends by.
func (c *Client) roundTripper() http.RoundTripper {
	if c.transport != nil {
		return c.transport
	}
	return c.env.world.server.transport
}

// errNowhere says that there is no URL to send to.
var errNowhere = errors.New("sandbox: the server does not listen yet: call Listen, or tell the client by At where Handler is mounted")

// ready returns why nothing can be sent, or nil.
func (c *Client) ready() error {
	switch {
	case c.err != nil:
		return c.err
	case c.worldURL() == "":
		return errNowhere
	}
	return nil
}
