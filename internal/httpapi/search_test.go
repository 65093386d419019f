package httpapi_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// people makes patients with one family name.
func people(t *testing.T, p party, n int, family string) (ids []string) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("%s-%03d", strings.ToLower(family), i)
		body := fmt.Sprintf(`{"resourceType":"Patient","id":%q,"active":%t,"name":[{"family":%q}],"birthDate":"19%02d-01-14"}`, id, i%2 == 0, family, i)
		p.put(t, "/Patient/"+id, body, "Prefer", "return=minimal").want(t, 201)
		ids = append(ids, id)
	}
	return ids
}

func TestSearch(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	ids := people(t, p, 5, "Searchable")
	base := w.FHIRURL() + "/Patient"

	t.Run("FR-RC-01 bundle", func(t *testing.T) {
		a := p.get(t, "/Patient?family=searchable").want(t, 200).wantHeader(t, "Content-Type", fhirJSON)
		b := a.bundle(t)
		if b.Type != "searchset" || *b.Total != 5 || !slices.Equal(b.ids("match"), ids) || b.link("self") != base+"?family=searchable" || b.link("next") != "" {
			t.Errorf("got %s", a.body)
		}
		for _, e := range b.Entry {
			if e.FullURL != base+"/"+e.Resource.ID {
				t.Errorf("got fullUrl %q of %s", e.FullURL, e.Resource.ID)
			}
		}
	})
	t.Run("FR-RC-13 no match", func(t *testing.T) {
		a := p.get(t, "/Patient?family=nobody").want(t, 200)
		if o := a.object(t); o["total"] != 0.0 || o["entry"] != nil {
			t.Errorf("got %s, want total 0 and no entry", a.body)
		}
	})
	for _, c := range []struct {
		name, query string
		want        int
	}{
		{"FR-SE-04 repeated is AND", "family=searchable&birthdate=ge1902&birthdate=lt1904", 2},
		{"FR-SE-04 comma is OR", "_id=searchable-001,searchable-003,nobody", 2},
		{"FR-SE-07 empty value", "family=searchable&active=", 5},
		{"FR-ST-02 date of a day", "family=searchable&birthdate=1902-01-14", 1},
		{"FR-ST-02 date of a month", "family=searchable&birthdate=1902-01", 1},
		{"FR-ST-03 start of a name", "family=SEARCH", 5},
		{"FR-ST-03 not within a name", "family=earchable", 0},
		{"FR-MO-02 exact", "family:exact=searchable", 0},
		{"FR-MO-02 contains", "family:contains=ARCHAB", 5},
		{"FR-ST-04 boolean", "family=searchable&active=true", 3},
		{"FR-MO-03 not", "family=searchable&active:not=true", 2},
		{"FR-MO-01 missing", "family=searchable&gender:missing=true", 5},
		{"_lastUpdated", "family=searchable&_lastUpdated=gt2025-12-31", 5},
		{"percent-encoded", "f%61mily=s%65archable", 5},
		{"space as +", "name=search+able", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, b := range []bundle{
				p.get(t, "/Patient?"+c.query, "Prefer", "handling=strict").bundle(t),
				p.search(t, "/Patient/_search", c.query).bundle(t), // FR-SE-01
				p.search(t, "/Patient/_search?"+c.query, "").bundle(t),
			} {
				if *b.Total != c.want || len(b.Entry) != c.want {
					t.Errorf("got %d in %d entries, want %d", *b.Total, len(b.Entry), c.want)
				}
			}
		})
	}
	t.Run("FR-SE-01 URL and form are merged", func(t *testing.T) {
		b := p.search(t, "/Patient/_search?family=searchable", "birthdate=ge1903").bundle(t)
		if *b.Total != 2 {
			t.Errorf("got %d, want 2", *b.Total)
		}
		if self, err := url.Parse(b.link("self")); err != nil || self.Query().Get("family") != "searchable" || self.Query().Get("birthdate") != "ge1903" {
			t.Errorf("FR-RC-02: got self %q, want both parameters", b.link("self"))
		}
	})
	for _, contentType := range []string{"application/json", fhirJSON, "text/plain", "multipart/form-data"} {
		t.Run("FR-SE-01 "+contentType, func(t *testing.T) {
			p.search(t, "/Patient/_search", "family=x", "Content-Type", contentType).refused(t, 415, "not-supported")
		})
	}
}

