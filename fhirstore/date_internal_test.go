package fhirstore

import "testing"

// TestSpans compares the table of spans with what ranges are classed by.
func TestSpans(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, limit := range spanLimits {
		for _, several := range []bool{false, true} {
			class := spanClass(0, limit, several)
			var width int64
			if err := s.cur.Load().read.QueryRowContext(t.Context(), "SELECT width FROM spans WHERE class = ?", class).Scan(&width); err != nil {
				t.Fatal(err)
			}
			if width != limit || class%6 != i || (class >= 6) != several {
				t.Errorf("class %d of ranges up to %d has the width %d", class, limit, width)
			}
		}
	}
}
