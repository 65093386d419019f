package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// A Job is one export, or another request whose answer is fetched later.
type Job struct {
	ID     string `json:"id"`
	Env    string `json:"env"`
	Client string `json:"client"`
	// Standing is how the client stood at the kick-off (authz.Server.Standing):
	// where it no longer stands so, the URLs of files without a token end.
	Standing        string    `json:"standing,omitempty"`
	Version         Version   `json:"version"`
	Request         string    `json:"request"`
	TransactionTime time.Time `json:"transactionTime"`
	CreatedAt       time.Time `json:"createdAt"` // workspace time
	ExpiresAt       time.Time `json:"-"`         // workspace time
	// Types are the types of what the job tells of, in its output or as deleted:
	// whoever fetches has to be allowed to see them all.
	Types    []string `json:"types"`
	Coverage Coverage `json:"coverage"`
	// Elements are, for types whose resources are cut down, the elements that
	// _elements names.
	Elements map[string][]string `json:"elements,omitempty"`
	// OrganizedBy is the type whose instances the files are organized by, or "".
	OrganizedBy string `json:"organizedBy,omitempty"`
	// PageSize is how many files a manifest has; 0 is all of them.
	PageSize int `json:"pageSize,omitempty"`
	// SeparateStatus is set where the client asked for X-Export-Status.
	SeparateStatus bool `json:"separateStatus,omitempty"`
	// Gzip is set where the files themselves are gzip.
	Gzip bool `json:"gzip,omitempty"`
	// OpenFiles is set where the manifest's URLs of files need no token, and
	// Redirects where a request for one is sent on to a URL that needs none. LinkKey
	// signs such URLs, and LinkLifetime is how long one works.
	OpenFiles    bool          `json:"openFiles,omitempty"`
	Redirects    bool          `json:"redirects,omitempty"`
	LinkKey      []byte        `json:"linkKey,omitempty"`
	LinkLifetime time.Duration `json:"linkLifetime,omitempty"`
	// Severities counts the OperationOutcomes in the error file.
	Severities []SeverityCount `json:"severities,omitempty"`
	// Answer is the Bundle that answers another request than an export; nil for
	// exports.
	Answer json.RawMessage `json:"answer,omitempty"`

	// Paged is how many files are on pages of the manifest: all but those of
	// errors, which have the numbers after them and are on every page.
	Paged int   `json:"paged,omitempty"`
	Polls Polls `json:"-"`
	// Withheld are, of a new job, the types that were left out: see
	// Request.Withheld.
	Withheld []string `json:"-"`
	// Notices tell of a new job what about its kick-off may be a mistake.
	Notices []Notice `json:"-"`
}

// A SeverityCount counts the issues of one severity.
type SeverityCount struct {
	Code  string `json:"code"`
	Count int64  `json:"count"`
}

// Polls are a job's status requests so far.
type Polls struct {
	Count int // of those that moved the job on
	Early int // of those that came before Retry-After was over
	// At and Wall are when the last one was, by the workspace's clock and in real
	// time, and Told the Retry-After of its answer.
	At, Wall time.Time
	Told     time.Duration
}

// Kind says which list of the manifest a file is in.
type Kind string

// The lists of a manifest.
const (
	Output  Kind = "output"
	Deleted Kind = "deleted"
	Errors  Kind = "error"
)

// A File is a file of a job, as the manifest tells of it.
type File struct {
	Number int // from 1
	Kind   Kind
	Type   string // the type of the resources in it; empty for one of blocks
	Rows   int64
	Bytes  int64
	// Continues is set where the last block goes on in the file with the next
	// number.
	Continues bool
}

// ErrNoJob says that there is no such job: it never was, was deleted, has
// expired, or belongs to another client.
var ErrNoJob = errors.New("bulk: no such job")

// An ExpiredError is ErrNoJob for a job that has expired.
type ExpiredError struct{ At, TransactionTime time.Time }

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("this export job expired at %s, and its files with it", fhirstore.FormatInstant(e.At))
}

// Is reports whether target is ErrNoJob.
func (e *ExpiredError) Is(target error) bool { return target == ErrNoJob }

// Store keeps jobs. Implementations are safe for concurrent use.
type Store interface {
	// PutJob adds a job with its files, and remembers its transactionTime; extents
	// are those of the files, in their order.
	PutJob(ctx context.Context, job *Job, files []File, extents [][]byte) error
	// Job returns a job, or ErrNoJob.
	Job(ctx context.Context, env, id string) (*Job, error)
	// Files returns the files of a job with the numbers from first to last, in
	// order; none where there is no such job.
	Files(ctx context.Context, env, id string, first, last int) ([]File, error)
	// Jobs returns the jobs of a client, oldest first.
	Jobs(ctx context.Context, env, client string) ([]*Job, error)
	// TransactionTimes returns those of a client's latest exports, newest first,
	// also of jobs that are gone.
	TransactionTimes(ctx context.Context, env, client string) ([]time.Time, error)
	// Extents returns the extents of the job's file with a number, for
	// fhirstore.OpenFile, or ErrNoJob.
	Extents(ctx context.Context, env, id string, number int) ([]byte, error)
	// AddPolls adds to the counts of the job's Polls, and replaces the rest of them,
	// or returns ErrNoJob.
	AddPolls(ctx context.Context, env, id string, p Polls) error
	// DeleteJob removes a job with its files, or returns ErrNoJob.
	DeleteJob(ctx context.Context, env, id string) error
	// DropJobs removes the environment's jobs that have expired by an instant, with
	// their files.
	DropJobs(ctx context.Context, env string, now time.Time) error
}

// Name is the name of a file of the job, as its URL ends.
func (j *Job) Name(f *File) string {
	name := f.Type
	if name == "" {
		name = "by-" + j.OrganizedBy
	}
	if j.Gzip {
		return name + ".ndjson.gz"
	}
	return name + ".ndjson"
}

// Reads are the types that whoever fetches a file has to be allowed to see: of
// an output file of one type that type, of others all of the job's.
func (j *Job) Reads(f *File) []string {
	if f.Kind == Output && f.Type != "" {
		return []string{f.Type}
	}
	return j.Types
}
