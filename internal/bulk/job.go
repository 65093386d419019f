package bulk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
	"github.com/sandfhir/sandfhir/internal/clock"
)

// A Job is one export.
type Job struct {
	ID              string    `json:"id"`
	Env             string    `json:"env"`
	Client          string    `json:"client"`
	Request         string    `json:"request"`
	TransactionTime time.Time `json:"transactionTime"`
	CreatedAt       time.Time `json:"createdAt"` // workspace time
	// Types are the types of what the job tells of, in its output or as deleted:
	// whoever fetches has to be allowed to see them all.
	Types []string `json:"types"`
	// Organization and Constraints are what narrowed the client's view at the
	// kick-off: whoever sees less by now does not get the files.
	Organization string            `json:"organization,omitempty"`
	Constraints  map[string]string `json:"constraints,omitempty"`
	// Polls counts the status requests before the job was done.
	Polls int `json:"-"`

	Files []File `json:"-"`
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
	Type   string // the type of the resources in it
	Rows   int64
	Bytes  int64
}

// ErrNoJob says that there is no such job: it never was, was deleted, has
// expired, or belongs to another client.
var ErrNoJob = errors.New("bulk: no such job")

// Store keeps jobs. Implementations are safe for concurrent use.
type Store interface {
	// PutJob adds a job; extents are those of its files, in their order.
	PutJob(ctx context.Context, job *Job, extents [][]byte) error
	// Job returns a job with its files, all of one instant, or ErrNoJob.
	Job(ctx context.Context, env, id string) (*Job, error)
	// Extents returns the extents of the job's file with a number, for
	// fhirstore.OpenFile, or ErrNoJob.
	Extents(ctx context.Context, env, id string, number int) ([]byte, error)
	// CountPoll adds one to the job's Polls, or returns ErrNoJob.
	CountPoll(ctx context.Context, env, id string) error
	// DeleteJob removes a job with its files, or returns ErrNoJob.
	DeleteJob(ctx context.Context, env, id string) error
	// DropJobs removes the environment's jobs that were created before an
	// instant, with their files.
	DropJobs(ctx context.Context, env string, createdBefore time.Time) error
}

// OnePoll is the duration of a job that is done from its second status
// request on.
const OnePoll time.Duration = -1

// Config is what a Service is made of.
type Config struct {
	Env    string
	Data   *fhirstore.Store
	Jobs   Store
	Clock  clock.Clock // the workspace's: ages jobs
	Rand   io.Reader   // nil: crypto/rand
	Length time.Duration
	// KeepFor is how long a job and its files stay after the kick-off.
	KeepFor time.Duration
}

// A Service runs the exports of one environment. It is safe for concurrent use.
type Service struct{ cfg Config }

// NewService returns a service.
func NewService(cfg Config) *Service {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.KeepFor == 0 {
		cfg.KeepFor = 24 * time.Hour
	}
	return &Service{cfg}
}

// KickOff starts an export. Its errors are *Error for a request that cannot be
// met and those of fhirstore's Export.
func (s *Service) KickOff(ctx context.Context, v fhirstore.View, r Request) (*Job, error) {
	p := parser{store: s.cfg.Data, request: r}
	if err := p.parse(); err != nil {
		return nil, err
	}
	snapshot, err := s.cfg.Data.Export(ctx, v, p.sel)
	if err != nil {
		return nil, ofPatient(err)
	}
	id, err := newID(s.cfg.Rand)
	if err != nil {
		return nil, err
	}
	job := &Job{ID: id, Env: s.cfg.Env, Client: r.Client, Request: r.URL, TransactionTime: snapshot.At,
		CreatedAt: s.cfg.Clock.Now(), Types: snapshot.Types, Organization: r.Organization, Constraints: map[string]string{}}
	for _, typ := range snapshot.Types {
		if r.Constraint != nil {
			if c := r.Constraint(typ); c != "" {
				job.Constraints[typ] = c
			}
		}
	}
	var extents [][]byte
	add := func(kind Kind, files ...fhirstore.File) {
		for _, f := range files {
			job.Files = append(job.Files, File{Number: len(job.Files) + 1, Kind: kind, Type: f.Type, Rows: f.Rows, Bytes: f.Bytes})
			extents = append(extents, f.Extents)
		}
	}
	add(Output, snapshot.Output...)
	add(Deleted, snapshot.Deleted...)
	if len(p.ignored) > 0 {
		f, err := outcomes(p.ignored)
		if err != nil {
			return nil, err
		}
		add(Errors, f)
	}
	if err := s.cfg.Jobs.DropJobs(ctx, s.cfg.Env, job.CreatedAt.Add(-s.cfg.KeepFor)); err != nil {
		return nil, err
	}
	if err := s.cfg.Jobs.PutJob(ctx, job, extents); err != nil {
		return nil, err
	}
	return job, nil
}

// ofPatient makes what the store says of a patient whom the request names a
// refusal of the parameter, and leaves other errors as they are.
func ofPatient(err error) error {
	var stranger *fhirstore.NotMemberError
	if errors.As(err, &stranger) {
		return &Error{"not-found", "patient", stranger.Error()}
	}
	id := ""
	var missing *fhirstore.NotFoundError
	if errors.As(err, &missing) && missing.Type == "Patient" {
		id = missing.ID
	}
	var gone *fhirstore.GoneError
	if errors.As(err, &gone) && gone.Type == "Patient" {
		id = gone.ID
	}
	if id == "" {
		return err
	}
	return &Error{"not-found", "patient", fmt.Sprintf("patient names Patient/%s: %v", id, err)}
}

