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
	"strings"
	"sync/atomic"
	"syscall"
)

// CheckURI returns an error in full sentences if uri may not be a jwks_uri:
// it must be an absolute https URL; plain http is for the addresses that
// FetchConfig.Reach adds.
func (f *Fetcher) CheckURI(uri string) error {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return fmt.Errorf("jwks_uri %s is no absolute URL. Write it as https://host/path.", quote(uri))
	case u.User != nil:
		return fmt.Errorf("jwks_uri %s holds a user name or password. Key sets are public and fetched without credentials.", quote(u.Redacted()))
	case u.Fragment != "":
		return fmt.Errorf("jwks_uri %s has a fragment, which no server gets to see. Leave it out.", quote(uri))
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("jwks_uri %s has the scheme %s; it must be https.", quote(uri), quote(u.Scheme))
	}
	return f.checkPlain(uri, u.Hostname())
}

// checkPlain decides on plain http from the host's name alone; the address is
// checked again when it is dialled.
func (f *Fetcher) checkPlain(uri, host string) error {
	loopback := strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost")
	public := false
	if ip, err := netip.ParseAddr(host); err == nil {
		kind := kindOf(ip)
		loopback, public = kind == loopbackAddress, kind == publicAddress
	}
	switch {
	case f.cfg.Reach >= ReachLoopback && loopback, f.cfg.Reach >= ReachPrivate && !public:
		return nil
	case f.cfg.Reach == ReachLoopback:
		return fmt.Errorf("jwks_uri %s must be https: plain http is allowed here for this machine (localhost, 127.0.0.1) only, and payers allow it nowhere.", quote(uri))
	}
	return fmt.Errorf("jwks_uri %s must be https.", quote(uri))
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
	case ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast(), ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return forbiddenAddress
	case ip.IsPrivate():
		return privateAddress
	}
	// Shared, special-purpose and benchmarking networks (RFC 6890), and the
	// ones that carry an IPv4 address inside.
	for _, network := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2001:db8::/32", "2002::/16", "fec0::/10",
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

// checkDial refuses addresses beyond the reach, after the name was resolved,
// so that no name can lead to them.
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

// marking sends requests with plainKey set, redirects included.
type marking struct{ next http.RoundTripper }

func (m marking) RoundTrip(req *http.Request) (*http.Response, error) {
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
				return fmt.Errorf("%w: more than %d", errRedirect, maxRedirects)
			}
			if req.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https" {
				return fmt.Errorf("%w: from https to %s", errRedirect, req.URL.Scheme)
			}
			if err := f.CheckURI(req.URL.String()); err != nil {
				return fmt.Errorf("%w: %w", errRedirect, err)
			}
			return nil
		},
	}
}

// get fetches, keeps and records one set.
func (f *Fetcher) get(ctx context.Context, uri string) (*PublishedKeys, error) {
	record := Fetch{URI: uri, Reason: f.reason(uri), At: f.cfg.Clock.Now()}
	published, err := f.exchange(ctx, uri, &record)
	record.Duration = f.cfg.Clock.Now().Sub(record.At)
	if err != nil {
		record.Err = err
		f.cfg.OnFetch(record)
		return nil, err
	}
	record.KeyIDs = published.Set.KeyIDs()
	f.keep(uri, published)
	f.cfg.OnFetch(record)
	return published, nil
}

// exchange makes the request and reads the answer.
func (f *Fetcher) exchange(ctx context.Context, uri string, record *Fetch) (*PublishedKeys, *FetchError) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return nil, f.unreachable(uri, err, record, false)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sandfhir-jwks")
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, f.unreachable(uri, err, record, connected.Load())
	}
	defer resp.Body.Close()
	record.Status = resp.StatusCode
	record.ContentType = resp.Header.Get("Content-Type")
	record.CacheControl = resp.Header.Get("Cache-Control")
	body, err := io.ReadAll(io.LimitReader(resp.Body, f.cfg.MaxBytes+1))
	if err != nil {
		return nil, f.unreachable(uri, err, record, true)
	}
	if int64(len(body)) > f.cfg.MaxBytes {
		return nil, &FetchError{URI: uri, Finding: "J09", Short: "more than " + itoa(int(f.cfg.MaxBytes)) + " bytes",
			Text: "GET " + clip(uri) + " answered more than " + itoa(int(f.cfg.MaxBytes>>10)) + " KiB; a key set has a few. Publish current keys only."}
	}
	if resp.StatusCode != http.StatusOK {
		return nil, wrongAnswer(uri, resp, body, "")
	}
	set, err := ParseKeySet(body)
	if err != nil {
		var bad *KeySetError
		errors.As(err, &bad)
		e := wrongAnswer(uri, resp, body, bad.Text)
		e.Finding = bad.Finding
		return nil, e
	}
	return &PublishedKeys{
		Set: set, FetchedAt: record.At, CacheControl: record.CacheControl,
		KeepUntil: record.At.Add(keepFor(resp.Header, f.cfg.KeepDefault)),
	}, nil
}

// wrongAnswer is an answer that is no key set.
func wrongAnswer(uri string, resp *http.Response, body []byte, why string) *FetchError {
	contentType := resp.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "no Content-Type"
	}
	answer := itoa(resp.StatusCode) + " " + clip(contentType)
	text := "GET " + clip(uri) + " → " + answer
	if final := resp.Request.URL.String(); final != uri {
		text += " after a redirect to " + clip(final)
	}
	if head := strings.TrimSpace(string(body[:min(len(body), 60)])); head != "" {
		text += "; it begins with " + quote(head)
	}
	text += ". "
	if why != "" {
		text += why
	} else {
		text += "The server needs 200 and a JWK Set, {\"keys\":[…]}, without login or cookies: try the URL with curl from outside your network."
	}
	return &FetchError{URI: uri, Finding: "J03", Short: answer, Text: text}
}
