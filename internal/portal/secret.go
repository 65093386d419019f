package portal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// firstSecret gives a service by secret that has none its first one.
func (p *Portal) firstSecret(c *authz.Client) (plain string, err error) {
	if c.Method == authz.PrivateKeyJWT || len(c.Secrets) > 0 {
		return "", nil
	}
	plain, kept, err := p.Sandbox.NewSecret(p.Sandbox.Behaviour().SecretLifetime)
	if err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	c.Secrets = []authz.Secret{kept}
	return plain, nil
}

// RotateSecret gives a service another secret, which works wherever the service
// does and is shown this once. The ones before end when the overlap is over; 0
// ends them now. The error is ErrNoService, or authz.ErrNoSecret where the
// service signs assertions.
func (p *Portal) RotateSecret(ctx context.Context, id string, overlap time.Duration) (s *Service, secret string, err error) {
	secret, kept, err := p.Sandbox.NewSecret(p.Sandbox.Behaviour().SecretLifetime)
	if err != nil {
		return nil, "", fmt.Errorf("make a secret: %w", err)
	}
	if _, err := p.Service(ctx, id); err != nil {
		return nil, "", err
	}
	replace := func(c *authz.Client) error { return c.ReplaceSecret(kept, overlap) }
	_, err = p.Sandbox.Change(ctx, id, func(c *authz.Client) error {
		if err := replace(c); err != nil {
			return err
		}
		_, err := p.Production.Change(ctx, id, replace)
		// Not in production, or approved there with keys: the sandbox alone has it.
		if errors.Is(err, authz.ErrNoClient) || errors.Is(err, authz.ErrNoSecret) {
			return nil
		}
		return err
	})
	if errors.Is(err, authz.ErrNoClient) {
		err = ErrNoService
	}
	if err != nil {
		return nil, "", err
	}
	s, err = p.Service(ctx, id)
	return s, secret, err
}
