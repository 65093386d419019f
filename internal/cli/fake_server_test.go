package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/sandfhir/sandfhir/internal/processdir"
)

// A fakeServer is as much of a FHIR and authorization server as a client command needs. It
// checks the assertion as a strict server does.
type fakeServer struct {
	*httptest.Server
	t      *testing.T
	public any // key of client "c1"
	kid    string

	mu      sync.Mutex
	seen    []string // requests: method, path and query
	sent    []string // their bodies
	jtis    map[string]bool
	tokens  int
	scope   string                                    // of the last token request
	expired bool                                      // the first token is not taken
	refuse  string                                    // body of a 400 to every token request
	handle  map[string]func(http.ResponseWriter, int) // by "METHOD path"; how often it was asked before
	asked   map[string]int
}

func newFakeServer(t *testing.T, public any, kid string) *fakeServer {
	f := &fakeServer{t: t, public: public, kid: kid, jtis: map[string]bool{}, asked: map[string]int{},
		handle: map[string]func(http.ResponseWriter, int){}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeServer) fhir() string { return f.URL + "/fhir" }

// requests returns what was asked of everything but the endpoints of discovery and tokens.
func (f *fakeServer) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

// bodies returns the bodies of those requests.
func (f *fakeServer) bodies() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent)
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch r.URL.Path {
	case "/fhir/.well-known/smart-configuration":
		fmt.Fprintf(w, `{"token_endpoint":"%s/auth/token"}`, f.URL)
	case "/auth/token":
		f.serveToken(w, r)
	default:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			f.t.Error(err)
		}
		f.seen, f.sent = append(f.seen, r.Method+" "+r.URL.RequestURI()), append(f.sent, string(body))
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		public := strings.HasPrefix(r.URL.Path, "/public/")
		if public == (token != "") || !public && (f.expired && token == "token-1" || !strings.HasPrefix(token, "token-")) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		key := r.Method + " " + r.URL.Path
		handle := f.handle[key]
		if handle == nil {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"not-found","diagnostics":"nothing here"}]}`)
			return
		}
		n := f.asked[key]
		f.asked[key]++
		handle(w, n)
	}
}

func (f *fakeServer) serveToken(w http.ResponseWriter, r *http.Request) {
	if f.refuse != "" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, f.refuse)
		return
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		f.t.Errorf("token request: %s, %s", r.Method, r.Header.Get("Content-Type"))
	}
	for name, want := range map[string]string{
		"grant_type":            "client_credentials",
		"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
	} {
		if got := r.PostFormValue(name); got != want {
			f.t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	f.scope = r.PostFormValue("scope")
	f.checkAssertion([]byte(r.PostFormValue("client_assertion")))
	f.tokens++
	fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","expires_in":300,"scope":"%s"}`, f.tokens, f.scope)
}

// SB-JWT-02 to SB-JWT-19, as far as they can be wrong in a client.
func (f *fakeServer) checkAssertion(assertion []byte) {
	alg := jwa.ES384
	if _, ok := f.public.(*rsa.PublicKey); ok {
		alg = jwa.RS384
	}
	payload, err := jws.Verify(assertion, jws.WithKey(alg, f.public))
	if err != nil {
		f.t.Errorf("the assertion does not verify as %s: %v", alg, err)
		return
	}
	message, err := jws.Parse(assertion)
	if err != nil {
		f.t.Error(err)
		return
	}
	header := message.Signatures()[0].ProtectedHeaders()
	if header.Type() != "JWT" || header.KeyID() != f.kid {
		f.t.Errorf("typ %q and kid %q, want JWT and %q", header.Type(), header.KeyID(), f.kid)
	}
	var claims struct {
		Iss, Sub, Aud, Jti string
		Exp                int64
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		f.t.Error(err)
	}
	left := time.Until(time.Unix(claims.Exp, 0))
	if claims.Iss != "c1" || claims.Sub != "c1" || claims.Aud != f.URL+"/auth/token" || left < time.Minute || left > 5*time.Minute {
		f.t.Errorf("claims %+v, %s left", claims, left)
	}
	if claims.Jti == "" || f.jtis[claims.Jti] {
		f.t.Errorf("jti %q is missing or a replay", claims.Jti)
	}
	f.jtis[claims.Jti] = true
}

// A keyFile is a private key as people have it, and its public half.
type keyFile struct {
	path   string
	public any
	kid    string // that the assertion has to name
}

func pemFile(t *testing.T, kind string, der []byte, public any) keyFile {
	t.Helper()
	path := writeFile(t, t.TempDir(), "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	return keyFile{path, public, thumbprint(t, public)}
}

func thumbprint(t *testing.T, public any) string {
	t.Helper()
	key, err := jwk.FromRaw(public)
	if err != nil {
		t.Fatal(err)
	}
	if err := jwk.AssignKeyID(key); err != nil {
		t.Fatal(err)
	}
	return key.KeyID()
}

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func ecFile(t *testing.T) keyFile {
	t.Helper()
	key := ecKey(t, elliptic.P384())
	return pemFile(t, "PRIVATE KEY", pkcs8(t, key), &key.PublicKey)
}

func jwkText(t *testing.T, raw any, members map[string]string) string {
	t.Helper()
	key, err := jwk.FromRaw(raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		if err := key.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// announce leaves what a running server leaves for the commands and returns the environment in
// which they find it.
func announce(t *testing.T, runtimeDir, address, fhir string, key keyFile) (environ []string) {
	t.Helper()
	parent := filepath.Join(runtimeDir, "sandfhir")
	if err := os.MkdirAll(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	dir, err := processdir.Make(t.Context(), parent, strings.ReplaceAll(address, ":", "-"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Remove() })
	data, err := json.Marshal(map[string]any{"address": address, "local": strings.TrimSuffix(fhir, "/fhir"), "fhir": fhir,
		"client": "c1", "key": key.path, "kid": key.kid, "started": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir.Path(), "server.json", string(data))
	return []string{"XDG_RUNTIME_DIR=" + runtimeDir}
}
