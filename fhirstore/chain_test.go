package fhirstore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// linkedSample are resources that refer to each other in several steps.
var linkedSample = append([]string{
	`{"resourceType":"Organization","id":"hq","name":"Head Quarters","identifier":[{"system":"urn:org","value":"1"}]}`,
	`{"resourceType":"Practitioner","id":"d1","name":[{"family":"Welby"}],"identifier":[{"system":"urn:npi","value":"77"}]}`,
	`{"resourceType":"PractitionerRole","id":"pr1","practitioner":{"reference":"Practitioner/d1"},"organization":{"reference":"Organization/hq"}}`,
	`{"resourceType":"Patient","id":"d","name":[{"family":"Dunn"}],"managingOrganization":{"reference":"Organization/hq"},"generalPractitioner":[{"reference":"Practitioner/d1"}]}`,
	`{"resourceType":"Observation","id":"o4","status":"final","subject":{"reference":"Patient/d"},"code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]}}`,
	`{"resourceType":"Group","id":"g1","type":"person","actual":true,"name":"Smith and others"}`,
	`{"resourceType":"Observation","id":"o5","status":"final","subject":{"reference":"Group/g1"},"code":{"coding":[{"code":"x"}]}}`,
}, sample...)

func TestChains(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, linkedSample...)
		for _, c := range []struct{ id, query, want string }{
			{"FR-CH-01 one link", "Observation?patient.name=smith", "o3"},
			{"FR-CH-01 with a type", "Observation?subject:Patient.name=smith", "o3"},
			{"FR-CH-01 several types", "Observation?subject.identifier=M-1,M-2", "o1 o2 o3"},
			{"FR-CH-01 a modifier at the end", "Observation?subject:Patient.name:contains=MYTH", "o3"},
			{"FR-CH-01 :missing at the end", "Observation?subject:Patient.birthdate:missing=true", "o4"},
			{"FR-CH-01 two links", "Observation?subject:Patient.organization.name=head", "o4"},
			{"FR-CH-01 _id at the end", "Observation?patient._id=a", "o1 o2"},
			{"FR-CH-01 beside another parameter", "Observation?patient.gender=female&code=4548-4", "o1"},
			{"FR-CH-01 two chains are two conditions", "Observation?patient.gender=female&patient.name=smith", ""},
			{"FR-CH-01 nothing", "Observation?patient.name=nobody", ""},
			{"FR-CH-02 _has", "Patient?_has:Observation:patient:code=8867-4", "a"},
			{"FR-CH-02 _has with a date", "Patient?_has:Observation:patient:date=ge2026-02-01", "b"},
			{"FR-CH-02 nested _has", "Patient?_has:Observation:patient:_has:Provenance:target:agent=Organization/payer", "a"},
			{"FR-CH-02 _has and a chain", "Organization?_has:Patient:organization:general-practitioner.name=welby", "hq"},
			{"FR-CH-02 a chain to _has", "Observation?subject:Patient._has:Condition:patient:onset-date=2020", "o1 o2"},
			{"FR-CH-03 practitioner.identifier", "PractitionerRole?practitioner.identifier=urn:npi|77", "pr1"},
			{"FR-CH-03 practitioner.name", "PractitionerRole?practitioner.name=welby", "pr1"},
		} {
			typ, query, _ := strings.Cut(c.query, "?")
			page := search(t, s, all, typ, query)
			if got := ids(page); got != c.want || int(page.Total) != len(page.Matches) {
				t.Errorf("%s: %s found %q of %d; want %q", c.id, c.query, got, page.Total, c.want)
			}
		}
	})
}

