package authz

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// Reach says which addresses key sets are fetched from.
type Reach int

// The reaches. Link-local, multicast and unspecified addresses are never
// fetched from.
const (
	// ReachPublic is https to public addresses: what a payer does.
	ReachPublic Reach = iota
	// ReachLoopback adds this machine, by http as well.
	ReachLoopback
	// ReachPrivate adds private networks, by http as well: containers that
	// call each other by name.
	ReachPrivate
)

// FetchConfig is what a Fetcher is made of; the zero value is strict.
type FetchConfig struct {
	Reach Reach
	// Timeout bounds one fetch with all its redirects; 0 is 5 s.
	Timeout time.Duration
	// MaxBytes bounds the body; 0 is 256 KiB.
	MaxBytes int64
	// KeepDefault is how long a set without cache headers is kept; 0 is 60 s,
	// a negative value keeps it not at all.
	KeepDefault time.Duration
	// RefetchEvery is the least time between two forced fetches of one URL,
	// that is, fetches although the copy is still valid; 0 is 30 s.
	RefetchEvery time.Duration
	// RootCAs replaces the system's certificate authorities if set.
	RootCAs *x509.CertPool
	// InsecureTLS takes any certificate: the switch for self-signed ones.
	InsecureTLS bool
	// Clock is real time: the sets are the clients' world. Nil is clock.System.
	Clock clock.Clock
	// ServerClock is the workspace's: it ages copies for Behaviour.StaleKeySets.
	// Nil is Clock.
	ServerClock clock.Clock
	// Hinder is asked about a fetch before it is made: one for which it returns an
	// error ends with that as if the network had. Nil hinders none.
	Hinder func(*Fetch) error
	// OnFetch records a fetch after it was made, in the goroutine that made it,
	// and returns the id of the record. Nil records nothing.
	OnFetch func(*Fetch) string
}

const maxRedirects = 3

// Fetcher is the KeySource that fetches over the network (SMART App Launch
// 2.2, client-confidential-asymmetric, Signature Verification step 2). A set
// is never kept longer than its cache headers allow; concurrent fetches of one
// URL are one. It is safe for concurrent use.
type Fetcher struct {
	cfg    FetchConfig
	client *http.Client
	flight singleflight.Group

	mu     sync.Mutex
	copies map[string]*keptCopy
}

// keptCopy is what is known about one URL.
type keptCopy struct {
	published *PublishedKeys
	forcedAt  time.Time // the last fetch although the copy was valid
	failed    *FailedRefetch
}

// NewFetcher returns a Fetcher that has fetched nothing yet.
func NewFetcher(cfg FetchConfig) *Fetcher {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 256 << 10
	}
	if cfg.KeepDefault == 0 {
		cfg.KeepDefault = time.Minute
	}
	if cfg.RefetchEvery <= 0 {
		cfg.RefetchEvery = 30 * time.Second
	}
	if cfg.Clock == nil {
		cfg.Clock = clock.System{}
	}
	if cfg.ServerClock == nil {
		cfg.ServerClock = cfg.Clock
	}
	if cfg.OnFetch == nil {
		cfg.OnFetch = func(*Fetch) string { return "" }
	}
	f := &Fetcher{cfg: cfg, copies: map[string]*keptCopy{}}
	f.client = f.newClient()
	return f
}

// Keys returns the set published at uri; see KeySource.
func (f *Fetcher) Keys(ctx context.Context, uri, kid string) (*PublishedKeys, error) {
	if err := f.checkURI(uri); err != nil {
		return nil, err
	}
	published, forcible := f.valid(uri)
	switch {
	case published == nil:
		return f.fetch(ctx, uri, nil)
	case kid == "" || len(published.Set.withID(kid)) > 0 || !forcible:
		traceOf(ctx).add(published.Record)
		return published, nil
	}
	return f.fetchForced(ctx, uri, published)
}

// Refetch replaces the copy if the throttle allows it; see KeySource.
func (f *Fetcher) Refetch(ctx context.Context, uri string) (*PublishedKeys, error) {
	published, forcible := f.valid(uri)
	switch {
	case published == nil:
		return f.Keys(ctx, uri, "")
	case !forcible:
		return published, nil
	}
	return f.fetchForced(ctx, uri, published)
}

