package population

import "testing"

func TestBuild(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                 string
		days                 int
		height, mass, spread int // of a man
	}{
		{"at birth", 0, 499, 1330, 19},
		{"between two rows", 61 + 30, 611, 1680, 20},
		{"grown up", 365 * 30, 1765, 2650, 68},
		{"older than the table", 365 * 119, 1765, 2400, 68},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := build(tc.days)
			near := func(a, b, within int) bool { return a-b <= within && b-a <= within }
			if !near(got.height[man], tc.height, 3) || !near(got.mass[man], tc.mass, 8) || !near(got.spread, tc.spread, 1) {
				t.Errorf("got height %d, mass index %d, spread %d; want %d, %d, %d", got.height[man], got.mass[man], got.spread, tc.height, tc.mass, tc.spread)
			}
		})
	}
	last := build(0)
	for days := 1; days < 365*25; days++ {
		row := build(days)
		for sex := range row.height {
			if row.height[sex] < last.height[sex] || row.head[sex] < last.head[sex] {
				t.Fatalf("day %d: shrank from %v to %v", days, last, row)
			}
			if step := row.height[sex] - last.height[sex]; step > 3 {
				t.Fatalf("day %d: grew by %d mm", days, step)
			}
		}
		last = row
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ z, want int }{{0, 50}, {100, 84}, {-100, 16}, {200, 98}, {-200, 2}, {500, 99}, {-500, 1}} {
		if got := percentile(tc.z); got != tc.want {
			t.Errorf("percentile(%d): got %d, want %d", tc.z, got, tc.want)
		}
	}
}

func TestFiltrationRate(t *testing.T) {
	t.Parallel()
	// Wanted are values of the MDRD formula, 175 x creatinine^-1.154 x age^-0.203 (x 0.742).
	for _, tc := range []struct {
		creatinine, years int
		female            bool
		want              int
	}{{100, 50, false, 79}, {100, 50, true, 59}, {150, 70, false, 46}, {80, 30, true, 84}, {300, 60, false, 21}} {
		got := filtrationRate(tc.creatinine, tc.years, tc.female)
		if got < tc.want-2 || got > tc.want+2 {
			t.Errorf("creatinine %d at %d, female %v: got %d, want %d", tc.creatinine, tc.years, tc.female, got, tc.want)
		}
	}
}
