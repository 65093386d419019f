package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// helpWidth is how wide help is printed, in columns.
const helpWidth = 80

// help prints what a command is for and how it is used.
func (p *program) help(cmd *cobra.Command, _ []string) {
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	about = strings.ReplaceAll(about, "\n  sandfhir ", "\n  "+p.name+" ") // the examples, as they can be typed here
	fmt.Fprintf(p.stdout, "%s\n\n%s", strings.TrimRight(wrap(about, helpWidth), "\n"), usageText(cmd))
}

// usageText is how a command line is written.
func usageText(cmd *cobra.Command) string {
	var b strings.Builder
	b.WriteString("Usage:\n  " + cmd.UseLine() + "\n")
	if cmd.HasAvailableSubCommands() {
		b.WriteString("  " + cmd.DisplayName() + " COMMAND\n" + commandList(cmd))
	}
	flags := cmd.Flags()
	flags.AddFlagSet(cmd.InheritedFlags())
	b.WriteString("\nFlags:\n" + flags.FlagUsagesWrapped(helpWidth))
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%q tells more about a command.\n", cmd.DisplayName()+" COMMAND --help")
	}
	return b.String()
}

// commandList lists the commands in the order in which people come to need them.
func commandList(cmd *cobra.Command) string {
	groups := []struct {
		title string
		names []string
	}{
		{"The server", []string{"serve", "load", "evolve", "state", "tail", "config", "healthcheck"}},
		{"A client of it", []string{"token", "get", "export"}},
		{"Your own client", []string{"keygen", "doctor", "diff", "seed"}},
		{"Other", nil}, // what no group names
	}
	named := map[string]*cobra.Command{}
	padding := 0
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			named[c.Name()] = c
			padding = c.NamePadding()
		}
	}
	var b strings.Builder
	for _, group := range groups {
		if group.names == nil {
			group.names = slices.Sorted(maps.Keys(named))
		}
		b.WriteString("\n" + group.title + ":\n")
		for _, name := range group.names {
			if c := named[name]; c != nil {
				fmt.Fprintf(&b, "  %-*s  %s\n", padding, name, c.Short)
				delete(named, name)
			}
		}
	}
	return b.String()
}

// wrap breaks the lines of paragraphs anew, so that none is wider than width
// where a space allows it. Lines that begin with a space stay as they are.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == ' ' {
			if column > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(line + "\n")
			column = 0
			continue
		}
		for _, word := range strings.Fields(line) {
			n := len([]rune(word))
			switch {
			case column > 0 && column+1+n > width:
				b.WriteByte('\n')
				column = 0
			case column > 0:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += n
		}
	}
	return b.String()
}
