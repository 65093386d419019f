package httpapi

import "testing"

// Every route for tools is described, and nothing else is.
func TestRoutesAreDescribed(t *testing.T) {
	t.Parallel()
	described := map[string]int{}
	for _, o := range operations() {
		described[o.method+" "+o.path]++
	}
	for _, r := range routeTable() {
		name := r.method + " " + r.path
		if r.described() && described[name] != 1 {
			t.Errorf("%s is described %d times, want once", name, described[name])
		}
		if r.described() {
			delete(described, name)
		}
	}
	for name := range described {
		t.Errorf("%s is described and no route", name)
	}
}
