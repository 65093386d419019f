package cli

import (
	"github.com/spf13/cobra"
)

func (p *program) tokenCommand() *cobra.Command {
	var flags clientFlags
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Obtain an access token and print it",
		Long: `Obtain an access token with SMART Backend Services and print it, and nothing else, so that it
can be used in place:

  curl -H "Authorization: Bearer $(` + p.name + ` token)" \
      http://127.0.0.1:8080/fhir/Patient`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.connect(flags)
			if err != nil {
				return err
			}
			token, err := c.accessToken(cmd.Context())
			if err != nil {
				return err
			}
			return p.printf("%s\n", token)
		},
	}
	flags.add(cmd.Flags())
	return cmd
}
