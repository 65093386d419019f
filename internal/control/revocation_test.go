package control_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/control"
)

// open opens a database whose real time is wall's.
func open(t *testing.T, path string, wall clock.Clock) *control.DB {
	t.Helper()
	db, err := control.Open(t.Context(), path, control.Options{Wall: wall})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// revoke revokes tokens that expire at an instant.
func revoke(t *testing.T, db *control.DB, expires time.Time, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := db.RevokeToken(t.Context(), authz.Sandbox, id, expires); err != nil {
			t.Fatal(err)
		}
	}
}

// wantRevoked checks whether a token is revoked.
func wantRevoked(t *testing.T, when string, db *control.DB, id string, want bool) {
	t.Helper()
	got, err := db.TokenRevoked(t.Context(), authz.Sandbox, id)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("%s: token %s is revoked: %v, want %v", when, id, got, want)
	}
}

// many are more tokens than are revoked before the old ones are dropped.
func many(t *testing.T, db *control.DB, expires time.Time) {
	t.Helper()
	for i := range 1000 {
		revoke(t, db, expires, fmt.Sprint("other-", i))
	}
}

// TestRevocationsOutliveTheWorkspaceClock revokes tokens whose expiries follow
// a workspace's clock that is moved to and fro while real time hardly passes.
func TestRevocationsOutliveTheWorkspaceClock(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"memory": "", "file": filepath.Join(t.TempDir(), "control.db")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wall := clock.NewAdjustable(nil)
			wall.Freeze()
			db := open(t, path, wall)
			now := wall.Now()
			revoke(t, db, now.Add(5*time.Minute), "a")
			many(t, db, now.Add(2*time.Hour))
			wantRevoked(t, "SB-REV-04 the clock was two hours ahead for a while", db, "a", true)
			many(t, db, now.Add(1000*time.Hour))
			wantRevoked(t, "SB-REV-04 the clock was far ahead for a while", db, "a", true)

			revoke(t, db, now.Add(-1000*time.Hour), "back")
			wall.Advance(24 * time.Hour)
			many(t, db, now)
			wantRevoked(t, "SB-REV-04 the clock has been standing for a day", db, "back", true)
			wantRevoked(t, "SB-REV-04 a day has passed", db, "a", true)
			if path == "" {
				return
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = open(t, path, wall)
			wantRevoked(t, "SB-REV-04 after a restart", db, "back", true)
			wantRevoked(t, "SB-REV-04 after a restart", db, "a", true)
		})
	}
}

// TestRevocationsAreForgotten lets real time pass: what was revoked long ago
// and has expired takes no room.
func TestRevocationsAreForgotten(t *testing.T) {
	t.Parallel()
	wall := clock.NewAdjustable(nil)
	wall.Freeze()
	path := filepath.Join(t.TempDir(), "control.db")
	db := open(t, path, wall)
	revoke(t, db, wall.Now(), "old")
	revoke(t, db, wall.Now().Add(30*24*time.Hour), "long-lived")
	wall.Advance(8 * 24 * time.Hour)
	many(t, db, wall.Now())
	wantRevoked(t, "eight days later", db, "old", false)
	wantRevoked(t, "eight days later", db, "long-lived", true)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path, clock.NewAdjustable(nil)).Close(); err != nil { // back in time: what is there is there
		t.Fatal(err)
	}
	db = open(t, path, wall)
	wantRevoked(t, "after a restart", db, "old", false)
	wantRevoked(t, "after a restart", db, "other-1", true)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wall.Advance(8 * 24 * time.Hour)
	db = open(t, path, wall)
	wantRevoked(t, "sixteen days later", db, "other-1", false)
	wantRevoked(t, "sixteen days later", db, "long-lived", true)
}
