package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sandfhir/sandfhir/sandbox"
	"github.com/sandfhir/sandfhir/seed"
)

func (p *program) seedCommand() *cobra.Command {
	population := seed.Population{Seed: 1, Patients: 100}
	var out, richness string
	cmd := &cobra.Command{
		Use:   "seed --out DIR",
		Short: "Write a sample population as NDJSON, one file a type",
		Long: `Write a sample population into a directory as NDJSON, one file a type, without a server: the same
bytes for the same numbers, and the same that a server would serve, with meta.versionId and
meta.lastUpdated. Memory stays flat whatever the size.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usagef("seed needs --out DIR, the directory to write to")
			}
			var err error
			if population.Richness, err = parseRichness(richness); err != nil {
				return usagef("--richness: %v", err)
			}
			if err := population.Validate(); err != nil {
				return usagef("%v", err)
			}
			return p.seed(cmd.Context(), population, out)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&out, "out", "", "`DIR` to write to; it must be empty or not exist")
	cmd.Flags().IntVar(&population.Patients, "patients", population.Patients, "how many patients, `N`")
	cmd.Flags().Uint64Var(&population.Seed, "seed", population.Seed, "seed, `N`: the same seed makes the same people")
	cmd.Flags().StringVar(&richness, "richness", "usual", "how much is known of people: small, usual or full")
	cmd.Flags().IntVar(&population.Days, "days", 0, "how many `DAYS` the population has moved on, as evolve does it")
	return cmd
}

// parseRichness reads a degree of richness. No name is the usual one.
func parseRichness(name string) (seed.Richness, error) {
	switch name {
	case "", "usual":
		return seed.Usual, nil
	case string(seed.Small), string(seed.Full):
		return seed.Richness(name), nil
	}
	return "", fmt.Errorf("%q is not small, usual or full", name)
}

// richnessOf is parseRichness of what was parsed before.
func richnessOf(name string) sandbox.Richness {
	r, _ := parseRichness(name)
	return sandbox.Richness(r)
}

// seed writes a population into the directory, and counts it.
func (p *program) seed(ctx context.Context, population seed.Population, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return usagef("%s is not empty; name a directory that is, or that does not exist", dir)
	}
	w := &ndjsonWriter{dir: dir, files: map[string]*ndjsonFile{}}
	m := newCountMeter(p.stderr, "generating", int64(population.Patients))
	patients := 0
	err = population.Generate(ctx, func(r seed.Resource) error {
		if r.Type == "Patient" {
			patients++
			m.set(int64(patients), "")
		}
		return w.write(r)
	})
	m.finish()
	if err = errors.Join(err, w.close()); err != nil {
		return err
	}
	for _, typ := range slices.Sorted(maps.Keys(w.files)) {
		if err := p.printf("%8d %s.ndjson\n", w.files[typ].lines, typ); err != nil {
			return err
		}
	}
	return nil
}

// An ndjsonWriter writes resources to a file for each type.
type ndjsonWriter struct {
	dir   string
	files map[string]*ndjsonFile
	line  []byte
}

type ndjsonFile struct {
	file  fs.File
	out   *bufio.Writer
	lines int
}

// metaStart is where the meta of every resource of a population begins.
var metaStart = []byte(`"meta":{`)

// write writes a resource with the version and instant that a store would give it.
func (w *ndjsonWriter) write(r seed.Resource) error {
	f := w.files[r.Type]
	if f == nil {
		file, err := os.OpenFile(filepath.Join(w.dir, r.Type+".ndjson"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		f = &ndjsonFile{file: file, out: bufio.NewWriterSize(file, 1<<17)}
		w.files[r.Type] = f
	}
	at := bytes.Index(r.JSON, metaStart)
	if at < 0 {
		return fmt.Errorf("%s/%s has no meta", r.Type, r.ID)
	}
	at += len(metaStart)
	w.line = append(w.line[:0], r.JSON[:at]...)
	w.line = append(w.line, `"versionId":"1","lastUpdated":"`...)
	w.line = r.At.AppendFormat(w.line, "2006-01-02T15:04:05.000Z07:00")
	w.line = append(w.line, `",`...)
	w.line = append(w.line, r.JSON[at:]...)
	w.line = append(w.line, '\n')
	f.lines++
	_, err := f.out.Write(w.line)
	return err
}

// close writes what is left and closes the files.
func (w *ndjsonWriter) close() error {
	var errs []error
	for _, f := range w.files {
		errs = append(errs, f.out.Flush(), f.file.Close())
	}
	return errors.Join(errs...)
}
