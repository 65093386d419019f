package authz

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// AssertionType is the client_assertion_type of RFC 7523 section 2.2.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// core is what a Server shares with the views that With makes of it.
type core struct {
	env             Environment
	others          []string
	store           Store
	keys            KeySource
	clock           clock.Clock
	wall            clock.Clock
	isResourceType  func(string) bool
	searchParameter func(typ, name string) bool
	initialToken    []byte // hash; nil leaves registration open

	ring     *keyring
	inline   *cache[*KeySet]
	verified *cache[*tokenClaims]

	randMu sync.Mutex
	rand   io.Reader
}

// Sizes of the caches, in entries. A key set takes some kilobytes, a verified
// token some hundred bytes.
const (
	maxInlineSets     = 512
	maxVerifiedTokens = 4096
)

func newCore(ctx context.Context, cfg Config) (*core, error) {
	c := &core{
		env:             cfg.Environment,
		others:          slices.Clone(cfg.Others),
		store:           cfg.Store,
		keys:            cfg.Keys,
		clock:           cfg.Clock,
		wall:            cfg.Wall,
		isResourceType:  cfg.IsResourceType,
		searchParameter: cfg.SearchParameter,
		inline:          newCache[*KeySet](maxInlineSets),
		verified:        newCache[*tokenClaims](maxVerifiedTokens),
		rand:            cfg.Rand,
	}
	if cfg.InitialAccessToken != "" {
		c.initialToken = HashSecret(cfg.InitialAccessToken)
	}
	if c.keys == nil {
		c.keys = noKeySource{}
	}
	if c.clock == nil {
		c.clock = clock.System{}
	}
	if c.wall == nil {
		c.wall = clock.System{}
	}
	if c.rand == nil {
		c.rand = rand.Reader
	}
	if c.searchParameter == nil {
		c.searchParameter = func(string, string) bool { return true }
	}
	ring, err := openKeyring(ctx, c.store, c.env.Name, c.clock)
	if err != nil {
		return nil, err
	}
	c.ring = ring
	return c, nil
}

// random returns n random bytes in base64url.
func (c *core) random(n int) (string, error) {
	b, err := c.randomBytes(n)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// randomHex returns n random bytes in hexadecimal.
func (c *core) randomHex(n int) (string, error) {
	b, err := c.randomBytes(n)
	return hex.EncodeToString(b), err
}

func (c *core) randomBytes(n int) ([]byte, error) {
	b := make([]byte, n)
	c.randMu.Lock()
	defer c.randMu.Unlock()
	if _, err := io.ReadFull(c.rand, b); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return b, nil
}

// keysOf returns a client's key set and, for a published one, its story. A
// client without keys has a nil set.
func (c *core) keysOf(ctx context.Context, client *Client, kid string, bareArray bool) (*KeySet, *keyStory, error) {
	switch {
	case client.JWKSURI != "":
		published, err := c.keys.Keys(ctx, client.JWKSURI, kid)
		if err != nil {
			return nil, nil, err
		}
		return published.Set, &keyStory{uri: client.JWKSURI, PublishedKeys: published}, nil
	case len(client.JWKS) > 0:
		set, err := c.inlineSet(client.JWKS, bareArray)
		return set, nil, err
	}
	return nil, nil, nil
}

// inlineSet parses a key set by value, once per content.
func (c *core) inlineSet(jwks []byte, bareArray bool) (*KeySet, error) {
	sum := sha256.Sum256(jwks)
	if set, ok := c.inline.get(sum); ok && (bareArray || !set.bare) {
		return set, nil
	}
	set, err := parseKeySet(jwks, bareArray)
	if err != nil {
		return nil, err
	}
	c.inline.put(sum, set)
	return set, nil
}

// noKeySource refuses every jwks_uri.
type noKeySource struct{}

func (noKeySource) CheckURI(string) error {
	return errors.New("This server fetches no key sets. Register the keys by value (jwks).")
}

func (n noKeySource) Keys(_ context.Context, uri, _ string) (*PublishedKeys, error) {
	return nil, &FetchError{URI: uri, Finding: "J08", Short: "no key source", Text: n.CheckURI(uri).Error()}
}

func (n noKeySource) Refetch(ctx context.Context, uri string) (*PublishedKeys, error) {
	return n.Keys(ctx, uri, "")
}

// cache keeps values by hash, bounded: when it is full the older half goes.
type cache[V any] struct {
	mu         sync.Mutex
	size       int
	young, old map[[sha256.Size]byte]V
}

func newCache[V any](size int) *cache[V] {
	return &cache[V]{size: size, young: map[[sha256.Size]byte]V{}}
}

func (c *cache[V]) get(key [sha256.Size]byte) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.young[key]; ok {
		return v, true
	}
	v, ok := c.old[key]
	if ok {
		c.add(key, v)
	}
	return v, ok
}

func (c *cache[V]) put(key [sha256.Size]byte, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(key, v)
}

func (c *cache[V]) add(key [sha256.Size]byte, v V) {
	if len(c.young) >= c.size/2 {
		c.young, c.old = map[[sha256.Size]byte]V{}, c.young
	}
	c.young[key] = v
}

// firstSecond is the instant at the beginning of t's second: tokens count in
// whole seconds.
func firstSecond(t time.Time) time.Time { return time.Unix(t.Unix(), 0) }
