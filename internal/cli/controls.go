package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// controls are those of a server.
type controls struct {
	root  string // URL at which the server is asked
	http  *http.Client
	token string // admin token, or ""
}

// controlsOf returns the controls of the server that --fhir names, or that runs
// here.
func (p *program) controlsOf(fhir string) (controls, error) {
	base, r, found, err := p.serverAt(fhir)
	c := controls{root: strings.TrimSuffix(base, fhirPath), http: &http.Client{}, token: p.getenv(envPrefix + "ADMIN_TOKEN")}
	switch {
	case err != nil:
		return c, err
	case found:
		c.root = r.Local
		if transport, ok := http.DefaultTransport.(*http.Transport); ok { // what is asked for may take its time
			c.http = r.trusting(&http.Client{Transport: transport.Clone()})
		}
	case base == "":
		return c, fmt.Errorf("no server is running here; start one with %q, or name one with --fhir", p.name)
	}
	return c, nil
}

// ask sends a request. An answer other than 200 is an error.
func (c controls) ask(req *http.Request) (*http.Response, error) {
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", req.URL, reason(err))
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	var refused struct{ Error string }
	if json.NewDecoder(resp.Body).Decode(&refused) != nil || refused.Error == "" {
		refused.Error = resp.Status
	}
	return nil, fmt.Errorf("the server refused: %s", refused.Error)
}
