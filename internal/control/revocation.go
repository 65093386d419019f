package control

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// forgetAfter is how much longer than needed a revocation is remembered.
const forgetAfter = time.Hour

// RevokeToken implements authz.Store.
func (c *DB) RevokeToken(ctx context.Context, env, tokenID string, expires time.Time) error {
	_, err := c.db.Write().ExecContext(ctx, "INSERT OR REPLACE INTO revoked_token(env, id, expires) VALUES(?, ?, ?)", env, tokenID, toMillis(expires))
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revoked[tokenKey{env, tokenID}] = expires
	// What expired long before a token that still lives is no token any more.
	maps.DeleteFunc(c.revoked, func(_ tokenKey, old time.Time) bool { return old.Before(expires.Add(-forgetAfter)) })
	return nil
}

// TokenRevoked implements authz.Store. Revoked tokens are kept in memory: every
// request asks for them.
func (c *DB) TokenRevoked(_ context.Context, env, tokenID string) (bool, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, revoked := c.revoked[tokenKey{env, tokenID}]
	return revoked, nil
}

func readRevoked(ctx context.Context, db *sqlitedb.DB) (map[tokenKey]time.Time, error) {
	rows, err := db.Read().QueryContext(ctx, "SELECT env, id, expires FROM revoked_token")
	if err != nil {
		return nil, fmt.Errorf("read revoked tokens: %w", err)
	}
	defer rows.Close()
	revoked := map[tokenKey]time.Time{}
	for rows.Next() {
		var key tokenKey
		var expires int64
		if err := rows.Scan(&key.env, &key.id, &expires); err != nil {
			return nil, fmt.Errorf("read revoked tokens: %w", err)
		}
		revoked[key] = fromMillis(expires)
	}
	return revoked, rows.Err()
}
