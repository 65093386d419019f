package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	models "github.com/samply/golang-fhir-models/fhir-models/fhir"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/localca"
	"github.com/sandfhir/sandfhir/internal/workspace"
)

// Config is what a Server is made of. Workspace is required.
type Config struct {
	// Workspace returns the workspace with a name, "" being the default one,
	// or nil.
	Workspace func(name string) *workspace.Workspace
	// Worlds makes workspaces beside the default one; nil lets nobody make any.
	Worlds *workspace.Worlds
	// BaseURL is the URL under which clients reach the server; empty derives
	// it from each request.
	BaseURL string
	// TrustedProxies are the addresses or networks whose X-Forwarded-* headers
	// are believed.
	TrustedProxies []string
	// AdminToken guards the portal and the control surfaces; empty leaves them
	// open to whoever reaches the listener.
	AdminToken string
	// TokenCommand is the command line that prints an access token on the
	// server's machine, for the start page; empty is "sandfhir token".
	TokenCommand string
	// Authority is the server's own, whose certificate is shown to whoever asks;
	// nil is none.
	Authority *localca.Authority
	// Ports returns the ports of the listeners of both environments where each has
	// one of its own: URLs are of the one or the other. nil, or empty ports, have
	// both environments under one origin.
	Ports func() (sandbox, production string)
	// Logger takes what goes wrong inside; nil is silent.
	Logger *slog.Logger
}

// A Server answers HTTP requests.
type Server struct {
	cfg Config
	app *fiber.App

	began     time.Time // real time
	routes    []route
	conns     *conns
	resources func() []models.CapabilityStatementRestResource // made once

	mu        sync.Mutex
	listeners []net.Listener
	closed    bool
	stopped   chan struct{} // closed by Shutdown
	origins   origins

	once    sync.Once
	handler http.Handler
}

// readBuffer bounds the request line and headers: a token of 8 KB and a long
// query have to fit.
const readBuffer = 64 << 10

// New returns a server.
func New(cfg Config) *Server {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if cfg.TokenCommand == "" {
		cfg.TokenCommand = "sandfhir token"
	}
	s := &Server{cfg: cfg, began: clock.System{}.Now(), routes: routeTable(), conns: newConns(), stopped: make(chan struct{}), origins: origins{authority: cfg.Authority, urls: map[localca.Flaw]string{}}, resources: sync.OnceValue(capabilityResources)}
	s.app = fiber.New(fiber.Config{
		AppName:                 "sandfhir",
		CaseSensitive:           true,
		Immutable:               true,
		DisableStartupMessage:   true,
		ReadBufferSize:          readBuffer,
		StreamRequestBody:       true,
		BodyLimit:               64 << 10, // what is read ahead; readBody has the limits
		EnableTrustedProxyCheck: true,
		TrustedProxies:          append([]string{pipeAddress}, cfg.TrustedProxies...),
		ErrorHandler:            s.unrouted,
		DisableDefaultDate:      true, // stamp sets it
		RequestMethods:          append(slices.Clone(fiber.DefaultMethods), otherMethod),
		// A multipart body would be written to files before any limit.
		DisablePreParseMultipartForm: true,
	})
	endRequests(&s.app.Server().ConnState, s.conns)
	takeAnyMethod(&s.app.Server().Handler, s.app.AcquireCtx, s.app.ReleaseCtx)
	// The first recover is for what happens before a request is recorded; the one
	// behind record has a panic recorded.
	s.app.Use(s.track, recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: s.logPanic}))
	s.app.Use(s.locate, s.cors, s.record, recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: s.logPanic}), s.admit, s.faults)
	for _, r := range s.routes {
		s.route(r)
	}
	s.app.Use(s.notFound)
	return s
}

// track notes that a request is under way, until its connection has sent the
// answer.
func (s *Server) track(c *fiber.Ctx) error {
	s.conns.begin(c.Context().Conn())
	err := c.Next()
	s.stamp(c)
	return err
}

func (s *Server) logPanic(c *fiber.Ctx, e any) {
	s.cfg.Logger.Error("a handler panicked", "method", c.Method(), "path", c.Path(), "panic", e, "stack", string(debug.Stack()))
}

func (s *Server) route(r route) {
	handler := func(c *fiber.Ctx) error {
		call := callOf(c)
		if err := r.guard(call); err != nil {
			return err
		}
		if r.noHead && call.Method() == fiber.MethodHead {
			return s.refuseUnserved(call)
		}
		if call.surface == fhirSurface && call.wantsPolicyTrace() && !isOpen(call.routed) {
			return call.tracePolicies()
		}
		return r.serve(call)
	}
	switch r.method {
	case anyMethod:
		s.app.All(r.path, handler)
	case fiber.MethodGet:
		s.app.Add(fiber.MethodHead, r.path, handler)
		fallthrough
	default:
		s.app.Add(r.method, r.path, handler)
	}
}

// Serve answers the connections that ln accepts until Shutdown; then it
// returns nil. It closes ln.
func (s *Server) Serve(ln net.Listener) error {
	if !s.register(ln) {
		return nil
	}
	return s.serve(ln, false)
}

// ServeProduction is Serve for a listener at which the production environment is
// at the root.
func (s *Server) ServeProduction(ln net.Listener) error {
	if !s.register(ln) {
		return nil
	}
	return s.serve(ln, true)
}

// register takes a listener that Shutdown is to close. Behind Shutdown it
// closes the listener itself and returns false.
func (s *Server) register(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		ln.Close()
		return false
	}
	s.listeners = append(s.listeners, ln)
	return true
}

func (s *Server) serve(ln net.Listener, production bool) error {
	defer ln.Close()
	s.app.Handler() // builds the routes
	err := s.app.Server().Serve(trackingListener{ln, s.conns, production})
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Shutdown stops to accept connections, waits until the requests under way are
// answered or ctx is done, and closes all connections. Its error is ctx's where
// requests were cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.stopped)
	}
	listeners := s.listeners
	s.listeners = nil
	s.mu.Unlock()
	for _, ln := range listeners {
		ln.Close()
	}
	return s.conns.close(ctx)
}
