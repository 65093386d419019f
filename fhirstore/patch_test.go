package fhirstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// exchange returns a patch that replaces texts of the JSON by others.
func exchange(pairs ...string) func([]byte) ([]byte, error) {
	return func(json []byte) ([]byte, error) {
		return []byte(strings.NewReplacer(pairs...).Replace(string(json))), nil
	}
}

func TestPatch(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		ctx := t.Context()
		put(t, s, `{"resourceType":"Patient","id":"p","name":[{"family":"Old"}],"multipleBirthInteger":1}`, `{"resourceType":"Patient","id":"gone"}`)
		must(s.Delete(ctx, all, "Patient", "gone", fhirstore.Condition{}))
		res := must(s.Patch(ctx, all, "Patient", "p", fhirstore.Condition{IfMatch: "1"}, exchange("Old", "New", `,"multi`, ` , "multi`)))
		want := `{"resourceType":"Patient","id":"p","meta":{"versionId":"2","lastUpdated":"` + fhirstore.FormatInstant(res.At) + `"},"name":[{"family":"New"}],"multipleBirthInteger":1}`
		if string(res.JSON) != want || res.Version != 2 || res.Op != fhirstore.OpUpdate {
			t.Errorf("FR-PA-02 got version %d, %c, %s; want %s", res.Version, res.Op, res.JSON, want)
		}
		if page := search(t, s, all, "Patient", "name=new"); ids(page) != "p" {
			t.Errorf("FR-PA-02 a search finds %q by the new name", ids(page))
		}
		if page := search(t, s, all, "Patient", "name=old"); ids(page) != "" {
			t.Errorf("FR-PA-02 a search finds %q by the old name", ids(page))
		}
		if res := must(s.Patch(ctx, all, "Patient", "p", fhirstore.Condition{}, exchange())); res.Version != 3 {
			t.Errorf("FR-UP-04 a patch without change made version %d; want 3", res.Version)
		}

		never := func([]byte) ([]byte, error) { t.Error("the patch was applied"); return nil, nil }
		var missing *fhirstore.NotFoundError
		if _, err := s.Patch(ctx, all, "Patient", "none", fhirstore.Condition{IfMatch: "*"}, never); !errors.As(err, &missing) {
			t.Errorf("FR-PA-03 of nothing: %v; want not found, whatever If-Match says", err)
		}
		var gone *fhirstore.GoneError
		if _, err := s.Patch(ctx, all, "Patient", "gone", fhirstore.Condition{IfMatch: "2"}, never); !errors.As(err, &gone) {
			t.Errorf("FR-PA-03 of what is deleted: %v; want gone", err)
		}
		var conflict *fhirstore.ConflictError
		for _, cond := range []fhirstore.Condition{{IfMatch: "2"}, {IfNoneMatch: true}} {
			if _, err := s.Patch(ctx, all, "Patient", "p", cond, never); !errors.As(err, &conflict) || conflict.Current != 3 {
				t.Errorf("FR-PA-02 with %+v: %v; want a conflict with version 3", cond, err)
			}
		}
		refused := errors.New("refused")
		if _, err := s.Patch(ctx, all, "Patient", "p", fhirstore.Condition{}, func([]byte) ([]byte, error) { return nil, refused }); !errors.Is(err, refused) {
			t.Errorf("a patch that is refused: %v", err)
		}
		var invalid *fhirstore.InvalidError
		if _, err := s.Patch(ctx, all, "Patient", "p", fhirstore.Condition{}, func([]byte) ([]byte, error) { return []byte("{"), nil }); !errors.As(err, &invalid) {
			t.Errorf("FR-PA-03 that leaves no JSON: %v; want invalid", err)
		}
		if res := must(s.Read(ctx, all, "Patient", "p")); res.Version != 3 {
			t.Errorf("FR-PA-07 refused patches left version %d; want 3", res.Version)
		}
	})
}

func TestPatchOfWhatTheStoreSets(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		put(t, s, `{"resourceType":"Patient","id":"p","meta":{"tag":[{"code":"a"}]}}`)
		for name, c := range map[string]struct {
			element string
			apply   func([]byte) ([]byte, error)
		}{
			"the type":                {"resourceType", exchange(`"Patient"`, `"Group"`)},
			"the type to nothing":     {"resourceType", exchange(`"resourceType":"Patient",`, ``)},
			"the whole":               {"resourceType", func([]byte) ([]byte, error) { return []byte(`[]`), nil }},
			"the id":                  {"Patient.id", exchange(`"p"`, `"q"`)},
			"the id to nothing":       {"Patient.id", exchange(`"id":"p",`, ``)},
			"the id to a number":      {"Patient.id", exchange(`"p"`, `7`)},
			"the version":             {"Patient.meta.versionId", exchange(`"1"`, `"2"`)},
			"the version to a number": {"Patient.meta.versionId", exchange(`"1"`, `1`)},
			"the instant":             {"Patient.meta.lastUpdated", exchange(`2026`, `2027`)},
			"meta to a text":          {"Patient.meta.versionId", func([]byte) ([]byte, error) { return []byte(`{"resourceType":"Patient","id":"p","meta":"x"}`), nil }},
			"meta to nothing":         {"Patient.meta.versionId", func([]byte) ([]byte, error) { return []byte(`{"resourceType":"Patient","id":"p"}`), nil }},
		} {
			var immutable *fhirstore.ImmutableError
			if _, err := s.Patch(t.Context(), all, "Patient", "p", fhirstore.Condition{}, c.apply); !errors.As(err, &immutable) || immutable.Element != c.element {
				t.Errorf("FR-PA-04 %s: %v; want that %s cannot be changed", name, err, c.element)
			}
		}
		if res := must(s.Patch(t.Context(), all, "Patient", "p", fhirstore.Condition{}, exchange(`"a"`, `"b"`))); res.Version != 2 || !strings.Contains(string(res.JSON), `"tag":[{"code":"b"}]`) {
			t.Errorf("FR-PA-04 a patch of the rest of meta left %s", res.JSON)
		}
	})
}

