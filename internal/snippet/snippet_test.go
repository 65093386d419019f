package snippet_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"go/format"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/internal/snippet"
	"github.com/sandfhir/sandfhir/sandbox"
)

// hostile is a value that does harm wherever it is not quoted.
const hostile = "it's \"k\" $(touch pwned) `touch pwned` \\ ${x} %s {{.}} </script> #'''"

// world is a server with one client for each algorithm, and one whose kid is
// hostile.
type world struct {
	*sandbox.Server
	clients map[string]*sandbox.Client
}

// start makes the keys once for all tests: RSA takes its time.
var keys = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func start(t *testing.T) *world {
	t.Helper()
	w := &world{Server: sandbox.Start(t), clients: map[string]*sandbox.Client{}}
	rsaKey, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]sandbox.ClientConfig{
		"RS384":   {Key: rsaKey, Algorithm: sandbox.RS384, KeyID: "rsa-1"},
		"ES384":   {Key: ecKey, Algorithm: sandbox.ES384, KeyID: "ec-1"},
		"hostile": {Key: ecKey, Algorithm: sandbox.ES384, KeyID: hostile, ID: "the client's \"id\""},
	} {
		if w.clients[name], err = w.RegisterClient(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) facts(name string) snippet.Facts {
	c := w.clients[name]
	f := snippet.Facts{
		ClientID: c.ID(), TokenURL: w.TokenURL(), FHIRURL: w.FHIRURL() + "/Patient?_count=1", RegistrationURL: w.RegistrationURL(),
		KeyID: c.KeyID(), Scope: "system/Patient.rs", Algorithm: "ES384",
	}
	if name == "RS384" {
		f.Algorithm = name
	}
	return f
}

func (w *world) assertion(t *testing.T) string {
	t.Helper()
	a, err := w.clients["ES384"].Assertion()
	if err != nil {
		t.Fatal(err)
	}
	return "ASSERTION=" + a
}

// granted checks that an answer holds an access token with the scope.
func granted(t *testing.T, answer, scope string) string {
	t.Helper()
	var token struct {
		AccessToken string `json:"access_token"`
		Scope       string `json:"scope"`
	}
	if err := json.Unmarshal([]byte(answer), &token); err != nil || token.AccessToken == "" || token.Scope != scope {
		t.Errorf("got %s, want a token for %s", answer, scope)
	}
	return token.AccessToken
}

// A08 A12 A15 A16 C03 C09 C14: whatever was wrong with an assertion, this one is
// right.
func TestAssertion(t *testing.T) {
	t.Parallel()
	w := start(t)
	for name := range w.clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, snippet.Assertion, w.facts(name), func(t *testing.T, s snippet.Snippet) {
				files := map[string][]byte{"private.pem": w.clients[name].PrivateKeyPEM()}
				for range repeats(s.Language, name) {
					granted(t, run(t, s, files), "system/Patient.rs")
				}
			})
		})
	}
	t.Run("at the introspection endpoint", func(t *testing.T) {
		t.Parallel()
		facts := w.facts("ES384")
		facts.Endpoint = strings.Replace(w.TokenURL(), "/token", "/introspect", 1)
		token, err := w.clients["RS384"].Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		each(t, snippet.Assertion, facts, func(t *testing.T, s snippet.Snippet) {
			answer := run(t, s, map[string][]byte{"private.pem": w.clients["ES384"].PrivateKeyPEM()}, "ACCESS_TOKEN="+token.AccessToken)
			if !strings.Contains(answer, `"active":true`) {
				t.Errorf("got %s, want an active token", answer)
			}
		})
	})
}

// repeats is how often an assertion is made: the numbers of an ECDSA signature
// are shorter than 48 bytes now and then, and the shell pads them itself.
func repeats(language, name string) int {
	if language == "sh" && name == "ES384" {
		return 8
	}
	return 1
}

// D04 D05 T04 K03 S01 S06: the form as it has to be.
func TestForm(t *testing.T) {
	t.Parallel()
	w := start(t)
	for kind, scope := range map[snippet.Kind]string{snippet.Form: "system/Patient.rs", snippet.Scope: "system/Observation.rs?category=vital-signs"} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			facts := w.facts("ES384")
			facts.Scope = scope
			each(t, kind, facts, func(t *testing.T, s snippet.Snippet) {
				granted(t, run(t, s, nil, w.assertion(t)), scope)
			})
		})
	}
}

