package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestExportIsASnapshot proves that writes after the kick-off do not change an
// export.
func TestExportIsASnapshot(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	for _, id := range []string{"changed", "deleted"} {
		p.put(t, "/Basic/"+id, fmt.Sprintf(`{"resourceType":"Basic","id":%q,"code":{"text":"before"}}`, id)).want(t, 201)
	}
	population := p.ids(t, "/Patient")[0]
	before := string(p.get(t, "/Patient/"+population).body)
	status := p.kickOff(t, "/$export?_type=Basic,Patient")
	p.put(t, "/Basic/changed", `{"resourceType":"Basic","id":"changed","code":{"text":"after"}}`).want(t, 200)
	p.send(t, "DELETE", "/Basic/deleted", "").want(t, 204)
	p.put(t, "/Basic/new", `{"resourceType":"Basic","id":"new","code":{"text":"after"}}`).want(t, 201)
	p.put(t, "/Patient/"+population, patient(population)).want(t, 200)
	m := p.finish(t, status)
	p.put(t, "/Basic/changed", `{"resourceType":"Basic","id":"changed","code":{"text":"later"}}`).want(t, 200)

	lines := p.fileOf(t, m, "Basic")
	if len(lines) != 2 || strings.Contains(strings.Join(lines, ""), "after") || strings.Contains(strings.Join(lines, ""), "later") {
		t.Errorf("BD-DA-04: got %v, want both as they were at the kick-off", lines)
	}
	if lines := p.fileOf(t, m, "Patient"); len(lines) != patients || !slices.Contains(lines, before) {
		t.Errorf("BD-DA-04: got %d patients, want all %d as they were", len(lines), patients)
	}
	at := instant(t, m.TransactionTime)
	for _, typ := range m.types() {
		for _, r := range p.exported(t, m, typ) {
			if r.at(t).After(at) {
				t.Errorf("BD-DA-04: %s/%s is of %s, after the transactionTime %s", typ, r.ID, r.Meta.LastUpdated, m.TransactionTime)
			}
		}
	}

	next := p.export(t, "/$export?_since="+url.QueryEscape(m.TransactionTime)) // BD-DA-05
	got := idsOf(append(p.exported(t, next, "Basic"), p.exported(t, next, "Patient")...))
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values([]string{"changed", "new", population}))) || len(next.Output) != 2 {
		t.Errorf("BD-PA-04: got %v of %v, want what changed since", got, next.types())
	}
	if got := p.deletions(t, next); !slices.Equal(got, []string{"Basic/deleted"}) {
		t.Errorf("BD-DL-02: got %v deleted, want [Basic/deleted]", got)
	}
	p.put(t, "/Basic/deleted", `{"resourceType":"Basic","id":"deleted","code":{"text":"again"}}`).want(t, 201)
	last := p.export(t, "/$export?_type=Basic&_since="+url.QueryEscape(m.TransactionTime))
	if got := p.deletions(t, last); len(got) != 0 || !slices.Contains(idsOf(p.exported(t, last, "Basic")), "deleted") {
		t.Errorf("BD-DL-03: got %v deleted, want what came back in the output alone", got)
	}
	if m := p.export(t, "/$export?_since="+url.QueryEscape(last.TransactionTime)); len(m.Output)+len(m.Deleted) != 0 {
		t.Errorf("BD-MF-04: got %+v, want nothing: nothing was written", m)
	}
}

// A logged version is one that a writer wrote.
type logged struct {
	id      string
	version string // "" for a deletion
	at      time.Time
}

