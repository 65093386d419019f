package workspace

import (
	"errors"
	"fmt"
	"testing"
)

// TestAsManyWorldsAsThereCanBe takes every place there is: one more is refused in
// words, and there is one again when a world has ended.
func TestAsManyWorldsAsThereCanBe(t *testing.T) {
	t.Parallel()
	ws, err := NewWorlds(t.Context(), Config{Populations: NewPopulations(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	none := 0
	w, err := ws.Make(t.Context(), WorldOptions{Name: "first", Patients: &none})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < MaxWorlds; i++ { // as those that are being made
		if err := ws.reserve(fmt.Sprint("w", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ws.Make(t.Context(), WorldOptions{}); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v, want ErrTooMany", err)
	}
	if got := len(ws.List()); got != 1 {
		t.Errorf("the list has %d, want the one that is there", got)
	}
	if err := ws.End(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	again, err := ws.Make(t.Context(), WorldOptions{Name: "first", Patients: &none})
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := again.Enter("sandbox"); !errors.Is(err, ErrEnded) {
		t.Errorf("behind Close got %v, want ErrEnded", err)
	}
	if _, err := ws.Make(t.Context(), WorldOptions{}); !errors.Is(err, ErrEnded) {
		t.Errorf("behind Close got %v, want ErrEnded", err)
	}
}