// Kept returns the copy of what is published at uri, however old; see
// KeySource.
func (f *Fetcher) Kept(uri string) *PublishedKeys {
	f.mu.Lock()
	defer f.mu.Unlock()
	if kept := f.copies[uri]; kept != nil {
		return kept.published
	}
	return nil
}

// valid returns the copy if it may still be used, and whether the throttle
// allows a forced fetch.
func (f *Fetcher) valid(uri string) (published *PublishedKeys, forcible bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := f.copies[uri]
	now := f.cfg.Clock.Now()
	if kept == nil || kept.published == nil || !now.Before(kept.published.KeepUntil) {
		return nil, false
	}
	return kept.published.after(kept.failed), kept.forcedAt.IsZero() ||
		!now.Before(kept.forcedAt.Add(f.cfg.RefetchEvery))
}

// after returns the copy marked as standing in for a refetch that failed; p
// itself if none did.
func (p *PublishedKeys) after(failed *FailedRefetch) *PublishedKeys {
	if failed == nil {
		return p
	}
	standIn := *p
	standIn.Failed = failed
	return &standIn
}

// fetchForced fetches although the copy is still valid. If that fails, the
// copy stands in, as its headers allow.
func (f *Fetcher) fetchForced(ctx context.Context, uri string, copied *PublishedKeys) (*PublishedKeys, error) {
	begun := f.cfg.Clock.Now()
	f.mu.Lock()
	if kept := f.copies[uri]; kept != nil {
		kept.forcedAt = begun
	}
	f.mu.Unlock()
	fresh, err := f.fetch(ctx, uri, copied)
	if err == nil {
		return fresh, nil
	}
	traceOf(ctx).add(copied.Record)
	var failure *FetchError
	if !errors.As(err, &failure) { // the caller gave up
		return copied, nil
	}
	failed := &FailedRefetch{At: begun, Err: failure}
	f.mu.Lock()
	if kept := f.copies[uri]; kept != nil && kept.published.FetchedAt.Equal(copied.FetchedAt) {
		kept.failed = failed
	}
	f.mu.Unlock()
	return copied.after(failed), nil
}

// flown is the outcome of a fetch, for everyone who waited for it.
type flown struct {
	published *PublishedKeys
	err       *FetchError
	record    string
}

// fetch fetches once for everyone who wants the URL now and has no newer copy
// than this one, which may be nil. A caller that gives up does not end the fetch
// of the others.
func (f *Fetcher) fetch(ctx context.Context, uri string, copied *PublishedKeys) (*PublishedKeys, error) {
	done := f.flight.DoChan(uri, func() (any, error) {
		if newer, _ := f.valid(uri); newer != nil && (copied == nil || newer.FetchedAt.After(copied.FetchedAt)) {
			return &flown{published: newer, record: newer.Record}, nil // a fetch has ended since the caller looked
		}
		return f.get(context.WithoutCancel(ctx), uri), nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-done:
		flown := result.Val.(*flown)
		traceOf(ctx).add(flown.record)
		if flown.err != nil {
			return nil, flown.err
		}
		return flown.published, nil
	}
}

// maxCopies bounds the URLs remembered.
const maxCopies = 1024

// keep stores a fetched set for as long as its headers allow.
func (f *Fetcher) keep(uri string, published *PublishedKeys) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := f.copies[uri]
	if kept == nil {
		if len(f.copies) >= maxCopies {
			clear(f.copies)
		}
		kept = &keptCopy{}
		f.copies[uri] = kept
	}
	if !kept.forcedAt.IsZero() {
		published.RefetchAfter = kept.forcedAt.Add(f.cfg.RefetchEvery)
	}
	published.RefetchEvery = f.cfg.RefetchEvery
	kept.published, kept.failed = published, nil
}

// reason says why a fetch is made now.
func (f *Fetcher) reason(uri string) FetchReason {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := f.copies[uri]
	switch {
	case kept == nil || kept.published == nil:
		return FetchFirst
	case f.cfg.Clock.Now().Before(kept.published.KeepUntil):
		return FetchForced
	}
	return FetchExpired
}
