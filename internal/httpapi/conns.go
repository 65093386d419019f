package httpapi

import (
	"context"
	"crypto/tls"
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
	closed   bool
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
	forget := func() { l.conns.forget(c) }
	l.conns.mu.Lock()
	defer l.conns.mu.Unlock()
	if l.conns.closed {
		c.Close()
		return nil, net.ErrClosed
	}
	l.conns.open[c] = struct{}{}
	if t, ok := c.(*tls.Conn); ok { // by its type the server knows that the scheme is https
		return &trackedTLS{t, forget}, nil
	}
	return &trackedConn{c, forget}, nil
}

type trackedConn struct {
	net.Conn
	forget func()
}

func (c *trackedConn) Close() error {
	c.forget()
	return c.Conn.Close()
}

type trackedTLS struct {
	*tls.Conn
	forget func()
}

func (c *trackedTLS) Close() error {
	c.forget()
	return c.Conn.Close()
}

func (cs *conns) forget(c net.Conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.open, c)
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
	cs.closed = true
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
