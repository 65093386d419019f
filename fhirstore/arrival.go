package fhirstore

import (
	"bytes"
	"context"
	"runtime"
	"sync/atomic"
)

// arrivals take the resources of a population that is built: they are parsed and
// indexed several at a time, and written in the order in which they came.
type arrivals struct {
	load   *Load
	unread chan *arrival // for whoever reads the next one
	order  chan *arrival // as they came
	done   chan struct{} // closed when all are written
	failed atomic.Pointer[error]
}

// An arrival is a resource on its way.
type arrival struct {
	in     Input
	draft  *draft
	values *values
	err    error
	ready  chan struct{} // closed once it is read
}

// arriving is how many resources may be on their way.
const arriving = 256

func newArrivals(ctx context.Context, l *Load) *arrivals {
	a := &arrivals{load: l, unread: make(chan *arrival, arriving), order: make(chan *arrival, arriving), done: make(chan struct{})}
	for range min(4, runtime.GOMAXPROCS(0)) {
		go a.read()
	}
	go a.write(ctx)
	return a
}

// add takes a resource. The error is that of one before it.
func (a *arrivals) add(in Input) error {
	if failed := a.failed.Load(); failed != nil {
		return *failed
	}
	in.JSON = bytes.Clone(in.JSON) // it is the caller's again when add returns
	next := &arrival{in: in, ready: make(chan struct{})}
	a.unread <- next
	a.order <- next
	return nil
}

func (a *arrivals) read() {
	for next := range a.unread {
		if next.draft, next.err = newDraft(next.in.Type, next.in.JSON); next.err == nil {
			next.values = extract(a.load.store.defs, next.in.Type, next.in.ID, next.draft.root)
		}
		close(next.ready)
	}
}

func (a *arrivals) write(ctx context.Context) {
	defer close(a.done)
	for next := range a.order {
		<-next.ready
		if a.failed.Load() != nil {
			continue
		}
		err := next.err
		if err == nil {
			err = a.load.take(ctx, next.in, next.draft, next.values)
		}
		if err != nil {
			a.failed.Store(&err)
		}
	}
}

// end waits until all that came is written, and returns the first error.
func (a *arrivals) end() error {
	close(a.unread)
	close(a.order)
	<-a.done
	if failed := a.failed.Load(); failed != nil {
		return *failed
	}
	return nil
}
