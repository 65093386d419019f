package seed_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/seed"
)

// anchor is what is in the records of people in Synthea's sample of a hundred patients
// (smart-on-fhir/bulk-data-server), which go back to birth: the mean per patient and the mean size
// in bytes.
var anchor = []struct {
	typ   string
	mean  float64
	bytes int
}{
	{"AllergyIntolerance", 0.4, 652}, {"CarePlan", 2.8, 1484}, {"CareTeam", 2.8, 1372}, {"Claim", 60.8, 1344}, {"Condition", 6.4, 722},
	{"DiagnosticReport", 9.0, 1501}, {"Encounter", 37.0, 1047}, {"ExplanationOfBenefit", 37.0, 4978}, {"Immunization", 12.9, 491},
	{"MedicationRequest", 23.9, 696}, {"Observation", 163.2, 732}, {"Patient", 1, 2618}, {"Procedure", 23.5, 613},
}

// TestStatistics holds a population of a thousand beside the anchor: how much there is of what, of
// what size, how old people are and what they die of. With -v it prints the table of docs/data.md.
func TestStatistics(t *testing.T) {
	t.Parallel()
	const patients = 1000
	count, size := make(map[string]int), make(map[string]int)
	per, total := make(map[string]int), 0
	all, index := decode(t, seed.Population{Seed: 1, Patients: patients})
	var ages []int
	deaths := make(map[string]int)
	for _, r := range all {
		if r.patient() == "" {
			continue
		}
		count[r.Type]++
		size[r.Type] += len(r.JSON)
		per[r.patient()]++
		total += len(r.JSON)
		switch {
		case r.Type == "Patient":
			birth, death := lifetime(index, r.ID)
			if death.IsZero() {
				ages = append(ages, int(newYear.Sub(birth)/(365*24*time.Hour)))
			}
		case text(r.body, "code", "coding", 0, "code") == "69453-9":
			deaths[text(r.body, "valueCodeableConcept", "text")]++
		}
	}
	for _, a := range anchor {
		mean, bytes := float64(count[a.typ])/patients, size[a.typ]/max(count[a.typ], 1)
		t.Logf("| %s | %.1f | %.1f | %d | %d |", a.typ, mean, a.mean, bytes, a.bytes)
		if mean < a.mean/15 || mean > a.mean*3 {
			t.Errorf("%s: got %.1f a patient, the anchor has %.1f", a.typ, mean, a.mean)
		}
		if bytes < a.bytes/3 || bytes > a.bytes*9/4 {
			t.Errorf("%s: got %d bytes, the anchor has %d", a.typ, bytes, a.bytes)
		}
	}
	var sizes []int
	for _, n := range per {
		sizes = append(sizes, n)
	}
	slices.Sort(sizes)
	median, ninth, most := sizes[len(sizes)/2], sizes[len(sizes)*9/10], sizes[len(sizes)-1]
	t.Logf("resources a patient: median %d, ninth tenth %d, most %d, mean %d; %d bytes a resource", median, ninth, most, len(all)/patients, total/len(all))
	if ratio := float64(ninth) / float64(median); median < 70 || median > 120 || ratio < 1.7 || ratio > 3.2 || most < 5*median {
		t.Errorf("got a median of %d resources, %d in the ninth tenth and at most %d; want about 100, 2.2 times and 7 times that", median, ninth, most)
	}
	slices.Sort(ages)
	young, old := 0, 0
	for _, years := range ages {
		if years < 18 {
			young++
		}
		if years >= 65 {
			old++
		}
	}
	dead := patients - len(ages)
	t.Logf("ages: median %d, below 18 %d, from 65 %d of %d alive; %d dead", ages[len(ages)/2], young, old, len(ages), dead)
	if share := young * 100 / len(ages); share < 17 || share > 28 {
		t.Errorf("%d %% are below 18; the census has 22 %%", share)
	}
	if share := old * 100 / len(ages); share < 10 || share > 22 {
		t.Errorf("%d %% are 65 or older; the census has 17 %%", share)
	}
	if dead < 30 || dead > 90 {
		t.Errorf("%d of %d have died, want 3 to 9 %%", dead, patients)
	}
	var causes []string
	known := 0
	for cause, n := range deaths {
		causes = append(causes, fmt.Sprintf("%s %d", cause, n))
		known += n
	}
	slices.Sort(causes)
	t.Logf("causes of death: %s", strings.Join(causes, ", "))
	heart, cancer := deaths["Coronary arteriosclerosis"]*100/known, deaths["Malignant neoplastic disease"]*100/known
	if known < dead*8/10 || heart < 8 || heart > 40 || cancer < 8 || cancer > 45 {
		t.Errorf("of %d deaths %d causes are known, %d %% the heart and %d %% cancer; want a fifth or so of each", dead, known, heart, cancer)
	}
}
