package doctor_test

import (
	"crypto/elliptic"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/authz/authztest"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/doctor"
	"github.com/sandfhir/sandfhir/sandbox"
)

// site answers with fixed pages by path; BASE in them is its own URL.
func site(t *testing.T, pages map[string]string) *httptest.Server {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "max-age=600")
		fmt.Fprint(w, strings.ReplaceAll(page, "BASE", s.URL))
	}))
	t.Cleanup(s.Close)
	return s
}

const discovery = `{"token_endpoint":"BASE/token","grant_types_supported":["client_credentials"],"token_endpoint_auth_methods_supported":["private_key_jwt"],
	"token_endpoint_auth_signing_alg_values_supported":["RS384"],"capabilities":["client-confidential-asymmetric"]}`

// J01 to J09: a set that is fetched is had as a server has it.
func TestPublishedKeySets(t *testing.T) {
	t.Parallel()
	k := newKeys()
	set := string(setOf(k.ec.JWK()).Data)
	s := site(t, map[string]string{"/jwks.json": set, "/array": "[" + set + "]", "/page": "<html>login</html>", "/private": string(private(k.ec).Data)})
	gone := httptest.NewServer(nil)
	gone.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, set) }))
	t.Cleanup(secure.Close)
	check(t, []doctorCase{
		{"J08 by http from this machine", doctor.Case{KeySetURL: s.URL + "/jwks.json"}, "key-set: J08?", []string{"max-age=600", "payers will not"}},
		{"J01 nobody there", doctor.Case{KeySetURL: gone.URL + "/jwks.json"}, "key-set: J01", nil},
		{"J02 an unknown authority", doctor.Case{KeySetURL: secure.URL}, "key-set: J02", nil},
		{"J03 not found", doctor.Case{KeySetURL: s.URL + "/nothing"}, "key-set: J03", []string{"404"}},
		{"J03 a page", doctor.Case{KeySetURL: s.URL + "/page"}, "key-set: J03", nil},
		{"J04 an array", doctor.Case{KeySetURL: s.URL + "/array"}, "key-set: J04", nil},
		{"J08 no URL to fetch from", doctor.Case{KeySetURL: "ftp://h/jwks.json"}, "key-set: J08", nil},
		{"the key is in it", doctor.Case{KeySetURL: s.URL + "/jwks.json", Key: pemOf(k.ec)}, "key-set: J08?", []string{`"value":"ec-1"`}},
		{"A12 the key is not in it", doctor.Case{KeySetURL: s.URL + "/jwks.json", Key: pemOf(k.rsa)}, "key-set: J08?; key-in-set: A12", nil},
		{"A24 jku", doctor.Case{KeySetURL: s.URL + "/jwks.json", Assertion: signed(k.ec, header("jku", "https://elsewhere.example/jwks.json"))}, "key-set: J08?; assertion: A24", nil},
		{"jku is it", doctor.Case{KeySetURL: s.URL + "/jwks.json", Assertion: signed(k.ec, header("jku", s.URL+"/jwks.json"))}, "key-set: J08?", nil},
	})
}

