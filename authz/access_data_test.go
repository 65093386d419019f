package authz_test

import (
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
)

// What the data refuse although the scopes allow it has a check of its own and
// no challenge (SB-RS-05, SB-RS-11).
func TestDeniedByTheData(t *testing.T) {
	t.Parallel()
	scopes, err := authz.ParseScopes("system/Observation.rs?category=laboratory system/Observation.rs?category=survey")
	if err != nil {
		t.Fatal(err)
	}
	a := &authz.Access{Organization: "b", Scopes: scopes}
	for _, c := range []struct {
		err             *authz.Error
		id, requirement string
		says            []string
		remedy          authz.RemedyKind
	}{
		{a.OfOrganization("Patient/1", "a"), "S13", "SB-RS-05", []string{"Patient/1 belongs to Organization/a; client is bound to Organization/b (not a parent)."}, authz.RemedyNone},
		{a.OutsideConstraint("Observation/1 is out of reach", "Observation", authz.Read), "SB-RS-11", "SB-RS-11",
			[]string{"Observation/1 is out of reach: the token's scopes allow r on Observation only where category=laboratory or category=survey.", "Ask for system/Observation.r,"}, authz.RemedyScope},
	} {
		check := c.err.Check
		if c.err.Status != 403 || c.err.Code != "" || c.err.Challenge != (authz.Challenge{}) || check.ID() != c.id || string(check.RuleID) != c.requirement || check.Result != authz.Fail || check.Remedy.Kind != c.remedy {
			t.Errorf("got %+v, want 403 by %s of %s without a challenge", c.err, c.id, c.requirement)
		}
		for _, s := range c.says {
			if !strings.Contains(check.Explanation(), s) {
				t.Errorf("%s says %q, want %q in it", c.id, check.Explanation(), s)
			}
		}
		if got := c.err.Error(); !strings.HasPrefix(got, "forbidden ("+c.id+"): ") {
			t.Errorf("Error() is %q", got)
		}
	}
}
