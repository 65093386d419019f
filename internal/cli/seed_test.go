package cli_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

func TestSeed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "for it")
	got := run(t, nil, "seed", "--out", dir, "--patients", "3", "--seed", "5", "--richness", "small", "--days", "4")
	if got.code != 0 {
		t.Fatalf("got %+v", got)
	}
	want := make(map[string]int)
	var patient []byte
	p := seed.Population{Seed: 5, Patients: 3, Richness: seed.Small, Days: 4}
	if err := p.Generate(t.Context(), func(r seed.Resource) error {
		want[r.Type+".ndjson"]++
		if r.ID == "pt-000002" {
			patient = r.JSON
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range names(t, dir) {
		text := readText(t, filepath.Join(dir, name))
		if n := strings.Count(text, "\n"); n != want[name] || n == 0 {
			t.Errorf("%s: got %d lines, want %d", name, n, want[name])
		}
		for line := range strings.Lines(text) {
			var r struct {
				Meta struct{ VersionID, LastUpdated string }
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil || r.Meta.VersionID != "1" || !strings.HasSuffix(r.Meta.LastUpdated, "Z") {
				t.Fatalf("%s: %v: %s", name, err, line)
			}
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("there is no file for %v", want)
	}
	tail := patient[bytes.Index(patient, []byte(`"profile"`)):]
	if !strings.Contains(readText(t, filepath.Join(dir, "Patient.ndjson")), string(tail)+"\n") {
		t.Errorf("pt-000002 is not as it was generated")
	}
	for _, wrong := range [][]string{{"seed"}, {"seed", "--out", dir}, {"seed", "--out", t.TempDir(), "--patients", "-1"}, {"seed", "--out", t.TempDir(), "--richness", "huge"}, {"seed", "--out", t.TempDir(), "--days", "731"}} {
		if got := run(t, nil, wrong...); got.code != 2 || got.stdout != "" {
			t.Errorf("%v: %+v", wrong, got)
		}
	}
}

func TestEvolveCommand(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir())
	for _, want := range []string{"day 30.", "day 31."} {
		args := []string{"evolve"}
		if want == "day 31." {
			args = append(args, "--days", "1", "--fhir", s.fhir)
		}
		got := s.run(t, args...)
		if got.code != 0 || !strings.Contains(got.stdout, want) || !strings.Contains(got.stdout, "created ") || got.stderr != "" {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if got := s.run(t, "evolve", "--days", "9999"); got.code != 1 || !strings.Contains(got.stderr, "730") {
		t.Errorf("got %+v", got)
	}
	if got := s.run(t, "evolve", "--days", "0"); got.code != 2 {
		t.Errorf("got %+v", got)
	}
	if got := run(t, nil, "evolve"); got.code == 0 || !strings.Contains(got.stderr, "no server is running") {
		t.Errorf("without a server: %+v", got)
	}
	if !slices.Contains(strings.Fields(run(t, nil, "--help").stdout), "evolve") {
		t.Error("the help does not name it")
	}
}
