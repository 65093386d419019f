package fhirstore

import (
	"context"
	"math/bits"
	"strings"
)

// A bulk writes the rows of many resources in few statements: of each table it
// collects as many as one statement takes. The statements run beside the caller,
// who parses and indexes the next resources meanwhile, in the order in which
// they were filled; no row that is collected is looked at before settle.
type bulk struct {
	tx     *writeTx
	tables map[string]*bulkRows
	order  []*bulkRows

	queue chan bulkStatement
	done  chan struct{} // closed when the writer has ended
	ended bool
}

// bulkRows are the rows collected for a table.
type bulkRows struct {
	insert  string // up to VALUES
	columns int
	args    []any
}

type bulkStatement struct {
	text string
	args []any
	// settled gets the writer's first error, or nil, when everything before it was
	// written; it is nil of a statement.
	settled chan<- error
}

// bulkAhead is how many statements may wait for the writer. Each holds a few
// hundred short values.
const bulkAhead = 32

// maxBulkRows is how many rows one statement of a bulk writes.
const maxBulkRows = 100

func newBulk(ctx context.Context, tx *writeTx) *bulk {
	b := &bulk{tx: tx, tables: map[string]*bulkRows{}, queue: make(chan bulkStatement, bulkAhead), done: make(chan struct{})}
	go b.run(ctx)
	return b
}

// run is the writer. After an error it takes what comes and writes nothing.
func (b *bulk) run(ctx context.Context) {
	defer close(b.done)
	var failed error
	for s := range b.queue {
		if s.settled != nil {
			s.settled <- failed
		} else if failed == nil {
			_, failed = b.tx.exec(ctx, s.text, s.args...)
		}
	}
}

// add collects a row of a table: insert is the statement up to VALUES.
func (b *bulk) add(insert string, columns int, row ...any) {
	t := b.tables[insert]
	if t == nil {
		t = &bulkRows{insert: insert, columns: columns}
		b.tables[insert] = t
		b.order = append(b.order, t)
	}
	if t.args == nil {
		t.args = make([]any, 0, maxBulkRows*columns)
	}
	t.args = append(t.args, row...)
	for len(t.args) >= maxBulkRows*columns {
		b.send(t, maxBulkRows)
	}
}

// send hands the first n rows of a table to the writer.
func (b *bulk) send(t *bulkRows, n int) {
	args := t.args[:n*t.columns]
	rest := t.args[n*t.columns:]
	t.args = nil
	if len(rest) > 0 {
		t.args = append(make([]any, 0, maxBulkRows*t.columns), rest...)
	}
	row := "(" + placeholders(t.columns) + ")"
	b.queue <- bulkStatement{text: t.insert + " VALUES " + strings.Repeat(row+", ", n-1) + row, args: args}
}

// settle writes everything that was collected. Its error is the first of any
// statement so far.
func (b *bulk) settle() error {
	for _, t := range b.order {
		for left := len(t.args) / t.columns; left > 0; left = len(t.args) / t.columns {
			b.send(t, 1<<(bits.Len(uint(left))-1)) // powers of two: few statements, which are kept
		}
	}
	settled := make(chan error, 1)
	b.queue <- bulkStatement{settled: settled}
	return <-settled
}

// end ends the writer; what was collected and not settled is dropped.
func (b *bulk) end() {
	if !b.ended {
		b.ended = true
		close(b.queue)
		<-b.done
	}
}