// The whole way of a client, with each kind of key and with a secret.
func TestRead(t *testing.T) {
	t.Parallel()
	w := start(t)
	reads := func(t *testing.T, facts snippet.Facts, files map[string][]byte, env ...string) {
		each(t, snippet.Read, facts, func(t *testing.T, s snippet.Snippet) {
			if answer := run(t, s, files, env...); !strings.Contains(answer, `"resourceType":"Bundle"`) {
				t.Errorf("got %s, want a Bundle", answer)
			}
		})
	}
	for name := range w.clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reads(t, w.facts(name), map[string][]byte{"private.pem": w.clients[name].PrivateKeyPEM()})
		})
	}
	clientID, secret := registerSecret(t, w, "client_secret_basic")
	t.Run("with a secret", func(t *testing.T) {
		t.Parallel()
		facts := w.facts("ES384")
		facts.ClientID, facts.Credential = clientID, snippet.ClientSecretBasic
		reads(t, facts, nil, "CLIENT_SECRET="+secret)
	})
}

// SB-RS-02 T02 T03: the token is asked for, and used.
func TestBearer(t *testing.T) {
	t.Parallel()
	w := start(t)
	each(t, snippet.Bearer, w.facts("ES384"), func(t *testing.T, s snippet.Snippet) {
		if answer := run(t, s, nil, w.assertion(t)); !strings.Contains(answer, `"resourceType":"Bundle"`) {
			t.Errorf("got %s, want a Bundle", answer)
		}
	})
	clientID, secret := registerSecret(t, w, "client_secret_basic")
	t.Run("with a secret", func(t *testing.T) {
		t.Parallel()
		facts := w.facts("ES384")
		facts.ClientID, facts.Credential = clientID, snippet.ClientSecretBasic
		each(t, snippet.Bearer, facts, func(t *testing.T, s snippet.Snippet) {
			if answer := run(t, s, nil, "CLIENT_SECRET="+secret); !strings.Contains(answer, `"resourceType":"Bundle"`) {
				t.Errorf("got %s, want a Bundle", answer)
			}
		})
	})
}

