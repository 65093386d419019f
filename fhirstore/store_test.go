package fhirstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

var all = fhirstore.Everything()

// transports are the places a store can be in.
func stores(t *testing.T, f func(t *testing.T, s *fhirstore.Store, c *clock.Adjustable)) {
	t.Helper()
	ctx := t.Context()
	open := map[string]func(t *testing.T, o fhirstore.Options) *fhirstore.Store{
		"memory": func(t *testing.T, o fhirstore.Options) *fhirstore.Store { return must(fhirstore.Open(ctx, "", o)) },
		"file": func(t *testing.T, o fhirstore.Options) *fhirstore.Store {
			return must(fhirstore.Open(ctx, t.TempDir(), o))
		},
		"base": func(t *testing.T, o fhirstore.Options) *fhirstore.Store {
			dir := t.TempDir()
			if err := fhirstore.BuildBase(ctx, dir, func(*fhirstore.Load) error { return nil }); err != nil {
				t.Fatal(err)
			}
			base := must(fhirstore.OpenBase(ctx, dir))
			t.Cleanup(func() { base.Close() })
			return fhirstore.Over(base, func() (string, error) { return t.TempDir(), nil }, o)
		},
	}
	for name, open := range open {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := clock.NewAdjustable(nil)
			c.Freeze()
			c.Set(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
			n := 0
			s := open(t, fhirstore.Options{Clock: c, NewID: func() string { n++; return fmt.Sprintf("new-%d", n) }})
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			f(t, s, c)
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestCreateKeepsBytes(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		body := "{\n \"resourceType\" : \"Observation\",\"id\":\"mine\",\n \"meta\":{\"profile\":[\"http://x\"],\"lastUpdated\":\"1999-01-01T00:00:00Z\"}," +
			"\"status\":\"final\",\"_effectiveDateTime\":{\"extension\":[{\"url\":\"http://e\",\"valueCode\":\"unknown\"}]}, \"valueQuantity\":{\"value\":1.00,\"unit\":\"<mg> &\"},\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\"}],\"unknownThing\":1e3}"
		want := `{"resourceType":"Observation","id":"new-1","meta":{"versionId":"1","lastUpdated":"2026-03-01T08:00:00.000Z","profile":["http://x"]},` +
			`"status":"final","_effectiveDateTime":{"extension":[{"url":"http://e","valueCode":"unknown"}]},"valueQuantity":{"value":1.00,"unit":"<mg> &"},"contained":[{"resourceType":"Patient","id":"p"}],"unknownThing":1e3}`
		res, err := s.Create(t.Context(), all, "Observation", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(res.JSON); got != want {
			t.Errorf("created\n got %s\nwant %s", got, want)
		}
		read := must(s.Read(t.Context(), all, "Observation", "new-1"))
		if got := string(read.JSON); got != want {
			t.Errorf("read\n got %s\nwant %s", got, want)
		}
	})
}

func TestLifeOfAResource(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, c *clock.Adjustable) {
		ctx := t.Context()
		patient := func(name string) []byte {
			return []byte(`{"resourceType":"Patient","id":"p1","name":[{"family":"` + name + `"}]}`)
		}
		if _, created, err := s.Update(ctx, all, "Patient", "p1", patient("One"), fhirstore.Condition{}); err != nil || !created {
			t.Fatalf("FR-UP-02 first update: created %v, error %v; want created", created, err)
		}
		two, created, err := s.Update(ctx, all, "Patient", "p1", patient("Two"), fhirstore.Condition{IfMatch: "1"})
		if err != nil || created || two.Version != 2 {
			t.Fatalf("FR-UP-02 second update: version %v, created %v, error %v", two, created, err)
		}
		if !two.At.Equal(time.Date(2026, 3, 1, 8, 0, 0, int(time.Millisecond), time.UTC)) {
			t.Errorf("FR-GE-11 the second write at a frozen clock is at %v; want a millisecond later than the first", two.At)
		}
		var conflict *fhirstore.ConflictError
		if _, _, err := s.Update(ctx, all, "Patient", "p1", patient("X"), fhirstore.Condition{IfMatch: "1"}); !errors.As(err, &conflict) || conflict.Current != 2 {
			t.Errorf("FR-UP-05 stale If-Match: %v; want a conflict with version 2", err)
		}
		if _, _, err := s.Update(ctx, all, "Patient", "p1", patient("X"), fhirstore.Condition{IfNoneMatch: true}); !errors.As(err, &conflict) {
			t.Errorf("FR-UP-06 If-None-Match: * on an existing resource: %v; want a conflict", err)
		}
		if _, err := s.Delete(ctx, all, "Patient", "p1", fhirstore.Condition{}); err != nil {
			t.Fatal(err)
		}
		if res, err := s.Delete(ctx, all, "Patient", "p1", fhirstore.Condition{}); res != nil || err != nil {
			t.Errorf("FR-DE-01 second delete: %v, %v; want nothing", res, err)
		}
		var gone *fhirstore.GoneError
		if _, err := s.Read(ctx, all, "Patient", "p1"); !errors.As(err, &gone) || gone.Version != 3 {
			t.Errorf("FR-RD-02 read of a deleted resource: %v; want gone at version 3", err)
		}
		if page := search(t, s, all, "Patient", "name=two"); len(page.Matches) != 0 {
			t.Errorf("FR-DE-02 a search finds the deleted resource")
		}
		old := must(s.ReadVersion(ctx, all, "Patient", "p1", "1"))
		if !bytes.Contains(old.JSON, []byte("One")) {
			t.Errorf("FR-VR-01 version 1 is %s", old.JSON)
		}
		if _, err := s.ReadVersion(ctx, all, "Patient", "p1", "3"); !errors.As(err, &gone) {
			t.Errorf("FR-VR-02 vread of the deletion: %v; want gone", err)
		}
		var missing *fhirstore.NotFoundError
		for _, version := range []string{"4", "0", "01", "x", ""} {
			if _, err := s.ReadVersion(ctx, all, "Patient", "p1", version); !errors.As(err, &missing) {
				t.Errorf("FR-VR-02 vread of version %q: %v; want not found", version, err)
			}
		}
		versions, total, err := s.History(ctx, all, "Patient", "p1", fhirstore.HistoryQuery{})
		if err != nil || total != 3 {
			t.Fatalf("history: %d versions, error %v", total, err)
		}
		if page, total, err := s.History(ctx, all, "Patient", "p1", fhirstore.HistoryQuery{Count: 1, Before: 3}); err != nil || total != 3 || len(page) != 1 || page[0].Version != 2 {
			t.Errorf("FR-HI-04 the second page of one: %v of %d, error %v", page, total, err)
		}
		if late, total, err := s.History(ctx, all, "Patient", "p1", fhirstore.HistoryQuery{Since: two.At}); err != nil || total != 2 || late[1].Version != 2 {
			t.Errorf("FR-HI-03 since the second version: %v of %d, error %v", late, total, err)
		}
		var ops string
		for _, v := range versions {
			ops += string(v.Op)
		}
		if ops != "DUC" {
			t.Errorf("FR-HI-01 history is %q; want DUC, newest first", ops)
		}
		c.Advance(time.Hour)
		if _, created, err := s.Update(ctx, all, "Patient", "p1", patient("Three"), fhirstore.Condition{}); err != nil || !created {
			t.Errorf("FR-UP-02 revival: created %v, error %v", created, err)
		}
		if page := search(t, s, all, "Patient", "name=three"); len(page.Matches) != 1 {
			t.Errorf("the revived resource is not found")
		}
	})
}