func TestSearchRefusals(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct{ name, query, prefer, code string }{
		{"FR-SE-05 unknown parameter, strict", "nothing=1", "handling=strict", "not-supported"},
		{"FR-PR-03 strict beside others", "nothing=1", "respond-async; handling=strict", "not-supported"},
		{"FR-SE-05 modifier that does not exist", "name:sounds-like=x", "", "not-supported"},
		{"FR-SE-05 modifier of another kind", "birthdate:exact=2020-01-01", "", "not-supported"},
		{"FR-SE-05 terminology modifier", "gender:in=http://example.org/vs", "", "not-supported"},
		{"FR-CH-01 unknown at the end of a chain", "organization.nome=x", "", "not-supported"},
		{"FR-SE-06 date", "birthdate=yesterday", "", "value"},
		{"FR-SE-06 month 13", "birthdate=2020-13", "", "value"},
		{"FR-SE-06 prefix of a date alone", "birthdate=ge", "", "value"},
		{"FR-MO-01 missing=maybe", "gender:missing=maybe", "", "value"},
		{"FR-RC-04 _count below 0", "_count=-1", "", "value"},
		{"FR-RC-04 _count is no number", "_count=many", "", "value"},
		{"FR-RC-03 _total", "_total=perhaps", "", "value"},
		{"FR-RC-05 page of another server", "_page=rubbish", "", "value"},
		{"FR-RC-07 unknown _sort, strict", "_sort=nothing", "handling=strict", "not-supported"},
		{"FR-RC-09 unknown _include, strict", "_include=Patient:nothing", "handling=strict", "not-supported"},
		{"invalid percent-encoding", "name=%zz", "", "invalid"},
		{"invalid percent-encoding of a name", "%zz=x", "", "invalid"},
		{"percent sign at the end", "name=x%", "", "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := []string{"Prefer", c.prefer}
			if c.code == "value" {
				w.all.get(t, "/Patient?"+c.query, header...).refused(t, 400, "value", "invalid")
				w.all.search(t, "/Patient/_search", c.query, header...).refused(t, 400, "value", "invalid")
				return
			}
			w.all.get(t, "/Patient?"+c.query, header...).refused(t, 400, c.code)
			w.all.search(t, "/Patient/_search", c.query, header...).refused(t, 400, c.code)
		})
	}
}

// TestSearchIgnores is about parameters that are not known: left out, and
// said to be (FR-SE-05, FR-RC-02, FR-RC-12).
func TestSearchIgnores(t *testing.T) {
	t.Parallel()
	w := start(t)
	want := w.all.get(t, "/Patient?_count=2").bundle(t)
	for _, query := range []string{"nothing=1", "_sort=nothing", "_include=Patient:nothing", "_elements=nome"} {
		t.Run("FR-RC-02 "+query, func(t *testing.T) {
			b := w.all.get(t, "/Patient?_count=2&"+query, "Prefer", "handling=lenient").bundle(t)
			self, err := url.Parse(b.link("self"))
			if err != nil || self.Query().Encode() != "_count=2" {
				t.Errorf("got self %q, want it without %s", b.link("self"), query)
			}
			if !slices.Equal(b.ids("match"), want.ids("match")) || *b.Total != *want.Total {
				t.Errorf("got %v of %d, want %v of %d", b.ids("match"), *b.Total, want.ids("match"), *want.Total)
			}
			var warnings int
			for _, e := range b.Entry {
				if e.Search.Mode == "outcome" && strings.Contains(string(e.raw), `"warning"`) && e.Resource.ResourceType == "OperationOutcome" {
					warnings++
				}
			}
			if warnings != 1 {
				t.Errorf("FR-RC-12: got %d warnings, want one that names the parameter", warnings)
			}
			if next := b.link("next"); next != "" && strings.Contains(next, "nothing") {
				t.Errorf("got next %q with what was ignored", next)
			}
		})
	}
}

