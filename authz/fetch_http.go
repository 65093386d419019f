package authz

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// CheckURI returns a *FetchError if uri may not be a jwks_uri: it must be an
// absolute https URL; plain http is for the addresses that FetchConfig.Reach
// adds.
func (f *Fetcher) CheckURI(uri string) error {
	if err := f.checkURI(uri); err != nil {
		return err
	}
	return nil
}

func (f *Fetcher) checkURI(uri string) *FetchError {
	refuse := func(shown, text, fix string) *FetchError {
		return &FetchError{URI: uri, Finding: "J08", Short: "a jwks_uri that is not allowed here",
			Text: "jwks_uri " + quote(shown) + " " + text,
			Fix:  fix}
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return refuse(uri, "is no absolute URL.", "Write it as https://host/path.")
	case u.User != nil:
		return refuse(u.Redacted(), "holds a user name or password.", "Leave them out: key sets are public "+
			"and fetched without credentials.")
	case u.Fragment != "":
		return refuse(uri, "has a fragment, which no server gets to see.", "Leave it out.")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return refuse(uri, "has the scheme "+quote(u.Scheme)+"; it must be https.", "Publish the key set at "+
			"an https URL.")
	case f.takesPlain(u.Hostname()):
		return nil
	case f.cfg.Reach == ReachLoopback:
		return refuse(uri, "must be https.", "Publish the key set at an https URL. Plain http is taken here "+
			"from this machine (localhost, 127.0.0.1) only, and by payers not at all.")
	}
	return refuse(uri, "must be https.", "Publish the key set at an https URL, or register it by value (jwks).")
}

// takesPlain judges plain http by the host's name alone; the address is
// checked again when it is dialled.
func (f *Fetcher) takesPlain(host string) bool {
	loopback := strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost")
	public := false
	if ip, err := netip.ParseAddr(host); err == nil {
		kind := kindOf(ip)
		loopback, public = kind == loopbackAddress, kind == publicAddress
	}
	return f.cfg.Reach >= ReachLoopback && loopback || f.cfg.Reach >= ReachPrivate && !public
}

type addressClass int

const (
	publicAddress addressClass = iota
	loopbackAddress
	privateAddress
	forbiddenAddress
)

// kindOf classifies an address by what fetching from it would reach.
func kindOf(ip netip.Addr) addressClass {
	ip = ip.Unmap().WithZone("")
	switch {
	case ip.IsLoopback():
		return loopbackAddress
	case ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast(), ip == netip.AddrFrom4([4]byte{255, 255,
		255, 255}):
		return forbiddenAddress
	case ip.IsPrivate():
		return privateAddress
	}
	// Shared, special-purpose and benchmarking networks (RFC 6890), and the
	// ones that carry an IPv4 address inside.
	for _, network := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48",
		"2001::/32", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		if netip.MustParsePrefix(network).Contains(ip) {
			return privateAddress
		}
	}
	return publicAddress
}

// blockedError is a dial that the reach does not allow.
type blockedError struct {
	address netip.Addr
	class   addressClass
	plain   bool
}

func (e *blockedError) Error() string {
	switch {
	case e.class == publicAddress:
		return e.address.String() + " is a public address, where plain http is not allowed"
	case e.class == loopbackAddress:
		return e.address.String() + " is this server's own machine"
	case e.class == privateAddress:
		return e.address.String() + " is in a private network"
	}
	return e.address.String() + " is a link-local or special address"
}

// plainKey marks, in a request's context, that it goes out without TLS.
type plainKey struct{}

// checkDial refuses addresses beyond the reach. It runs after the name was
// resolved, so that no name can lead to them.
func (f *Fetcher) checkDial(ctx context.Context, _, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read address %s: %w", address, err)
	}
	plain, _ := ctx.Value(plainKey{}).(bool)
	class := kindOf(target.Addr())
	allowed := false
	switch class {
	case publicAddress:
		allowed = !plain
	case loopbackAddress:
		allowed = f.cfg.Reach >= ReachLoopback
	case privateAddress:
		allowed = f.cfg.Reach >= ReachPrivate
	}
	if !allowed {
		return &blockedError{address: target.Addr().Unmap(), class: class, plain: plain}
	}
	return nil
}

// errRedirect is a redirect that is not followed.
var errRedirect = errors.New("redirect not followed")

// marking sets plainKey on every request by plain http, redirects included.
type marking struct{ next http.RoundTripper }

func (m marking) RoundTrip(req *http.Request) (*http.Response, error) {
	if t, _ := req.Context().Value(tripKey{}).(*trip); t != nil && req.Response != nil {
		t.redirected(req.URL.String())
	}
	ctx := context.WithValue(req.Context(), plainKey{}, req.URL.Scheme == "http")
	return m.next.RoundTrip(req.WithContext(ctx))
}

func (f *Fetcher) newClient() *http.Client {
	dialer := &net.Dialer{ControlContext: f.checkDial}
	return &http.Client{
		Transport: marking{&http.Transport{
			// No proxy: it would dial for us, past checkDial.
			DialContext:            dialer.DialContext,
			DisableKeepAlives:      true,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: 64 << 10,
			TLSClientConfig: &tls.Config{
				MinVersion:         tls.VersionTLS12,
				RootCAs:            f.cfg.RootCAs,
				InsecureSkipVerify: f.cfg.InsecureTLS,
			},
		}},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("%w: there are more than %d", errRedirect, maxRedirects)
			}
			if req.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https" {
				return fmt.Errorf("%w: from https to %s", errRedirect, req.URL.Scheme)
			}
			if err := f.CheckURI(req.URL.String()); err != nil {
				return fmt.Errorf("%w, to a URL that is none for a key set: %w", errRedirect, err)
			}
			return nil
		},
	}
}

