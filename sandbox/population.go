package sandbox

import "github.com/sandfhir/sandfhir/seed"

// A Population is a sample population: the same values make the same people.
type Population struct {
	Patients int
	Seed     uint64
	Richness Richness
}

// A Richness is how much is known of the people of a sample population.
type Richness string

// The degrees of richness, by the resources that a patient has on average.
const (
	UsualRecords Richness = Richness(seed.Usual) // about a hundred, from two to three years
	SmallRecords Richness = Richness(seed.Small) // about forty, from half a year
	FullRecords  Richness = Richness(seed.Full)  // about three hundred, from ten years
)

// Population returns the sample population that the data of the sandbox
// environment began with: that of WithPatients and WithSeed, or the one that
// the data directory was made with. known is false of a data directory that
// does not say so.
func (w *World) Population() (p Population, known bool) {
	inner, known := w.sandbox.inner().Population()
	return newPopulation(inner), known
}

func newPopulation(p seed.Population) Population {
	return Population{p.Patients, p.Seed, Richness(p.Richness)}
}

// BuildProgress is how far a sample population is that is being built.
type BuildProgress struct {
	Patients int // made so far
	Total    int // the last ones are followed by the indexes, which take as long again
}

// A Building is a sample population that is about to be built.
type Building struct {
	Population
	// Cached is set where later servers will find it built. There is no place
	// to keep it otherwise.
	Cached bool
}
