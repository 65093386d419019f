package authz_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// host publishes a key set; what it answers can be changed.
type host struct {
	*httptest.Server
	hits    atomic.Int64
	mu      sync.Mutex
	handler http.HandlerFunc
}

func newHost(t testing.TB, start func(*httptest.Server)) *host {
	h := &host{}
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.hits.Add(1)
		h.mu.Lock()
		handler := h.handler
		h.mu.Unlock()
		handler(w, r)
	}))
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(h.Server)
	t.Cleanup(h.Close)
	return h
}

func plainHost(t testing.TB) *host { return newHost(t, (*httptest.Server).Start) }

func tlsHost(t testing.TB) *host { return newHost(t, (*httptest.Server).StartTLS) }

func (h *host) answer(handler http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.handler = handler
}

// publish answers a key set with headers, given as name and value in turn.
func (h *host) publish(jwks []byte, headers ...string) {
	h.answer(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		_, _ = w.Write(jwks)
	})
}

func frozen() *clock.Adjustable {
	c := clock.NewAdjustable(nil)
	c.Freeze()
	c.Set(epoch)
	return c
}

func TestFetcherKeeps(t *testing.T) {
	t.Parallel()
	date := epoch.Format(http.TimeFormat)
	for _, c := range []struct {
		name    string
		headers []string
		kept    time.Duration
	}{
		{"SB-KEY-05 no header", nil, 60 * time.Second},
		{"SB-KEY-03 max-age", []string{"Cache-Control", "public, max-age=120"}, 120 * time.Second},
		{"max-age in upper case", []string{"Cache-Control", "Max-Age=90"}, 90 * time.Second},
		{"SB-KEY-03 no-store", []string{"Cache-Control", "no-store"}, 0},
		{"SB-KEY-03 no-cache", []string{"Cache-Control", "no-cache, max-age=50"}, 0},
		{"max-age=0", []string{"Cache-Control", "max-age=0"}, 0},
		{"malformed max-age", []string{"Cache-Control", "max-age=soon"}, 0},
		{"two headers", []string{"Cache-Control", "max-age=100", "Cache-Control", "no-store"}, 0},
		{"SB-KEY-03 Expires", []string{"Date", date, "Expires", epoch.Add(45 * time.Second).Format(http.TimeFormat)}, 45 * time.Second},
		{"Expires in the past", []string{"Date", date, "Expires", "0"}, 0},
		{"max-age before Expires", []string{"Date", date, "Expires", "0", "Cache-Control", "max-age=10"}, 10 * time.Second},
		{"Age counts", []string{"Cache-Control", "max-age=100", "Age", "70"}, 30 * time.Second},
		{"Pragma", []string{"Pragma", "no-cache"}, 0},
		{"other directives", []string{"Cache-Control", "public"}, 60 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h, now := plainHost(t), frozen()
			h.publish(authztest.JWKS(key(t, "rsa-a", "k")), c.headers...)
			f := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, Clock: now})
			fetch := func(want int64) {
				t.Helper()
				if _, err := f.Keys(t.Context(), h.URL, "k"); err != nil {
					t.Fatal(err)
				}
				if got := h.hits.Load(); got != want {
					t.Fatalf("%d fetches, want %d", got, want)
				}
			}
			fetch(1)
			if c.kept > 0 {
				now.Advance(c.kept - time.Millisecond)
				fetch(1)
				now.Advance(time.Millisecond)
			}
			fetch(2)
		})
	}
}

func TestFetcherRequest(t *testing.T) {
	t.Parallel()
	h := plainHost(t)
	var got *http.Request
	h.answer(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = w.Write(authztest.JWKS(key(t, "ec-a", "k")))
	})
	var fetches []authz.Fetch
	f := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, OnFetch: func(r authz.Fetch) { fetches = append(fetches, r) }})
	p, err := f.Keys(t.Context(), h.URL+"/jwks.json?v=1", "")
	if err != nil {
		t.Fatal(err)
	}
	if got.Method != "GET" || got.Header.Get("Accept") != "application/json" || got.Header.Get("Authorization") != "" || got.URL.String() != "/jwks.json?v=1" {
		t.Errorf("SB-KEY-02: %s %s %v", got.Method, got.URL, got.Header)
	}
	if fmt.Sprint(p.Set.KeyIDs(), p.Set.Len()) != "[k] 1" {
		t.Errorf("kids %v", p.Set.KeyIDs())
	}
	if len(fetches) != 1 || fetches[0].Status != 200 || fetches[0].Reason != authz.FetchFirst || fetches[0].Err != nil || fmt.Sprint(fetches[0].KeyIDs) != "[k]" {
		t.Errorf("recorded %+v", fetches)
	}
}

