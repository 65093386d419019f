// Package workspace ties an isolated world together: its environments with
// their authorization servers and data, its control database, clock, faults
// and exchanges. Two workspaces share nothing that changes.
//
// It imports the packages below it and is imported by internal/httpapi and
// sandbox.
package workspace

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/control"
	"github.com/sandfhir/sandfhir/internal/exchange"
	"github.com/sandfhir/sandfhir/internal/fault"
	"github.com/sandfhir/sandfhir/internal/keyhost"
	"github.com/sandfhir/sandfhir/internal/portal"
	"github.com/sandfhir/sandfhir/internal/processdir"
	"github.com/sandfhir/sandfhir/internal/r4"
	"github.com/sandfhir/sandfhir/internal/validation"
	"github.com/sandfhir/sandfhir/seed"
)

// Config is what a workspace is made of.
type Config struct {
	Name string // "" is the default workspace
	// Dir keeps everything across restarts; empty keeps nothing.
	Dir string
	// Temp is where changed data go while the workspace exists, where Dir is
	// empty. nil is one of the workspace's own, in the system's directory for
	// temporary files.
	Temp *Temp
	// FullSync makes every write wait for the disk.
	FullSync bool
	// Populations are shared by the workspaces of a server.
	Populations *Populations
	// Population is what the sandbox environment begins with. Production's has
	// as many patients, who are other people.
	Population seed.Population
	// Behaviour is what the workspace begins under; the zero value is
	// behaviour.Strict. It can be asked for again by its name, as those can that
	// come with the program.
	Behaviour behaviour.Behaviour
	// KeyFetch says how the key sets of clients are fetched. The workspace
	// records every fetch as an exchange.
	KeyFetch authz.FetchConfig
	// AnyContent stores what is written without judging it by FHIR R4.
	AnyContent bool
	// RegistrationToken is the initial access token that registration asks for;
	// empty leaves registration open.
	RegistrationToken string
	// ExportLength is how long an export runs; bulk.OnePoll until the second
	// status request.
	ExportLength time.Duration
	// Fill puts into the sandbox environment, at a reset, what the workspace began
	// with beside the population; nil is nothing.
	Fill func(context.Context, *Environment) error
	// Wall is real time; nil means the wall clock.
	Wall clock.Clock
	// Rand makes ids, secrets and tokens; nil means crypto/rand. It need not be
	// safe for concurrent use.
	Rand io.Reader
}

// A Workspace is an isolated world.
type Workspace struct {
	Name      string
	Clock     *clock.Adjustable
	Wall      clock.Clock // real time
	Exchanges *exchange.Log
	Faults    *fault.Set
	KeyHosts  *keyhost.Set

	cfg     Config
	ownTemp bool // nobody else has cfg.Temp
	keys    *authz.Fetcher
	current atomic.Pointer[state]

	changing sync.Mutex // held while the state is replaced

	keep      control.Kept // clients that a new beginning leaves as they are; under changing
	snapshots snapshots
}

// A state is what changes with the behaviour and with a new beginning, all of
// it at once.
type state struct {
	behaviour behaviour.Behaviour
	epoch     *epoch
	envs      map[string]*Environment
}

// New opens a workspace. Its environments' data are opened when first used.
func New(ctx context.Context, cfg Config) (_ *Workspace, err error) {
	if cfg.Wall == nil {
		cfg.Wall = clock.System{}
	}
	if cfg.Rand != nil {
		cfg.Rand = &sharedReader{r: cfg.Rand}
	}
	w := &Workspace{
		Name: cfg.Name, Clock: clock.NewAdjustable(cfg.Wall), Wall: cfg.Wall,
		Exchanges: exchange.NewLog(cfg.Rand), Faults: &fault.Set{}, KeyHosts: &keyhost.Set{},
		cfg: cfg,
	}
	if w.cfg.Temp == nil {
		w.cfg.Temp, w.ownTemp = NewTemp(""), true
	}
	if w.cfg.Behaviour.Name == "" {
		w.cfg.Behaviour = behaviour.Strict()
	}
	w.cfg.KeyFetch.OnFetch, w.cfg.KeyFetch.Hinder, w.cfg.KeyFetch.ServerClock = w.recordFetch, w.hinderFetch, w.Clock
	w.keys = authz.NewFetcher(w.cfg.KeyFetch)
	dir, err := w.currentDir()
	if err != nil {
		return nil, fmt.Errorf("open workspace: %w", err)
	}
	begin, err := w.newEpoch(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("open workspace: %w", err)
	}
	first, err := begin.state(ctx, w, w.cfg.Behaviour)
	if err != nil {
		begin.close()
		return nil, fmt.Errorf("open workspace: %w", err)
	}
	w.current.Store(first)
	return w, nil
}

