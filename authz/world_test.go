package authz_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
	"github.com/sandfhir/sandfhir/internal/clock"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// epoch is real time at the beginning of every test; the workspace's clock is
// a year ahead, so that a rule that takes the wrong clock fails.
var epoch = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

const (
	tokenURL   = "http://127.0.0.1:8080/auth/token"
	otherToken = "http://127.0.0.1:8080/production/auth/token"
)

func addresses() authz.Addresses {
	const host = "http://127.0.0.1:8080"
	return authz.Addresses{
		Issuer: host + "/auth", FHIRBase: host + "/fhir", TokenURL: tokenURL,
		RevocationURL: host + "/auth/revoke", IntrospectionURL: host + "/auth/introspect",
		RegistrationURL: host + "/auth/register", JWKSURL: host + "/auth/jwks", PortalURL: host + "/",
		Other: map[string]authz.Addresses{authz.Production: {
			Issuer: host + "/production/auth", FHIRBase: host + "/production/fhir", TokenURL: otherToken,
		}},
	}
}

// productionAddresses are those of a request to production.
func productionAddresses() authz.Addresses {
	a := addresses()
	p := a.Other[authz.Production]
	p.PortalURL = a.PortalURL
	a.Other = nil
	p.Other = map[string]authz.Addresses{authz.Sandbox: a}
	return p
}

func key(t testing.TB, file, kid string) *authztest.Key {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return &authztest.Key{ID: kid, Private: private.(crypto.Signer)}
}

// world is a sandbox environment with one client of each kind.
type world struct {
	t      testing.TB
	server *authz.Server
	store  *authztest.Store
	clock  *clock.Adjustable // the workspace's
	wall   *clock.Adjustable // real time
	rsa    *authztest.Key    // kid rsa-1, of client app
	ec     *authztest.Key    // kid ec-1, of client app
	asks   int
}

type option func(*authz.Config)

func withBehaviour(change func(*authz.Behaviour)) option {
	return func(c *authz.Config) {
		b := authz.Strict()
		change(&b)
		c.Behaviour = &b
	}
}

func inProduction(c *authz.Config) {
	c.Environment.Name, c.Others = authz.Production, []string{authz.Sandbox}
}

func withKeys(keys authz.KeySource) option { return func(c *authz.Config) { c.Keys = keys } }

func resourceType(name string) bool {
	return slices.Contains([]string{"Patient", "Observation", "Condition", "Encounter", "ExplanationOfBenefit", "Group", "Binary", "Claim"}, name)
}

func searchParameter(typ, name string) bool {
	return slices.Contains(map[string][]string{
		"Observation": {"category", "code", "date"},
		"Condition":   {"category"},
		"Patient":     {"birthdate", "name"},
	}[typ], name)
}

func newWorld(t testing.TB, options ...option) *world {
	t.Helper()
	w := &world{t: t, store: authztest.NewStore(), rsa: key(t, "rsa-a", "rsa-1"), ec: key(t, "ec-a", "ec-1")}
	w.wall, w.clock = clock.NewAdjustable(nil), clock.NewAdjustable(nil)
	w.wall.Freeze()
	w.clock.Freeze()
	w.wall.Set(epoch)
	w.clock.Set(epoch.AddDate(1, 0, 0))
	w.server = w.open(options...)
	w.put(&authz.Client{
		ID: "app", Name: "Claims importer", Method: authz.PrivateKeyJWT, JWKS: authztest.JWKS(w.rsa, w.ec),
		Scopes: scopes(t, "system/*.cruds"),
	})
	return w
}

