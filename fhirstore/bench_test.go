package fhirstore_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// benchResources is the size of BenchmarkKickOff.
var benchResources = flag.Int("resources", 50_000, "how many Observations BenchmarkKickOff exports")

// BenchmarkKickOff measures the kick-off of a patient export beside that of a
// system export of the same resources, which visits no row. Every fiftieth
// Observation has a Provenance.
func BenchmarkKickOff(b *testing.B) {
	ctx := b.Context()
	s := must(fhirstore.Open(ctx, b.TempDir(), fhirstore.Options{}))
	defer s.Close()
	load := must(s.Load(ctx, all))
	for i := range *benchResources / 100 {
		must(0, load.Add(ctx, input("Patient", fmt.Sprint("p", i), "")))
	}
	for i := range *benchResources {
		must(0, load.Add(ctx, input("Observation", fmt.Sprint("o", i), fmt.Sprintf(`,"status":"final","subject":{"reference":"Patient/p%d"}`, i/100))))
		if i%50 == 0 {
			must(0, load.Add(ctx, input("Provenance", fmt.Sprint("v", i), fmt.Sprintf(`,"target":[{"reference":"Observation/o%d"}]`, i))))
		}
	}
	must(0, load.Commit(ctx))
	for _, c := range []struct {
		name  string
		types []string
	}{{"compartment", []string{"Observation", "Patient"}}, {"with Provenance", nil}} {
		b.Run(c.name, func(b *testing.B) {
			var ofPatients, ofSystem time.Duration
			wall := clock.System{}
			for b.Loop() { // in turn, so that a drift of the machine's speed meets both
				begun := wall.Now()
				p := must(s.Export(ctx, all, fhirstore.Selection{Level: fhirstore.PatientLevel, Types: c.types}))
				ofPatients += wall.Now().Sub(begun)
				begun = wall.Now()
				w := must(s.Export(ctx, all, fhirstore.Selection{Types: c.types}))
				ofSystem += wall.Now().Sub(begun)
				for i := range p.Output {
					if p.Output[i].Rows != w.Output[i].Rows {
						b.Fatalf("%s: %d and %d rows", p.Output[i].Type, p.Output[i].Rows, w.Output[i].Rows)
					}
				}
			}
			b.ReportMetric(float64(ofPatients.Microseconds())/float64(b.N), "patient-us/op")
			b.ReportMetric(float64(ofSystem.Microseconds())/float64(b.N), "system-us/op")
			b.ReportMetric(ofPatients.Seconds()/ofSystem.Seconds(), "of-system-time")
		})
	}
	for name, sel := range map[string]fhirstore.Selection{
		"files of 1000 lines":          {MaxRows: 1000},
		"files of a mebibyte":          {MaxBytes: 1 << 20},
		"organized by Patient":         {Level: fhirstore.PatientLevel, OrganizeBy: "Patient"},
		"with Provenance of each":      {Types: []string{"Observation"}, Associated: fhirstore.RelevantProvenance},
		"with newest Provenance of it": {Types: []string{"Observation"}, Associated: fhirstore.LatestProvenance},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				must(s.Export(ctx, all, sel))
			}
		})
	}
}
