package cli_test

import (
	"crypto/elliptic"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ask sends a request to a path below the server's root, or to its FHIR base
// where the path is empty, and returns the answer. header are names and values.
func (s *serving) ask(t *testing.T, method, path, body string, header ...string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(s.fhir, "/fhir")+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// register registers a client by its key set's URL and returns its id, or what
// the server says instead.
func (s *serving) register(t *testing.T, jwksURI string, header ...string) (status int, id, text string) {
	t.Helper()
	body := `{"client_name":"test","grant_types":["client_credentials"],"token_endpoint_auth_method":"private_key_jwt","scope":"system/*.rs","jwks_uri":"` + jwksURI + `"}`
	status, text = s.ask(t, "POST", "/auth/register", body, append(header, "Content-Type", "application/json")...)
	var registered struct {
		ID string `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(text), &registered); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return status, registered.ID, text
}

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string // in the answer
	}{
		"by default nobody":  {nil, `"token_endpoint":"http://127.0.0.1:`},
		"this machine":       {[]string{"--trusted-proxies", "10.0.0.0/8, 127.0.0.1"}, `"token_endpoint":"https://payer.example/smart/auth/token"`},
		"its network":        {[]string{"--trusted-proxies", "127.0.0.0/8"}, `"token_endpoint":"https://payer.example/smart/auth/token"`},
		"another's":          {[]string{"--trusted-proxies", "10.0.0.0/8"}, `"token_endpoint":"http://127.0.0.1:`},
		"under the base URL": {[]string{"--trusted-proxies", "127.0.0.1", "--base-url", "https://fixed.example"}, `"token_endpoint":"https://fixed.example/auth/token"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, t.TempDir(), append([]string{"--addr", "127.0.0.1:0"}, c.args...)...)
			if s.fhir = s.listensAt(t); s.fhir == "" {
				t.Fatal("no address")
			}
			status, text := s.ask(t, "GET", "/fhir/.well-known/smart-configuration", "",
				"X-Forwarded-Host", "payer.example", "X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/smart")
			if status != 200 || !strings.Contains(text, c.want) {
				t.Errorf("got status %d and %s, want %s in it", status, text, c.want)
			}
		})
	}
}

// listensAt is the FHIR base at the address that the server listens on,
// whatever its base URL is.
func (s *serving) listensAt(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(strings.TrimPrefix(s.environ[0], "HOME="), "sandfhir", "*", "server.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("running files: %v, %v", files, err)
	}
	var running struct{ Address string }
	readJSON(t, files[0], &running)
	return "http://" + running.Address + "/fhir"
}

func TestPrivateKeySets(t *testing.T) {
	t.Parallel()
	const uri = "http://10.255.255.1/jwks.json"
	if status, _, text := serve(t, t.TempDir()).register(t, uri); status != 400 || !strings.Contains(text, "J08") {
		t.Errorf("SB-REG-10: without --private-jwks-uri: got status %d and %s, want a refusal by J08", status, text)
	}
	if status, _, text := serve(t, t.TempDir(), "--private-jwks-uri").register(t, uri); status != 201 {
		t.Errorf("with --private-jwks-uri: got status %d and %s, want 201", status, text)
	}
}

func TestInsecureKeySets(t *testing.T) {
	t.Parallel()
	key := ecKey(t, elliptic.P384())
	file := pemFile(t, "PRIVATE KEY", pkcs8(t, key), &key.PublicKey)
	keys := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"keys":[`+jwkText(t, &key.PublicKey, map[string]string{"kid": file.kid, "alg": "ES384", "use": "sig"})+`]}`)
	}))
	keys.Config.ErrorLog = log.New(io.Discard, "", 0) // one server does not trust it
	keys.StartTLS()
	t.Cleanup(keys.Close)
	for name, c := range map[string]struct {
		args []string
		code int
		want string // in what is printed
	}{
		"by default":          {nil, 1, "certificate"},
		"--insecure-jwks-uri": {[]string{"--insecure-jwks-uri"}, 0, "."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, t.TempDir(), c.args...)
			status, id, text := s.register(t, keys.URL+"/jwks.json")
			if status != 201 {
				t.Fatalf("got status %d and %s, want 201", status, text)
			}
			got := s.run(t, "token", "--fhir", s.fhir, "--client", id, "--key", file.path)
			if got.code != c.code || !strings.Contains(got.stdout+got.stderr, c.want) {
				t.Errorf("SB-KEY-07: got %+v, want exit code %d and %q", got, c.code, c.want)
			}
		})
	}
}

func TestRegistrationToken(t *testing.T) {
	t.Parallel()
	const token = "come-in-and-find-out"
	s := serveIn(t, t.TempDir(), []string{"SANDFHIR_REGISTRATION_TOKEN=" + token})
	const uri = "https://client.example.org/jwks.json"
	for name, header := range map[string][]string{"none": nil, "another": {"Authorization", "Bearer " + token + "x"}} {
		if status, _, text := s.register(t, uri, header...); status != 401 || strings.Contains(text, token) {
			t.Errorf("%s: got status %d and %s, want 401 and the token hidden", name, status, text)
		}
	}
	if status, _, text := s.register(t, uri, "Authorization", "Bearer "+token); status != 201 {
		t.Errorf("the token: got status %d and %s, want 201", status, text)
	}
	if status, _, text := serve(t, t.TempDir()).register(t, uri); status != 201 {
		t.Errorf("without the setting: got status %d and %s, want 201", status, text)
	}
	if got := s.run(t, "token"); got.code != 0 { // the demo client is there already
		t.Errorf("token: %+v", got)
	}
}

// TestFullSync proves that a server with the setting serves and keeps; that its
// writes wait for the disk cannot be seen from here.
func TestFullSync(t *testing.T) {
	t.Parallel()
	home, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	more := writeFile(t, t.TempDir(), "more.ndjson", `{"resourceType":"Patient","id":"mine"}`+"\n")
	if got := run(t, []string{"HOME=" + home}, "load", "--full-sync", "--data", data, "--patients", "0", more); got.code != 0 {
		t.Fatalf("load: %+v", got)
	}
	s := serveIn(t, home, []string{"SANDFHIR_FULL_SYNC=true"}, "--data", data)
	if got := s.run(t, "get", "Patient/mine"); got.code != 0 {
		t.Errorf("get: %+v", got)
	}
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}
