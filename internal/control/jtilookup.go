package control

import (
	"context"

	"github.com/sandfhir/sandfhir/authz"
)

// EarlierJTI implements authz.Store.
func (c *DB) EarlierJTI(_ context.Context, use authz.JTIUse) (*authz.JTIUse, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if earlier, ok := c.jtis[jtiKey{use.Env, use.Issuer, use.JTI}]; ok && earlier.Expires.After(use.At) {
		return &earlier, nil
	}
	return nil, nil
}
