package authz_test

import (
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	authztest.RunStore(t, func(t *testing.T) authz.Store { return authztest.NewStore() })
}
