package authz

import (
	"crypto/sha256"
	"sync"
)

// Sizes of the caches, in entries. A key set takes some kilobytes, a verified
// token some hundred bytes.
const (
	maxInlineSets     = 512
	maxVerifiedTokens = 4096
)

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
