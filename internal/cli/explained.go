package cli

import (
	"context"
	"errors"
	"net/http"

	"github.com/sandfhir/sandfhir/internal/doctor"
)

// explained adds to a refusal of a token request what the page that it names found out and advises,
// where the page is the refusing server's own. Another page, or one that cannot be read, adds
// nothing.
func (c *client) explained(ctx context.Context, err error, endpoint string) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	for _, line := range r.lines {
		if line[0] != "error_uri" || !doctor.SameOrigin(line[1], endpoint) {
			continue
		}
		resp, failure := c.send(ctx, http.MethodGet, line[1], http.Header{"Accept": {"application/json"}}, nil)
		if failure != nil {
			break
		}
		defer resp.Body.Close()
		var page struct {
			Counterfactual string `json:"counterfactual"`
			Fix            string `json:"fix"`
		}
		if resp.StatusCode != http.StatusOK || decode(resp, &page) != nil {
			break
		}
		for _, part := range [][2]string{{"found", oneLine(page.Counterfactual)}, {"fix", oneLine(page.Fix)}} {
			if part[1] != "" {
				r.lines = append(r.lines, part)
			}
		}
		break
	}
	return err
}
