package fhirstore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// lines reads a whole export file.
func lines(t *testing.T, s *fhirstore.Store, f fhirstore.File) []string {
	t.Helper()
	var buf bytes.Buffer
	if _, err := s.OpenFile(f.Extents).WriteRange(t.Context(), &buf, 0, f.Bytes); err != nil {
		t.Fatal(err)
	}
	if int64(buf.Len()) != f.Bytes || !strings.HasSuffix(buf.String(), "\n") {
		t.Fatalf("%s has %d bytes; its entry says %d", f.Type, buf.Len(), f.Bytes)
	}
	list := strings.Split(strings.TrimSuffix(buf.String(), "\n"), "\n")
	if int64(len(list)) != f.Rows {
		t.Fatalf("%s has %d lines; its entry says %d", f.Type, len(list), f.Rows)
	}
	return list
}

// exported are the type and id of everything in an export, sorted.
func exported(t *testing.T, s *fhirstore.Store, snap *fhirstore.Snapshot) string {
	t.Helper()
	var list []string
	for _, f := range snap.Output {
		for _, line := range lines(t, s, f) {
			var r struct{ ResourceType, ID string }
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%s: %v in %s", f.Type, err, line)
			}
			if r.ResourceType != f.Type {
				t.Fatalf("BD-FI-03 a %s in the file of %s", r.ResourceType, f.Type)
			}
			list = append(list, r.ResourceType+"/"+r.ID)
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestExportLevels(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, c *clock.Adjustable) {
		put(t, s, sample...)
		put(t, s,
			`{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/b"}},{"entity":{"reference":"Patient/a"},"inactive":true},{"entity":{"reference":"Patient/c"},"period":{"end":"2020"}}]}`,
			`{"resourceType":"Practitioner","id":"dr"}`)
		const context = "Organization/branch Organization/payer"
		since := fromMillisecond(t, s)
		filter := must(s.Query("Observation", []fhirstore.Param{{Name: "status", Value: "final"}}, fhirstore.QueryOptions{Strict: true, FilterOnly: true}))
		for _, c := range []struct {
			id   string
			sel  fhirstore.Selection
			want string
		}{
			{"BD-KO-01 system", fhirstore.Selection{Types: []string{"Patient", "Practitioner"}}, "Patient/a Patient/b Patient/c Practitioner/dr"},
			{"BD-KO-02 all patients", fhirstore.Selection{Level: fhirstore.PatientLevel}, "Condition/c1 MedicationRequest/m1 Observation/o1 Observation/o2 Observation/o3 " + context + " Patient/a Patient/b Patient/c Practitioner/dr Provenance/v1 RiskAssessment/r1"},
			{"BD-KO-03 group, BD-GR-05", fhirstore.Selection{Level: fhirstore.GroupLevel, Group: "g"}, "Observation/o3 " + context + " Patient/b Practitioner/dr"},
			{"BD-PA-19 Provenance about the compartment", fhirstore.Selection{Level: fhirstore.PatientLevel, Types: []string{"Provenance"}}, "Provenance/v1"},
			{"BD-PA-19 Provenance about a patient's", fhirstore.Selection{Level: fhirstore.PatientLevel, Patients: []string{"a"}, Types: []string{"Provenance"}}, "Provenance/v1"},
			{"BD-PA-19 Provenance about others", fhirstore.Selection{Level: fhirstore.PatientLevel, Patients: []string{"b"}, Types: []string{"Provenance"}}, ""},
			{"Group by _type", fhirstore.Selection{Level: fhirstore.PatientLevel, Types: []string{"Group"}}, "Group/g"},
			{"BD-PA-14 patient", fhirstore.Selection{Level: fhirstore.PatientLevel, Patients: []string{"b"}, Types: []string{"Observation", "Patient"}}, "Observation/o3 Patient/b"},
			{"BD-PA-14 patient of a group", fhirstore.Selection{Level: fhirstore.GroupLevel, Group: "g", Patients: []string{"b"}, Types: []string{"Patient"}}, "Patient/b"},
			{"BD-PA-20 _typeFilter", fhirstore.Selection{Types: []string{"Observation"}, Filters: []*fhirstore.Query{filter}}, "Observation/o1 Observation/o3"},
			{"BD-PA-04 _since", fhirstore.Selection{Types: []string{"Patient"}, Since: since}, ""},
			{"BD-PA-07 _until", fhirstore.Selection{Types: []string{"Patient"}, Until: since}, "Patient/a Patient/b Patient/c"},
		} {
			snap, err := s.Export(t.Context(), all, c.sel)
			if err != nil {
				t.Errorf("%s: %v", c.id, err)
				continue
			}
			if got := exported(t, s, snap); got != c.want {
				t.Errorf("%s exports\n got %s\nwant %s", c.id, got, c.want)
			}
		}
		var stranger *fhirstore.NotMemberError
		if _, err := s.Export(t.Context(), all, fhirstore.Selection{Level: fhirstore.GroupLevel, Group: "g", Patients: []string{"a"}}); !errors.As(err, &stranger) {
			t.Errorf("BD-PA-16 patient outside the group: %v; want no member", err)
		}
		var missing *fhirstore.NotFoundError
		if _, err := s.Export(t.Context(), all, fhirstore.Selection{Level: fhirstore.GroupLevel, Group: "nope"}); !errors.As(err, &missing) {
			t.Errorf("BD-KO-11 unknown group: %v; want not found", err)
		}
		_, err := s.Export(t.Context(), fhirstore.View{}, fhirstore.Selection{})
		wantForbidden(t, "BD-SEC-08 nothing readable", err, fhirstore.NoLetter)
		_, err = s.Export(t.Context(), view("Patient", fhirstore.LetterRead, ""), fhirstore.Selection{Types: []string{"Patient"}})
		wantForbidden(t, "BD-SEC-07 r without s", err, fhirstore.NoLetter)
	})
}