// SB-KEY-06: a kid that a valid copy lacks makes one fetch, then none until
// the throttle allows it.
func TestFetcherUnknownKid(t *testing.T) {
	t.Parallel()
	h, now := plainHost(t), frozen()
	old, fresh := key(t, "rsa-a", "old"), key(t, "rsa-b", "new")
	h.publish(authztest.JWKS(old), "Cache-Control", "max-age=3600")
	var reasons []authz.FetchReason
	f := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, Clock: now, OnFetch: func(r authz.Fetch) { reasons = append(reasons, r.Reason) }})
	keys := func(kid string, hits int64, kids string) *authz.PublishedKeys {
		t.Helper()
		p, err := f.Keys(t.Context(), h.URL, kid)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(p.Set.KeyIDs()); got != kids || h.hits.Load() != hits {
			t.Fatalf("kids %s after %d fetches, want %s after %d", got, h.hits.Load(), kids, hits)
		}
		return p
	}
	keys("new", 1, "[old]") // the first fetch is fresh: no second one
	keys("old", 1, "[old]")
	h.publish(authztest.JWKS(old, fresh), "Cache-Control", "max-age=3600")
	keys("new", 2, "[old new]")
	p := keys("newer", 2, "[old new]") // throttled
	if !p.RefetchAfter.Equal(epoch.Add(30 * time.Second)) {
		t.Errorf("refetch after %v", p.RefetchAfter)
	}
	now.Advance(30*time.Second - 1)
	keys("newer", 2, "[old new]")
	now.Advance(1)
	keys("newer", 3, "[old new]")
	if fmt.Sprint(reasons) != fmt.Sprint([]authz.FetchReason{authz.FetchFirst, authz.FetchForced, authz.FetchForced}) {
		t.Errorf("reasons %v", reasons)
	}
	now.Advance(time.Minute)
	h.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	keys("newest", 4, "[old new]") // the copy is still valid
	now.Advance(time.Hour)
	if _, err := f.Keys(t.Context(), h.URL, "old"); err == nil {
		t.Error("SB-KEY-05: a copy is used past its age because the host fails")
	}
}

// SB-KEY-10: concurrent fetches of one URL are one.
func TestFetcherMerges(t *testing.T) {
	t.Parallel()
	h := plainHost(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	h.answer(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = w.Write(authztest.JWKS(key(t, "ec-a", "k")))
	})
	f := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback})
	var wg sync.WaitGroup
	var started sync.WaitGroup
	for range 10 {
		started.Add(1)
		wg.Go(func() {
			started.Done()
			if _, err := f.Keys(t.Context(), h.URL, "k"); err != nil {
				t.Error(err)
			}
		})
	}
	<-arrived
	started.Wait()
	close(release)
	wg.Wait()
	if n := h.hits.Load(); n != 1 { // a second close of arrived would panic as well
		t.Errorf("%d fetches, want 1", n)
	}
}

type fetchCase struct {
	name string
	cfg  authz.FetchConfig
	// prepare returns the URL to fetch.
	prepare func(t testing.TB) string
	finding string
	says    []string
}