func TestSearchPages(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	ids := people(t, p, 23, "Paged")
	for _, count := range []int{1, 5, 22, 23, 24} {
		t.Run(fmt.Sprintf("FR-RC-05 _count=%d", count), func(t *testing.T) {
			pages := p.pages(t, fmt.Sprintf("/Patient?family=paged&_count=%d", count))
			if want := (23 + count - 1) / count; len(pages) != want {
				t.Errorf("got %d pages, want %d", len(pages), want)
			}
			var found []string
			for _, b := range pages {
				if *b.Total != 23 || len(b.Entry) > count {
					t.Errorf("FR-RC-03 FR-RC-04: got total %d with %d entries, want 23 and at most %d", *b.Total, len(b.Entry), count)
				}
				if next := b.link("next"); next != "" && (!strings.HasPrefix(next, w.FHIRURL()+"/Patient?") || !strings.Contains(next, fmt.Sprintf("_count=%d", count))) {
					t.Errorf("FR-RC-05: got next %q, want it absolute and with _count", next)
				}
				found = append(found, b.ids("match")...)
			}
			if slices.Sort(found); !slices.Equal(found, ids) {
				t.Errorf("got %v, want each once: %v", found, ids)
			}
		})
	}
	t.Run("FR-SE-01 from _search on", func(t *testing.T) {
		b := p.search(t, "/Patient/_search", "family=paged&_count=20").bundle(t)
		rest := p.ids(t, b.link("next"))
		if found := append(b.ids("match"), rest...); len(found) != 23 || len(rest) != 3 {
			t.Errorf("got %d and %d more, want 20 and 3", len(b.Entry), len(rest))
		}
	})
	t.Run("FR-RC-05 while others write", func(t *testing.T) {
		first := p.get(t, "/Patient?family=paged&_count=10").bundle(t)
		p.put(t, "/Patient/paged-000", `{"resourceType":"Patient","id":"paged-000","name":[{"family":"Paged"}]}`).want(t, 200)
		p.put(t, "/Patient/paged-015", `{"resourceType":"Patient","id":"paged-015","name":[{"family":"Paged"}]}`).want(t, 200)
		p.send(t, "DELETE", "/Patient/paged-001", "").want(t, 204)
		p.put(t, "/Patient/paged-new", `{"resourceType":"Patient","id":"paged-new","name":[{"family":"Paged"}]}`).want(t, 201)
		found := append(first.ids("match"), p.ids(t, first.link("next"))...)
		found = slices.DeleteFunc(found, func(id string) bool { return id == "paged-new" })
		if slices.Sort(found); !slices.Equal(found, ids) {
			t.Errorf("got %v, want what was there at first, each once", found)
		}
	})
	t.Run("FR-RC-06 pages need the token as well", func(t *testing.T) {
		next := p.get(t, "/Patient?_count=1").bundle(t).link("next")
		w.stranger().get(t, next).refused(t, 401, "login")
		w.grant(t, "system/Patient.r").get(t, next).refused(t, 403, "forbidden")
	})
	t.Run("FR-RC-06 pages of another client", func(t *testing.T) {
		b := p.get(t, "/Patient?_count=1").bundle(t)
		other := w.holder(t, w.client(t, "system/*.rs"), "system/*.rs")
		for _, relation := range []string{"next", "last"} {
			other.get(t, b.link(relation)).refused(t, 403, "forbidden")
			p.get(t, b.link(relation)).want(t, 200)
		}
		next, _ := url.Parse(b.link("next"))
		other.search(t, "/Patient/_search", next.RawQuery).refused(t, 403, "forbidden")
		token, _, _ := strings.Cut(next.Query().Get("_page"), ".")
		p.get(t, "/Patient?_page="+token).refused(t, 400, "value")
	})
	for _, query := range []string{"_count=0", "_summary=count"} {
		t.Run("FR-RC-04 "+query, func(t *testing.T) {
			a := p.get(t, "/Patient?family=paged&"+query).want(t, 200)
			if b := a.bundle(t); b.Total == nil || *b.Total < 20 || b.Entry != nil || b.link("next") != "" {
				t.Errorf("got %s, want a total and neither entries nor pages", a.excerpt())
			}
		})
	}
	t.Run("FR-RC-04 _count beyond all bounds", func(t *testing.T) {
		if b := p.get(t, "/Patient?family=paged&_count=1000000").bundle(t); len(b.Entry) < 20 {
			t.Errorf("got %d entries", len(b.Entry))
		}
		p.get(t, "/Patient?_count=99999999999999999999").refused(t, 400, "value")
	})
	t.Run("FR-RC-03 includes are not counted", func(t *testing.T) {
		b := p.get(t, "/Observation?_count=3&_include=Observation:subject").bundle(t)
		if len(b.ids("match")) != 3 || len(b.ids("include")) != 1 || *b.Total != len(p.ids(t, "/Observation?_count=500")) {
			t.Errorf("got %d matches, %d included, total %d", len(b.ids("match")), len(b.ids("include")), *b.Total)
		}
	})
}
