package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sandfhir/sandfhir/internal/validation"
	"github.com/sandfhir/sandfhir/internal/workspace"
	"github.com/sandfhir/sandfhir/seed"
)

// A LoadReport is what came of WithLoad.
type LoadReport struct {
	Resources int64            // loaded
	ByType    map[string]int64 // Resources by resource type

	Bad      int64         // lines, entries and files that were not loaded
	Problems []LoadProblem // the first hundred of them

	Warned   int64         // references that could not be resolved
	Warnings []LoadProblem // the first hundred of them

	Skipped   int64            // files and entries that are no data
	SkippedBy map[string]int64 // Skipped by reason

	// AlreadyLoaded are the files that were passed over because the data
	// directory was loaded with them before; see WithLoadAgain.
	AlreadyLoaded []string
}

// A LoadProblem is one mistake in the data of WithLoad, and its place. New's
// error is one where a load fails; find it with errors.As.
type LoadProblem struct {
	File   string // as given, with the member of an archive after a "!"
	Line   int    // from 1; 0 where the file as a whole is meant
	Column int    // in bytes from 1; 0 where the line as a whole is meant
	Reason string

	cause error
}

// Unwrap returns the cause, such as fs.ErrNotExist, or nil.
func (p LoadProblem) Unwrap() error { return p.cause }

// Error returns "file:line:column: reason".
func (p LoadProblem) Error() string {
	switch {
	case p.Line == 0:
		return fmt.Sprintf("%s: %s", p.File, p.Reason)
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Reason)
}

// LoadProgress is how far a load is.
type LoadProgress struct {
	File       string // being read
	BytesRead  int64  // of the files as they lie on disk
	BytesTotal int64  // of all files; -1 where unknown
	Resources  int64  // loaded so far
	Bad        int64  // so far
}

// Loaded tells what WithLoad has loaded.
func (w *World) Loaded() LoadReport { return w.loaded }

// fill opens the sandbox environment's data, which builds them where that was
// never done, and loads into them what WithLoad names.
func (w *World) fill(ctx context.Context, env *workspace.Environment) (LoadReport, error) {
	if _, err := env.Data(ctx); err != nil || len(w.server.cfg.load) == 0 {
		return LoadReport{}, err
	}
	opts := w.loadOptions()
	var before *loadedFiles
	if dir := env.Dir(); dir != "" {
		var err error
		if before, err = readLoadedFiles(dir); err != nil {
			return LoadReport{}, fmt.Errorf("load: %w", err)
		}
		opts.Known = func(f seed.File) bool { return !w.server.cfg.loadAgain && before.have(f) }
	}
	report, err := env.Load(ctx, w.server.cfg.load, opts)
	if err == nil && len(report.Files) > 0 {
		err = before.add(report.Files, w.workspace.Wall.Now())
	}
	if err != nil {
		return LoadReport{}, fmt.Errorf("load: %w", loadError(err))
	}
	return newLoadReport(report), nil
}

// Load adds data to those of the environment, all of it or, where the error is not
// nil, nothing: NDJSON, or a Bundle or a single resource as JSON. What is there
// already under the same ids gets another version. Conditional references such as
// Practitioner?identifier=… are resolved within the load. The error is a
// LoadProblem where the data are at fault.
func (e *Environment) Load(ctx context.Context, data []byte) (LoadReport, error) {
	report, err := e.inner().LoadText(ctx, data, seed.LoadOptions{})
	if err != nil {
		return LoadReport{}, fmt.Errorf("sandbox: load: %w", loadError(err))
	}
	return newLoadReport(report), nil
}

// Load is Environment.Load of the sandbox environment.
func (w *World) Load(ctx context.Context, data []byte) (LoadReport, error) {
	return w.sandbox.Load(ctx, data)
}

// Counts returns how many resources of each type the environment has; types of
// which there are none are left out.
func (e *Environment) Counts(ctx context.Context) (map[string]int64, error) {
	counts, err := e.inner().Counts(ctx)
	if err != nil {
		return nil, fmt.Errorf("sandbox: count resources: %w", err)
	}
	return counts, nil
}

// Counts is Environment.Counts of the sandbox environment.
func (w *World) Counts(ctx context.Context) (map[string]int64, error) { return w.sandbox.Counts(ctx) }

// refill is fill for a new beginning of the server's own world.
func (s *Server) refill(ctx context.Context, env *workspace.Environment) error {
	if slices.Contains(s.cfg.load, "-") {
		return errors.New("the server was loaded from its standard input, which cannot be read again; take a snapshot behind the start, and restore that")
	}
	_, err := s.fill(ctx, env)
	return err
}

func (w *World) loadOptions() seed.LoadOptions {
	opts := seed.LoadOptions{KeepGoing: w.server.cfg.keepGoing, Stdin: w.server.cfg.stdin}
	if w.server.cfg.judgeLoad {
		opts.Validate = validLine
	}
	if f := w.server.cfg.progress; f != nil {
		opts.Progress = func(p seed.Progress) {
			f(LoadProgress{File: p.File, BytesRead: p.BytesRead, BytesTotal: p.BytesTotal, Resources: p.Resources, Bad: p.Bad})
		}
	}
	return opts
}

// validLine judges a resource of a load by FHIR R4. The place of an issue within
// the resource is its expression: the line's is the load's to tell.
func validLine(_ string, json []byte) error {
	issues := validation.R4().Validate(json, validation.Options{ErrorsOnly: true})
	if len(issues) == 0 {
		return nil
	}
	return errors.New((&validation.InvalidError{Issues: issues}).Reason())
}

// loadError puts this package's problem in the place of the loader's.
func loadError(err error) error {
	var problem seed.LoadProblem
	if errors.As(err, &problem) {
		return newLoadProblem(problem)
	}
	return err
}

func newLoadReport(r seed.LoadReport) LoadReport {
	return LoadReport{
		Resources: r.Resources, ByType: r.ByType,
		Bad: r.Bad, Problems: newLoadProblems(r.Problems),
		Warned: r.Warned, Warnings: newLoadProblems(r.Warnings),
		Skipped: r.Skipped, SkippedBy: r.SkippedBy,
		AlreadyLoaded: paths(r.Known),
	}
}

func paths(files []seed.File) []string {
	var list []string
	for _, f := range files {
		list = append(list, f.Path)
	}
	return list
}

func newLoadProblems(list []seed.LoadProblem) []LoadProblem {
	var out []LoadProblem
	for _, p := range list {
		out = append(out, newLoadProblem(p))
	}
	return out
}

func newLoadProblem(p seed.LoadProblem) LoadProblem {
	return LoadProblem{File: p.File, Line: p.Line, Column: p.Column, Reason: p.Reason, cause: p.Unwrap()}
}
