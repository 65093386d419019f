package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sandfhir/sandfhir/internal/policy"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// An AdminResource is a version of a Client or an AccessPolicy as an
// administrator put it, without secrets.
type AdminResource struct {
	Type, ID string
	Version  int64
	At       time.Time // workspace time
	JSON     []byte    // nil of a deletion
}

// ErrNoResource says that there is no such resource.
var ErrNoResource = errors.New("control: no such resource")

// PutAdmin adds a version of a resource, its deletion where json is nil.
func (c *DB) PutAdmin(ctx context.Context, env, typ, id string, at time.Time, json []byte) (*AdminResource, error) {
	r := &AdminResource{Type: typ, ID: id, At: at, JSON: json}
	var text any // NULL for nil
	if json != nil {
		text = string(json)
	}
	err := c.write(ctx, func(tx *sqlitedb.Tx) error {
		return tx.QueryRowContext(ctx, `INSERT INTO admin_resource(env, type, id, version, at, json)
			SELECT ?1, ?2, ?3, COALESCE(MAX(version), 0) + 1, ?4, ?5 FROM admin_resource WHERE env = ?1 AND type = ?2 AND id = ?3
			RETURNING version`, env, typ, id, toMillis(at), text).Scan(&r.Version)
	})
	c.forgetPolicies()
	if err != nil {
		return nil, fmt.Errorf("put %s/%s: %w", typ, id, err)
	}
	return r, nil
}

// Admin returns the current version of a resource, or ErrNoResource.
func (c *DB) Admin(ctx context.Context, env, typ, id string) (*AdminResource, error) {
	versions, err := c.AdminHistory(ctx, env, typ, id)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 || versions[0].JSON == nil {
		return nil, ErrNoResource
	}
	return &versions[0], nil
}

// AdminHistory returns the versions of a resource, the latest first.
func (c *DB) AdminHistory(ctx context.Context, env, typ, id string) ([]AdminResource, error) {
	return c.adminResources(ctx, "SELECT type, id, version, at, json FROM admin_resource WHERE env = ? AND type = ? AND id = ? ORDER BY version DESC", env, typ, id)
}

// Admins returns the current versions of all resources of a type, by id;
// deletions are among them.
func (c *DB) Admins(ctx context.Context, env, typ string) ([]AdminResource, error) {
	return c.adminResources(ctx, `SELECT type, id, version, at, json FROM admin_resource a WHERE env = ? AND type = ?
		AND version = (SELECT MAX(version) FROM admin_resource b WHERE b.env = a.env AND b.type = a.type AND b.id = a.id) ORDER BY id`, env, typ)
}

func (c *DB) adminResources(ctx context.Context, query string, args ...any) ([]AdminResource, error) {
	rows, err := c.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list administration resources: %w", err)
	}
	defer rows.Close()
	var list []AdminResource
	for rows.Next() {
		var r AdminResource
		var at int64
		var json sql.NullString
		if err := rows.Scan(&r.Type, &r.ID, &r.Version, &at, &json); err != nil {
			return nil, fmt.Errorf("list administration resources: %w", err)
		}
		if r.At = fromMillis(at); json.Valid {
			r.JSON = []byte(json.String)
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// DerivedPolicy is the id of the policy that is derived from a client's scopes.
func DerivedPolicy(client string) string { return client + derivedSuffix }

const derivedSuffix = "-scopes"

// Policies are the access policies of an environment.
type Policies struct {
	list []*policy.Policy
	// withdrawn are the clients whose derived policy was deleted or replaced.
	withdrawn map[string]bool
}

// Derived reports whether the policy that is derived from a client's scopes
// stands: nobody deleted or replaced it.
func (p *Policies) Derived(client string) bool { return !p.withdrawn[client] }

// For returns the policies that concern a client, by id.
func (p *Policies) For(client string) []*policy.Policy {
	return slices.DeleteFunc(slices.Clone(p.list), func(q *policy.Policy) bool { return !q.Concerns(client) })
}

// Policies returns the policies of an environment. They are kept in memory once
// read: this process is the only one that writes them.
func (c *DB) Policies(ctx context.Context, env string) (*Policies, error) {
	c.mu.RLock()
	known, changes := c.policies[env], c.changes
	c.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	all, err := c.Admins(ctx, env, "AccessPolicy")
	if err != nil {
		return nil, err
	}
	read := &Policies{withdrawn: map[string]bool{}}
	for _, r := range all {
		if client, ok := strings.CutSuffix(r.ID, derivedSuffix); ok {
			read.withdrawn[client] = true
		}
		if r.JSON == nil {
			continue
		}
		p, err := policy.Parse(r.ID, r.JSON)
		if err != nil {
			return nil, fmt.Errorf("read AccessPolicy/%s: %w", r.ID, err)
		}
		read.list = append(read.list, p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == changes {
		c.policies[env] = read
	}
	return read, nil
}

func (c *DB) forgetPolicies() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.policies)
	c.changes++
}

// ResetPolicy puts the policy that is derived from a client's scopes back.
func (c *DB) ResetPolicy(ctx context.Context, env, client string) error {
	_, err := c.db.Write().ExecContext(ctx, "DELETE FROM admin_resource WHERE env = ? AND type = 'AccessPolicy' AND id = ?", env, DerivedPolicy(client))
	c.forgetPolicies()
	if err != nil {
		return fmt.Errorf("reset the policy of %s: %w", client, err)
	}
	return nil
}
