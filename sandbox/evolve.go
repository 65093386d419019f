package sandbox

import (
	"context"
	"fmt"

	"github.com/sandfhir/sandfhir/internal/workspace"
	"github.com/sandfhir/sandfhir/seed"
)

// MaxEvolveDays is how many days in all a population can move on by.
const MaxEvolveDays = seed.MaxDays

// An Evolution is what Evolve has done: how many resources of each type were
// made, changed and deleted.
type Evolution struct {
	Day                       int // to which the population has come, counted from its beginning
	Created, Updated, Deleted map[string]int
	// Skipped is how many changes were left out because somebody had deleted
	// what they are about.
	Skipped int
}

// ErrNoPopulation is wrapped by the error of Evolve where the data did not begin
// with a sample population, or with one of another version of this program.
var ErrNoPopulation = workspace.ErrNoPopulation

// Evolve moves the sample population of the sandbox environment on by so many
// days; see Environment.Evolve.
func (w *World) Evolve(ctx context.Context, days int) (Evolution, error) {
	return w.sandbox.Evolve(ctx, days)
}

// Evolve moves the environment's sample population on by so many days, at most
// to MaxEvolveDays in all: new visits with their results, prescriptions and
// claims, corrected observations, conditions that pass, deaths, merged and
// erased records, members who leave a payer's Group or join it, and people who
// are registered. What happens is settled by the population's seed, so that ten
// days and twenty come to the same as thirty.
//
// Everything written has the instant of the server's clock, which it does not
// move: a _since from before finds all of it, and an export its deletions. What
// others have written is overwritten where the population changes it too; what
// they have deleted stays deleted. The error wraps ErrNoPopulation, or tells
// that days are not from 1 or lead too far.
func (e *Environment) Evolve(ctx context.Context, days int) (Evolution, error) {
	done, err := e.inner().Evolve(ctx, days)
	if err != nil {
		return Evolution{}, fmt.Errorf("evolve: %w", err)
	}
	return Evolution(done), nil
}
