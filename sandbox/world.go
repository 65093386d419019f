package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// A World is a sandbox by itself: two environments, each an authorization server
// with a FHIR server, the clients that are registered with them, a clock and a
// log of what was asked. Worlds share nothing that changes: a token, a client, a
// job or an exchange of one is unknown in another. It is safe for concurrent use.
//
// Where a method is about an environment and does not say which, it is the
// sandbox environment; Production returns the other one.
type World struct {
	server     *Server
	workspace  *workspace.Workspace
	made       *workspace.World // nil of the server's own
	path       string           // below the server's URL
	loaded     LoadReport
	sandbox    *Environment
	production *Environment

	defaultOnce   sync.Once
	defaultClient *Client
}

func newWorld(s *Server, inner *workspace.Workspace) *World {
	w := &World{server: s, workspace: inner}
	if inner.Name != "" {
		w.path = "/w/" + url.PathEscape(inner.Name)
	}
	w.sandbox = newEnvironment(w, authz.Sandbox)
	w.production = newEnvironment(w, authz.Production)
	return w
}

// WorldConfig describes a world beside the server's own. The zero value makes one
// with the server's sample population and behaviour, that stays until it is
// closed.
type WorldConfig struct {
	// Name stands in the world's URLs: 1 to 64 of the characters a-z, A-Z, 0-9,
	// ".", "_" and "-". Empty has one made that nobody guesses.
	Name string
	// TTL is after what real time the world ends by itself; 0 is never.
	TTL time.Duration
	// Behaviour is the name of what the world is strict about; see WithBehaviour.
	// Empty is what the server began under.
	Behaviour string
	// Patients is the size of the sample population, from 1 to a thousand or what
	// the server has; 0 is the server's. Empty is no sample data at all.
	Patients int
	Empty    bool
}

// The errors of NewWorld that can be told by errors.Is.
var (
	ErrWorldExists   = workspace.ErrTaken
	ErrTooManyWorlds = workspace.ErrTooMany // MaxWorlds are there
)

// MaxWorlds is how many worlds there can be beside the server's own.
const MaxWorlds = workspace.MaxWorlds

// NewWorld makes a world beside the server's own, below /w/ and its name, in a
// few milliseconds: for each test, for instance, of a suite that shares a server.
// It has the server's options, but for WithLoad, WithFault and WithDataDir. Close ends it,
// and so does the end of its TTL or of the server. The same over HTTP is
// POST /_sandbox/workspaces.
//
// The errors are those of WorldConfig, ErrWorldExists, ErrTooManyWorlds and
// ErrClosed.
func (s *Server) NewWorld(ctx context.Context, cfg WorldConfig) (*World, error) {
	opts := workspace.WorldOptions{Name: cfg.Name, TTL: cfg.TTL, Behaviour: cfg.Behaviour}
	switch none := 0; {
	case cfg.Empty && cfg.Patients != 0:
		return nil, errors.New("sandbox: new world: Patients and Empty exclude each other")
	case cfg.Empty:
		opts.Patients = &none
	case cfg.Patients != 0:
		opts.Patients = &cfg.Patients
	}
	made, err := s.worlds.Make(ctx, opts)
	switch {
	case errors.Is(err, workspace.ErrEnded):
		return nil, ErrClosed
	case err != nil:
		return nil, fmt.Errorf("sandbox: new world: %w", err)
	}
	w := newWorld(s, made.Workspace)
	w.made = made
	return w, nil
}

// Name is the world's name; the server's own world has none.
func (w *World) Name() string { return w.workspace.Name }

// URL is where the world is reached, without a slash at its end, and "" before
// Listen. Of a server it is what WithBaseURL says, else the address it listens
// on.
func (w *World) URL() string {
	root := w.server.rootURL()
	if root == "" {
		return ""
	}
	return root + w.path
}

// Clock returns the world's clock.
func (w *World) Clock() *Clock { return &Clock{w.workspace.Clock} }

// Close ends the world: whoever comes finds it gone, requests under way have two
// seconds to be answered, and its data are removed behind the last of them. Where
// it has ended before, it does nothing. The server's own world ends with the
// server.
func (w *World) Close() error {
	if w.made == nil {
		return w.server.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if err := w.server.worlds.End(ctx, w.made); err != nil {
		return fmt.Errorf("sandbox: close world %s: %w", w.workspace.Name, err)
	}
	return nil
}
