package authz_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
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
	var fetches []*authz.Fetch
	f := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, OnFetch: func(r *authz.Fetch) string { fetches = append(fetches, r); return "" }})
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
	f := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, Clock: now, OnFetch: func(r *authz.Fetch) string { reasons = append(reasons, r.Reason); return "" }})
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
	t.Run("SB-DISC-20 J02 TLS 1.1", func(t *testing.T) {
		old := newHost(t, func(s *httptest.Server) {
			s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
			s.StartTLS()
		})
		_, err := authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, InsecureTLS: true}).Keys(t.Context(), old.URL, "k")
		var failed *authz.FetchError
		if !errors.As(err, &failed) || failed.Finding != "J02" || !strings.Contains(failed.Fix, "TLS 1.2") {
			t.Error(err)
		}
	})
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

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
