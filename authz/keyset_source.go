package authz

import (
	"context"
	"crypto"
	"crypto/sha256"
	"slices"
	"strings"
)

// keysOf returns a client's key set and, for a published one, its story. A
// client without keys has a nil set.
func (s *Server) keysOf(ctx context.Context, client *Client, kid string) (*KeySet, *keyStory, error) {
	var inline *KeySet
	if len(client.JWKS) > 0 && (client.JWKSURI == "" || s.behaviour.BothKeySources) {
		var err error
		if inline, err = s.inlineSet(client.JWKS); err != nil {
			return nil, nil, err
		}
	}
	if client.JWKSURI == "" {
		return inline, nil, nil
	}
	if err := s.behaviour.refusesKeyURI(client.JWKSURI); err != nil {
		return nil, nil, err
	}
	if inline != nil && len(inline.withID(kid)) > 0 {
		kid = "" // the published set is not read again for it
	}
	traceOf(ctx).forClient(s.env.Name, client.ID)
	story, err := s.published(ctx, client.JWKSURI, kid)
	if err != nil {
		return nil, nil, err
	}
	set := story.Set
	if inline != nil {
		set = set.with(inline)
	}
	return set, story, nil
}

// published returns the set that is published at uri: fetched or copied as its
// headers allow, or as long as the behaviour keeps it.
func (s *Server) published(ctx context.Context, uri, kid string) (*keyStory, error) {
	stale := s.behaviour.StaleKeySets
	if kept := s.keys.Kept(uri); stale > 0 && kept != nil && s.workspaceClock.Now().Before(kept.AgesFrom.Add(stale)) {
		traceOf(ctx).add(kept.Record)
		return &keyStory{uri: uri, PublishedKeys: kept, stale: stale}, nil
	}
	fetch := s.keys.Keys
	if stale > 0 { // the copy is older than the behaviour keeps one
		fetch = func(ctx context.Context, uri, _ string) (*PublishedKeys, error) { return s.keys.Refetch(ctx, uri) }
	}
	published, err := fetch(ctx, uri, kid)
	if err != nil {
		return nil, err
	}
	return &keyStory{uri: uri, PublishedKeys: published, stale: stale}, nil
}

// with returns the keys of both sets. A key that is in both counts once, so
// that registering a set twice does not make its kids ambiguous.
func (s *KeySet) with(other *KeySet) *KeySet {
	union := &KeySet{keys: slices.Clone(s.keys)}
	for _, k := range other.keys {
		if !slices.ContainsFunc(s.keys, k.same) {
			union.keys = append(union.keys, k)
		}
	}
	return union
}

// same reports whether two entries of key sets are the same key under the same
// kid.
func (k *publicKey) same(other *publicKey) bool {
	key, ok := k.raw.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.kid == other.kid && k.use == other.use && k.alg == other.alg && key.Equal(other.raw)
}

// refusesKeyURI says why a jwks_uri that can be fetched is not taken, or nil.
func (b Behaviour) refusesKeyURI(uri string) *FetchError {
	if !b.RequireKeyHTTPS || strings.HasPrefix(strings.ToLower(uri), "https://") {
		return nil
	}
	return &FetchError{URI: uri, Finding: "J08", Short: "a jwks_uri by plain http",
		Text: "The jwks_uri is " + quote(uri) + "; this server's behaviour takes https only, as some payers do.",
		Fix:  "Serve the key set by https and register that URL."}
}

// FetchKeys fetches the key set that is published at uri, now if the throttle
// allows it, and judges it as registration judges a set by value. An error says
// in full sentences why uri may not be a jwks_uri, or is a *FetchError.
func (s *Server) FetchKeys(ctx context.Context, uri string) (*PublishedKeys, []KeyProblem, error) {
	if err := s.CheckKeyURI(uri); err != nil {
		return nil, nil, err
	}
	published, err := s.keys.Refetch(ctx, uri)
	if err != nil {
		return nil, nil, err
	}
	return published, append(published.Set.Problems(), published.Set.unfit(s.behaviour.Algorithms)...), nil
}

// KnownKeys returns the client's keys that are known without a fetch: the set
// by value, or the copy of the published one; nil if there is neither.
func (s *Server) KnownKeys(client *Client) *KeySet {
	var inline *KeySet
	if client.JWKSURI == "" || s.behaviour.BothKeySources {
		inline, _ = s.inlineSet(client.JWKS) // nil where it cannot be read
	}
	if client.JWKSURI == "" {
		return inline
	}
	switch kept := s.keys.Kept(client.JWKSURI); {
	case kept == nil:
		return inline
	case inline == nil:
		return kept.Set
	default:
		return kept.Set.with(inline)
	}
}

// inlineSet parses a key set by value, once per content.
func (s *Server) inlineSet(jwks []byte) (*KeySet, error) {
	sum := sha256.Sum256(jwks)
	if set, ok := s.inline.get(sum); ok && (!set.bare || s.behaviour.takesBareArrays()) {
		return set, nil
	}
	set, err := s.behaviour.parseInline(jwks)
	if err != nil {
		return nil, err
	}
	s.inline.put(sum, set)
	return set, nil
}

// noKeySource refuses every jwks_uri.
type noKeySource struct{}

func (noKeySource) CheckURI(uri string) error {
	return &FetchError{URI: uri, Finding: "J08", Short: "no key source",
		Text: "This server fetches no key sets.",
		Fix:  "Register the keys by value (jwks)."}
}

func (n noKeySource) Keys(_ context.Context, uri, _ string) (*PublishedKeys, error) {
	return nil, n.CheckURI(uri)
}

func (noKeySource) Kept(string) *PublishedKeys { return nil }

func (n noKeySource) Refetch(ctx context.Context, uri string) (*PublishedKeys, error) {
	return n.Keys(ctx, uri, "")
}
