package seed_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

var ndjsonDir = flag.String("ndjson", "", "write the default population as NDJSON files into this directory, for a validator of another make")

// TestPopulationAsNDJSON writes 100 patients as a server would serve them, with the version and
// the instant that the store adds.
func TestPopulationAsNDJSON(t *testing.T) {
	dir := *ndjsonDir
	if dir == "" {
		dir = t.TempDir()
	}
	writers := make(map[string]*bufio.Writer)
	lines := 0
	err := seed.Population{Seed: 1, Patients: 100}.Generate(context.Background(), func(r seed.Resource) error {
		w := writers[r.Type]
		if w == nil {
			f, err := os.Create(filepath.Join(dir, r.Type+".ndjson"))
			if err != nil {
				return err
			}
			t.Cleanup(func() { f.Close() })
			w = bufio.NewWriter(f)
			writers[r.Type] = w
		}
		lines++
		meta := fmt.Sprintf(`"meta":{"versionId":"1","lastUpdated":%q,`, r.At.Format("2006-01-02T15:04:05.000Z07:00"))
		served := bytes.Replace(r.JSON, []byte(`"meta":{`), []byte(meta), 1)
		if bytes.Equal(served, r.JSON) {
			return fmt.Errorf("%s/%s has no meta", r.Type, r.ID)
		}
		_, err := fmt.Fprintf(w, "%s\n", served)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range writers {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if lines < 5000 {
		t.Errorf("got %d resources, want 5000 or more", lines)
	}
}
