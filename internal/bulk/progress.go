package bulk

import (
	"context"
	"time"
)

// OnePoll is the duration of a job that is done from its second status
// request on.
const OnePoll time.Duration = -1

// Progress is how far a job is.
type Progress struct {
	Done       bool
	Percent    int           // of a job that is not done, from 0 to 99
	RetryAfter time.Duration // after which to ask about it again: whole seconds
	// Available is how many pages of the manifest can be had by now.
	Available int
	// Early tells of a status request that came before the Retry-After of the one
	// before it was over; nil otherwise.
	Early *EarlyPoll
}

// An EarlyPoll is a status request that came too early.
type EarlyPoll struct {
	After, Told time.Duration // since the last one, and what that was told
	Times       int           // how many came too early, this one included
	Limit       int           // after how many the job ends; 0: never
	// Refused is set where it is not answered, and Ended where it was one too many
	// and the job is gone.
	Refused, Ended bool
}

// Poll returns the progress of a job as of this status request, which counts.
func (s *Service) Poll(ctx context.Context, job *Job) (Progress, error) {
	p := s.Progress(job)
	p.Early = s.early(job)
	if p.Done && p.Early == nil {
		if job.Polls.Told == 0 {
			return p, nil
		}
		// The next one is told nothing to wait for.
		return p, s.cfg.Jobs.AddPolls(ctx, s.cfg.Env, job.ID, Polls{At: s.cfg.Clock.Now(), Wall: s.cfg.Wall.Now()})
	}
	if e := p.Early; e != nil && e.Limit > 0 && e.Times > e.Limit {
		e.Ended = true
		return p, s.cfg.Jobs.DeleteJob(ctx, s.cfg.Env, job.ID)
	}
	add := Polls{Count: 1, At: s.cfg.Clock.Now(), Wall: s.cfg.Wall.Now(), Told: p.RetryAfter}
	if p.Early != nil {
		add.Early = 1
		if s.behaviour.RefuseEarlyPolls {
			p.Early.Refused = true
			p.RetryAfter = wholeSeconds(p.Early.Told - p.Early.After)
			add = Polls{Early: 1, At: job.Polls.At, Wall: job.Polls.Wall, Told: job.Polls.Told}
		}
	}
	if p.Done && !s.refuses(p) {
		add.Told = 0
	}
	return p, s.cfg.Jobs.AddPolls(ctx, s.cfg.Env, job.ID, add)
}

func (s *Service) refuses(p Progress) bool { return p.Early != nil && p.Early.Refused }

// early says by how much a status request comes too early. A client waits by
// real time, a test may move the workspace's clock instead: what passed is the
// longer of the two.
func (s *Service) early(job *Job) *EarlyPoll {
	last := job.Polls
	if last.Told == 0 {
		return nil
	}
	after := max(s.cfg.Clock.Now().Sub(last.At), s.cfg.Wall.Now().Sub(last.Wall))
	if after >= last.Told {
		return nil
	}
	return &EarlyPoll{After: max(0, after), Told: last.Told, Times: last.Early + 1, Limit: s.behaviour.MaxEarlyPolls}
}

// Progress returns the progress of a job to whoever only looks.
func (s *Service) Progress(job *Job) Progress {
	p := s.progress(job)
	switch {
	case p.Done:
		p.Available = job.Pages()
	case job.PageSize > 0:
		p.Available = p.Percent * job.Pages() / 100
	}
	return p
}

func (s *Service) progress(job *Job) Progress {
	if s.cfg.Length == OnePoll {
		if job.Polls.Count > 0 {
			return Progress{Done: true}
		}
		return Progress{RetryAfter: time.Second}
	}
	passed := s.cfg.Clock.Now().Sub(job.CreatedAt)
	if passed >= s.cfg.Length {
		return Progress{Done: true}
	}
	passed = max(0, passed) // the clock may have been set back
	return Progress{Percent: int(99 * passed / s.cfg.Length), RetryAfter: min(2*time.Minute, wholeSeconds(s.cfg.Length-passed))}
}

// unasked is how long a job counts as running that is done once it was asked
// about, and is not.
const unasked = 10 * time.Second

// left is how long a job still counts as running.
func (s *Service) left(job *Job) time.Duration {
	length := s.cfg.Length
	if length == OnePoll {
		length = unasked
	}
	if s.Progress(job).Done {
		return 0
	}
	return job.CreatedAt.Add(length).Sub(s.cfg.Clock.Now())
}

// wholeSeconds is a duration rounded up to seconds, at least one.
func wholeSeconds(d time.Duration) time.Duration {
	return max(time.Second, (d + time.Second - 1).Truncate(time.Second))
}
