package authz

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

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
	// TokenAge is a number that access tokens carry. Where it has grown since a
	// token was issued, the token has expired, whatever the clock shows. Nil is
	// always 0.
	TokenAge func() int64
	// Rand yields ids and secrets and is safe for concurrent use; nil is
	// crypto/rand.
	Rand io.Reader
	// Behaviour holds the switches; nil is Strict.
	Behaviour *Behaviour
	// InitialAccessToken is the bearer token that registration asks for (RFC
	// 7591 section 3); "" leaves registration open.
	InitialAccessToken string
	// IsResourceType reports whether a name is a FHIR resource type, case
	// included.
	IsResourceType func(name string) bool
	// CheckConstraint returns what is wrong with the constraint of a scope of
	// that type (AnyType included), in the form of a URL's query, whose
	// parameters SearchParameter knows; nil takes every value.
	CheckConstraint func(typ, constraint string) error
	// SearchParameter reports whether the type has the search parameter. It
	// checks the constraints of scopes; nil takes every well-formed name.
	SearchParameter func(typ, name string) bool
}

// Server is the authorization server of one environment. It is safe for
// concurrent use.
type Server struct {
	env             Environment
	others          []string
	store           Store
	keys            KeySource
	workspaceClock  clock.Clock // ages what the server issued
	wallClock       clock.Clock // real time; judges what clients made
	tokenAge        func() int64
	rand            io.Reader
	isResourceType  func(string) bool
	searchParameter func(typ, name string) bool
	checkConstraint func(typ, constraint string) error
	initialToken    []byte // hash; nil leaves registration open
	behaviour       Behaviour

	ring     *keyring
	inline   *cache[*KeySet]
	verified *cache[*tokenClaims]
	throttle *throttle
	calls    *callCounter // of approved clients that still call the sandbox
	managing *sync.Mutex  // held while a client is read, changed and written
}

// New returns the authorization server of an environment. It loads the
// environment's signing keys from the Store, or makes the first one.
func New(ctx context.Context, cfg Config) (*Server, error) {
	switch {
	case cfg.Store == nil:
		return nil, errors.New("authz: Config.Store is missing")
	case cfg.IsResourceType == nil:
		return nil, errors.New("authz: Config.IsResourceType is missing")
	case cfg.Environment.Name == "":
		return nil, errors.New("authz: Config.Environment has no name")
	}
	behaviour := Strict()
	if cfg.Behaviour != nil {
		behaviour = *cfg.Behaviour
	}
	if err := behaviour.Validate(); err != nil {
		return nil, err
	}
	s := &Server{
		env:             cfg.Environment,
		others:          slices.Clone(cfg.Others),
		store:           cfg.Store,
		keys:            cfg.Keys,
		workspaceClock:  cfg.Clock,
		wallClock:       cfg.Wall,
		tokenAge:        cfg.TokenAge,
		rand:            rand.Reader,
		isResourceType:  cfg.IsResourceType,
		searchParameter: cfg.SearchParameter,
		checkConstraint: cfg.CheckConstraint,
		managing:        new(sync.Mutex),
		throttle:        newThrottle(),
		behaviour:       behaviour.clone(),
		inline:          newCache[*KeySet](maxInlineSets),
		verified:        newCache[*tokenClaims](maxVerifiedTokens),
	}
	if cfg.InitialAccessToken != "" {
		s.initialToken = HashSecret(cfg.InitialAccessToken)
	}
	if s.keys == nil {
		s.keys = noKeySource{}
	}
	if s.workspaceClock == nil {
		s.workspaceClock = clock.System{}
	}
	if s.wallClock == nil {
		s.wallClock = clock.System{}
	}
	if s.tokenAge == nil {
		s.tokenAge = func() int64 { return 0 }
	}
	if cfg.Rand != nil {
		s.rand = cfg.Rand
	}
	if s.searchParameter == nil {
		s.searchParameter = func(string, string) bool { return true }
	}
	if s.checkConstraint == nil {
		s.checkConstraint = func(string, string) error { return nil }
	}
	s.calls = &callCounter{begun: s.workspaceClock.Now(), counts: map[string]*SinceApproval{}}
	var err error
	if s.ring, err = openKeyring(ctx, s.store, s.env.Name, s.workspaceClock); err != nil {
		return nil, fmt.Errorf("authz: start %s: %w", s.env, err)
	}
	return s, nil
}

// With returns the same server under other switches: keys, caches and store
// are shared. It is cheap enough for one request.
func (s *Server) With(b Behaviour) (*Server, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	other := *s
	other.behaviour = b.clone()
	return &other, nil
}

// Behaviour returns the switches in force.
func (s *Server) Behaviour() Behaviour { return s.behaviour.clone() }

// Environment returns the environment that the server belongs to.
func (s *Server) Environment() Environment { return s.env }
