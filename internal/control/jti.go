package control

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// forgetEvery is after how many records those that are due to be forgotten are
// dropped.
const forgetEvery = 1000

// keepJTI is how long past its exp an assertion is on record, or as long as the
// tolerated skew: that can be raised after the assertion was used.
const keepJTI = 10 * time.Minute

type jtiKey struct{ env, issuer, jti string }

// UseJTI implements authz.Store. The uses are kept in memory, where of two at
// once exactly one is the first, and written to a database that outlives the
// process before the answer.
func (c *DB) UseJTI(ctx context.Context, use authz.JTIUse) (*authz.JTIUse, error) {
	key := jtiKey{use.Env, use.Issuer, use.JTI}
	c.mu.Lock()
	if earlier, ok := c.jtis[key]; ok && use.ReplayOf(earlier) {
		c.mu.Unlock()
		return &earlier, nil
	}
	c.jtis[key] = use
	c.uses++
	due, forget := c.uses%forgetEvery == 0, use.At.Add(-max(use.Skew, keepJTI))
	if due {
		maps.DeleteFunc(c.jtis, func(_ jtiKey, old authz.JTIUse) bool { return !old.Exp.After(forget) })
	}
	c.mu.Unlock()
	if !c.persistent {
		return nil, nil
	}
	_, err := c.db.Write().ExecContext(ctx, "INSERT OR REPLACE INTO jti(env, iss, jti, exchange, at, expires) VALUES(?, ?, ?, ?, ?, ?)",
		use.Env, use.Issuer, use.JTI, use.Exchange, toMillis(use.At), toMillis(use.Exp))
	if err == nil && due {
		_, err = c.db.Write().ExecContext(ctx, "DELETE FROM jti WHERE expires <= ?", toMillis(forget))
	}
	if err != nil {
		return nil, fmt.Errorf("record jti: %w", err) // it stays used: refusing it again is the safe side
	}
	return nil, nil
}

// EarlierJTI implements authz.Store.
func (c *DB) EarlierJTI(_ context.Context, use authz.JTIUse) (*authz.JTIUse, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if earlier, ok := c.jtis[jtiKey{use.Env, use.Issuer, use.JTI}]; ok && use.ReplayOf(earlier) {
		return &earlier, nil
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
		use.At, use.Exp = fromMillis(at), fromMillis(expires)
		uses[jtiKey{use.Env, use.Issuer, use.JTI}] = use
	}
	return uses, rows.Err()
}
