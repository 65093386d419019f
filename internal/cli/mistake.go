package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sandfhir/sandfhir/internal/nearest"
)

// didYouMean returns the name nearest to word as a question. Where none is near it says what
// command's help has the names, unless that is "". format says how a name is shown.
func didYouMean(word string, names []string, format, command string) string {
	if name := nearest.Name(word, names); name != "" {
		return fmt.Sprintf("; did you mean "+format+"?", name)
	}
	if command == "" {
		return ""
	}
	return seeHelp(command)
}

func seeHelp(command string) string { return "; see: " + command + " --help" }

// flagError says what is wrong with a flag in the words of the other mistakes.
func (p *program) flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	command := p.name
	if cmd.HasParent() {
		command += " " + cmd.Name()
	}
	switch {
	case errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1:
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name := unknown.GetSpecifiedName()
		for _, s := range settingsTable() {
			if s.name == name && s.places&byFlag == 0 {
				return usagef("there is no flag --%s; set %s", name, s.env())
			}
		}
		return usagef("there is no flag --%s%s", name, didYouMean(name, names, "--%s", command))
	case errors.As(err, &missing):
		return usagef("--%s needs a value", missing.GetSpecifiedName())
	case errors.As(err, &unknown):
		return usagef("%v%s", err, seeHelp(command))
	}
	return usagef("%v", err)
}
