package sandbox_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

func file(tb testing.TB, name string, lines ...string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

const (
	patientLine   = `{"resourceType":"Patient","id":"loaded","name":[{"family":"Load"}]}`
	encounterLine = `{"resourceType":"Encounter","id":"loaded","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/loaded"}}`
	unknownLine   = `{"resourceType":"Patientt","id":"loaded"}`
)

func TestWithLoad(t *testing.T) {
	t.Parallel()
	var progress []sandbox.LoadProgress
	sb := start(t,
		sandbox.WithLoad(file(t, "patients.ndjson", patientLine)),
		sandbox.WithLoad("-"), sandbox.WithStdin(strings.NewReader(encounterLine)),
		sandbox.WithLoadProgress(func(p sandbox.LoadProgress) { progress = append(progress, p) }))
	report := sb.Loaded()
	if report.Resources != 2 || !maps.Equal(report.ByType, map[string]int64{"Patient": 1, "Encounter": 1}) || report.Bad != 0 {
		t.Errorf("got %+v, want a Patient and an Encounter", report)
	}
	if len(progress) == 0 || progress[len(progress)-1].Resources != 2 {
		t.Errorf("got progress %+v, want two resources at the end", progress)
	}
	client := sb.DefaultClient().HTTPClient()
	expect(t, 200, client, "GET", sb.FHIRURL()+"/Patient/loaded", "")
	if got := total(t, client, sb.FHIRURL()+"/Encounter?patient=loaded&_summary=count"); got != 1 {
		t.Errorf("got %d Encounters of the patient, want 1", got)
	}
	if got := total(t, client, sb.FHIRURL()+"/Patient?_summary=count"); got != 3 {
		t.Errorf("got %d patients, want 2 of the population and 1 loaded", got)
	}
	production := register(t, sb.Production(), sandbox.ClientConfig{})
	expect(t, 404, production.HTTPClient(), "GET", production.FHIRURL()+"/Patient/loaded", "")
}

func TestWithLoadOfBadData(t *testing.T) {
	t.Parallel()
	const badID = `{"resourceType":"Patient","id":"no_id"}`
	for _, tt := range []struct {
		name string
		line string
		want string
	}{
		{"no JSON", `{"resourceType":`, "mixed.ndjson:2"},
		{"unknown type", unknownLine, "mixed.ndjson:2"},
		{"malformed id", badID, "mixed.ndjson:2"},
		{"meta that is no object", `{"resourceType":"Patient","id":"other","meta":"x"}`, "mixed.ndjson:2"},
		{"twice", patientLine, "mixed.ndjson:2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := file(t, "mixed.ndjson", patientLine, tt.line, encounterLine)
			sb, err := sandbox.New(t.Context(), sandbox.WithPatients(2), sandbox.WithLoad(path))
			var problem sandbox.LoadProblem
			if !errors.As(err, &problem) {
				t.Fatalf("got %v and %v, want a LoadProblem", sb, err)
			}
			if problem.Line != 2 || !strings.Contains(err.Error(), tt.want) || problem.Reason == "" {
				t.Errorf("got %+v, want line 2 and a reason", problem)
			}

			kept := start(t, sandbox.WithLoad(path), sandbox.WithKeepGoing())
			report := kept.Loaded()
			if report.Resources != 2 || report.Bad != 1 || len(report.Problems) != 1 || report.Problems[0].Line != 2 {
				t.Errorf("got %+v, want two resources and the problem of line 2", report)
			}
		})
	}
}

// TestWithLoadValidation loads a line that is a resource and no valid one.
func TestWithLoadValidation(t *testing.T) {
	t.Parallel()
	const invalid = `{"resourceType":"Patient","id":"bad","birthdate":"1980","gender":"f"}`
	const wanted = "Patient/bad: Patient.birthdate is no element of Patient in FHIR R4; did you mean birthDate?; and one more issue"
	path := file(t, "mixed.ndjson", patientLine, invalid, encounterLine)

	_, err := sandbox.New(t.Context(), sandbox.WithPatients(0), sandbox.WithLoad(path), sandbox.WithLoadValidation())
	var problem sandbox.LoadProblem
	if !errors.As(err, &problem) || problem.File != path || problem.Line != 2 || problem.Reason != wanted {
		t.Errorf("got %v, want line 2 of %s and %q", err, path, wanted)
	}
	kept := start(t, sandbox.WithLoad(path), sandbox.WithLoadValidation(), sandbox.WithKeepGoing()).Loaded()
	if kept.Resources != 2 || kept.Bad != 1 || len(kept.Problems) != 1 || kept.Problems[0].Line != 2 {
		t.Errorf("with KeepGoing: got %+v, want two resources and the problem of line 2", kept)
	}
	if taken := start(t, sandbox.WithLoad(path)).Loaded(); taken.Resources != 3 {
		t.Errorf("without validation: got %+v, want all three", taken)
	}
}

// TestValidatedWrites is about what a server's writes are judged by.
func TestValidatedWrites(t *testing.T) {
	t.Parallel()
	const invalid = `{"resourceType":"Patient","id":"mine","foo":1}`
	for name, c := range map[string]struct {
		opts   []sandbox.Option
		status int
	}{
		"by default":        {nil, 400},
		"WithoutValidation": {[]sandbox.Option{sandbox.WithoutValidation()}, 201},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := start(t, c.opts...)
			for _, client := range []*sandbox.Client{sb.DefaultClient(), register(t, sb.Production(), sandbox.ClientConfig{})} {
				expect(t, c.status, client.HTTPClient(), "PUT", client.FHIRURL()+"/Patient/mine", invalid, "Content-Type", "application/fhir+json")
			}
		})
	}
}

func TestWithLoadOfAMissingFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	opts := []sandbox.Option{sandbox.WithPatients(1), sandbox.WithDataDir(dir)}
	if _, err := sandbox.New(t.Context(), append(opts, sandbox.WithLoad(filepath.Join(dir, "absent.ndjson")))...); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want os.ErrNotExist", err)
	}
	start(t, opts...) // what failed has left the data directory free
}