// What a link leads to is seen as everything else is: through the view.
func TestChainsUnderViews(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, linkedSample...)
		permit := func(permissions ...fhirstore.Permission) fhirstore.View {
			return fhirstore.View{Permissions: permissions}
		}
		observations := fhirstore.Permission{Type: "Observation", Letters: fhirstore.AllLetters}
		patients := fhirstore.Permission{Type: "Patient", Letters: fhirstore.LetterSearch}
		women := fhirstore.Permission{Type: "Patient", Letters: fhirstore.LetterSearch, Query: "gender=female"}
		readers := fhirstore.Permission{Type: "Patient", Letters: fhirstore.LetterRead}
		for _, c := range []struct {
			id, query string
			view      fhirstore.View
			want      string // or "forbidden"
		}{
			{"FR-SC-20 no scope at the other end", "Observation?patient.name=smith", permit(observations), "forbidden"},
			{"FR-SC-20 reading is not searching", "Observation?patient.name=smith", permit(observations, readers), "forbidden"},
			{"FR-SC-20 a scope", "Observation?patient.name=smith", permit(observations, patients), "o3"},
			{"FR-SC-20 one of several types", "Observation?subject.identifier=M-2", permit(observations, patients), "o3"},
			{"FR-SC-20 a constrained scope", "Observation?patient.name=smith", permit(observations, women), ""},
			{"FR-SC-20 a constrained scope that fits", "Observation?patient.name=ana", permit(observations, women), "o1 o2"},
			{"FR-SC-20 _has", "Patient?_has:Observation:patient:code=8867-4", permit(patients), "forbidden"},
			{"FR-SC-20 _has with a scope", "Patient?_has:Observation:patient:code=8867-4", permit(patients, observations), "a"},
		} {
			typ, encoded, _ := strings.Cut(c.query, "?")
			q, err := s.Query(typ, must(fhirstore.ParseParams(encoded)), fhirstore.QueryOptions{Strict: true})
			if err != nil {
				t.Fatal(err)
			}
			page, err := s.Search(t.Context(), c.view, q)
			var forbidden *fhirstore.ForbiddenError
			switch {
			case errors.As(err, &forbidden):
				if c.want != "forbidden" {
					t.Errorf("%s: %v", c.id, err)
				}
			case err != nil:
				t.Fatal(err)
			case ids(page) != c.want:
				t.Errorf("%s: found %q, want %q", c.id, ids(page), c.want)
			}
		}
	})
}

func TestRefusedChains(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	for _, c := range []struct{ id, query string }{
		{"FR-CH-01 no reference", "Patient?gender.name=x"},
		{"FR-CH-01 unknown reference", "Observation?subjekt.name=x"},
		{"FR-CH-01 unknown type", "Observation?subject:Person2.name=x"},
		{"FR-CH-01 unknown at the other end", "Observation?patient.nome=x"},
		{"FR-CH-01 unknown at every other end", "Observation?subject.nome=x"},
		{"FR-CH-01 a bad value", "Observation?patient.birthdate=soon"},
		{"FR-CH-01 too long", "Observation?patient.organization.partof.partof.partof.name=x"},
		{"FR-CH-02 no parameter", "Patient?_has:Observation:patient=x"},
		{"FR-CH-02 unknown type", "Patient?_has:Observatory:patient:code=x"},
		{"FR-CH-02 no reference", "Patient?_has:Observation:code:code=x"},
		{"FR-CH-02 unknown at the other end", "Patient?_has:Observation:patient:nome=x"},
	} {
		typ, query, _ := strings.Cut(c.query, "?")
		_, err := s.Query(typ, must(fhirstore.ParseParams(query)), fhirstore.QueryOptions{Strict: true})
		var refused *fhirstore.QueryError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %s gives %v; want a refusal", c.id, c.query, err)
		}
	}
	v := fhirstore.View{Permissions: []fhirstore.Permission{{Type: "Observation", Letters: fhirstore.AllLetters, Query: "patient.name=smith"}}}
	if _, err := s.Search(t.Context(), v, must(s.Query("Observation", nil, fhirstore.QueryOptions{}))); err == nil {
		t.Error("a view was narrowed by a chain")
	}
}
