package seed_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/seed"
)

// remember returns a Known that knows the files of earlier reports.
func remember(reports ...seed.LoadReport) func(seed.File) bool {
	return func(f seed.File) bool {
		return slices.ContainsFunc(reports, func(r seed.LoadReport) bool {
			return slices.ContainsFunc(r.Files, func(had seed.File) bool { return had.SHA256 == f.SHA256 })
		})
	}
}

func paths(files []seed.File) string {
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f.Path))
	}
	return strings.Join(names, " ")
}

func TestLoadOfKnownFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	organization := bundle("batch", `{"resource":{"resourceType":"Organization","id":"o","identifier":[{"value":"7"}]}}`)
	write(t, dir, "hospitalInformation.json", organization)
	write(t, dir, "a.tar", tarOf(t, packed{"x.ndjson", `{"resourceType":"Patient","id":"a"}`}))
	write(t, dir, "note.xml", "<x/>")
	first := load(t, seed.LoadOptions{Known: remember()}, dir)
	wantOrder(t, first, "Organization/o", "Patient/a")
	if paths(first.report.Files) != "hospitalInformation.json a.tar" || first.report.Known != nil || first.report.Files[0].Size != int64(len(organization)) {
		t.Errorf("report %+v, want the two files as new", first.report)
	}

	again := load(t, seed.LoadOptions{Known: remember(first.report)}, dir)
	wantOrder(t, again)
	if paths(again.report.Known) != "hospitalInformation.json a.tar" || again.report.Files != nil || again.report.Skipped != 0 {
		t.Errorf("report %+v, want the two files as known and nothing else", again.report)
	}

	// What is new may refer to what is known, by identifier, and may hold the same resource.
	write(t, dir, "b.json", bundle("batch", `{"resource":{"resourceType":"Patient","id":"b","managingOrganization":{"reference":"Organization?identifier=7"}}}`))
	write(t, dir, "c.ndjson", `{"resourceType":"Patient","id":"a","active":true}`)
	more := load(t, seed.LoadOptions{Known: remember(first.report)}, dir)
	wantOrder(t, more, "Patient/b", "Patient/a")
	if got := more.json("Patient/b"); !strings.Contains(got, `"Organization/o"`) || more.report.Warned != 0 {
		t.Errorf("got %s and warnings %v, want the reference resolved", got, more.report.Warnings)
	}
	if paths(more.report.Files) != "b.json c.ndjson" || paths(more.report.Known) != "hospitalInformation.json a.tar" {
		t.Errorf("report %+v, want two files new and two known", more.report)
	}
}

// What cannot be asked about is loaded, and what cannot be read is reported.
func TestLoadKnownIsNotAskedAboutEverything(t *testing.T) {
	t.Parallel()
	asked := 0
	known := func(seed.File) bool { asked++; return true }
	got := load(t, seed.LoadOptions{Known: known, Stdin: patients(1)}, "-")
	if got.err != nil || asked != 0 || len(got.order) != 1 {
		t.Errorf("of standard input: got %q and %v, asked %d times", got.order, got.err, asked)
	}
	dir := t.TempDir()
	if err := os.Symlink("nowhere", filepath.Join(dir, "a.json")); err != nil {
		t.Fatal(err)
	}
	got = load(t, seed.LoadOptions{Known: known, KeepGoing: true}, dir)
	if got.report.Bad != 1 || asked != 0 {
		t.Errorf("of a file that cannot be read: got %+v, asked %d times", got.report, asked)
	}
}