func fetchCases() []fetchCase {
	loopback := authz.FetchConfig{Reach: authz.ReachLoopback}
	answering := func(handler http.HandlerFunc) func(testing.TB) string {
		return func(t testing.TB) string {
			h := plainHost(t)
			h.answer(handler)
			return h.URL + "/jwks.json"
		}
	}
	body := func(contentType, text string) func(testing.TB) string {
		return answering(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = io.WriteString(w, text)
		})
	}
	return []fetchCase{
		{name: "J01 nobody listens", cfg: loopback, prepare: func(t testing.TB) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			return "http://" + l.Addr().String() + "/jwks.json"
		}, finding: "J01", says: []string{"connection refused", "when a token is asked for"}},
		{name: "J01 a name that does not exist", prepare: func(testing.TB) string { return "https://nobody.invalid/jwks.json" }, finding: "J01", says: []string{`"nobody.invalid" cannot be resolved`}},
		{name: "J01 SB-KEY-07 this machine", prepare: func(t testing.TB) string { return tlsHost(t).URL }, finding: "J01", says: []string{"this server's own machine", "was not sent"}},
		{name: "J01 SB-KEY-07 a private network", cfg: loopback, prepare: func(testing.TB) string { return "https://10.0.0.1/jwks.json" }, finding: "J01", says: []string{"private network"}},
		{name: "J01 SB-KEY-07 cloud metadata, whatever the reach", cfg: authz.FetchConfig{Reach: authz.ReachPrivate}, prepare: func(testing.TB) string { return "http://169.254.169.254/latest" }, finding: "J01", says: []string{"link-local"}},
		{name: "J01 SB-KEY-07 IPv4 inside IPv6", cfg: loopback, prepare: func(testing.TB) string { return "https://[::ffff:10.0.0.1]/jwks.json" }, finding: "J01", says: []string{"private network"}},
		{name: "J02 self-signed", cfg: loopback, prepare: func(t testing.TB) string {
			h := tlsHost(t)
			h.publish(authztest.JWKS())
			return h.URL
		}, finding: "J02", says: []string{"Chain sent", "self-signed", "payers take nothing else"}},
		{name: "J02 plain HTTP on a TLS port", cfg: loopback, prepare: func(t testing.TB) string {
			return strings.Replace(plainHost(t).URL, "http:", "https:", 1)
		}, finding: "J02", says: []string{"speaks plain HTTP"}},
		{name: "J03 404", cfg: loopback, prepare: answering(http.NotFound), finding: "J03", says: []string{"→ 404 text/plain", "404 page not found", "curl"}},
		{name: "J03 HTML", cfg: loopback, prepare: body("text/html", "<html><title>Sign in</title>"), finding: "J03", says: []string{"200 text/html", "<html>", "That is HTML"}},
		{name: "J03 redirect to a login page", cfg: loopback, prepare: answering(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				_, _ = io.WriteString(w, "<html>")
				return
			}
			http.Redirect(w, r, "/login", http.StatusFound)
		}), finding: "J03", says: []string{"after a redirect to", "/login"}},
		{name: "J03 SB-KEY-07 too many redirects", cfg: loopback, prepare: answering(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"/x", http.StatusFound)
		}), finding: "J03", says: []string{"more than 3"}},
		{name: "J03 SB-KEY-07 redirect to another scheme", cfg: loopback, prepare: answering(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://public.example/jwks.json", http.StatusFound)
		}), finding: "J03", says: []string{"redirect not followed", "must be https"}},
		{name: "J03 PEM", cfg: loopback, prepare: body("application/json", "-----BEGIN PUBLIC KEY-----"), finding: "J03", says: []string{"That is PEM"}},
		{name: "J03 broken JSON", cfg: loopback, prepare: body("application/json", `{"keys":[`), finding: "J03", says: []string{"not valid JSON"}},
		{name: "J03 empty", cfg: loopback, prepare: body("application/json", ""), finding: "J03", says: []string{"empty"}},
		{name: "J04 bare array", cfg: loopback, prepare: body("application/json", `[]`), finding: "J04", says: []string{"JSON array", `{"keys":[…]}`}},
		{name: "J04 no keys", cfg: loopback, prepare: body("application/json", `{"Keys":[]}`), finding: "J04", says: []string{`without "keys"`}},
		{name: "J08 http", prepare: func(testing.TB) string { return "http://app.example/jwks.json" }, finding: "J08", says: []string{"must be https"}},
		{name: "J08 http beyond this machine", cfg: loopback, prepare: func(testing.TB) string { return "http://app.example/jwks.json" }, finding: "J08", says: []string{"for this machine (localhost, 127.0.0.1) only"}},
		{name: "J08 http to a public address, whatever the reach", cfg: authz.FetchConfig{Reach: authz.ReachPrivate}, prepare: func(testing.TB) string { return "http://8.8.8.8/jwks.json" }, finding: "J08", says: []string{"must be https"}},
		{name: "J08 credentials in the URL", prepare: func(testing.TB) string { return "https://me:pw@app.example/jwks.json" }, finding: "J08", says: []string{"user name or password"}},
		{name: "J09 too large", cfg: authz.FetchConfig{Reach: authz.ReachLoopback, MaxBytes: 1024}, prepare: body("application/json", strings.Repeat(" ", 1025)), finding: "J09", says: []string{"more than 1 KiB"}},
		{name: "J09 slow", cfg: authz.FetchConfig{Reach: authz.ReachLoopback, Timeout: 50 * time.Millisecond}, prepare: answering(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}), finding: "J09", says: []string{"connected, but no complete answer within 50 ms"}},
	}
}