func TestPatchUnderAConstraint(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		ctx := t.Context()
		put(t, s, `{"resourceType":"Patient","id":"in","gender":"male"}`, `{"resourceType":"Patient","id":"out","gender":"female"}`, `{"resourceType":"Patient","id":"gone","gender":"female"}`)
		must(s.Delete(ctx, all, "Patient", "gone", fhirstore.Condition{}))
		men := view("Patient", fhirstore.LetterUpdate, "gender=male")
		must(s.Patch(ctx, men, "Patient", "in", fhirstore.Condition{}, exchange(`"male"}`, `"male","active":true}`)))
		_, err := s.Patch(ctx, men, "Patient", "in", fhirstore.Condition{}, exchange(`"male"`, `"female"`))
		wantForbidden(t, "FR-SC-33 outside after", err, fhirstore.OutsideQuery)
		never := func([]byte) ([]byte, error) { t.Error("the patch was applied"); return nil, nil }
		for _, id := range []string{"out", "gone"} {
			_, err = s.Patch(ctx, men, "Patient", id, fhirstore.Condition{IfMatch: "7"}, never)
			wantForbidden(t, "FR-SC-33 outside before, "+id, err, fhirstore.OutsideQuery)
		}
		_, err = s.Patch(ctx, view("Patient", fhirstore.AllLetters&^fhirstore.LetterUpdate, ""), "Patient", "in", fhirstore.Condition{}, never)
		wantForbidden(t, "FR-SC-13 without u", err, fhirstore.NoLetter)

		put(t, s, `{"resourceType":"Organization","id":"o1"}`, `{"resourceType":"Organization","id":"o2"}`)
		mine, other := fhirstore.Everything(), fhirstore.Everything()
		mine.Owner, mine.Organizations = "o1", []string{"o1"}
		other.Owner, other.Organizations = "o2", []string{"o2"}
		own := must(s.Create(ctx, mine, "Patient", []byte(`{"resourceType":"Patient"}`)))
		_, err = s.Patch(ctx, other, "Patient", own.ID, fhirstore.Condition{}, never)
		wantForbidden(t, "SB-RS-05 of another organization", err, fhirstore.OtherOrganization)
		if res := must(s.Patch(ctx, all, "Patient", own.ID, fhirstore.Condition{}, exchange())); res.Organization != "o1" {
			t.Errorf("a patch by the server moved the resource to organization %q", res.Organization)
		}
		for name, c := range map[string]struct {
			view fhirstore.View
			want bool
		}{
			"r":                            {view("Patient", fhirstore.LetterRead, ""), true},
			"r under a constraint":         {view("Patient", fhirstore.LetterRead, "active=true"), true},
			"r under another constraint":   {view("Patient", fhirstore.LetterRead, "gender=female"), false},
			"no r":                         {view("Patient", fhirstore.LetterUpdate, ""), false},
			"r for another organization's": {fhirstore.View{Permissions: all.Permissions, Organizations: []string{"o2"}}, true},
		} {
			if got := must(s.May(ctx, c.view, fhirstore.LetterRead, must(s.Read(ctx, all, "Patient", "in")))); got != c.want {
				t.Errorf("FR-SC-30 MayRead with %s = %t, want %t", name, got, c.want)
			}
		}
		if must(s.May(ctx, other, fhirstore.LetterRead, must(s.Read(ctx, all, "Patient", own.ID)))) {
			t.Error("FR-SC-30 MayRead shows a resource of another organization")
		}
	})
}

// TestConcurrentPatches: of 50 patches of one version one wins, and no version
// is left out.
func TestConcurrentPatches(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), t.TempDir(), fhirstore.Options{}))
	defer s.Close()
	put(t, s, `{"resourceType":"Patient","id":"p","multipleBirthInteger":0}`)
	const writers, rounds = 50, 5
	for round := range rounds {
		var won, lost atomic.Int64
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				_, err := s.Patch(context.Background(), all, "Patient", "p", fhirstore.Condition{IfMatch: fmt.Sprint(round + 1)},
					exchange(fmt.Sprintf(`Integer":%d`, round), fmt.Sprintf(`Integer":%d`, round+1)))
				var conflict *fhirstore.ConflictError
				switch {
				case err == nil:
					won.Add(1)
				case errors.As(err, &conflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != writers-1 {
			t.Fatalf("FR-UP-05 round %d: %d won and %d lost; want 1 and %d", round, won.Load(), lost.Load(), writers-1)
		}
	}
	if res := must(s.Read(t.Context(), all, "Patient", "p")); res.Version != rounds+1 || !strings.Contains(string(res.JSON), fmt.Sprintf(`"multipleBirthInteger":%d`, rounds)) {
		t.Errorf("got %s, want %d patches", res.JSON, rounds)
	}
}
