package fhirstore

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// A readTx is a read transaction with an instant of its own: whatever it cannot
// see gets a later one.
type readTx struct {
	*sql.Tx
	reader *sqlitedb.Reader
	data   *data
	at     time.Time
}

// end ends the transaction.
func (tx *readTx) end() {
	tx.Rollback()
	tx.reader.Close()
}

// beginRead begins a read transaction while nobody writes. It waits for its
// connection before it keeps writers waiting: whoever has one may wait for them.
func (s *Store) beginRead(ctx context.Context) (*readTx, error) {
	for {
		tx := &readTx{data: s.cur.Load()}
		var err error
		if tx.reader, err = tx.data.db.Reader(ctx); err != nil {
			return nil, err
		}
		begun, err := s.beginIfCurrent(ctx, tx)
		if begun {
			return tx, nil
		}
		tx.reader.Close()
		if err != nil {
			return nil, err
		}
	}
}

// beginIfCurrent begins the transaction, unless the store's first write came
// between and it is of other data by now.
func (s *Store) beginIfCurrent(ctx context.Context, tx *readTx) (begun bool, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.cur.Load() != tx.data {
		return false, nil
	}
	err = s.begin(ctx, tx)
	return err == nil, err
}

// begin takes the instant and begins the transaction. The caller holds
// s.writing.
func (s *Store) begin(ctx context.Context, tx *readTx) error {
	tx.at = s.nextInstant()
	if s.base == nil || tx.data != s.base.data {
		// After a restart, too, every write has to be later than this instant.
		if _, err := tx.data.db.Write().ExecContext(ctx, setMeta, metaLast, strconv.FormatInt(s.last, 10)); err != nil {
			return err
		}
	}
	var err error
	if tx.Tx, err = tx.reader.Begin(ctx); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM meta").Scan(&n); err != nil { // the first read fixes what the transaction sees
		tx.Rollback()
		return err
	}
	return nil
}
