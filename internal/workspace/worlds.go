package workspace

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/seed"
)

// MaxWorlds is how many workspaces there can be beside the default one.
const MaxWorlds = 2000

// MaxWorldPatients is how many sample patients can be asked for with a world;
// building more takes longer than a request should.
const MaxWorldPatients = 1000

// The reasons for which no workspace is made. Those that wrap ErrWorld are the
// caller's mistake.
var (
	ErrWorld     = errors.New("there can be no such workspace")
	ErrTaken     = errors.New("there is a workspace of this name already")
	ErrTooMany   = fmt.Errorf("there are %d workspaces, which is as many as there can be; end one by DELETE, or give them a ttl", MaxWorlds)
	errNotAWorld = errors.New("is no name of a workspace: it has 1 to 64 of the characters a-z, A-Z, 0-9, . _ and -, and begins with a letter or a digit")
)

// WorldOptions are what a new workspace has of its own.
type WorldOptions struct {
	Name      string        // "" has one made
	TTL       time.Duration // of real time until it ends by itself; 0 is never
	Behaviour string        // name of what it begins under; "" is the server's
	// Patients is the size of the sample population; nil is the server's.
	Patients *int
}

// Worlds are the workspaces of a server: the default one, and those that are
// made beside it and end with it at the latest. It is safe for concurrent use.
type Worlds struct {
	cfg   Config
	first *Workspace

	// OnNew is called with every workspace before anybody can ask for it; it may
	// be nil.
	OnNew func(*Workspace)

	mu     sync.Mutex // guards what follows
	worlds map[string]*World
	closed bool
}

// A World is a workspace that was made beside the default one.
type World struct {
	*Workspace
	Created time.Time // in real time
	Ends    time.Time // in real time; zero is never
	timer   *time.Timer
}

// NewWorlds opens the default workspace; others are made as it is, but for its
// directory and what it is filled with.
func NewWorlds(ctx context.Context, cfg Config) (*Worlds, error) {
	if cfg.Temp == nil {
		cfg.Temp = NewTemp("")
	}
	first, err := New(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, cfg.Temp.Close())
	}
	cfg.Dir, cfg.Fill = "", nil
	return &Worlds{cfg: cfg, first: first, worlds: map[string]*World{}}, nil
}

// Default returns the default workspace.
func (ws *Worlds) Default() *Workspace { return ws.first }

// Named returns the workspace with a name, "" being the default one, or nil.
func (ws *Worlds) Named(name string) *Workspace {
	if name == "" {
		return ws.first
	}
	if w := ws.World(name); w != nil {
		return w.Workspace
	}
	return nil
}

// World returns the workspace with a name that was made beside the default one,
// or nil.
func (ws *Worlds) World(name string) *World {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.worlds[name]
}