func registerSecret(t *testing.T, w *world, method string) (id, secret string) {
	t.Helper()
	resp, err := http.Post(w.RegistrationURL(), "application/json", strings.NewReader(`{"client_name":"x","token_endpoint_auth_method":"`+method+`","grant_types":["client_credentials"],"scope":"system/*.rs"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Secret == "" {
		t.Fatalf("%s: no secret: %v", resp.Status, err)
	}
	return answer.ID, answer.Secret
}

// K01 K02 K05: a server that decodes as RFC 6749 section 2.3.1 has it gets the
// very id and secret, whatever is in them.
func TestSecret(t *testing.T) {
	t.Parallel()
	const secret = "p+q r%2Fs:t&u=é/?~*'()!"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, got, basic := r.BasicAuth()
		if basic && r.URL.Path != "/raw" {
			id, _ = url.QueryUnescape(id)
			got, _ = url.QueryUnescape(got)
		}
		_ = r.ParseForm()
		if !basic {
			id, got = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
		}
		if r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("scope") != "system/*.rs" || r.Method != "POST" {
			http.Error(w, "wrong form", 400)
			return
		}
		_, _ = io.WriteString(w, id+"|"+got)
	}))
	defer server.Close()
	t.Run("all", func(t *testing.T) {
		for _, c := range []struct {
			name, path string
			credential snippet.Credential
			raw        bool
		}{
			{"K02 Basic", "/", snippet.ClientSecretBasic, false},
			{"K02 Basic as it is", "/raw", snippet.ClientSecretBasic, true},
			{"SB-SYM-02 form", "/", snippet.ClientSecretPost, false},
			{"a client without a secret", "/", "", false},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				facts := snippet.Facts{ClientID: "web 1%+", TokenURL: server.URL + c.path, Scope: "system/*.rs", Credential: c.credential, RawBasic: c.raw}
				each(t, snippet.Secret, facts, func(t *testing.T, s snippet.Snippet) {
					if got, want := run(t, s, nil, "CLIENT_SECRET="+secret), facts.ClientID+"|"+secret; got != want {
						t.Errorf("got %s, want %s\n%s", got, want, s.Code)
					}
				})
			})
		}
	})
}

// A17 A20 A22: a new pair is made, its public half is a key set that can be
// registered and its private half signs for it; nothing is overwritten.
// A13 A19 A21 A23 J04: the key set of the key that there is.
func TestKeys(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, alg := range []string{"RS384", "ES384"} {
		t.Run("new "+alg, func(t *testing.T) {
			t.Parallel()
			facts := snippet.Facts{Algorithm: alg, KeyID: "new-1", RegistrationURL: w.RegistrationURL(), TokenURL: w.TokenURL(), Scope: "system/*.rs"}
			each(t, snippet.NewKey, facts, func(t *testing.T, s snippet.Snippet) {
				dir := t.TempDir()
				jwks := runIn(t, s, dir)
				facts := facts
				facts.ClientID, facts.KeyFile = register(t, w, jwks), "new-private.pem"
				signs, err := snippet.For(snippet.Assertion, facts)
				if err != nil {
					t.Fatal(err)
				}
				granted(t, runIn(t, signs[0], dir), "system/*.rs")
				if out := runAgain(t, s, dir); !strings.Contains(out, "xist") { // File exists, EEXIST, cannot overwrite existing file
					t.Errorf("a second run did not keep the key: %s", out)
				}
			})
		})
		t.Run("of "+alg, func(t *testing.T) {
			t.Parallel()
			facts := w.facts(alg)
			each(t, snippet.KeySet, facts, func(t *testing.T, s snippet.Snippet) {
				jwks := run(t, s, map[string][]byte{"private.pem": w.clients[alg].PrivateKeyPEM()})
				if a, b := publicMembers(t, []byte(jwks)), publicMembers(t, w.clients[alg].PublicJWKS()); a != b {
					t.Errorf("got %s, want %s", a, b)
				}
				if strings.Contains(jwks, `"d"`) {
					t.Error("the private member is in it")
				}
			})
		})
	}
}

// publicMembers returns what makes the first key of a set.
func publicMembers(t *testing.T, jwks []byte) string {
	t.Helper()
	var set struct {
		Keys []map[string]any
	}
	if err := json.Unmarshal(jwks, &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%s: %v", jwks, err)
	}
	made := map[string]any{}
	for _, name := range []string{"kty", "kid", "n", "e", "crv", "x", "y"} {
		if v, ok := set.Keys[0][name]; ok {
			made[name] = v
		}
	}
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func register(t *testing.T, w *world, jwks string) string {
	t.Helper()
	resp, err := http.Post(w.RegistrationURL(), "application/json", strings.NewReader(`{"client_name":"x","token_endpoint_auth_method":"private_key_jwt","grant_types":["client_credentials"],"scope":"system/*.rs","jwks":`+jwks+`}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	var answer struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.ID == "" {
		t.Fatalf("%s was not registered: %s", jwks, body)
	}
	return answer.ID
}

// SB-DCR-01 J08: a registration with an initial access token, and RFC 7592.
func TestRegistration(t *testing.T) {
	t.Parallel()
	w := start(t)
	files := map[string][]byte{"jwks.json": w.clients["ES384"].PublicJWKS()}
	facts := w.facts("ES384")
	facts.InitialToken = true // a server without one takes it as well
	each(t, snippet.Registration, facts, func(t *testing.T, s snippet.Snippet) {
		answer := run(t, s, files, "INITIAL_ACCESS_TOKEN=x")
		var got struct {
			ID    string `json:"client_id"`
			Scope string `json:"scope"`
			Token string `json:"registration_access_token"`
		}
		if err := json.Unmarshal([]byte(answer), &got); err != nil || got.ID == "" || got.Scope != "system/Patient.rs" {
			t.Fatalf("got %s", answer)
		}
		facts := facts
		facts.ClientID = got.ID
		manage, err := snippet.For(snippet.Management, facts)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range manage {
			if m.Language != s.Language {
				continue
			}
			if read := run(t, m, nil, "REGISTRATION_ACCESS_TOKEN="+got.Token); !strings.Contains(read, got.ID) {
				t.Errorf("got %s, want the registration", read)
			}
		}
	})
}

// J01 J02 J03: the key set as the server sees it. C08 C10 C12: both clocks.
func TestLooking(t *testing.T) {
	t.Parallel()
	w := start(t)
	host := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write(w.clients["ES384"].PublicJWKS())
	}))
	t.Cleanup(host.Close)
	facts := w.facts("ES384")
	facts.JWKSURI = host.URL
	t.Run("fetch", func(t *testing.T) {
		each(t, snippet.Fetch, facts, func(t *testing.T, s snippet.Snippet) {
			if out := run(t, s, nil); !strings.Contains(out, "200") || !strings.Contains(out, "application/json") || !strings.Contains(out, `"kid"`) {
				t.Errorf("got %s, want status, type and keys", out)
			}
		})
	})
	t.Run("clock", func(t *testing.T) {
		each(t, snippet.Clock, facts, func(t *testing.T, s snippet.Snippet) {
			if out := run(t, s, nil); strings.Count(out, "\n") < 1 || strings.Count(out, ":") < 4 {
				t.Errorf("got %s, want two times", out)
			}
		})
	})
}

