package authz_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

type fetchCase struct {
	name string
	cfg  authz.FetchConfig
	// prepare returns the URL to fetch.
	prepare func(t testing.TB) string
	finding authz.FindingID
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
		}, finding: "J02", says: []string{"Chain sent", "self-signed", "Payers take nothing else"}},
		{name: "J02 plain HTTP on a TLS port", cfg: loopback, prepare: func(t testing.TB) string {
			return strings.Replace(plainHost(t).URL, "http:", "https:", 1)
		}, finding: "J02", says: []string{"speaks plain HTTP"}},
		{name: "J03 404", cfg: loopback, prepare: answering(http.NotFound), finding: "J03", says: []string{"→ 404 text/plain", "404 page not found", "curl"}},
		{name: "J03 HTML", cfg: loopback, prepare: body("text/html", "<html><title>Sign in</title>"), finding: "J03", says: []string{"200 text/html", "<html>", "The key set is HTML"}},
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
		}), finding: "J03", says: []string{"the redirect was not followed", "must be https"}},
		{name: "A19 PEM", cfg: loopback, prepare: body("application/json", "-----BEGIN PUBLIC KEY-----"), finding: "A19", says: []string{"The key set is a public key (SPKI)"}},
		{name: "J03 broken JSON", cfg: loopback, prepare: body("application/json", `{"keys":[`), finding: "J03", says: []string{"not valid JSON"}},
		{name: "J03 empty", cfg: loopback, prepare: body("application/json", ""), finding: "J03", says: []string{"empty"}},
		{name: "J04 bare array", cfg: loopback, prepare: body("application/json", `[]`), finding: "J04", says: []string{"JSON array", `{"keys":[…]}`}},
		{name: "J04 no keys", cfg: loopback, prepare: body("application/json", `{"Keys":[]}`), finding: "J04", says: []string{`without "keys"`}},
		{name: "J08 http", prepare: func(testing.TB) string { return "http://app.example/jwks.json" }, finding: "J08", says: []string{"must be https"}},
		{name: "J08 http beyond this machine", cfg: loopback, prepare: func(testing.TB) string { return "http://app.example/jwks.json" }, finding: "J08", says: []string{"from this machine (localhost, 127.0.0.1) only"}},
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
			c.cfg.OnFetch = func(r *authz.Fetch) string { recorded = r.Err; return "" }
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
				if !strings.Contains(failed.Error(), part) {
					t.Errorf("does not say %q: %s", part, failed)
				}
			}
			if failed.Text == "" || failed.Fix == "" {
				t.Errorf("what is wrong or what to do is not said: %+v", failed)
			}
			if strings.Contains(failed.Error(), "pw") {
				t.Error("shows a password")
			}
			if c.finding != "J08" && recorded != failed {
				t.Errorf("recorded %v", recorded)
			}
		})
	}
}
