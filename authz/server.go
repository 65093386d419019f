package authz

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// Config is what an authorization server is made of. Store and
// IsResourceType are required.
type Config struct {
	Environment Environment
	// Others names the workspace's other environments; their clients are
	// looked at to explain why one is unknown here.
	Others []string
	Store  Store
	// Keys gets published key sets. Nil refuses every client with a jwks_uri.
	Keys KeySource
	// Clock ages what the server issues: the workspace's clock. Nil is
	// clock.System.
	Clock clock.Clock
	// Wall is real time; it judges assertions. Nil is clock.System.
	Wall clock.Clock
	// Rand yields ids and secrets; nil is crypto/rand. It need not be safe for
	// concurrent use.
	Rand io.Reader
	// Behaviour holds the switches; nil is Strict.
	Behaviour *Behaviour
	// InitialAccessToken is the bearer token that registration asks for (RFC
	// 7591 section 3); "" leaves registration open.
	InitialAccessToken string
	// IsResourceType reports whether a name is a FHIR resource type, case
	// included.
	IsResourceType func(name string) bool
	// SearchParameter reports whether the type has the search parameter. It
	// checks the constraints of scopes; nil takes every well-formed name.
	SearchParameter func(typ, name string) bool
}

// Server is the authorization server of one environment. It is safe for
// concurrent use.
type Server struct {
	core      *core
	behaviour Behaviour
}

// New returns the authorization server of an environment. It loads the
// environment's signing keys from the Store, or makes the first one.
func New(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.Store == nil {
		return nil, errors.New("authz: Config.Store is missing")
	}
	if cfg.IsResourceType == nil {
		return nil, errors.New("authz: Config.IsResourceType is missing")
	}
	if cfg.Environment.Name == "" {
		return nil, errors.New("authz: Config.Environment has no name")
	}
	behaviour := Strict()
	if cfg.Behaviour != nil {
		behaviour = *cfg.Behaviour
	}
	if err := behaviour.Validate(); err != nil {
		return nil, err
	}
	core, err := newCore(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("authz: start %s: %w", cfg.Environment, err)
	}
	return &Server{core: core, behaviour: behaviour.clone()}, nil
}

// With returns the same server under other switches: keys, caches and store
// are shared. It is cheap enough for one request, which is how a fault changes
// a switch for the requests that it matches.
func (s *Server) With(b Behaviour) (*Server, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	return &Server{core: s.core, behaviour: b.clone()}, nil
}

// Behaviour returns the switches in force.
func (s *Server) Behaviour() Behaviour { return s.behaviour.clone() }

// Environment returns the environment that the server belongs to.
func (s *Server) Environment() Environment { return s.core.env }
