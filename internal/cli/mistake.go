package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sandfhir/sandfhir/internal/nearest"
)

// didYouMean returns the name nearest to word as a question, "" where none is near. format
// says how a name is shown.
func didYouMean(word string, names []string, format string) string {
	name := nearest.Name(word, names)
	if name == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean "+format+"?", name)
}

// flagError says what is wrong with a flag in the words of the other mistakes.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
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
		return usagef("there is no flag --%s%s", name, didYouMean(name, names, "--%s"))
	case errors.As(err, &missing):
		return usagef("--%s needs a value", missing.GetSpecifiedName())
	}
	return usagef("%v", err)
}
