package fhirstore_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// loadCompartments loads packs of which all rows are in compartments
// (Patient, Observation), some are (Condition), and some are by what they are
// about (Provenance).
func loadCompartments(t *testing.T, l *fhirstore.Load) error {
	t.Helper()
	of := func(subject string) string { return `,"subject":{"reference":"` + subject + `"}` }
	list := []fhirstore.Input{
		input("Group", "g", `,"type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p1"}}]`),
		input("Practitioner", "dr", ""),
		input("Patient", "p1", ""), input("Patient", "p2", ""),
		input("Condition", "in", of("Patient/p1")), input("Condition", "out", of("Group/g")),
		input("Provenance", "of-o1", `,"target":[{"reference":"Observation/o1"}]`),
		input("Provenance", "of-p2", `,"target":[{"reference":"Patient/p2"}]`),
		input("Provenance", "of-dr", `,"target":[{"reference":"Practitioner/dr"},{"reference":"http://x.test/fhir/Observation/o1"}]`),
	}
	for i := range 9 {
		list = append(list, input("Observation", fmt.Sprint("o", i+1), `,"status":"final"`+of(fmt.Sprint("Patient/p", i%2+1))))
	}
	for _, in := range list {
		if err := l.Add(t.Context(), in); err != nil {
			return err
		}
	}
	return nil
}

// loadedStores are stores with what fill loads, made in every way that there is.
func loadedStores(t *testing.T, fill func(t *testing.T, l *fhirstore.Load) error, f func(t *testing.T, s *fhirstore.Store)) {
	t.Helper()
	ctx := t.Context()
	loaded := func(t *testing.T, dir string) *fhirstore.Store {
		s := must(fhirstore.Open(ctx, dir, fhirstore.Options{}))
		load := must(s.Load(ctx, all))
		must(0, fill(t, load))
		must(0, load.Commit(ctx))
		return s
	}
	// changed is a store in a file that statements were run on.
	changed := func(t *testing.T, statements ...string) *fhirstore.Store {
		dir := t.TempDir()
		must(0, loaded(t, dir).Close())
		db := must(sqlitedb.Open(filepath.Join(dir, "fhir.db"), sqlitedb.ReadWrite, sqlitedb.Options{}))
		for _, statement := range statements {
			must(db.Write().ExecContext(ctx, statement))
		}
		must(0, db.Close())
		return must(fhirstore.Open(ctx, dir, fhirstore.Options{}))
	}
	base := func(t *testing.T) *fhirstore.Base {
		dir := t.TempDir()
		must(0, fhirstore.BuildBase(ctx, dir, func(l *fhirstore.Load) error { return fill(t, l) }))
		b := must(fhirstore.OpenBase(ctx, dir))
		t.Cleanup(func() { b.Close() })
		return b
	}
	for name, open := range map[string]func(t *testing.T) *fhirstore.Store{
		"memory": func(t *testing.T) *fhirstore.Store { return loaded(t, "") },
		"file":   func(t *testing.T) *fhirstore.Store { return loaded(t, t.TempDir()) },
		"base": func(t *testing.T) *fhirstore.Store {
			return fhirstore.Over(base(t), func() (string, error) { return t.TempDir(), nil }, fhirstore.Options{})
		},
		"copy of a base": func(t *testing.T) *fhirstore.Store {
			dir := t.TempDir()
			must(0, base(t).Copy(dir))
			return must(fhirstore.Open(ctx, dir, fhirstore.Options{}))
		},
		"older schema": func(t *testing.T) *fhirstore.Store {
			return changed(t, append(withoutComposites(), "ALTER TABLE pack DROP COLUMN outside", "PRAGMA user_version = 2")...)
		},
		"other definitions": func(t *testing.T) *fhirstore.Store {
			return changed(t, "UPDATE pack SET outside = CASE type WHEN 'Condition' THEN 0 ELSE rows END", "UPDATE meta SET value = 'other' WHERE key = 'index'")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			t.Cleanup(func() { s.Close() })
			f(t, s)
		})
	}
}

