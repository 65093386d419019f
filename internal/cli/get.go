package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) getCommand() *cobra.Command {
	var flags clientFlags
	cmd := &cobra.Command{
		Use:   "get PATH",
		Short: "Read from the FHIR server and print the answer",
		Long: `Read a PATH below the FHIR base with an access token and print the answer, for example
Patient?_count=5 or metadata. A PATH that begins with a slash is one below the server's root, such
as /fhir/Patient or /production/fhir/metadata. A URL will do as well if it is of this server.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("get takes one PATH, such as Patient?_count=5; it got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := p.connect(flags)
			if err != nil {
				return err
			}
			target, err := c.resolve(args[0])
			if err != nil {
				return err
			}
			err = c.get(cmd.Context(), target)
			var refused *refusal
			if path, ok := strings.CutPrefix(args[0], "/"); ok && errors.As(err, &refused) && refused.code == http.StatusNotFound && !strings.HasPrefix(args[0], fhirPath+"/") {
				refused.lines = append(refused.lines, [2]string{"note", "without the slash it is below the FHIR base: " + p.name + " get " + shellWord(path)})
			}
			return err
		},
	}
	flags.add(cmd.Flags())
	return cmd
}

// resolve makes a URL of what was typed: a path below the FHIR base, one from the host's root,
// or a URL. A token goes to no other host than the FHIR server's.
func (c *client) resolve(typed string) (string, error) {
	base, err := url.Parse(c.fhir + "/")
	if err != nil {
		return "", err
	}
	root, isRoot := strings.CutSuffix(c.fhir, fhirPath)
	address := typed
	switch rest, here := below(typed, c.local); {
	case c.local != "" && here: // where it listens, not what it says that its URL is
		address = root + rest
	case isRoot && strings.HasPrefix(typed, "/") && !strings.HasPrefix(typed, "//") && !strings.HasPrefix(typed, base.Path):
		address = root + typed
	}
	target, err := url.Parse(address)
	if err != nil {
		return "", usagef("%q is neither a path nor a URL", typed)
	}
	if !target.IsAbs() && !strings.HasPrefix(typed, "/") {
		if target, err = url.Parse(c.fhir + "/" + typed); err != nil {
			return "", usagef("%q is neither a path nor a URL", typed)
		}
	}
	target = base.ResolveReference(target)
	if target.Scheme != base.Scheme || target.Host != base.Host {
		return "", usagef("%s is not at %s://%s, and the token is for nobody else", typed, base.Scheme, base.Host)
	}
	target.RawQuery = strings.ReplaceAll(target.RawQuery, " ", "%20")
	return target.String(), nil
}

func (c *client) get(ctx context.Context, target string) error {
	resp, err := c.fetch(ctx, http.MethodGet, target, http.Header{"Accept": {"application/fhir+json"}}, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return refusalOf("GET "+target, resp)
	}
	if onTerminal(c.program.stdout) {
		return c.show(resp)
	}
	last := &lastByte{}
	if _, err := io.Copy(io.MultiWriter(c.program.stdout, last), resp.Body); err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	if last.b != 0 && last.b != '\n' {
		return c.program.printf("\n")
	}
	return nil
}

// show prints an answer for a person to read: JSON indented, all else as it is.
func (c *client) show(resp *http.Response) error {
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	var indented bytes.Buffer
	if json.Indent(&indented, data, "", "  ") == nil {
		data = indented.Bytes()
	}
	return c.program.printf("%s\n", bytes.TrimRight(data, "\n"))
}

// A lastByte remembers the last byte written to it.
type lastByte struct{ b byte }

func (l *lastByte) Write(p []byte) (int, error) {
	if len(p) > 0 {
		l.b = p[len(p)-1]
	}
	return len(p), nil
}
