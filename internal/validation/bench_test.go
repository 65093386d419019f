package validation_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/validation"
	"github.com/sandfhir/sandfhir/seed"
)

// population returns the resources of a small sample population.
func population(tb testing.TB) [][]byte {
	tb.Helper()
	var all [][]byte
	err := seed.Population{Seed: 1, Patients: 20}.Generate(context.Background(), func(r seed.Resource) error {
		all = append(all, r.JSON)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// BenchmarkResource compares, on one resource of the population after the other, what a write pays
// for: finding out whether it is JSON, reading it, and judging it.
func BenchmarkResource(b *testing.B) {
	resources := population(b)
	size := 0
	roots := make([]*fhirjson.Node, len(resources))
	for i, data := range resources {
		size += len(data)
		root, err := fhirjson.Parse(data)
		if err != nil {
			b.Fatal(err)
		}
		roots[i] = root
	}
	for name, do := range map[string]func(i int) bool{
		"json.Valid":     func(i int) bool { return json.Valid(resources[i]) },
		"fhirjson.Parse": func(i int) bool { _, err := fhirjson.Parse(resources[i]); return err == nil },
		"Admit":          func(i int) bool { return validation.R4().Admit(roots[i], resources[i]) == nil },
		"Check": func(i int) bool {
			return len(validation.R4().Check(roots[i], resources[i], validation.Options{})) <= 1 // no narrative
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size / len(resources)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i = (i + 1) % len(resources) {
				if !do(i) {
					b.Fatalf("%s", resources[i])
				}
			}
		})
	}
}
