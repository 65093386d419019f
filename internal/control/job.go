package control

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// PutJob implements bulk.Store.
func (c *DB) PutJob(ctx context.Context, job *bulk.Job) error {
	text, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("put job: %w", err)
	}
	err = c.write(ctx, func(tx *sqlitedb.Tx) error {
		if err := sweepJobs(ctx, tx, job.Env, job.Forget); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO job(id, env, client, created, json) VALUES(?, ?, ?, ?, ?)",
			job.ID, job.Env, job.Client, toMillis(job.CreatedAt), string(text))
		if err != nil {
			return err
		}
		for _, f := range job.Files {
			_, err := tx.ExecContext(ctx, "INSERT INTO job_file(job, n, kind, type, rows, bytes, extents) VALUES(?, ?, ?, ?, ?, ?, ?)",
				job.ID, f.Number, string(f.Kind), f.Type, f.Rows, f.Bytes, f.Extents)
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

// sweepJobs removes an environment's jobs from before an instant.
func sweepJobs(ctx context.Context, tx *sqlitedb.Tx, env string, before time.Time) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM job_file WHERE job IN (SELECT id FROM job WHERE env = ? AND created < ?)", env, toMillis(before))
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM job WHERE env = ? AND created < ?", env, toMillis(before))
	}
	return err
}

// Job implements bulk.Store.
func (c *DB) Job(ctx context.Context, env, id string) (*bulk.Job, error) {
	var text []byte
	var job bulk.Job
	err := c.db.Read().QueryRowContext(ctx, "SELECT json, polls FROM job WHERE id = ? AND env = ?", id, env).Scan(&text, &job.Polls)
	if isMissing(err) {
		return nil, bulk.ErrNoJob
	}
	if err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	if err := json.Unmarshal(text, &job); err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	rows, err := c.db.Read().QueryContext(ctx, "SELECT n, kind, type, rows, bytes, extents FROM job_file WHERE job = ? ORDER BY n", id)
	if err != nil {
		return nil, fmt.Errorf("read job files: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var f bulk.File
		if err := rows.Scan(&f.Number, &f.Kind, &f.Type, &f.Rows, &f.Bytes, &f.Extents); err != nil {
			return nil, fmt.Errorf("read job files: %w", err)
		}
		job.Files = append(job.Files, f)
	}
	return &job, rows.Err()
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

func orNoJob(err error) error {
	if err != nil {
		return err
	}
	return bulk.ErrNoJob
}

var _ bulk.Store = (*DB)(nil)
