package workspace

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/seed"
)

// An Evolution is what came of Evolve.
type Evolution struct {
	Day                       int            // days that the population has moved on in all
	Created, Updated, Deleted map[string]int // resources by type
	Skipped                   int            // changes of what others have deleted
}

// ErrNoPopulation is wrapped by the errors of Evolve for data that do not begin
// with a population of this version.
var ErrNoPopulation = errors.New("the data did not begin with a sample population of this version")

// Evolve moves the environment's population on by so many days: see
// seed.Population.Evolve. What it writes has the instant of the workspace's
// clock. What others have changed is overwritten where the population changes it
// too, and what they have deleted stays so, with all of a patient whom they
// have. Its errors wrap ErrNoPopulation, or seed.ErrPopulation where days are
// not from 1 or lead beyond seed.MaxDays.
func (e *resources) Evolve(ctx context.Context, days int) (Evolution, error) {
	e.evolving.Lock()
	defer e.evolving.Unlock()
	data, err := e.Data(ctx)
	if err != nil {
		return Evolution{}, err
	}
	p, known := e.Population()
	if !known || p.Patients == 0 || e.older {
		return Evolution{}, ErrNoPopulation
	}
	if days < 1 {
		return Evolution{}, fmt.Errorf("%w: %d days: want 1 or more", seed.ErrPopulation, days)
	}
	w := &evolution{store: data, done: Evolution{Day: p.Days + days, Created: map[string]int{}, Updated: map[string]int{}, Deleted: map[string]int{}}, gone: map[string]bool{}}
	err = p.Evolve(ctx, days, func(c seed.Change) error {
		w.batch = append(w.batch, c)
		if len(w.batch) < evolutionBatch {
			return nil
		}
		return w.write(ctx)
	})
	if err == nil {
		err = w.write(ctx)
	}
	if err != nil {
		return Evolution{}, fmt.Errorf("evolve %s: %w", e.name, err)
	}
	p.Days += days
	return w.done, e.moved(p)
}

// evolutionBatch is how many changes are held in memory and written at once.
const evolutionBatch = 20_000

// moved notes how far the population has come. Where it cannot be written down
// the next evolution makes the same changes again.
func (e *resources) moved(p seed.Population) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.population = p
	dir := e.Dir()
	if dir == "" {
		return nil
	}
	return replaceNote(filepath.Join(dir, populationFile), noteOf(p))
}

// An evolution writes changes.
type evolution struct {
	store *fhirstore.Store
	batch []seed.Change
	done  Evolution
	gone  map[string]bool // by the id of a patient of the batch
}

// write writes the batch: what is new and changed in one transaction, and then
// what is gone.
func (w *evolution) write(ctx context.Context) error {
	defer func() { w.batch = w.batch[:0] }()
	wanted := w.batch[:0]
	for _, c := range w.batch { // a database in memory cannot be read while it is loaded
		keep, err := w.wanted(ctx, c)
		switch {
		case err != nil:
			return err
		case keep:
			wanted = append(wanted, c)
		default:
			w.done.Skipped++
		}
	}
	clear(w.gone)
	if err := w.load(ctx, wanted); err != nil {
		return err
	}
	for _, c := range wanted {
		if !c.Deleted() {
			continue
		}
		if _, err := w.store.Delete(ctx, fhirstore.Everything(), c.Type, c.ID, fhirstore.Condition{}); err != nil {
			return err
		}
		w.done.Deleted[c.Type]++
	}
	return nil
}

// load writes what is new and changed.
func (w *evolution) load(ctx context.Context, changes []seed.Change) error {
	load, err := w.store.Load(ctx, fhirstore.Everything())
	if err != nil {
		return err
	}
	defer load.Rollback()
	for _, c := range changes {
		if c.Deleted() {
			continue
		}
		if err := load.Add(ctx, fhirstore.Input{Type: c.Type, ID: c.ID, Organization: c.Organization, JSON: c.JSON}); err != nil {
			return err
		}
		if c.New {
			w.done.Created[c.Type]++
		} else {
			w.done.Updated[c.Type]++
		}
	}
	return load.Commit(ctx)
}

// wanted reports whether a change is about what is there, or about nothing that
// others have deleted.
func (w *evolution) wanted(ctx context.Context, c seed.Change) (bool, error) {
	patient := c.Patient()
	if patient != "" && !(c.New && c.Type == "Patient") {
		gone, known := w.gone[patient]
		if !known {
			there, err := w.there(ctx, "Patient", patient)
			if err != nil {
				return false, err
			}
			gone = !there && !w.registers(patient)
			w.gone[patient] = gone
		}
		if gone {
			return false, nil
		}
	}
	if c.New {
		return true, nil
	}
	return w.there(ctx, c.Type, c.ID)
}

// registers reports whether the batch makes a patient.
func (w *evolution) registers(patient string) bool {
	for i := range w.batch {
		if c := &w.batch[i]; c.New && c.Type == "Patient" && c.ID == patient {
			return true
		}
	}
	return false
}

func (w *evolution) there(ctx context.Context, typ, id string) (bool, error) {
	_, err := w.store.Read(ctx, fhirstore.Everything(), typ, id)
	var (
		missing *fhirstore.NotFoundError
		gone    *fhirstore.GoneError
	)
	if errors.As(err, &missing) || errors.As(err, &gone) {
		return false, nil
	}
	return err == nil, err
}
