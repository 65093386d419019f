package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// AuthMethod is how a client authenticates at the token endpoint (RFC 7591
// section 2, token_endpoint_auth_method).
type AuthMethod string

// The methods. Only the first is SMART Backend Services; secrets are offered
// because payers' portals offer them.
const (
	PrivateKeyJWT     AuthMethod = "private_key_jwt"
	ClientSecretBasic AuthMethod = "client_secret_basic"
	ClientSecretPost  AuthMethod = "client_secret_post"
)

func (m AuthMethod) usesSecret() bool { return m == ClientSecretBasic || m == ClientSecretPost }

// secret is a client's secret. The clients that At returns share it.
type secret struct {
	mu    sync.Mutex
	plain string
}

func (s *secret) get() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plain
}

func (s *secret) set(plain string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plain = plain
}

// Secret is the client's current secret; empty for a client that signs
// assertions.
func (c *Client) Secret() string { return c.secret.get() }

// RotateSecret gives the client a new secret and returns it; Secret and Token
// use it from then on, in production as well if its service was approved. The
// old one works for the overlap, by the server's
// clock, or ends at once where that is 0. Without an overlap it is what the
// switch secret.grace of the server's behaviour says, which is 0 under strict;
// of several the first counts. The same over HTTP is POST
// /_sandbox/clients/{id}/rotate-secret, with {"overlap":"10m"} or without.
func (c *Client) RotateSecret(ctx context.Context, overlap ...time.Duration) (string, error) {
	if c.err != nil {
		return "", c.err
	}
	grace := c.env.inner().Auth.Behaviour().SecretGrace
	if len(overlap) > 0 {
		grace = overlap[0]
	}
	plain, _, err := c.env.world.workspace.RotateSecret(ctx, c.env.name, c.id, grace)
	if err != nil {
		return "", fmt.Errorf("sandbox: rotate the secret of %s: %w", c.id, err)
	}
	c.secret.set(plain)
	return plain, nil
}

// secretRequest returns the request with which a secret client asks for a
// token (RFC 6749 section 2.3.1).
func (c *Client) secretRequest(ctx context.Context, scopes []string) (*http.Request, error) {
	form := url.Values{"grant_type": {authz.GrantClientCredentials}, "scope": {c.scope(scopes)}}
	if c.method == ClientSecretPost {
		form.Set("client_id", c.id)
		form.Set("client_secret", c.Secret())
	}
	req, err := c.formRequest(ctx, c.TokenURL(), form)
	if err == nil && c.method == ClientSecretBasic {
		req.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.Secret()))
	}
	return req, err
}

// issueSecret puts the first secret into a registration.
func (c *Client) issueSecret(registered *authz.Client) error {
	auth := c.env.inner().Auth
	plain, kept, err := auth.NewSecret(auth.Behaviour().SecretLifetime)
	if err != nil {
		return err
	}
	c.secret.set(plain)
	registered.Method, registered.JWKS, registered.Secrets = authz.AuthMethod(c.method), nil, []authz.Secret{kept}
	return nil
}

// authMethod settles how the client authenticates.
func (cfg ClientConfig) authMethod() (AuthMethod, error) {
	switch {
	case cfg.Method == "":
		return PrivateKeyJWT, nil
	case cfg.Method != PrivateKeyJWT && !cfg.Method.usesSecret():
		return "", fmt.Errorf("Method: %q is none of %s", cfg.Method, strings.Join([]string{string(PrivateKeyJWT), string(ClientSecretBasic), string(ClientSecretPost)}, ", "))
	case cfg.Method.usesSecret() && (cfg.JWKSURI != "" || cfg.JWKS != nil):
		return "", errors.New("Method: a secret client has neither JWKS nor JWKSURI")
	}
	return cfg.Method, nil
}
