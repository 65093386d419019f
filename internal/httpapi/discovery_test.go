package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A smartConfiguration is the discovery document of SMART.
type smartConfiguration struct {
	Issuer                *string  `json:"issuer"`
	TokenEndpoint         string   `json:"token_endpoint"`
	AuthorizationEndpoint *string  `json:"authorization_endpoint"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	Algorithms            []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	Scopes                []string `json:"scopes_supported"`
	Capabilities          []string `json:"capabilities"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	RegistrationEndpoint  string   `json:"registration_endpoint"`
}

// smartConfigurations are the places of the document and the paths that its
// environment's URLs begin with.
var smartConfigurations = []struct{ name, path, env string }{
	{"SB-DISC-01 below the FHIR base", "/fhir/.well-known/smart-configuration", ""},
	{"SB-DISC-01 below production's FHIR base", "/production/fhir/.well-known/smart-configuration", "/production"},
	{"at the host root", "/.well-known/smart-configuration", ""},
}

func TestSMARTConfiguration(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, place := range smartConfigurations {
		t.Run(place.name, func(t *testing.T) {
			a := w.at().get(t, place.path).want(t, 200).wantHeader(t, "Content-Type", "application/json")
			var doc smartConfiguration
			a.decode(t, &doc)
			registration := w.URL() + "/auth/register"
			if place.env != "" {
				registration = "" // production is reached by approval
			}
			for _, c := range []struct {
				name string
				ok   bool
			}{
				{"SB-DISC-05 token_endpoint", doc.TokenEndpoint == w.URL()+place.env+"/auth/token"},
				{"SB-DISC-06 grant_types_supported", slices.Equal(doc.GrantTypes, []string{"client_credentials"})},
				{"SB-DISC-07 capabilities of Backend Services", containsAll(doc.Capabilities, "client-confidential-asymmetric", "permission-v2", "permission-v1")},
				{"SB-DISC-07 no capabilities of launches", !slices.ContainsFunc(doc.Capabilities, func(c string) bool {
					return strings.HasPrefix(c, "launch") || strings.HasPrefix(c, "sso") || strings.HasPrefix(c, "context")
				})},
				{"SB-DISC-08 S256 and not plain", slices.Equal(doc.ChallengeMethods, []string{"S256"})},
				{"SB-DISC-09 private_key_jwt", slices.Contains(doc.AuthMethods, "private_key_jwt")},
				{"SB-DISC-10 algorithms", containsAll(doc.Algorithms, "RS384", "ES384") && !slices.ContainsFunc(doc.Algorithms, func(alg string) bool { return alg == "none" || strings.HasPrefix(alg, "HS") })},
				{"SB-DISC-11 scopes_supported", containsAll(doc.Scopes, "system/*.rs", "system/*.read") && !slices.ContainsFunc(doc.Scopes, func(s string) bool { return !strings.HasPrefix(s, "system/") })},
				{"SB-DISC-13 registration_endpoint", doc.RegistrationEndpoint == registration},
				{"SB-DISC-14 no issuer", doc.Issuer == nil},
				{"SB-DISC-15 no authorization_endpoint", doc.AuthorizationEndpoint == nil},
				{"SB-DISC-16 response_types_supported", doc.ResponseTypes != nil && len(doc.ResponseTypes) == 0},
			} {
				if !c.ok {
					t.Errorf("%s does not hold: %s", c.name, a.body)
				}
			}
			wantEndpoints(t, w, a.object(t))
		})
	}
}

// wantEndpoints checks the URLs of a discovery document: absolute, and of
// something that is there.
func wantEndpoints(t *testing.T, w *world, doc map[string]any) {
	t.Helper()
	for name, value := range doc {
		text, isText := value.(string)
		if !isText {
			continue
		}
		if u, err := url.Parse(text); err != nil || !u.IsAbs() || u.Host == "" {
			t.Errorf("SB-DISC-04: %s is %q, want an absolute URL", name, text)
			continue
		}
		method := http.MethodGet
		if strings.HasSuffix(name, "_endpoint") && name != "management_endpoint" {
			method = http.MethodPost
		}
		if a := (party{web: w.web}).send(t, method, text, ""); name != "issuer" && (a.status == 404 || a.status == 405) {
			t.Errorf("SB-DISC-12: %s is %s, which answers %d", name, text, a.status)
		}
	}
}

