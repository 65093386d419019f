package seed_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/seed"
)

// A loaded is what a load emitted.
type loaded struct {
	order  []string
	byKey  map[string]seed.Resource
	report seed.LoadReport
	err    error
}

func load(t *testing.T, opts seed.LoadOptions, paths ...string) loaded {
	t.Helper()
	got := loaded{byKey: map[string]seed.Resource{}}
	got.report, got.err = seed.Load(t.Context(), paths, opts, func(r seed.Resource) error {
		key := r.Type + "/" + r.ID
		got.order = append(got.order, key)
		got.byKey[key] = r
		return nil
	})
	return got
}

func (got loaded) json(key string) string { return string(got.byKey[key].JSON) }

// write makes a file below dir and returns its path.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func wantOrder(t *testing.T, got loaded, want ...string) {
	t.Helper()
	if !slices.Equal(got.order, want) {
		t.Errorf("emitted %q, want %q", got.order, want)
	}
	if n := got.report.Resources; n != int64(len(want)) {
		t.Errorf("report counts %d resources, want %d", n, len(want))
	}
}

func TestLoadKeepsWhatWasWritten(t *testing.T) {
	t.Parallel()
	got := load(t, seed.LoadOptions{}, "testdata/people.ndjson")
	if got.err != nil {
		t.Fatal(got.err)
	}
	wantOrder(t, got, "Patient/ann", "Observation/weight.1", "Patient/bob")

	file, err := os.ReadFile("testdata/people.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(file), "\n")
	for i, key := range []string{"Patient/ann", "Observation/weight.1"} {
		if got.json(key) != lines[i] {
			t.Errorf("%s is\n%s, want\n%s", key, got.json(key), lines[i])
		}
	}
	const bob = `{"resourceType":"Patient","id":"bob","name":[{"family":"Two  Spaces","given":[null,"B"]}]}`
	if got.json("Patient/bob") != bob {
		t.Errorf("Patient/bob is\n%s, want\n%s", got.json("Patient/bob"), bob)
	}
	if want := map[string]int64{"Patient": 2, "Observation": 1}; !maps.Equal(got.report.ByType, want) {
		t.Errorf("by type %v, want %v", got.report.ByType, want)
	}
}

func TestLoadProblems(t *testing.T) {
	t.Parallel()
	const ok = `{"resourceType":"Patient","id":"ok"}`
	tests := []struct {
		name, file, content string
		want                string // the problem without the folder
		kept                []string
	}{
		{"syntax", "a.ndjson", ok + "\n{\"resourceType\":\"Patient\",\"id\":\"b\",}\n", "a.ndjson:2:", []string{"Patient/ok"}},
		{"duplicate member", "a.ndjson", `{"resourceType":"Patient","id":"b","id":"c"}`, "a.ndjson:1:", nil},
		{"no resourceType", "a.ndjson", `{"id":"b"}` + "\n" + ok, "a.ndjson:1:1: the resource has no resourceType", []string{"Patient/ok"}},
		{"unknown resourceType", "a.ndjson", `{"resourceType":"Pateint","id":"b"}`, `a.ndjson:1:17: FHIR R4 has no resource type "Pateint"`, nil},
		{"resourceType no string", "a.ndjson", `{"resourceType":7}`, "a.ndjson:1:17: resourceType is a string, this is of kind number", nil},
		{"no object", "a.ndjson", `[]`, "a.ndjson:1:1: a resource is a JSON object, this is of kind array", nil},
		{"no id", "a.ndjson", `{"resourceType":"Patient"}`, "a.ndjson:1:1: Patient has no id", nil},
		{"ill-formed id", "a.ndjson", `{"resourceType":"Patient","id":"a_b"}`, `a.ndjson:1:32: Patient id "a_b" is not 1 to 64 letters, digits, hyphens and dots`, nil},
		{"long id", "a.ndjson", `{"resourceType":"Patient","id":"` + strings.Repeat("a", 65) + `"}`, "a.ndjson:1:32: Patient id", nil},
		{"id no string", "a.ndjson", `{"resourceType":"Patient","id":1}`, "a.ndjson:1:32: Patient id is a string, this is of kind number", nil},
		{"duplicate", "a.ndjson", ok + "\n\n" + ok, "a.ndjson:3:1: Patient/ok stands in this load already: DIR/a.ndjson:1", []string{"Patient/ok"}},
		{"refused by emit's check", "a.ndjson", `{"resourceType":"Basic","id":"b"}` + "\n" + ok, "a.ndjson:1:1: Basic/b: not today", []string{"Patient/ok"}},
		{"long line", "a.ndjson", ok + "\n" + strings.Repeat(" ", 200_000) + "\n" + `{"resourceType":"Patient","id":"b"}`,
			"a.ndjson:2: the line is longer than 150000 bytes", []string{"Patient/ok", "Patient/b"}},
		{"JSON with a line of its own", "a.json", "{\n  \"resourceType\": \"Patient\",\n  \"id\": \"a b\"\n}", `a.json:3:9: Patient id "a b"`, nil},
		{"empty JSON file", "a.json", "", "a.json:1:1: ", nil},
		{"huge JSON file", "a.json", ok + strings.Repeat(" ", 300_000), "a.json: the file is larger than 250000 bytes", nil},
		{"no gzip", "a.ndjson.gz", ok, "a.ndjson.gz: not gzip data", nil},
		{"empty gzip", "a.ndjson.gz", "", "a.ndjson.gz: not gzip data", nil},
		{"no zip", "a.zip", ok, "a.zip: not a zip archive", nil},
		{"no tar", "a.tar", strings.Repeat("x", 1024), "a.tar: not a tar archive", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := write(t, dir, test.file, test.content)
			types := func(s string) bool { return s == "Patient" || s == "Basic" }
			refuse := func(typ string, _ []byte) error {
				if typ == "Basic" {
					return errors.New("not today")
				}
				return nil
			}
			opts := seed.LoadOptions{IsResourceType: types, Validate: refuse, MaxLine: 150_000, MaxDocument: 250_000}
			want := filepath.Join(dir, strings.ReplaceAll(test.want, "DIR", dir))

			got := load(t, opts, p)
			var problem seed.LoadProblem
			if !errors.As(got.err, &problem) || !strings.HasPrefix(problem.Error(), want) {
				t.Errorf("error %v, want %s…", got.err, want)
			}

			opts.KeepGoing = true
			got = load(t, opts, p)
			if got.err != nil {
				t.Fatalf("with KeepGoing: %v", got.err)
			}
			wantOrder(t, got, test.kept...)
			if got.report.Bad != 1 || len(got.report.Problems) != 1 || !strings.HasPrefix(got.report.Problems[0].Error(), want) {
				t.Errorf("report %+v, want one problem %s…", got.report, want)
			}
		})
	}
}

