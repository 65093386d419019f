package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// tailFlags narrow what is shown.
type tailFlags struct {
	fhir, client, path, status, check, environment, world string
	refused, json                                         bool
}

func (p *program) tailCommand() *cobra.Command {
	var f tailFlags
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show what clients ask of a running server, as it happens",
		Long: `Show what clients ask of a running server and what they get, as it happens, until it is stopped by
Ctrl-C or the server ends. A refusal comes with what was wrong, what to do, and the page that
explains it.

A server that listens on more than this machine asks for its admin token, in ` + envPrefix + `ADMIN_TOKEN.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := p.controlsOf(f.fhir)
			if err != nil {
				return err
			}
			return p.tail(cmd.Context(), at, f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&f.refused, "refused", false, "refusals only")
	flags.StringVar(&f.client, "client", "", "only of this `CLIENT_ID`")
	flags.StringVar(&f.path, "path", "", "only of this `PATH`, in which * is any text")
	flags.StringVar(&f.status, "status", "", "only of this `STATUS`, or of a class such as 4xx")
	flags.StringVar(&f.check, "check", "", "only where this `CHECK` failed or warned")
	flags.StringVar(&f.environment, "environment", "", "only of this `NAME`: sandbox or production")
	flags.StringVar(&f.world, "world", "", "of the workspace with this `NAME`")
	flags.BoolVar(&f.json, "json", false, "one JSON object a line")
	flags.StringVar(&f.fhir, "fhir", "", "FHIR base `URL` of the server; by default the one running here")
	return cmd
}

// url is where the events come from.
func (f tailFlags) url(root string) string {
	query := url.Values{}
	for name, value := range map[string]string{"client": f.client, "path": f.path, "status": f.status, "check": f.check, "environment": f.environment} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if f.refused {
		query.Set("refused", "true")
	}
	if f.world != "" {
		root += "/w/" + url.PathEscape(f.world)
	}
	return root + "/_sandbox/events?" + query.Encode()
}

// tail prints exchanges as a server tells of them. The end of the context is no
// error: somebody has seen enough.
func (p *program) tail(ctx context.Context, at controls, f tailFlags) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url(at.root), nil)
	if err != nil {
		return usagef("--fhir: %v", err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := at.ask(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer resp.Body.Close()
	if _, err := fmt.Fprintf(p.stderr, "Following %s; Ctrl-C ends it.\n", at.root); err != nil {
		return err
	}
	show := p.showExchange
	if f.json {
		show = func(data []byte) error { return p.printf("%s\n", data) }
	}
	err = eachEvent(resp.Body, show)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	}
	return errors.New("the server has ended")
}

// eachEvent calls f with the data of every server-sent event (HTML Standard).
func eachEvent(r io.Reader, f func(data []byte) error) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if data, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "data: "); ok {
			if err := f([]byte(data)); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// A shownExchange is an exchange as far as it is shown.
type shownExchange struct {
	ID, Kind, Environment, Method, URL, Client, Fault, Refusal, Counterfactual, Fix, Page string

	At      time.Time
	Seconds float64
	Status  int
	Failed  *struct{ ID, Text string }
}

// showExchange prints an exchange in a line, and a refusal with what to do.
func (p *program) showExchange(data []byte) error {
	var e shownExchange
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("an event is not what was expected: %w", err)
	}
	out := p.screen()
	status, style := "none", red
	if e.Status > 0 {
		status = strconv.Itoa(e.Status)
	}
	if e.Status > 0 && e.Status < 400 {
		style = green
	}
	line := fmt.Sprintf("%s %s %-4s %s", e.At.Local().Format(time.TimeOnly), out.style(style, status), e.Method, visible(e.path()))
	for _, more := range []string{e.Client, e.Kind, e.Fault} {
		if more != "" && more != "request" {
			line += "  " + visible(more)
		}
	}
	out.line(line + "  " + time.Duration(e.Seconds*float64(time.Second)).Round(100*time.Microsecond).String())
	if text := e.why(); text != "" {
		const margin = "  "
		out.paragraph(margin, len(margin), text)
		if e.Fix != "" {
			out.paragraph(margin+out.style(bold, "Fix")+" ", len(margin)+len("Fix "), e.Fix)
		}
		out.line(margin + visible(e.Page))
	}
	return out.err
}

// path is what was asked for; of a fetch it is the whole URL, since it is on
// another server.
func (e shownExchange) path() string {
	_, rest, _ := strings.Cut(e.URL, "://")
	i := strings.IndexByte(rest, '/')
	if e.Kind == "fetch" || i < 0 {
		return e.URL
	}
	return rest[i:]
}

// why is why it was refused, or "".
func (e shownExchange) why() string {
	if e.Failed != nil {
		return e.Failed.ID + ": " + strings.TrimSpace(e.Failed.Text+" "+e.Counterfactual)
	}
	return e.Refusal
}
