package seed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/seed/internal/population"
)

// Version names the bytes that Population.Generate makes. It is raised whenever they change, and
// belongs in the key of everything that caches a population.
const Version = "6"

// MaxPatients is the largest population: patients are numbered with six digits.
const MaxPatients = 999_999

// A Population is a number of made-up patients and everything known about them; the package
// comment tells what there is. The same Version, Seed, Patients and AsOf give the same bytes on
// every platform, and a patient is the same whatever the number of patients.
type Population struct {
	// Seed chooses among all populations. Every value is allowed, zero too.
	Seed uint64

	// Patients is how many there are, from none to MaxPatients. Without patients there is nothing
	// at all, neither the organizations that they share nor groups of them.
	Patients int

	// AsOf is the instant at which the population is seen: nothing is later. Zero is a fixed
	// instant of this Version, 2026-01-01T00:00:00Z. It is taken in UTC and to the millisecond.
	AsOf time.Time

	// Days is how many days after AsOf the population is seen, from none to MaxDays. It is the same
	// people with the same past, and what has happened to them since: see [Evolve].
	Days int

	// Richness is how much is known of people; its zero value is Usual.
	Richness Richness
}

// MaxDays is for how many days after AsOf it is settled what happens.
const MaxDays = population.MaxDays

// A Richness is how much is known of people.
type Richness string

// The degrees of richness, by the resources that a patient has on average.
const (
	Usual Richness = ""      // about a hundred, from two to three years
	Small Richness = "small" // about forty, from half a year
	Full  Richness = "full"  // about three hundred, from ten years
)

// ErrPopulation is what every error of Population.Validate wraps.
var ErrPopulation = errors.New("population")

// The instants at which a population can be seen: the vaccines and the claims codes that it uses
// are those of these years.
var (
	defaultAsOf  = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	earliestAsOf = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
	latestAsOf   = time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// Validate reports what is wrong with p: a number of patients below zero or above MaxPatients,
// an AsOf before 2020 or after 2099, Days below zero or above MaxDays, or a Richness that there is
// not. Its errors wrap ErrPopulation.
func (p Population) Validate() error {
	if p.Patients < 0 || p.Patients > MaxPatients {
		return fmt.Errorf("%w: %d patients: want 0 to %d", ErrPopulation, p.Patients, MaxPatients)
	}
	if at := p.asOf(); at.Before(earliestAsOf) || !at.Before(latestAsOf) {
		return fmt.Errorf("%w: as of %s: want a year from 2020 to 2099", ErrPopulation, at.Format(time.RFC3339))
	}
	if p.Days < 0 || p.Days > MaxDays {
		return fmt.Errorf("%w: %d days: want 0 to %d", ErrPopulation, p.Days, MaxDays)
	}
	if _, ok := degrees[p.Richness]; !ok {
		return fmt.Errorf("%w: richness %q: want %q, %q or none", ErrPopulation, p.Richness, Small, Full)
	}
	return nil
}

// degrees are the degrees of richness; looked up only.
var degrees = map[Richness]population.Richness{Usual: population.Usual, Small: population.Small, Full: population.Full}

func (p Population) blueprint() population.Blueprint {
	return population.Blueprint{Seed: p.Seed, Patients: p.Patients, AsOf: p.asOf(), Days: p.Days, Richness: degrees[p.Richness]}
}

// Generate makes the population and calls emit for each resource: first the context that all
// patients share (Organization, Location, Practitioner, Endpoint, PractitionerRole, Medication),
// then patient after patient with everything about them, the Groups last. It holds one patient at a time.
//
// The resource given to emit is its to keep. Generate stops at the first error of emit and
// returns it as it is; it returns the error of ctx when that ends between two patients, and an
// error of Validate before anything is emitted.
func (p Population) Generate(ctx context.Context, emit func(Resource) error) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if p.Patients == 0 {
		return ctx.Err()
	}
	return population.Generate(ctx, p.blueprint(),
		func(resourceType, id, organization string, at time.Time, json []byte) error {
			return emit(Resource{Type: resourceType, ID: id, Organization: organization, At: at, JSON: json})
		})
}

// asOf returns AsOf, or the default, in UTC and to the millisecond.
func (p Population) asOf() time.Time {
	if p.AsOf.IsZero() {
		return defaultAsOf
	}
	return p.AsOf.UTC().Truncate(time.Millisecond)
}
