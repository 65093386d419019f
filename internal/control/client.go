package control

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// Client implements authz.Store. Clients are kept in memory once read: this
// process is the only one that writes them.
func (c *DB) Client(ctx context.Context, env, id string) (*authz.Client, error) {
	key := clientKey{env, id}
	c.mu.RLock()
	known, looked := c.clients[key]
	changes := c.changes
	c.mu.RUnlock()
	if !looked {
		var err error
		if known, err = readClient(ctx, c.db.Read(), env, id); err != nil && !errors.Is(err, authz.ErrNoClient) {
			return nil, err
		}
		c.remember(key, known, changes)
	}
	if known == nil {
		return nil, authz.ErrNoClient
	}
	return clone(known), nil
}

// maxAbsent bounds how many ids are known to be nobody's. Every request to the
// sandbox asks whether production has the client as well.
const maxAbsent = 1000

// remember keeps what was read when so many changes had been made; nil is that
// there is none.
func (c *DB) remember(key clientKey, client *authz.Client, changes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, looked := c.clients[key]; looked || c.changes != changes { // what was read may be what was changed since
		return
	}
	if client == nil {
		if c.absent++; c.absent > maxAbsent {
			maps.DeleteFunc(c.clients, func(_ clientKey, known *authz.Client) bool { return known == nil })
			c.absent = 1
		}
	}
	c.clients[key] = client
}

// clone copies a client with all that it refers to: what is kept is nobody's to
// change.
func clone(c *authz.Client) *authz.Client {
	copied := *c
	copied.JWKS = slices.Clone(c.JWKS)
	copied.Secrets = slices.Clone(c.Secrets)
	for i := range copied.Secrets {
		copied.Secrets[i].Hash = slices.Clone(copied.Secrets[i].Hash)
	}
	copied.Scopes = slices.Clone(c.Scopes)
	for i := range copied.Scopes {
		query := slices.Clone(copied.Scopes[i].Query)
		for j := range query {
			query[j].Values = slices.Clone(query[j].Values)
		}
		copied.Scopes[i].Query = query
	}
	copied.Grants = slices.Clone(c.Grants)
	copied.RegistrationToken = slices.Clone(c.RegistrationToken)
	copied.Metadata.RedirectURIs = slices.Clone(c.Metadata.RedirectURIs)
	copied.Metadata.Contacts = slices.Clone(c.Metadata.Contacts)
	return &copied
}

func (c *DB) forget(env, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := clientKey{env, id}
	if known, looked := c.clients[key]; looked && known == nil {
		c.absent--
	}
	delete(c.clients, key)
	c.changes++
}

type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func readClient(ctx context.Context, q querier, env, id string) (*authz.Client, error) {
	var text []byte
	var generation int64
	err := q.QueryRowContext(ctx, "SELECT json, generation FROM client WHERE env = ? AND id = ?", env, id).Scan(&text, &generation)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, authz.ErrNoClient
	}
	if err != nil {
		return nil, fmt.Errorf("read client: %w", err)
	}
	return decodeClient(text, generation)
}

func decodeClient(text []byte, generation int64) (*authz.Client, error) {
	var client authz.Client
	if err := json.Unmarshal(text, &client); err != nil {
		return nil, fmt.Errorf("read client: %w", err)
	}
	client.Generation = generation
	return &client, nil
}

// RecentClients implements authz.Store.
func (c *DB) RecentClients(ctx context.Context, env string, limit int) ([]*authz.Client, error) {
	rows, err := c.db.Read().QueryContext(ctx, "SELECT json, generation FROM client WHERE env = ? ORDER BY created DESC, id LIMIT ?", env, limit)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	defer rows.Close()
	var list []*authz.Client
	for rows.Next() {
		var text []byte
		var generation int64
		if err := rows.Scan(&text, &generation); err != nil {
			return nil, fmt.Errorf("list clients: %w", err)
		}
		client, err := decodeClient(text, generation)
		if err != nil {
			return nil, err
		}
		list = append(list, client)
	}
	return list, rows.Err()
}

// PutClient implements authz.Store.
func (c *DB) PutClient(ctx context.Context, env string, client *authz.Client) (*authz.Client, error) {
	stored := clone(client)
	err := c.write(ctx, func(tx *sqlitedb.Tx) error {
		old, err := readClient(ctx, tx, env, client.ID)
		switch {
		case err == nil && (client.Status != authz.StatusRejected || old.Status == authz.StatusRejected):
			stored.Generation = old.Generation
		case err == nil || errors.Is(err, authz.ErrNoClient):
			if stored.Generation, err = nextGeneration(ctx, tx); err != nil {
				return err
			}
		default:
			return err
		}
		text, err := json.Marshal(stored)
		if err != nil {
			return fmt.Errorf("write client: %w", err)
		}
		_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO client(env, id, generation, created, json) VALUES(?, ?, ?, ?, ?)",
			env, stored.ID, stored.Generation, toMillis(stored.CreatedAt), string(text))
		if err != nil || old != nil && old.Status == stored.Status {
			return err
		}
		return noteStatus(ctx, tx, env, stored)
	})
	c.forget(env, client.ID)
	if err != nil {
		return nil, fmt.Errorf("put client: %w", err)
	}
	return stored, nil
}

// nextGeneration gives a number that no client of the workspace ever had.
func nextGeneration(ctx context.Context, tx *sqlitedb.Tx) (n int64, err error) {
	err = tx.QueryRowContext(ctx, "INSERT INTO counter(name, value) VALUES('generation', 1) ON CONFLICT(name) DO UPDATE SET value = value + 1 RETURNING value").Scan(&n)
	return n, err
}

// RevokeClient implements authz.Store.
func (c *DB) RevokeClient(ctx context.Context, env, id string) (generation int64, err error) {
	err = c.write(ctx, func(tx *sqlitedb.Tx) error {
		if generation, err = nextGeneration(ctx, tx); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, "UPDATE client SET generation = ? WHERE env = ? AND id = ?", generation, env, id)
		return orNoClient(done, err)
	})
	c.forget(env, id)
	return generation, err
}

// DeleteClient implements authz.Store.
func (c *DB) DeleteClient(ctx context.Context, env, id string) error {
	err := c.write(ctx, func(tx *sqlitedb.Tx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM client WHERE env = ? AND id = ?", env, id)
		if err := orNoClient(done, err); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM status_change WHERE env = ? AND client = ?", env, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM admin_resource WHERE env = ? AND type = 'AccessPolicy' AND id = ?", env, DerivedPolicy(id))
		return err
	})
	c.forget(env, id)
	c.forgetPolicies()
	return err
}

func orNoClient(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return authz.ErrNoClient
}
