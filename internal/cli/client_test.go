package cli_test

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestTokenByEveryKindOfKey(t *testing.T) {
	t.Parallel()
	ec := ecKey(t, elliptic.P384())
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	named := jwkText(t, ec, map[string]string{"kid": "k1", "alg": "ES384", "use": "sig"})
	tests := map[string]keyFile{
		"EC, PKCS #8":  pemFile(t, "PRIVATE KEY", pkcs8(t, ec), &ec.PublicKey),
		"EC, SEC 1":    pemFile(t, "EC PRIVATE KEY", sec1, &ec.PublicKey),
		"RSA, PKCS #8": pemFile(t, "PRIVATE KEY", pkcs8(t, rsaKey), &rsaKey.PublicKey),
		"RSA, PKCS #1": pemFile(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), &rsaKey.PublicKey),
		"JWK":          {writeFile(t, dir, "a.json", named), &ec.PublicKey, "k1"},
		"JWK set":      {writeFile(t, dir, "b.json", `{"keys":[`+named+`]}`), &ec.PublicKey, "k1"},
		"JWK, no kid":  {writeFile(t, dir, "c.json", jwkText(t, rsaKey, nil)), &rsaKey.PublicKey, thumbprint(t, &rsaKey.PublicKey)},
	}
	for name, key := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFakeServer(t, key.public, key.kid)
			got := run(t, nil, "token", "--fhir", server.fhir()+"/", "--client", "c1", "--key", key.path)
			if got.code != 0 || got.stdout != "token-1\n" || got.stderr != "" {
				t.Errorf("exit code %d, %q, %q", got.code, got.stdout, got.stderr)
			}
			if server.scope != "system/*.rs" {
				t.Errorf("asked for %q", server.scope)
			}
		})
	}
}

func TestTokenWithTheWrongKey(t *testing.T) {
	t.Parallel()
	ec, small := ecKey(t, elliptic.P384()), ecKey(t, elliptic.P256())
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&ec.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	one := jwkText(t, ec, nil)
	for name, test := range map[string]struct{ path, want string }{
		"P-256":      {pemFile(t, "PRIVATE KEY", pkcs8(t, small), &small.PublicKey).path, "the key is on curve P-256; ES384 needs P-384"},
		"RSA 1024":   {pemFile(t, "PRIVATE KEY", pkcs8(t, weak), &weak.PublicKey).path, "the RSA key has 1024 bits"},
		"public":     {pemFile(t, "PUBLIC KEY", public, &ec.PublicKey).path, "this is a public key"},
		"symmetric":  {writeFile(t, dir, "a", `{"kty":"oct","k":"AAAA"}`), "is not for SMART"},
		"other alg":  {writeFile(t, dir, "b", jwkText(t, ec, map[string]string{"alg": "ES256"})), "the key says alg ES256, but SMART signs with ES384"},
		"two keys":   {writeFile(t, dir, "c", `{"keys":[`+one+`,`+one+`]}`), "the JWK Set holds 2 keys"},
		"no key":     {writeFile(t, dir, "d", "hello"), "neither a PEM private key nor a JWK"},
		"broken JWK": {writeFile(t, dir, "e", "{"), "neither a PEM private key nor a JWK"},
		"no file":    {dir + "/none", "read the private key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := run(t, nil, "token", "--fhir", "http://127.0.0.1:1/fhir", "--client", "c1", "--key", test.path)
			if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, test.want) {
				t.Errorf("exit code %d, %q, want %q", got.code, got.stderr, test.want)
			}
		})
	}
}

func TestTokenRefused(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	server := newFakeServer(t, key.public, key.kid)
	server.refuse = `{"error":"invalid_client","error_description":"exp is in the past\u001b[31m","error_uri":"http://h/e/1"}`
	got := run(t, nil, "token", "--fhir", server.fhir(), "--client", "c1", "--key", key.path)
	want := `sandfhir: the token request was refused with 400 Bad Request
  error: invalid_client
  error_description: exp is in the past [31m
  error_uri: http://h/e/1
`
	if got.code != 1 || got.stdout != "" || got.stderr != want {
		t.Errorf("exit code %d, stdout %q, stderr\n%s, want\n%s", got.code, got.stdout, got.stderr, want)
	}
}

