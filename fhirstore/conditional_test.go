package fhirstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

func criteria(t *testing.T, s *fhirstore.Store, typ, query string) *fhirstore.Query {
	t.Helper()
	params, err := fhirstore.ParseParams(query)
	if err != nil {
		t.Fatal(err)
	}
	q, err := s.Criteria(typ, params, "http://here/fhir")
	if err != nil {
		t.Fatalf("%s?%s: %v", typ, query, err)
	}
	return q
}

// The conditional forms as calls, for the tests here.

func createUnless(ctx context.Context, s *fhirstore.Store, v fhirstore.View, q *fhirstore.Query, body []byte) (*fhirstore.Resource, bool, error) {
	done, err := s.Change(ctx, v, fhirstore.Change{Interaction: fhirstore.Create, Type: q.Type, Criteria: q, Body: body})
	return done.Resource, done.Created(), err
}

func updateWhere(ctx context.Context, s *fhirstore.Store, v fhirstore.View, q *fhirstore.Query, body []byte, cond fhirstore.Condition) (*fhirstore.Resource, bool, error) {
	done, err := s.Change(ctx, v, fhirstore.Change{Interaction: fhirstore.Update, Type: q.Type, Criteria: q, Body: body, Condition: cond})
	return done.Resource, done.Created(), err
}

func patchWhere(ctx context.Context, s *fhirstore.Store, v fhirstore.View, q *fhirstore.Query, cond fhirstore.Condition, apply func([]byte) ([]byte, error)) (*fhirstore.Resource, error) {
	done, err := s.Change(ctx, v, fhirstore.Change{Interaction: fhirstore.Patch, Type: q.Type, Criteria: q, Condition: cond, Patch: apply})
	return done.Resource, err
}

func deleteWhere(ctx context.Context, s *fhirstore.Store, v fhirstore.View, q *fhirstore.Query, cond fhirstore.Condition) (*fhirstore.Resource, error) {
	done, err := s.Change(ctx, v, fhirstore.Change{Interaction: fhirstore.Delete, Type: q.Type, Criteria: q, Condition: cond})
	return done.Resource, err
}

func TestCriteria(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), "", fhirstore.Options{}))
	defer s.Close()
	for query, ok := range map[string]bool{
		"identifier=http://x|1": true, "_id=a": true, "identifier=1&birthdate=ge2020": true, "name:missing=true": true, "general-practitioner=http://here/fhir/Practitioner/1": true,
		"": false, "identifier=": false, "identifier=1&name=": false, "colour=red": false, "identifier=1&colour=red": false, "?identifier=1": false,
		"name:nonsense=x": false, "_count=1": false, "identifier=1&_sort=name": false, "_include=Patient:organization&identifier=1": false, "identifier=1&birthdate=yesterday": false,
		"general-practitioner.name=x": false, "_has:Observation:patient:code=1": false,
	} {
		_, err := s.Criteria("Patient", must(fhirstore.ParseParams(query)), "http://here/fhir")
		var e *fhirstore.QueryError
		if (err == nil) != ok || err != nil && !errors.As(err, &e) {
			t.Errorf("FR-CO-05 FR-CO-06 criteria %q: %v; want them taken: %t", query, err, ok)
		}
	}
}

func TestConditionalCreate(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		ctx := t.Context()
		body := []byte(`{"resourceType":"Patient","id":"mine","identifier":[{"value":"1"}]}`)
		first, created, err := createUnless(ctx, s, all, criteria(t, s, "Patient", "identifier=1"), body)
		if err != nil || !created || first.ID == "mine" {
			t.Fatalf("FR-CO-01 without a match: %v, created %t, error %v; want a new one", first, created, err)
		}
		again, created, err := createUnless(ctx, s, all, criteria(t, s, "Patient", "identifier=1"), body)
		if err != nil || created || again.ID != first.ID || again.Version != 1 || string(again.JSON) != string(first.JSON) {
			t.Errorf("FR-CO-01 with a match: %v, created %t, error %v; want the match", again, created, err)
		}
		must(s.Create(ctx, all, "Patient", body))
		var several *fhirstore.MultipleMatchesError
		if _, _, err := createUnless(ctx, s, all, criteria(t, s, "Patient", "identifier=1"), body); !errors.As(err, &several) {
			t.Errorf("FR-CO-01 with two matches: %v; want that there are several", err)
		}
		if _, _, err := createUnless(ctx, s, all, criteria(t, s, "Patient", "identifier=9"), []byte("{")); err == nil {
			t.Error("FR-CR-04 no JSON was created")
		}
		if n := search(t, s, all, "Patient", "").Total; n != 2 {
			t.Errorf("FR-CO-01 there are %d patients; want 2", n)
		}
		must(s.Delete(ctx, all, "Patient", first.ID, fhirstore.Condition{}))
		if _, created, err := createUnless(ctx, s, all, criteria(t, s, "Patient", "_id="+first.ID), body); err != nil || !created {
			t.Errorf("FR-CO-01 what is deleted matches: created %t, error %v", created, err)
		}
	})
}

