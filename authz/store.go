package authz

import (
	"context"
	"time"
)

// Store keeps what a workspace's authorization servers know. One Store serves
// all environments of a workspace; env is Environment.Name. Implementations
// are safe for concurrent use and return values that the caller may change.
// authztest.RunStore checks an implementation.
type Store interface {
	// Client returns the client with this id, or ErrNoClient.
	Client(ctx context.Context, env, id string) (*Client, error)
	// RecentClients returns at most limit clients of env, latest created
	// first. It serves diagnosis ("did you mean …").
	RecentClients(ctx context.Context, env string, limit int) ([]*Client, error)
	// PutClient creates the client, or replaces the one with its id, and
	// returns what is stored. It ignores c.Generation: a new client gets a
	// number that no client of the workspace ever had; a replaced one keeps
	// its number unless the put turns it to StatusRejected, which gives it a
	// new number as RevokeClient does.
	PutClient(ctx context.Context, env string, c *Client) (*Client, error)
	// RevokeClient gives the client a new generation, which ends all of its
	// tokens, and returns it; or ErrNoClient.
	RevokeClient(ctx context.Context, env, id string) (int64, error)
	// DeleteClient removes the client, or returns ErrNoClient.
	DeleteClient(ctx context.Context, env, id string) error

	// UseJTI records that an assertion was used, unless use is a ReplayOf the
	// record of its (Env, Issuer, JTI): then it changes nothing and returns that
	// record. Check and record are one atomic step. Records are kept for a
	// while beyond their Exp, because the tolerated skew can be raised.
	UseJTI(ctx context.Context, use JTIUse) (earlier *JTIUse, err error)
	// EarlierJTI returns the record that UseJTI would return now, and records
	// nothing.
	EarlierJTI(ctx context.Context, use JTIUse) (*JTIUse, error)

	// RevokeToken records that an access token is revoked. expires is by the
	// workspace's clock, which can go back: the record outlives it by enough that
	// no token comes back to life.
	RevokeToken(ctx context.Context, env, tokenID string, expires time.Time) error
	// TokenRevoked reports whether RevokeToken was called for the token.
	TokenRevoked(ctx context.Context, env, tokenID string) (bool, error)

	// SigningKeys returns the environment's signing keys, oldest first.
	SigningKeys(ctx context.Context, env string) ([]SigningKey, error)
	// PutSigningKey adds a key. A key whose ID exists is left as it is.
	PutSigningKey(ctx context.Context, env string, key SigningKey) error
}

// JTIUse is one use of an assertion.
type JTIUse struct {
	Env      string
	Issuer   string // the assertion's iss: a jti is unique per issuer
	JTI      string
	Exchange string        // the request that used it, for diagnosis
	At       time.Time     // real time
	Exp      time.Time     // the assertion's
	Skew     time.Duration // what is tolerated now; not stored
}

// ReplayOf reports whether the assertion of an earlier use of the same jti
// would still be valid (RFC 7523 section 3, 7).
func (u JTIUse) ReplayOf(earlier JTIUse) bool { return earlier.Exp.Add(u.Skew).After(u.At) }

// SigningKey is a private key that access tokens are signed with.
type SigningKey struct {
	ID        string // the kid
	PKCS8     []byte // DER, a P-256 key
	CreatedAt time.Time
}

// KeySource gets the key set that a client publishes at its jwks_uri.
// Fetcher is the one that goes over the network.
type KeySource interface {
	// CheckURI returns an error in full sentences if uri may not be a
	// jwks_uri here (not https, no host, user information in it).
	CheckURI(uri string) error
	// Keys returns the set published at uri, from a copy as long as the
	// response's cache headers allow. If the copy lacks kid, one throttled
	// refetch is made; an empty kid asks for none. Failures are *FetchError.
	Keys(ctx context.Context, uri, kid string) (*PublishedKeys, error)
	// Refetch replaces the copy if the throttle allows it and returns what is
	// then kept. It serves diagnosis.
	Refetch(ctx context.Context, uri string) (*PublishedKeys, error)
	// Kept returns the copy, however old, or nil. It serves explanation and
	// never fetches.
	Kept(uri string) *PublishedKeys
}

// PublishedKeys is a key set and how it was fetched.
type PublishedKeys struct {
	Set       *KeySet
	FetchedAt time.Time
	// AgesFrom is when it was fetched by FetchConfig.ServerClock.
	AgesFrom     time.Time
	CacheControl string    // the header as received
	KeepUntil    time.Time // when the copy must be dropped; FetchedAt if at once
	// RefetchAfter is when the throttle allows another forced fetch, and
	// RefetchEvery how often it does.
	RefetchAfter time.Time
	RefetchEvery time.Duration
	// Record is the id under which the fetch was recorded, or "".
	Record string
	// Failed is a later fetch that failed, so that this copy, which its headers
	// still allow, stands in; nil if there was none.
	Failed *FailedRefetch
}

// FailedRefetch is a fetch that a copy stands in for.
type FailedRefetch struct {
	At  time.Time
	Err *FetchError
}
