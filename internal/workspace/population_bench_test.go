package workspace_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/sandfhir/sandfhir/internal/workspace"
	"github.com/sandfhir/sandfhir/seed"
)

// benchPatients is the size of BenchmarkBuild.
var benchPatients = flag.Int("patients", 100, "how many patients BenchmarkBuild builds")

// BenchmarkBuild measures what the first start with a population costs: it is generated, stored in
// packs and indexed.
func BenchmarkBuild(b *testing.B) {
	p := seed.Population{Seed: 1, Patients: *benchPatients}
	resources := 0
	if err := p.Generate(b.Context(), func(seed.Resource) error { resources++; return nil }); err != nil {
		b.Fatal(err)
	}
	parent := b.TempDir()
	n := 0
	for b.Loop() {
		n++
		ps := workspace.NewPopulations(fmt.Sprintf("%s/%d", parent, n))
		if _, err := ps.Base(b.Context(), p); err != nil {
			b.Fatal(err)
		}
		if err := ps.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(resources*n)/b.Elapsed().Seconds(), "resources/s")
	b.ReportMetric(float64(resources), "resources")
}
