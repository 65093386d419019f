package fhirstore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// TestFilesOfASize divides files by lines and by bytes, of packs that are whole,
// of such as have dead rows, and of loose rows: the files hold what one file
// would, in the same order, each as much as fits (BD-FI-13).
func TestFilesOfASize(t *testing.T) {
	t.Parallel()
	const rows = 30
	resource := func(i int) fhirstore.Input {
		return input("Observation", fmt.Sprintf("o%02d", i), fmt.Sprintf(`,"status":"final","subject":{"reference":"Patient/p%d"},"code":{"text":"%s"}`, i%3, strings.Repeat("x", i*i%97)))
	}
	fill := func(t *testing.T, l *fhirstore.Load) error {
		for i := range rows {
			if err := l.Add(t.Context(), resource(i)); err != nil {
				return err
			}
		}
		return nil
	}
	loadedStores(t, fill, func(t *testing.T, s *fhirstore.Store) {
		for _, state := range []string{"whole packs", "dead and loose rows"} {
			if state != "whole packs" {
				put(t, s, `{"resourceType":"Observation","id":"o07","status":"final"}`, `{"resourceType":"Observation","id":"loose","status":"final","note":[{"text":"`+strings.Repeat("y", 200)+`"}]}`)
				must(s.Delete(t.Context(), all, "Observation", "o11", fhirstore.Condition{}))
			}
			one := must(s.Export(t.Context(), all, fhirstore.Selection{})).Output
			if len(one) != 1 {
				t.Fatalf("%s: %d files without bounds", state, len(one))
			}
			want := lines(t, s, one[0])
			bounds := []fhirstore.Selection{{MaxRows: rows + 5}, {MaxBytes: one[0].Bytes}, {MaxBytes: one[0].Bytes - 1}, {MaxRows: 7, MaxBytes: 700}, {MaxRows: 2, MaxBytes: 1 << 20}}
			for n := range int64(rows) {
				bounds = append(bounds, fhirstore.Selection{MaxRows: n + 1}, fhirstore.Selection{MaxBytes: 1 + n*n*3})
			}
			for _, sel := range bounds {
				var got []string
				files := must(s.Export(t.Context(), all, sel)).Output
				for i, f := range files {
					of := lines(t, s, f)
					got = append(got, of...)
					if sel.MaxRows > 0 && f.Rows > sel.MaxRows || sel.MaxBytes > 0 && f.Bytes > sel.MaxBytes && f.Rows > 1 {
						t.Errorf("%s: file %d has %d lines and %d bytes; at most %d and %d are wanted", state, i, f.Rows, f.Bytes, sel.MaxRows, sel.MaxBytes)
					}
					if i+1 == len(files) {
						continue
					}
					next := int64(len(lines(t, s, files[i+1])[0])) + 1
					if (sel.MaxRows == 0 || f.Rows < sel.MaxRows) && (sel.MaxBytes == 0 || f.Bytes+next <= sel.MaxBytes) {
						t.Errorf("%s: file %d has %d lines and %d bytes, and the next line of %d would have fitted into %d and %d", state, i, f.Rows, f.Bytes, next, sel.MaxRows, sel.MaxBytes)
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %d files of at most %d lines and %d bytes have %d lines, one file has %d", state, len(files), sel.MaxRows, sel.MaxBytes, len(got), len(want))
				}
			}
		}
	})
}
