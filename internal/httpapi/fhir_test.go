package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A resource is what every FHIR resource begins with.
type resource struct {
	ResourceType string
	ID           string
	Meta         struct {
		VersionID   string
		LastUpdated string
	}
}

// at is the instant of the resource's version.
func (r resource) at(t *testing.T) time.Time {
	t.Helper()
	return instant(t, r.Meta.LastUpdated)
}

// instant reads a FHIR instant.
func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatalf("%q is no instant: %v", text, err)
	}
	return at
}

// A bundle is a Bundle of a search or a history.
type bundle struct {
	ResourceType string
	Type         string
	Total        *int
	Link         []struct{ Relation, URL string }
	Entry        []entry
}

type entry struct {
	FullURL  string
	Resource *resource
	Search   struct{ Mode string }
	Request  struct{ Method, URL string }
	Response struct{ Status, ETag, LastModified string }
	raw      json.RawMessage
}

// UnmarshalJSON keeps what the entry was read from.
func (e *entry) UnmarshalJSON(text []byte) error {
	type plain entry
	if err := json.Unmarshal(text, (*plain)(e)); err != nil {
		return err
	}
	e.raw = append(json.RawMessage(nil), text...)
	return nil
}

func (a *answer) bundle(t *testing.T) bundle {
	t.Helper()
	var b bundle
	a.want(t, 200).decode(t, &b)
	if b.ResourceType != "Bundle" {
		t.Fatalf("%s: got %s, want a Bundle", a.request, a.excerpt())
	}
	return b
}

func (a *answer) resource(t *testing.T) resource {
	t.Helper()
	var r resource
	a.decode(t, &r)
	return r
}

// link is the URL of a relation, or "".
func (b bundle) link(relation string) string {
	for _, l := range b.Link {
		if l.Relation == relation {
			return l.URL
		}
	}
	return ""
}

// relations are those of the links, in their order.
func (b bundle) relations() (list []string) {
	for _, l := range b.Link {
		list = append(list, l.Relation)
	}
	return list
}

// matches are the ids of the entries with a mode.
func (b bundle) ids(mode string) (ids []string) {
	for _, e := range b.Entry {
		if e.Search.Mode == mode && e.Resource != nil {
			ids = append(ids, e.Resource.ID)
		}
	}
	return ids
}

// pages follows a search to its last page.
func (p party) pages(t *testing.T, path string) (list []bundle) {
	t.Helper()
	for path != "" {
		if len(list) > 1000 {
			t.Fatal("the pages have no end")
		}
		b := p.get(t, path).bundle(t)
		list = append(list, b)
		path = b.link("next")
	}
	return list
}

// ids are the ids of the matches on all pages of a search.
func (p party) ids(t *testing.T, path string) (ids []string) {
	t.Helper()
	for _, b := range p.pages(t, path) {
		ids = append(ids, b.ids("match")...)
	}
	return ids
}

// A manifest is the answer of a completed export.
type manifest struct {
	TransactionTime     string
	Request             string
	RequiresAccessToken bool
	Output              []item
	Deleted             []item
	Error               []item
	OutputOrganizedBy   string
	Link                []struct{ Relation, URL string }
}

type item struct {
	Type  string
	URL   string
	Count int

	ContinuesInFile string
	Extension       []struct {
		ValueString  string
		ValueDecimal int64
	}
}

// exportHeader are the fields that a kick-off needs.
func exportHeader(more ...string) []string {
	return append([]string{"Accept", fhirJSON, "Prefer", "respond-async"}, more...)
}

// kickOff starts an export and returns the URL of its status.
func (p party) kickOff(t *testing.T, path string, header ...string) string {
	t.Helper()
	a := p.get(t, path, exportHeader(header...)...).want(t, 202)
	status := a.header.Get("Content-Location")
	if !strings.HasPrefix(status, p.base+"/") {
		t.Fatalf("BD-KR-01: got Content-Location %q, want an absolute URL below %s", status, p.base)
	}
	return status
}

// finish asks for the status of an export until it is done.
func (p party) finish(t *testing.T, status string) manifest {
	t.Helper()
	for range 20 {
		a := p.get(t, status, "Accept", "application/json")
		if a.status == 202 {
			continue
		}
		var m manifest
		a.want(t, 200).decode(t, &m)
		return m
	}
	t.Fatalf("%s is not done after 20 requests", status)
	return manifest{}
}

// export is an export from kick-off to manifest.
func (p party) export(t *testing.T, path string, header ...string) manifest {
	t.Helper()
	return p.finish(t, p.kickOff(t, path, header...))
}

// lines are the resources of a file.
func (p party) lines(t *testing.T, url string) []resource {
	t.Helper()
	var list []resource
	for line := range strings.Lines(string(p.get(t, url).want(t, 200).body)) {
		var r resource
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %q is no JSON: %v", url, line, err)
		}
		list = append(list, r)
	}
	return list
}

// of are the items of a type.
func (m manifest) of(typ string) (list []item) {
	for _, i := range m.Output {
		if i.Type == typ {
			list = append(list, i)
		}
	}
	return list
}

// types are the types in the output.
func (m manifest) types() (list []string) {
	for _, i := range m.Output {
		list = append(list, i.Type)
	}
	return list
}

// exported are the resources of a type in an export.
func (p party) exported(t *testing.T, m manifest, typ string) (list []resource) {
	t.Helper()
	for _, i := range m.of(typ) {
		list = append(list, p.lines(t, i.URL)...)
	}
	return list
}

// idsOf are the ids of resources.
func idsOf(list []resource) (ids []string) {
	for _, r := range list {
		ids = append(ids, r.ID)
	}
	return ids
}

// deletions are what the files of deletions list, checked as BD-DL-01 wants
// them.
func (p party) deletions(t *testing.T, m manifest) (list []string) {
	t.Helper()
	for _, i := range m.Deleted {
		count := 0
		for line := range strings.Lines(string(p.get(t, i.URL).want(t, 200).body)) {
			var b bundle
			if err := json.Unmarshal([]byte(line), &b); err != nil || b.ResourceType != "Bundle" || b.Type != "transaction" || len(b.Entry) == 0 {
				t.Fatalf("BD-DL-01: got %q, want a transaction Bundle: %v", line, err)
			}
			for _, e := range b.Entry {
				if e.Request.Method != "DELETE" || e.Resource != nil {
					t.Errorf("BD-DL-01: got entry %s, want a DELETE", e.raw)
				}
				list = append(list, e.Request.URL)
			}
			count++
		}
		if i.Type != "Bundle" || i.Count != count {
			t.Errorf("BD-DL-01: got %+v of a file with %d lines", i, count)
		}
	}
	return list
}

// fileOf are the lines of a type in an export.
func (p party) fileOf(t *testing.T, m manifest, typ string) (lines []string) {
	t.Helper()
	for _, i := range m.of(typ) {
		for line := range strings.Lines(string(p.get(t, i.URL).want(t, 200).body)) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}
