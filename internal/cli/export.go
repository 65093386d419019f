package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// exportFlags say what to export and where to.
type exportFlags struct {
	clientFlags
	types      []string
	typeFilter []string
	group      string
	patient    bool
	since      string
	out        string
}

func (p *program) exportCommand() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Run a bulk export and download its files",
		Long: `Run a bulk export (FHIR Bulk Data Access, $export) and download its files: of everything, of all
patients with --patient, or of a group with --group. Ctrl-C cancels the export on the server.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.export(cmd.Context(), flags) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringSliceVar(&flags.types, "type", nil, "resource `TYPE` to export; can be repeated")
	f.StringArrayVar(&flags.typeFilter, "type-filter", nil, "`TYPE?SEARCH` that resources of that type have to match; can be repeated")
	f.BoolVar(&flags.patient, "patient", false, "export all patients")
	f.StringVar(&flags.group, "group", "", "export the patients of the group with this `ID`")
	f.StringVar(&flags.since, "since", "", "only what changed after this `INSTANT`, such as 2026-01-02T03:04:05Z")
	f.StringVar(&flags.out, "out", "", "`DIR` for the files, new or empty; by default named after the export's instant")
	flags.clientFlags.add(f)
	return cmd
}

// kickOff returns the URL that starts the export.
func (f *exportFlags) kickOff(base string) (string, error) {
	level := "/$export"
	switch {
	case f.patient && f.group != "":
		return "", usagef("--patient and --group exclude each other")
	case f.patient:
		level = "/Patient/$export"
	case f.group != "":
		level = "/Group/" + url.PathEscape(f.group) + "/$export"
	}
	query := url.Values{}
	if len(f.types) > 0 {
		query.Set("_type", strings.Join(f.types, ","))
	}
	for _, filter := range f.typeFilter {
		query.Add("_typeFilter", filter)
	}
	if f.since != "" {
		if _, err := time.Parse(time.RFC3339, f.since); err != nil {
			return "", usagef("--since: %q is not an instant such as 2026-01-02T03:04:05Z", f.since)
		}
		query.Set("_since", f.since)
	}
	if len(query) > 0 {
		return base + level + "?" + query.Encode(), nil
	}
	return base + level, nil
}

func (p *program) export(ctx context.Context, f exportFlags) error {
	c, err := p.connect(f.clientFlags)
	if err != nil {
		return err
	}
	start, err := f.kickOff(c.fhir)
	if err != nil {
		return err
	}
	if err := emptyOrNew(f.out); err != nil {
		return err
	}
	status, err := c.startExport(ctx, start)
	if err != nil {
		return err
	}
	p.note("export started: %s", status)

	m, err := c.awaitManifest(ctx, status)
	if err == nil {
		err = c.download(ctx, m, f.out)
	}
	if err != nil && ctx.Err() != nil {
		p.interrupted()
		return errors.Join(ctx.Err(), c.cancelExport(ctx, status))
	}
	return err
}

// emptyOrNew refuses a folder that holds something: files of two exports in one place are
// neither.
func emptyOrNew(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usagef("--out: %v", err)
	case len(entries) > 0:
		return usagef("--out: %s is not empty", dir)
	}
	return nil
}

// startExport kicks the export off and returns its status URL (Bulk Data Access 2.0, Bulk Data
// Kick-off Request).
func (c *client) startExport(ctx context.Context, start string) (status string, err error) {
	resp, err := c.fetch(ctx, http.MethodGet, start, http.Header{"Accept": {"application/fhir+json"}, "Prefer": {"respond-async"}}, nil)
	if err != nil {
		return "", err
	}
	defer func() { resp.Body.Close() }()
	if resp.StatusCode == http.StatusMethodNotAllowed && strings.Contains(resp.Header.Get("Allow"), http.MethodPost) {
		resp.Body.Close()
		if resp, err = c.postExport(ctx, start); err != nil {
			return "", err
		}
	}
	if resp.StatusCode != http.StatusAccepted {
		return "", refusalOf("the export", resp)
	}
	at, err := resp.Request.URL.Parse(resp.Header.Get("Content-Location"))
	if err != nil || resp.Header.Get("Content-Location") == "" {
		return "", errors.New("the export was accepted without a usable Content-Location")
	}
	return at.String(), nil
}

// postExport kicks the export off where only POST does (Bulk Data Access 4.0.0-ballot, Bulk Data
// Kick-off Request): the parameters are a resource, and each value is one of its own.
func (c *client) postExport(ctx context.Context, start string) (*http.Response, error) {
	u, err := url.Parse(start)
	if err != nil {
		return nil, err
	}
	type parameter struct {
		Name    string `json:"name"`
		String  string `json:"valueString,omitempty"`
		Instant string `json:"valueInstant,omitempty"`
	}
	list := []parameter{}
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, value := range query[name] {
			switch name {
			case "_since":
				list = append(list, parameter{Name: name, Instant: value})
			case "_type":
				for _, typ := range strings.Split(value, ",") {
					list = append(list, parameter{Name: name, String: typ})
				}
			default:
				list = append(list, parameter{Name: name, String: value})
			}
		}
	}
	body, err := json.Marshal(map[string]any{"resourceType": "Parameters", "parameter": list})
	if err != nil {
		return nil, err
	}
	u.RawQuery = ""
	return c.fetch(ctx, http.MethodPost, u.String(), http.Header{
		"Accept": {"application/fhir+json"}, "Content-Type": {"application/fhir+json"}, "Prefer": {"respond-async"}}, body)
}

// A manifest lists the files of an export (Bulk Data Access 2.0, Response - Complete Status).
type manifest struct {
	TransactionTime     string         `json:"transactionTime"`
	RequiresAccessToken bool           `json:"requiresAccessToken"`
	Output              []manifestFile `json:"output"`
	Deleted             []manifestFile `json:"deleted"`
	Errors              []manifestFile `json:"error"`
	Outcome             []manifestFile `json:"outcome"` // of 4.0.0-ballot, for error

	raw []byte // as the server wrote it
}

type manifestFile struct {
	Type  string `json:"type"`
	URL   string `json:"url"`
	Count *int64 `json:"count"`
}

// awaitManifest asks for the export's status until it is done.
func (c *client) awaitManifest(ctx context.Context, status string) (*manifest, error) {
	begun := c.program.clock.Now()
	for said := ""; ; {
		resp, err := c.fetch(ctx, http.MethodGet, status, http.Header{"Accept": {"application/json"}}, nil)
		if err != nil {
			return nil, err
		}
		switch resp.StatusCode {
		case http.StatusOK:
			m, err := readManifest(resp)
			resp.Body.Close()
			return m, err
		case http.StatusAccepted, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		default:
			err := refusalOf("the export", resp)
			resp.Body.Close()
			return nil, err
		}
		resp.Body.Close()
		if progress := oneLine(resp.Header.Get("X-Progress")); progress != "" && progress != said {
			said = progress
			c.program.note("export: %s", progress)
		}
		now := c.program.clock.Now()
		if err := c.program.pause(ctx, now.Sub(begun), retryAfter(resp.Header.Get("Retry-After"), now)); err != nil {
			return nil, err
		}
	}
}

// The bounds of the time between two status requests. A server that names no time is asked
// again after usualWait.
const (
	leastWait = 50 * time.Millisecond
	usualWait = time.Second
	mostWait  = time.Minute
)

// retryAfter reads a Retry-After header: seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(header string, now time.Time) time.Duration {
	d := usualWait
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, leastWait), mostWait)
}

// longWait is how long nothing may be said.
const longWait = 5 * time.Second

// pause waits for d until the export that has taken this long is asked after again, and says so.
func (p *program) pause(ctx context.Context, taken, d time.Duration) error {
	tell := func(d time.Duration) string {
		return fmt.Sprintf("export: not done after %s; asking again in %s", taken.Round(time.Second), d.Round(time.Second))
	}
	if !onTerminal(p.stderr) {
		if d >= longWait {
			p.note("%s", tell(d))
		}
		return wait(ctx, d)
	}
	line := &statusLine{w: p.stderr}
	defer line.clear()
	for ; d > time.Second; d, taken = d-time.Second, taken+time.Second {
		line.set(tell(d))
		if err := wait(ctx, time.Second); err != nil {
			return err
		}
	}
	line.set(tell(d))
	return wait(ctx, d)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// cancelTimeout is how long the person who pressed Ctrl-C waits for the server's answer.
const cancelTimeout = 5 * time.Second

// cancelExport deletes the export (Bulk Data Access 2.0, Bulk Data Delete Request). ctx has
// ended already.
func (c *client) cancelExport(ctx context.Context, status string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer cancel()
	resp, err := c.fetch(ctx, http.MethodDelete, status, http.Header{"Accept": {"application/json"}}, nil)
	if err != nil {
		c.program.note("the export could not be cancelled: %v", err)
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		err := refusalOf("cancelling the export", resp)
		c.program.note("%v", err)
		return err
	}
	c.program.note("export cancelled")
	return nil
}

func readManifest(resp *http.Response) (*manifest, error) {
	var m manifest
	data, err := readAll(resp)
	if err != nil {
		return nil, fmt.Errorf("the manifest: %w", err)
	}
	if err := unmarshal(resp, data, &m); err != nil {
		return nil, fmt.Errorf("the manifest: %w", err)
	}
	m.raw = data
	return &m, nil
}
