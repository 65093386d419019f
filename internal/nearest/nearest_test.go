package nearest_test

import (
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/nearest"
)

func TestName(t *testing.T) {
	t.Parallel()
	names := []string{"patients", "addr", "seed", "serve", "Patient", "id"}
	for _, c := range []struct{ name, word, want string }{
		{"letter missing", "patints", "patients"},
		{"letter more", "servre", "serve"},
		{"another letter", "addt", "addr"},
		{"two letters of eight", "patiemtz", "patients"},
		{"the nearer of two", "patient", "Patient"},
		{"another case", "PATIENTS", "patients"},
		{"two letters of four", "sede", ""},
		{"one letter of two", "ie", "id"},
		{"one letter", "i", ""},
		{"none near", "zzzz", ""},
		{"nothing", "", ""},
		{"too long", strings.Repeat("patients", 20), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := nearest.Name(c.word, names); got != c.want {
				t.Errorf("%q: got %q, want %q", c.word, got, c.want)
			}
		})
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 129)
	for _, c := range []struct {
		a, b        string
		limit, want int
	}{
		{"", "", 0, 0}, {"a", "", 3, 1}, {"kitten", "sitting", 3, 3}, {"kitten", "sitting", 2, 3}, {"ab", "ba", 5, 2},
		{"abcdef", "a", 2, 3}, {"a", "A", 1, 1}, {long, long, 9, 10},
	} {
		if got := nearest.Distance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("%q, %q, at most %d: got %d, want %d", c.a, c.b, c.limit, got, c.want)
		}
		if got := nearest.Distance(c.b, c.a, c.limit); got != c.want {
			t.Errorf("%q, %q, at most %d: got %d, want %d", c.b, c.a, c.limit, got, c.want)
		}
	}
}