// What discovery says, and what it does not.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	k := newKeys()
	at := func(s *httptest.Server, path string) *doctor.Server { return &doctor.Server{FHIR: s.URL + path} }
	const path = "/fhir/.well-known/smart-configuration"
	whole := site(t, map[string]string{path: discovery})
	gone := httptest.NewServer(nil)
	gone.Close()
	secure := httptest.NewTLSServer(nil)
	t.Cleanup(secure.Close)
	page := func(text string) *httptest.Server { return site(t, map[string]string{path: text}) }
	check(t, []doctorCase{
		{"whole", doctor.Case{Server: at(whole, "/fhir")}, "", []string{`"value":"RS384"`}},
		{"another server explains nothing", doctor.Case{Server: at(whole, "/fhir"), Client: "app"}, "", []string{"is no Sandfhir", "sandfhir token --fhir " + whole.URL + "/fhir --client ID --key FILE"}},
		{"D01 a path too many", doctor.Case{Server: at(whole, "/fhir/Patient")}, "server: D01", []string{"There is one below " + whole.URL + "/fhir."}},
		{"D01 a path too few", doctor.Case{Server: at(whole, "")}, "server: D01", []string{"There is one below " + whole.URL + "/fhir."}},
		{"D01 nowhere", doctor.Case{Server: at(site(t, nil), "/fhir")}, "server: D01", []string{"answered 404 Not Found"}},
		{"D02 a page", doctor.Case{Server: at(page("<html>login"), "/fhir")}, "server: D02", []string{"login page"}},
		{"D02 an array", doctor.Case{Server: at(page("[]"), "/fhir")}, "server: D02", nil},
		{"D03 an unknown authority", doctor.Case{Server: at(secure, "/fhir")}, "server: D03", nil},
		{"DR-DISC nobody there", doctor.Case{Server: at(gone, "/fhir"), Client: "app"}, "server: DR-DISC", []string{"connection refused"}},
		{"D07 no token endpoint", doctor.Case{Server: at(page("{}"), "/fhir")}, "server: D07", nil},
		{"D07 nothing else", doctor.Case{Server: at(page(`{"token_endpoint":"BASE/token","grant_types_supported":["authorization_code"]}`), "/fhir")}, "server: D07? D07? D07?", []string{"does not list client_credentials", "has no capabilities"}},
		{"A09 the key is of the algorithm that it does not take", doctor.Case{Server: at(whole, "/fhir"), Key: pemOf(k.ec)}, "key: A09", []string{"takes RS384 only"}},
		{"A09 the assertion is", doctor.Case{Server: at(whole, "/fhir"), Assertion: signed(k.ec, claim("aud", whole.URL+"/token")), KeySet: setOf(k.ec.JWK())}, "assertion: A09", nil},
		{"C03 aud is not what it says", doctor.Case{Server: at(whole, "/fhir"), Assertion: signed(k.rsa)}, "assertion: C03", []string{whole.URL + "/token"}},
	})
}

