package bulk

import (
	"cmp"
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

// Config is what a Service is made of.
type Config struct {
	Env    string           // the environment's name, under which Jobs keeps its jobs
	Data   *fhirstore.Store // what is exported
	Jobs   Store            // keeps jobs and their files
	Clock  clock.Clock      // the workspace's: ages jobs
	Wall   clock.Clock      // real time, which clients wait by; nil: the wall clock
	Rand   io.Reader        // nil: crypto/rand
	Length time.Duration    // of an export, by Clock; 0 is none, OnePoll until the second status request
}

// A Service runs the exports of one environment under a behaviour. It is safe
// for concurrent use.
type Service struct {
	cfg       Config
	behaviour Behaviour
	starting  *turns // by client, of kick-offs where the number of jobs is bounded
	unread    *unread
}

// NewService returns a service under the behaviour Strict.
func NewService(cfg Config) *Service {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Wall == nil {
		cfg.Wall = clock.System{}
	}
	return &Service{cfg, Strict(), newTurns(), newUnread()}
}

// With returns the service under another behaviour.
func (s *Service) With(b Behaviour) *Service { return &Service{s.cfg, b, s.starting, s.unread} }

// Behaviour returns the behaviour that the service is under.
func (s *Service) Behaviour() Behaviour { return s.behaviour }

// KickOff starts an export. Its errors are *Error for a request that cannot be
// met, *LimitError for one too many, and those of fhirstore's Export.
func (s *Service) KickOff(ctx context.Context, v fhirstore.View, r Request) (*Job, error) {
	p := parser{store: s.cfg.Data, behaviour: s.behaviour, request: r}
	if err := p.parse(); err != nil {
		return nil, err
	}
	if err := s.dropExpired(ctx); err != nil {
		return nil, err
	}
	if s.behaviour.MaxConcurrent > 0 {
		end, err := s.starting.begin(ctx, r.Client)
		if err != nil {
			return nil, err
		}
		defer end()
	}
	others, err := s.cfg.Jobs.Jobs(ctx, s.cfg.Env, r.Client)
	if err != nil {
		return nil, err
	}
	if err := s.room(others); err != nil {
		return nil, err
	}
	notices, err := s.notices(ctx, v, &p, others)
	if err != nil {
		return nil, err
	}
	snapshot, err := s.cfg.Data.Export(ctx, v, p.sel)
	if err != nil {
		return nil, ofSelection(err)
	}
	job, err := s.jobOf(v, &p, snapshot)
	if err != nil {
		return nil, err
	}
	job.Notices = notices
	files, extents, err := filesOf(job, &p, snapshot)
	if err != nil {
		return nil, err
	}
	if r.Pages > 0 {
		job.PageSize = max(1, (job.Paged+r.Pages-1)/r.Pages)
	}
	if err := s.cfg.Jobs.PutJob(ctx, job, files, extents); err != nil {
		return nil, err
	}
	s.unread.begin(job, files)
	return job, nil
}

// jobOf makes the job of an export from what was asked for, what the snapshot holds,
// and the behaviour.
func (s *Service) jobOf(v fhirstore.View, p *parser, snapshot *fhirstore.Snapshot) (*Job, error) {
	job, err := s.newJob(p.request.Client)
	if err != nil {
		return nil, err
	}
	job.Version, job.Request, job.Standing, job.SeparateStatus = p.request.Version, p.request.URL, p.request.Standing, p.request.SeparateStatus
	job.OrganizedBy, job.Gzip, job.Withheld = p.sel.OrganizeBy, p.gzip, p.withheld

	job.TransactionTime, job.Types = snapshot.At, snapshot.Types
	job.Coverage, job.Elements = coverageOf(v, snapshot.Types), p.cuts(snapshot.Types)

	if p.partial {
		job.PageSize = s.behaviour.PageSize
	}
	job.OpenFiles = s.behaviour.OpenFiles
	job.Redirects = s.behaviour.RedirectFiles && !job.OpenFiles
	if job.OpenFiles || job.Redirects {
		job.LinkKey, job.LinkLifetime = make([]byte, 32), s.behaviour.FileLifetime
		if _, err := io.ReadFull(s.cfg.Rand, job.LinkKey); err != nil {
			return nil, fmt.Errorf("make the key of file URLs: %w", err)
		}
	}
	return job, nil
}

// filesOf lists the files of a job, those of a snapshot and that of errors, with
// where their bytes are, and notes in the job what it has to tell of them.
func filesOf(job *Job, p *parser, snapshot *fhirstore.Snapshot) (files []File, extents [][]byte, err error) {
	add := func(kind Kind, more ...fhirstore.File) {
		for _, f := range more {
			files = append(files, File{len(files) + 1, kind, f.Type, f.Rows, f.Bytes, f.Continues})
			extents = append(extents, f.Extents)
		}
	}
	add(Output, snapshot.Output...)
	if job.Version != Version1 {
		add(Deleted, snapshot.Deleted...)
	}
	job.Paged = len(files)
	messages, severities, err := outcomes(p.ignored, p.how, snapshot.Notes)
	if err != nil {
		return nil, nil, err
	}
	add(Errors, messages...)
	job.Severities = severities
	return files, extents, nil
}

// newJob returns a job of a client that begins now.
func (s *Service) newJob(client string) (*Job, error) {
	id, err := newID(s.cfg.Rand)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Clock.Now()
	return &Job{ID: id, Env: s.cfg.Env, Client: client, CreatedAt: now, ExpiresAt: now.Add(s.behaviour.JobLifetime)}, nil
}

// Later keeps an answer for a client that fetches it by a status request (FHIR
// R5, async-bundle).
func (s *Service) Later(ctx context.Context, v fhirstore.View, client string, answer []byte) (*Job, error) {
	job, err := s.newJob(client)
	if err != nil {
		return nil, err
	}
	job.Coverage, job.Answer = coverageOf(v, nil), answer
	if err := s.dropExpired(ctx); err != nil {
		return nil, err
	}
	return job, s.cfg.Jobs.PutJob(ctx, job, nil, nil)
}

func (s *Service) dropExpired(ctx context.Context) error {
	return s.cfg.Jobs.DropJobs(ctx, s.cfg.Env, s.cfg.Clock.Now())
}

// A LimitError says that a client has as many exports running as it may have.
type LimitError struct {
	Job        string // the oldest of them
	Running    int
	RetryAfter time.Duration
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%d of your exports are still running, as many as may run at once here; the oldest is job %s. Wait until it is done, or DELETE it", e.Running, e.Job)
}

// room refuses an export by a client that has too many running.
func (s *Service) room(jobs []*Job) error {
	if s.behaviour.MaxConcurrent == 0 {
		return nil
	}
	var oldest *Job
	running := 0
	for _, job := range jobs {
		if job.Answer == nil && s.left(job) > 0 {
			if running++; oldest == nil {
				oldest = job
			}
		}
	}
	if running < s.behaviour.MaxConcurrent {
		return nil
	}
	return &LimitError{oldest.ID, running, wholeSeconds(s.left(oldest))}
}

// IsRunning reports whether an export of a client is running that was asked for by
// this URL.
func (s *Service) IsRunning(ctx context.Context, client, url string) bool {
	jobs, err := s.cfg.Jobs.Jobs(ctx, s.cfg.Env, client)
	return err == nil && slices.ContainsFunc(jobs, func(j *Job) bool { return j.Request == url && j.Answer == nil && s.left(j) > 0 })
}

// ofSelection makes what the store says of what the request names a refusal of
// the parameter, and leaves other errors as they are.
func ofSelection(err error) error {
	var stranger *fhirstore.NotMemberError
	if errors.As(err, &stranger) {
		return &Error{"BD-RJ-11", "not-found", "patient", stranger.Error()}
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
	return &Error{"BD-RJ-11", "not-found", "patient", fmt.Sprintf("patient names Patient/%s: %v", id, err)}
}

// outcomes makes the error file, where there is something to tell: an
// OperationOutcome for each parameter that the export went on without, or in
// spite of, and for each note on what it lacks. how says what became of those
// that were not ignored whole.
func outcomes(ignored []*Error, how map[*Error]string, notes []string) ([]fhirstore.File, []SeverityCount, error) {
	var lines [][]byte
	add := func(severity, code, text string) error {
		line, err := json.Marshal(map[string]any{
			"resourceType": "OperationOutcome",
			"issue":        []any{map[string]any{"severity": severity, "code": code, "diagnostics": text}},
		})
		if err != nil {
			return fmt.Errorf("write error file: %w", err)
		}
		lines = append(lines, line)
		return nil
	}
	for _, e := range ignored {
		text := e.Message
		if e.Parameter != "" {
			text = e.Parameter + " " + cmp.Or(how[e], "was ignored") + ": " + text
		}
		if err := add("warning", e.Code, text); err != nil {
			return nil, nil, err
		}
	}
	for _, note := range notes {
		if err := add("information", "informational", note); err != nil {
			return nil, nil, err
		}
	}
	if len(lines) == 0 {
		return nil, nil, nil
	}
	var severities []SeverityCount
	for _, c := range []SeverityCount{{"warning", int64(len(ignored))}, {"information", int64(len(notes))}} {
		if c.Count > 0 {
			severities = append(severities, c)
		}
	}
	return []fhirstore.File{fhirstore.InlineFile("OperationOutcome", lines)}, severities, nil
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

// Find returns the job if it is the client's, of the organizations that its
// view is bound to now, and has not expired. Its errors are ErrNoJob and
// *ExpiredError.
func (s *Service) Find(ctx context.Context, v fhirstore.View, client, id string) (*Job, error) {
	job, err := s.cfg.Jobs.Job(ctx, s.cfg.Env, id)
	if err != nil {
		return nil, err
	}
	if job.Client != client || !job.sameOrganizations(v) {
		return nil, ErrNoJob
	}
	return job, s.expired(job)
}

// expired returns an *ExpiredError for a job that has expired. It goes with the
// next kick-off.
func (s *Service) expired(job *Job) error {
	if s.cfg.Clock.Now().Before(job.ExpiresAt) {
		return nil
	}
	return &ExpiredError{job.ExpiresAt, job.TransactionTime}
}

// Delete removes a job: it cancels one that runs and frees one that is done.
func (s *Service) Delete(ctx context.Context, job *Job) error {
	s.unread.forget(job.ID)
	return s.cfg.Jobs.DeleteJob(ctx, s.cfg.Env, job.ID)
}

// Dump returns the content of Aidbox's $dump: the current resources of a type
// that the view shows, those changed after since where that is not zero. Its
// errors are those of fhirstore's Export.
func (s *Service) Dump(ctx context.Context, v fhirstore.View, typ string, since time.Time) (*Content, error) {
	snapshot, err := s.cfg.Data.Export(ctx, v, fhirstore.Selection{Types: []string{typ}, Since: since})
	if err != nil {
		return nil, err
	}
	c := &Content{typ: typ}
	for _, f := range snapshot.Output { // one, since nothing bounds it
		c.bytes, c.reader = f.Bytes, s.cfg.Data.OpenFile(f.Extents)
	}
	if c.reader == nil {
		c.reader = s.cfg.Data.OpenFile(nil)
	}
	return c, nil
}
