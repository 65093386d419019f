package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/doctor"
)

// clientFlags say which server a client command speaks to and as whom.
type clientFlags struct {
	fhir, client, key, keyID string
	scopes                   []string
}

// defaultScope is what the client commands ask for: to read and search everything.
const defaultScope = doctor.DefaultScope

func (f *clientFlags) add(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&f.fhir, "fhir", "", "FHIR base `URL` of the server; by default the one running here")
	flags.StringVar(&f.client, "client", "", "client `ID`; by default one that the server has for this command")
	flags.StringVar(&f.key, "key", "", "`FILE` with the client's private key, PEM or JWK")
	flags.StringVar(&f.keyID, "kid", "", "key `ID` in the assertion; by default the JWK's or the key's thumbprint")
	flags.StringArrayVar(&f.scopes, "scope", nil, "`SCOPE` to ask for; can be repeated (default "+defaultScope+")")
}

// A client is a registered client of one server.
type client struct {
	program *program
	http    *http.Client
	fhir    string // FHIR base URL without a final slash
	local   string // URL of the server on this machine, where it is known
	id      string
	key     *signingKey
	scope   string

	token      string
	tokenUntil time.Time // by which a new one is fetched
}

// connect makes the client that the flags, or what a running server left, describe. It asks the
// server for nothing yet.
func (p *program) connect(f clientFlags) (*client, error) {
	own := f.client == "" && f.key == ""
	base, r, found, err := p.serverAt(f.fhir)
	switch {
	case err != nil:
		return nil, err
	case !own && (f.client == "" || f.key == ""):
		return nil, usagef("--client and --key belong together")
	case base == "":
		return nil, fmt.Errorf("no server is running here; start one with %q, or name one with --fhir", p.name)
	case own && !found:
		return nil, p.unknownServer(base)
	case own:
		f.client, f.key = r.Client, r.Key
		if f.keyID == "" {
			f.keyID = r.KeyID
		}
	}
	key, err := loadKey(f.key, f.keyID)
	if err != nil {
		return nil, err
	}
	scope := strings.Join(f.scopes, " ")
	if scope == "" {
		scope = defaultScope
	}
	return &client{program: p, http: r.httpClient(), fhir: base, local: r.Local, id: f.client, key: key, scope: scope}, nil
}

// serverAt returns the FHIR base that --fhir names, or that of the one server running here, and
// the server where it is one running here. base is "" where none is named or running.
func (p *program) serverAt(fhir string) (base string, r running, found bool, err error) {
	base = strings.TrimRight(fhir, "/")
	if base != "" {
		if err := parseBaseURL(&base, base); err != nil {
			return "", r, false, usagef("--fhir: %v", err)
		}
	}
	r, found, err = findRunning(p.runningDirs(), base)
	if err != nil || !found {
		return base, r, false, err
	}
	if base != "" && !strings.HasSuffix(base, fhirPath) {
		p.note("the FHIR base of %s is %s", base, r.FHIR)
	}
	return r.FHIR, r, true, nil
}

// dialTimeout is how long it takes at most to find out that nothing listens on this machine.
const dialTimeout = time.Second

// unknownServer says why the commands have no client at a FHIR base.
func (p *program) unknownServer(base string) error {
	u, err := url.Parse(loopback(base))
	if err != nil {
		return err
	}
	if at, err := netip.ParseAddr(u.Hostname()); err == nil && at.IsLoopback() {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "80")), dialTimeout)
		if err != nil {
			return fmt.Errorf("no server is running at %s; start one with %q", base, p.name)
		}
		conn.Close()
	}
	running := ""
	if all := allRunning(p.runningDirs()); len(all) > 0 {
		running = "; servers that you started here:" + list(all)
	}
	return usagef("the commands have no client of their own at %s: name one with --client and --key%s", base, running)
}

// httpClient reaches the server on this machine whatever it says its URL is: that may lead through
// a proxy, or nowhere from here. Of the zero running it is httpClient.
func (r running) httpClient() *http.Client {
	c := r.trusting(httpClient())
	if r.Local != "" && r.root() != r.Local {
		c.Transport = &localTransport{own: r.root(), local: r.Local, next: c.Transport}
	}
	return c
}