func TestConditionalUpdate(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		ctx := t.Context()
		patient := func(id, identifier string) []byte {
			if id != "" {
				id = `"id":"` + id + `",`
			}
			return []byte(`{"resourceType":"Patient",` + id + `"identifier":[{"value":"` + identifier + `"}]}`)
		}
		put(t, s, string(patient("one", "1")), string(patient("two", "2")), string(patient("two-as-well", "2")), string(patient("dead", "3")))
		must(s.Delete(ctx, all, "Patient", "dead", fhirstore.Condition{}))
		for _, c := range []struct {
			name, criteria, id string
			cond               fhirstore.Condition
			want               string // the id that is written, "new" for one of the store's
			created            bool
			err                any
		}{
			{name: "one, no id", criteria: "identifier=1", want: "one"},
			{name: "one, its id", criteria: "identifier=1", id: "one", want: "one"},
			{name: "one, another id", criteria: "identifier=1", id: "other", err: new(*fhirstore.InvalidError)},
			{name: "one, the id of another", criteria: "identifier=1", id: "two", err: new(*fhirstore.InvalidError)},
			{name: "one, its version", criteria: "identifier=1", cond: fhirstore.Condition{IfMatch: "3"}, want: "one"},
			{name: "one, another version", criteria: "identifier=1", cond: fhirstore.Condition{IfMatch: "1"}, err: new(*fhirstore.ConflictError)},
			{name: "one that must not be", criteria: "identifier=1", cond: fhirstore.Condition{IfNoneMatch: true}, err: new(*fhirstore.ConflictError)},
			{name: "several", criteria: "identifier=2", err: new(*fhirstore.MultipleMatchesError)},
			{name: "several, one of their ids", criteria: "identifier=2", id: "two", err: new(*fhirstore.MultipleMatchesError)},
			{name: "none, no id", criteria: "identifier=9", want: "new", created: true},
			{name: "none, new id", criteria: "identifier=9&_id=x", id: "fresh", want: "fresh", created: true},
			{name: "none, the id of another", criteria: "identifier=8", id: "one", err: new(*fhirstore.IDTakenError)},
			{name: "none, the id of what is deleted", criteria: "identifier=3", id: "dead", want: "dead", created: true},
			{name: "none, no id at all", criteria: "identifier=8", id: "a_b", err: new(*fhirstore.InvalidError)},
			{name: "none, a version", criteria: "identifier=8", cond: fhirstore.Condition{IfMatch: "*"}, err: new(*fhirstore.NoMatchError)},
			{name: "none that must not be", criteria: "identifier=8&_id=y", cond: fhirstore.Condition{IfNoneMatch: true}, want: "new", created: true},
		} {
			before := search(t, s, all, "Patient", "").Total
			res, created, err := updateWhere(ctx, s, all, criteria(t, s, "Patient", c.criteria), patient(c.id, "1"), c.cond)
			if c.err != nil {
				if err == nil || !errors.As(err, c.err) {
					t.Errorf("FR-CO-03 %s: %v, error %v; want %T", c.name, res, err, c.err)
				}
				if now := search(t, s, all, "Patient", "").Total; now != before {
					t.Errorf("FR-CO-03 %s: %d patients became %d", c.name, before, now)
				}
				continue
			}
			if err != nil || created != c.created || c.want == "new" && !strings.HasPrefix(res.ID, "new-") || c.want != "new" && res.ID != c.want {
				t.Errorf("FR-CO-03 %s: %v, created %t, error %v; want %s, created %t", c.name, res, created, err, c.want, c.created)
			}
			if c.created { // so that the criteria stay what they are
				must(s.Delete(ctx, all, "Patient", res.ID, fhirstore.Condition{}))
			}
		}
	})
}

