package portal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// Store keeps clients and how their statuses changed.
type Store interface {
	authz.Store
	// StatusChanges returns how the status of a client changed, oldest first;
	// the first change is its creation.
	StatusChanges(ctx context.Context, env, id string) ([]StatusChange, error)
	// ResetPolicy puts the access policy back that is derived from a client's
	// scopes.
	ResetPolicy(ctx context.Context, env, client string) error
}

// A StatusChange is one step in the life of a client.
type StatusChange struct {
	At     time.Time // workspace time
	Status authz.Status
	By     string // in words
	Reason string // "" where none was given
}

// Authentication is how a service proves itself, as the portal offers it.
type Authentication string

// The three ways. The first two are the private_key_jwt of SMART Backend
// Services; a secret is not (SMART App Launch 2.2, backend-services).
const (
	KeysByURL   Authentication = "jwks_uri"
	KeysByValue Authentication = "jwks"
	BySecret    Authentication = "secret"
)

// Compliance says what certified systems make of it.
func (a Authentication) Compliance() string {
	if a == BySecret {
		return "A client secret is not SMART Backend Services, and not what ONC (g)(10) certifies."
	}
	return "SMART Backend Services: required for ONC (g)(10) and for certified bulk data."
}

// A Service is a backend service.
type Service struct {
	// Client is the service as it is registered now. Its ID is the service's,
	// its Status is where the service stands.
	*authz.Client
	// Live is the copy in production that was approved last and is admitted
	// there; nil if there is none.
	Live *authz.Client
}

// Authentication is how the service proves itself.
func (s *Service) Authentication() Authentication {
	switch {
	case s.Method != authz.PrivateKeyJWT:
		return BySecret
	case s.JWKSURI != "":
		return KeysByURL
	}
	return KeysByValue
}

// A Portal is the portal of one workspace.
type Portal struct {
	Sandbox    *authz.Server
	Production *authz.Server
	Store      Store
	// Now is the workspace's time.
	Now func() time.Time
	// Organizations lists those that a service can be bound to,
	// MaxOrganizations at most.
	Organizations func(context.Context) ([]Organization, error)
}

// ErrNoService says that there is no service with that id.
var ErrNoService = errors.New("there is no such service")

// Services returns all services, the latest registered first.
func (p *Portal) Services(ctx context.Context) ([]*Service, error) {
	clients, err := p.Store.RecentClients(ctx, authz.Sandbox, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	var list []*Service
	for _, c := range clients {
		if c.Source == authz.SourceAdmin {
			continue
		}
		s, err := p.service(ctx, c)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// Service returns the service with this id, or ErrNoService.
func (p *Portal) Service(ctx context.Context, id string) (*Service, error) {
	c, err := p.Store.Client(ctx, authz.Sandbox, id)
	if errors.Is(err, authz.ErrNoClient) || err == nil && c.Source == authz.SourceAdmin {
		return nil, ErrNoService
	}
	if err != nil {
		return nil, fmt.Errorf("look up the service: %w", err)
	}
	return p.service(ctx, c)
}

func (p *Portal) service(ctx context.Context, c *authz.Client) (*Service, error) {
	s := &Service{Client: c}
	live, err := p.Store.Client(ctx, authz.Production, c.ID)
	switch {
	case errors.Is(err, authz.ErrNoClient):
	case err != nil:
		return nil, fmt.Errorf("look up the service in production: %w", err)
	case p.Production.Environment().Admits(live.Status):
		s.Live = live
	}
	return s, nil
}

// Revision names what the service asks for and where it is in the review: any
// change of that has another one.
func (s *Service) Revision() string {
	c := *s.Client
	c.Secrets, c.RegistrationToken = nil, nil
	text, err := json.Marshal(c)
	if err != nil { // of the program's own type
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// History returns how the service's status changed, oldest first.
func (p *Portal) History(ctx context.Context, id string) ([]StatusChange, error) {
	return p.Store.StatusChanges(ctx, authz.Sandbox, id)
}

// Delete removes the service from both environments, and with it its tokens.
// It returns ErrNoService if there is none.
func (p *Portal) Delete(ctx context.Context, id string) error {
	err := p.Sandbox.Remove(ctx, id, func(c *authz.Client) error {
		if c.Source == authz.SourceAdmin {
			return ErrNoService
		}
		return p.endCopy(ctx, id)
	})
	if errors.Is(err, authz.ErrNoClient) {
		return ErrNoService
	}
	return err
}
