package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) evolveCommand() *cobra.Command {
	var fhir, environment string
	var days int
	cmd := &cobra.Command{
		Use:   "evolve",
		Short: "Move the sample population of a running server on by some days",
		Long: `Move the sample population of a running server on by some days: new visits, results and claims,
corrected observations, merged and erased records, members who leave a payer's group or join it,
and people who are registered. The same days bring the same, so that what a client makes of _since
and of deletions can be tested. The server's clock is not moved.

A server that listens on more than this machine asks for its admin token, in ` + envPrefix + `ADMIN_TOKEN.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 {
				return usagef("--days is %d; it has to be 1 or more", days)
			}
			at, err := p.controlsOf(fhir)
			if err != nil {
				return err
			}
			return p.evolve(cmd.Context(), at, days, environment)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().IntVar(&days, "days", 30, "how many `DAYS`; 730 in all")
	cmd.Flags().StringVar(&environment, "environment", "sandbox", "`NAME` of the environment: sandbox or production")
	cmd.Flags().StringVar(&fhir, "fhir", "", "FHIR base `URL` of the server; by default the one running here")
	return cmd
}

// evolve asks a server to move a population on, and prints what that did.
func (p *program) evolve(ctx context.Context, at controls, days int, environment string) error {
	body, err := json.Marshal(map[string]any{"days": days, "environment": environment})
	if err != nil {
		return err
	}
	target := at.root + "/_sandbox/data/evolve"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return usagef("--fhir: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := at.ask(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	var done struct {
		Day                       int
		Created, Updated, Deleted map[string]int
		Skipped                   int
	}
	if err := json.Unmarshal(answer, &done); err != nil {
		return fmt.Errorf("%s: the answer is not what was expected: %w", target, err)
	}
	if err := p.printf("The population has come to day %d.\n", done.Day); err != nil {
		return err
	}
	for _, what := range []struct {
		name string
		of   map[string]int
	}{{"created", done.Created}, {"updated", done.Updated}, {"deleted", done.Deleted}} {
		if err := p.printf("%s%s\n", what.name, counted(what.of)); err != nil {
			return err
		}
	}
	if done.Skipped > 0 {
		return p.printf("skipped %d, because somebody had deleted what they are about\n", done.Skipped)
	}
	return nil
}

// counted writes a count for each type, on lines of the usual width.
func counted(of map[string]int) string {
	total, parts := 0, make([]string, 0, len(of))
	for _, typ := range slices.Sorted(maps.Keys(of)) {
		total += of[typ]
		parts = append(parts, fmt.Sprintf("%s %d", typ, of[typ]))
	}
	if total == 0 {
		return " nothing"
	}
	return fmt.Sprintf(" %d:\n  %s", total, strings.ReplaceAll(wrap(strings.Join(parts, ", "), helpWidth-2), "\n", "\n  "))
}
