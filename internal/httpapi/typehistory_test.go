package httpapi_test

import (
	"fmt"
	"slices"
	"testing"
)

// TestHistoryOfTypes is about the history of a type and of everything (FR-HI-01).
func TestHistoryOfTypes(t *testing.T) {
	t.Parallel()
	w := start(t)
	put := func(id string, active bool) {
		w.all.put(t, "/Patient/"+id, fmt.Sprintf(`{"resourceType":"Patient","id":%q,"active":%t}`, id, active))
	}
	put("h1", true)
	put("h2", true)
	put("h1", false)
	w.all.send(t, "DELETE", "/Patient/h2", "").want(t, 204)
	w.all.put(t, "/Group/h3", `{"resourceType":"Group","id":"h3","type":"person","actual":true}`).want(t, 201)
	steps := func(b bundle) (list []string) {
		for _, e := range b.Entry {
			list = append(list, e.Request.Method+" "+e.Request.URL)
		}
		return list
	}
	newest := []string{"DELETE Patient/h2", "PUT Patient/h1", "PUT Patient/h2", "PUT Patient/h1"}
	t.Run("FR-HI-01 of a type", func(t *testing.T) {
		b := w.all.get(t, "/Patient/_history?_count=4").bundle(t)
		if b.Type != "history" || !slices.Equal(steps(b), newest) || int(*b.Total) != patients+4 {
			t.Errorf("got %v of %d, want %v of %d", steps(b), *b.Total, newest, patients+4)
		}
		for _, e := range b.Entry {
			if deletion := e.Request.Method == "DELETE"; deletion != (e.Resource == nil) {
				t.Errorf("FR-HI-02: %s has the resource %v", e.Request.Method, e.Resource)
			}
		}
	})
	t.Run("FR-HI-04 pages", func(t *testing.T) {
		var all []string
		for next := "/Patient/_history?_count=3"; next != ""; {
			b := w.all.get(t, next).bundle(t)
			all = append(all, steps(b)...)
			next = b.link("next")
		}
		if len(all) != patients+4 || !slices.Equal(all[:4], newest) {
			t.Errorf("got %v", all)
		}
	})
	t.Run("FR-HI-03 _since", func(t *testing.T) {
		if b := w.all.get(t, "/Patient/_history?_since=2026-06-01T00:00:00Z").bundle(t); !slices.Equal(steps(b), newest) {
			t.Errorf("got %v, want %v", steps(b), newest)
		}
	})
	t.Run("FR-HI-01 of everything", func(t *testing.T) {
		b := w.all.get(t, "/_history?_count=5").bundle(t)
		if want := append([]string{"PUT Group/h3"}, newest...); !slices.Equal(steps(b), want) {
			t.Errorf("got %v, want %v", steps(b), want)
		}
	})
	t.Run("FR-SC-06 FR-SC-08 scopes", func(t *testing.T) {
		w.grant(t, "system/Patient.r").get(t, "/Patient/_history").refused(t, 403, "forbidden")
		w.grant(t, "system/Patient.r").get(t, "/_history").refused(t, 403, "forbidden")
		if b := w.grant(t, "system/Patient.s").get(t, "/_history?_count=4").bundle(t); !slices.Equal(steps(b), newest) {
			t.Errorf("got %v, want patients only", steps(b))
		}
		if b := w.grant(t, "system/Patient.rs?active=true").get(t, "/Patient/_history").bundle(t); slices.Contains(steps(b)[:1], "PUT Patient/h1") || b.Total != nil {
			t.Errorf("FR-SC-33: got %v", steps(b))
		}
	})
}