func TestTokenWithoutAServer(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	server := newFakeServer(t, key.public, key.kid)
	server.Close()
	got := run(t, announce(t, t.TempDir(), "127.0.0.1:1", server.fhir(), key), "token")
	if got.code != 1 || !strings.Contains(got.stderr, "no server answers at 127.0.0.1:") {
		t.Errorf("exit code %d, %q", got.code, got.stderr)
	}
	got = run(t, []string{"XDG_RUNTIME_DIR=" + t.TempDir()}, "token")
	if got.code != 1 || !strings.Contains(got.stderr, "no server is running here; start one with ") {
		t.Errorf("exit code %d, %q", got.code, got.stderr)
	}
}

func TestTokenOfARunningServer(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	a, b := newFakeServer(t, key.public, key.kid), newFakeServer(t, key.public, key.kid)
	runtimeDir := t.TempDir()
	environ := announce(t, runtimeDir, "127.0.0.1:9001", a.fhir(), key)
	if got := run(t, environ, "token", "--scope", "system/Patient.rs", "--scope", "system/Group.r"); got.stdout != "token-1\n" {
		t.Errorf("one server: %+v", got)
	}
	if a.scope != "system/Patient.rs system/Group.r" {
		t.Errorf("asked for %q", a.scope)
	}

	announce(t, runtimeDir, "127.0.0.1:9002", b.fhir(), key)
	want := "sandfhir: several servers are running; choose one:\n  --fhir " + a.fhir() + "\n  --fhir " + b.fhir() + "\n"
	if got := run(t, environ, "token"); got.code != 2 || got.stderr != want {
		t.Errorf("two servers: %+v, want %q", got, want)
	}
	if got := run(t, environ, "token", "--fhir", b.fhir()); got.stdout != "token-1\n" || b.tokens != 1 {
		t.Errorf("the second of two servers: %+v", got)
	}

	announce(t, runtimeDir, "127.0.0.1:8080", b.fhir(), key)
	if got := run(t, environ, "token"); got.stdout != "token-2\n" || b.tokens != 2 {
		t.Errorf("a server at the default address: %+v", got)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	answer := func(status int, body string) func(http.ResponseWriter, int) {
		return func(w http.ResponseWriter, _ int) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	const forbidden = `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden","diagnostics":"system/Patient.r is missing"},
		{"severity":"information","code":"informational","details":{"text":"see the portal"}}]}`
	tests := []struct {
		name, path string
		request    string // "" when there is none
		code       int
		stdout     string
		stderr     string
	}{
		{"search", "Patient?_count=5&name=a b", "GET /fhir/Patient?_count=5&name=a%20b", 0, "{}\n", ""},
		{"operation", "Patient/$everything", "GET /fhir/Patient/$everything", 0, "{}\n", ""},
		{"from the root", "/other", "GET /other", 0, "{\n}\n", ""},
		{"from the root, where nothing is", "/Patient/x", "GET /Patient/x", 1, "", "sandfhir: GET SERVER/Patient/x was refused with 404 Not Found\n  error not-found: nothing here\n" +
			"  note: without the slash it is below the FHIR base: go run . get Patient/x\n"},
		{"below the FHIR base from the root", "/fhir/Patient", "GET /fhir/Patient", 0, "{}\n", ""},
		{"below the FHIR base from the root, where nothing is", "/fhir/Nothing", "GET /fhir/Nothing", 1, "", "sandfhir: GET SERVER/fhir/Nothing was refused with 404 Not Found\n  error not-found: nothing here\n"},
		{"URL of the server", "SERVER/fhir/Patient", "GET /fhir/Patient", 0, "{}\n", ""},
		{"URL elsewhere", "http://example.org/fhir/Patient", "", 2, "", "sandfhir: http://example.org/fhir/Patient is not at SERVER, and the token is for nobody else\n"},
		{"network path elsewhere", "//example.org/fhir", "", 2, "", "sandfhir: //example.org/fhir is not at SERVER, and the token is for nobody else\n"},
		{"refused", "Secret", "GET /fhir/Secret", 1, "", "sandfhir: GET SERVER/fhir/Secret was refused with 403 Forbidden\n" +
			"  error forbidden: system/Patient.r is missing\n  information informational: see the portal\n"},
		{"refused without words", "Broken", "GET /fhir/Broken", 1, "", "sandfhir: GET SERVER/fhir/Broken was refused with 502 Bad Gateway\n  answer: <html>\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := newFakeServer(t, key.public, key.kid)
			server.handle["GET /fhir/Patient"] = answer(200, "{}")
			server.handle["GET /fhir/Patient/$everything"] = answer(200, "{}")
			server.handle["GET /other"] = answer(200, "{\n}\n")
			server.handle["GET /fhir/Secret"] = answer(403, forbidden)
			server.handle["GET /fhir/Broken"] = answer(502, "<html>\n")
			path := strings.ReplaceAll(test.path, "SERVER", server.URL)
			got := run(t, announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key), "get", path)
			want := ran{test.code, test.stdout, strings.ReplaceAll(test.stderr, "SERVER", server.URL)}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			var requests []string
			if test.request != "" {
				requests = []string{test.request}
			}
			if !slices.Equal(server.requests(), requests) {
				t.Errorf("requests %q, want %q", server.requests(), requests)
			}
		})
	}
}

