package sandbox

import (
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// A Clock is a server's own time. It follows real time until it is moved, and
// ages what the server issued and made: access tokens, exports and their files;
// it also stamps meta.lastUpdated.
//
// Client assertions are judged by real time, whatever the clock shows, so that
// moving it never refuses a client that signs by its own clock. WithClockError
// makes an assertion of a client whose clock is wrong.
type Clock struct{ clock *clock.Adjustable }

// Now returns the clock's time.
func (c *Clock) Now() time.Time { return c.clock.Now() }

// Advance moves the clock forward by d, or back where d is negative, within the
// years 1900 to 2199.
func (c *Clock) Advance(d time.Duration) { c.clock.Advance(d) }

// Set moves the clock to t, or to what of the years 1900 to 2199 is nearest. It
// goes on from there unless it is frozen.
func (c *Clock) Set(t time.Time) { c.clock.Set(t) }

// Freeze stops the clock at its time.
func (c *Clock) Freeze() { c.clock.Freeze() }

// Follow lets a frozen clock run on.
func (c *Clock) Follow() { c.clock.Follow() }
