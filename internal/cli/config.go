package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (p *program) configCommand() *cobra.Command {
	table := settingsTable()
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print every setting, its value and where it came from",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.resolve(table, cmd.Flags())
			if err != nil {
				return err
			}
			return p.printSettings(settingsTable(), r)
		},
	}
	cmd.Flags().SortFlags = false
	addFlags(cmd.Flags(), table)
	return cmd
}

// printSettings prints the settings in the order of the table, secrets masked.
func (p *program) printSettings(table []setting, r resolved) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for i := range table {
		s := &table[i]
		o := r.origins[s.name]
		value := strings.Join(o.values, ", ")
		switch {
		case s.secret && value != "":
			value = "********"
		case len(o.values) == 0:
			value = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", s.name, value, o.from)
	}
	return w.Flush()
}
