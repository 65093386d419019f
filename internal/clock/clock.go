// Package clock is time as the rest of the program sees it. It is the only
// package that reads the wall clock, so that whatever depends on time can be
// moved in a test or by a person at the sandbox's controls.
//
// It imports nothing of ours.
package clock

import (
	"sync"
	"time"
)

// A Clock tells the time. Implementations are safe for concurrent use.
type Clock interface {
	Now() time.Time
}

// System is the wall clock. An assertion's lifetime is judged by it, because
// the client under test signs by its own wall clock.
type System struct{}

// Now returns the wall clock's time.
func (System) Now() time.Time { return time.Now() }

// Earliest and Latest bound what an Adjustable shows: a span that a time.Duration
// can measure from the present, and that FHIR's instants can tell.
func Earliest() time.Time { return time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC) }

// Latest is the end of that span.
func Latest() time.Time { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

// Adjustable is a workspace's clock: it follows the base clock at an offset
// that Advance and Set change, or stands still between Freeze and Follow.
// It ages what the server issued: tokens, secrets, jobs and files.
type Adjustable struct {
	base Clock

	mu     sync.Mutex
	offset time.Duration
	frozen bool
	at     time.Time // the instant shown while frozen
}

// NewAdjustable returns a clock that shows base's time until it is changed.
// A nil base means System.
func NewAdjustable(base Clock) *Adjustable {
	if base == nil {
		base = System{}
	}
	return &Adjustable{base: base}
}

// Now returns the clock's current time.
func (c *Adjustable) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Adjustable) now() time.Time {
	if c.frozen {
		return c.at
	}
	return c.base.Now().Add(c.offset)
}

// Advance moves the clock forward by d, or back where d is negative, and
// returns the new time.
func (c *Adjustable) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch t := c.now().Add(d); {
	case t.Before(Earliest()), t.After(Latest()):
		c.set(t)
	case c.frozen:
		c.at = t
	default:
		c.offset += d // by d exactly
	}
	return c.now()
}

// Set moves the clock to t. A clock that follows goes on from there.
func (c *Adjustable) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(t)
}

func (c *Adjustable) set(t time.Time) {
	switch {
	case t.Before(Earliest()):
		t = Earliest()
	case t.After(Latest()):
		t = Latest()
	}
	if c.frozen {
		c.at = t
	} else {
		c.offset = t.Sub(c.base.Now())
	}
}

// Freeze stops the clock at its current time.
func (c *Adjustable) Freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.now()
	c.frozen = true
}

// Follow lets a frozen clock run on from where it stood.
func (c *Adjustable) Follow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.frozen {
		c.offset = c.at.Sub(c.base.Now())
		c.frozen = false
	}
}

// A State is how a clock stands to its base.
type State struct {
	Offset time.Duration `json:"offset"` // of a clock that follows
	Frozen bool          `json:"frozen,omitempty"`
	At     time.Time     `json:"at"` // what a frozen clock shows
}

// State returns how the clock stands.
func (c *Adjustable) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return State{c.offset, c.frozen, c.at}
}

// Restore puts the clock as it stood. The zero State is that of a new clock.
func (c *Adjustable) Restore(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.frozen, c.at = s.Offset, s.Frozen, s.At
}

// Frozen reports whether the clock stands still.
func (c *Adjustable) Frozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozen
}
