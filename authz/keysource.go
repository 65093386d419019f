package authz

import (
	"context"
	"crypto/sha256"
	"errors"
)

// keysOf returns a client's key set and, for a published one, its story. A
// client without keys has a nil set.
func (s *Server) keysOf(ctx context.Context, client *Client, kid string, bareArray bool) (*KeySet, *keyStory, error) {
	switch {
	case client.JWKSURI != "":
		published, err := s.keys.Keys(ctx, client.JWKSURI, kid)
		if err != nil {
			return nil, nil, err
		}
		return published.Set, &keyStory{uri: client.JWKSURI, PublishedKeys: published}, nil
	case len(client.JWKS) > 0:
		set, err := s.inlineSet(client.JWKS, bareArray)
		return set, nil, err
	}
	return nil, nil, nil
}

// inlineSet parses a key set by value, once per content.
func (s *Server) inlineSet(jwks []byte, bareArray bool) (*KeySet, error) {
	sum := sha256.Sum256(jwks)
	if set, ok := s.inline.get(sum); ok && (bareArray || !set.bare) {
		return set, nil
	}
	set, err := parseKeySet(jwks, bareArray)
	if err != nil {
		return nil, err
	}
	s.inline.put(sum, set)
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