func containsAll(list []string, wanted ...string) bool {
	return !slices.ContainsFunc(wanted, func(s string) bool { return !slices.Contains(list, s) })
}

func TestSMARTConfigurationDoesNotLookAtTheRequestHeader(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, place := range smartConfigurations {
		plain := w.at().get(t, place.path).want(t, 200)
		for _, header := range [][]string{
			{"Accept", "*/*"}, {"Accept", "text/html"}, {"Accept", "application/fhir+json"}, {"Accept", "application/xml"}, {"Accept", "image/png;q=1, */*;q=0"}, {"Accept", "rubbish"},
			{"Authorization", "Bearer rubbish"}, {"Authorization", "Basic eDp5"},
		} {
			t.Run("SB-DISC-02 SB-DISC-03 "+place.name+", "+header[0]+" "+header[1], func(t *testing.T) {
				a := w.at().get(t, place.path, header...).want(t, 200).wantHeader(t, "Content-Type", "application/json")
				if string(a.body) != string(plain.body) {
					t.Errorf("got %s, want what is answered without the header", a.body)
				}
			})
		}
	}
}

func TestDiscoveryByOtherMethods(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, path := range []string{
		"/fhir/.well-known/smart-configuration", "/.well-known/smart-configuration", "/.well-known/oauth-authorization-server/auth",
		"/.well-known/jwks.json", "/auth/jwks", "/fhir/metadata", "/production/fhir/metadata",
	} {
		t.Run(path, func(t *testing.T) {
			got := w.at().get(t, path).want(t, 200)
			head := w.at().send(t, http.MethodHead, path, "").want(t, 200)
			if head.length != int64(len(got.body)) || len(head.body) != 0 {
				t.Errorf("FR-GE-06: HEAD has Content-Length %d, want %d", head.length, len(got.body))
			}
			a := w.at().send(t, http.MethodDelete, path, "").want(t, 405)
			if allow := a.header.Get("Allow"); allow != "GET" && allow != "GET, HEAD" {
				t.Errorf("FR-GE-02: got Allow %q, want GET", allow)
			}
		})
	}
}