// outcomes makes the error file: an OperationOutcome for each parameter, or
// type, that the export went on without.
func outcomes(ignored []*Error) (fhirstore.File, error) {
	lines := make([][]byte, 0, len(ignored))
	for _, e := range ignored {
		diagnostics := e.Message
		if e.Parameter != "" {
			diagnostics = e.Parameter + " was ignored: " + e.Message
		}
		line, err := json.Marshal(map[string]any{
			"resourceType": "OperationOutcome",
			"issue":        []any{map[string]any{"severity": "warning", "code": e.Code, "diagnostics": diagnostics}},
		})
		if err != nil {
			return fhirstore.File{}, fmt.Errorf("write error file: %w", err)
		}
		lines = append(lines, line)
	}
	return fhirstore.InlineFile("OperationOutcome", lines), nil
}

// newID returns 128 random bits in hexadecimal: whoever does not know it does
// not guess it.
func newID(r io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return "", fmt.Errorf("make job id: %w", err)
	}
	return fmt.Sprintf("%x", b), nil
}

// Find returns the job if it is the client's, of the organization that the
// client is bound to now, and has not expired, and ErrNoJob otherwise.
func (s *Service) Find(ctx context.Context, client, organization, id string) (*Job, error) {
	job, err := s.cfg.Jobs.Job(ctx, s.cfg.Env, id)
	if err != nil {
		return nil, err
	}
	if job.Client != client || job.Organization != organization {
		return nil, ErrNoJob
	}
	if !s.cfg.Clock.Now().Before(s.Expires(job)) {
		if err := s.cfg.Jobs.DeleteJob(ctx, s.cfg.Env, id); err != nil && !errors.Is(err, ErrNoJob) {
			return nil, err
		}
		return nil, ErrNoJob
	}
	return job, nil
}

// Expires is when the job and its files go.
func (s *Service) Expires(job *Job) time.Time { return job.CreatedAt.Add(s.cfg.KeepFor) }

// Progress is how far a job is.
type Progress struct {
	Done       bool
	Percent    int           // of a job that is not done, from 0 to 99
	RetryAfter time.Duration // after which to ask about it again: whole seconds
}

// Poll returns the progress of a job as of this status request, which counts.
func (s *Service) Poll(ctx context.Context, job *Job) (Progress, error) {
	p := s.Progress(job)
	if p.Done || s.cfg.Length != OnePoll {
		return p, nil
	}
	return p, s.cfg.Jobs.CountPoll(ctx, s.cfg.Env, job.ID)
}

// Progress returns the progress of a job to whoever only looks.
func (s *Service) Progress(job *Job) Progress {
	if s.cfg.Length == OnePoll {
		return Progress{Done: job.Polls > 0, RetryAfter: time.Second}
	}
	passed := s.cfg.Clock.Now().Sub(job.CreatedAt)
	if passed >= s.cfg.Length {
		return Progress{Done: true}
	}
	passed = max(0, passed) // the clock may have been set back
	left := (s.cfg.Length - passed + time.Second - 1).Truncate(time.Second)
	return Progress{Percent: int(99 * passed / s.cfg.Length), RetryAfter: max(time.Second, min(2*time.Minute, left))}
}

// Delete removes a job: it cancels one that runs and frees one that is done.
func (s *Service) Delete(ctx context.Context, job *Job) error {
	return s.cfg.Jobs.DeleteJob(ctx, s.cfg.Env, job.ID)
}

// Extents returns the extents of the job's file with a number, or ErrNoJob.
func (s *Service) Extents(ctx context.Context, job *Job, number int) ([]byte, error) {
	return s.cfg.Jobs.Extents(ctx, s.cfg.Env, job.ID, number)
}

// File returns the job's file with the number n, or nil.
func (j *Job) File(n int) *File {
	i := slices.IndexFunc(j.Files, func(f File) bool { return f.Number == n })
	if i < 0 {
		return nil
	}
	return &j.Files[i]
}

// A Manifest is the answer of a completed job (Bulk Data Access 2.0.0, Bulk
// Data Output File Request, Response - Complete Status).
type Manifest struct {
	TransactionTime     string         `json:"transactionTime"`
	Request             string         `json:"request"`
	RequiresAccessToken bool           `json:"requiresAccessToken"`
	Output              []ManifestItem `json:"output"`
	Deleted             []ManifestItem `json:"deleted"`
	Error               []ManifestItem `json:"error"`
}

// A ManifestItem is one file.
type ManifestItem struct {
	Type  string `json:"type"`
	URL   string `json:"url"`
	Count int64  `json:"count"`
}

// Manifest returns the job's manifest; url gives a file's absolute URL.
func (j *Job) Manifest(url func(File) string) Manifest {
	m := Manifest{
		TransactionTime:     fhirstore.FormatInstant(j.TransactionTime),
		Request:             j.Request,
		RequiresAccessToken: true,
		Output:              []ManifestItem{},
		Deleted:             []ManifestItem{},
		Error:               []ManifestItem{},
	}
	for _, f := range j.Files {
		item := ManifestItem{f.Type, url(f), f.Rows}
		switch f.Kind {
		case Output:
			m.Output = append(m.Output, item)
		case Deleted:
			m.Deleted = append(m.Deleted, item)
		case Errors:
			m.Error = append(m.Error, item)
		}
	}
	return m
}