func TestFetchErrors(t *testing.T) {
	t.Parallel()
	for _, c := range fetchCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var recorded *authz.FetchError
			c.cfg.OnFetch = func(r authz.Fetch) { recorded = r.Err }
			uri := c.prepare(t)
			_, err := authz.NewFetcher(c.cfg).Keys(t.Context(), uri, "k")
			var failed *authz.FetchError
			if !errors.As(err, &failed) {
				t.Fatalf("error %v", err)
			}
			if failed.Finding != c.finding || failed.URI != uri || failed.Short == "" {
				t.Errorf("finding %s, short %q, want %s\n%s", failed.Finding, failed.Short, c.finding, failed.Text)
			}
			for _, part := range c.says {
				if !strings.Contains(failed.Text, part) {
					t.Errorf("does not say %q: %s", part, failed.Text)
				}
			}
			if strings.Contains(failed.Text, "pw") {
				t.Error("shows a password")
			}
			if c.finding != "J08" && recorded != failed {
				t.Errorf("recorded %v", recorded)
			}
		})
	}
}

// SB-KEY-07: three redirects are followed, a fourth is not.
func TestFetcherRedirects(t *testing.T) {
	t.Parallel()
	for hops, taken := range map[int]bool{3: true, 4: false} {
		h := plainHost(t)
		h.answer(func(w http.ResponseWriter, r *http.Request) {
			if len(r.URL.Path) <= hops {
				http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
				return
			}
			_, _ = w.Write(authztest.JWKS())
		})
		_, err := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback}).Keys(t.Context(), h.URL+"/", "")
		if (err == nil) != taken || h.hits.Load() != 4 {
			t.Errorf("%d redirects: %v after %d requests", hops, err, h.hits.Load())
		}
	}
}

func TestFetcherTLS(t *testing.T) {
	t.Parallel()
	h := tlsHost(t)
	h.publish(authztest.JWKS(key(t, "ec-a", "k")))
	roots := x509.NewCertPool()
	roots.AddCert(h.Certificate())
	for name, cfg := range map[string]authz.FetchConfig{
		"own authority": {Reach: authz.ReachLoopback, RootCAs: roots},
		"insecure":      {Reach: authz.ReachLoopback, InsecureTLS: true},
	} {
		if _, err := authz.NewFetcher(cfg).Keys(t.Context(), h.URL, "k"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	old := newHost(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
		s.StartTLS()
	})
	_, err := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, InsecureTLS: true}).Keys(t.Context(), old.URL, "k")
	var failed *authz.FetchError
	if !errors.As(err, &failed) || failed.Finding != "J02" || !strings.Contains(failed.Text, "TLS 1.2") {
		t.Errorf("SB-DISC-20 TLS 1.1: %v", err)
	}
}

