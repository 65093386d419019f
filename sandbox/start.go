package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// TB is what Start needs of a *testing.T, *testing.B or *testing.F. It is
// declared here because a package for programs does not import testing.
type TB interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// maxLogged is how many refused requests a failed test prints.
const maxLogged = 10

// Start returns a server that listens on a free port of this machine and is
// closed when the test ends. Where the test failed, the requests that the
// server refused are logged with their explanations first.
//
// Options are those of New; a mistake in them ends the test.
func Start(tb TB, opts ...Option) *Server {
	tb.Helper()
	log := &testLog{tb: tb}
	s, err := New(context.Background(), append([]Option{WithLogger(log.logger())}, opts...)...)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	tb.Cleanup(func() {
		tb.Helper()
		if tb.Failed() {
			for _, w := range s.all() {
				if text := w.refusals(); text != "" {
					tb.Logf("%s", text)
				}
			}
		}
		if err := s.Close(); err != nil {
			tb.Logf("%v", err)
		}
		log.end()
	})
	if err := s.Listen("127.0.0.1:0"); err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	return s
}

// all returns the server's own world and those that are beside it.
func (s *Server) all() []*World {
	list := []*World{s.World}
	for _, w := range s.worlds.List() {
		list = append(list, newWorld(s, w.Workspace))
	}
	return list
}

// refusals tells of the latest requests that were refused, newest last.
func (w *World) refusals() string {
	list := w.Exchanges(Exchange.Refused)
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "sandbox: requests refused by %s:", w.URL())
	if earlier := len(list) - maxLogged; earlier > 0 {
		fmt.Fprintf(&b, "\n(%d earlier ones)", earlier)
		list = list[earlier:]
	}
	for _, e := range list {
		b.WriteString("\n" + e.String())
	}
	return b.String()
}

// testLog is a server's log in a test. A test that has ended takes no lines
// any more.
type testLog struct {
	mu    sync.Mutex
	tb    TB
	ended bool
}

func (l *testLog) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelError}))
}

func (l *testLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}

// Write logs one record.
func (l *testLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.tb.Logf("sandbox: %s", bytes.TrimRight(line, "\n"))
	}
	return len(line), nil
}
