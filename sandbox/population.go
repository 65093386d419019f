package sandbox

import "github.com/sandfhir/sandfhir/seed"

// A Population is a sample population: the same two numbers make the same
// people.
type Population struct {
	Patients int
	Seed     uint64
}

// Population returns the sample population that the data of the sandbox
// environment began with: that of WithPatients and WithSeed, or the one that
// the data directory was made with. known is false of a data directory that
// does not say so.
func (s *Server) Population() (p Population, known bool) {
	inner, known := s.sandbox.inner().Population()
	return newPopulation(inner), known
}

func newPopulation(p seed.Population) Population { return Population{p.Patients, p.Seed} }

// A Building is a sample population that is about to be built.
type Building struct {
	Population
	// Cached is set where later servers will find it built. There is no place
	// to keep it otherwise.
	Cached bool
}
