package httpapi_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// noticed is the check on the latest exchange that failed or warns with an id.
func (w *world) noticed(t *testing.T, id string) *sandbox.Check {
	t.Helper()
	for _, c := range w.latest(t).Checks {
		if c.ID == id {
			return &c
		}
	}
	return nil
}

// TestExportRefusalsAreExplained is about the known mistakes that a refusal
// names.
func TestExportRefusalsAreExplained(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		id, requirement, path string
		header                []string
		text                  string // of the check
	}{
		{"B01", "BD-RJ-03", "/$export", []string{"Accept", fhirJSON}, "Prefer: respond-async"},
		{"B02", "BD-RJ-04", "/$export", []string{"Accept", "*/*", "Prefer", "respond-async"}, "*/*"},
		{"B05", "BD-RJ-14", "/$export?nothing=1", exportHeader(), "nothing"},
		{"B05", "BD-RJ-14", "/$export?_typefilter=Patient%3Fgender=male", exportHeader(), "did you mean _typeFilter?"},
		{"B06", "BD-RJ-05", "/$export?_outputFormat=csv", exportHeader(), "send %2B"},
		{"B07", "BD-RJ-06", "/$export?_since=2020-03", exportHeader(), "2026-01-31T08:00:00.000Z"},
		{"B08", "BD-RJ-07", "/$export?_type=Observaton", exportHeader(), "did you mean Observation?"},
		{"B10", "BD-RJ-09", "/$export?_typeFilter=" + url.QueryEscape("Patient?_include=*"), exportHeader(), "_include"},
		{"B10", "BD-RJ-09", "/$export?_type=Patient&_typeFilter=" + url.QueryEscape("Observation?status=final"), exportHeader(), "_type does not ask for"},
		{"B11", "BD-RJ-10", "/Patient/$export?patient=Patient/x", exportHeader(), "POST"},
		{"BD-RJ-08", "BD-RJ-08", "/Patient/$export?_type=ValueSet", exportHeader(), "compartment"},
	} {
		t.Run(c.id+" "+c.path, func(t *testing.T) {
			w.all.get(t, c.path, c.header...).want(t, 400)
			check := w.noticed(t, c.id)
			if check == nil || check.Result != sandbox.Fail || check.Requirement != c.requirement || check.Rule == "" || check.Clause == "" || !strings.Contains(check.Text, c.text) {
				t.Errorf("got %+v, want a failed %s that says %q", check, c.requirement, c.text)
			}
		})
	}
}