// SB-DIF-16: a token that is no longer taken is replaced, once.
func TestGetReplacesAToken(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	server := newFakeServer(t, key.public, key.kid)
	server.expired = true
	server.handle["GET /fhir/Patient"] = func(w http.ResponseWriter, _ int) { fmt.Fprintln(w, "{}") }
	got := run(t, announce(t, t.TempDir(), "127.0.0.1:8080", server.fhir(), key), "get", "Patient")
	if got.code != 0 || got.stdout != "{}\n" || server.tokens != 2 {
		t.Errorf("%+v after %d tokens", got, server.tokens)
	}
}

// A refusing server's own page says what was found and what to do; its lines are printed, and
// another host's page is not asked for.
func TestTokenRefusedIsExplained(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	for name, test := range map[string]struct {
		status   int
		page     string
		want     string
		unwanted string
	}{
		"found and fix": {200, `{"failed":{"id":"A12"},"counterfactual":"The signature would verify with key \"k1\".","fix":"Set the kid.\u001b[31m"}`, "\n  found: The signature would verify with key \"k1\".\n  fix: Set the kid. [31m\n", ""},
		"fix only":      {200, `{"fix":"Set the kid."}`, "\n  fix: Set the kid.\n", "found:"},
		"no page":       {404, `{"fix":"Set the kid."}`, "error_uri", "fix:"},
		"no JSON":       {200, `<html>`, "error_uri", "fix:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFakeServer(t, key.public, key.kid)
			server.refuse = `{"error":"invalid_client","error_description":"no","error_uri":"` + server.URL + `/public/e/1"}`
			server.handle["GET /public/e/1"] = func(w http.ResponseWriter, _ int) {
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.page)
			}
			got := run(t, nil, "token", "--fhir", server.fhir(), "--client", "c1", "--key", key.path)
			if got.code != 1 || !strings.Contains(got.stderr, test.want) || test.unwanted != "" && strings.Contains(got.stderr, test.unwanted) {
				t.Errorf("exit code %d, stderr\n%s, want %q in it and not %q", got.code, got.stderr, test.want, test.unwanted)
			}
		})
	}
}

// Only the refusing server is asked, whatever page a refusal names.
func TestTokenRefusedByAnotherHostsPage(t *testing.T) {
	t.Parallel()
	key := ecFile(t)
	server, other := newFakeServer(t, key.public, key.kid), newFakeServer(t, key.public, key.kid)
	server.refuse = `{"error":"invalid_client","error_uri":"` + other.URL + `/public/e/1"}`
	got := run(t, nil, "token", "--fhir", server.fhir(), "--client", "c1", "--key", key.path)
	if got.code != 1 || len(other.requests()) != 0 {
		t.Errorf("exit code %d; the other host was asked for %v", got.code, other.requests())
	}
}
