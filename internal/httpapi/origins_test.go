package httpapi_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// trusting returns an HTTP client that trusts a certificate and no other.
func trusting(t *testing.T, pem []byte, version uint16) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate: %q", pem)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: version}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestTLS reaches a server by HTTPS: with the authority that it serves, from Go,
// and not without or by an old version.
func TestTLS(t *testing.T) {
	t.Parallel()
	sb := sandbox.Start(t, sandbox.WithPatients(patients), sandbox.WithTLS())
	if !strings.HasPrefix(sb.URL(), "https://127.0.0.1:") || !strings.HasPrefix(sb.TokenURL(), sb.URL()) {
		t.Errorf("got %s and %s", sb.URL(), sb.TokenURL())
	}
	p := party{web: sb.HTTPClient(), base: sb.URL()}
	ca := p.get(t, "/_sandbox/ca.pem").want(t, 200).body
	if string(ca) != string(sb.CACertificate()) {
		t.Error("the server serves another certificate than CACertificate")
	}
	root, err := url.Parse(sb.URL())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		at := "https://" + host + ":" + root.Port()
		var found struct {
			TokenEndpoint string `json:"token_endpoint"`
		}
		party{web: trusting(t, ca, 0), base: at}.get(t, "/fhir/.well-known/smart-configuration").want(t, 200).decode(t, &found)
		if found.TokenEndpoint != at+"/auth/token" {
			t.Errorf("under %s got token endpoint %s", at, found.TokenEndpoint)
		}
	}
	party{web: trusting(t, ca, tls.VersionTLS12), base: sb.URL()}.get(t, "/livez").want(t, 200)
	for name, web := range map[string]*http.Client{"TLS 1.1": trusting(t, ca, tls.VersionTLS11), "no trust": newWeb(t)} {
		if a, err := (party{web: web, base: sb.URL()}).try(t.Context(), "GET", "/livez", nil); err == nil {
			t.Errorf("%s: got status %d", name, a.status)
		}
	}
	resp, err := sb.DefaultClient().HTTPClient().Get(sb.FHIRURL() + "/Patient")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("with the default client got %s", resp.Status)
	}
	made, err := sb.NewWorld(t.Context(), sandbox.WorldConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made.DefaultClient().Token(t.Context()); err != nil {
		t.Errorf("in another world: %v", err)
	}
	plain := start(t)
	asPlain(t, plain.at().get(t, "/_sandbox/ca.pem"), 404)
}

// TestTheAuthorityStays starts twice in a data directory: who trusted the first
// server trusts the second.
func TestTheAuthorityStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var ca []byte
	for range 2 {
		sb := sandbox.Start(t, sandbox.WithPatients(0), sandbox.WithTLS(), sandbox.WithDataDir(dir))
		if ca == nil {
			ca = sb.CACertificate()
		}
		party{web: trusting(t, ca, 0), base: sb.URL()}.get(t, "/livez").want(t, 200)
		if err := sb.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "ca-key.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the authority's key: %v, %v; want a file for its owner only", info, err)
	}
}

// TestTwoOrigins gives production a listener of its own: the URLs in the answers of
// either environment are of its origin, and a token of one does not open the other.
func TestTwoOrigins(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]sandbox.Option{"HTTP": nil, "HTTPS": {sandbox.WithTLS()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sb := sandbox.Start(t, append(opts, sandbox.WithPatients(patients), sandbox.WithProductionListener("127.0.0.1:0"))...)
			there := strings.TrimSuffix(sb.Production().FHIRURL(), "/fhir")
			if there == sb.URL() || strings.Contains(there, "/production") || sb.Production().TokenURL() != there+"/auth/token" {
				t.Fatalf("production is at %s", there)
			}
			client, err := sb.Production().RegisterClient(t.Context(), sandbox.ClientConfig{})
			if err != nil {
				t.Fatal(err)
			}
			token, err := client.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p := party{web: sb.HTTPClient(), base: there, token: token.AccessToken}
			here := party{web: sb.HTTPClient(), base: sb.URL()}
			var found struct {
				TokenEndpoint string `json:"token_endpoint"`
				Issuer        string
			}
			p.get(t, "/fhir/.well-known/smart-configuration").want(t, 200).decode(t, &found)
			if found.TokenEndpoint != there+"/auth/token" {
				t.Errorf("production's discovery says %s", found.TokenEndpoint)
			}
			here.get(t, "/fhir/.well-known/smart-configuration").want(t, 200).decode(t, &found)
			if found.TokenEndpoint != sb.URL()+"/auth/token" {
				t.Errorf("the sandbox's discovery says %s", found.TokenEndpoint)
			}
			p.get(t, "/.well-known/oauth-authorization-server/auth").want(t, 200).decode(t, &found)
			if found.Issuer != there+"/auth" {
				t.Errorf("production's issuer is %s", found.Issuer)
			}
			a := p.get(t, "/fhir/$export?_type=Patient", "Accept", fhirJSON, "Prefer", "respond-async").want(t, 202)
			if job := a.header.Get("Content-Location"); !strings.HasPrefix(job, there+"/fhir/") {
				t.Errorf("the job is at %s", job)
			}
			self := p.get(t, "/fhir/Patient?_count=1").want(t, 200)
			if !strings.Contains(string(self.body), there+"/fhir/Patient") {
				t.Errorf("the bundle says %s", self.excerpt())
			}
			batch := p.post(t, "/fhir", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient?_summary=count"}}]}`).want(t, 200)
			if !strings.Contains(string(batch.body), `"200`) {
				t.Errorf("a batch says %s", batch.excerpt())
			}
			here.as(p.token).get(t, "/fhir/Patient").refused(t, 401, "login")
			said := here.get(t, "/production/fhir/metadata").refused(t, 404, "not-found")
			if !strings.Contains(said.Diagnostics, there) {
				t.Errorf("got %q, want it to say where production is", said.Diagnostics)
			}
			made, err := sb.NewWorld(t.Context(), sandbox.WorldConfig{Name: "a"})
			if err != nil {
				t.Fatal(err)
			}
			if got := made.Production().FHIRURL(); got != there+"/w/a/fhir" {
				t.Errorf("another world's production is at %s", got)
			}
			p.get(t, "/w/a/fhir/metadata").want(t, 200)
			var view madeWorld
			here.get(t, "/_sandbox/workspaces/a").want(t, 200).decode(t, &view)
			if view.FHIR != made.FHIRURL() || view.Production.FHIR != made.Production().FHIRURL() {
				t.Errorf("the controls say %s and %s", view.FHIR, view.Production.FHIR)
			}
		})
	}
}