func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, s *fhirstore.Store, _ *clock.Adjustable) {
		for name, body := range map[string]string{
			"FR-CR-04 no JSON":          `{"resourceType":"Patient",`,
			"FR-CR-05 duplicate member": `{"resourceType":"Patient","active":true,"active":false}`,
			"FR-CR-03 another type":     `{"resourceType":"Group"}`,
			"no resourceType":           `{"id":"x"}`,
			"an array":                  `[]`,
			"meta is no object":         `{"resourceType":"Patient","meta":[]}`,
			"empty":                     ``,
		} {
			if _, err := s.Create(t.Context(), all, "Patient", []byte(body)); err == nil {
				t.Errorf("%s: created", name)
			}
		}
		for name, body := range map[string]string{
			"FR-UP-01 other id": `{"resourceType":"Patient","id":"b"}`,
			"FR-UP-01 no id":    `{"resourceType":"Patient"}`,
		} {
			if _, _, err := s.Update(t.Context(), all, "Patient", "a", []byte(body), fhirstore.Condition{}); err == nil {
				t.Errorf("%s: updated", name)
			}
		}
		if page := search(t, s, all, "Patient", ""); page.Total != 0 {
			t.Errorf("%d refused bodies were kept", page.Total)
		}
	})
}

func search(t *testing.T, s *fhirstore.Store, v fhirstore.View, typ, query string) *fhirstore.Page {
	t.Helper()
	params, err := fhirstore.ParseParams(query)
	if err != nil {
		t.Fatalf("%s?%s: %v", typ, query, err)
	}
	q, err := s.Query(typ, params, fhirstore.QueryOptions{Strict: true, Base: "http://here/fhir"})
	if err != nil {
		t.Fatalf("%s?%s: %v", typ, query, err)
	}
	page, err := s.Search(t.Context(), v, q)
	if err != nil {
		t.Fatalf("%s?%s: %v", typ, query, err)
	}
	return page
}

func ids(page *fhirstore.Page) string {
	var list []string
	for _, r := range page.Matches {
		list = append(list, r.ID)
	}
	return strings.Join(list, " ")
}

// put stores resources given as JSON; their ids are their own.
func put(t *testing.T, s *fhirstore.Store, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		typ, _, _ := strings.Cut(body[len(`{"resourceType":"`):], `"`)
		_, rest, _ := strings.Cut(body, `"id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		if _, _, err := s.Update(t.Context(), all, typ, id, []byte(body), fhirstore.Condition{}); err != nil {
			t.Fatalf("put %s: %v", body, err)
		}
	}
}

func TestConcurrentUpdatesLeaveNoHole(t *testing.T) {
	t.Parallel()
	s := must(fhirstore.Open(t.Context(), t.TempDir(), fhirstore.Options{}))
	defer s.Close()
	const writers, each = 8, 20
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range each {
				if _, _, err := s.Update(context.Background(), all, "Patient", "p", []byte(`{"resourceType":"Patient","id":"p"}`), fhirstore.Condition{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	versions, _, err := s.History(t.Context(), all, "Patient", "p", fhirstore.HistoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range versions {
		if want := int64(len(versions) - i); v.Version != want {
			t.Fatalf("entry %d of the history is version %d; want %d", i, v.Version, want)
		}
		if i > 0 && !v.At.Before(versions[i-1].At) {
			t.Fatalf("version %d is not before version %d", v.Version, versions[i-1].Version)
		}
	}
	if len(versions) != writers*each {
		t.Errorf("%d versions; want %d", len(versions), writers*each)
	}
}
