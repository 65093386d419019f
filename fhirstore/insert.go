package fhirstore

import (
	"context"
	"math/bits"
	"strings"
)

// A rowBatch writes the rows of many resources in few statements: of each table it
// collects as many as one statement takes. The statements run beside the caller,
// who parses and indexes the next resources meanwhile, in the order in which
// they were filled; no row that is collected is looked at before settle.
type rowBatch struct {
	tx     *writeTx
	tables map[string]*batchRows
	order  []*batchRows

	queue chan batchStatement
	done  chan struct{} // closed when the writer has ended
	ended bool
}

// batchRows are the rows collected for a table.
type batchRows struct {
	insert  string // up to VALUES
	columns int
	args    []any
}

type batchStatement struct {
	text string
	args []any
	// settled gets the writer's first error, or nil, when everything before it was
	// written; it is nil of a statement.
	settled chan<- error
}

// batchAhead is how many statements may wait for the writer. Each holds a few
// hundred short values.
const batchAhead = 32

// maxBatchRows is how many rows one statement of a rowBatch writes.
const maxBatchRows = 100

func newRowBatch(ctx context.Context, tx *writeTx) *rowBatch {
	b := &rowBatch{tx: tx, tables: map[string]*batchRows{}, queue: make(chan batchStatement, batchAhead), done: make(chan struct{})}
	go b.run(ctx)
	return b
}

// run is the writer. After an error it takes what comes and writes nothing.
func (b *rowBatch) run(ctx context.Context) {
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
func (b *rowBatch) add(insert string, columns int, row ...any) {
	t := b.tables[insert]
	if t == nil {
		t = &batchRows{insert: insert, columns: columns}
		b.tables[insert] = t
		b.order = append(b.order, t)
	}
	if t.args == nil {
		t.args = make([]any, 0, maxBatchRows*columns)
	}
	t.args = append(t.args, row...)
	for len(t.args) >= maxBatchRows*columns {
		b.send(t, maxBatchRows)
	}
}

// send hands the first n rows of a table to the writer.
func (b *rowBatch) send(t *batchRows, n int) {
	args := t.args[:n*t.columns]
	rest := t.args[n*t.columns:]
	t.args = nil
	if len(rest) > 0 {
		t.args = append(make([]any, 0, maxBatchRows*t.columns), rest...)
	}
	row := "(" + placeholders(t.columns) + ")"
	b.queue <- batchStatement{text: t.insert + " VALUES " + strings.Repeat(row+", ", n-1) + row, args: args}
}

// settle writes everything that was collected. Its error is the first of any
// statement so far.
func (b *rowBatch) settle() error {
	for _, t := range b.order {
		for left := len(t.args) / t.columns; left > 0; left = len(t.args) / t.columns {
			b.send(t, 1<<(bits.Len(uint(left))-1)) // powers of two: few statements, which are kept
		}
	}
	settled := make(chan error, 1)
	b.queue <- batchStatement{settled: settled}
	return <-settled
}

// end ends the writer; what was collected and not settled is dropped.
func (b *rowBatch) end() {
	if !b.ended {
		b.ended = true
		close(b.queue)
		<-b.done
	}
}
