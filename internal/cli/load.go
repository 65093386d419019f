package cli

import (
	"context"
	"github.com/sandfhir/sandfhir/sandbox"
	"slices"

	"github.com/spf13/cobra"
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
			if err := p.checkEnvironment(settingsTable()); err != nil {
				return err
			}
			r, err := p.resolve(table, cmd.Flags())
			if err != nil {
				return err
			}
			return p.load(cmd.Context(), r.Settings, args)
		},
	}
	cmd.Flags().SortFlags = false
	addFlags(cmd.Flags(), table)
	return cmd
}

// load puts what paths hold into the data directory, all or nothing unless s.KeepGoing.
func (p *program) load(ctx context.Context, s Settings, paths []string) error {
	if s.Data == "" {
		return usagef("load needs --data DIR, the directory to load into; a server takes --load PATH as well")
	}
	s.Load = paths
	opts, err := p.options(s)
	if err != nil {
		return err
	}
	opts = append(opts, sandbox.WithLoadAgain())
	server, err := p.open(ctx, s, opts)
	if err != nil {
		return err
	}
	return server.Close()
}
