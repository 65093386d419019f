package sandbox_test

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

func TestNoPatientsIsNoData(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]sandbox.Option{
		"in memory":           nil,
		"in a data directory": {sandbox.WithDataDir(t.TempDir())},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := sandbox.Start(t, append(opts, sandbox.WithPatients(0), sandbox.WithCacheDir(t.TempDir()))...)
			production := register(t, sb.Production(), sandbox.ClientConfig{})
			for fhir, client := range map[string]*sandbox.Client{sb.FHIRURL(): sb.DefaultClient(), production.FHIRURL(): production} {
				for _, typ := range []string{"Patient", "Organization", "Practitioner", "Location", "Group"} {
					if got := total(t, client.HTTPClient(), fhir+"/"+typ+"?_summary=count"); got != 0 {
						t.Errorf("%s has %d of %s, want none", fhir, got, typ)
					}
				}
				expect(t, 201, client.HTTPClient(), "PUT", fhir+"/Patient/a", `{"resourceType":"Patient","id":"a"}`, "Content-Type", "application/fhir+json")
			}
		})
	}
}

func TestPopulationOfADataDirectory(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for _, step := range []struct {
		name  string
		opts  []sandbox.Option
		want  sandbox.Population
		known bool
	}{
		{"made", []sandbox.Option{sandbox.WithPatients(3), sandbox.WithSeed(9)}, sandbox.Population{Patients: 3, Seed: 9}, true},
		{"with other wishes", []sandbox.Option{sandbox.WithPatients(4)}, sandbox.Population{Patients: 3, Seed: 9}, true},
		{"without", nil, sandbox.Population{Patients: 3, Seed: 9}, true},
		{"whose note is damaged", nil, sandbox.Population{}, false},
		{"of one that does not say", nil, sandbox.Population{}, false},
	} {
		note := filepath.Join(data, "sandbox", "population.json")
		switch step.name {
		case "whose note is damaged":
			if err := os.Truncate(note, 0); err != nil {
				t.Fatal(err)
			}
		case "of one that does not say":
			if err := os.Remove(note); err != nil {
				t.Fatal(err)
			}
		}
		sb, err := sandbox.New(t.Context(), append(step.opts, sandbox.WithDataDir(data))...)
		if err != nil {
			t.Fatal(err)
		}
		if got, known := sb.Population(); known != step.known || known && got != step.want {
			t.Errorf("%s: got %+v, %v; want %+v, %v", step.name, got, known, step.want, step.known)
		}
		sb.Close()
	}
	sb := start(t, sandbox.WithSeed(5))
	if got, known := sb.Population(); !known || got != (sandbox.Population{Patients: 2, Seed: 5}) {
		t.Errorf("in memory: got %+v, %v", got, known)
	}
}

// WithBuilding is about what is built and nothing else.
func TestWithBuilding(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	var mu sync.Mutex
	var built []sandbox.Building
	begin := sandbox.WithBuilding(func(b sandbox.Building) {
		mu.Lock()
		defer mu.Unlock()
		built = append(built, b)
	})
	want := func(name string, want ...sandbox.Building) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(built, want) {
			t.Errorf("%s: got %+v, want %+v", name, built, want)
		}
		built = nil
	}
	one := sandbox.Building{Population: sandbox.Population{Patients: 1, Seed: 70}, Cached: true}
	other := sandbox.Building{Population: sandbox.Population{Patients: 1, Seed: 71}, Cached: true}
	opts := []sandbox.Option{sandbox.WithCacheDir(cache), sandbox.WithPatients(1), sandbox.WithSeed(70), begin}

	sb := sandbox.Start(t, opts...)
	want("at first", one)
	production := register(t, sb.Production(), sandbox.ClientConfig{})
	total(t, production.HTTPClient(), production.FHIRURL()+"/Patient?_summary=count")
	want("production, when it is asked", other)
	sandbox.Start(t, append(opts, sandbox.WithDataDir(t.TempDir()))...)
	want("from the cache")
	sandbox.Start(t, append(opts, sandbox.WithPatients(0))...)
	want("nobody")
	one.Cached = false
	none := sandbox.WithCacheDir(file(t, "no-directory"))
	sandbox.Start(t, append(opts, none)...)
	want("without a place", one)
	sandbox.Start(t, append(opts, none, sandbox.WithDataDir(t.TempDir()))...)
	want("without a place, in a data directory", one)
}

// WithBuildProgress and WithRichness are about what is built.
func TestBuildProgressAndRichness(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []sandbox.BuildProgress
	sb := sandbox.Start(t, sandbox.WithCacheDir(t.TempDir()), sandbox.WithPatients(3), sandbox.WithSeed(72), sandbox.WithRichness(sandbox.SmallRecords),
		sandbox.WithBuildProgress(func(p sandbox.BuildProgress) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, p)
		}))
	mu.Lock()
	defer mu.Unlock()
	if want := []sandbox.BuildProgress{{Patients: 1, Total: 3}, {Patients: 2, Total: 3}, {Patients: 3, Total: 3}}; !slices.Equal(seen, want) {
		t.Errorf("got %v, want %v", seen, want)
	}
	if p, known := sb.Population(); !known || p.Richness != sandbox.SmallRecords {
		t.Errorf("got %+v, want small records", p)
	}
	if _, err := sandbox.New(t.Context(), sandbox.WithRichness("huge")); err == nil {
		t.Error("a richness that there is not was taken")
	}
}
