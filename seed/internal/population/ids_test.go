package population

import "testing"

func TestNPI(t *testing.T) {
	t.Parallel()
	// 994133910 has the check digit 0: 9941339100 is the number of US Core's example practitioner.
	if got := npi(94133910); got != "9941339100" {
		t.Errorf("got %s, want 9941339100", got)
	}
}

func TestPadded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		n, digits int
		want      string
	}{{7, 3, "007"}, {0, 2, "00"}, {1234, 3, "1234"}, {42, 0, "42"}} {
		if got := padded(tc.n, tc.digits); got != tc.want {
			t.Errorf("padded(%d, %d): got %s, want %s", tc.n, tc.digits, got, tc.want)
		}
	}
}
