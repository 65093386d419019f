package fhirstore

import (
	"context"
	"database/sql"
	"fmt"
)

// A pack knows how many of its rows are in no patient's compartment, so that a
// patient export need not look at each: those that nothing is outside of are
// taken whole. The number is noted when the pack is written. What a row refers
// to stays as it is for as long as the row counts; only of a Provenance does it
// depend on other resources as well.

// countOutside counts the rows of a type in packs from a number on. What is dead
// does not count: a pack with dead rows is not taken whole.
func (tx *writeTx) countOutside(ctx context.Context, typ string, first int64) error {
	in, args := tx.store.inAnyCompartment(typ)
	_, err := tx.exec(ctx, `UPDATE pack SET outside = (
		SELECT count(*) FROM resource r WHERE r.type = pack.type AND r.live = 1 AND r.pack = pack.pack AND NOT `+in+`)
		WHERE type = ? AND pack >= ?`, append(args, typ, first)...)
	if err != nil {
		return fmt.Errorf("count what is in no compartment: %w", err)
	}
	return nil
}

// countOutsideOfAll counts the rows of all packs.
func (tx *writeTx) countOutsideOfAll(ctx context.Context) error {
	var types []string
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var typ string
		err := rows.Scan(&typ)
		types = append(types, typ)
		return err
	}, "SELECT DISTINCT type FROM pack")
	if err != nil {
		return fmt.Errorf("list types of packs: %w", err)
	}
	for _, typ := range types {
		if err := tx.countOutside(ctx, typ, 0); err != nil {
			return err
		}
	}
	return nil
}

// leaveCompartments notes that a resource is in no compartment any more: any
// Provenance may have been about it.
func (tx *writeTx) leaveCompartments(ctx context.Context) error {
	_, err := tx.exec(ctx, "UPDATE pack SET outside = rows WHERE type = ?", provenance)
	return err
}
