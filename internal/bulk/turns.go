package bulk

import (
	"context"
	"sync"
)

// turns lets those who go by one name do something one after the other.
type turns struct {
	mu    sync.Mutex
	lines map[string]*line
}

// A line is those who want the turn of one name. Who has sent to ahead has it.
type line struct {
	ahead  chan struct{} // of one
	length int
}

func newTurns() *turns { return &turns{lines: map[string]*line{}} }

// begin waits for the turn of a name, which end gives back. Its error is that
// of ctx.
func (t *turns) begin(ctx context.Context, name string) (end func(), err error) {
	t.mu.Lock()
	l := t.lines[name]
	if l == nil {
		l = &line{ahead: make(chan struct{}, 1)}
		t.lines[name] = l
	}
	l.length++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if l.length--; l.length == 0 {
			delete(t.lines, name)
		}
	}
	select {
	case l.ahead <- struct{}{}:
		return func() { <-l.ahead; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
