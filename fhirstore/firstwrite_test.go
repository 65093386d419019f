package fhirstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// TestKickOffInstantIsKept restarts a store after a kick-off whose clock was
// ahead: what is written next still is later than the export.
func TestKickOffInstantIsKept(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	ahead := clock.NewAdjustable(nil)
	ahead.Advance(24 * time.Hour)
	s := must(fhirstore.Open(ctx, dir, fhirstore.Options{Clock: ahead}))
	at := must(s.Export(ctx, all, fhirstore.Selection{})).At
	must(0, s.Close())
	s = must(fhirstore.Open(ctx, dir, fhirstore.Options{}))
	defer s.Close()
	if next := must(s.Create(ctx, all, "Patient", []byte(`{"resourceType":"Patient"}`))); !next.At.After(at) {
		t.Errorf("BD-DA-05 after a restart a write is at %v; the export was at %v", next.At, at)
	}
}

func newBase(t *testing.T) *fhirstore.Base {
	t.Helper()
	dir := t.TempDir()
	must(0, fhirstore.BuildBase(t.Context(), dir, func(l *fhirstore.Load) error {
		return l.Add(t.Context(), input("Patient", "p", ""))
	}))
	base := must(fhirstore.OpenBase(t.Context(), dir))
	t.Cleanup(func() { base.Close() })
	return base
}

// TestFirstWriteCanBeTriedAgain fails a first write after it has begun to fill
// the directory.
func TestFirstWriteCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := fhirstore.Over(newBase(t), func() (string, error) { return dir, nil }, fhirstore.Options{})
	defer s.Close()
	body := []byte(`{"resourceType":"Patient"}`)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Create(gone, all, "Patient", body); !errors.Is(err, context.Canceled) {
		t.Fatalf("a write whose caller has gone: %v", err)
	}
	// A copy that the machine's end cut short.
	if err := os.WriteFile(filepath.Join(dir, "fhir.db.part"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), all, "Patient", body); err != nil {
		t.Errorf("FR-CR-01 the next write: %v", err)
	}
}

// TestFirstWriteWithoutItsPlace has no place for the copy at first, then one
// with a file in it that is no database.
func TestFirstWriteWithoutItsPlace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "later")
	s := fhirstore.Over(newBase(t), func() (string, error) { return dir, nil }, fhirstore.Options{})
	defer s.Close()
	body := []byte(`{"resourceType":"Patient"}`)
	if _, err := s.Create(t.Context(), all, "Patient", body); err == nil {
		t.Fatal("a write without a place for it was answered")
	}
	must(0, os.Mkdir(dir, 0o700))
	must(0, os.WriteFile(filepath.Join(dir, "fhir.db"), []byte("half a copy"), 0o600))
	must(s.Create(t.Context(), all, "Patient", body))
	if got := search(t, s, all, "Patient", "").Total; got != 2 {
		t.Errorf("after the first write there are %d patients; want 2", got)
	}
}
