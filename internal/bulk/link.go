package bulk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// A LinkExpiredError says that the URL of a file that needs no token has come to
// its end.
type LinkExpiredError struct{ At, Now time.Time }

func (e *LinkExpiredError) Error() string {
	return fmt.Sprintf("this URL of a file expired %s ago; ask for the job's status again, which gives fresh URLs", e.Now.Sub(e.At).Round(time.Second))
}

// Link returns what is added to a file's URL so that it works without a token
// for a while (Bulk Data Access 3.0.0, File Request, capability URLs), of a job
// that has such URLs.
func (s *Service) Link(job *Job, f File) string {
	expires := s.cfg.Clock.Now().Add(job.LinkLifetime)
	if expires.After(job.ExpiresAt) {
		expires = job.ExpiresAt
	}
	until := strconv.FormatInt(expires.Unix(), 10)
	return "?expires=" + until + "&signature=" + job.sign(f.Number, until)
}

func (j *Job) sign(number int, until string) string {
	h := hmac.New(sha256.New, j.LinkKey)
	fmt.Fprintf(h, "%s/%d/%s", j.ID, number, until)
	return hex.EncodeToString(h.Sum(nil))
}

// Linked returns the job of a file whose URL carries what Link returned. Its
// errors are ErrNoJob, *ExpiredError and *LinkExpiredError.
func (s *Service) Linked(ctx context.Context, id string, number int, until, signature string) (*Job, error) {
	job, err := s.cfg.Jobs.Job(ctx, s.cfg.Env, id)
	if err != nil {
		return nil, err
	}
	if len(job.LinkKey) == 0 || !hmac.Equal([]byte(signature), []byte(job.sign(number, until))) {
		return nil, ErrNoJob
	}
	seconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil {
		return nil, ErrNoJob
	}
	if now, at := s.cfg.Clock.Now(), time.Unix(seconds, 0); !now.Before(at) {
		return nil, &LinkExpiredError{at, now}
	}
	return job, s.expired(job)
}
