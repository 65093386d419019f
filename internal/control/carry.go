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

// Still takes the database as it is at this instant.
func (c *DB) Still(ctx context.Context) (*sqlitedb.Still, error) {
	r, err := c.db.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Still(ctx)
}

// Check reports whether the database is damaged.
func (c *DB) Check(ctx context.Context) error {
	var said string
	if err := c.db.Read().QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("the database is damaged: %s", said)
	}
	return nil
}

// Kept says what of a database goes on in the one that takes its place.
type Kept struct {
	// Clients are taken over where the new database does not have them, by the
	// names of their environments.
	Clients map[string][]string
	// Replace says that they take the place of clients of the same id, which are
	// another server's.
	Replace bool
	// Keys says whether its signing keys are.
	Keys bool
}

// Carry takes over from the database that this one is to replace what no return
// to an earlier state undoes: a revoked token stays revoked, also where all of its
// client's were, a used assertion stays used, and no number that tokens are told
// apart by is given twice.
func (c *DB) Carry(ctx context.Context, from *DB, keep Kept) error {
	if err := c.carryCounters(ctx, from); err != nil {
		return fmt.Errorf("carry over counters: %w", err)
	}
	if err := c.renewGenerations(ctx, from); err != nil {
		return fmt.Errorf("carry over revocations: %w", err)
	}
	for env, ids := range keep.Clients {
		for _, id := range ids {
			if err := c.carryClient(ctx, from, env, id, keep.Replace); err != nil {
				return fmt.Errorf("carry over client %s: %w", id, err)
			}
		}
	}
	if keep.Keys {
		for _, env := range []string{authz.Sandbox, authz.Production} {
			keys, err := from.SigningKeys(ctx, env)
			if err != nil {
				return err
			}
			for _, key := range keys {
				if err := c.PutSigningKey(ctx, env, key); err != nil {
					return err
				}
			}
		}
	}
	return c.carryMemory(ctx, from)
}

func (c *DB) carryCounters(ctx context.Context, from *DB) error {
	counters := map[string]int64{}
	rows, err := from.db.Read().QueryContext(ctx, "SELECT name, value FROM counter")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var value int64
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		counters[name] = value
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for name, value := range counters {
		_, err := c.db.Write().ExecContext(ctx, "INSERT INTO counter(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = max(value, excluded.value)", name, value)
		if err != nil {
			return err
		}
	}
	return c.readTokenAge(ctx)
}

// renewGenerations gives every client a new generation that has another one in the
// database before: its tokens were revoked in between.
func (c *DB) renewGenerations(ctx context.Context, from *DB) error {
	then, err := c.generations(ctx)
	if err != nil {
		return err
	}
	now, err := from.generations(ctx)
	if err != nil {
		return err
	}
	for key, generation := range then {
		if latest, ok := now[key]; !ok || latest == generation {
			continue
		}
		if _, err := c.RevokeClient(ctx, key.env, key.id); err != nil {
			return err
		}
	}
	return nil
}

func (c *DB) generations(ctx context.Context) (map[clientKey]int64, error) {
	rows, err := c.db.Read().QueryContext(ctx, "SELECT env, id, generation FROM client")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[clientKey]int64{}
	for rows.Next() {
		var key clientKey
		var generation int64
		if err := rows.Scan(&key.env, &key.id, &generation); err != nil {
			return nil, err
		}
		all[key] = generation
	}
	return all, rows.Err()
}

// carryClient copies a client with its generation.
func (c *DB) carryClient(ctx context.Context, from *DB, env, id string, replace bool) error {
	var generation, created int64
	var text string
	err := from.db.Read().QueryRowContext(ctx, "SELECT generation, created, json FROM client WHERE env = ? AND id = ?", env, id).Scan(&generation, &created, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	insert := "INSERT OR IGNORE"
	if replace {
		insert = "INSERT OR REPLACE"
	}
	_, err = c.db.Write().ExecContext(ctx, insert+" INTO client(env, id, generation, created, json) VALUES(?, ?, ?, ?, ?)", env, id, generation, created, text)
	c.forget(env, id)
	return err
}

// carryMemory takes over revoked tokens and used assertions.
func (c *DB) carryMemory(ctx context.Context, from *DB) error {
	from.mu.RLock()
	revoked, jtis := maps.Clone(from.revoked), maps.Clone(from.jtis)
	from.mu.RUnlock()
	c.mu.Lock()
	maps.Copy(c.revoked, revoked)
	maps.Copy(c.jtis, jtis)
	c.mu.Unlock()
	if !c.persistent {
		return nil
	}
	return c.write(ctx, func(tx *sqlitedb.Tx) error { return writeMemory(ctx, tx, revoked, jtis) })
}

func writeMemory(ctx context.Context, tx *sqlitedb.Tx, revoked map[tokenKey]time.Time, jtis map[jtiKey]authz.JTIUse) error {
	for key, forget := range revoked {
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO revoked_token(env, id, forget) VALUES(?, ?, ?)", key.env, key.id, toMillis(forget)); err != nil {
			return fmt.Errorf("carry over revoked tokens: %w", err)
		}
	}
	for _, use := range jtis {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO jti(env, iss, jti, exchange, at, expires) VALUES(?, ?, ?, ?, ?, ?)",
			use.Env, use.Issuer, use.JTI, use.Exchange, toMillis(use.At), toMillis(use.Exp))
		if err != nil {
			return fmt.Errorf("carry over used assertions: %w", err)
		}
	}
	return nil
}
