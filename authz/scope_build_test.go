package authz_test

import (
	"testing"

	"github.com/sandfhir/sandfhir/authz"
)

// PB-11, PB-12, SB-REG-13: every set of operations, in both versions, of one
// type and of all. What is built can be read again and gives what was asked.
func TestBuildScopes(t *testing.T) {
	t.Parallel()
	v1 := func(l authz.Letters) string {
		reads, writes := l&(authz.Read|authz.Search) != 0, l&(authz.Create|authz.Update|authz.Delete) != 0
		switch {
		case reads && writes:
			return "*"
		case writes:
			return "write"
		}
		return "read"
	}
	for _, typ := range []string{"Patient", authz.AnyType} {
		for l := authz.Letters(1); l < 32; l++ {
			for version, want := range map[int]string{1: v1(l), 2: l.String()} {
				got := authz.BuildScopes(version, typ, l)
				if got.String() != "system/"+typ+"."+want {
					t.Errorf("version %d, %s, %s: got %s, want .%s", version, typ, l, got, want)
				}
				read, err := authz.ParseScopes(got.String())
				if err != nil || !read.Allows("Patient", l).Granted {
					t.Errorf("%s does not give %s: %v, error %v", got, l, read, err)
				}
			}
		}
	}
	if got := authz.BuildScopes(2, "Patient", 0); len(got) != 0 {
		t.Errorf("without operations: got %s", got)
	}
}
