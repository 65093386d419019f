package httpapi_test

import (
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
	"github.com/sandfhir/sandfhir/sandbox"
)

// TestExportRules has the rules that a single export shows.
func TestExportRules(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	t.Run("BD-KR-06 the status URL cannot be guessed", func(t *testing.T) {
		one, other := p.kickOff(t, "/$export?_type=Patient"), p.kickOff(t, "/$export?_type=Patient")
		random := regexp.MustCompile(`/_export/[0-9a-f]{32}$`)
		if !random.MatchString(one) || !random.MatchString(other) || one == other {
			t.Errorf("got %s and %s, want 128 random bits each", one, other)
		}
	})
	t.Run("BD-KR-03 a failure is an OperationOutcome, whatever is taken", func(t *testing.T) {
		for _, accept := range []string{fhirJSON, "*/*", "text/html", ""} {
			p.get(t, "/$export?_type=MissingType", "Prefer", "respond-async", "Accept", accept).refused(t, 400, "not-supported", "required")
		}
	})
	t.Run("BD-KO-09 one value twice, leniently", func(t *testing.T) {
		m := p.export(t, "/$export?_type=Patient&_outputFormat=ndjson&_outputFormat=csv", "Prefer", "respond-async, handling=lenient")
		if len(m.Error) != 1 || len(m.of("Patient")) != 1 {
			t.Errorf("got %+v, want the first value to count, and a word on the second", m)
		}
	})
	t.Run("BD-KO-10 body and query, leniently", func(t *testing.T) {
		a := p.post(t, "/$export?_type=Patient", parameters("_type", `"valueString":"Observation"`), exportHeader("Prefer", "handling=lenient")...).want(t, 202)
		if m := p.finish(t, a.header.Get("Content-Location")); len(m.Error) != 1 || !slices.Equal(m.types(), []string{"Observation", "Patient"}) {
			t.Errorf("got %+v, want both types, and a word on it", m)
		}
	})
	t.Run("BD-MF-06 no item without data", func(t *testing.T) {
		if m := p.export(t, "/$export?_type=Patient,Basic,ValueSet"); !slices.Equal(m.types(), []string{"Patient"}) {
			t.Errorf("got %v", m.types())
		}
	})
	t.Run("BD-ER-02 messages are not in output", func(t *testing.T) {
		m := p.export(t, "/$export?nothing=1", "Prefer", "respond-async, handling=lenient")
		if slices.Contains(m.types(), "OperationOutcome") || len(m.Error) != 1 {
			t.Errorf("got %v and %v", m.types(), m.Error)
		}
	})
	t.Run("BD-PA-26 a filter never widens", func(t *testing.T) {
		all := len(p.ids(t, "/Patient"))
		narrow := w.grant(t, "system/Patient.rs?gender=female")
		m := narrow.export(t, "/$export?_type=Patient&_typeFilter=Patient%3Fgender%3Dmale")
		if len(m.Output) != 0 {
			t.Errorf("got %v of a token that shows women alone", m.Output)
		}
		p.put(t, "/Group/of-one", group("of-one", "Patient/"+p.ids(t, "/Patient")[0])).want(t, 201)
		if got := p.exported(t, p.export(t, "/Group/of-one/$export?_type=Patient&_typeFilter=Patient%3F_lastUpdated%3Dgt1900"), "Patient"); len(got) != 1 || all < 2 {
			t.Errorf("got %d of a group of one", len(got))
		}
	})
	t.Run("BD-DA-06 BD-DA-07 what belongs to patients", func(t *testing.T) {
		p.put(t, "/Binary/x", `{"resourceType":"Binary","id":"x","contentType":"text/plain","data":"eA=="}`).want(t, 201)
		if types := p.export(t, "/Patient/$export").types(); slices.Contains(types, "Binary") {
			t.Errorf("BD-DA-06: a patient export has %v", types)
		}
		if types := p.export(t, "/$export").types(); !slices.Contains(types, "Binary") {
			t.Errorf("BD-DA-06: a system export has %v", types)
		}
		m := p.export(t, "/Patient/$export")
		absolute := regexp.MustCompile(`"reference":"https?://`)
		for _, i := range m.Output {
			for _, line := range p.fileOf(t, manifest{Output: []item{i}}, i.Type) {
				if absolute.MatchString(line) {
					t.Fatalf("BD-DA-07: got an absolute reference among relative ones: %s", line)
				}
			}
		}
	})
	t.Run("BD-SEC-02 nothing without a token", func(t *testing.T) {
		for _, path := range []string{"/$export", "/Patient/$export", "/Group/all/$export", "/$export-v4", "/_export/x", "/_export/x/1/Patient.ndjson", "/_export/x/manifest/2"} {
			a := w.stranger().get(t, path, exportHeader()...)
			a.refused(t, 401, "login")
			a.challenge(t, "")
		}
	})
	t.Run("BD-CAP-04 types and search parameters", func(t *testing.T) {
		var s struct {
			Rest []struct {
				Resource []struct {
					Type        string
					SearchParam []struct{ Name, Type string }
				}
			}
		}
		p.get(t, "/metadata").want(t, 200).decode(t, &s)
		for _, r := range s.Rest[0].Resource {
			if !slices.Contains([]string{"Patient", "Observation", "Encounter"}, r.Type) {
				continue
			}
			for _, param := range r.SearchParam { // each can be used in a filter
				if param.Type == "composite" { // which has no :missing, and is judged by its parts
					continue
				}
				a := p.get(t, "/$export?_typeFilter="+r.Type+"%3F"+param.Name+":missing%3Dtrue", exportHeader()...)
				if a.status != 202 && !strings.HasPrefix(param.Name, "_") {
					t.Errorf("_typeFilter=%s?%s:missing=true: %s", r.Type, param.Name, a.body)
				}
			}
		}
	})
}

// TestExportLeavesNoFiles proves that an export writes no file, whatever
// becomes of it (BD-ST-18).
func TestExportLeavesNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := start(t, sandbox.WithDataDir(dir))
	p := w.all
	p.put(t, "/Basic/x", `{"resourceType":"Basic","id":"x","code":{"text":"x"}}`).want(t, 201)
	list := func() (files []string) {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	p.kickOff(t, "/$export") // opens what is opened when first used
	before := list()
	status := p.kickOff(t, "/$export?_elements=id")
	m := p.finish(t, status)
	for _, i := range m.Output {
		p.get(t, i.URL).want(t, 200)
	}
	if during := list(); !slices.Equal(during, before) {
		t.Errorf("got the files %v, before %v", during, before)
	}
	p.send(t, http.MethodDelete, status, "").want(t, 202)
	if after := list(); !slices.Equal(after, before) {
		t.Errorf("got the files %v, before %v", after, before)
	}
}

// TestStatusFailsForAWhile takes the table of jobs away for a status request:
// the job goes on (BD-ST-11).
func TestStatusFailsForAWhile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := start(t, sandbox.WithDataDir(dir), sandbox.WithLogger(slog.New(slog.DiscardHandler)))
	status := w.all.kickOff(t, "/$export?_type=Patient")
	db, err := sqlitedb.Open(filepath.Join(dir, "control.db"), sqlitedb.ReadWrite, sqlitedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rename := func(from, to string) {
		if _, err := db.Write().ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	rename("job", "elsewhere")
	a := w.all.get(t, status).want(t, 503)
	if !strings.Contains(string(a.body), `"transient"`) || a.header.Get("Retry-After") != "1" {
		t.Errorf("got %s with Retry-After %q", a.body, a.header.Get("Retry-After"))
	}
	rename("elsewhere", "job")
	w.all.finish(t, status)
}
