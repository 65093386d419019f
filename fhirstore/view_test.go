package fhirstore_test

import (
	"errors"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

func view(typ string, letters fhirstore.Letters, query string) fhirstore.View {
	return fhirstore.View{Permissions: []fhirstore.Permission{{Type: typ, Letters: letters, Query: query}}}
}

func wantForbidden(t *testing.T, what string, err error, reason fhirstore.Reason) {
	t.Helper()
	var forbidden *fhirstore.ForbiddenError
	if !errors.As(err, &forbidden) || forbidden.Reason != reason {
		t.Errorf("%s: %v; want forbidden for reason %d", what, err, reason)
	}
}

func TestLetters(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample...)
		ctx := t.Context()
		body := []byte(`{"resourceType":"Patient","id":"a"}`)
		q := must(s.Query("Patient", nil, fhirstore.QueryOptions{}))
		interactions := map[fhirstore.Letters]map[string]func(fhirstore.View) error{
			fhirstore.LetterRead: {
				"FR-SC-02 read":  func(v fhirstore.View) error { _, err := s.Read(ctx, v, "Patient", "a"); return err },
				"FR-SC-02 vread": func(v fhirstore.View) error { _, err := s.ReadVersion(ctx, v, "Patient", "a", "1"); return err },
				"FR-SC-03 history": func(v fhirstore.View) error {
					_, _, err := s.History(ctx, v, "Patient", "a", fhirstore.HistoryQuery{})
					return err
				},
			},
			fhirstore.LetterSearch: {"FR-SC-04 search": func(v fhirstore.View) error { _, err := s.Search(ctx, v, q); return err }},
			fhirstore.LetterCreate: {"FR-SC-09 create": func(v fhirstore.View) error { _, err := s.Create(ctx, v, "Patient", body); return err }},
			fhirstore.LetterUpdate: {"FR-SC-11 update": func(v fhirstore.View) error {
				_, _, err := s.Update(ctx, v, "Patient", "a", body, fhirstore.Condition{})
				return err
			}},
			fhirstore.LetterDelete: {"FR-SC-15 delete": func(v fhirstore.View) error {
				_, err := s.Delete(ctx, v, "Patient", "zz", fhirstore.Condition{})
				return err
			}},
		}
		for letter, calls := range interactions {
			for name, call := range calls {
				if err := call(view("Patient", letter, "")); err != nil {
					t.Errorf("%s with Patient.%s: %v", name, letter, err)
				}
				if err := call(view("*", letter, "")); err != nil {
					t.Errorf("%s with *.%s: %v", name, letter, err)
				}
				wantForbidden(t, name+" with all other letters", call(view("Patient", fhirstore.AllLetters&^letter, "")), fhirstore.NoLetter)
				wantForbidden(t, name+" with another type", call(view("Group", fhirstore.AllLetters, "")), fhirstore.NoLetter)
				wantForbidden(t, name+" with nothing", call(fhirstore.View{}), fhirstore.NoLetter)
			}
		}
	})
}

func TestConstraints(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample...)
		ctx := t.Context()
		lab := view("Observation", fhirstore.AllLetters, "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory")
		if got := ids(search(t, s, lab, "Observation", "")); got != "o1" {
			t.Errorf("SB-RS-11 search found %q; want o1", got)
		}
		_, err := s.Read(ctx, lab, "Observation", "o2")
		wantForbidden(t, "SB-RS-11 read", err, fhirstore.OutsideQuery)
		_, err = s.Delete(ctx, lab, "Observation", "o2", fhirstore.Condition{})
		wantForbidden(t, "SB-RS-11 delete", err, fhirstore.OutsideQuery)
		inside := `{"resourceType":"Observation","id":"o1","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"text":"x"}}`
		outside := `{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"}}`
		_, _, err = s.Update(ctx, lab, "Observation", "o1", []byte(outside), fhirstore.Condition{})
		wantForbidden(t, "SB-RS-11 update to the outside", err, fhirstore.OutsideQuery)
		_, _, err = s.Update(ctx, lab, "Observation", "o2", []byte(inside[:len(`{"resourceType":"Observation","id":"o`)]+"2"+inside[len(`{"resourceType":"Observation","id":"o1`):]), fhirstore.Condition{})
		wantForbidden(t, "SB-RS-11 update from the outside", err, fhirstore.OutsideQuery)
		_, err = s.Create(ctx, lab, "Observation", []byte(outside))
		wantForbidden(t, "SB-RS-11 create", err, fhirstore.OutsideQuery)
		if _, _, err := s.Update(ctx, lab, "Observation", "o1", []byte(inside), fhirstore.Condition{}); err != nil {
			t.Errorf("SB-RS-11 update inside: %v", err)
		}
		union := lab
		union.Permissions = append(union.Permissions, fhirstore.Permission{Type: "Observation", Letters: fhirstore.LetterSearch, Query: "patient=b"})
		if got := ids(search(t, s, union, "Observation", "")); got != "o1 o3" {
			t.Errorf("SB-RS-12 union found %q; want o1 o3", got)
		}
		union.Permissions = append(union.Permissions, fhirstore.Permission{Type: "*", Letters: fhirstore.LetterSearch})
		if got := ids(search(t, s, union, "Observation", "")); got != "o1 o2 o3" {
			t.Errorf("SB-RS-12 an unconstrained scope beside found %q; want all", got)
		}
	})
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, sample[:2]...)
		ctx := t.Context()
		of := func(org string) fhirstore.View {
			v := fhirstore.Everything()
			v.Organizations, v.Owner = []string{org}, org
			return v
		}
		mine := must(s.Create(ctx, of("branch"), "Patient", []byte(`{"resourceType":"Patient"}`)))
		if mine.Organization != "branch" {
			t.Errorf("a resource written by branch belongs to %q", mine.Organization)
		}
		if _, err := s.Read(ctx, of("payer"), "Patient", mine.ID); err != nil {
			t.Errorf("S13 a parent cannot read its child's: %v", err)
		}
		_, err := s.Read(ctx, of("other"), "Patient", mine.ID)
		wantForbidden(t, "S13 read by another organization", err, fhirstore.OtherOrganization)
		_, err = s.Delete(ctx, of("other"), "Patient", mine.ID, fhirstore.Condition{})
		wantForbidden(t, "S13 delete by another organization", err, fhirstore.OtherOrganization)
		if got := ids(search(t, s, of("other"), "Patient", "")); got != "" {
			t.Errorf("S13 another organization's search found %q", got)
		}
		if got := ids(search(t, s, of("payer"), "Patient", "")); got != mine.ID {
			t.Errorf("S13 the parent's search found %q", got)
		}
		if _, err := s.Read(ctx, of("other"), "Organization", "payer"); err != nil {
			t.Errorf("shared context cannot be read: %v", err)
		}
		snapshot := must(s.Export(ctx, of("other"), fhirstore.Selection{Types: []string{"Patient"}}))
		if len(snapshot.Output) != 0 {
			t.Errorf("S13 another organization's export has %v", snapshot.Output)
		}
	})
}