// trip notes what happens on the way of a fetch. Dials run in goroutines of
// their own.
type trip struct {
	mu        sync.Mutex
	resolved  []string
	address   string
	connected bool
	redirects []string
}

type tripKey struct{}

func (t *trip) redirected(to string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.redirects = append(t.redirects, to)
}

func (t *trip) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSDone: func(info httptrace.DNSDoneInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			for _, address := range info.Addrs {
				t.resolved = append(t.resolved, address.String())
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.connected, t.address = true, info.Conn.RemoteAddr().String()
		},
	}
}

// note puts what happened into the record and returns whether there was a
// connection.
func (t *trip) note(record *Fetch) (connected bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	record.Resolved, record.Address, record.Redirects = slices.Clone(t.resolved), t.address, slices.Clone(t.redirects)
	return t.connected
}

// get fetches, keeps and records one set.
func (f *Fetcher) get(ctx context.Context, uri string) *flown {
	record := &Fetch{URI: uri, Reason: f.reason(uri), At: f.cfg.Clock.Now()}
	traceOf(ctx).origin(record)
	t := &trip{}
	published, err := f.exchange(ctx, uri, t, record)
	t.note(record)
	record.Duration = f.cfg.Clock.Now().Sub(record.At)
	if err != nil {
		record.Err = err
		return &flown{err: err, record: f.cfg.OnFetch(record)}
	}
	record.KeyIDs, record.Problems = published.Set.KeyIDs(), published.Set.Problems()
	record.KeepUntil = published.KeepUntil
	published.Record = f.cfg.OnFetch(record)
	f.keep(uri, published)
	return &flown{published: published, record: published.Record}
}

// exchange makes the request and reads the answer.
func (f *Fetcher) exchange(ctx context.Context, uri string, t *trip, record *Fetch) (*PublishedKeys, *FetchError) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Timeout)
	defer cancel()
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, t.trace()), tripKey{}, t)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, f.unreachable(uri, err, record, false)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sandfhir-jwks")
	record.RequestHeader = req.Header.Clone()
	if f.cfg.Hinder != nil {
		if err := f.cfg.Hinder(record); err != nil {
			return nil, f.unreachable(uri, err, record, false)
		}
	}
	resp, err := f.client.Do(req)
	if resp != nil { // with an error too, where a redirect is not followed
		record.Status, record.ResponseHeader = resp.StatusCode, resp.Header
	}
	if err != nil {
		return nil, f.unreachable(uri, err, record, t.note(record))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, f.cfg.MaxBytes+1))
	record.Body, record.Bytes = body, len(body)
	set, notSet := ParseKeySet(body) // whatever the status, so that no private key is recorded
	var bad *KeySetError
	if errors.As(notSet, &bad) && bad.private {
		record.Body = nil
	}
	if err != nil {
		return nil, f.unreachable(uri, err, record, true)
	}
	if int64(len(body)) > f.cfg.MaxBytes {
		return nil, &FetchError{URI: uri, Finding: "J09", Short: "more than " + itoa(int(f.cfg.MaxBytes)) + " bytes",
			Text: "GET " + clip(uri) + " answered more than " + itoa(int(f.cfg.MaxBytes>>10)) +
				" KiB; a key set has a few.",
			Fix: "Publish current keys only."}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, wrongAnswer(uri, resp, body, nil)
	}
	if notSet != nil {
		return nil, wrongAnswer(uri, resp, body, bad)
	}
	kept, by := keepFor(resp.Header, f.cfg.KeepDefault)
	record.KeptBy = by
	return &PublishedKeys{
		Set: set, FetchedAt: record.At, AgesFrom: f.cfg.ServerClock.Now(), CacheControl: resp.Header.Get("Cache-Control"),
		KeepUntil: record.At.Add(kept),
	}, nil
}

// wrongAnswer explains an answer that is no key set; bad says why, if the
// body was read.
func wrongAnswer(uri string, resp *http.Response, body []byte, bad *KeySetError) *FetchError {
	contentType := resp.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "no Content-Type"
	}
	e := &FetchError{URI: uri, Finding: "J03", Short: itoa(resp.StatusCode) + " " + clip(contentType)}
	e.Text = "GET " + clip(uri) + " → " + e.Short
	if final := resp.Request.URL.String(); final != uri {
		e.Text += " after a redirect to " + clip(final)
	}
	if head := beginning(string(body)); head != "" && pasted(strings.TrimSpace(string(body))) == nil {
		e.Text += "; it begins with " + quote(head)
	}
	e.Text += "."
	if bad != nil {
		e.Finding, e.Counterfactual, e.Fix = bad.Finding, bad.Counterfactual, bad.Fix
		e.Text = sentences(e.Text, bad.Text)
		return e
	}
	e.Fix = "Answer 200 with a JWK Set, {\"keys\":[…]}, without login or cookies, and try the URL with curl " +
		"from outside your network."
	return e
}
