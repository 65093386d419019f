package authztest

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// Store is an authz.Store in memory.
type Store struct {
	mu         sync.Mutex
	generation int64
	clients    map[clientKey][]byte // JSON, so that callers share nothing
	order      []clientKey          // oldest first
	uses       map[useKey]authz.JTIUse
	revoked    map[clientKey]bool
	keys       map[string][]authz.SigningKey
}

type clientKey struct{ env, id string }

type useKey struct{ env, issuer, jti string }

var _ authz.Store = (*Store)(nil)

// NewStore returns an empty Store.
func NewStore() *Store {
	return &Store{
		clients: map[clientKey][]byte{},
		uses:    map[useKey]authz.JTIUse{},
		revoked: map[clientKey]bool{},
		keys:    map[string][]authz.SigningKey{},
	}
}

// Client implements authz.Store.
func (s *Store) Client(_ context.Context, env, id string) (*authz.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client(clientKey{env, id})
}

func (s *Store) client(key clientKey) (*authz.Client, error) {
	data, ok := s.clients[key]
	if !ok {
		return nil, authz.ErrNoClient
	}
	c := &authz.Client{}
	return c, json.Unmarshal(data, c)
}

// RecentClients implements authz.Store.
func (s *Store) RecentClients(_ context.Context, env string, limit int) ([]*authz.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*authz.Client
	for _, key := range s.order {
		if key.env != env {
			continue
		}
		c, err := s.client(key)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b *authz.Client) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all[:min(limit, len(all))], nil
}

// PutClient implements authz.Store.
func (s *Store) PutClient(_ context.Context, env string, c *authz.Client) (*authz.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := clientKey{env, c.ID}
	stored := *c
	before, err := s.client(key)
	switch {
	case err != nil:
		s.order = append(s.order, key)
		stored.Generation = s.next()
	case stored.Status == authz.StatusRejected && before.Status != authz.StatusRejected:
		stored.Generation = s.next()
	default:
		stored.Generation = before.Generation
	}
	return s.put(key, &stored)
}

func (s *Store) next() int64 {
	s.generation++
	return s.generation
}

func (s *Store) put(key clientKey, c *authz.Client) (*authz.Client, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	s.clients[key] = data
	return s.client(key)
}

// RevokeClient implements authz.Store.
func (s *Store) RevokeClient(_ context.Context, env, id string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := clientKey{env, id}
	c, err := s.client(key)
	if err != nil {
		return 0, err
	}
	c.Generation = s.next()
	_, err = s.put(key, c)
	return c.Generation, err
}

// DeleteClient implements authz.Store.
func (s *Store) DeleteClient(_ context.Context, env, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := clientKey{env, id}
	if _, ok := s.clients[key]; !ok {
		return authz.ErrNoClient
	}
	delete(s.clients, key)
	s.order = slices.DeleteFunc(s.order, func(k clientKey) bool { return k == key })
	return nil
}

// UseJTI implements authz.Store.
func (s *Store) UseJTI(_ context.Context, use authz.JTIUse) (*authz.JTIUse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := useKey{use.Env, use.Issuer, use.JTI}
	if earlier, ok := s.uses[key]; ok && use.ReplayOf(earlier) {
		return &earlier, nil
	}
	s.uses[key] = use
	return nil, nil
}

// EarlierJTI implements authz.Store.
func (s *Store) EarlierJTI(_ context.Context, use authz.JTIUse) (*authz.JTIUse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if earlier, ok := s.uses[useKey{use.Env, use.Issuer, use.JTI}]; ok && use.ReplayOf(earlier) {
		return &earlier, nil
	}
	return nil, nil
}

// RevokeToken implements authz.Store.
func (s *Store) RevokeToken(_ context.Context, env, tokenID string, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked[clientKey{env, tokenID}] = true
	return nil
}

// TokenRevoked implements authz.Store.
func (s *Store) TokenRevoked(_ context.Context, env, tokenID string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revoked[clientKey{env, tokenID}], nil
}

// SigningKeys implements authz.Store.
func (s *Store) SigningKeys(_ context.Context, env string) ([]authz.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.keys[env]), nil
}

// PutSigningKey implements authz.Store.
func (s *Store) PutSigningKey(_ context.Context, env string, key authz.SigningKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.keys[env] {
		if known.ID == key.ID {
			return nil
		}
	}
	s.keys[env] = append(s.keys[env], key)
	return nil
}
