package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// A Token is an access token with what the server said about it.
type Token struct {
	AccessToken string
	Scope       string    // as granted, which can be less than was asked
	ExpiresAt   time.Time // by the server's clock
}

// A TokenError says that the token endpoint refused a request (RFC 6749 section
// 5.2).
type TokenError struct {
	Status      int    // HTTP status
	Code        string // OAuth error code: invalid_client
	Description string // the diagnosis, in the characters that OAuth allows
	Check       string // id of the check that failed: A12
	URL         string // page that explains this very request
	// Text, Counterfactual and Fix are the whole diagnosis: see Check.
	Text, Counterfactual, Fix string
}

// Error returns all of it in one line.
func (e *TokenError) Error() string {
	text := fmt.Sprintf("token refused: %d %s", e.Status, cmp.Or(e.Code, http.StatusText(e.Status)))
	if e.Text != "" {
		text += ": " + e.Check + ": " + Check{Text: e.Text, Counterfactual: e.Counterfactual, Fix: e.Fix}.Explanation()
	} else if e.Description != "" {
		text += ": " + e.Description
	}
	if e.URL != "" {
		text += " (" + e.URL + ")"
	}
	return text
}

// because fills in which check failed.
func (e *TokenError) because(c Check) {
	e.Check, e.Text, e.Counterfactual, e.Fix = c.ID, c.Text, c.Counterfactual, c.Fix
}

// Token requests an access token with a new assertion (SMART App Launch 2.2,
// backend-services, Obtain access token), or with the secret of a client that
// has one. Without scopes it asks for all that the client is registered for. A
// refusal is a *TokenError.
func (c *Client) Token(ctx context.Context, scopes ...string) (Token, error) {
	if c.method.usesSecret() {
		req, err := c.secretRequest(ctx, scopes)
		if err != nil {
			return Token{}, err
		}
		return c.requestToken(req)
	}
	assertion, err := c.Assertion()
	if err != nil {
		return Token{}, err
	}
	return c.TokenFor(ctx, assertion, scopes...)
}

// TokenFor is Token with an assertion of the caller's, such as a wrong one.
func (c *Client) TokenFor(ctx context.Context, assertion string, scopes ...string) (Token, error) {
	req, err := c.tokenRequest(ctx, c.TokenURL(), assertion, scopes)
	if err != nil {
		return Token{}, err
	}
	return c.requestToken(req)
}

func (c *Client) requestToken(req *http.Request) (Token, error) {
	asked := c.env.world.Clock().Now().Truncate(time.Second) // tokens count in whole seconds
	resp, err := c.roundTripper().RoundTrip(req)             // without redirects: an assertion is for one endpoint
	if err != nil {
		return Token{}, fmt.Errorf("sandbox: request token: %w", err)
	}
	defer resp.Body.Close()
	return c.readToken(resp, asked)
}

// tokenRequest returns the request with which an assertion asks for a token;
// without scopes it asks for all that the client is registered for.
func (c *Client) tokenRequest(ctx context.Context, to, assertion string, scopes []string) (*http.Request, error) {
	return c.formRequest(ctx, to, authz.TokenForm(assertion, c.scope(scopes)))
}

// scope is what to ask for: scopes, or where there are none all that the client
// is registered for.
func (c *Client) scope(scopes []string) string {
	if len(scopes) == 0 {
		scopes = c.scopes
	}
	return strings.Join(scopes, " ")
}

// formRequest returns a token request.
func (c *Client) formRequest(ctx context.Context, to string, form url.Values) (*http.Request, error) {
	if err := c.ready(); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("sandbox: request token: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// maxTokenAnswer is how much of an answer is read, in bytes.
const maxTokenAnswer = 1 << 20

func (c *Client) readToken(resp *http.Response, asked time.Time) (Token, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenAnswer))
	if err != nil {
		return Token{}, fmt.Errorf("sandbox: request token: %w", err)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
		Scope       string `json:"scope"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
		URI         string `json:"error_uri"`
	}
	err = json.Unmarshal(body, &answer)
	if resp.StatusCode != http.StatusOK {
		refused := &TokenError{Status: resp.StatusCode, Code: answer.Error, Description: answer.Description, URL: answer.URI}
		if e := c.env.world.workspace.Exchanges.Get(path.Base(answer.URI)); e != nil && e.Failed() != nil {
			refused.because(newCheck(*e.Failed()))
		}
		return Token{}, refused
	}
	if err != nil {
		return Token{}, fmt.Errorf("sandbox: request token: read the answer: %w", err)
	}
	expires := asked.Add(time.Duration(answer.ExpiresIn) * time.Second)
	return Token{AccessToken: answer.AccessToken, Scope: answer.Scope, ExpiresAt: expires}, nil
}