// TestExportsWhileWriting chains exports by _since while others create, update
// and delete as fast as they can. Of each resource every export has the newest
// version between its _since and its transactionTime, and nothing else
// (BD-DA-02, BD-DA-04, BD-DA-05, BD-DL-02, BD-DL-03).
func TestExportsWhileWriting(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithExportDuration(0))
	p := w.all
	w.Clock().Freeze() // the same millisecond for all, so far as the clock goes
	since := p.export(t, "/$export?_type=Patient").TransactionTime

	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	var log []logged
	const writers, ids = 3, 20
	for writer := range writers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("w%d-%d", writer, n%ids)
				method, body := http.MethodPut, `{"resourceType":"Basic","id":"`+id+`","code":{"text":"x"}}`
				if n%7 == 6 {
					method, body = http.MethodDelete, ""
				}
				a, err := p.try(t.Context(), method, "/Basic/"+id, strings.NewReader(body), "Content-Type", fhirJSON)
				if err != nil || a.status >= 300 {
					t.Errorf("write %s: %v, %+v", id, err, a)
					return
				}
				version := logged{id: id}
				if method == http.MethodPut {
					r := a.resource(t)
					version.version, version.at = r.Meta.VersionID, r.at(t)
				}
				mu.Lock()
				log = append(log, version)
				mu.Unlock()
			}
		})
	}
	// What the exports say, and between which instants.
	type round struct {
		from, to time.Time
		output   map[string]string // version by id
		deleted  map[string]bool
	}
	var rounds []round
	collect := func() {
		m := p.export(t, "/$export?_type=Basic&_since="+url.QueryEscape(since))
		r := round{instant(t, since), instant(t, m.TransactionTime), map[string]string{}, map[string]bool{}}
		for _, e := range p.exported(t, m, "Basic") {
			if at := e.at(t); !at.After(r.from) || at.After(r.to) || r.output[e.ID] != "" {
				t.Errorf("%s is of %s, outside of %s to %s, or twice", e.ID, e.Meta.LastUpdated, since, m.TransactionTime)
			}
			r.output[e.ID] = e.Meta.VersionID
		}
		for _, name := range p.deletions(t, m) {
			id := strings.TrimPrefix(name, "Basic/")
			if r.output[id] != "" {
				t.Errorf("%s is in output and deleted", id)
			}
			r.deleted[id] = true
		}
		rounds, since = append(rounds, r), m.TransactionTime
	}
	for range 60 {
		collect()
	}
	stop()
	wg.Wait()
	collect() // what was written after the last one
	if t.Failed() {
		return
	}
	if len(log) < 200 {
		t.Fatalf("only %d versions were written, which proves little", len(log))
	}
	// The server's own log tells when each version was, deletions included.
	for writer := range writers {
		for n := range ids {
			id := fmt.Sprintf("w%d-%d", writer, n)
			history := p.get(t, "/Basic/"+id+"/_history?_count=1000").bundle(t)
			for _, l := range log {
				isThere := func(e entry) bool {
					return e.Response.ETag == `W/"`+l.version+`"` && instant(t, e.Response.LastModified).Equal(l.at)
				}
				if l.id == id && l.version != "" && !slices.ContainsFunc(history.Entry, isThere) {
					t.Errorf("%s has no version %s of %v, which was written", id, l.version, l.at)
				}
			}
			for _, r := range rounds {
				want, deleted := "", false
				for _, e := range history.Entry { // newest first
					at := instant(t, e.Response.LastModified)
					if !at.After(r.from) || at.After(r.to) {
						continue
					}
					if deleted = e.Request.Method == http.MethodDelete; !deleted {
						want = strings.Trim(strings.TrimPrefix(e.Response.ETag, "W/"), `"`)
					}
					break
				}
				if r.output[id] != want || r.deleted[id] != deleted {
					t.Errorf("%s, from %v to %v: got version %q, deleted %v; want %q, %v", id, r.from, r.to, r.output[id], r.deleted[id], want, deleted)
				}
			}
		}
	}
}