// fromMillisecond returns an instant after everything that is in the store.
func fromMillisecond(t *testing.T, s *fhirstore.Store) time.Time {
	t.Helper()
	return must(s.Export(t.Context(), all, fhirstore.Selection{})).At
}

func TestExportDeleted(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample...)
		first := must(s.Export(t.Context(), all, fhirstore.Selection{}))
		for _, id := range []string{"o1", "o2"} {
			must(s.Delete(t.Context(), all, "Observation", id, fhirstore.Condition{}))
		}
		put(t, s, sample[5]) // o1 comes back
		snap := must(s.Export(t.Context(), all, fhirstore.Selection{Since: first.At}))
		if got := exported(t, s, snap); got != "Observation/o1" {
			t.Errorf("BD-DL-03 the increment holds %q; want what was recreated", got)
		}
		if want := []string{"Observation"}; !slices.Equal(snap.Types, want) {
			t.Errorf("the increment is of %v; want %v", snap.Types, want)
		}
		must(s.Delete(t.Context(), all, "Patient", "c", fhirstore.Condition{}))
		for _, c := range []struct {
			types, want []string
		}{
			{[]string{"Patient"}, []string{"Patient"}}, {[]string{"Patient", "Observation", "Condition"}, []string{"Observation", "Patient"}}, {[]string{"Condition"}, nil},
		} {
			if got := must(s.Export(t.Context(), all, fhirstore.Selection{Types: c.types, Since: first.At})); !slices.Equal(got.Types, c.want) {
				t.Errorf("BD-SEC-03 with a deleted Patient the increment of %v is of %v; want %v", c.types, got.Types, c.want)
			}
		}
		if len(snap.Deleted) != 1 {
			t.Fatalf("BD-DL-02 %d files of deletions; want 1", len(snap.Deleted))
		}
		want := `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Observation/o2"}}]}`
		if got := lines(t, s, snap.Deleted[0]); len(got) != 1 || got[0] != want {
			t.Errorf("BD-DL-01 deletions are %s; want %s", got, want)
		}
		hidden := must(s.Export(t.Context(), view("Observation", fhirstore.AllLetters, "status=final"), fhirstore.Selection{Since: first.At}))
		if len(hidden.Deleted) != 0 {
			t.Errorf("BD-DL-05 a tombstone outside the scope's constraint is told: %v", hidden.Deleted)
		}
		if got := exported(t, s, first); !strings.Contains(got, "Observation/o2") {
			t.Errorf("BD-DA-04 the earlier export lost what was deleted later: %s", got)
		}
	})
}

