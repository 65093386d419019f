package control

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// keepRevocation is how long a revocation is remembered, in real time, after
// it was made and its token's expiry has passed. A token ages by the
// workspace's clock, which may stand still or be set back; real time does not.
const keepRevocation = 7 * 24 * time.Hour

// RevokeToken implements authz.Store.
func (c *DB) RevokeToken(ctx context.Context, env, tokenID string, expires time.Time) error {
	now := c.wall.Now()
	forget := now
	if expires.After(now) {
		forget = expires
	}
	forget = forget.Add(keepRevocation)
	c.mu.Lock()
	c.revoked[tokenKey{env, tokenID}] = forget
	c.revocations++
	due := c.revocations%forgetEvery == 0
	if due {
		maps.DeleteFunc(c.revoked, func(_ tokenKey, forget time.Time) bool { return !forget.After(now) })
	}
	c.mu.Unlock()
	if !c.persistent {
		return nil
	}
	_, err := c.db.Write().ExecContext(ctx, "INSERT OR REPLACE INTO revoked_token(env, id, forget) VALUES(?, ?, ?)", env, tokenID, toMillis(forget))
	if err == nil && due {
		err = forgetRevoked(ctx, c.db, now)
	}
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
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

func forgetRevoked(ctx context.Context, db *sqlitedb.DB, now time.Time) error {
	_, err := db.Write().ExecContext(ctx, "DELETE FROM revoked_token WHERE forget <= ?", toMillis(now))
	return err
}

func readRevoked(ctx context.Context, db *sqlitedb.DB, now time.Time) (map[tokenKey]time.Time, error) {
	if err := forgetRevoked(ctx, db, now); err != nil {
		return nil, fmt.Errorf("read revoked tokens: %w", err)
	}
	rows, err := db.Read().QueryContext(ctx, "SELECT env, id, forget FROM revoked_token")
	if err != nil {
		return nil, fmt.Errorf("read revoked tokens: %w", err)
	}
	defer rows.Close()
	revoked := map[tokenKey]time.Time{}
	for rows.Next() {
		var key tokenKey
		var forget int64
		if err := rows.Scan(&key.env, &key.id, &forget); err != nil {
			return nil, fmt.Errorf("read revoked tokens: %w", err)
		}
		revoked[key] = fromMillis(forget)
	}
	return revoked, rows.Err()
}
