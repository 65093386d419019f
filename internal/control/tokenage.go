package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// TokenAge is the number that access tokens carry; see authz.Config.
func (c *DB) TokenAge() int64 { return c.tokenAge.Load() }

// ExpireTokens makes all access tokens of the workspace count as expired.
func (c *DB) ExpireTokens(ctx context.Context) error {
	var age int64
	err := c.db.Write().QueryRowContext(ctx, "INSERT INTO counter(name, value) VALUES('token-age', 1) ON CONFLICT(name) DO UPDATE SET value = value + 1 RETURNING value").Scan(&age)
	if err != nil {
		return fmt.Errorf("expire tokens: %w", err)
	}
	for {
		known := c.tokenAge.Load()
		if known >= age || c.tokenAge.CompareAndSwap(known, age) {
			return nil
		}
	}
}

func (c *DB) readTokenAge(ctx context.Context) error {
	var age int64
	err := c.db.Read().QueryRowContext(ctx, "SELECT value FROM counter WHERE name = 'token-age'").Scan(&age)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the age of tokens: %w", err)
	}
	c.tokenAge.Store(age)
	return nil
}