func TestExportSince(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	var at []string
	for _, id := range []string{"a", "b", "c"} {
		at = append(at, p.put(t, "/Basic/"+id, `{"resourceType":"Basic","id":"`+id+`","code":{"text":"x"}}`).resource(t).Meta.LastUpdated)
	}
	zoned := instant(t, at[0]).In(time.FixedZone("", 5*3600+1800)).Format("2006-01-02T15:04:05.000-07:00")
	for _, c := range []struct {
		name, query string
		want        []string
	}{
		{"BD-PA-04 after, not at", "_since=" + at[0], []string{"b", "c"}},
		{"BD-PA-04 another zone", "_since=" + url.QueryEscape(zoned), []string{"b", "c"}},
		{"BD-PA-03 raw +", "_since=" + zoned, []string{"b", "c"}},
		{"BD-PA-04 the newest", "_since=" + at[2], nil},
		{"BD-PA-04 long ago", "_since=2000-01-01T00:00:00Z", []string{"a", "b", "c"}},
		{"BD-PA-07 before", "_until=" + at[2], []string{"a", "b"}},
		{"BD-PA-07 between", "_since=" + at[0] + "&_until=" + at[2], []string{"b"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := idsOf(p.exported(t, p.export(t, "/$export?_type=Basic&"+c.query), "Basic")); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	for _, format := range []string{"application/fhir+ndjson", "application/fhir%2Bndjson", "application/ndjson", "ndjson"} {
		t.Run("BD-PA-01 BD-PA-03 "+format, func(t *testing.T) {
			p.kickOff(t, "/$export?_outputFormat="+format)
		})
	}
}

func TestExportTypeFilter(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	total := func(query string) int { return len(p.ids(t, "/"+query+"&_count=500")) }
	lab, vital := total("Observation?category=laboratory"), total("Observation?category=vital-signs")
	if lab == 0 || vital == 0 {
		t.Fatal("the population has no such observations")
	}
	for _, c := range []struct {
		name, filters string
		observations  int
	}{
		{"BD-PA-20 one", "_typeFilter=" + url.QueryEscape("Observation?category=laboratory"), lab},
		{"BD-PA-21 two are OR", "_typeFilter=" + url.QueryEscape("Observation?category=laboratory") + "&_typeFilter=" + url.QueryEscape("Observation?category=vital-signs"), lab + vital},
		{"BD-PA-22 comma within", "_typeFilter=" + url.QueryEscape("Observation?category=laboratory,vital-signs"), lab + vital},
		{"BD-PA-22 comma between", "_typeFilter=" + url.QueryEscape("Observation?category=laboratory,Observation?category=vital-signs"), lab + vital},
		{"BD-PA-21 & is AND", "_typeFilter=" + url.QueryEscape("Observation?category=laboratory&category=vital-signs"), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := p.export(t, "/Patient/$export?_type=Patient,Observation&"+c.filters)
			if got := len(p.exported(t, m, "Observation")); got != c.observations {
				t.Errorf("got %d observations, want %d", got, c.observations)
			}
			if got := len(p.exported(t, m, "Patient")); got != patients {
				t.Errorf("BD-PA-20: got %d patients, want all %d: the filter is about others", got, patients)
			}
		})
	}
}

// TestExportLenient is about Prefer: handling=lenient (BD-HD-04).
func TestExportLenient(t *testing.T) {
	t.Parallel()
	w := start(t)
	lenient := []string{"Prefer", "respond-async, handling=lenient"}
	for _, c := range []struct {
		name, path string
		named      []string // in the error file
	}{
		{"BD-PA-30 unknown parameter", "/$export?_type=Patient&nothing=1", []string{"nothing"}},
		{"BD-PA-09 unknown type", "/$export?_type=Patient,MissingType", []string{"MissingType"}},
		{"BD-PA-09 unknown type first", "/$export?_type=MissingType,Patient", []string{"MissingType"}},
		{"BD-PA-09 unknown type of its own", "/$export?_type=MissingType&_type=Patient", []string{"MissingType"}},
		{"BD-RJ-05 format", "/Patient/$export?_type=Patient&_outputFormat=text/html", []string{"text/html"}},
		{"BD-PA-24 filter", "/$export?_type=Patient&_typeFilter=Patient%3Fnothing%3D1", []string{"nothing"}},
		{"BD-HD-04 two", "/$export?_type=Patient&nothing=1&neither=2", []string{"nothing", "neither"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := w.all.export(t, c.path, lenient...)
			if got := len(w.all.exported(t, m, "Patient")); got != patients || !slices.Equal(m.types(), []string{"Patient"}) {
				t.Errorf("got %d patients in %v, want the %d patients alone", got, m.types(), patients)
			}
			if len(m.Error) != 1 || m.Error[0].Type != "OperationOutcome" || m.Error[0].Count != len(c.named) {
				t.Fatalf("BD-MF-07: got %+v, want a file with %d outcomes", m.Error, len(c.named))
			}
			a := w.all.get(t, m.Error[0].URL).want(t, 200).wantHeader(t, "Content-Type", "application/fhir+ndjson")
			lines := strings.Split(strings.TrimSpace(string(a.body)), "\n")
			for i, name := range c.named {
				if !strings.Contains(lines[i], `"OperationOutcome"`) || !strings.Contains(lines[i], name) {
					t.Errorf("BD-ER-01: got line %s, want an OperationOutcome that names %s", lines[i], name)
				}
			}
		})
	}
	t.Run("BD-PA-09 unknown type alone", func(t *testing.T) {
		a := w.all.get(t, "/$export?_type=MissingType", exportHeader(lenient...)...)
		if a.status == 400 {
			return
		}
		if m := w.all.finish(t, a.want(t, 202).header.Get("Content-Location")); len(m.Output) != 0 {
			t.Errorf("got %v, which nobody asked for", m.types())
		}
	})
	for name, path := range map[string]string{
		"BD-RJ-06 to come":                       "/$export?_since=2999-01-01T00:00:00Z",
		"BD-RJ-10 patient at system level":       "/$export?patient=Patient/x",
		"BD-RJ-01 nothing makes up for no scope": "/$export?_type=Observation",
	} {
		t.Run("refused all the same: "+name, func(t *testing.T) {
			p := w.grant(t, "system/Patient.rs")
			if a := p.get(t, path, exportHeader(lenient...)...); a.status != 400 && a.status != 403 {
				t.Errorf("got status %d", a.status)
			}
		})
	}
}

// TestExportDuration is about an export that takes its time by the server's
// clock.
func TestExportDuration(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithExportDuration(100*time.Second))
	w.Clock().Freeze()
	status := w.all.kickOff(t, "/Patient/$export")
	var last string
	for _, step := range []time.Duration{0, 30 * time.Second, 60 * time.Second} {
		w.Clock().Advance(step)
		a := w.all.get(t, status)
		wantRunning(t, a)
		if a.header.Get("X-Progress") == last {
			t.Errorf("BD-ST-02: no progress after %v: %s", step, last)
		}
		last = a.header.Get("X-Progress")
	}
	w.Clock().Advance(10 * time.Second)
	wantManifest(t, w.all.get(t, status))
	for _, accept := range []string{"application/json", "*/*", "application/fhir+json", "", "text/html, */*;q=0.1"} {
		w.all.get(t, status, "Accept", accept).want(t, 200).wantHeader(t, "Content-Type", "application/json") // BD-ST-06
	}
}
