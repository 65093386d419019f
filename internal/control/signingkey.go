package control

import (
	"context"
	"fmt"

	"github.com/sandfhir/sandfhir/authz"
)

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