// TestIncrementsLoseNothing chains exports by transactionTime while others
// write as fast as they can: every version that was ever current at a kick-off
// is exported exactly once after it was written.
func TestIncrementsLoseNothing(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), t.TempDir(), fhirstore.Options{}))
	defer s.Close()
	ctx := context.Background()
	const writers, each = 4, 60
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range each {
				body := fmt.Sprintf(`{"resourceType":"Patient","id":"w%d-%d"}`, w, i)
				if _, _, err := s.Update(ctx, all, "Patient", fmt.Sprintf("w%d-%d", w, i), []byte(body), fhirstore.Condition{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	seen := map[string]int{}
	since := time.UnixMilli(0)
	for last := false; !last; {
		select {
		case <-done:
			last = true
		default:
		}
		snap := must(s.Export(ctx, all, fhirstore.Selection{Types: []string{"Patient"}, Since: since}))
		if !snap.At.After(since) {
			t.Fatalf("BD-DA-05 transactionTime %v is not after %v", snap.At, since)
		}
		for _, id := range strings.Fields(exported(t, s, snap)) {
			seen[id]++
		}
		since = snap.At
	}
	if len(seen) != writers*each {
		t.Errorf("BD-DA-05 %d resources were exported; want %d", len(seen), writers*each)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("BD-DA-05 %s was exported %d times", id, n)
		}
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		load := must(s.Load(t.Context(), all))
		for i := range 200 {
			must(0, load.Add(t.Context(), fhirstore.Input{Type: "Patient", ID: fmt.Sprintf("l%d", i), JSON: fmt.Appendf(nil, `{"resourceType":"Patient","id":"l%d","name":[{"text":"%s"}]}`, i, strings.Repeat("x", i))}))
		}
		must(0, load.Commit(t.Context()))
		for i := range 100 { // loose rows, and dead rows in the pack
			put(t, s, fmt.Sprintf(`{"resourceType":"Patient","id":"l%d"}`, i*2))
		}
		snap := must(s.Export(t.Context(), all, fhirstore.Selection{Types: []string{"Patient"}}))
		f := snap.Output[0]
		if f.Rows != 200 {
			t.Fatalf("%d rows; want 200", f.Rows)
		}
		whole := strings.Join(lines(t, s, f), "\n") + "\n"
		for from := int64(0); from < f.Bytes; from += 997 {
			for _, n := range []int64{0, 1, 100, 5000, f.Bytes} {
				n = min(n, f.Bytes-from)
				var buf bytes.Buffer
				if _, err := s.OpenFile(f.Extents).WriteRange(t.Context(), &buf, from, n); err != nil {
					t.Fatal(err)
				}
				if buf.String() != whole[from:from+n] {
					t.Fatalf("bytes %d to %d differ", from, from+n)
				}
			}
		}
	})
}

func FuzzOpenFile(f *testing.F) {
	s := must(fhirstore.Open(context.Background(), "", fhirstore.Options{}))
	f.Add([]byte{0, 1, 0, 10}, int64(0), int64(10))
	f.Add([]byte{1, 2, 5}, int64(1), int64(3))
	f.Add(fhirstore.InlineFile("X", [][]byte{[]byte("abc")}).Extents, int64(1), int64(2))
	f.Fuzz(func(t *testing.T, extents []byte, offset, length int64) {
		if offset < 0 || length < 0 {
			return
		}
		s.OpenFile(extents).WriteRange(t.Context(), &bytes.Buffer{}, offset, length) // must return
	})
}
