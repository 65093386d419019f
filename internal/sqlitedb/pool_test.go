package sqlitedb_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// TestStatementsMakeRoom runs more queries than a pool keeps, at once with rows
// that are still read and with a writer: every one of them is answered.
func TestStatementsMakeRoom(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]sqlitedb.Mode{"file": sqlitedb.ReadWrite, "memory": sqlitedb.Memory} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := sqlitedb.Open(filepath.Join(t.TempDir(), "x.db"), mode, sqlitedb.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Write().ExecContext(t.Context(), "CREATE TABLE x(n INTEGER)"); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for worker := range 4 {
				all.Go(func() {
					for i := range 700 {
						rows, err := db.Read().QueryContext(t.Context(), fmt.Sprintf("SELECT %d UNION ALL SELECT ?", i), worker)
						if err != nil {
							t.Error(err)
							return
						}
						n := 0
						for rows.Next() {
							n++
						}
						if rows.Close(); n != 2 || rows.Err() != nil {
							t.Errorf("got %d rows, error %v", n, rows.Err())
						}
					}
				})
			}
			all.Go(func() {
				for i := range 300 {
					tx, err := db.Begin(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					stmt, err := tx.Statement(t.Context(), fmt.Sprintf("INSERT INTO x VALUES(%d)", i%200))
					if err == nil {
						_, err = stmt.ExecContext(t.Context())
					}
					if err == nil {
						err = tx.Commit()
					}
					if err != nil {
						tx.Rollback()
						t.Error(err)
					}
				}
			})
			all.Wait()
			var n int
			if err := db.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM x").Scan(&n); err != nil || n != 300 {
				t.Errorf("got %d rows, error %v", n, err)
			}
		})
	}
}
