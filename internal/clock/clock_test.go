package clock_test

import (
	"math"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// standing is a base clock that stands where it is set.
type standing struct{ at time.Time }

func (s *standing) Now() time.Time { return s.at }

// The clock goes with its base at the offset that it was given, to the nanosecond,
// stands where it is frozen, and goes on from there.
func TestAdjustable(t *testing.T) {
	t.Parallel()
	base := &standing{time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)}
	c := clock.NewAdjustable(base)
	begun := base.at
	wants := func(what string, ahead time.Duration) {
		t.Helper()
		if got := c.Now().Sub(begun); got != ahead {
			t.Errorf("%s: it is ahead by %v, want %v", what, got, ahead)
		}
	}
	wants("at first", 0)
	for range 1000 {
		c.Advance(time.Nanosecond)
	}
	wants("advanced", time.Microsecond)
	c.Freeze()
	base.at = base.at.Add(time.Hour)
	wants("frozen", time.Microsecond)
	c.Advance(-time.Minute)
	wants("back while frozen", time.Microsecond-time.Minute)
	c.Follow()
	base.at = base.at.Add(time.Hour)
	wants("goes on", time.Microsecond-time.Minute+time.Hour)
	c.Set(begun)
	wants("set", 0)
	state := c.State()
	other := clock.NewAdjustable(base)
	other.Restore(state)
	if !other.Now().Equal(c.Now()) {
		t.Errorf("restored it shows %v, want %v", other.Now(), c.Now())
	}
}

// It keeps to the years that can be told, however far it is moved.
func TestAdjustableBounds(t *testing.T) {
	t.Parallel()
	for _, frozen := range []bool{false, true} {
		c := clock.NewAdjustable(&standing{time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC)})
		if frozen {
			c.Freeze()
		}
		for range 3 {
			c.Advance(math.MaxInt64)
		}
		if !c.Now().Equal(clock.Latest()) {
			t.Errorf("frozen %t: it shows %v", frozen, c.Now())
		}
		c.Set(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))
		if !c.Now().Equal(clock.Latest()) {
			t.Errorf("frozen %t: it shows %v", frozen, c.Now())
		}
		for range 3 {
			c.Advance(math.MinInt64)
		}
		if !c.Now().Equal(clock.Earliest()) {
			t.Errorf("frozen %t: it shows %v", frozen, c.Now())
		}
	}
}
