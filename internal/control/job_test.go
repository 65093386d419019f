package control_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/bulk"
	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/internal/control"
	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// newJob is a job of the sandbox with three files.
func newJob(id string, created time.Time) (*bulk.Job, []bulk.File, [][]byte) {
	job := &bulk.Job{ID: id, Env: authz.Sandbox, Client: "c", Request: "http://x/$export", CreatedAt: created, ExpiresAt: created.Add(time.Hour), Types: []string{"Observation", "Patient"}}
	var files []bulk.File
	var extents [][]byte
	for i, typ := range []string{"Observation", "Patient", "Bundle"} {
		kind := bulk.Output
		if typ == "Bundle" {
			kind = bulk.Deleted
		}
		files = append(files, bulk.File{Number: i + 1, Kind: kind, Type: typ, Rows: int64(i + 1), Bytes: int64(100 * i)})
		extents = append(extents, []byte(id+typ))
	}
	job.Paged = len(files)
	return job, files, extents
}

func putJob(t *testing.T, db *control.DB, id string, created time.Time) *bulk.Job {
	t.Helper()
	job, files, extents := newJob(id, created)
	if err := db.PutJob(t.Context(), job, files, extents); err != nil {
		t.Fatal(err)
	}
	return job
}

func TestJobs(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"memory": "", "file": filepath.Join(t.TempDir(), "control.db")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, db := t.Context(), open(t, path, nil)
			now := clock.System{}.Now()
			want := putJob(t, db, "j1", now)
			empty := &bulk.Job{ID: "j2", Env: authz.Sandbox, CreatedAt: now.Add(-time.Hour), ExpiresAt: now}
			if err := db.PutJob(ctx, empty, nil, nil); err != nil {
				t.Fatal(err)
			}
			got, err := db.Job(ctx, authz.Sandbox, "j1")
			if err != nil || got.Client != "c" || !got.CreatedAt.Equal(want.CreatedAt) || !slices.Equal(got.Types, want.Types) || got.Paged != 3 {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
			_, files, _ := newJob("j1", now)
			for _, c := range []struct {
				env, id     string
				first, last int
				want        []bulk.File
			}{
				{authz.Sandbox, "j1", 1, 9, files},
				{authz.Sandbox, "j1", 2, 2, files[1:2]},
				{authz.Sandbox, "j1", 4, 4, nil},
				{authz.Sandbox, "j2", 1, 9, nil},
				{authz.Production, "j1", 1, 9, nil},
			} {
				if got, err := db.Files(ctx, c.env, c.id, c.first, c.last); err != nil || !slices.Equal(got, c.want) {
					t.Errorf("files %d to %d of %s in %s: got %v, %v; want %v", c.first, c.last, c.id, c.env, got, err, c.want)
				}
			}
			for n, want := range map[int]string{1: "j1Observation", 3: "j1Bundle"} {
				if got, err := db.Extents(ctx, authz.Sandbox, "j1", n); err != nil || string(got) != want {
					t.Errorf("extents of file %d: %q, %v; want %q", n, got, err, want)
				}
			}
			for what, err := range map[string]error{
				"a job of the other environment":      second(db.Job(ctx, authz.Production, "j1")),
				"extents of the other environment":    second(db.Extents(ctx, authz.Production, "j1", 1)),
				"extents of a file that is not":       second(db.Extents(ctx, authz.Sandbox, "j1", 4)),
				"extents of a job without files":      second(db.Extents(ctx, authz.Sandbox, "j2", 1)),
				"a poll of the other environment":     db.AddPolls(ctx, authz.Production, "j1", bulk.Polls{}),
				"a deletion in the other environment": db.DeleteJob(ctx, authz.Production, "j1"),
			} {
				if !errors.Is(err, bulk.ErrNoJob) {
					t.Errorf("%s: got error %v, want ErrNoJob", what, err)
				}
			}
			if err := db.AddPolls(ctx, authz.Sandbox, "j1", bulk.Polls{Count: 1, Early: 2, At: now, Wall: now.Add(time.Second), Told: 3 * time.Second}); err != nil {
				t.Fatal(err)
			}
			if got, err := db.Job(ctx, authz.Sandbox, "j1"); err != nil || got.Polls.Count != 1 || got.Polls.Early != 2 || !got.Polls.At.Equal(now.Truncate(time.Millisecond)) || got.Polls.Wall.Sub(got.Polls.At) != time.Second || got.Polls.Told != 3*time.Second {
				t.Errorf("got %+v, %v; want one poll", got, err)
			}
			if err := errors.Join(db.DropJobs(ctx, authz.Sandbox, now), db.DropJobs(ctx, authz.Production, now.Add(time.Hour))); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Job(ctx, authz.Sandbox, "j2"); !errors.Is(err, bulk.ErrNoJob) {
				t.Errorf("a job that was dropped: %v", err)
			}
			if _, err := db.Job(ctx, authz.Sandbox, "j1"); err != nil {
				t.Errorf("a job that is younger: %v", err)
			}
			if err := db.DeleteJob(ctx, authz.Sandbox, "j1"); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Extents(ctx, authz.Sandbox, "j1", 1); !errors.Is(err, bulk.ErrNoJob) {
				t.Errorf("the extents of a job that was deleted: %v", err)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }

// TestJobsAreReadWhole deletes and drops jobs under their readers: the files of
// a job are all there or none is (BD-ST-15, BD-ST-16).
func TestJobsAreReadWhole(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), open(t, filepath.Join(t.TempDir(), "control.db"), nil)
	const jobs = 300
	created := func(i int) time.Time { return time.UnixMilli(int64(i) * 1000) }
	for i := range jobs {
		putJob(t, db, fmt.Sprint("j", i), created(i))
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for i := 0; i < jobs; {
				switch files, err := db.Files(ctx, authz.Sandbox, fmt.Sprint("j", i), 1, 9); {
				case err != nil:
					t.Errorf("job %d: %v", i, err)
					return
				case len(files) == 0:
					i++
				case len(files) != 3:
					t.Errorf("job %d has %d files of 3", i, len(files))
					i++
				}
			}
		})
	}
	for i := range jobs {
		err := error(nil)
		if i%2 == 0 {
			err = db.DeleteJob(ctx, authz.Sandbox, fmt.Sprint("j", i))
		} else {
			err = db.DropJobs(ctx, authz.Sandbox, created(i).Add(time.Hour))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}

// TestOlderSchema opens a database of the first schema.
func TestOlderSchema(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("migrations/0001_schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "control.db")
	old, err := sqlitedb.Open(path, sqlitedb.ReadWrite, sqlitedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Migrate(t.Context(), fstest.MapFS{"m/0001.sql": {Data: script}}, "m"); err != nil {
		t.Fatal(err)
	}
	now := clock.System{}.Now()
	for _, row := range []struct {
		insert string
		args   []any
	}{
		{"INSERT INTO revoked_token(env, id, expires) VALUES(?, ?, ?)", []any{authz.Sandbox, "t1", now.Add(-time.Hour).UnixMilli()}},
		{"INSERT INTO job(id, env, client, created, json) VALUES(?, ?, 'c', ?, '{}')", []any{"plain", authz.Sandbox, now.UnixMilli()}},
		{"INSERT INTO job(id, env, client, created, json) VALUES(?, ?, 'c', ?, '{}')", []any{"deletions", authz.Sandbox, now.UnixMilli()}},
		{"INSERT INTO job_file(job, n, kind, type, rows, bytes, extents) VALUES(?, 1, 'output', 'Patient', 1, 2, x'0102')", []any{"plain"}},
		{"INSERT INTO job_file(job, n, kind, type, rows, bytes, extents) VALUES(?, 1, 'deleted', 'Bundle', 1, 2, x'0102')", []any{"deletions"}},
	} {
		if _, err := old.Write().ExecContext(t.Context(), row.insert, row.args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db := open(t, path, nil)
	wantRevoked(t, "SB-REV-04 of the first schema", db, "t1", true)
	if job, err := db.Job(t.Context(), authz.Sandbox, "plain"); err != nil || job.Paged != 1 {
		t.Errorf("a job: %+v, %v", job, err)
	}
	if extents, err := db.Extents(t.Context(), authz.Sandbox, "plain", 1); err != nil || string(extents) != "\x01\x02" {
		t.Errorf("its extents: %x, %v", extents, err)
	}
	if _, err := db.Job(t.Context(), authz.Sandbox, "deletions"); !errors.Is(err, bulk.ErrNoJob) {
		t.Errorf("BD-SEC-03 a job whose deletions' types are not on record: %v", err)
	}
}
