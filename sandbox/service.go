package sandbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/sandfhir/sandfhir/internal/portal"
)

// A Service is a backend service as the developer portal knows it: a client of
// the sandbox environment, which is submitted for review and approved or
// rejected there. Approval copies it to production, under the same client_id.
// A step that the service's status does not allow is an error that says what
// can be done instead. It is safe for concurrent use.
type Service struct {
	world *World
	id    string
}

// ErrNoService says that there is no service with such a client_id.
var ErrNoService = errors.New("sandbox: there is no such service")

// Service returns the service with this client_id, however it was registered:
// in the portal, by the program under test (RFC 7591), or with RegisterClient.
// Where there is none, its methods return ErrNoService.
func (w *World) Service(clientID string) *Service { return &Service{world: w, id: clientID} }

// Services returns all services, the latest registered first.
func (w *World) Services(ctx context.Context) ([]*Service, error) {
	found, err := w.workspace.Portal().Services(ctx)
	if err != nil {
		return nil, fmt.Errorf("sandbox: list services: %w", err)
	}
	var list []*Service
	for _, f := range found {
		list = append(list, w.Service(f.ID))
	}
	return list, nil
}

// Service returns the client of the sandbox environment as a service.
func (c *Client) Service() *Service { return c.env.world.Service(c.id) }

// InProduction returns the client as one of the production environment, with
// the same id and credentials. Production admits it once its service was
// approved.
func (c *Client) InProduction() *Client {
	there := *c
	there.env = c.env.world.production
	return &there
}

// ID is the service's client_id.
func (s *Service) ID() string { return s.id }

// A ServiceState says where a service stands.
type ServiceState struct {
	Status Status
	// Reason is why the status was given, By who gave it, in words; both may be
	// empty.
	Reason, By string
	// Live says that production admits a copy of the service that was approved.
	// It does so as well while an approved service is edited and reviewed again.
	Live bool
}

// State returns where the service stands.
func (s *Service) State(ctx context.Context) (ServiceState, error) {
	found, err := s.world.workspace.Portal().Service(ctx, s.id)
	if err != nil {
		return ServiceState{}, s.failed("look up", err)
	}
	return ServiceState{Status(found.Status), found.StatusReason, found.StatusBy, found.Live != nil}, nil
}

// Submit hands a draft in for review.
func (s *Service) Submit(ctx context.Context) error { return s.take(ctx, portal.Submit, "") }

// Approve lets a service that is under review into production.
func (s *Service) Approve(ctx context.Context) error { return s.take(ctx, portal.Approve, "") }

// Reject declines a service that is under review. The reason, which must not be
// empty, stands in what the service is refused with from now on.
func (s *Service) Reject(ctx context.Context, reason string) error {
	return s.take(ctx, portal.Reject, reason)
}

// Deactivate ends an active service in both environments, with all of its
// tokens. The reason, which must not be empty, stands in what the service is
// refused with from now on.
func (s *Service) Deactivate(ctx context.Context, reason string) error {
	return s.take(ctx, portal.Deactivate, reason)
}

func (s *Service) take(ctx context.Context, action portal.Action, reason string) error {
	if _, err := s.world.workspace.Portal().Take(ctx, s.id, action, reason, ""); err != nil {
		return s.failed(string(action), err)
	}
	return nil
}

// Delete removes the service from both environments, with all of its tokens.
func (s *Service) Delete(ctx context.Context) error {
	if err := s.world.workspace.Portal().Delete(ctx, s.id); err != nil {
		return s.failed("delete", err)
	}
	return nil
}

func (s *Service) failed(what string, err error) error {
	if errors.Is(err, portal.ErrNoService) {
		return fmt.Errorf("%w: %s", ErrNoService, s.id)
	}
	return fmt.Errorf("sandbox: %s service %s: %w", what, s.id, err)
}
