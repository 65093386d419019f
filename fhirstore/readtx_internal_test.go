package fhirstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/sqlitedb"
)

// takeReaders takes connections to read with until none is left.
func takeReaders(t *testing.T, s *Store) []*sqlitedb.Reader {
	t.Helper()
	var taken []*sqlitedb.Reader
	for {
		soon, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		reader, err := s.cur.Load().db.Reader(soon)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			return taken
		}
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, reader)
	}
}

// TestKickOffsWaitWithoutTheWritersLock has all connections for readers in use:
// a kick-off waits for one, and writes go on.
func TestKickOffsWaitWithoutTheWritersLock(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Open(ctx, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	readers := takeReaders(t, s)
	kickedOff := make(chan error, 1)
	go func() {
		_, err := s.Export(ctx, Everything(), Selection{})
		kickedOff <- err
	}()
	written := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 200 && err == nil; i++ {
			id := fmt.Sprint("p", i)
			_, _, err = s.Update(ctx, Everything(), "Patient", id, []byte(`{"resourceType":"Patient","id":"`+id+`"}`), Condition{})
		}
		written <- err
	}()
	soon, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	select {
	case err := <-written:
		if err != nil {
			t.Errorf("a write: %v", err)
		}
	case err := <-kickedOff:
		t.Errorf("a kick-off without a connection to read with: %v", err)
	case <-soon.Done():
		t.Error("writes wait for a kick-off that waits for readers")
	}
	for _, r := range readers {
		r.Close()
	}
	if err := <-kickedOff; err != nil {
		t.Error(err)
	}
}
