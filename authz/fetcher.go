package authz

import (
	"context"
	"crypto/x509"
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
	// RefetchEvery is the least time between two fetches of one URL that a
	// still valid copy is passed over for; 0 is 30 s.
	RefetchEvery time.Duration
	// RootCAs replaces the system's certificate authorities if set.
	RootCAs *x509.CertPool
	// InsecureTLS takes any certificate: the switch for self-signed ones.
	InsecureTLS bool
	// Clock is real time: the sets are the clients' world. Nil is clock.System.
	Clock clock.Clock
	// OnFetch is called after every fetch, from the goroutine that made it.
	OnFetch func(Fetch)
}

const maxRedirects = 3

// Fetch is one fetch of a key set, for the record.
type Fetch struct {
	URI          string
	Reason       FetchReason
	At           time.Time
	Duration     time.Duration
	Status       int // 0 if there was no answer
	ContentType  string
	CacheControl string
	KeyIDs       []string
	Err          *FetchError // nil if a key set was read
}

// FetchReason says why a fetch was made.
type FetchReason string

// The reasons.
const (
	FetchFirst   FetchReason = "no copy"
	FetchExpired FetchReason = "the copy's cache headers have run out"
	FetchForced  FetchReason = "the copy lacks the key"
)

// FetchError says why a key set could not be had.
type FetchError struct {
	URI     string
	Finding string // catalogue id: J01 to J04, J08, J09
	Short   string // what was got, in a few words
	Text    string // the diagnosis, full sentences
	Err     error  // the fault of the network, or nil
}

// Error returns the diagnosis.
func (e *FetchError) Error() string { return e.Text }

// Unwrap returns the fault of the network, or nil.
func (e *FetchError) Unwrap() error { return e.Err }

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
	forcedAt  time.Time // the last fetch that passed a valid copy over
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
	if cfg.OnFetch == nil {
		cfg.OnFetch = func(Fetch) {}
	}
	f := &Fetcher{cfg: cfg, copies: map[string]*keptCopy{}}
	f.client = f.newClient()
	return f
}

// Keys returns the set published at uri; see KeySource.
func (f *Fetcher) Keys(ctx context.Context, uri, kid string) (*PublishedKeys, error) {
	if err := f.CheckURI(uri); err != nil {
		return nil, &FetchError{URI: uri, Finding: "J08", Short: "a jwks_uri that is not allowed here", Text: err.Error(), Err: err}
	}
	published, forcible := f.valid(uri)
	switch {
	case published == nil:
		return f.fetch(ctx, uri)
	case kid == "" || len(published.Set.withID(kid)) > 0 || !forcible:
		return published, nil
	}
	fresh, err := f.fetchForced(ctx, uri)
	if err != nil {
		return published, nil // the copy is still valid by its headers
	}
	return fresh, nil
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
	return f.fetchForced(ctx, uri)
}

// valid returns the copy that may still be used, and whether the throttle
// allows to pass it over.
func (f *Fetcher) valid(uri string) (published *PublishedKeys, forcible bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := f.copies[uri]
	now := f.cfg.Clock.Now()
	if kept == nil || kept.published == nil || !now.Before(kept.published.KeepUntil) {
		return nil, false
	}
	return kept.published, kept.forcedAt.IsZero() || !now.Before(kept.forcedAt.Add(f.cfg.RefetchEvery))
}

func (f *Fetcher) fetchForced(ctx context.Context, uri string) (*PublishedKeys, error) {
	f.mu.Lock()
	if kept := f.copies[uri]; kept != nil {
		kept.forcedAt = f.cfg.Clock.Now()
	}
	f.mu.Unlock()
	return f.fetch(ctx, uri)
}

// fetch fetches, together with others who want the same URL now. A caller
// that gives up does not end the fetch of the others.
func (f *Fetcher) fetch(ctx context.Context, uri string) (*PublishedKeys, error) {
	done := f.flight.DoChan(uri, func() (any, error) {
		published, err := f.get(context.WithoutCancel(ctx), uri)
		if err != nil {
			return nil, err
		}
		return published, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-done:
		if result.Err != nil {
			return nil, result.Err
		}
		return result.Val.(*PublishedKeys), nil
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
	kept.published = published
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
