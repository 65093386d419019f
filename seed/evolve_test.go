package seed_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

func evolve(tb testing.TB, p seed.Population, days int) []seed.Change {
	tb.Helper()
	var got []seed.Change
	if err := p.Evolve(context.Background(), days, func(c seed.Change) error { got = append(got, c); return nil }); err != nil {
		tb.Fatalf("Evolve: %v", err)
	}
	return got
}

// state is a population by type and id.
func state(tb testing.TB, p seed.Population) map[string]string {
	tb.Helper()
	m := make(map[string]string)
	for _, r := range generate(tb, p) {
		m[r.Type+"/"+r.ID] = string(r.JSON)
	}
	return m
}

// apply makes the changes, each of which has to fit what is there.
func apply(t *testing.T, m map[string]string, changes []seed.Change) {
	t.Helper()
	for _, c := range changes {
		key := c.Type + "/" + c.ID
		before, there := m[key]
		switch {
		case c.New == there:
			t.Fatalf("%s: New is %v, but it was there: %v", key, c.New, there)
		case c.Deleted():
			delete(m, key)
		case before == string(c.JSON):
			t.Fatalf("%s has not changed", key)
		default:
			m[key] = string(c.JSON)
		}
	}
}

// TestEvolveIsGenerate checks that evolving comes to what is generated for that day, in whatever
// steps, and so that the past stays as it was.
func TestEvolveIsGenerate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		p     seed.Population
		steps []int
	}{
		{"a month", seed.Population{Seed: 1, Patients: 70}, []int{30}},
		{"in steps", seed.Population{Seed: 2, Patients: 30}, []int{1, 2, 11, 60}},
		{"two years", seed.Population{Seed: 3, Patients: 60, Richness: seed.Small}, []int{365, 365}},
		{"from some day on", seed.Population{Seed: 4, Patients: 20, Days: 100}, []int{7, 90}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, got := tc.p, state(t, tc.p)
			for _, days := range tc.steps {
				apply(t, got, evolve(t, p, days))
				p.Days += days
			}
			want := state(t, p)
			for key, json := range want {
				if got[key] != json {
					t.Fatalf("%s: got %s, want %s", key, got[key], json)
				}
			}
			if len(got) != len(want) {
				t.Errorf("got %d resources, want %d", len(got), len(want))
			}
		})
	}
}

// TestEvolveKeepsThePast checks that later days take nothing back: what a visit left behind stays.
func TestEvolveKeepsThePast(t *testing.T) {
	t.Parallel()
	p := seed.Population{Seed: 5, Patients: 120}
	erased := map[string]bool{"pt-000014": true, "pt-000064": true, "pt-000114": true}
	for day := range 4 {
		p.Days = day * 45
		for _, c := range evolve(t, p, 45) {
			if c.Deleted() && !erased[c.ID[:9]] {
				t.Errorf("day %d: %s/%s is gone", p.Days, c.Type, c.ID)
			}
		}
	}
}

// TestEvolveTells holds what the documentation says of the first thirty days of a hundred patients.
func TestEvolveTells(t *testing.T) {
	t.Parallel()
	p := seed.Population{Seed: 1, Patients: 100}
	changes := make(map[string]seed.Change)
	created, corrected, gone := make(map[string]int), 0, make(map[string]int)
	for _, c := range evolve(t, p, 30) {
		changes[c.Type+"/"+c.ID] = c
		switch {
		case c.Deleted():
			gone[c.ID[:9]]++
		case c.New:
			created[c.Type]++
		case c.Type == "Observation" && c.ID[:9] == "pt-000003" && bytes.Contains(c.JSON, []byte(`"status":"corrected"`)):
			corrected++
		}
	}
	for _, want := range []string{"Encounter", "Observation", "DiagnosticReport", "Condition", "MedicationRequest", "Claim", "ExplanationOfBenefit", "Patient"} {
		if created[want] == 0 {
			t.Errorf("no new %s", want)
		}
	}
	if corrected == 0 {
		t.Error("no heart rate of pt-000003 was corrected")
	}
	if erased := slices.Collect(maps.Keys(gone)); len(erased) != 1 || gone["pt-000014"] < 2 {
		t.Errorf("got deletions of %v, want of all of pt-000014", gone)
	}
	has := func(key, want string) {
		t.Helper()
		if got := string(changes[key].JSON); !strings.Contains(got, want) {
			t.Errorf("%s: got %.300s, want %s in it", key, got, want)
		}
	}
	has("Patient/pt-000017", `"link":[{"other":{"reference":"Patient/pt-000016"},"type":"replaced-by"}]`)
	has("Patient/pt-000017", `"active":false`)
	has("Patient/pt-000016", `"link":[{"other":{"reference":"Patient/pt-000017"},"type":"replaces"}]`)
	has("Patient/pt-000101", `"family"`)
	has("Coverage/pt-000018-cov-001", `"status":"cancelled"`)
	has("Coverage/pt-000018-cov-001", `"end":"2026-01-16"`)
	rosters := func(m map[string]string) (of18, of19 int) {
		for key, json := range m {
			if strings.HasPrefix(key, "Group/payer-") {
				of18 += strings.Count(json, "Patient/pt-000018")
				of19 += strings.Count(json, "Patient/pt-000019")
			}
		}
		return of18, of19
	}
	before := state(t, p)
	a18, a19 := rosters(before)
	p.Days = 30
	b18, b19 := rosters(state(t, p))
	if a18 != 1 || a19 != 0 || b18 != 0 || b19 != 1 {
		t.Errorf("got pt-000018 on %d rosters and then %d, pt-000019 on %d and then %d; want 1, 0, 0, 1", a18, b18, a19, b19)
	}
}

func TestEvolveRefuses(t *testing.T) {
	t.Parallel()
	p := seed.Population{Seed: 1, Patients: 5, Days: 700}
	never := func(seed.Change) error { t.Error("something was emitted"); return nil }
	if err := p.Evolve(context.Background(), 31, never); !errors.Is(err, seed.ErrPopulation) {
		t.Errorf("got %v, want ErrPopulation for day 731", err)
	}
	if err := p.Evolve(context.Background(), 0, never); err != nil {
		t.Errorf("no days: got %v", err)
	}
	stop := errors.New("stop")
	if err := p.Evolve(context.Background(), 30, func(seed.Change) error { return stop }); err != stop {
		t.Errorf("got %v, want the error of emit", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Evolve(ctx, 30, never); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that of ctx", err)
	}
}
