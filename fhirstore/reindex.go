package fhirstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/sandfhir/sandfhir/internal/fhirjson"
	"github.com/sandfhir/sandfhir/internal/r4"
)

// extraction counts the changes of what extract takes out of a resource and of
// how the search rows hold it. It is raised with every such change.
const extraction = 3

// indexVersion names what search rows are made with: rows of another version
// are made anew.
func indexVersion(defs *r4.Table) string { return fmt.Sprintf("%s %d", defs.Hash(), extraction) }

// reindexIfNeeded makes all search rows anew where they were made with other
// definitions, or by other rules, than this program has.
func (s *Store) reindexIfNeeded(ctx context.Context, d *data) error {
	have, err := d.meta(ctx, metaIndex)
	if err != nil || have == indexVersion(s.defs) {
		return err
	}
	if have != "" {
		err := s.amend(ctx, d, func(tx *writeTx) error { return tx.reindex(ctx) })
		if err != nil {
			return fmt.Errorf("index again: %w", err)
		}
	}
	return s.markIndexed(ctx, d)
}

func (s *Store) markIndexed(ctx context.Context, d *data) error {
	return s.amend(ctx, d, func(tx *writeTx) error { return tx.setMeta(ctx, metaIndex, indexVersion(s.defs)) })
}

// amend runs f in a transaction that writes no version.
func (s *Store) amend(ctx context.Context, d *data, f func(tx *writeTx) error) error {
	sqlTx, err := d.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer sqlTx.Rollback()
	if err := f(&writeTx{Tx: sqlTx, store: s, packs: d.packs}); err != nil {
		return err
	}
	return sqlTx.Commit()
}

func (tx *writeTx) reindex(ctx context.Context) error {
	for _, table := range indexTables {
		if _, err := tx.exec(ctx, "DELETE FROM "+table); err != nil {
			return err
		}
	}
	for after := int64(0); ; {
		// In portions: a result must be closed before rows are written.
		var portion []row
		err := each(ctx, tx, func(rows *sql.Rows) error {
			var r row
			if err := rows.Scan(r.columns()...); err != nil {
				return err
			}
			portion = append(portion, r)
			return nil
		}, "SELECT "+rowColumns+" FROM resource r WHERE r.rid > ? ORDER BY r.rid LIMIT 1000", after)
		if err != nil {
			return err
		}
		if len(portion) == 0 {
			return tx.countOutsideOfAll(ctx)
		}
		for i := range portion {
			r := &portion[i]
			after = r.rid
			if err := tx.reindexRow(ctx, r); err != nil {
				return err
			}
		}
	}
}

// reindexRow writes the search rows of one resource, for a tombstone those of
// its last live version.
func (tx *writeTx) reindexRow(ctx context.Context, r *row) error {
	body := r.body
	if !r.live {
		err := tx.QueryRowContext(ctx, "SELECT pack, off, len, seq FROM version WHERE rid = ? AND op <> 'D' ORDER BY vid DESC LIMIT 1", r.rid).
			Scan(&body.pack, &body.off, &body.len, &body.seq)
		if err != nil {
			return err
		}
	}
	json, err := tx.packs.readBody(ctx, tx, body)
	if err != nil {
		return err
	}
	root, err := fhirjson.Parse(json)
	if err != nil {
		return err
	}
	return tx.writeIndex(ctx, r.rid, r.typ, r.id, extract(tx.store.defs, r.typ, r.id, root))
}
