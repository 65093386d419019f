package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/sandfhir/sandfhir/authz"
)

// An Explanation is what would become of a token request.
type Explanation struct {
	Granted bool
	Scope   string      // that would be granted, where it is
	Refusal *TokenError // nil where it would be granted; it has no URL
	Checks  []Check     // the rules, in order
	// Snippets is the code that puts a refusal right, where there is any.
	Snippets []Snippet
}

// Explain tells what Token would do with an assertion, by the same rules, and
// issues and remembers nothing: the assertion can still be used afterwards.
// Without scopes it asks for all that the client is registered for. The same
// over HTTP is POST /_sandbox/token/explain with the form of a token request.
func (c *Client) Explain(ctx context.Context, assertion string, scopes ...string) (Explanation, error) {
	req, err := c.tokenRequest(ctx, c.addresses().base+"/_sandbox/token/explain", assertion, scopes)
	if err != nil {
		return Explanation{}, err
	}
	if token := c.env.world.server.cfg.adminToken; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := c.roundTripper().RoundTrip(req)
	if err != nil {
		return Explanation{}, fmt.Errorf("sandbox: explain token request: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	if err != nil {
		return Explanation{}, fmt.Errorf("sandbox: explain token request: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return Explanation{}, fmt.Errorf("sandbox: explain token request: %s: %s", resp.Status, body)
	}
	var answer struct {
		Granted     bool          `json:"granted"`
		Scope       string        `json:"scope"`
		Status      int           `json:"status"`
		Error       string        `json:"error"`
		Description string        `json:"error_description"`
		Failed      *authz.Check  `json:"failed"`
		Snippets    []Snippet     `json:"snippets"`
		Checks      []authz.Check `json:"checks"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Explanation{}, fmt.Errorf("sandbox: explain token request: read the answer: %w", err)
	}
	e := Explanation{Granted: answer.Granted, Scope: answer.Scope, Snippets: answer.Snippets}
	for _, check := range answer.Checks {
		e.Checks = append(e.Checks, newCheck(check))
	}
	if answer.Failed != nil {
		e.Refusal = &TokenError{Status: answer.Status, Code: answer.Error, Description: answer.Description}
		e.Refusal.because(newCheck(*answer.Failed))
	}
	return e, nil
}
