package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// forgetEvery is after how many uses the expired ones are dropped.
const forgetEvery = 1000

// forgetAfter is how much longer than needed a revocation is remembered.
const forgetAfter = time.Hour

type jtiKey struct{ env, issuer, jti string }

// UseJTI implements authz.Store. The uses are kept in memory, where of two at
// once exactly one is the first, and written to a database that outlives the
// process before the answer.
func (c *DB) UseJTI(ctx context.Context, use authz.JTIUse) (*authz.JTIUse, error) {
	key := jtiKey{use.Env, use.Issuer, use.JTI}
	c.mu.Lock()
	if earlier, ok := c.jtis[key]; ok && earlier.Expires.After(use.At) {
		c.mu.Unlock()
		return &earlier, nil
	}
	c.jtis[key] = use
	c.uses++
	due := c.uses%forgetEvery == 0
	if due {
		maps.DeleteFunc(c.jtis, func(_ jtiKey, old authz.JTIUse) bool { return !old.Expires.After(use.At) })
	}
	c.mu.Unlock()
	if !c.persistent {
		return nil, nil
	}
	_, err := c.db.Write().ExecContext(ctx, "INSERT OR REPLACE INTO jti(env, iss, jti, exchange, at, expires) VALUES(?, ?, ?, ?, ?, ?)",
		use.Env, use.Issuer, use.JTI, use.Exchange, toMillis(use.At), toMillis(use.Expires))
	if err == nil && due {
		_, err = c.db.Write().ExecContext(ctx, "DELETE FROM jti WHERE expires <= ?", toMillis(use.At))
	}
	if err != nil {
		return nil, fmt.Errorf("record jti: %w", err) // it stays used: refusing it again is the safe side
	}
	return nil, nil
}

func readJTIs(ctx context.Context, db *sqlitedb.DB) (map[jtiKey]authz.JTIUse, error) {
	rows, err := db.Read().QueryContext(ctx, "SELECT env, iss, jti, exchange, at, expires FROM jti")
	if err != nil {
		return nil, fmt.Errorf("read used assertions: %w", err)
	}
	defer rows.Close()
	uses := map[jtiKey]authz.JTIUse{}
	for rows.Next() {
		var use authz.JTIUse
		var at, expires int64
		if err := rows.Scan(&use.Env, &use.Issuer, &use.JTI, &use.Exchange, &at, &expires); err != nil {
			return nil, fmt.Errorf("read used assertions: %w", err)
		}
		use.At, use.Expires = fromMillis(at), fromMillis(expires)
		uses[jtiKey{use.Env, use.Issuer, use.JTI}] = use
	}
	return uses, rows.Err()
}

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
