package workspace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/processdir"
	"github.com/sandfhir/sandfhir/seed"
)

// Populations are the finished populations that stores stand on. Each is built
// once and cached in a directory, for this and every later process; within a
// process it is opened once. Populations is safe for concurrent use.
type Populations struct {
	dir   string
	watch func(p seed.Population, cached bool)
	made  func(patients, total int) // called for every patient; may be nil

	mu    sync.Mutex
	bases map[string]*opening // by key
}

// An opening is a population that is opened, or built, by whoever asks first.
// Nobody waits for another population than their own.
type opening struct {
	mu   sync.Mutex
	base *fhirstore.Base // nil until it is open
}

// NewPopulations returns the populations cached in dir. An empty dir means that
// there is no place to cache them in.
func NewPopulations(dir string) *Populations {
	return &Populations{dir: dir, bases: map[string]*opening{}}
}

// Watch has f called when a population is about to be built because it was
// never cached, and told whether it will be; never for one of nobody, which
// takes no time. It is called before the first Base.
func (ps *Populations) Watch(f func(p seed.Population, cached bool)) { ps.watch = f }

// WatchProgress has f called for every patient of a population that is being
// built, with how many there are so far and will be. It is called before the
// first Base.
func (ps *Populations) WatchProgress(f func(patients, total int)) { ps.made = f }

// begin notes that a population is about to be built.
func (ps *Populations) begin(p seed.Population, cached bool) {
	if ps.watch != nil && p.Patients > 0 {
		ps.watch(p, cached)
	}
}

// errNoCache says that a population cannot be cached: there is no directory for
// it, or it cannot be written.
var errNoCache = errors.New("there is no directory to cache the population in")

// noCache wraps an error of the cache directory, as errNoCache where the
// directory is not to be written.
func noCache(doing string, err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%s: %w: %w", doing, errNoCache, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// key names everything that a population's bytes depend on.
func key(p seed.Population) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d\n%s\n%d\n%s", fhirstore.Format(), seed.Version, p.Seed, p.Patients, p.AsOf, p.Days, p.Richness))
	return fmt.Sprintf("population-%d-%d-%s", p.Patients, p.Seed, hex.EncodeToString(sum[:6]))
}

// Base returns the population, which is built now if it is not in the cache.
// It stays open until Close.
func (ps *Populations) Base(ctx context.Context, p seed.Population) (*fhirstore.Base, error) {
	if ps.dir == "" {
		return nil, errNoCache
	}
	name := key(p)
	ps.mu.Lock()
	o := ps.bases[name]
	if o == nil {
		o = &opening{}
		ps.bases[name] = o
	}
	ps.mu.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.base != nil {
		return o.base, nil
	}
	dir := filepath.Join(ps.dir, name)
	b, err := fhirstore.OpenBase(ctx, dir)
	if err != nil && ctx.Err() == nil {
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) { // damaged, by a full disk for instance
			if err := os.RemoveAll(dir); err != nil {
				return nil, noCache("remove a damaged population", err)
			}
		}
		if err = ps.build(ctx, p, dir); err == nil {
			b, err = fhirstore.OpenBase(ctx, dir)
		}
	}
	if err != nil {
		return nil, err
	}
	o.base = b
	return b, nil
}

// build makes the population under a name of its own and gives it its real one
// once it is complete, so that nobody ever sees a part of it. Where another
// process was quicker, its one is as good.
func (ps *Populations) build(ctx context.Context, p seed.Population, dir string) error {
	if err := os.MkdirAll(ps.dir, 0o700); err != nil {
		return noCache("cache population", err)
	}
	processdir.Living(ctx, ps.dir, "part-") // removes what processes that died began
	made, err := processdir.Make(ctx, ps.dir, "part-*")
	if err != nil {
		return noCache("cache population", err)
	}
	defer made.Remove()
	part := filepath.Join(made.Path(), "population")
	if err := os.Mkdir(part, 0o700); err != nil {
		return noCache("cache population", err)
	}
	ps.begin(p, true)
	err = fhirstore.BuildBase(ctx, part, func(l *fhirstore.Load) error { return ps.fill(ctx, l, p) })
	if err != nil {
		return fmt.Errorf("build population: %w", err)
	}
	if err := os.Rename(part, dir); err != nil {
		if _, statErr := os.Stat(dir); statErr != nil {
			return fmt.Errorf("cache population: %w", err)
		}
	}
	return nil
}

// fill puts a population into a load.
func (ps *Populations) fill(ctx context.Context, l *fhirstore.Load, p seed.Population) error {
	patients := 0
	return p.Generate(ctx, func(r seed.Resource) error {
		if r.Type == "Patient" && ps.made != nil {
			patients++
			ps.made(patients, p.Patients)
		}
		return l.Add(ctx, fhirstore.Input{Type: r.Type, ID: r.ID, Organization: r.Organization, At: r.At, JSON: r.JSON})
	})
}

// Close closes the populations. The stores that stand on them must be closed
// before.
func (ps *Populations) Close() error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	var errs []error
	for name, o := range ps.bases {
		o.mu.Lock()
		if o.base != nil {
			errs = append(errs, o.base.Close())
		}
		o.mu.Unlock()
		delete(ps.bases, name)
	}
	return errors.Join(errs...)
}
