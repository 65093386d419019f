package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// useJTI records a use unless an earlier one is still remembered: one
// statement, so that of two uses at once exactly one is the first.
const useJTI = `
	INSERT INTO jti(env, iss, jti, exchange, at, expires) VALUES(?, ?, ?, ?, ?, ?)
	ON CONFLICT(env, iss, jti) DO UPDATE SET exchange = excluded.exchange, at = excluded.at, expires = excluded.expires
	WHERE jti.expires <= excluded.at`

const findJTI = "SELECT exchange, at, expires FROM jti WHERE env = ? AND iss = ? AND jti = ?"

// forgetEvery is after how many uses the expired ones are dropped.
const forgetEvery = 1000

// UseJTI implements authz.Store.
func (c *DB) UseJTI(ctx context.Context, use authz.JTIUse) (*authz.JTIUse, error) {
	done, err := c.db.Write().ExecContext(ctx, useJTI, use.Env, use.Issuer, use.JTI, use.Exchange, toMillis(use.At), toMillis(use.Expires))
	if err != nil {
		return nil, fmt.Errorf("record jti: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return nil, fmt.Errorf("record jti: %w", err)
	}
	if n > 0 {
		return nil, c.forgetJTIs(ctx, use.At)
	}
	earlier := authz.JTIUse{Env: use.Env, Issuer: use.Issuer, JTI: use.JTI}
	var at, expires int64
	if err := c.db.Read().QueryRowContext(ctx, findJTI, use.Env, use.Issuer, use.JTI).Scan(&earlier.Exchange, &at, &expires); err != nil {
		return nil, fmt.Errorf("find jti: %w", err)
	}
	earlier.At, earlier.Expires = fromMillis(at), fromMillis(expires)
	return &earlier, nil
}

// forgetJTIs drops the expired uses now and then.
func (c *DB) forgetJTIs(ctx context.Context, now time.Time) error {
	c.mu.Lock()
	c.uses++
	due := c.uses%forgetEvery == 0
	c.mu.Unlock()
	if !due {
		return nil
	}
	if _, err := c.db.Write().ExecContext(ctx, "DELETE FROM jti WHERE expires <= ?", toMillis(now)); err != nil {
		return fmt.Errorf("forget jti: %w", err)
	}
	return nil
}

// RevokeToken implements authz.Store.
func (c *DB) RevokeToken(ctx context.Context, env, tokenID string, expires time.Time) error {
	_, err := c.db.Write().ExecContext(ctx, "INSERT OR REPLACE INTO revoked_token(env, id, expires) VALUES(?, ?, ?)", env, tokenID, toMillis(expires))
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revoked[tokenKey{env, tokenID}] = true
	return nil
}

// TokenRevoked implements authz.Store. Revoked tokens are kept in memory: every
// request asks for them.
func (c *DB) TokenRevoked(_ context.Context, env, tokenID string) (bool, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.revoked[tokenKey{env, tokenID}], nil
}

func readRevoked(ctx context.Context, db *sqlitedb.DB) (map[tokenKey]bool, error) {
	rows, err := db.Read().QueryContext(ctx, "SELECT env, id FROM revoked_token")
	if err != nil {
		return nil, fmt.Errorf("read revoked tokens: %w", err)
	}
	defer rows.Close()
	revoked := map[tokenKey]bool{}
	for rows.Next() {
		var key tokenKey
		if err := rows.Scan(&key.env, &key.id); err != nil {
			return nil, fmt.Errorf("read revoked tokens: %w", err)
		}
		revoked[key] = true
	}
	return revoked, rows.Err()
}

// SigningKeys implements authz.Store.
func (c *DB) SigningKeys(ctx context.Context, env string) ([]authz.SigningKey, error) {
	rows, err := c.db.Read().QueryContext(ctx, "SELECT id, pkcs8, created FROM signing_key WHERE env = ? ORDER BY created, id", env)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	defer rows.Close()
	var keys []authz.SigningKey
	for rows.Next() {
		var key authz.SigningKey
		var created int64
		if err := rows.Scan(&key.ID, &key.PKCS8, &created); err != nil {
			return nil, fmt.Errorf("read signing keys: %w", err)
		}
		key.CreatedAt = fromMillis(created)
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// PutSigningKey implements authz.Store.
func (c *DB) PutSigningKey(ctx context.Context, env string, key authz.SigningKey) error {
	_, err := c.db.Write().ExecContext(ctx, "INSERT OR IGNORE INTO signing_key(env, id, pkcs8, created) VALUES(?, ?, ?, ?)",
		env, key.ID, key.PKCS8, toMillis(key.CreatedAt))
	if err != nil {
		return fmt.Errorf("write signing key: %w", err)
	}
	return nil
}

var _ authz.Store = (*DB)(nil)

// isMissing reports whether a single row was asked for and is not there.
func isMissing(err error) bool { return errors.Is(err, sql.ErrNoRows) }