// open makes a server over the world's store and clocks.
func (w *world) open(options ...option) *authz.Server {
	w.t.Helper()
	cfg := authz.Config{
		Environment: authz.Environment{Name: authz.Sandbox}, Others: []string{authz.Production},
		Store: w.store, Clock: w.clock, Wall: w.wall,
		IsResourceType: resourceType, SearchParameter: searchParameter,
	}
	for _, o := range options {
		o(&cfg)
	}
	server, err := authz.New(context.Background(), cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return server
}

func scopes(t testing.TB, text string) authz.Scopes {
	t.Helper()
	parsed, err := authz.ParseScopes(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// put stores a client in the server's environment, active and with the usual
// grant unless it says otherwise.
func (w *world) put(c *authz.Client) *authz.Client {
	w.t.Helper()
	return w.putIn(w.server.Environment().Name, c)
}

func (w *world) putIn(env string, c *authz.Client) *authz.Client {
	w.t.Helper()
	if c.Status == "" {
		c.Status = authz.StatusActive
	}
	if c.Grants == nil {
		c.Grants = []string{authz.GrantClientCredentials}
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = w.clock.Now()
	}
	stored, err := w.store.PutClient(context.Background(), env, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return stored
}

// change rewrites the client app.
func (w *world) change(edit func(*authz.Client)) {
	w.t.Helper()
	c, err := w.store.Client(context.Background(), w.server.Environment().Name, "app")
	if err != nil {
		w.t.Fatal(err)
	}
	edit(c)
	w.put(c)
}

// ask is a token request in the making.
type ask struct {
	*world
	authz.FormRequest
	key       *authztest.Key
	assertion authztest.Assertion
	signAs    string              // the algorithm to sign with, if not the header's
	sealed    func(string) string // changes the finished JWT
	form      url.Values
}

// newAsk returns a request that is granted as it stands.
func (w *world) newAsk() *ask {
	a := w.server.Environment().Name
	addr := addresses()
	if a == authz.Production {
		addr = productionAddresses()
	}
	assertion := w.rsa.NewAssertion("app", addr.TokenURL, w.wall.Now())
	w.asks++
	assertion.Claims["jti"] = fmt.Sprint("jti-", w.asks)
	return &ask{
		world: w, key: w.rsa, assertion: assertion,
		FormRequest: authz.FormRequest{Method: "POST", ContentType: "application/x-www-form-urlencoded", Addresses: addr, Exchange: "x1"},
		form: url.Values{
			"grant_type":            {"client_credentials"},
			"scope":                 {"system/Patient.rs"},
			"client_assertion_type": {authz.AssertionType},
			"client_assertion":      {""}, // made by request
		},
	}
}

// signWith signs with another key and names it in the header.
func (a *ask) signWith(k *authztest.Key) {
	a.key = k
	a.assertion.Header["alg"], a.assertion.Header["kid"] = k.Alg(), k.ID
}

// request makes the form, the assertion signed where none was given.
func (a *ask) request() authz.FormRequest {
	if v, ok := a.form["client_assertion"]; ok && v[0] == "" {
		alg := a.signAs
		if alg == "" {
			alg, _ = a.assertion.Header["alg"].(string)
		}
		jwt := a.key.SignAs(a.assertion, alg)
		if a.sealed != nil {
			jwt = a.sealed(jwt)
		}
		a.form.Set("client_assertion", jwt)
	}
	if a.Body == nil {
		a.Body = []byte(a.form.Encode())
	}
	return a.FormRequest
}

func (a *ask) send() *authz.TokenDecision {
	return a.server.Token(context.Background(), a.request())
}

// granted sends a request that must be granted.
func (a *ask) granted() *authz.Grant {
	a.t.Helper()
	d := a.send()
	if d.Err != nil {
		a.t.Fatalf("refused: %v", d.Err)
	}
	checkOrder(a.t, d.Checks, nil)
	return d.Grant
}

// checkOrder checks what holds for every decision: the checks stand in the
// order of the table; before a failed one all passed, after it none was
// reached; the failed one is the error's and is known to the table.
func checkOrder(t testing.TB, checks []authz.Check, err *authz.Error) {
	t.Helper()
	rules := authz.Rules()
	last, failed := -1, false
	for _, c := range checks {
		at := slices.IndexFunc(rules, func(r authz.Rule) bool { return r.ID == c.RuleID })
		if at <= last {
			t.Errorf("check %s is out of order or not in the table", c.RuleID)
			continue
		}
		last = at
		switch {
		case failed && c.Result != authz.NotReached:
			t.Errorf("check %s is %s after a failed one", c.RuleID, c.Result)
		case !failed && err == nil && c.Result != authz.Pass && c.Result != authz.Warn:
			t.Errorf("check %s is %s in a decision without error", c.RuleID, c.Result)
		case !failed && c.Result == authz.NotReached:
			t.Errorf("check %s was not reached before one failed", c.RuleID)
		}
		if c.Finding != "" && !slices.Contains(rules[at].Findings, c.Finding) {
			t.Errorf("check %s found %s, which the table does not list", c.RuleID, c.Finding)
		}
		if c.Result == authz.Fail {
			failed = true
			if err == nil || c != err.Check {
				t.Errorf("the failed check is not the error's: %+v", c)
			}
		}
		if c.Result == authz.Fail || c.Result == authz.Warn {
			checkDiagnosis(t, c)
		}
	}
	if err == nil {
		return
	}
	if !failed {
		t.Errorf("no check failed, but the error is %v", err)
	}
	for _, r := range err.Description() {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			t.Errorf("error_description holds %q: %s", r, err.Description())
		}
	}
}

// checkDiagnosis checks that a failed or warning check says what is wrong and
// what to do, in full sentences.
func checkDiagnosis(t testing.TB, c authz.Check) {
	t.Helper()
	for part, text := range map[string]string{"text": c.Text, "counterfactual": c.Counterfactual, "fix": c.Fix} {
		whole := strings.HasSuffix(text, ".") || strings.HasSuffix(text, "?") || part == "fix" && strings.HasSuffix(text, "/") && strings.Contains(text, "http")
		if text == "" && part != "counterfactual" || text != "" && !whole {
			t.Errorf("check %s: the %s is no full sentence: %q", c.ID(), part, text)
		}
	}
	if c.Remedy.Kind == "" {
		t.Errorf("check %s has no remedy", c.ID())
	}
}

// refusal is what a case wants.
type refusal struct {
	id     string // Check.ID()
	code   string
	status int
	says   []string // parts of the diagnosis
}

func (want refusal) check(t testing.TB, checks []authz.Check, err *authz.Error) {
	t.Helper()
	if err == nil {
		t.Fatalf("granted, want %s %s", want.code, want.id)
	}
	checkOrder(t, checks, err)
	if err.Check.ID() != want.id || err.Code != want.code || err.Status != want.status {
		t.Errorf("got %d %s %s, want %d %s %s\n%s", err.Status, err.Code, err.Check.ID(), want.status, want.code, want.id, err.Check.Explanation())
	}
	for _, part := range want.says {
		if !strings.Contains(err.Check.Explanation(), part) {
			t.Errorf("the diagnosis does not say %q:\n%s", part, err.Check.Explanation())
		}
	}
}
