package seed_test

import (
	"slices"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// TestProvenanceTells checks that a Provenance tells of everything that visits left behind.
func TestProvenanceTells(t *testing.T) {
	t.Parallel()
	all, _ := decode(t, seed.Population{Seed: 1, Patients: 40})
	told := make(map[string]int)
	for _, r := range all {
		if r.Type == "Provenance" {
			for _, target := range list(at(r.body, "target")) {
				told[text(target, "reference")]++
			}
		}
	}
	for _, r := range all {
		exempt := slices.Contains([]string{"Provenance", "ExplanationOfBenefit", "Claim", "Binary"}, r.Type) || r.patient() == "pt-000005"
		if r.patient() != "" && !exempt && told[r.key()] != 1 {
			t.Errorf("%s is a target of %d Provenances, want 1", r.key(), told[r.key()])
		}
	}
	if len(told) < 1000 {
		t.Errorf("got %d targets, want more", len(told))
	}
}
