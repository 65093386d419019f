package httpapi

import (
	"context"
	"net"
	"sync"
	"time"
)

// conns are the open connections of a server and the requests under way on
// them, so that a shutdown waits for the requests and for nothing else.
type conns struct {
	mu       sync.Mutex
	open     map[net.Conn]struct{}
	requests int
	idle     chan struct{} // closed when requests falls to 0; nil while nobody waits
}

// A trackingListener notes the connections that it accepts.
type trackingListener struct {
	net.Listener
	conns *conns
}

func (l trackingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	t := &trackedConn{Conn: c, conns: l.conns}
	l.conns.mu.Lock()
	defer l.conns.mu.Unlock()
	l.conns.open[t] = struct{}{}
	return t, nil
}

type trackedConn struct {
	net.Conn
	conns *conns
}

func (c *trackedConn) Close() error {
	c.conns.mu.Lock()
	delete(c.conns.open, c)
	c.conns.mu.Unlock()
	return c.Conn.Close()
}

func (cs *conns) begin() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.requests++
}

func (cs *conns) end() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.requests--
	if cs.requests == 0 && cs.idle != nil {
		close(cs.idle)
		cs.idle = nil
	}
}

// answerFlush is how long a connection without a request keeps its chance to
// send the end of its last answer.
const answerFlush = 5 * time.Millisecond

// close waits for the requests under way, until ctx is done, and closes every
// connection. Its error is ctx's where requests were cut.
func (cs *conns) close(ctx context.Context) error {
	cs.mu.Lock()
	var idle chan struct{}
	busy := cs.requests > 0
	if busy {
		if cs.idle == nil {
			cs.idle = make(chan struct{})
		}
		idle = cs.idle
	}
	cs.mu.Unlock()
	var err error
	if busy {
		select {
		case <-idle:
			select { // the answer is written once its request has ended
			case <-time.After(answerFlush):
			case <-ctx.Done():
			}
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	cs.mu.Lock()
	open := make([]net.Conn, 0, len(cs.open))
	for c := range cs.open {
		open = append(open, c)
	}
	cs.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
	return err
}
