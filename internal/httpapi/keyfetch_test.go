package httpapi_test

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// keyHost serves key sets as a test wants it.
func keyHost(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	host := httptest.NewUnstartedServer(handler)
	host.Config.ErrorLog = log.New(io.Discard, "", 0)
	host.Start()
	t.Cleanup(host.Close)
	return host
}

// publisher registers a client that publishes its keys at a URL.
func (w *world) publisher(t *testing.T, uri string) *sandbox.Client {
	t.Helper()
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{JWKSURI: uri, KeyID: "k1", Scopes: []string{"system/Patient.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) ask(t *testing.T, c *sandbox.Client, options ...sandbox.AssertionOption) *answer {
	t.Helper()
	return w.at().search(t, "/auth/token", tokenForm(must(c.Assertion(options...)), "system/Patient.rs"))
}

// A fetch of a key set that fails is an exchange of its own, which the refused
// token request links to and which links back; both say what was wrong.
func TestFailedFetchesAreExplained(t *testing.T) {
	t.Parallel()
	w := start(t)
	var jwks []byte
	private := base64url([]byte("a private exponent of a key"))
	answering := func(status int, contentType, body string) func(t *testing.T) string {
		return func(t *testing.T) string {
			return keyHost(t, func(rw http.ResponseWriter, r *http.Request) {
				rw.Header().Set("Content-Type", contentType)
				rw.Header().Set("Set-Cookie", "session="+private)
				rw.WriteHeader(status)
				_, _ = io.WriteString(rw, body)
			}).URL + "/jwks.json"
		}
	}
	for _, c := range []struct {
		name  string
		uri   func(t *testing.T) string
		check string
		says  string
		fix   string
		code  string // in the snippet of the shell
		body  string // in the recorded answer
	}{
		{"J01 DNS", func(*testing.T) string { return "https://nobody.invalid/jwks.json" }, "J01", `"nobody.invalid" cannot be resolved`, "spelled right", "curl -sS -i", ""},
		{"J01 refused", func(t *testing.T) string {
			host := keyHost(t, nil)
			defer host.Close()
			return host.URL
		}, "J01", "connection refused", "no firewall", "curl -sS -i", ""},
		{"J02 TLS", func(t *testing.T) string {
			host := httptest.NewUnstartedServer(http.NotFoundHandler())
			host.Config.ErrorLog = log.New(io.Discard, "", 0)
			host.StartTLS()
			t.Cleanup(host.Close)
			return host.URL
		}, "J02", "Chain sent", "full chain of a public authority", "curl -sS -i", ""},
		{"J03 status", answering(503, "text/plain", "down for maintenance"), "J03", "503 text/plain", "Answer 200 with a JWK Set", "jwks_uri", "down for maintenance"},
		{"J03 HTML", answering(200, "text/html", "<html>Sign in</html>"), "J03", "HTML", "JWK Set, which is JSON", "jwks_uri", "Sign in"},
		{"J03 not JSON", answering(200, "application/json", "{keys:["), "J03", "not valid JSON", "JWK Set, which is JSON", "jwks_uri", "{keys"},
		{"J04 a bare array with a private key", answering(200, "application/json", `[{"kty":"EC","kid":"k1","d":"`+private+`"}]`), "J04", "JSON array", "Write", "jwks_uri", `"d":"(hidden)"`},
		{"A19 a private key", answering(200, "application/x-pem-file", "-----BEGIN PRIVATE KEY-----\n"+private+"\n-----END PRIVATE KEY-----\n"), "A19", "private key", "Revoke this key pair", "jwks_uri", "(hidden)"},
		{"SB-KEY-08 no keys", answering(200, "application/json", `{"keys":[]}`), "SB-KEY-08", "no key in it", "Publish the public half", "jwks_uri", `{"keys":[]}`},
		{"A20 a private key in the set", func(t *testing.T) string {
			return answering(200, "application/json", strings.Replace(string(jwks), `"kty"`, `"d":"`+private+`","kty"`, 1))(t)
		}, "A20", "private members (d)", "Revoke this key pair now", "new-private.pem", `"d":"(hidden)"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			pair := w.publisher(t, "http://127.0.0.1:1/")
			jwks = pair.PublicJWKS()
			client := w.publisherWith(t, pair, c.uri(t))
			e := w.explanationOf(t, w.ask(t, client))
			if e.Failed == nil || e.Failed.ID != c.check || !strings.Contains(e.Failed.Text, c.says) || !strings.Contains(e.Fix, c.fix) {
				t.Fatalf("got %+v, want %s", e.Failed, c.check)
			}
			if len(e.Snippets) != 4 || !strings.Contains(e.Snippets[0].Code, c.code) {
				t.Errorf("got snippets %+v, want %q in them", e.Snippets, c.code)
			}
			if len(e.Fetches) != 1 {
				t.Fatalf("got fetches %v, want one", e.Fetches)
			}
			f := w.explain(t, e.Fetches[0])
			if f.Kind != "fetch" || f.Parent != e.ID || !slices.Equal(f.UsedBy, []string{e.ID}) || f.Client != client.ID() || f.Environment != "sandbox" || f.Source == nil || f.Source.Reason != "there was no copy" || len(f.RequestHeader) == 0 {
				t.Errorf("got fetch %+v, want it linked to %s", f, e.ID)
			}
			inSet := c.check == "A20" || c.check == "SB-KEY-08" // the fetch itself went well
			if !inSet && (f.Failed == nil || f.Failed.ID != c.check || f.Fix != e.Fix) || inSet && f.Failed != nil {
				t.Errorf("the fetch failed by %+v", f.Failed)
			}
			if !inSet && (len(f.Snippets) != 4 || !strings.Contains(f.Snippets[0].Code, c.code)) {
				t.Errorf("the fetch has snippets %+v, want %q in them", f.Snippets, c.code)
			}
			if !strings.Contains(f.ResponseBody, c.body) {
				t.Errorf("got body %q, want %q in it", f.ResponseBody, c.body)
			}
			for _, id := range []string{e.ID, f.ID} {
				wantHidden(t, w, id, private)
			}
			token := string(w.at().get(t, "/_sandbox/exchanges/"+e.ID, "Accept", "text/html").want(t, 200).body)
			fetch := string(w.at().get(t, "/_sandbox/exchanges/"+f.ID, "Accept", "text/html").want(t, 200).body)
			if !strings.Contains(token, `href="../../_sandbox/exchanges/`+f.ID) || !strings.Contains(fetch, `href="../../_sandbox/exchanges/`+e.ID) {
				t.Error("the pages do not link to each other")
			}
		})
	}
	if got := w.Exchanges(sandbox.Exchange.Refused, func(e sandbox.Exchange) bool { return e.Kind == sandbox.KindFetch }); len(got) != 0 {
		t.Errorf("fetches count as refused requests: %v", got)
	}
}

// publisherWith registers a client with the key of another one, published at a
// URL.
func (w *world) publisherWith(t *testing.T, pair *sandbox.Client, uri string) *sandbox.Client {
	t.Helper()
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{JWKSURI: uri, Key: keyOf(t, pair), KeyID: "k1", Scopes: []string{"system/Patient.rs"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A fetch that goes well is recorded with its way and with how long it is kept;
// later requests link to the fetch whose copy they use.
func TestFetchesAreRecorded(t *testing.T) {
	t.Parallel()
	w := start(t)
	var jwks []byte
	host := keyHost(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks.json" {
			http.Redirect(rw, r, "/moved?access_token=h.c.SIGN", http.StatusFound)
			return
		}
		rw.Header().Set("Cache-Control", "max-age=600")
		_, _ = rw.Write(jwks)
	})
	c := w.publisher(t, host.URL+"/jwks.json")
	jwks = c.PublicJWKS()
	w.ask(t, c).want(t, 200)
	first := w.latest(t)
	if len(first.Fetches) != 1 {
		t.Fatalf("got fetches %v, want one", first.Fetches)
	}
	f := w.explain(t, first.Fetches[0])
	s := f.Source
	if f.Failed != nil || f.Status != 200 || f.Parent != first.ID || f.URL != host.URL+"/jwks.json" || s == nil || s.Address != strings.TrimPrefix(host.URL, "http://") ||
		s.KeptBy != "Cache-Control: max-age=600" || s.KeepUntil == "" || !slices.Equal(s.KeyIDs, []string{"k1"}) || !slices.Equal(s.Redirects, []string{host.URL + "/moved?access_token=h.c.(hidden)"}) {
		t.Errorf("got %+v with %+v", f, s)
	}
	if f.ResponseBody != string(jwks) || f.ResponseBytes != len(jwks) || f.Seconds <= 0 || len(f.Checks) != 2 || f.Checks[0].Result != "pass" || f.Checks[1].Result != "pass" {
		t.Errorf("SB-KEY-04: got %+v", f)
	}
	w.ask(t, c).want(t, 200)
	if second := w.latest(t); !slices.Equal(second.Fetches, first.Fetches) {
		t.Errorf("got fetches %v, want the one whose copy was used, %v", second.Fetches, first.Fetches)
	}
	if f = w.explain(t, f.ID); len(f.UsedBy) != 2 || f.Parent != first.ID {
		t.Errorf("the fetch was used by %v, caused by %s", f.UsedBy, f.Parent)
	}
	var list []explained
	w.at().get(t, "/_sandbox/exchanges?kind=fetch").want(t, 200).decode(t, &list)
	if len(list) != 1 || list[0].ID != f.ID || list[0].Parent != first.ID {
		t.Errorf("got the fetches %+v, want one", list)
	}
	fetches := w.Exchanges(func(e sandbox.Exchange) bool { return e.Kind == sandbox.KindFetch })
	if len(fetches) != 1 || fetches[0].Parent != first.ID || fetches[0].ClientID != c.ID() {
		t.Errorf("got %v from Go, want the fetch", fetches)
	}
}

// SB-KEY-10: requests that waited for one fetch link to it, all of them.
func TestMergedFetchesAreLinked(t *testing.T) {
	t.Parallel()
	w := start(t)
	var jwks []byte
	var once sync.Once
	arrived, release := make(chan struct{}), make(chan struct{})
	host := keyHost(t, func(rw http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(arrived) })
		<-release
		_, _ = rw.Write(jwks)
	})
	c := w.publisher(t, host.URL)
	jwks = c.PublicJWKS()
	const n = 5
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if a, err := w.at().try(t.Context(), http.MethodPost, "/auth/token", strings.NewReader(tokenForm(must(c.Assertion()), "system/Patient.rs")), "Content-Type", formType); err != nil || a.status != 200 {
				t.Errorf("got %v, %v", a, err)
			}
		})
	}
	<-arrived
	close(release)
	wg.Wait()
	linked := map[string]int{}
	for _, e := range w.Exchanges(func(e sandbox.Exchange) bool { return e.ClientID == c.ID() && e.Kind == sandbox.KindRequest }) {
		linked[fmt.Sprint(e.Fetches)]++
	}
	if len(linked) != 1 {
		t.Errorf("the requests link to %v, want all to one fetch", linked)
	}
}

// J05: where a refetch for an unknown kid failed and an older copy was used, the
// diagnosis says so.
func TestFailedRefetchIsTold(t *testing.T) {
	t.Parallel()
	w := start(t)
	var jwks []byte
	var mu sync.Mutex
	down := false
	host := keyHost(t, func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if down {
			http.Error(rw, "down", http.StatusServiceUnavailable)
			return
		}
		rw.Header().Set("Cache-Control", "max-age=600")
		_, _ = rw.Write(jwks)
	})
	c := w.publisher(t, host.URL)
	jwks = c.PublicJWKS()
	w.ask(t, c).want(t, 200)
	mu.Lock()
	down = true
	mu.Unlock()
	const told = "and failed (503 text/plain; charset=utf-8), so this older copy was used"
	e := w.explanationOf(t, w.ask(t, c, sandbox.WithKeyID("k2")))
	if e.Failed == nil || e.Failed.ID != "A12" || !strings.Contains(e.Failed.Text, told) || len(e.Fetches) != 2 {
		t.Fatalf("got %+v with fetches %v, want A12 that tells of the refetch, and both fetches", e.Failed, e.Fetches)
	}
	if f := w.explain(t, e.Fetches[0]); f.Failed == nil || f.Failed.ID != "J03" || !strings.HasPrefix(f.Source.Reason, "the copy lacked the key") {
		t.Errorf("got %+v, want the refetch that failed first", f)
	}
	later := w.explanationOf(t, w.ask(t, c, sandbox.WithKeyID("k2"))) // throttled
	if later.Failed == nil || !strings.Contains(later.Failed.Text, told) {
		t.Errorf("got %+v, want it told of again", later.Failed)
	}
	w.ask(t, c).want(t, 200) // the copy still holds
}

// Two servers share no fetched key set.
func TestServersShareNoKeySets(t *testing.T) {
	t.Parallel()
	hits := make(chan struct{}, 10)
	var jwks []byte
	host := keyHost(t, func(rw http.ResponseWriter, r *http.Request) {
		hits <- struct{}{}
		rw.Header().Set("Cache-Control", "max-age=600")
		_, _ = rw.Write(jwks)
	})
	a, b := start(t), start(t)
	first := a.publisher(t, host.URL)
	jwks = first.PublicJWKS()
	second := b.publisherWith(t, first, host.URL)
	a.ask(t, first).want(t, 200)
	b.ask(t, second).want(t, 200)
	if len(hits) != 2 {
		t.Errorf("got %d fetches, want one of each server", len(hits))
	}
}

// keyOf returns the private key of a client.
func keyOf(t *testing.T, c *sandbox.Client) crypto.Signer {
	t.Helper()
	block, _ := pem.Decode(c.PrivateKeyPEM())
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(crypto.Signer)
}