// trusting adds the server's certificate to those that the system trusts.
func (r running) trusting(c *http.Client) *http.Client {
	transport, ok := c.Transport.(*http.Transport)
	if !ok || r.CA == "" {
		return c
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM([]byte(r.CA))
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return c
}

// A localTransport sends what is for a server's own URL to the one on this machine.
type localTransport struct {
	own, local string
	next       http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *localTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	rest, ok := below(req.URL.String(), t.own)
	if !ok {
		return t.next.RoundTrip(req)
	}
	at, err := url.Parse(t.local + rest)
	if err != nil {
		return nil, err
	}
	here := req.Clone(req.Context())
	here.URL = at
	resp, err := t.next.RoundTrip(here)
	if err == nil {
		resp.Request = req // whose URL the answer's relative ones are based on
	}
	return resp, err
}

// below returns what a URL has behind that of a server's root, where it is one below it.
func below(address, root string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(address, root)
	return rest, ok && (rest == "" || strings.ContainsRune("/?", rune(rest[0])))
}

// httpClient waits a minute for an answer to begin and as long as it takes for it to end.
func httpClient() *http.Client {
	transport, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return &http.Client{}
	}
	transport = transport.Clone()
	transport.ResponseHeaderTimeout = time.Minute
	return &http.Client{Transport: transport}
}

// tokenURL finds the token endpoint (SMART App Launch 2.2, conformance).
func (c *client) tokenURL(ctx context.Context) (string, error) {
	at := c.fhir + "/.well-known/smart-configuration"
	resp, err := c.send(ctx, http.MethodGet, at, http.Header{"Accept": {"application/json"}}, nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", refusalOf("discovery", resp)
	}
	var found struct {
		TokenEndpoint string `json:"token_endpoint"`
	}
	if err := decode(resp, &found); err != nil {
		return "", fmt.Errorf("discovery: %w", err)
	}
	if found.TokenEndpoint == "" {
		return "", fmt.Errorf("discovery: %s names no token_endpoint", at)
	}
	return found.TokenEndpoint, nil
}

// tokenMargin is how long before a token's end a new one is fetched.
const tokenMargin = 30 * time.Second

// accessToken returns an access token, a new one where there is none that lasts (SMART App
// Launch 2.2, backend-services).
func (c *client) accessToken(ctx context.Context) (string, error) {
	now := c.program.clock.Now()
	if c.token != "" && now.Before(c.tokenUntil) {
		return c.token, nil
	}
	endpoint, err := c.tokenURL(ctx)
	if err != nil {
		return "", err
	}
	assertion, err := c.key.assertion(c.id, endpoint, now)
	if err != nil {
		return "", err
	}
	form := authz.TokenForm(assertion, c.scope)
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	resp, err := c.send(ctx, http.MethodPost, endpoint, header, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", c.explained(ctx, refusalOf("the token request", resp), endpoint)
	}
	var granted struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if err := decode(resp, &granted); err != nil {
		return "", fmt.Errorf("the token response: %w", err)
	}
	if granted.AccessToken == "" {
		return "", errors.New("the token response holds no access_token")
	}
	c.token = granted.AccessToken
	c.tokenUntil = now.Add(time.Duration(granted.ExpiresIn*float64(time.Second)) - tokenMargin)
	return c.token, nil
}

// fetch sends a request with an access token; body may be nil. A token that the server no longer takes is
// replaced once.
func (c *client) fetch(ctx context.Context, method, url string, header http.Header, body []byte) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		token, err := c.accessToken(ctx)
		if err != nil {
			return nil, err
		}
		header.Set("Authorization", "Bearer "+token)
		resp, err := c.send(ctx, method, url, header, bytes.NewReader(body))
		if err != nil || resp.StatusCode != http.StatusUnauthorized || attempt == 2 {
			return resp, err
		}
		resp.Body.Close()
		c.token = ""
	}
}

func (c *client) send(ctx context.Context, method, url string, header http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	req.Header = header
	req.Header.Set("User-Agent", "sandfhir")
	resp, err := c.http.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("no server answers at %s; start one with %q", req.URL.Host, c.program.name)
	}
	return resp, err
}

// maxAnswer is the greatest length of an answer that is read into memory.
const maxAnswer = 16 << 20

// decode reads a JSON answer.
func decode(resp *http.Response, to any) error {
	data, err := readAll(resp)
	if err != nil {
		return err
	}
	return unmarshal(resp, data, to)
}

func readAll(resp *http.Response) ([]byte, error) {
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
}

func unmarshal(resp *http.Response, data []byte, to any) error {
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("%s is not the JSON that was expected: %w", resp.Request.URL, err)
	}
	return nil
}
