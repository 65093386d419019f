package population

import (
	"slices"
	"testing"
)

func TestStream(t *testing.T) {
	t.Parallel()
	t.Run("is the same for the same seed, purpose and number", func(t *testing.T) {
		t.Parallel()
		a, b := newStream(1, "dates", 7), newStream(1, "dates", 7)
		for i := range 100 {
			if x, y := a.below(1_000_000), b.below(1_000_000); x != y {
				t.Fatalf("draw %d: got %d and %d", i, x, y)
			}
		}
	})
	t.Run("differs where one of them does", func(t *testing.T) {
		t.Parallel()
		first := func(seed uint64, purpose string, n int) int { return newStream(seed, purpose, n).below(1 << 30) }
		got := []int{first(1, "dates", 7), first(2, "dates", 7), first(1, "home", 7), first(1, "dates", 8), first(0, "dates", 7)}
		slices.Sort(got)
		if len(slices.Compact(got)) != 5 {
			t.Errorf("two of five streams begin alike: %v", got)
		}
	})
	t.Run("keeps within its bounds and reaches them", func(t *testing.T) {
		t.Parallel()
		s := newStream(3, "", 0)
		low, high := 100, 0
		for range 2000 {
			v := s.between(3, 9)
			low, high = min(low, v), max(high, v)
		}
		if low != 3 || high != 9 {
			t.Errorf("got %d to %d, want 3 to 9", low, high)
		}
	})
	t.Run("draws a bell around the mean", func(t *testing.T) {
		t.Parallel()
		s := newStream(4, "", 0)
		sum, squares := 0, 0
		const n = 20_000
		for range n {
			v := s.around(5000, 100) - 5000
			sum, squares = sum+v, squares+v*v
		}
		if mean, variance := sum/n, squares/n; mean < -3 || mean > 3 || variance < 9_500 || variance > 10_500 {
			t.Errorf("got a mean of %d and a variance of %d, want 0 and 10,000", mean, variance)
		}
	})
	t.Run("weighs", func(t *testing.T) {
		t.Parallel()
		s, counts := newStream(5, "", 0), [3]int{}
		for range 10_000 {
			counts[s.weighted([]int{700, 0, 300})]++
		}
		if counts[1] != 0 || counts[0] < 6_700 || counts[0] > 7_300 {
			t.Errorf("got %v for the weights 700, 0, 300", counts)
		}
	})
	t.Run("prefers what comes early", func(t *testing.T) {
		t.Parallel()
		s, early := newStream(6, "", 0), 0
		for range 10_000 {
			if s.early(10) < 5 {
				early++
			}
		}
		if early < 7_200 || early > 7_800 {
			t.Errorf("got %d of 10,000 in the first half, want about 7,500", early)
		}
	})
}

func TestRoundDiv(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ a, b, want int }{{7, 2, 4}, {-7, 2, -4}, {6, 4, 2}, {-6, 4, -2}, {5, 4, 1}, {-5, 4, -1}, {0, 3, 0}} {
		if got := roundDiv(tc.a, tc.b); got != tc.want {
			t.Errorf("roundDiv(%d, %d): got %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}
