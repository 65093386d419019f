package fhirstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

func TestRangesOverLooseRows(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		for i, n := range []int{1000, 300, 300} {
			put(t, s, fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","name":[{"text":"%s"}]}`, i, strings.Repeat("x", n)))
		}
		f := must(s.Export(t.Context(), all, fhirstore.Selection{Types: []string{"Patient"}})).Output[0]
		whole := strings.Join(lines(t, s, f), "\n") + "\n"
		for from := int64(0); from < f.Bytes; from += 100 {
			var buf bytes.Buffer
			if _, err := s.OpenFile(f.Extents).WriteRange(t.Context(), &buf, from, f.Bytes-from); err != nil {
				t.Fatalf("BD-FI-08 bytes from %d: %v", from, err)
			}
			if buf.String() != whole[from:] {
				t.Errorf("BD-FI-08 the bytes from %d on differ", from)
			}
		}
	})
}

func TestNoOrganizations(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample...)
		of := fhirstore.Everything()
		of.Owner = "payer"
		mine := must(s.Create(t.Context(), of, "Patient", []byte(`{"resourceType":"Patient"}`)))
		none := fhirstore.Everything()
		none.Organizations = []string{}
		if got := ids(search(t, s, none, "Patient", "")); got != "a b c" {
			t.Errorf("S13 a view of no organization finds %q; want what is shared", got)
		}
		_, err := s.Read(t.Context(), none, "Patient", mine.ID)
		wantForbidden(t, "S13 read", err, fhirstore.OtherOrganization)
		if got := exported(t, s, must(s.Export(t.Context(), none, fhirstore.Selection{Types: []string{"Patient"}}))); got != "Patient/a Patient/b Patient/c" {
			t.Errorf("S13 a view of no organization exports %q; want what is shared", got)
		}
	})
}

func TestMembersOfAnExport(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample...)
		put(t, s, `{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[`+
			`{"entity":{"reference":"Patient/a"},"inactive":true},{"entity":{"reference":"Patient/a"}},`+
			`{"entity":{"reference":"Patient/b"},"period":{"end":"2020"}},{"entity":{"reference":"Patient/b"},"period":{"end":"2999"}},`+
			`{"entity":{"reference":"Patient/c"},"period":{"start":"2026-03-02"}}]}`)
		got := exported(t, s, must(s.Export(t.Context(), all, fhirstore.Selection{Level: fhirstore.GroupLevel, Group: "g", Types: []string{"Patient"}})))
		if got != "Patient/a Patient/b" {
			t.Errorf("BD-GR-05 exported %q; want a and b, each a member by its second entry, and not c, who joins tomorrow", got)
		}
	})
}

func TestExportSeesNoMoreThanItsView(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		ctx := t.Context()
		put(t, s, sample...)
		owner := fhirstore.Everything()
		owner.Owner = "payer"
		group := must(s.Create(ctx, owner, "Group", []byte(`{"resourceType":"Group","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}}]}`)))
		theirs := must(s.Create(ctx, owner, "Patient", []byte(`{"resourceType":"Patient"}`)))
		ofGroup := fhirstore.Selection{Level: fhirstore.GroupLevel, Group: group.ID, Types: []string{"Patient"}}

		patients := view("Patient", fhirstore.AllLetters, "")
		_, err := s.Export(ctx, patients, ofGroup)
		wantForbidden(t, "FR-SC-02 a group without Group.r", err, fhirstore.NoLetter)
		narrow := patients
		narrow.Permissions = append(narrow.Permissions, fhirstore.Permission{Type: "Group", Letters: fhirstore.LetterRead, Query: "type=animal"})
		_, err = s.Export(ctx, narrow, ofGroup)
		wantForbidden(t, "SB-RS-11 a group outside the constraint", err, fhirstore.OutsideQuery)
		other := fhirstore.Everything()
		other.Organizations = []string{"branch"}
		_, err = s.Export(ctx, other, ofGroup)
		wantForbidden(t, "S13 a group of another organization", err, fhirstore.OtherOrganization)
		_, err = s.Export(ctx, other, fhirstore.Selection{Level: fhirstore.PatientLevel, Patients: []string{theirs.ID}})
		wantForbidden(t, "S13 a patient of another organization", err, fhirstore.OtherOrganization)
		_, err = s.Export(ctx, view("Patient", fhirstore.AllLetters, "gender=male"), fhirstore.Selection{Level: fhirstore.PatientLevel, Patients: []string{"a"}})
		wantForbidden(t, "SB-RS-11 a patient outside the constraint", err, fhirstore.OutsideQuery)
		var missing *fhirstore.NotFoundError
		if _, err := s.Export(ctx, all, fhirstore.Selection{Level: fhirstore.PatientLevel, Patients: []string{"nobody"}}); !errors.As(err, &missing) {
			t.Errorf("BD-PA-15 an unknown patient: %v; want not found", err)
		}
		if got := exported(t, s, must(s.Export(ctx, all, ofGroup))); got != "Patient/a" {
			t.Errorf("the whole view exports %q", got)
		}
	})
}

// TestTooManyIncluded: a page never looks whole that is not (FR-ER-20).
func TestTooManyIncluded(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	put(t, s, `{"resourceType":"Patient","id":"p"}`)
	load := must(s.Load(t.Context(), all))
	add := func(from, to int) {
		for i := from; i < to; i++ {
			id := fmt.Sprintf("b%d", i)
			if err := load.Add(t.Context(), fhirstore.Input{Type: "Basic", ID: id, JSON: []byte(`{"resourceType":"Basic","id":"` + id + `","subject":{"reference":"Patient/p"}}`)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := load.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	add(0, 10_000)
	if page := search(t, s, all, "Patient", "_revinclude=Basic:subject"); len(page.Included) != 10_000 {
		t.Errorf("got %d included, want 10,000", len(page.Included))
	}
	load = must(s.Load(t.Context(), all))
	add(10_000, 10_001)
	q := must(s.Query("Patient", must(fhirstore.ParseParams("_revinclude=Basic:subject")), fhirstore.QueryOptions{}))
	_, err := s.Search(t.Context(), all, q)
	var costly *fhirstore.QueryError
	if !errors.As(err, &costly) || costly.Code != "too-costly" {
		t.Errorf("FR-ER-20 one more: %v, want too-costly", err)
	}
}