// A Sandfhir explains what it would do, and does not do it.
func TestClientAtASandfhir(t *testing.T) {
	t.Parallel()
	sb := sandbox.Start(t)
	client, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "app", Scopes: []string{"system/Patient.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	rejected, err := sb.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "rejected", Status: sandbox.StatusRejected})
	if err != nil {
		t.Fatal(err)
	}
	key := func(c *sandbox.Client) *doctor.File { return file(string(c.PrivateKeyPEM())) }
	assertion := func(opts ...sandbox.AssertionOption) *doctor.Assertion {
		text, err := client.Assertion(opts...)
		if err != nil {
			t.Fatal(err)
		}
		return doctor.ReadAssertion("", text)
	}
	used := assertion()
	if _, err := client.TokenFor(t.Context(), used.JWT); err != nil {
		t.Fatal(err)
	}
	unused := assertion()
	stranger := pemOf(newKeys().other)
	for _, test := range []doctorCase{
		{"its key", doctor.Case{Client: "app", Key: key(client)}, "", []string{`"granted scope","value":"system/Patient.rs"`}},
		{"its key and scopes", doctor.Case{Client: "app", Key: key(client), Scopes: []string{"system/Patient.r"}}, "", []string{`"value":"system/Patient.r"`}},
		{"S06 scopes of others", doctor.Case{Client: "app", Key: key(client), Scopes: []string{"system/Group.r"}}, "client: S06", nil},
		{"its id alone", doctor.Case{Client: "app"}, "", []string{client.KeyID(), "Whether your key is one of the client's"}},
		{"A12 another key", doctor.Case{Client: "app", Key: stranger}, "client: A12", []string{"None of its keys verifies"}},
		{"A12 another kid", doctor.Case{Client: "app", Key: key(client), KeyID: "x"}, "client: A12", []string{"only the kid is wrong"}},
		{"A02 another id", doctor.Case{Client: "apq", Key: key(client)}, "client: A02", []string{`Set iss and sub to \"app\"`}},
		{"A02 another id alone", doctor.Case{Client: "apq"}, "client: A02", nil},
		{"S06 the server's own code", doctor.Case{Client: "app", Key: key(client), Scopes: []string{"system/Group.r"}}, "client: S06", []string{`"language":"python"`, "system/Patient.rs"}},
		{"L03 rejected", doctor.Case{Client: "rejected", Key: key(rejected)}, "client: L03", nil},
		{"an assertion", doctor.Case{Assertion: unused, Key: key(client)}, "", []string{`"granted scope"`}},
		{"C15 one that was used", doctor.Case{Assertion: used}, "client: C15", nil},
		{"C04 is told once", doctor.Case{Assertion: assertion(sandbox.WithAudience(client.TokenURL() + "/"))}, "assertion: C04", []string{"What comes after C04"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.c.Server = &doctor.Server{FHIR: sb.FHIRURL()}
			test.c.Clock = clock.System{}
			r, err := doctor.Examine(t.Context(), test.c)
			if err != nil {
				t.Fatal(err)
			}
			if got := findings(r); got != test.want {
				t.Errorf("found %q, want %q\n%s", got, test.want, indent(r))
			}
			for _, text := range test.says {
				if !strings.Contains(compact(r), text) {
					t.Errorf("it does not say %q\n%s", text, indent(r))
				}
			}
		})
	}
	if _, err := client.TokenFor(t.Context(), unused.JWT); err != nil {
		t.Errorf("an assertion that was explained cannot be used any more: %v", err)
	}
}

// A guarded Sandfhir is asked again with the admin token, which nobody else is told.
func TestAdminToken(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	sb := sandbox.Start(t, sandbox.WithAdminToken(token))
	c := sb.DefaultClient()
	for given, want := range map[string]string{token: `"granted scope"`, "": "set SANDFHIR_ADMIN_TOKEN", "another-admin-token": "set SANDFHIR_ADMIN_TOKEN"} {
		r, err := doctor.Examine(t.Context(), doctor.Case{Client: c.ID(), Key: file(string(c.PrivateKeyPEM())), Clock: clock.System{},
			Server: &doctor.Server{FHIR: sb.FHIRURL(), AdminToken: given}})
		if err != nil || !strings.Contains(compact(r), want) || findings(r) != "" {
			t.Errorf("%q: %v\n%s", given, err, indent(r))
		}
	}
}

// The admin token, and an assertion that works, are for a Sandfhir at the origin that was named.
func TestWhatOtherServersAreTold(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	k := authztest.NewECKey("k", elliptic.P384())
	var mu sync.Mutex
	var posts []string
	server := func(tokenEndpoint func(own string) string) *httptest.Server {
		var s *httptest.Server
		s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			if r.Method != http.MethodGet || r.Header.Get("Authorization") != "" || r.URL.RawQuery != "" {
				posts = append(posts, r.Header.Get("Authorization")+" "+string(body))
			}
			if strings.HasSuffix(r.URL.Path, "/.well-known/smart-configuration") {
				fmt.Fprintf(w, `{"token_endpoint":"%s"}`, tokenEndpoint(s.URL))
				return
			}
			w.Header().Set("WWW-Authenticate", `Bearer realm="payer"`)
			w.WriteHeader(http.StatusUnauthorized)
		}))
		t.Cleanup(s.Close)
		return s
	}
	payer := server(func(own string) string { return own + "/auth/token" })
	guarded := sandbox.Start(t, sandbox.WithAdminToken(token))
	elsewhere := server(func(string) string { return guarded.TokenURL() })
	for name, s := range map[string]*httptest.Server{"a payer": payer, "one whose tokens come from another origin": elsewhere} {
		before := len(guarded.Exchanges())
		r, err := doctor.Examine(t.Context(), doctor.Case{Client: "app", Key: pemOf(k), Clock: clock.System{}, Server: &doctor.Server{FHIR: s.URL, AdminToken: token}})
		if err != nil || !strings.Contains(compact(r), "is no Sandfhir") {
			t.Errorf("%s: %v\n%s", name, err, indent(r))
		}
		if after := len(guarded.Exchanges()); after != before {
			t.Errorf("%s: the Sandfhir that it names was asked", name)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(posts) > 0 {
		t.Errorf("other servers were sent %q", posts)
	}
}
