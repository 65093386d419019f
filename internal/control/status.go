package control

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/portal"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

var _ portal.Store = (*DB)(nil)

// maxStatusChanges is how many changes of a client's status are kept.
const maxStatusChanges = 200

// noteStatus adds the status that a client has now to its changes.
func noteStatus(ctx context.Context, tx *sqlitedb.Tx, env string, c *authz.Client) error {
	at := c.StatusAt
	if at.IsZero() {
		at = c.CreatedAt
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO status_change(env, client, n, at, status, by, reason)
		SELECT ?1, ?2, COALESCE(MAX(n), 0) + 1, ?3, ?4, ?5, ?6 FROM status_change WHERE env = ?1 AND client = ?2`,
		env, c.ID, toMillis(at), string(c.Status), cmp.Or(c.StatusBy, c.Source), c.StatusReason)
	if err != nil {
		return fmt.Errorf("note the status: %w", err)
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM status_change WHERE env = ?1 AND client = ?2 AND n <=
		(SELECT MAX(n) FROM status_change WHERE env = ?1 AND client = ?2) - ?3`, env, c.ID, maxStatusChanges)
	return err
}

// StatusChanges implements portal.Store.
func (c *DB) StatusChanges(ctx context.Context, env, id string) ([]portal.StatusChange, error) {
	rows, err := c.db.Read().QueryContext(ctx, "SELECT at, status, by, reason FROM status_change WHERE env = ? AND client = ? ORDER BY n", env, id)
	if err != nil {
		return nil, fmt.Errorf("list changes of status: %w", err)
	}
	defer rows.Close()
	var list []portal.StatusChange
	for rows.Next() {
		var change portal.StatusChange
		var at int64
		if err := rows.Scan(&at, &change.Status, &change.By, &change.Reason); err != nil {
			return nil, fmt.Errorf("list changes of status: %w", err)
		}
		change.At = fromMillis(at)
		list = append(list, change)
	}
	return list, rows.Err()
}