// authServer returns the authorization server of an environment.
func (w *Workspace) authServer(ctx context.Context, e *epoch, name string, b behaviour.Behaviour) (*authz.Server, error) {
	other := authz.Production
	if name == authz.Production {
		other = authz.Sandbox
	}
	defs, switches := r4.Definitions(), b.Authz()
	return authz.New(ctx, authz.Config{
		Environment:        authz.Environment{Name: name, Workspace: w.Name},
		Others:             []string{other},
		Store:              e.control,
		Keys:               w.keys,
		Clock:              w.Clock,
		Wall:               w.cfg.Wall,
		TokenAge:           e.control.TokenAge,
		Rand:               w.cfg.Rand,
		InitialAccessToken: w.cfg.RegistrationToken,
		Behaviour:          &switches,
		IsResourceType:     defs.IsType,
		CheckConstraint:    func(typ, constraint string) error { return fhirstore.CheckFilter(typ, constraint, w.Clock.Now()) },
		SearchParameter: func(typ, name string) bool {
			if typ == authz.AnyType {
				typ = "Resource"
			}
			p, ok := defs.Param(typ, name)
			return ok && fhirstore.Searchable(p)
		},
	})
}

// recordFetch adds a fetch of a key set to the exchanges.
func (w *Workspace) recordFetch(f *authz.Fetch) string {
	id, err := w.Exchanges.NewID()
	if err != nil { // the request that wants the keys tells of it
		return ""
	}
	e := exchange.OfFetch(id, f, w.Clock.Now())
	var hindered *hinderedError
	if f.Err != nil && errors.As(f.Err, &hindered) {
		e.Fault = hindered.rule.Text
	}
	w.Exchanges.Add(e)
	return id
}

// A hinderedError is what became of a fetch by a fault: what the network would say.
type hinderedError struct {
	rule *fault.Rule
	error
}

func (e *hinderedError) Unwrap() error { return e.error }

// hinderFetch has a fetch of a key set fail by the fault that it meets.
func (w *Workspace) hinderFetch(f *authz.Fetch) error {
	if w.Faults.Empty() {
		return nil
	}
	q := fault.Request{Kinds: []fault.Kind{fault.Fetch}, Client: f.ClientID, At: w.Wall.Now()}
	at, err := url.Parse(f.URI)
	if err == nil {
		q.Path = at.Path
	}
	rule := w.Faults.Meet(fault.Before, q)
	switch {
	case rule == nil:
		return nil
	case rule.Fault.ID == "jwks.tls":
		return &hinderedError{rule, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}
	}
	return &hinderedError{rule, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}
}

// A sharedReader lets several read one after the other.
type sharedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (s *sharedReader) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(p)
}

// Environment returns the environment with this name under the behaviour in
// force, or nil. It stays as it is when the behaviour changes: a request takes
// it once.
func (w *Workspace) Environment(name string) *Environment { return w.current.Load().envs[name] }

// Portal returns the developer portal under the behaviour in force.
func (w *Workspace) Portal() *portal.Portal { return w.portalOf(w.current.Load()) }

// PortalUnder returns the developer portal under another behaviour.
func (w *Workspace) PortalUnder(b behaviour.Behaviour) (*portal.Portal, error) {
	s, err := w.current.Load().under(b)
	if err != nil {
		return nil, err
	}
	return w.portalOf(s), nil
}

func (w *Workspace) portalOf(s *state) *portal.Portal {
	envs := s.envs
	return &portal.Portal{
		Sandbox: envs[authz.Sandbox].Auth, Production: envs[authz.Production].Auth,
		Store: s.epoch.control, Now: w.Clock.Now, Organizations: envs[authz.Sandbox].Organizations,
	}
}

// RotateSecret gives a client of an environment another secret, to be shown
// once; see portal.Portal.RotateSecret. A service gets it for both environments.
func (w *Workspace) RotateSecret(ctx context.Context, env, id string, overlap time.Duration) (string, *authz.Client, error) {
	return RotateSecret(ctx, w.Portal(), env, id, overlap)
}

// RotateSecret is Workspace.RotateSecret by a portal of the workspace.
func RotateSecret(ctx context.Context, p *portal.Portal, env, id string, overlap time.Duration) (string, *authz.Client, error) {
	auth := p.Production
	if env == authz.Sandbox {
		auth = p.Sandbox
		s, plain, err := p.RotateSecret(ctx, id, overlap)
		if err == nil {
			return plain, s.Client, nil
		}
		if !errors.Is(err, portal.ErrNoService) {
			return "", nil, err
		}
	}
	return auth.RotateSecret(ctx, id, overlap)
}

// An Environment is an authorization server, under the behaviour that was in
// force when it was asked for, with a FHIR server's data.
type Environment struct {
	Name string
	Auth *authz.Server
	*resources

	export bulk.Behaviour
}

