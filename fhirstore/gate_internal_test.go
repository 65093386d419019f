package fhirstore

import (
	"strings"
	"testing"
)

// TestOrganizationsAreLookedUpOnce counts the statements that look for the
// organizations below those of a view, in a search across all types.
func TestOrganizationsAreLookedUpOnce(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Open(ctx, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for id, body := range map[string]string{
		"payer":  `{"resourceType":"Organization","id":"payer"}`,
		"branch": `{"resourceType":"Organization","id":"branch","partOf":{"reference":"Organization/payer"}}`,
	} {
		if _, _, err := s.Update(ctx, Everything(), "Organization", id, []byte(body), Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	view := Everything()
	view.Organizations = []string{"payer"}
	q, err := s.QueryAll(s.Types(), nil, QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := record(s)
	if _, err := s.Search(ctx, view, q); err != nil {
		t.Fatal(err)
	}
	lookUps, longest := 0, 0
	for _, statement := range r.take() {
		if strings.HasPrefix(statement.text, "SELECT r.id FROM ix_ref") {
			lookUps++
		}
		longest = max(longest, strings.Count(statement.text, "r.org IN"))
	}
	if lookUps != 2 || longest != 1 {
		t.Errorf("%d look-ups for 2 organizations; a statement names them %d times, want once", lookUps, longest)
	}
}
