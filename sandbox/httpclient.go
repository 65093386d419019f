package sandbox

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// HTTPClient returns an HTTP client that sends an access token with these
// scopes, or with all that the client is registered for where none are given.
// It obtains the token with the first request, obtains a new one before that
// expires, by the server's clock too, and once more when the server answers
// 401 to a request that can be repeated. A refusal to give one is a
// *TokenError.
//
// The token goes to the server's own origin only, whatever else is requested
// and wherever redirects lead. A request that has an Authorization header
// keeps it.
func (c *Client) HTTPClient(scopes ...string) *http.Client {
	return &http.Client{Transport: &tokenTransport{client: c, scopes: scopes, lock: make(chan struct{}, 1)}}
}

// tokenTransport adds access tokens to requests.
type tokenTransport struct {
	client *Client
	scopes []string

	lock  chan struct{} // full while token is in use: a mutex that a context can stop to wait for
	token string
	until time.Time // when the next one is obtained, by the server's clock
}

// RoundTrip implements http.RoundTripper.
func (t *tokenTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.client.ready(); err != nil {
		closeBody(req)
		return nil, err
	}
	base := t.client.roundTripper()
	if req.Header.Get("Authorization") != "" || !t.own(req.URL) {
		return base.RoundTrip(req)
	}
	token, err := t.current(req.Context(), "")
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := base.RoundTrip(withToken(req, token))
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	again, ok := repeated(req)
	if !ok {
		return resp, nil
	}
	fresh, err := t.current(req.Context(), token)
	if err != nil {
		return resp, nil // the server's own answer tells more
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxTokenAnswer) // so that the connection can be used again
	resp.Body.Close()
	return base.RoundTrip(withToken(again, fresh))
}

// own reports whether u is at the origin of the client's server.
func (t *tokenTransport) own(u *url.URL) bool {
	server, err := url.Parse(t.client.addresses().base)
	return err == nil && server.Host != "" && origin(u) == origin(server)
}

// origin is scheme, host and port (RFC 6454 section 4).
func origin(u *url.URL) string {
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if port == "" {
		switch scheme {
		case "http":
			port = "80"
		case "https":
			port = "443"
		}
	}
	return scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// current returns a token that lasts a little and is not the refused one.
func (t *tokenTransport) current(ctx context.Context, refused string) (string, error) {
	select {
	case t.lock <- struct{}{}:
		defer func() { <-t.lock }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	now := t.client.env.world.Clock().Now()
	if t.token != "" && t.token != refused && now.Before(t.until) {
		return t.token, nil
	}
	token, err := t.client.Token(ctx, t.scopes...)
	if err != nil {
		return "", err
	}
	life := token.ExpiresAt.Sub(now)
	t.token, t.until = token.AccessToken, token.ExpiresAt.Add(-life/10)
	return t.token, nil
}

// closeBody does what a RoundTripper owes to a request that it does not send.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

func withToken(req *http.Request, token string) *http.Request {
	out := req.Clone(req.Context()) // a RoundTripper does not change the request
	out.Header.Set("Authorization", "Bearer "+token)
	return out
}

// repeated returns the request with its body from the beginning, where that
// can be had.
func repeated(req *http.Request) (*http.Request, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, true
}