// TestExportMistakesAreNoticed is about mistakes of requests that are met.
func TestExportMistakesAreNoticed(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	warned := func(t *testing.T, id string, texts ...string) {
		t.Helper()
		check := w.noticed(t, id)
		if check == nil || check.Result != sandbox.Warn || check.Rule == "" || check.Fix == "" {
			t.Fatalf("got %+v, want a warning %s", w.latest(t).Checks, id)
		}
		for _, text := range texts {
			if !strings.Contains(check.Text, text) {
				t.Errorf("got %q, want %q", check.Text, text)
			}
		}
	}
	silent := func(t *testing.T, id string) {
		t.Helper()
		if check := w.noticed(t, id); check != nil {
			t.Errorf("got %+v", check)
		}
	}
	t.Run("B03 the shell ate $export", func(t *testing.T) {
		for _, path := range []string{"/Group/all/", "/Group/all", "/Patient/", "/"} {
			p.get(t, path, exportHeader()...)
			warned(t, "B03", path)
			p.get(t, path)
			silent(t, "B03")
		}
		p.get(t, "/Observation/", exportHeader()...)
		silent(t, "B03")
	})
	t.Run("M05 a file without token", func(t *testing.T) {
		m := p.export(t, "/$export?_type=Patient")
		w.stranger().get(t, m.Output[0].URL).refused(t, 401, "login")
		warned(t, "M05")
		p.get(t, m.Output[0].URL).want(t, 200)
		silent(t, "M05")
	})
	t.Run("P01 a status request too early", func(t *testing.T) {
		status := p.kickOff(t, "/$export?_type=Patient")
		p.get(t, status).want(t, 202)
		silent(t, "P01")
		p.get(t, status).want(t, 200)
		warned(t, "P01", "Retry-After said 1 s", "1 came too early so far")
		p.get(t, status).want(t, 200)
		silent(t, "P01") // nothing is told to wait for
		status = p.kickOff(t, "/$export?_type=Patient")
		p.get(t, status).want(t, 202)
		w.Clock().Advance(time.Second)
		p.get(t, status).want(t, 200)
		silent(t, "P01")
	})
	t.Run("M17 a _since of the client's own clock", func(t *testing.T) {
		q := w.holder(t, w.client(t, "system/*.cruds"))
		q.kickOff(t, "/$export?_type=Basic&_since=2020-01-01T00:00:00Z")
		silent(t, "M17") // the first export of this client
		last := q.export(t, "/$export?_type=Basic").TransactionTime
		q.put(t, "/Basic/gap", `{"resourceType":"Basic","id":"gap","code":{"text":"x"}}`).want(t, 201)
		mine := instant(t, last).Add(time.Minute).Format(time.RFC3339)
		w.Clock().Advance(2 * time.Minute)
		q.kickOff(t, "/$export?_type=Basic&_since="+url.QueryEscape(mine))
		warned(t, "M17", last, "1 resources changed in the gap")
		q.kickOff(t, "/$export?_type=Basic&_since="+last)
		silent(t, "M17")
		q.kickOff(t, "/$export?_type=Basic&_since=2021-01-01T00:00:00Z")
		warned(t, "M17", "exported again")
	})
	t.Run("M23 jobs that are never deleted", func(t *testing.T) {
		q := w.holder(t, w.client(t, "system/*.cruds"))
		var last string
		for range 5 {
			last = q.kickOff(t, "/$export?_type=Basic")
			q.finish(t, last)
		}
		q.kickOff(t, "/$export?_type=Basic")
		warned(t, "M23", "5 finished exports")
		q.send(t, "DELETE", last, "").want(t, 202)
		q.kickOff(t, "/$export?_type=Basic")
		silent(t, "M23")
	})
	t.Run("M02 an error file that is never read", func(t *testing.T) {
		kickOff := func() (string, manifest) {
			status := p.kickOff(t, "/$export?_type=Patient&nothing=1", "Prefer", "respond-async, handling=lenient")
			return status, p.finish(t, status)
		}
		status, m := kickOff()
		p.get(t, m.Output[0].URL).want(t, 200)
		p.send(t, "DELETE", status, "").want(t, 202)
		warned(t, "M02", "1 OperationOutcomes", "/OperationOutcome.ndjson")
		status, m = kickOff()
		p.get(t, m.Error[0].URL).want(t, 200)
		p.send(t, "DELETE", status, "").want(t, 202)
		silent(t, "M02")
		_, m = kickOff()
		p.kickOff(t, "/$export?_type=Patient&_since="+m.TransactionTime)
		warned(t, "M02", "1 OperationOutcomes")
	})
	t.Run("M02 an error file by a fault", func(t *testing.T) {
		f := w.inject(t, "export.partial:type=Patient")
		status := p.kickOff(t, "/$export?_type=Patient,Group")
		m := p.finish(t, status)
		f.Remove()
		p.get(t, m.Output[0].URL).want(t, 200)
		p.send(t, "DELETE", status, "").want(t, 202)
		warned(t, "M02", "0/partial-Patient.ndjson")
	})
	t.Run("M16 deletions that are never read", func(t *testing.T) {
		since := p.export(t, "/$export?_type=Basic").TransactionTime
		p.put(t, "/Basic/gone", `{"resourceType":"Basic","id":"gone","code":{"text":"x"}}`).want(t, 201)
		p.send(t, "DELETE", "/Basic/gone", "").want(t, 204)
		for _, reads := range []bool{false, true} {
			status := p.kickOff(t, "/$export?_type=Basic&_since="+since)
			m := p.finish(t, status)
			if len(m.Deleted) != 1 {
				t.Fatalf("got %+v", m)
			}
			if reads {
				p.get(t, m.Deleted[0].URL).want(t, 200)
			}
			p.send(t, "DELETE", status, "").want(t, 202)
			if reads {
				silent(t, "M16")
			} else {
				warned(t, "M16", "1 Bundles of deletions")
			}
		}
	})
	t.Run("M19 a page of a manifest that is never asked for", func(t *testing.T) {
		if err := w.SetBehaviour("", map[string]string{"manifest.page": "1"}); err != nil {
			t.Fatal(err)
		}
		for _, follows := range []bool{false, true} {
			status := p.kickOff(t, "/$export?_type=Patient,Group&allowPartialManifests=true")
			m := p.finish(t, status)
			for follows && len(m.Link) > 0 {
				next := m.Link[0].URL
				m = manifest{}
				p.get(t, next).want(t, 200).decode(t, &m)
			}
			p.send(t, "DELETE", status, "").want(t, 202)
			if follows {
				silent(t, "M19")
			} else {
				warned(t, "M19", "has 2 pages")
			}
		}
	})
	t.Run("M04 a token at a storage that refuses it", func(t *testing.T) {
		if err := w.SetBehaviour("", map[string]string{"files.token": "false", "manifest.page": "0"}); err != nil {
			t.Fatal(err)
		}
		m := p.export(t, "/$export?_type=Patient")
		f := w.inject(t, "files.presigned")
		if a := p.get(t, m.Output[0].URL).want(t, 400); !strings.Contains(string(a.body), "Only one auth mechanism allowed") {
			t.Errorf("got %s", a.body)
		}
		w.stranger().get(t, m.Output[0].URL).want(t, 200)
		if f.Hits() != 1 {
			t.Errorf("it was met %d times", f.Hits())
		}
		f.Remove()
		if err := w.SetBehaviour("strict", nil); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("B09 one export too many", func(t *testing.T) {
		if err := w.SetBehaviour("", map[string]string{"export.max_concurrent": "1"}); err != nil {
			t.Fatal(err)
		}
		q := w.holder(t, w.client(t, "system/*.cruds"))
		job := q.kickOff(t, "/$export?_type=Basic")
		a := q.get(t, "/$export?_type=Basic", exportHeader()...)
		i := a.refused(t, 429, "throttled")
		if !strings.Contains(i.Diagnostics, job[strings.LastIndex(job, "/")+1:]) || a.header.Get("Retry-After") == "" {
			t.Errorf("BD-KR-04 FR-ER-23: got %q with Retry-After %q", i.Diagnostics, a.header.Get("Retry-After"))
		}
		if check := w.noticed(t, "B09"); check == nil || check.Result != sandbox.Fail || check.Requirement != "BD-RJ-17" {
			t.Errorf("got %+v", check)
		}
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			t.Fatalf("BD-KR-04: got Retry-After %q, want whole seconds", a.header.Get("Retry-After"))
		}
		w.Clock().Advance(time.Duration(seconds) * time.Second) // though nobody asks about the first one
		q.kickOff(t, "/$export?_type=Basic")
	})
	t.Run("T03 BD-SEC-14 an expired token at the status and at a file", func(t *testing.T) {
		q := w.grant(t, "system/*.cruds")
		status := q.kickOff(t, "/$export?_type=Patient")
		m := q.finish(t, status)
		w.Clock().Advance(time.Hour)
		for _, target := range []string{status, m.Output[0].URL} {
			q.get(t, target).refused(t, 401, "expired")
			if w.noticed(t, "T03") == nil {
				t.Errorf("%s: got %+v", target, w.latest(t).Checks)
			}
		}
	})
}
