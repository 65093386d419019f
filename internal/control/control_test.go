package control_test

import (
	"path/filepath"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
	"github.com/sandfhir/sandfhir/internal/control"
)

func TestStore(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]func(*testing.T) string{
		"memory": func(*testing.T) string { return "" },
		"file":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "control.db") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			authztest.RunStore(t, func(t *testing.T) authz.Store {
				db, err := control.Open(t.Context(), path(t), control.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { db.Close() })
				return db
			})
		})
	}
}
