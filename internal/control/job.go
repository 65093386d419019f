package control

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// PutJob implements bulk.Store.
func (c *DB) PutJob(ctx context.Context, job *bulk.Job, extents [][]byte) error {
	text, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("put job: %w", err)
	}
	err = c.write(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO job(id, env, client, created, json) VALUES(?, ?, ?, ?, ?)",
			job.ID, job.Env, job.Client, toMillis(job.CreatedAt), string(text))
		if err != nil {
			return err
		}
		for i, f := range job.Files {
			_, err := tx.ExecContext(ctx, "INSERT INTO job_file(job, n, kind, type, rows, bytes, extents) VALUES(?, ?, ?, ?, ?, ?, ?)",
				job.ID, f.Number, string(f.Kind), f.Type, f.Rows, f.Bytes, extents[i])
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("put job: %w", err)
	}
	return nil
}

// Job implements bulk.Store. One statement sees one instant, and a job is seen
// with its files or not at all.
func (c *DB) Job(ctx context.Context, env, id string) (*bulk.Job, error) {
	rows, err := c.db.Read().QueryContext(ctx, `SELECT j.json, j.polls, f.n, f.kind, f.type, f.rows, f.bytes
		FROM job j LEFT JOIN job_file f ON f.job = j.id WHERE j.id = ? AND j.env = ? ORDER BY f.n`, id, env)
	if err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	defer rows.Close()
	var job *bulk.Job
	for rows.Next() {
		var text []byte
		var polls int
		var number, size, count sql.NullInt64 // of no file where the job has none
		var kind, typ sql.NullString
		if err := rows.Scan(&text, &polls, &number, &kind, &typ, &count, &size); err != nil {
			return nil, fmt.Errorf("read job: %w", err)
		}
		if job == nil {
			job = &bulk.Job{}
			if err := json.Unmarshal(text, job); err != nil {
				return nil, fmt.Errorf("read job: %w", err)
			}
			job.Polls = polls
		}
		if number.Valid {
			job.Files = append(job.Files, bulk.File{Number: int(number.Int64), Kind: bulk.Kind(kind.String), Type: typ.String, Rows: count.Int64, Bytes: size.Int64})
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	if job == nil {
		return nil, bulk.ErrNoJob
	}
	return job, nil
}

// Extents implements bulk.Store.
func (c *DB) Extents(ctx context.Context, env, id string, number int) ([]byte, error) {
	var extents []byte
	err := c.db.Read().QueryRowContext(ctx, "SELECT f.extents FROM job j JOIN job_file f ON f.job = j.id WHERE j.id = ? AND j.env = ? AND f.n = ?", id, env, number).Scan(&extents)
	if isMissing(err) {
		return nil, bulk.ErrNoJob
	}
	if err != nil {
		return nil, fmt.Errorf("read extents: %w", err)
	}
	return extents, nil
}

// CountPoll implements bulk.Store.
func (c *DB) CountPoll(ctx context.Context, env, id string) error {
	done, err := c.db.Write().ExecContext(ctx, "UPDATE job SET polls = polls + 1 WHERE id = ? AND env = ?", id, env)
	if err != nil {
		return fmt.Errorf("count poll: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return bulk.ErrNoJob
}

// DeleteJob implements bulk.Store.
func (c *DB) DeleteJob(ctx context.Context, env, id string) error {
	err := c.write(ctx, func(tx *sqlitedb.Tx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM job WHERE id = ? AND env = ?", id, env)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return orNoJob(err)
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM job_file WHERE job = ?", id)
		return err
	})
	return err
}

// DropJobs implements bulk.Store.
func (c *DB) DropJobs(ctx context.Context, env string, createdBefore time.Time) error {
	err := c.write(ctx, func(tx *sqlitedb.Tx) error {
		before := toMillis(createdBefore)
		_, err := tx.ExecContext(ctx, "DELETE FROM job_file WHERE job IN (SELECT id FROM job WHERE env = ? AND created < ?)", env, before)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM job WHERE env = ? AND created < ?", env, before)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("drop jobs: %w", err)
	}
	return nil
}

func orNoJob(err error) error {
	if err != nil {
		return err
	}
	return bulk.ErrNoJob
}

var _ bulk.Store = (*DB)(nil)
