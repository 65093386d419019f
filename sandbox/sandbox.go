package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/httpapi"
	"github.com/sandfhir/sandfhir/internal/workspace"
	"github.com/sandfhir/sandfhir/seed"
)

// A Server is a sandbox that listens: a World, whose methods are the server's
// too, and others that NewWorld makes beside it. It is safe for concurrent use.
// Servers share nothing that changes.
type Server struct {
	*World // what is served at the server's root

	cfg         config
	worlds      *workspace.Worlds
	populations *workspace.Populations
	api         *httpapi.Server
	transport   *http.Transport // of this package's own clients
	security    *security       // nil without TLS
	unlock      func() error

	ended   chan struct{} // closed once Wait may return
	endOnce sync.Once
	endErr  error // there once ended is closed

	mu     sync.Mutex // guards what follows
	closed bool
	url    string // of the listener, "" before there is one
	// production is the URL of the listener of the production environment, ""
	// where it has none.
	productionURL string
	serving       []*serving
}

// New returns a server that does not listen yet: give its Handler to an
// http.Server of your own, or call Listen. It is to be closed with Close.
//
// The sample population is built when a size and seed of it are first used on
// this machine, which takes some seconds for the default hundred patients, and
// is cached for every later server. ctx bounds that, and the loading of
// WithLoad; the server outlives it.
//
// The errors are those of the options, all of them at once; ErrDataInUse; a
// LoadProblem; and what the file system says.
func New(ctx context.Context, opts ...Option) (_ *Server, err error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s := &Server{cfg: cfg, transport: newTransport(), ended: make(chan struct{}), unlock: func() error { return nil }}
	defer func() {
		if err != nil {
			err = fmt.Errorf("sandbox: %w", errors.Join(err, s.release()))
		}
	}()
	if cfg.dataDir != "" {
		unlock, err := lockDataDir(ctx, cfg.dataDir)
		if err != nil {
			return nil, err
		}
		s.unlock = unlock
	}
	if s.security, err = newSecurity(cfg); err != nil {
		return nil, err
	}
	if s.security != nil {
		s.transport.TLSClientConfig = &tls.Config{RootCAs: s.security.roots, MinVersion: tls.VersionTLS12}
	}
	s.populations = workspace.NewPopulations(cacheDir(cfg.cacheDir))
	if f := cfg.buildProgress; f != nil {
		s.populations.WatchProgress(func(patients, total int) { f(BuildProgress{patients, total}) })
	}
	if f := cfg.building; f != nil {
		s.populations.Watch(func(p seed.Population, cached bool) { f(Building{newPopulation(p), cached}) })
	}
	s.worlds, err = workspace.NewWorlds(ctx, workspace.Config{
		Dir:               cfg.dataDir,
		FullSync:          cfg.fullSync,
		Populations:       s.populations,
		Population:        seed.Population{Patients: cfg.patients, Seed: cfg.seed, Richness: cfg.richness},
		Behaviour:         cfg.behaviour,
		KeyFetch:          authz.FetchConfig{Reach: cfg.keyReach, RootCAs: cfg.rootsForKeys(s.security), InsecureTLS: cfg.keyInsecure},
		AnyContent:        cfg.anyContent,
		RegistrationToken: cfg.registerToken,
		ExportLength:      cfg.exportDuration,
		Fill:              s.refill,
	})
	if err != nil {
		return nil, err
	}
	watch := logExchanges(cfg.logger)
	s.worlds.Default().Exchanges.Watch(watch)
	s.worlds.OnNew = func(w *workspace.Workspace) { w.Exchanges.Watch(watch) }
	s.World = newWorld(s, s.worlds.Default())
	s.workspace.Faults.Begin(cfg.faults...)
	s.security.meet(s.workspace.Faults)
	if s.loaded, err = s.fill(ctx, s.sandbox.inner()); err != nil {
		return nil, err
	}
	s.api = httpapi.New(httpapi.Config{
		Workspace:      s.worlds.Named,
		Worlds:         s.worlds,
		BaseURL:        cfg.baseURL,
		TrustedProxies: cfg.trustedProxies,
		AdminToken:     cfg.adminToken,
		TokenCommand:   cfg.tokenCommand,
		Logger:         cfg.logger,
		Authority:      s.authority(),
		Ports:          s.ports,
	})
	return s, nil
}

// Handler returns the server as an http.Handler, for an http.Server or an
// httptest.Server of your own, with or without TLS and behind http.StripPrefix
// if you like: the URLs in its answers are those of the request. It needs no
// Listen. Client.At tells a client where the handler is mounted.
//
// The handler does not know who can reach it. Give WithAdminToken if that is
// more than this machine.
func (s *Server) Handler() http.Handler { return s.api.Handler() }

// closeGrace is how long Close lets open requests go on.
const closeGrace = 2 * time.Second

// Close stops to listen, gives open requests two seconds to end, and frees
// everything that the server holds. Without WithDataDir its data are gone. A
// second Close does nothing.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	return s.Shutdown(ctx)
}

// Shutdown is Close with a grace of the caller's choice: it gives open requests
// until the end of ctx, and then cuts them. Its error wraps that of ctx where
// there were any, and tells what could not be freed.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	list := s.serving
	s.mu.Unlock()

	defer s.end(nil)
	s.transport.CloseIdleConnections()
	var errs []error
	if err := s.api.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("sandbox: close: requests were under way and have been cut: %w", err))
	}
	for _, l := range list {
		errs = append(errs, l.close())
	}
	errs = append(errs, s.release())
	return errors.Join(errs...)
}

// release frees what New took, as far as it got.
func (s *Server) release() error {
	var errs []error
	if s.worlds != nil {
		errs = append(errs, s.worlds.Close())
	}
	if s.populations != nil {
		errs = append(errs, s.populations.Close())
	}
	s.transport.CloseIdleConnections()
	return errors.Join(append(errs, s.unlock())...)
}
