package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestEvolveIsRepeatable: two servers come to the same, in whatever steps.
func TestEvolveIsRepeatable(t *testing.T) {
	t.Parallel()
	one, two := start(t, sandbox.WithPatients(12)), start(t, sandbox.WithPatients(12))
	evolve := func(s *sandbox.Server, days int) sandbox.Evolution {
		t.Helper()
		done, err := s.Evolve(t.Context(), days)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	whole := evolve(one, 30)
	evolve(two, 10)
	if rest := evolve(two, 20); rest.Day != 30 || whole.Day != 30 {
		t.Errorf("got to the days %d and %d, want 30", whole.Day, rest.Day)
	}
	all := func(s *sandbox.Server, typ string) map[string]string {
		client := s.DefaultClient().HTTPClient("system/*.rs")
		_, text := expect(t, http.StatusOK, client, "GET", s.FHIRURL()+"/"+typ+"?_count=1000", "")
		var bundle struct {
			Entry []struct{ Resource map[string]any }
		}
		if err := json.Unmarshal([]byte(text), &bundle); err != nil {
			t.Fatal(err)
		}
		found := make(map[string]string)
		for _, e := range bundle.Entry {
			delete(e.Resource, "meta") // has versions and instants
			found[fmt.Sprint(e.Resource["id"])] = fmt.Sprint(e.Resource)
		}
		return found
	}
	for _, typ := range []string{"Encounter", "MedicationRequest", "ExplanationOfBenefit"} {
		a, b := all(one, typ), all(two, typ)
		if len(a) < 10 || !maps.Equal(a, b) {
			t.Errorf("%s: got %d and %d, not the same", typ, len(a), len(b))
		}
	}
}

// TestEvolveIsKept: a data directory remembers how far its population has come.
func TestEvolveIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() *sandbox.Server {
		t.Helper()
		s, err := sandbox.New(t.Context(), sandbox.WithPatients(3), sandbox.WithDataDir(dir))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, want := range []int{40, 80} {
		s := open()
		done, err := s.Evolve(t.Context(), 40)
		if err != nil || done.Day != want {
			t.Fatalf("got to day %d, want %d: %v", done.Day, want, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("of another version", func(t *testing.T) {
		note := filepath.Join(dir, "sandbox", "population.json")
		if err := os.WriteFile(note, []byte(`{"patients":3,"seed":1}`), 0o600); err != nil {
			t.Fatal(err)
		}
		s := open()
		defer s.Close()
		if _, err := s.Evolve(t.Context(), 1); !errors.Is(err, sandbox.ErrNoPopulation) {
			t.Errorf("got %v, want ErrNoPopulation", err)
		}
	})
}
