// Package keyhost publishes key sets for clients that have no host of their own
// to do so: what a jwks_uri leads to, and what a rotation does to it. How the
// host misbehaves is a matter of faults. It imports internal/jose.
package keyhost

import (
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/sandfhir/sandfhir/internal/jose"
)

// rsaBits is the size of the RSA keys that are made.
const rsaBits = 2048

// maxHosts is how many hosts a Set holds.
const maxHosts = 1000

// The errors of a Set.
var (
	ErrNoHost = errors.New("there is no key host of this name")
	ErrTaken  = errors.New("there is a key host of this name")
	ErrName   = errors.New("the name of a key host has 1 to 64 of the characters a-z, A-Z, 0-9, ., _ and -, and begins with a letter or a digit")
	ErrMany   = fmt.Errorf("there are %d key hosts, and there can be no more: remove some", maxHosts)
	ErrAlg    = errors.New("alg has to be ES384 or RS384")
)

// A Set is a workspace's key hosts. The zero Set has none. It is safe for
// concurrent use.
type Set struct {
	mu    sync.Mutex
	hosts []*Host // in the order in which they were made
}

// A Host publishes the keys of one client.
type Host struct {
	Name        string
	Certificate string // how the origin is certified at which it is published; "" is the server's own

	mu   sync.Mutex
	keys []key // the latest last
}

type key struct {
	*jose.Key
	from, until time.Time // when it is published; until zero is for good
}

// Make adds a host with a first key, which nothing keeps: the caller has it. An
// empty name is one that nobody guesses, an empty algorithm ES384.
func (s *Set) Make(name, algorithm, certificate string) (*Host, *jose.Key, error) {
	if name == "" {
		name = rand.Text()
	}
	if !validName.MatchString(name) {
		return nil, nil, ErrName
	}
	h := &Host{Name: name, Certificate: certificate}
	made, err := h.add(algorithm, time.Time{})
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.index(name) >= 0:
		return nil, nil, ErrTaken
	case len(s.hosts) >= maxHosts:
		return nil, nil, ErrMany
	}
	s.hosts = append(s.hosts, h)
	return h, made, nil
}

var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// index is where the host with a name is, or -1. The caller holds s.mu.
func (s *Set) index(name string) int {
	return slices.IndexFunc(s.hosts, func(h *Host) bool { return h.Name == name })
}

// Host returns the host with a name, or ErrNoHost.
func (s *Set) Host(name string) (*Host, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(name); i >= 0 {
		return s.hosts[i], nil
	}
	return nil, ErrNoHost
}

// List returns the hosts in the order in which they were made.
func (s *Set) List() []*Host {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.hosts)
}

// Remove removes a host, or returns ErrNoHost.
func (s *Set) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(name)
	if i < 0 {
		return ErrNoHost
	}
	s.hosts = slices.Delete(s.hosts, i, i+1)
	return nil
}

// Clear removes all hosts.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hosts = nil
}

// add makes a key that is published from an instant on.
func (h *Host) add(algorithm string, from time.Time) (*jose.Key, error) {
	if algorithm == "" {
		algorithm = jose.ES384
	}
	if algorithm != jose.ES384 && algorithm != jose.RS384 {
		return nil, ErrAlg
	}
	made, err := jose.Generate(algorithm, rsaBits)
	if err == nil {
		made.ID, err = made.Thumbprint()
	}
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys = append(h.keys, key{Key: made, from: from})
	return made, nil
}

// Rotate gives the host another key, which the caller has to keep. The keys
// before it stay published for overlap; the new one is published late by late.
func (h *Host) Rotate(algorithm string, now time.Time, overlap, late time.Duration) (*jose.Key, error) {
	made, err := h.add(algorithm, now.Add(late))
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	end := now.Add(overlap)
	for i := range h.keys[:len(h.keys)-1] {
		if until := &h.keys[i].until; until.IsZero() || until.After(end) {
			*until = end
		}
	}
	h.keys = slices.DeleteFunc(h.keys, func(k key) bool { return !k.until.IsZero() && !k.until.After(now) })
	return made, nil
}

// Published are the keys that are published at an instant, the latest first.
func (h *Host) Published(now time.Time) []*jose.Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	var list []*jose.Key
	for _, k := range slices.Backward(h.keys) {
		if !k.from.After(now) && (k.until.IsZero() || k.until.After(now)) {
			list = append(list, &jose.Key{Public: k.Public, ID: k.ID})
		}
	}
	return list
}