func TestLoadStopsAtTheFirstProblem(t *testing.T) {
	t.Parallel()
	got := load(t, seed.LoadOptions{}, "testdata/badline3.ndjson")
	wantOrder(t, got, "Patient/p1", "Patient/p2")
	if got.err == nil || !strings.HasPrefix(got.err.Error(), "testdata/badline3.ndjson:3:36: ") {
		t.Errorf("error %v, want one at 3:36", got.err)
	}
}

func TestLoadListsSomeProblemsAndCountsAll(t *testing.T) {
	t.Parallel()
	p := write(t, t.TempDir(), "bad.ndjson", strings.Repeat("x\n", 3*seed.MaxListed))
	got := load(t, seed.LoadOptions{KeepGoing: true}, p)
	if got.report.Bad != 3*seed.MaxListed || len(got.report.Problems) != seed.MaxListed {
		t.Errorf("counted %d and listed %d, want %d and %d", got.report.Bad, len(got.report.Problems), 3*seed.MaxListed, seed.MaxListed)
	}
}

// A pattern that a shell expands names package.json too.
func TestLoadOfNamedJSONThatIsNotFHIR(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got := load(t, seed.LoadOptions{}, write(t, dir, "package.json", `{"name":"x"}`), write(t, dir, "list.json", `[1]`), "testdata/people.ndjson")
	if got.err != nil || got.report.SkippedBy["JSON without a resourceType"] != 2 || got.report.Resources != 3 {
		t.Errorf("got %v and %+v, want two files passed over and three resources", got.err, got.report)
	}
}

func TestLoadOfADirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	patient := func(id string) string { return fmt.Sprintf(`{"resourceType":"Patient","id":"%s"}`, id) }
	write(t, dir, "b.ndjson", patient("3"))
	write(t, dir, "a.json", patient("1"))
	write(t, dir, "a/z.jsonl", patient("4"))
	write(t, dir, "a/y.JSON", "\xef\xbb\xbf"+patient("5"))
	write(t, dir, "practitionerInformation1.json", patient("2"))
	write(t, dir, "package.json", `{"name":"x"}`)
	write(t, dir, ".index.json", `{}`)
	write(t, dir, ".git/x.json", patient("9"))
	write(t, dir, "p.xml", "<x/>")
	write(t, dir, "LICENSE", "")
	write(t, dir, "logo.png", "")
	if err := os.Symlink("b.ndjson", filepath.Join(dir, "c.ndjson")); err != nil {
		t.Fatal(err)
	}
	got := load(t, seed.LoadOptions{KeepGoing: true}, dir)
	wantOrder(t, got, "Patient/2", "Patient/1", "Patient/3", "Patient/5", "Patient/4")
	if got.report.Bad != 1 || !strings.Contains(got.report.Problems[0].Error(), "c.ndjson:1:1: Patient/3 stands in this load already") {
		t.Errorf("problems %v, want the link's duplicate", got.report.Problems)
	}
	want := map[string]int64{"JSON without a resourceType": 1, "hidden file": 2, "XML": 1, "other file": 1, "other file (.png)": 1}
	if !maps.Equal(got.report.SkippedBy, want) || got.report.Skipped != 6 {
		t.Errorf("skipped %v (%d), want %v", got.report.SkippedBy, got.report.Skipped, want)
	}
}

func TestLoadOfPathsThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, p := range map[string]string{
		"missing":                     filepath.Join(dir, "none.ndjson"),
		"of an unknown kind":          write(t, dir, "notes.txt", "x"),
		"standard input without one":  "-",
		"XML, named by the caller":    write(t, dir, "p.xml", "<x/>"),
		"a directory that is missing": filepath.Join(dir, "none"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := load(t, seed.LoadOptions{KeepGoing: true}, "testdata/people.ndjson", p)
			var problem seed.LoadProblem
			if !errors.As(got.err, &problem) || problem.File != p || len(got.order) != 0 {
				t.Errorf("error %v after %d resources, want one about %s before the first", got.err, len(got.order), p)
			}
		})
	}
	_, err := seed.Load(t.Context(), []string{filepath.Join(dir, "none")}, seed.LoadOptions{}, nil)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v does not wrap os.ErrNotExist", err)
	}
}

func TestLoadEndsWithEmit(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	tests := []struct {
		name  string
		give  error
		stops bool
		bad   int64
	}{
		{"refusal of a resource", &seed.ResourceError{Err: full}, false, 3},
		{"wrapped refusal", fmt.Errorf("put: %w", &seed.ResourceError{Err: full}), false, 3},
		{"any other error", full, true, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			report, err := seed.Load(t.Context(), []string{"testdata/people.ndjson"}, seed.LoadOptions{KeepGoing: true},
				func(seed.Resource) error { return test.give })
			if (err != nil) != test.stops || test.stops && !errors.Is(err, full) || report.Bad != test.bad || report.Resources != 0 {
				t.Errorf("error %v, report %+v", err, report)
			}
			for _, p := range report.Problems {
				if !errors.Is(p, full) {
					t.Errorf("%v does not wrap the cause", p)
				}
			}
		})
	}
}

func TestLoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	report, err := seed.Load(ctx, []string{"-"}, seed.LoadOptions{KeepGoing: true, Stdin: patients(100_000)},
		func(seed.Resource) error {
			if n++; n == 10 {
				cancel()
			}
			return nil
		})
	if !errors.Is(err, context.Canceled) || report.Resources > 10_000 || report.Bad != 0 {
		t.Errorf("error %v after %d resources, want the end soon after 10", err, report.Resources)
	}
}

func TestLoadKeepInstants(t *testing.T) {
	t.Parallel()
	asOf := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	for written, want := range map[string]time.Time{
		"2024-05-06T07:08:09.1234567+02:00": time.Date(2024, 5, 6, 5, 8, 9, 123e6, time.UTC),
		"2025-01-02T03:04:05Z":              asOf,
		"2025-01-02T03:04:06Z":              {},
		"2024-05-06":                        {},
		"2024-05-06T7:08:09.00Z":            {},
		"2024-05-06T07:08:09,5Z":            {},
		"":                                  {},
	} {
		t.Run(written, func(t *testing.T) {
			t.Parallel()
			line := `{"resourceType":"Patient","id":"a","meta":{"lastUpdated":"` + written + `"}}`
			p := write(t, t.TempDir(), "a.ndjson", line)
			got := load(t, seed.LoadOptions{KeepInstants: true, AsOf: asOf}, p)
			if at := got.byKey["Patient/a"].At; !at.Equal(want) || got.json("Patient/a") != line {
				t.Errorf("At is %v, want %v; JSON %s", at, want, got.json("Patient/a"))
			}
			if got = load(t, seed.LoadOptions{AsOf: asOf}, p); !got.byKey["Patient/a"].At.IsZero() {
				t.Errorf("At is %v without KeepInstants", got.byKey["Patient/a"].At)
			}
		})
	}
}

func TestLoadTellsProgress(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.ndjson", `{"resourceType":"Patient","id":"1"}`)
	write(t, dir, "b.json", `{"resourceType":"Patient","id":"2"}`)
	var all []seed.Progress
	load(t, seed.LoadOptions{Progress: func(p seed.Progress) { all = append(all, p) }}, dir)
	last := all[len(all)-1]
	want := seed.Progress{File: filepath.Join(dir, "b.json"), BytesRead: 70, BytesTotal: 70, Resources: 2}
	if last != want || all[0].File != filepath.Join(dir, "a.ndjson") {
		t.Errorf("told %+v, want %+v in the end", all, want)
	}
	load(t, seed.LoadOptions{Stdin: patients(1), Progress: func(p seed.Progress) { last = p }}, "-")
	if last.BytesTotal != -1 || last.File != "-" {
		t.Errorf("told %+v of standard input, want an unknown total", last)
	}
}