// Exports returns the environment's exports.
func (e *Environment) Exports(ctx context.Context) (*bulk.Service, error) {
	exports, err := e.openExports(ctx)
	if err != nil {
		return nil, err
	}
	return exports.With(e.export), nil
}

// Export returns the behaviour of exports.
func (e *Environment) Export() bulk.Behaviour { return e.export }

// resources are an environment's data, whatever the behaviour.
type resources struct {
	name       string
	workspace  *Workspace
	epoch      *epoch
	dir        string // keeps the data across restarts, or ""
	population seed.Population
	older      bool // the data began with a population of another version

	evolving sync.Mutex // held while the population moves on

	mu      sync.Mutex // of all below and of population
	data    *fhirstore.Store
	exports *bulk.Service
	closed  bool
}

// Data returns the environment's resources; the first call opens them, and
// builds the population where that was never done before.
func (e *resources) Data(ctx context.Context) (*fhirstore.Store, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open(ctx)
}

// openExports returns the environment's exports, whatever the behaviour.
func (e *resources) openExports(ctx context.Context) (*bulk.Service, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.exports != nil {
		return e.exports, nil
	}
	data, err := e.open(ctx)
	if err != nil {
		return nil, err
	}
	w := e.workspace
	e.exports = bulk.NewService(bulk.Config{Env: e.name, Data: data, Jobs: e.epoch.control, Clock: w.Clock, Wall: w.Wall, Rand: w.cfg.Rand, Length: w.cfg.ExportLength})
	return e.exports, nil
}

// open opens the data. The caller holds e.mu.
func (e *resources) open(ctx context.Context) (*fhirstore.Store, error) {
	if e.closed {
		return nil, ErrEnded
	}
	if e.data != nil {
		return e.data, nil
	}
	data, err := e.openStore(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the data of %s: %w", e.name, err)
	}
	e.data = data
	return data, nil
}

func (e *resources) openStore(ctx context.Context) (*fhirstore.Store, error) {
	w := e.workspace
	opts := fhirstore.Options{Clock: w.Clock, FullSync: w.cfg.FullSync}
	if !w.cfg.AnyContent {
		opts.Check = validation.R4().Admit
	}
	if e.dir != "" {
		if err := e.createDir(ctx, e.dir); err != nil {
			return nil, err
		}
		return fhirstore.Open(ctx, e.dir, opts)
	}
	base, err := w.cfg.Populations.Base(ctx, e.population)
	if err == nil {
		return fhirstore.Over(base, func() (string, error) { return e.epoch.tempDir(w.cfg.Temp, e.name) }, opts), nil
	}
	if !errors.Is(err, errNoCache) {
		return nil, err
	}
	// Nowhere to cache it: this process alone has it, in memory.
	store, err := fhirstore.Open(ctx, "", opts)
	if err != nil {
		return nil, err
	}
	w.cfg.Populations.begin(e.population, false)
	if err := w.cfg.Populations.populate(ctx, store, e.population); err != nil {
		store.Close()
		return nil, err
	}
	return store, nil
}

// createDir makes the data directory of an environment with its population,
// unless it is there already: under a name of its own first, so that a start
// that was cut short leaves nothing that looks complete.
func (e *resources) createDir(ctx context.Context, dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return e.recall(dir)
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	processdir.Living(ctx, filepath.Dir(dir), e.name+"-part-")
	made, err := processdir.Make(ctx, filepath.Dir(dir), e.name+"-part-*")
	if err != nil {
		return err
	}
	defer made.Remove()
	part := filepath.Join(made.Path(), e.name)
	if err := os.Mkdir(part, 0o700); err != nil {
		return err
	}
	base, err := e.workspace.cfg.Populations.Base(ctx, e.population)
	if err == nil {
		err = base.Copy(part)
	} else if errors.Is(err, errNoCache) {
		e.workspace.cfg.Populations.begin(e.population, false)
		err = fhirstore.BuildBase(ctx, part, func(l *fhirstore.Load) error { return e.workspace.cfg.Populations.fill(ctx, l, e.population) })
	}
	if err == nil {
		err = e.note(part)
	}
	if err != nil {
		return err
	}
	return os.Rename(part, dir)
}

func (ps *Populations) populate(ctx context.Context, store *fhirstore.Store, p seed.Population) error {
	load, err := store.Load(ctx, fhirstore.Everything())
	if err != nil {
		return err
	}
	defer load.Rollback()
	if err := ps.fill(ctx, load, p); err != nil {
		return err
	}
	return load.Commit(ctx)
}

func (e *resources) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed = true; e.data == nil {
		return nil
	}
	return e.data.Close()
}
