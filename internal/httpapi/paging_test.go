package httpapi_test

import (
	"net/url"
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
