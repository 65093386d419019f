package bulk

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

// Of one name one has the turn at a time, other names do not wait for it, and
// whoever waits can give up.
func TestTurns(t *testing.T) {
	t.Parallel()
	turns := newTurns()
	end, err := turns.begin(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := turns.begin(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	other()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := turns.begin(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("a turn that is taken: got error %v, want that of the context", err)
	}
	var inside atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			end, err := turns.begin(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d have the turn at once", n)
			}
			inside.Add(-1)
			end()
		})
	}
	end()
	all.Wait()
	if len(turns.lines) != 0 {
		t.Errorf("%d lines are left", len(turns.lines))
	}
}
