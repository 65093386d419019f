package fhirstore_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// TestFilesOfAClosedStore reads on after Close, as a request does that was cut:
// it gets an error and opens nothing that nobody would close.
func TestFilesOfAClosedStore(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"memory": "", "file": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := must(fhirstore.Open(t.Context(), dir, fhirstore.Options{}))
			load := must(s.Load(t.Context(), all))
			must(0, load.Add(t.Context(), input("Patient", "p", "")))
			must(0, load.Commit(t.Context()))
			f := must(s.Export(t.Context(), all, fhirstore.Selection{})).Output[0]
			r := s.OpenFile(f.Extents)
			must(r.WriteRange(t.Context(), &bytes.Buffer{}, 0, f.Bytes))
			must(0, s.Close())
			var buf bytes.Buffer
			if _, err := r.WriteRange(t.Context(), &buf, 0, f.Bytes); err == nil {
				t.Errorf("a closed store gave %q", &buf)
			}
		})
	}
}

// TestFilesWithRowsMissing reads files whose loose rows are not all there, or
// not as long as they were: nothing else takes their place.
func TestFilesWithRowsMissing(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		for i := range 3 {
			put(t, s, fmt.Sprintf(`{"resourceType":"Patient","id":"p%d"}`, i))
		}
		f := must(s.Export(t.Context(), all, fhirstore.Selection{Types: []string{"Patient"}})).Output[0]
		length := f.Bytes / 3
		// loose is a list of extents of loose rows, each with its length.
		loose := func(rows ...int64) []byte {
			var code []byte
			last := int64(0)
			for row := range slices.Chunk(rows, 2) {
				code = append(code, 1)
				code = binary.AppendVarint(code, row[0]-last)
				code = binary.AppendUvarint(code, uint64(row[1]))
				last = row[0]
			}
			return code
		}
		if got := string(loose(1, length, 2, length, 3, length)); got != string(f.Extents) {
			t.Fatalf("the extents are %x, not %x", f.Extents, got)
		}
		for name, extents := range map[string][]byte{
			"the first":   loose(99, length, 2, length, 3, length),
			"the last":    loose(1, length, 2, length, 99, length),
			"a short one": loose(1, length+1, 2, length, 3, length),
			"a long one":  loose(1, length-1, 2, length, 3, length),
		} {
			var buf bytes.Buffer
			if _, err := s.OpenFile(extents).WriteRange(t.Context(), &buf, 0, length); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("%s: got error %v and %q, want none of it", name, err, &buf)
			}
		}
	})
}