func TestCheckURI(t *testing.T) {
	t.Parallel()
	for reach, c := range map[authz.Reach]struct{ good, bad []string }{
		authz.ReachPublic: {
			good: []string{"https://app.example/jwks", "https://app.example:8443/a?b=c"},
			bad:  []string{"http://localhost/jwks", "ftp://x/y", "https:///x", "app.example/jwks", "https://u@x/y", "https://x/#f", "%zz"},
		},
		authz.ReachLoopback: {
			good: []string{"http://localhost:3000/jwks", "http://127.0.0.1/j", "http://[::1]:80/j", "http://app.localhost/j"},
			bad:  []string{"http://app:3000/jwks", "http://10.0.0.1/j", "http://localhost.example/j"},
		},
		authz.ReachPrivate: {
			good: []string{"http://app:3000/jwks", "http://10.0.0.1/j", "http://localhost/j"},
			bad:  []string{"http://1.1.1.1/j"},
		},
	} {
		f := authz.NewFetcher(authz.FetchConfig{Reach: reach})
		for _, uri := range c.good {
			if err := f.CheckURI(uri); err != nil {
				t.Errorf("SB-REG-10 reach %d: %s: %v", reach, uri, err)
			}
		}
		for _, uri := range c.bad {
			if err := f.CheckURI(uri); err == nil {
				t.Errorf("SB-REG-10 reach %d: %s is taken", reach, uri)
			}
		}
	}
}

// published is a world whose client app publishes its keys.
func published(t testing.TB, h *host) *world {
	w := newWorld(t)
	w.server = w.open(withKeys(authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, Clock: w.wall})))
	w.change(func(c *authz.Client) { c.JWKS, c.JWKSURI = nil, h.URL+"/jwks.json" })
	return w
}

func TestPublishedKeys(t *testing.T) {
	t.Parallel()
	h := plainHost(t)
	w := published(t, h)
	h.publish(authztest.JWKS(w.rsa), "Cache-Control", "max-age=600")
	w.newAsk().granted()

	a := w.newAsk() // SB-JWT-08: the registered jku
	a.assertion.Header["jku"] = h.URL + "/jwks.json"
	a.granted()

	a = w.newAsk() // SB-JWT-08: another one, never fetched
	a.assertion.Header["jku"] = h.URL + "/jwks.json/"
	before := h.hits.Load()
	d := a.send()
	clientError("A24", "a slash too many", "was not fetched").check(t, d.Checks, d.Err)
	if h.hits.Load() != before {
		t.Error("the unregistered jku was fetched")
	}

	h.publish(authztest.JWKS(w.rsa, w.ec), "Cache-Control", "max-age=600") // SB-KEY-06: rotation
	a = w.newAsk()
	a.signWith(w.ec)
	a.granted()

	a = w.newAsk() // J05 in the strict server: throttled, and said so
	a.signWith(key(t, "rsa-b", "rsa-3"))
	d = a.send()
	clientError("A12", `"rsa-1" and "ec-1"`, "Cache-Control: max-age=600", "publish a key before you sign with it").check(t, d.Checks, d.Err)
}

func TestKeyChangedUnderItsKid(t *testing.T) {
	t.Parallel()
	h := plainHost(t)
	w := published(t, h)
	h.publish(authztest.JWKS(w.rsa), "Cache-Control", "max-age=600")
	w.newAsk().granted()
	changed := key(t, "rsa-b", "rsa-1")
	h.publish(authztest.JWKS(changed), "Cache-Control", "max-age=600")
	w.wall.Advance(time.Minute)
	a := w.newAsk()
	a.key = changed
	d := a.send()
	clientError("J06", "changed and kept its kid", "2026-03-04T12:00:00Z", "Give every new key a new kid").check(t, d.Checks, d.Err)
	a = w.newAsk()
	a.key = changed
	a.granted()
}

func TestUnreachableKeys(t *testing.T) {
	t.Parallel()
	h := plainHost(t)
	w := published(t, h)
	h.answer(http.NotFound)
	d := w.newAsk().send()
	clientError("J03", "404").check(t, d.Checks, d.Err)
	w.server = w.open() // no KeySource
	d = w.newAsk().send()
	clientError("J08", "fetches no key sets").check(t, d.Checks, d.Err)
}
