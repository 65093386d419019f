package control_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
	"github.com/sandfhir/sandfhir/internal/control"
)

// TestFileIsPrivate: the database holds signing keys.
func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "control.db")
	db, err := control.Open(t.Context(), path, control.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("files %v, error %v", files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v; want 0600", file, info.Mode().Perm())
		}
	}
}

// A client that was asked for before there was one is found as soon as there is, however many were
// asked for.
func TestClientsThatAreNotThere(t *testing.T) {
	t.Parallel()
	db, err := control.Open(t.Context(), "", control.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx := t.Context()
	for i := range 2500 {
		if _, err := db.Client(ctx, authz.Production, fmt.Sprint("nobody-", i)); !errors.Is(err, authz.ErrNoClient) {
			t.Fatalf("got %v, want ErrNoClient", err)
		}
	}
	for _, id := range []string{"nobody-0", "nobody-2499"} {
		if _, err := db.PutClient(ctx, authz.Production, &authz.Client{ID: id}); err != nil {
			t.Fatal(err)
		}
		if c, err := db.Client(ctx, authz.Production, id); err != nil || c.ID != id {
			t.Errorf("got %v, %v; want %s", c, err, id)
		}
		if err := db.DeleteClient(ctx, authz.Production, id); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := db.Client(ctx, authz.Production, id); !errors.Is(err, authz.ErrNoClient) {
				t.Errorf("after it was deleted: %v", err)
			}
		}
	}
}

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
