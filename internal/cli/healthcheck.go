package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (p *program) healthcheckCommand() *cobra.Command {
	// The address is found as serve finds it, so that a container needs to be told once.
	table := slices.DeleteFunc(settingsTable(), func(s setting) bool { return !slices.Contains([]string{"addr", "tls", "tls-cert", "config"}, s.name) })
	var url string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a server whether it is ready; exit code 0 if so and 1 if not",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.checkEnvironment(settingsTable()); err != nil {
				return errors.New(err.Error()) // a container's check knows exit codes 0 and 1
			}
			if url == "" {
				r, err := p.resolve(table, cmd.Flags())
				if err != nil {
					return errors.New(err.Error())
				}
				url = localURL(r.Settings, r.Addr)
			}
			return p.healthcheck(cmd.Context(), strings.TrimRight(url, "/")+"/readyz", timeout)
		},
	}
	cmd.Flags().SortFlags = false
	addFlags(cmd.Flags(), table)
	cmd.Flags().StringVar(&url, "url", "", "the server's base `URL`, in place of --addr")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long to wait, as a `DURATION`")
	return cmd
}

// dialable turns an address to listen on into one to connect to.
func dialable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func (p *program) healthcheck(ctx context.Context, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usagef("--url: %v", err)
	}
	// Whether the certificate is one to trust is not what is asked: nothing is sent,
	// and what comes is looked at for its status.
	asks := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer asks.CloseIdleConnections()
	resp, err := asks.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %s: %w", url, reason(err))
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return p.printf("ready\n")
	case http.StatusNotFound:
		return fmt.Errorf("not ready: %s answers %s: that is no sandfhir server", url, resp.Status)
	}
	reason, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	return fmt.Errorf("not ready: %s answers %s %s", url, resp.Status, oneLine(string(reason)))
}
