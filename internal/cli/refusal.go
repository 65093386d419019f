package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// A refusal is a server's no, in the server's own words.
type refusal struct {
	what   string // was refused
	code   int    // status code
	status string
	lines  [][2]string // what it said: name and text
}

// Error returns a line that says what was refused and a line for each thing the server said.
func (r *refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s was refused with %s", r.what, r.status)
	for _, line := range r.lines {
		fmt.Fprintf(&b, "\n  %s: %s", line[0], line[1])
	}
	return b.String()
}

// refusalOf reads an answer that is an OAuth error (RFC 6749, section 5.2), an OperationOutcome,
// or anything else.
func refusalOf(what string, resp *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("%s was refused with %s, and the answer broke off: %w", what, resp.Status, err)
	}
	r := &refusal{what: what, code: resp.StatusCode, status: resp.Status, lines: refusalLines(data)}
	if page := helpOf(resp); page != "" && !slices.ContainsFunc(r.lines, func(l [2]string) bool { return l[0] == "error_uri" }) {
		r.lines = append(r.lines, [2]string{"help", page})
	}
	return r
}

// helpOf returns the URL of the page that explains an answer, or "" (RFC 8288, link relation
// help).
func helpOf(resp *http.Response) string {
	for _, link := range resp.Header.Values("Link") {
		target, params, ok := strings.Cut(strings.TrimPrefix(link, "<"), ">")
		if !ok || strings.TrimSpace(params) != `; rel="help"` {
			continue
		}
		if page, err := resp.Request.URL.Parse(target); err == nil {
			return oneLine(page.String())
		}
	}
	return ""
}

func refusalLines(data []byte) [][2]string {
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		URI         string `json:"error_uri"`
		Issue       []struct {
			Severity    string `json:"severity"`
			Code        string `json:"code"`
			Diagnostics string `json:"diagnostics"`
			Details     struct {
				Text string `json:"text"`
			} `json:"details"`
		} `json:"issue"`
	}
	var lines [][2]string
	add := func(name, text string) {
		if text = oneLine(text); text != "" {
			lines = append(lines, [2]string{name, text})
		}
	}
	if json.Unmarshal(data, &said) == nil {
		add("error", said.Error)
		add("error_description", said.Description)
		add("error_uri", said.URI)
		for _, issue := range said.Issue {
			text := issue.Diagnostics
			if text == "" {
				text = issue.Details.Text
			}
			add(strings.TrimSpace(issue.Severity+" "+issue.Code), text)
		}
	}
	if len(lines) == 0 {
		text := oneLine(string(data))
		add("answer", text[:min(len(text), 500)])
	}
	return lines
}

// oneLine makes text safe to print on a terminal.
func oneLine(text string) string {
	return strings.TrimSpace(visible(strings.ReplaceAll(text, "\t", " ")))
}

// visible is a line with nothing in it that a terminal obeys but tabs.
func visible(line string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, line)
}
