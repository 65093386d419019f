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

	// Forget is the creation time before which the environment's jobs have
	// expired and can go when this one comes.
	Forget time.Time `json:"-"`
}

// Kind says which list of the manifest a file is in.
type Kind string

// The lists of a manifest.
const (
	Output  Kind = "output"
	Deleted Kind = "deleted"
	Errors  Kind = "error"
)

// A File is a file of a job.
type File struct {
	Number int
	Kind   Kind
	fhirstore.File
}

// ErrNoJob says that there is no such job: it never was, was deleted, has
// expired, or belongs to another client.
var ErrNoJob = errors.New("bulk: no such job")

// Store keeps jobs. Implementations are safe for concurrent use.
type Store interface {
	// PutJob adds a job with its files.
	PutJob(ctx context.Context, job *Job) error
	// Job returns a job with its files, or ErrNoJob.
	Job(ctx context.Context, env, id string) (*Job, error)
	// CountPoll adds one to the job's Polls, or returns ErrNoJob.
	CountPoll(ctx context.Context, env, id string) error
	// DeleteJob removes a job with its files, or returns ErrNoJob.
	DeleteJob(ctx context.Context, env, id string) error
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
// met and those of fhirstore's Export and Read.
func (s *Service) KickOff(ctx context.Context, v fhirstore.View, r Request) (*Job, error) {
	p := parser{store: s.cfg.Data, request: r}
	if r.Level == fhirstore.GroupLevel {
		if _, err := s.cfg.Data.Read(ctx, v, "Group", r.Group); err != nil {
			return nil, err
		}
	}
	if err := p.parse(); err != nil {
		return nil, err
	}
	if err := s.knowsPatients(ctx, v, p.sel.Patients); err != nil {
		return nil, err
	}
	snapshot, err := s.cfg.Data.Export(ctx, v, p.sel)
	var stranger *fhirstore.NotMemberError
	if errors.As(err, &stranger) {
		return nil, &Error{"not-found", "patient", stranger.Error()}
	}
	if err != nil {
		return nil, err
	}
	id, err := newID(s.cfg.Rand)
	if err != nil {
		return nil, err
	}
	job := &Job{ID: id, Env: s.cfg.Env, Client: r.Client, Request: r.URL, TransactionTime: snapshot.At,
		CreatedAt: s.cfg.Clock.Now(), Types: snapshot.Types, Organization: r.Organization, Constraints: map[string]string{}}
	job.Forget = job.CreatedAt.Add(-s.cfg.KeepFor)
	for _, typ := range snapshot.Types {
		if r.Constraint != nil {
			if c := r.Constraint(typ); c != "" {
				job.Constraints[typ] = c
			}
		}
	}
	for _, f := range snapshot.Output {
		job.add(Output, f)
	}
	for _, f := range snapshot.Deleted {
		job.add(Deleted, f)
	}
	if len(p.ignored) > 0 {
		f, err := outcomes(p.ignored)
		if err != nil {
			return nil, err
		}
		job.add(Errors, f)
	}
	if err := s.cfg.Jobs.PutJob(ctx, job); err != nil {
		return nil, err
	}
	return job, nil
}

func (j *Job) add(kind Kind, f fhirstore.File) {
	j.Files = append(j.Files, File{Number: len(j.Files) + 1, Kind: kind, File: f})
}

// knowsPatients refuses a patient parameter that names someone unknown.
func (s *Service) knowsPatients(ctx context.Context, v fhirstore.View, ids []string) error {
	for _, id := range ids {
		_, err := s.cfg.Data.Read(ctx, v, "Patient", id)
		var missing *fhirstore.NotFoundError
		var gone *fhirstore.GoneError
		if errors.As(err, &missing) || errors.As(err, &gone) {
			return &Error{"not-found", "patient", fmt.Sprintf("patient names Patient/%s: %v", id, err)}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// outcomes makes the error file: an OperationOutcome for each parameter that
// the export went on without.
func outcomes(ignored []*Error) (fhirstore.File, error) {
	lines := make([][]byte, 0, len(ignored))
	for _, e := range ignored {
		line, err := json.Marshal(map[string]any{
			"resourceType": "OperationOutcome",
			"issue":        []any{map[string]any{"severity": "warning", "code": e.Code, "diagnostics": e.Parameter + " was ignored: " + e.Message}},
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

// Poll says whether the job is done as of this status request, and if not how
// far it is, from 0 to 99 percent, and after how many seconds to ask again.
func (s *Service) Poll(ctx context.Context, job *Job) (done bool, percent, retryAfter int, err error) {
	if s.cfg.Length == OnePoll {
		if job.Polls > 0 {
			return true, 0, 0, nil
		}
		return false, 0, 1, s.cfg.Jobs.CountPoll(ctx, s.cfg.Env, job.ID)
	}
	passed := s.cfg.Clock.Now().Sub(job.CreatedAt)
	if s.cfg.Length == 0 || passed >= s.cfg.Length {
		return true, 0, 0, nil
	}
	passed = max(0, passed) // the clock may have been set back
	left := s.cfg.Length - passed
	return false, int(99 * passed / s.cfg.Length), int(max(1, min(120, (left+time.Second-1)/time.Second))), nil
}

// Delete removes a job: it cancels one that runs and frees one that is done.
func (s *Service) Delete(ctx context.Context, job *Job) error {
	return s.cfg.Jobs.DeleteJob(ctx, s.cfg.Env, job.ID)
}

// File returns the job's file with the number n, or ErrNoJob.
func (j *Job) File(n int) (*File, error) {
	i := slices.IndexFunc(j.Files, func(f File) bool { return f.Number == n })
	if i < 0 {
		return nil, ErrNoJob
	}
	return &j.Files[i], nil
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
