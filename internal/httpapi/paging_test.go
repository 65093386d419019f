package httpapi_test

import (
	"net/url"
	"slices"
	"testing"
)

// TestSelfLinkOfLaterPages proves that a page's self link leads to that page
// (FHIR R4, search, self link).
func TestSelfLinkOfLaterPages(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, page := range w.all.pages(t, "/Patient?_count=2") {
		again := w.all.get(t, page.link("self")).bundle(t)
		got, want := again.ids("match"), page.ids("match")
		if len(want) == 0 || len(got) != len(want) || got[0] != want[0] {
			t.Errorf("%s leads to %v, want %v", page.link("self"), got, want)
		}
	}
}

// TestPagesBackwards is about the links previous, first and last (FR-RC-05).
func TestPagesBackwards(t *testing.T) {
	t.Parallel()
	w := start(t)
	people(t, w.all, 5, "Backwards")
	for _, query := range []string{"family=backwards&_count=2", "family=backwards&_count=2&_sort=-birthdate"} {
		forward := w.all.pages(t, "/Patient?"+query)
		if len(forward) != 3 {
			t.Fatalf("FR-RC-05: %s has %d pages, want 3", query, len(forward))
		}
		for i, page := range forward {
			want := []string{"self", "next", "last"}
			switch i {
			case 1:
				want = []string{"self", "first", "previous", "next", "last"}
			case 2:
				want = []string{"self", "first", "previous"}
			}
			if got := page.relations(); !slices.Equal(got, want) {
				t.Errorf("FR-RC-05: page %d of %s has the links %v, want %v", i+1, query, got, want)
			}
			if i == 0 {
				continue
			}
			back := w.all.get(t, page.link("previous")).bundle(t)
			if got, want := back.ids("match"), forward[i-1].ids("match"); !slices.Equal(got, want) {
				t.Errorf("FR-RC-05: before page %d of %s is %v, want %v", i+1, query, got, want)
			}
			if got, want := w.all.get(t, page.link("first")).bundle(t).ids("match"), forward[0].ids("match"); !slices.Equal(got, want) {
				t.Errorf("FR-RC-05: the first page of %s is %v, want %v", query, got, want)
			}
		}
		all := slices.Concat(forward[0].ids("match"), forward[1].ids("match"), forward[2].ids("match"))
		if got := w.all.get(t, forward[0].link("last")).bundle(t).ids("match"); !slices.Equal(got, all[3:]) {
			t.Errorf("FR-RC-05: the last page of %s is %v, want %v", query, got, all[3:])
		}
	}
}

// TestHistoryPages is about _since and the links between pages of a history.
func TestHistoryPages(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	var since string
	for n := range 4 {
		a := p.put(t, "/Patient/x", patient("x"))
		if n == 2 {
			since = a.resource(t).Meta.LastUpdated
		}
		w.Clock().Advance(1e9)
	}
	pages := p.pages(t, "/Patient/x/_history?_count=1&_since="+url.QueryEscape(since))
	if len(pages) != 2 {
		t.Errorf("got %d pages of one version each, want 2", len(pages))
	}
	if pages := p.pages(t, "/Patient/x/_history?_count=2"); len(pages) != 2 {
		t.Errorf("got %d pages of two versions each, want 2", len(pages))
	}
	for since, status := range map[string]int{
		"2020-01-01T08:00:00+01:00": 200, "2020-01-01T08:00:00%2B01:00": 200, "2020-01-01T08:00:00Z": 200,
		"2020-01-01T8:00:00Z": 400, "2020-01-01T08:00:00%2C5Z": 400, "2020-01-01": 400,
	} {
		t.Run("_since="+since, func(t *testing.T) { p.get(t, "/Patient/x/_history?_since="+since).want(t, status) })
	}
}