// List returns the workspaces beside the default one, the oldest first.
func (ws *Worlds) List() []*World {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	list := make([]*World, 0, len(ws.worlds))
	for _, w := range ws.worlds {
		if w != nil {
			list = append(list, w)
		}
	}
	slices.SortFunc(list, func(a, b *World) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list
}

// Make makes a workspace, with its sandbox environment's data open. Its errors
// wrap ErrWorld, ErrTaken, ErrTooMany or ErrEnded.
func (ws *Worlds) Make(ctx context.Context, opts WorldOptions) (*World, error) {
	cfg, err := ws.configOf(opts)
	if err != nil {
		return nil, err
	}
	if err := ws.reserve(cfg.Name); err != nil {
		return nil, err
	}
	w, err := New(ctx, cfg)
	if err == nil {
		if _, err = w.Environment(environmentNames()[0]).Data(ctx); err != nil {
			err = errors.Join(err, w.Close())
		}
	}
	if err != nil {
		ws.free(cfg.Name)
		return nil, fmt.Errorf("make workspace %s: %w", cfg.Name, err)
	}
	if ws.OnNew != nil {
		ws.OnNew(w)
	}
	return ws.begin(w, opts.TTL)
}

func (ws *Worlds) configOf(opts WorldOptions) (Config, error) {
	cfg := ws.cfg
	if cfg.Name = opts.Name; cfg.Name == "" {
		cfg.Name = strings.ToLower(rand.Text())
	}
	if !validName(cfg.Name) {
		return cfg, fmt.Errorf("%w: name: %q %w", ErrWorld, cfg.Name, errNotAWorld)
	}
	if opts.TTL < 0 {
		return cfg, fmt.Errorf("%w: ttl: %v is less than nothing", ErrWorld, opts.TTL)
	}
	if opts.Behaviour != "" {
		b, err := behaviour.Named(ws.first.Behaviours(), opts.Behaviour)
		if err != nil {
			return cfg, fmt.Errorf("%w: behaviour: %w", ErrWorld, err)
		}
		cfg.Behaviour = b
	}
	if opts.Patients != nil {
		if n := *opts.Patients; n < 0 || n > max(MaxWorldPatients, ws.cfg.Population.Patients) {
			return cfg, fmt.Errorf("%w: patients: %d is not from 0 to %d", ErrWorld, n, max(MaxWorldPatients, ws.cfg.Population.Patients))
		}
		cfg.Population = seed.Population{Patients: *opts.Patients, Seed: cfg.Population.Seed, Richness: cfg.Population.Richness}
	}
	return cfg, nil
}

// validName reports whether a name can stand in URLs and as the name of a
// directory, on every system.
func validName(name string) bool {
	ok, err := regexp.MatchString(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`, name)
	return ok && err == nil
}

// reserve takes a name, and its place among the workspaces, for one that is
// being made.
func (ws *Worlds) reserve(name string) error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	_, taken := ws.worlds[name]
	switch {
	case ws.closed:
		return ErrEnded
	case taken:
		return ErrTaken
	case len(ws.worlds) >= MaxWorlds:
		return ErrTooMany
	}
	ws.worlds[name] = nil
	return nil
}

func (ws *Worlds) free(name string) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.worlds, name)
}

// begin lets others find a workspace, and has it end after ttl.
func (ws *Worlds) begin(inner *Workspace, ttl time.Duration) (*World, error) {
	w := &World{Workspace: inner, Created: inner.Wall.Now()}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed {
		delete(ws.worlds, inner.Name)
		return nil, errors.Join(ErrEnded, inner.Close())
	}
	if ttl > 0 {
		w.Ends = w.Created.Add(ttl)
		w.timer = time.AfterFunc(ttl, func() {
			<-ws.end(w)
			_ = w.Close() // nobody waits for it
		})
	}
	ws.worlds[inner.Name] = w
	return w, nil
}

// end ends a workspace. Its name is free at once; its data go when the requests
// under way in it are answered.
func (ws *Worlds) end(w *World) (closed <-chan struct{}) {
	ws.mu.Lock()
	if ws.worlds[w.Name] == w {
		delete(ws.worlds, w.Name)
	}
	if w.timer != nil {
		w.timer.Stop()
	}
	ws.mu.Unlock()
	return w.End()
}

// End ends a workspace at once for whoever comes, and waits until the requests
// under way in it are answered and its data are gone, or ctx is done: then they
// go without it. Its error is ctx's, or what could not be freed.
func (ws *Worlds) End(ctx context.Context, w *World) error {
	select {
	case <-ws.end(w):
		return w.Close()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close closes all workspaces, whoever is in them, and lets nobody make another.
func (ws *Worlds) Close() error {
	ws.mu.Lock()
	ws.closed = true
	ws.mu.Unlock()
	var errs []error
	for _, w := range ws.List() {
		ws.end(w)
		errs = append(errs, w.Close())
	}
	return errors.Join(append(errs, ws.first.Close(), ws.cfg.Temp.Close())...)
}
