package workspace

import (
	"testing"
	"time"
)

// TestNobodyWritesWhileAnEpochIsHeld holds an epoch: each of its stores is still
// until all of it is taken.
func TestNobodyWritesWhileAnEpochIsHeld(t *testing.T) {
	t.Parallel()
	w, err := New(t.Context(), Config{Populations: NewPopulations(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	e := w.current.Load().epoch
	h, err := e.hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	written := make(chan string, len(environmentNames()))
	for _, name := range environmentNames() {
		data, err := e.resources[name].Data(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			data.Latest() // waits for its turn as a write does
			written <- name
		}()
	}
	select {
	case name := <-written:
		t.Errorf("%s could be written to", name)
	case <-time.After(100 * time.Millisecond): // long enough for one that does not wait
	}
	h.resume()
	for range environmentNames() {
		<-written
	}
}
