package fhirstore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

func input(typ, id, rest string) fhirstore.Input {
	return fhirstore.Input{Type: typ, ID: id, JSON: []byte(`{"resourceType":"` + typ + `","id":"` + id + `"` + rest + `}`)}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		ctx := t.Context()
		put(t, s, `{"resourceType":"Patient","id":"old","gender":"male"}`)
		load := must(s.Load(ctx, all))
		for _, in := range []fhirstore.Input{input("Patient", "old", `,"gender":"female"`), input("Patient", "p1", ""), input("Group", "g1", "")} {
			if err := load.Add(ctx, in); err != nil {
				t.Fatal(err)
			}
		}
		var duplicate *fhirstore.DuplicateError
		if err := load.Add(ctx, input("Patient", "p1", "")); !errors.As(err, &duplicate) {
			t.Errorf("a duplicate: %v", err)
		}
		var invalid *fhirstore.InvalidError
		for what, in := range map[string]fhirstore.Input{
			"an unknown type": input("Patiant", "x", ""),
			"an id":           input("Patient", "a b", ""),
			"another type":    {Type: "Patient", ID: "x", JSON: []byte(`{"resourceType":"Group","id":"x"}`)},
		} {
			if err := load.Add(ctx, in); !errors.As(err, &invalid) {
				t.Errorf("%s: %v; want invalid", what, err)
			}
		}
		if err := load.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if got := ids(search(t, s, all, "Patient", "")); got != "old p1" {
			t.Errorf("after the load there are %q", got)
		}
		if res := must(s.Read(ctx, all, "Patient", "old")); res.Version != 2 || !strings.Contains(string(res.JSON), "female") {
			t.Errorf("a loaded update is version %d: %s", res.Version, res.JSON)
		}
		if err := load.Commit(ctx); err == nil {
			t.Error("a load was committed twice")
		}

		dropped := must(s.Load(ctx, all))
		must(0, dropped.Add(ctx, input("Patient", "gone", "")))
		must(0, dropped.Rollback())
		if got := ids(search(t, s, all, "Patient", "")); got != "old p1" {
			t.Errorf("after a rolled back load there are %q", got)
		}
		put(t, s, `{"resourceType":"Patient","id":"p2"}`) // the writer's lock is free again
	})
}

// TestReopen closes stores in all states and finds everything again.
func TestReopen(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	s := must(fhirstore.Open(ctx, dir, fhirstore.Options{}))
	load := must(s.Load(ctx, all))
	for i := range 50 {
		must(0, load.Add(ctx, input("Patient", fmt.Sprintf("p%d", i), "")))
	}
	must(0, load.Commit(ctx))
	put(t, s, `{"resourceType":"Patient","id":"p1","gender":"male"}`)
	must(s.Delete(ctx, all, "Patient", "p2", fhirstore.Condition{}))
	snap := must(s.Export(ctx, all, fhirstore.Selection{}))
	before := exported(t, s, snap)
	must(0, s.Close())

	// What a process that died in the middle of a load leaves behind.
	for _, name := range []string{"7.ndjson", "8.ndjson.part"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = must(fhirstore.Open(ctx, dir, fhirstore.Options{}))
	defer s.Close()
	if got := exported(t, s, snap); got != before {
		t.Errorf("after a restart the export holds\n got %s\nwant %s", got, before)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "[78].*")); left != nil {
		t.Errorf("orphaned packs are still there: %v", left)
	}
	next := must(s.Create(ctx, all, "Patient", []byte(`{"resourceType":"Patient"}`)))
	if !next.At.After(snap.At.Add(-1)) {
		t.Errorf("after a restart an instant went back: %v", next.At)
	}
}

// TestBaseIsShared lets two stores stand on one base: what one writes the other
// does not see, and the base's files stay as they are.
func TestBaseIsShared(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	err := fhirstore.BuildBase(ctx, dir, func(l *fhirstore.Load) error {
		for i := range 10 {
			if err := l.Add(ctx, input("Patient", fmt.Sprintf("p%d", i), `,"active":true`)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	base := must(fhirstore.OpenBase(ctx, dir))
	defer base.Close()
	asked := 0
	over := func() *fhirstore.Store {
		return fhirstore.Over(base, func() (string, error) { asked++; return t.TempDir(), nil }, fhirstore.Options{})
	}
	one, two := over(), over()
	defer one.Close()
	defer two.Close()
	if got := search(t, one, all, "Patient", "active=true").Total; got != 10 || asked != 0 {
		t.Errorf("before any write: %d patients, %d directories asked for", got, asked)
	}
	put(t, one, `{"resourceType":"Patient","id":"p1","active":false}`)
	must(one.Delete(ctx, all, "Patient", "p2", fhirstore.Condition{}))
	if got := search(t, one, all, "Patient", "active=true").Total; got != 8 || asked != 1 {
		t.Errorf("after a write: %d active patients, %d directories asked for", got, asked)
	}
	if got := search(t, two, all, "Patient", "active=true").Total; got != 10 {
		t.Errorf("the other store has %d", got)
	}
	snap := must(one.Export(ctx, all, fhirstore.Selection{}))
	if got := len(strings.Fields(exported(t, one, snap))); got != 9 {
		t.Errorf("the export has %d", got)
	}
	copied := t.TempDir()
	must(0, base.Copy(copied))
	three := must(fhirstore.Open(ctx, copied, fhirstore.Options{}))
	defer three.Close()
	put(t, three, `{"resourceType":"Patient","id":"p3","active":false}`)
	if got := search(t, two, all, "Patient", "active=true").Total; got != 10 {
		t.Errorf("a write to a copy reached the base: %d", got)
	}
}
