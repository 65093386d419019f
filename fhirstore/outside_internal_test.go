package fhirstore

import (
	"fmt"
	"strings"
	"testing"
)

// TestPatientExportTakesPacksWhole counts the rows that the kick-off of a
// patient export looks for in packs where everything is in a compartment: none,
// until one is no longer.
func TestPatientExportTakesPacksWhole(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	fill := func(l *Load) error {
		for i, body := range []string{
			`{"resourceType":"Provenance","id":"r%d","target":[{"reference":"Observation/r3"}]}`, `{"resourceType":"Patient","id":"r%d"}`, `{"resourceType":"Group","id":"r%d"}`,
			`{"resourceType":"Observation","id":"r%d","subject":{"reference":"Patient/r1"}}`, `{"resourceType":"Practitioner","id":"r%d"}`,
		} {
			in := Input{Type: strings.Split(body, `"`)[3], ID: fmt.Sprint("r", i), JSON: fmt.Appendf(nil, body, i)}
			if err := l.Add(ctx, in); err != nil {
				return err
			}
		}
		return nil
	}
	for name, open := range map[string]func(t *testing.T) (*Store, error){
		"load": func(t *testing.T) (*Store, error) {
			s, err := Open(ctx, t.TempDir(), Options{})
			if err != nil {
				return nil, err
			}
			l, err := s.Load(ctx, Everything())
			if err != nil {
				return nil, err
			}
			if err := fill(l); err != nil {
				return nil, err
			}
			return s, l.Commit(ctx)
		},
		"base": func(t *testing.T) (*Store, error) {
			dir := t.TempDir()
			if err := BuildBase(ctx, dir, fill); err != nil {
				return nil, err
			}
			return Open(ctx, dir, Options{})
		},
		"indexed anew": func(t *testing.T) (*Store, error) {
			dir := t.TempDir()
			if err := BuildBase(ctx, dir, fill); err != nil {
				return nil, err
			}
			s, err := Open(ctx, dir, Options{})
			if err != nil {
				return nil, err
			}
			d := s.cur.Load()
			for _, statement := range []string{"UPDATE pack SET outside = 7", "UPDATE meta SET value = 'other' WHERE key = 'index'"} {
				if _, err := d.db.Write().ExecContext(ctx, statement); err != nil {
					return nil, err
				}
			}
			if err := s.Close(); err != nil {
				return nil, err
			}
			return Open(ctx, dir, Options{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			looked := func() (types []string) {
				queries, snap := exportRecorded(t, s, Everything(), Selection{Level: PatientLevel})
				if len(snap.Output) != 4 {
					t.Errorf("the export has %+v", snap.Output)
				}
				for _, q := range queries {
					if strings.Contains(q.text, "r.pack = ?") && q.args[1] != int64(0) {
						types = append(types, fmt.Sprint(q.args[0]))
					}
				}
				return types
			}
			if got := looked(); len(got) != 0 {
				t.Errorf("the rows of %v are looked for; all are in compartments, or need not be", got)
			}
			l, err := s.Load(ctx, Everything())
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Add(ctx, Input{Type: "Observation", ID: "other", JSON: []byte(`{"resourceType":"Observation","id":"other"}`)}); err != nil {
				t.Fatal(err)
			}
			if err := l.Commit(ctx); err != nil {
				t.Fatal(err)
			}
			if got := looked(); fmt.Sprint(got) != "[Observation]" {
				t.Errorf("the rows of %v are looked for; want those of the pack of Observations where one is outside", got)
			}
		})
	}
}