// What strangers sent appears in no snippet unless it is plain, and never
// unquoted: the hostile client of TestAssertion runs. Here every kind is made
// with hostile and with unprintable values, and Go's code is formatted.
func TestValuesAreLiterals(t *testing.T) {
	t.Parallel()
	kinds := []snippet.Kind{
		snippet.Assertion, snippet.Read, snippet.Form, snippet.Scope, snippet.Secret, snippet.NewKey, snippet.KeySet,
		snippet.Fetch, snippet.Clock, snippet.Bearer, snippet.Registration, snippet.Management,
	}
	for _, value := range []string{"", hostile, "a\x1b[201~b", "a\nb", "a\u202eb", strings.Repeat("x", 2000), "\xff"} {
		for _, kind := range kinds {
			for _, credential := range []snippet.Credential{"", snippet.ClientSecretBasic, snippet.ClientSecretPost} {
				for _, alg := range []string{"RS384", "ES384", value} {
					list, err := snippet.For(kind, snippet.Facts{
						ClientID: value, TokenURL: value, Audience: value, Endpoint: value, FHIRURL: value, RegistrationURL: value, JWKSURI: value,
						KeyID: value, Algorithm: alg, Scope: value, KeyFile: value, Credential: credential, InitialToken: true,
					})
					if err != nil {
						t.Fatal(err)
					}
					for _, s := range list {
						checkLiteral(t, kind, s, value)
					}
					if does := snippet.Does(kind, snippet.Facts{KeyFile: value, Credential: credential}); !strings.HasSuffix(does, ".") {
						t.Errorf("%s does %q", kind, does)
					}
				}
			}
		}
	}
	if list, err := snippet.For("none", snippet.Facts{}); err != nil || list != nil || snippet.Does("none", snippet.Facts{}) != "" {
		t.Errorf("got %v, %v for no kind", list, err)
	}
}

func checkLiteral(t *testing.T, kind snippet.Kind, s snippet.Snippet, value string) {
	t.Helper()
	if value != hostile && value != "" && strings.Contains(s.Code, value) {
		t.Errorf("%s in %s holds %q:\n%s", kind, s.Language, value, s.Code)
	}
	for _, r := range s.Code {
		if r != '\n' && r != '\t' && (r < 0x20 || r > 0x7e) {
			t.Fatalf("%s in %s holds %q", kind, s.Language, r)
		}
	}
	if strings.Contains(s.Code, "<no value>") || strings.Contains(s.Code, "\n\n\n") || strings.HasPrefix(s.Code, "\n") {
		t.Errorf("%s in %s is not neat:\n%s", kind, s.Language, s.Code)
	}
	if s.Language == "go" {
		formatted, err := format.Source([]byte(s.Code))
		if err != nil || string(formatted) != s.Code {
			t.Fatalf("%s is not formatted: %v\n%s", kind, err, s.Code)
		}
	}
	if lines := strings.Count(s.Code, "\n"); lines > 70 {
		t.Errorf("%s in %s has %d lines", kind, s.Language, lines)
	}
}