// TestPatientExportOfPacks changes what is in packs and compares patient and
// group exports with what is in compartments at each step.
func TestPatientExportOfPacks(t *testing.T) {
	t.Parallel()
	loadedStores(t, loadCompartments, func(t *testing.T, s *fhirstore.Store) {
		ctx := t.Context()
		patients := fhirstore.Selection{Level: fhirstore.PatientLevel}
		check := func(step string, sel fhirstore.Selection, want string) *fhirstore.Snapshot {
			t.Helper()
			snap := must(s.Export(ctx, all, sel))
			if got := exported(t, s, snap); got != want {
				t.Errorf("%s: the export holds\n got %s\nwant %s", step, got, want)
			}
			return snap
		}
		const observations = "Observation/o1 Observation/o2 Observation/o3 Observation/o4 Observation/o5 Observation/o6 Observation/o7 Observation/o8 Observation/o9 "
		const rest = "Patient/p1 Patient/p2 Practitioner/dr "
		first := check("BD-KO-02 loaded", patients, "Condition/in "+observations+rest+"Provenance/of-o1 Provenance/of-p2")
		ofGroup := fhirstore.Selection{Level: fhirstore.GroupLevel, Group: "g"}
		check("BD-KO-03 a group", ofGroup, "Condition/in Observation/o1 Observation/o3 Observation/o5 Observation/o7 Observation/o9 Patient/p1 Practitioner/dr Provenance/of-o1")
		check("BD-PA-04 nothing since", fhirstore.Selection{Level: fhirstore.PatientLevel, Since: first.At}, "")

		const inGroup = `,"status":"final","subject":{"reference":"Group/g"}}`
		put(t, s, `{"resourceType":"Observation","id":"o1"`+inGroup, `{"resourceType":"Observation","id":"loose"`+inGroup,
			`{"resourceType":"Condition","id":"out","subject":{"reference":"Patient/p2"}}`,
			`{"resourceType":"Condition","id":"loose","subject":{"reference":"Patient/p2"}}`)
		must(s.Delete(ctx, all, "Observation", "o2", fhirstore.Condition{}))
		must(s.Delete(ctx, all, "Observation", "loose", fhirstore.Condition{}))
		changed := strings.NewReplacer("Observation/o1 ", "", "Observation/o2 ", "").Replace(observations)
		check("updates and a deletion", patients, "Condition/in Condition/loose Condition/out "+changed+rest+"Provenance/of-p2")
		since := check("BD-PA-04 since", fhirstore.Selection{Level: fhirstore.PatientLevel, Since: first.At}, "Condition/loose Condition/out")
		if len(since.Deleted) != 1 {
			t.Fatalf("BD-DL-02 %d files of deletions", len(since.Deleted))
		}
		if got := strings.Join(lines(t, s, since.Deleted[0]), " "); !strings.Contains(got, "Observation/o2") || strings.Contains(got, "loose") {
			t.Errorf("BD-DL-05 deleted are %s; want o2, which was in a compartment, alone", got)
		}
		if want := []string{"Condition", "Observation"}; !slices.Equal(since.Types, want) {
			t.Errorf("the increment is of %v; want %v", since.Types, want)
		}

		put(t, s, `{"resourceType":"Observation","id":"o1","status":"final","subject":{"reference":"Patient/p1"}}`,
			`{"resourceType":"Observation","id":"o2","status":"final","subject":{"reference":"Patient/p1"}}`)
		check("put back", patients, "Condition/in Condition/loose Condition/out "+observations+rest+"Provenance/of-o1 Provenance/of-p2")
		check("BD-KO-03 a group that o2 came to", ofGroup, "Condition/in Observation/o1 Observation/o2 Observation/o3 Observation/o5 Observation/o7 Observation/o9 Patient/p1 Practitioner/dr Provenance/of-o1")
		if got := exported(t, s, first); !strings.Contains(got, observations) {
			t.Errorf("BD-DA-04 the first export has changed: %s", got)
		}
	})
}

// TestProvenanceOfPacks has Provenances that are in compartments by what they
// are about alone (BD-PA-19), and changes what that is.
func TestProvenanceOfPacks(t *testing.T) {
	t.Parallel()
	fill := func(t *testing.T, l *fhirstore.Load) error {
		list := []fhirstore.Input{input("Patient", "p1", ""), input("Group", "g", "")}
		for i := range 9 {
			list = append(list,
				input("Provenance", fmt.Sprint("v", i), fmt.Sprintf(`,"target":[{"reference":"Observation/o%d"}]`, i)),
				input("Observation", fmt.Sprint("o", i), `,"status":"final","subject":{"reference":"Patient/p1"}`))
		}
		for _, in := range list {
			if err := l.Add(t.Context(), in); err != nil {
				return err
			}
		}
		return nil
	}
	loadedStores(t, fill, func(t *testing.T, s *fhirstore.Store) {
		ctx := t.Context()
		sel := fhirstore.Selection{Level: fhirstore.PatientLevel, Types: []string{"Provenance"}}
		check := func(step, without string) {
			t.Helper()
			var want []string
			for i := range 9 {
				if id := fmt.Sprint("v", i); !strings.Contains(without, id) {
					want = append(want, "Provenance/"+id)
				}
			}
			if got := exported(t, s, must(s.Export(ctx, all, sel))); got != strings.Join(want, " ") {
				t.Errorf("BD-PA-19 %s: the export holds\n got %s\nwant %v", step, got, want)
			}
		}
		check("loaded", "")
		must(s.Delete(ctx, all, "Observation", "o3", fhirstore.Condition{}))
		check("a target is deleted", "")
		put(t, s, `{"resourceType":"Observation","id":"o4","status":"final","subject":{"reference":"Group/g"}}`)
		check("a target has left the compartment", "v4")
		load := must(s.Load(ctx, all))
		must(0, load.Add(ctx, input("Observation", "o5", `,"status":"final","subject":{"reference":"Group/g"}`)))
		must(0, load.Add(ctx, input("Provenance", "of-g", `,"target":[{"reference":"Group/g"}]`)))
		must(0, load.Commit(ctx))
		check("a load takes a target out", "v4 v5")
		put(t, s, `{"resourceType":"Observation","id":"o4","status":"final","subject":{"reference":"Patient/p1"}}`,
			`{"resourceType":"Provenance","id":"v6","target":[{"reference":"Group/g"}]}`)
		check("a target is back, and a Provenance is about another", "v5 v6")
	})
}