func TestConditionalPatchAndDelete(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		ctx := t.Context()
		put(t, s, `{"resourceType":"Patient","id":"a","gender":"male","identifier":[{"value":"1"}]}`, `{"resourceType":"Patient","id":"b","identifier":[{"value":"2"}]}`, `{"resourceType":"Patient","id":"c","identifier":[{"value":"2"}]}`)
		var (
			several  *fhirstore.MultipleMatchesError
			none     *fhirstore.NoMatchError
			conflict *fhirstore.ConflictError
		)
		never := func([]byte) ([]byte, error) { t.Error("the patch was applied"); return nil, nil }
		if res := must(patchWhere(ctx, s, all, criteria(t, s, "Patient", "identifier=1"), fhirstore.Condition{IfMatch: "1"}, exchange(`"male"`, `"other"`))); res.ID != "a" || res.Version != 2 || !strings.Contains(string(res.JSON), "other") {
			t.Errorf("FR-PA-05 of one: got %s", res.JSON)
		}
		if _, err := patchWhere(ctx, s, all, criteria(t, s, "Patient", "identifier=2"), fhirstore.Condition{}, never); !errors.As(err, &several) {
			t.Errorf("FR-PA-05 of two: %v; want that there are several", err)
		}
		if _, err := patchWhere(ctx, s, all, criteria(t, s, "Patient", "identifier=3"), fhirstore.Condition{IfMatch: "1"}, never); !errors.As(err, &none) {
			t.Errorf("FR-PA-05 of none: %v; want that there is none", err)
		}
		if _, err := patchWhere(ctx, s, all, criteria(t, s, "Patient", "identifier=1"), fhirstore.Condition{IfMatch: "1"}, never); !errors.As(err, &conflict) {
			t.Errorf("FR-PA-05 of another version: %v; want a conflict", err)
		}

		if _, err := deleteWhere(ctx, s, all, criteria(t, s, "Patient", "identifier=2"), fhirstore.Condition{}); !errors.As(err, &several) {
			t.Errorf("FR-CO-04 of two: %v; want that there are several", err)
		}
		if res, err := deleteWhere(ctx, s, all, criteria(t, s, "Patient", "identifier=3"), fhirstore.Condition{}); res != nil || err != nil {
			t.Errorf("FR-CO-04 of none: %v, %v; want nothing", res, err)
		}
		if _, err := deleteWhere(ctx, s, all, criteria(t, s, "Patient", "identifier=3"), fhirstore.Condition{IfMatch: "1"}); !errors.As(err, &none) || none.Want == "" {
			t.Errorf("FR-CO-04 of none with If-Match: %v; want that there is none", err)
		}
		if _, err := deleteWhere(ctx, s, all, criteria(t, s, "Patient", "identifier=1"), fhirstore.Condition{IfMatch: "1"}); !errors.As(err, &conflict) {
			t.Errorf("FR-CO-04 of another version: %v; want a conflict", err)
		}
		if res := must(deleteWhere(ctx, s, all, criteria(t, s, "Patient", "identifier=1"), fhirstore.Condition{IfMatch: "2"})); res == nil || res.ID != "a" || res.Version != 3 {
			t.Errorf("FR-CO-04 of one: got %v", res)
		}
		if got := ids(search(t, s, all, "Patient", "")); got != "b c" {
			t.Errorf("FR-CO-04 there are %q; want b and c", got)
		}
	})
}

