package control

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// maxTransactionTimes is how many transactionTimes of a client are remembered.
const maxTransactionTimes = 100

// PutJob implements bulk.Store.
func (c *DB) PutJob(ctx context.Context, job *bulk.Job, files []bulk.File, extents [][]byte) error {
	text, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("put job: %w", err)
	}
	err = c.write(ctx, func(tx *sqlitedb.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO job(id, env, client, created, expires, json) VALUES(?, ?, ?, ?, ?, ?)",
			job.ID, job.Env, job.Client, toMillis(job.CreatedAt), toMillis(job.ExpiresAt), string(text))
		if err != nil {
			return err
		}
		for i, f := range files {
			_, err := tx.ExecContext(ctx, "INSERT INTO job_file(job, n, kind, type, rows, bytes, continues, extents) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
				job.ID, f.Number, string(f.Kind), f.Type, f.Rows, f.Bytes, f.Continues, extents[i])
			if err != nil {
				return err
			}
		}
		if job.TransactionTime.IsZero() {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO transaction_time(env, client, at) VALUES(?, ?, ?)", job.Env, job.Client, toMillis(job.TransactionTime)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM transaction_time WHERE env = ?1 AND client = ?2 AND at <=
			(SELECT at FROM transaction_time WHERE env = ?1 AND client = ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3)`, job.Env, job.Client, maxTransactionTimes)
		return err
	})
	if err != nil {
		return fmt.Errorf("put job: %w", err)
	}
	return nil
}

// jobColumns are the columns of the table job that readJob reads.
const jobColumns = "j.json, j.expires, j.polls, j.early, j.polled, j.polled_wall, j.told"

// A jobRow is a row of the table job as it is scanned.
type jobRow struct {
	text                        []byte
	count, early                int
	expires, polled, wall, told int64
}

func (r *jobRow) columns() []any {
	return []any{&r.text, &r.expires, &r.count, &r.early, &r.polled, &r.wall, &r.told}
}

func (r *jobRow) job() (*bulk.Job, error) {
	job := &bulk.Job{}
	if err := json.Unmarshal(r.text, job); err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	job.ExpiresAt = fromMillis(r.expires)
	job.Polls = bulk.Polls{Count: r.count, Early: r.early, At: fromMillis(r.polled), Wall: fromMillis(r.wall), Told: time.Duration(r.told) * time.Millisecond}
	return job, nil
}

// Job implements bulk.Store.
func (c *DB) Job(ctx context.Context, env, id string) (*bulk.Job, error) {
	var row jobRow
	err := c.db.Read().QueryRowContext(ctx, "SELECT "+jobColumns+" FROM job j WHERE j.id = ? AND j.env = ?", id, env).Scan(row.columns()...)
	if isMissing(err) {
		return nil, bulk.ErrNoJob
	}
	if err != nil {
		return nil, fmt.Errorf("read job: %w", err)
	}
	return row.job()
}

// Files implements bulk.Store.
func (c *DB) Files(ctx context.Context, env, id string, first, last int) ([]bulk.File, error) {
	rows, err := c.db.Read().QueryContext(ctx, `SELECT f.n, f.kind, f.type, f.rows, f.bytes, f.continues
		FROM job j JOIN job_file f ON f.job = j.id WHERE j.id = ? AND j.env = ? AND f.n BETWEEN ? AND ? ORDER BY f.n`, id, env, first, last)
	if err != nil {
		return nil, fmt.Errorf("list files of a job: %w", err)
	}
	defer rows.Close()
	var files []bulk.File
	for rows.Next() {
		var f bulk.File
		if err := rows.Scan(&f.Number, &f.Kind, &f.Type, &f.Rows, &f.Bytes, &f.Continues); err != nil {
			return nil, fmt.Errorf("list files of a job: %w", err)
		}
		files = append(files, f)
	}
	return files, rows.Err()
}

// Jobs implements bulk.Store.
func (c *DB) Jobs(ctx context.Context, env, client string) ([]*bulk.Job, error) {
	rows, err := c.db.Read().QueryContext(ctx, "SELECT "+jobColumns+" FROM job j WHERE j.env = ? AND j.client = ? ORDER BY j.created, j.id", env, client)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	defer rows.Close()
	var jobs []*bulk.Job
	for rows.Next() {
		var row jobRow
		if err := rows.Scan(row.columns()...); err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		job, err := row.job()
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, job)
	}
	return jobs, rows.Err()
}

// TransactionTimes implements bulk.Store.
func (c *DB) TransactionTimes(ctx context.Context, env, client string) ([]time.Time, error) {
	rows, err := c.db.Read().QueryContext(ctx, "SELECT at FROM transaction_time WHERE env = ? AND client = ? ORDER BY at DESC", env, client)
	if err != nil {
		return nil, fmt.Errorf("list transaction times: %w", err)
	}
	defer rows.Close()
	var times []time.Time
	for rows.Next() {
		var at int64
		if err := rows.Scan(&at); err != nil {
			return nil, fmt.Errorf("list transaction times: %w", err)
		}
		times = append(times, fromMillis(at))
	}
	return times, rows.Err()
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

// AddPolls implements bulk.Store.
func (c *DB) AddPolls(ctx context.Context, env, id string, p bulk.Polls) error {
	done, err := c.db.Write().ExecContext(ctx, "UPDATE job SET polls = polls + ?, early = early + ?, polled = ?, polled_wall = ?, told = ? WHERE id = ? AND env = ?",
		p.Count, p.Early, toMillis(p.At), toMillis(p.Wall), p.Told.Milliseconds(), id, env)
	if err != nil {
		return fmt.Errorf("count polls: %w", err)
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
func (c *DB) DropJobs(ctx context.Context, env string, now time.Time) error {
	err := c.write(ctx, func(tx *sqlitedb.Tx) error {
		by := toMillis(now)
		_, err := tx.ExecContext(ctx, "DELETE FROM job_file WHERE job IN (SELECT id FROM job WHERE env = ? AND expires <= ?)", env, by)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM job WHERE env = ? AND expires <= ?", env, by)
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
