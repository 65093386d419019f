package authz

import (
	"crypto/sha256"
	"testing"
)

// The cache is bounded, forgets the oldest and keeps what is in use.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := newCache[int](4)
	key := func(i int) [sha256.Size]byte { return sha256.Sum256([]byte{byte(i)}) }
	c.put(key(0), 0)
	for i := 1; i < 100; i++ {
		c.put(key(i), i)
		if v, ok := c.get(key(0)); !ok || v != 0 {
			t.Fatalf("after %d: the entry in use is gone", i)
		}
		if v, ok := c.get(key(i)); !ok || v != i {
			t.Fatalf("after %d: the newest entry is gone", i)
		}
		if n := len(c.young) + len(c.old); n > 4 {
			t.Fatalf("after %d: %d entries, want at most 4", i, n)
		}
	}
	if _, ok := c.get(key(1)); ok {
		t.Error("the oldest entry is still there")
	}
}
