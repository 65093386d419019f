package exchange

import (
	"context"
	"errors"
	"slices"
)

// behind is how many exchanges a follower may be behind before it loses the log.
const behind = 256

// Follow returns a channel that brings the exchanges that are added from now on.
// It is closed by leave, when the log ends, and when the follower is so far
// behind that it would hold up others or miss some: it can go on from the last
// one that it has, by Since. leave can be called more than once.
func (l *Log) Follow() (added <-chan *Exchange, leave func()) {
	c := make(chan *Exchange, behind)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		close(c)
		return c, func() {}
	}
	l.followers[c] = true
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.drop(c)
	}
}

// drop lets go of a follower. The caller holds l.mu.
func (l *Log) drop(c chan *Exchange) {
	if l.followers[c] {
		delete(l.followers, c)
		close(c)
	}
}

// tell brings an exchange to all followers. The caller holds l.mu.
func (l *Log) tell(e *Exchange) {
	for c := range l.followers {
		select {
		case c <- e:
		default:
			l.drop(c)
		}
	}
}

// End lets go of all followers, and of those who come from now on.
func (l *Log) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for c := range l.followers {
		l.drop(c)
	}
}

// Since returns the exchanges that were added after the one with this id and for
// which keep is true, oldest first. An id that is not kept, or no longer, counts
// as older than all.
func (l *Log) Since(id string, keep func(*Exchange) bool) []*Exchange {
	after := int64(0)
	if e := l.Get(id); e != nil {
		after = e.sequence
	}
	list := l.List(0, func(e *Exchange) bool { return e.sequence > after && keep(e) })
	slices.Reverse(list)
	return list
}

// ErrEnded says that a log has ended.
var ErrEnded = errors.New("the log of exchanges has ended")

// Await returns what Since does, and where that is nothing waits for the first
// exchange that keep keeps. The error is ctx's, or ErrEnded.
func (l *Log) Await(ctx context.Context, id string, keep func(*Exchange) bool) ([]*Exchange, error) {
	for {
		added, leave := l.Follow()
		list := l.Since(id, keep)
		for waiting := len(list) == 0; waiting; {
			select {
			case e, ok := <-added:
				if ok && !keep(e) {
					continue
				}
				waiting = false
			case <-ctx.Done():
				leave()
				return nil, ctx.Err()
			}
		}
		leave()
		if list = l.Since(id, keep); len(list) > 0 {
			return list, nil
		}
		if l.hasEnded() {
			return nil, ErrEnded
		}
	}
}

func (l *Log) hasEnded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}
