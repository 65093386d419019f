package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sandfhir/sandfhir/sandbox"
)

func (p *program) loadCommand() *cobra.Command {
	table := slices.DeleteFunc(settingsTable(), func(s setting) bool { return !s.loads })
	cmd := &cobra.Command{
		Use:   "load PATH…",
		Short: "Load NDJSON, JSON, directories and archives into a data directory",
		Long: `Load resources into the data directory that --data names.

A PATH is an NDJSON file (.ndjson, .jsonl), a Bundle or a resource (.json), either of them
gzipped (.gz), an archive of them (.tar, .tgz, .tar.gz, .zip), a directory of all these, or -
for NDJSON from standard input.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("load needs at least one PATH")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := p.resolve(table, cmd.Flags())
			if err != nil {
				return err
			}
			return p.load(cmd.Context(), r, args)
		},
	}
	cmd.Flags().SortFlags = false
	addFlags(cmd.Flags(), table)
	return cmd
}

// load puts what paths hold into the data directory, all or nothing unless it is to keep going.
func (p *program) load(ctx context.Context, r resolved, paths []string) error {
	if r.Data == "" {
		return usagef("load needs --data DIR, the directory to load into; a server takes --load PATH as well")
	}
	r.Load = paths
	if err := checkPaths("", paths); err != nil {
		return err
	}
	opts, err := p.options(r.Settings)
	if err != nil {
		return err
	}
	p.clearUp(ctx)
	server, err := p.open(ctx, r, append(opts, sandbox.WithLoadAgain()))
	if err != nil {
		return err
	}
	return server.Close()
}

// checkPaths finds paths to load that cannot be before anything else is done. named says where
// they were given.
func checkPaths(named string, paths []string) error {
	for _, path := range paths {
		if path == "-" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return usagef("%s%s: %v", named, path, reason(err))
		}
	}
	return nil
}

// open makes the server, and loads what it is to hold beside the population.
func (p *program) open(ctx context.Context, r resolved, opts []sandbox.Option) (*sandbox.Server, error) {
	opts = append(opts, sandbox.WithBuilding(p.building), sandbox.WithBuildProgress(p.buildProgress()))
	var m *meter
	if len(r.Load) > 0 {
		opts = append(opts, sandbox.WithLoad(r.Load...), sandbox.WithStdin(p.stdin), sandbox.WithLoadProgress(func(l sandbox.LoadProgress) {
			if m == nil {
				m = newMeter(p.stderr, "loading", l.BytesTotal)
			}
			m.set(l.BytesRead, filepath.Base(l.File))
		}))
	}
	server, err := sandbox.New(ctx, opts...)
	if m != nil {
		m.finish()
	}
	var problem sandbox.LoadProblem
	switch {
	case err == nil:
		p.reportPopulation(r, server)
		p.reportLoad(r.Settings, server.Loaded())
		return server, nil
	case errors.As(err, &problem):
		return nil, fmt.Errorf("nothing was loaded: %w", problem)
	case errors.Is(err, sandbox.ErrDataInUse):
		return nil, usagef("another process has the data directory %s", r.Data)
	case ctx.Err() != nil && len(r.Load) > 0:
		p.interrupted()
		p.note("interrupted: nothing was loaded")
	}
	return nil, err
}

// building says what takes a while.
func (p *program) building(b sandbox.Building) {
	once := "once on this machine"
	if !b.Cached {
		once = "at every start: no directory can be written to keep them"
	}
	p.note("%s", wrap(fmt.Sprintf("building %s: this takes a while, %s", countOf(int64(b.Patients), "sample patient"), once), helpWidth))
}

// shownBuilding is from how many patients on it is shown how far building is.
const shownBuilding = 1000

// buildProgress shows how far the building of a large population is.
func (p *program) buildProgress() func(sandbox.BuildProgress) {
	var m *meter
	return func(b sandbox.BuildProgress) {
		if b.Total < shownBuilding {
			return
		}
		if m == nil {
			m = newCountMeter(p.stderr, "building", int64(b.Total))
		}
		m.set(int64(b.Patients), "")
		if b.Patients == b.Total {
			m.finish()
			m = nil
			p.note("indexing")
		}
	}
}

// reportPopulation says that a data directory keeps the population it has, where another one was
// asked for.
func (p *program) reportPopulation(r resolved, server *sandbox.Server) {
	has, known := server.Population()
	if r.Data == "" || !known {
		return
	}
	var asked []string
	for name, differs := range map[string]bool{"patients": r.Patients != has.Patients, "seed": r.Seed != has.Seed, "richness": richnessOf(r.Richness) != has.Richness} {
		if o := r.origins[name]; differs && o.from != fromDefault {
			asked = append(asked, o.from+" "+strings.Join(o.values, " "))
		}
	}
	if slices.Sort(asked); len(asked) > 0 {
		p.note("%s keeps its %s of seed %d; passed over: %s", r.Data, countOf(int64(has.Patients), "sample patient"), has.Seed, strings.Join(asked, ", "))
	}
}

// reportLoad tells what was loaded and what was wrong with the rest.
func (p *program) reportLoad(s Settings, r sandbox.LoadReport) {
	if n := len(r.AlreadyLoaded); n > 0 {
		what := strings.Join(r.AlreadyLoaded, ", ")
		if n > maxNamed {
			what = countOf(int64(n), "file")
		}
		p.note("already loaded: %s\n  to load again, stop and run: %s", what, p.loadAgain(s))
	}
	switch {
	case r.Resources+r.Bad+r.Skipped > 0:
		p.note("loaded %s; bad: %d; skipped: %d", countOf(r.Resources, "resource"), r.Bad, r.Skipped)
	case len(s.Load) > 0 && len(r.AlreadyLoaded) == 0:
		p.note("nothing to load was found in %s", strings.Join(s.Load, ", "))
	}
	for _, problem := range r.Problems {
		p.note("  %v", problem)
	}
	if more := r.Bad - int64(len(r.Problems)); more > 0 {
		p.note("  and %d more", more)
	}
	for _, warning := range r.Warnings {
		p.note("  warning: %v", warning)
	}
	if more := r.Warned - int64(len(r.Warnings)); more > 0 {
		p.note("  and %d more", more)
	}
	for _, why := range slices.Sorted(maps.Keys(r.SkippedBy)) {
		p.note("  skipped %d: %s", r.SkippedBy[why], why)
	}
}

// maxNamed is how many files are named.
const maxNamed = 3

// loadAgain is the command line that loads what a start passed over.
func (p *program) loadAgain(s Settings) string {
	words := []string{p.name, "load", "--data", shellWord(s.Data)}
	for _, path := range s.Load {
		words = append(words, shellWord(path))
	}
	return strings.Join(words, " ")
}

func countOf(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