// TestConditionalWritesUnderAView: nothing matches that the view may not search
// for, and nothing is written that it may not write.
func TestConditionalWritesUnderAView(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		ctx := t.Context()
		put(t, s, `{"resourceType":"Patient","id":"m","gender":"male","identifier":[{"value":"1"}]}`, `{"resourceType":"Patient","id":"f","gender":"female","identifier":[{"value":"1"}]}`)
		one := criteria(t, s, "Patient", "identifier=1")
		none := criteria(t, s, "Patient", "identifier=9")
		man, woman := []byte(`{"resourceType":"Patient","gender":"male"}`), []byte(`{"resourceType":"Patient","gender":"female"}`)
		const c, u, d, seek = fhirstore.LetterCreate, fhirstore.LetterUpdate, fhirstore.LetterDelete, fhirstore.LetterSearch
		calls := map[string]struct {
			letters fhirstore.Letters
			do      func(v fhirstore.View) error
		}{
			"FR-SC-10 create": {c | seek, func(v fhirstore.View) error { _, _, err := createUnless(ctx, s, v, none, man); return err }},
			"FR-SC-12 update": {u | seek, func(v fhirstore.View) error {
				_, _, err := updateWhere(ctx, s, v, criteria(t, s, "Patient", "_id=m"), []byte(`{"resourceType":"Patient","gender":"male","identifier":[{"value":"1"}]}`), fhirstore.Condition{})
				return err
			}},
			"FR-SC-12 update that creates": {c | u | seek, func(v fhirstore.View) error {
				_, _, err := updateWhere(ctx, s, v, none, man, fhirstore.Condition{})
				return err
			}},
			"FR-SC-14 patch": {u | seek, func(v fhirstore.View) error {
				_, err := patchWhere(ctx, s, v, criteria(t, s, "Patient", "_id=m"), fhirstore.Condition{}, exchange())
				return err
			}},
			"FR-SC-16 delete": {d | seek, func(v fhirstore.View) error {
				_, err := deleteWhere(ctx, s, v, none, fhirstore.Condition{})
				return err
			}},
		}
		for name, call := range calls {
			if err := call.do(view("Patient", call.letters, "")); err != nil {
				t.Errorf("%s with its letters: %v", name, err)
			}
			for _, letter := range []fhirstore.Letters{c, u, d, seek} {
				if call.letters&letter != 0 {
					wantForbidden(t, name+" without "+letter.String(), call.do(view("Patient", fhirstore.AllLetters&^letter, "")), fhirstore.NoLetter)
				}
			}
		}

		men := view("Patient", fhirstore.AllLetters, "gender=male")
		if res, created, err := createUnless(ctx, s, men, one, man); err != nil || created || res.ID != "m" {
			t.Errorf("FR-SC-33 the woman matches: %v, created %t, error %v", res, created, err)
		}
		if res, err := patchWhere(ctx, s, men, one, fhirstore.Condition{}, exchange()); err != nil || res.ID != "m" {
			t.Errorf("FR-SC-33 the woman matches: %v, error %v", res, err)
		}
		_, _, err := updateWhere(ctx, s, men, one, woman, fhirstore.Condition{})
		wantForbidden(t, "FR-SC-33 update that leads out", err, fhirstore.OutsideQuery)
		if res, err := deleteWhere(ctx, s, men, criteria(t, s, "Patient", "_id=f"), fhirstore.Condition{}); res != nil || err != nil {
			t.Errorf("FR-SC-33 the woman was deleted: %v, %v", res, err)
		}
		creator := fhirstore.View{Permissions: append(view("Patient", u|seek, "").Permissions, view("Patient", c, "gender=male").Permissions...)}
		_, _, err = updateWhere(ctx, s, creator, none, woman, fhirstore.Condition{})
		wantForbidden(t, "FR-SC-33 update that creates outside of c", err, fhirstore.OutsideQuery)
		seeker := fhirstore.View{Permissions: append(view("Patient", seek, "").Permissions, view("Patient", u|d, "gender=male").Permissions...)}
		_, err = deleteWhere(ctx, s, seeker, criteria(t, s, "Patient", "_id=f"), fhirstore.Condition{})
		wantForbidden(t, "FR-SC-33 delete of what only s shows", err, fhirstore.OutsideQuery)
		if must(s.Read(ctx, all, "Patient", "f")).Version != 1 || ids(search(t, s, all, "Patient", "identifier=9")) != "" {
			t.Error("FR-SC-33 a refused write was kept")
		}
		put(t, s, `{"resourceType":"Organization","id":"o1"}`)
		mine := fhirstore.View{Permissions: all.Permissions, Organizations: []string{"o1"}, Owner: "o1"}
		own := must(s.Create(ctx, fhirstore.View{Permissions: all.Permissions, Owner: "o2"}, "Patient", []byte(`{"resourceType":"Patient","identifier":[{"value":"7"}]}`)))
		res, created, err := createUnless(ctx, s, mine, criteria(t, s, "Patient", "identifier=7"), man)
		if err != nil || !created || res.ID == own.ID || res.Organization != "o1" {
			t.Errorf("SB-RS-05 another organization's resource matches: %v, created %t, error %v", res, created, err)
		}
	})
}

// TestConcurrentConditionalWrites: search and write are one (FR-CO-07).
func TestConcurrentConditionalWrites(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), t.TempDir(), fhirstore.Options{}))
	defer s.Close()
	body := []byte(`{"resourceType":"Patient","identifier":[{"value":"1"}]}`)
	create, update := criteria(t, s, "Patient", "identifier=1"), criteria(t, s, "Group", "identifier=1")
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, _, err := createUnless(context.Background(), s, all, create, body); err != nil {
				t.Error(err)
			}
			if _, _, err := updateWhere(context.Background(), s, all, update, []byte(`{"resourceType":"Group","identifier":[{"value":"1"}]}`), fhirstore.Condition{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := search(t, s, all, "Patient", "").Total; n != 1 {
		t.Errorf("FR-CO-07 50 conditional creates made %d patients; want 1", n)
	}
	groups := search(t, s, all, "Group", "")
	if groups.Total != 1 || groups.Matches[0].Version != 50 {
		t.Errorf("FR-CO-07 50 conditional updates made %d groups; want one with 50 versions", groups.Total)
	}
}