// TestURLsFollowTheRequest proves that answers name the server as the request
// did: to clients 127.0.0.1 and localhost are different servers.
func TestURLsFollowTheRequest(t *testing.T) {
	t.Parallel()
	direct := start(t)
	proxied := start(t, sandbox.WithTrustedProxies("127.0.0.1"))
	fixed := httptest.NewServer(sandbox.Start(t, sandbox.WithPatients(patients), sandbox.WithBaseURL("https://sandbox.example.org/smart")).Handler())
	t.Cleanup(fixed.Close)
	for _, c := range []struct {
		name   string
		reach  string // where the server listens
		header []string
		root   string // of the URLs in its answers
	}{
		{"SB-DISC-04 Host", direct.URL(), []string{"Host", "localhost:4711"}, "http://localhost:4711"},
		{"SB-DISC-04 Host without port", direct.URL(), []string{"Host", "sandbox.example.org"}, "http://sandbox.example.org"},
		{"X-Forwarded from nobody trusted", direct.URL(), []string{"Host", "localhost:4711", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/x"}, "http://localhost:4711"},
		{"X-Forwarded from a trusted proxy", proxied.URL(), []string{"X-Forwarded-Host", "payer.example", "X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/smart"}, "https://payer.example/smart"},
		{"base URL", fixed.URL, []string{"Host", "localhost:4711"}, "https://sandbox.example.org/smart"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := party{web: direct.web, base: c.reach}
			for path, member := range map[string]string{
				"/fhir/.well-known/smart-configuration":                   c.root + "/auth/token",
				"/production/fhir/.well-known/smart-configuration":        c.root + "/production/auth/token",
				"/.well-known/oauth-authorization-server/auth":            c.root + "/auth/token",
				"/.well-known/oauth-authorization-server/production/auth": c.root + "/production/auth/token",
			} {
				var doc smartConfiguration
				at.get(t, path, c.header...).want(t, 200).decode(t, &doc)
				if doc.TokenEndpoint != member {
					t.Errorf("%s: got token_endpoint %q, want %q", path, doc.TokenEndpoint, member)
				}
			}
			var statement struct{ Implementation struct{ URL string } }
			at.get(t, "/fhir/metadata", c.header...).want(t, 200).decode(t, &statement)
			if got := statement.Implementation.URL; got != c.root+"/fhir" {
				t.Errorf("FR-CA-04: got implementation.url %q, want %q", got, c.root+"/fhir")
			}
		})
	}
}

// TestOtherWellKnownNames is about documents that clients look for and that
// this server does not have.
func TestOtherWellKnownNames(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, path := range []string{"/fhir/.well-known/openid-configuration", "/.well-known/openid-configuration", "/fhir/.well-known/udap", "/production/fhir/.well-known/openid-configuration"} {
		t.Run(path, func(t *testing.T) {
			w.at().get(t, path).want(t, 404)
			w.all.get(t, w.URL()+path).want(t, 404)
		})
	}
}

func TestAuthorizationServerMetadata(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct{ name, path, issuer string }{
		{"SB-DISC-18 of the issuer", "/.well-known/oauth-authorization-server/auth", "/auth"},
		{"SB-DISC-18 of production's issuer", "/.well-known/oauth-authorization-server/production/auth", "/production/auth"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.at().get(t, c.path, "Accept", "text/html").want(t, 200).wantHeader(t, "Content-Type", "application/json")
			var doc struct {
				smartConfiguration
				JWKSURI string `json:"jwks_uri"`
			}
			a.decode(t, &doc)
			if doc.smartConfiguration.Issuer == nil || *doc.smartConfiguration.Issuer != w.URL()+c.issuer {
				t.Errorf("RFC 8414 section 3.3: got %s, want issuer %s", a.body, w.URL()+c.issuer)
			}
			if doc.TokenEndpoint != w.URL()+c.issuer+"/token" || doc.JWKSURI != w.URL()+c.issuer+"/jwks" || doc.ResponseTypes == nil {
				t.Errorf("RFC 8414 section 2: got %s, want token_endpoint and jwks_uri of the environment and response_types_supported", a.body)
			}
			wantEndpoints(t, w, a.object(t))
		})
	}
	for _, path := range []string{"", "/nobody", "/production", "/production/nobody", "/w/nobody/auth", "/fhir/nobody"} {
		t.Run("SB-DISC-18 no issuer "+path, func(t *testing.T) {
			w.at().get(t, "/.well-known/oauth-authorization-server"+path).want(t, 404)
		})
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	w := start(t)
	const origin = "https://app.example"
	for _, path := range []string{"/fhir/.well-known/smart-configuration", "/.well-known/smart-configuration", "/fhir/metadata", "/fhir/Patient", "/auth/token", "/auth/register", "/fhir/$export"} {
		t.Run("SB-DISC-19 "+path, func(t *testing.T) {
			a := w.at().get(t, path, "Origin", origin)
			if allowed := a.header.Get("Access-Control-Allow-Origin"); allowed != "*" && allowed != origin {
				t.Errorf("got Access-Control-Allow-Origin %q, want one that takes %s", allowed, origin)
			}
			exposed := strings.Split(strings.ReplaceAll(a.header.Get("Access-Control-Expose-Headers"), " ", ""), ",")
			if !containsAll(exposed, "ETag", "Location", "Content-Location", "Last-Modified", "Retry-After", "X-Progress", "WWW-Authenticate") {
				t.Errorf("got Access-Control-Expose-Headers %v, want the headers that clients read", exposed)
			}
			pre := w.at().send(t, http.MethodOptions, path, "", "Origin", origin, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization,content-type,prefer")
			if pre.status != 204 && pre.status != 200 {
				t.Fatalf("preflight: got status %d, want 204: a browser sends no token with it", pre.status)
			}
			if got := pre.header.Get("Access-Control-Allow-Methods"); !strings.Contains(got, "PUT") {
				t.Errorf("preflight: got Access-Control-Allow-Methods %q, want PUT in it", got)
			}
			if got := pre.header.Get("Access-Control-Allow-Headers"); !strings.Contains(strings.ToLower(got), "authorization") || !strings.Contains(strings.ToLower(got), "prefer") {
				t.Errorf("preflight: got Access-Control-Allow-Headers %q, want what was asked for", got)
			}
		})
	}
}
