package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/authz"
)

// Server is the server that the client is for.
type Server struct {
	FHIR       string       // FHIR base URL without a slash at its end
	HTTP       *http.Client // nil is http.DefaultClient
	AdminToken string       // of a Sandfhir whose controls are guarded; sent only where FHIR's own origin says that it is one

	tokenURL string // as discovery says
}

const wellKnown = "/.well-known/smart-configuration"

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// discovery is what matters to a backend service in a SMART configuration.
type discovery struct {
	TokenEndpoint string   `json:"token_endpoint"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	Algorithms    []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	GrantTypes    []string `json:"grant_types_supported"`
	Capabilities  []string `json:"capabilities"`
}

// discover reads the server's SMART configuration (SMART App Launch 2.2, conformance). It returns
// nil where there is no server in the case.
func (d *diagnosis) discover(ctx context.Context) *Section {
	if d.Server == nil {
		return nil
	}
	s := &Section{Name: "server", Subject: d.Server.FHIR}
	at := d.Server.FHIR + wellKnown
	answer, failed := d.Server.get(ctx, at)
	if failed != nil {
		s.check(*failed)
		return s
	}
	if answer.status != http.StatusOK {
		s.check(d.notThere(ctx, at, answer))
		return s
	}
	var found discovery
	if err := json.Unmarshal(answer.body, &found); err != nil {
		s.check(notDiscovery(at, answer))
		return s
	}
	s.check(incomplete(at, found)...)
	d.algorithms, d.Server.tokenURL = found.Algorithms, found.TokenEndpoint
	if d.TokenURL == "" {
		d.tokenURL = found.TokenEndpoint
	}
	if base, ok := strings.CutSuffix(found.TokenEndpoint, "/auth/token"); ok && SameOrigin(base, d.Server.FHIR) {
		d.sandboxURL = base + "/_sandbox/" // if it is a Sandfhir
	}
	s.fact("token URL", found.TokenEndpoint, "what aud has to be")
	s.fact("algorithms", strings.Join(found.Algorithms, ", "), "")
	return s
}

// answered is an answer that was read.
type answered struct {
	status      int
	contentType string
	challenge   string
	body        []byte
}

func (s *Server) client() *http.Client {
	if s.HTTP == nil {
		return http.DefaultClient
	}
	return s.HTTP
}

func (s *Server) withoutRedirects() *http.Client {
	client := *s.client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

func (s *Server) do(req *http.Request) (*answered, error) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sandfhir")
	resp, err := s.client().Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return &answered{resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("WWW-Authenticate"), body}, err
}

// get returns the answer, or the check that says why there is none.
func (s *Server) get(ctx context.Context, at string) (*answered, *authz.Check) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err == nil {
		var answer *answered
		if answer, err = s.do(req); err == nil {
			return answer, nil
		}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	finding, fix := authz.FindingID(""), "Check that the server is running, and that the URL is right."
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		finding, fix = "D03", "Have the server send its full chain, or the system know its authority. Production payers refuse clients that pass this over."
	}
	c := found(authz.Fail, RuleDiscovery, finding, "GET "+at+" failed: "+err.Error()+".", fix)
	return nil, &c
}

// notThere explains an answer that is no success, after a look at where else discovery could be.
func (d *diagnosis) notThere(ctx context.Context, at string, answer *answered) authz.Check {
	text, fix := fmt.Sprintf("GET %s answered %d %s; discovery lives below the FHIR base URL.", at, answer.status, http.StatusText(answer.status)), "Name the FHIR base with --fhir."
	there := ""
	if u, err := url.Parse(d.Server.FHIR); err == nil {
		for _, path := range []string{parent(u.Path), "/fhir", ""} {
			other := *u
			other.Path = path
			if other.Path == u.Path {
				continue
			}
			found, failed := d.Server.get(ctx, other.String()+wellKnown)
			if failed == nil && found.status == http.StatusOK && json.Valid(found.body) {
				there = "There is one below " + other.String() + "."
				fix = "If that is the FHIR base, name it with --fhir."
				break
			}
		}
	}
	c := found(authz.Fail, RuleDiscovery, "D01", text, fix)
	c.Counterfactual = there
	c.Got, c.Want = fmt.Sprint(answer.status), "200"
	return c
}

// parent is the path without its last element.
func parent(path string) string {
	path = strings.TrimRight(path, "/")
	if i := strings.LastIndex(path, "/"); i >= 0 {
		return path[:i]
	}
	return ""
}

// notDiscovery explains a success that is no SMART configuration.
func notDiscovery(at string, answer *answered) authz.Check {
	head := strings.TrimSpace(string(answer.body[:min(len(answer.body), 60)]))
	c := found(authz.Fail, RuleDiscovery, "D02", fmt.Sprintf("GET %s answered 200 with something that is no JSON object; it begins with %q. A client has to check status and content before it reads them.", at, head),
		"Check whether that is a login page, or a proxy's, and name the FHIR base with --fhir.")
	c.Got, c.Want = answer.contentType, "application/json"
	return c
}

// incomplete names what a backend service needs and does not find.
func incomplete(at string, found discovery) []authz.Check {
	if found.TokenEndpoint == "" {
		return []authz.Check{missing(authz.Fail, at+" names no token_endpoint; without it there are no tokens.", "Ask who runs the server, or name the URL with --token-url.")}
	}
	var checks []authz.Check
	for _, need := range []struct {
		has  []string
		want string
		name string
	}{
		{found.GrantTypes, authz.GrantClientCredentials, "grant_types_supported"},
		{found.AuthMethods, string(authz.PrivateKeyJWT), "token_endpoint_auth_methods_supported"},
		{found.Capabilities, "client-confidential-asymmetric", "capabilities"},
	} {
		switch {
		case need.has == nil:
			checks = append(checks, missing(authz.Warn, at+" has no "+need.name+". The server may still take backend services.", "Ask who runs it."))
		case !slices.Contains(need.has, need.want):
			checks = append(checks, missing(authz.Warn, at+" does not list "+need.want+" in "+need.name+". The server does not say that it takes backend services.", "Ask who runs it."))
		}
	}
	if len(checks) == 0 {
		checks = append(checks, passed(RuleDiscovery, "token_endpoint, "+authz.GrantClientCredentials+", "+string(authz.PrivateKeyJWT)))
	}
	return checks
}

func missing(result authz.Result, text, fix string) authz.Check {
	return found(result, RuleDiscovery, "D07", text, fix)
}

// SameOrigin reports whether two URLs name the same scheme, host and port.
func SameOrigin(a, b string) bool {
	u, err := url.Parse(a)
	if err != nil {
		return false
	}
	v, err := url.Parse(b)
	return err == nil && u.Host != "" && u.Scheme == v.Scheme && u.Host == v.Host
}
