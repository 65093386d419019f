package fault_test

import (
	"testing"

	"github.com/sandfhir/sandfhir/internal/fault"
)

func TestMeet(t *testing.T) {
	t.Parallel()
	var s fault.Set
	if s.Meet("GET", "/fhir/Patient/1") != nil {
		t.Fatal("an empty set has a fault")
	}
	for _, r := range []fault.Rule{
		{Name: "second read once", Method: "GET", Path: "/fhir/Patient/*", After: 1, Times: 1, Effect: fault.Effect{Status: 503}},
		{Name: "every token", Path: "/auth/token", Effect: fault.Effect{Drop: true}},
	} {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range []struct{ method, path, want string }{
		{"GET", "/fhir/Patient/1", ""},
		{"PUT", "/fhir/Patient/1", ""},
		{"GET", "/fhir/Patient/1/_history", ""},
		{"GET", "/fhir/Patient/2", "second read once"},
		{"GET", "/fhir/Patient/2", ""},
		{"POST", "/auth/token", "every token"},
		{"POST", "/auth/token", "every token"},
	} {
		got := ""
		if r := s.Meet(c.method, c.path); r != nil {
			got = r.Name
		}
		if got != c.want {
			t.Errorf("request %d, %s %s, meets %q; want %q", i, c.method, c.path, got, c.want)
		}
	}
	s.Clear()
	if s.Meet("POST", "/auth/token") != nil {
		t.Error("a cleared set has a fault")
	}
}

func TestRefusedRules(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]fault.Rule{
		"no name":    {Effect: fault.Effect{Drop: true}},
		"no effect":  {Name: "x"},
		"bad path":   {Name: "x", Path: "[", Effect: fault.Effect{Drop: true}},
		"bad status": {Name: "x", Effect: fault.Effect{Status: 99}},
		"bad count":  {Name: "x", Times: -1, Effect: fault.Effect{Drop: true}},
	} {
		var s fault.Set
		if s.Add(r) == nil {
			t.Errorf("%s: added", name)
		}
	}
}
