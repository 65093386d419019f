package httpapi

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conns are the open connections of a server, each with whether a request is
// under way on it, so that a shutdown waits for the answers and for nothing
// else.
type conns struct {
	mu      sync.Mutex
	open    map[net.Conn]bool
	busy    int           // how many in open have a request
	idle    chan struct{} // closed when busy falls to 0; nil while nobody waits
	closing bool

	held map[net.Conn][]func() // to be called when the request under way is over
}

func newConns() *conns { return &conns{open: map[net.Conn]bool{}, held: map[net.Conn][]func(){}} }

// hold has release called once the answer to the request under way has been
// sent, or never will be.
func (cs *conns) hold(c net.Conn, release func()) {
	cs.mu.Lock()
	_, open := cs.open[c]
	if open {
		cs.held[c] = append(cs.held[c], release)
	}
	cs.mu.Unlock()
	if !open {
		release()
	}
}

// release lets go of what the request of a connection held.
func (cs *conns) release(c net.Conn) {
	cs.mu.Lock()
	held := cs.held[c]
	delete(cs.held, c)
	cs.mu.Unlock()
	for _, release := range held {
		release()
	}
}

// A trackingListener notes the connections that it accepts.
type trackingListener struct {
	net.Listener
	conns      *conns
	production bool // the production environment is at its root
}

func (l trackingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	var tracked net.Conn = &trackedConn{Conn: c, conns: l.conns, origin: origin{l.production}}
	if t, ok := c.(*tls.Conn); ok { // by its type the server knows that the scheme is https
		tracked = &trackedTLS{Conn: t, conns: l.conns, origin: origin{l.production}}
	}
	l.conns.mu.Lock()
	defer l.conns.mu.Unlock()
	if l.conns.closing {
		c.Close()
		return nil, net.ErrClosed
	}
	l.conns.open[tracked] = false
	return tracked, nil
}

// An origin tells which environment is at the root of where a connection leads.
type origin struct{ production bool }

func (o origin) ofProduction() bool { return o.production }

type trackedConn struct {
	net.Conn
	beginning
	unread
	origin
	conns *conns
}

func (c *trackedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.note(p[:n])
	return n, err
}

func (c *trackedConn) Close() error {
	c.conns.forget(c)
	c.linger(c.Conn)
	return c.Conn.Close()
}

type trackedTLS struct {
	*tls.Conn
	beginning
	unread
	origin
	conns *conns
}

func (c *trackedTLS) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.note(p[:n])
	return n, err
}

func (c *trackedTLS) Close() error {
	c.conns.forget(c)
	c.linger(c.Conn)
	return c.Conn.Close()
}

// An unread tells that a request was refused before it was read to its end, so
// that its client may still be sending.
type unread struct{ refused atomic.Bool }

func (u *unread) refuseUnread() { u.refused.Store(true) }

// The most that is read, and the longest, of what nobody wants.
const (
	maxLinger  = 64 << 20
	lingerTime = 500 * time.Millisecond
)

// linger reads what the client of a request that was refused unread still
// sends. Closed at once, the connection would be reset, and the client would
// lose the answer (RFC 9112 section 9.6).
func (u *unread) linger(c net.Conn) {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || !u.refused.Swap(false) || half.CloseWrite() != nil {
		return
	}
	end := time.AfterFunc(lingerTime, func() { c.Close() })
	defer end.Stop()
	_, _ = io.CopyN(io.Discard, c, maxLinger)
}

// begin notes that a request is under way on a connection.
func (cs *conns) begin(c net.Conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if busy, ok := cs.open[c]; ok && !busy {
		cs.open[c] = true
		cs.busy++
	}
}

// end notes that the answer has been sent, or never will be. A connection that
// a shutdown waited for has done its work.
func (cs *conns) end(c net.Conn) {
	cs.release(c)
	if cs.rest(c) {
		c.Close()
	}
}

// endRequests sets the server's hook for the states of connections, so that a
// request ends when its answer has been flushed. The states go by their names:
// their type belongs to a library below fiber.
func endRequests[State fmt.Stringer](hook *func(net.Conn, State), cs *conns) {
	*hook = func(c net.Conn, state State) {
		if name := state.String(); name == "idle" || name == "closed" {
			if b, ok := c.(interface{ forgetBeginning() }); ok {
				b.forgetBeginning()
			}
			cs.end(c)
		}
	}
}

// rest takes the request off a connection and reports whether the connection
// is to be closed.
func (cs *conns) rest(c net.Conn) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closing {
		_, open := cs.open[c]
		return open
	}
	if cs.open[c] {
		cs.open[c] = false
		cs.busy--
	}
	return false
}

// forget takes out a connection that is closed.
func (cs *conns) forget(c net.Conn) {
	defer cs.release(c)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.open[c] {
		cs.busy--
	}
	delete(cs.open, c)
	if cs.busy == 0 && cs.idle != nil {
		close(cs.idle)
		cs.idle = nil
	}
}

// close closes every connection: those without a request at once, the others
// when their answer has been sent or ctx is done. Its error is ctx's where
// requests were cut.
func (cs *conns) close(ctx context.Context) error {
	waiting, resting := cs.beginClosing()
	for _, c := range resting {
		c.Close()
	}
	select {
	case <-waiting:
		return nil
	default:
	}
	select {
	case <-waiting:
		return nil
	case <-ctx.Done():
	}
	for _, c := range cs.all() {
		c.Close()
	}
	return ctx.Err()
}

// beginClosing returns a channel that is closed when no request is under way,
// and the connections that have none.
func (cs *conns) beginClosing() (idle <-chan struct{}, resting []net.Conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.closing = true
	for c, busy := range cs.open {
		if !busy {
			resting = append(resting, c)
		}
	}
	if cs.idle == nil {
		cs.idle = make(chan struct{})
	}
	idle = cs.idle
	if cs.busy == 0 {
		close(cs.idle)
		cs.idle = nil
	}
	return idle, resting
}

func (cs *conns) all() []net.Conn {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	list := make([]net.Conn, 0, len(cs.open))
	for c := range cs.open {
		list = append(list, c)
	}
	return list
}
