package sandbox

import (
	"fmt"

	"github.com/sandfhir/sandfhir/internal/fault"
)

// A Fault makes requests fail on purpose; see World.Inject.
type Fault struct {
	world *World
	id    string
	text  string
}

// Inject makes requests fail on purpose, from now on. The fault is written as
//
//	id[=value|:param=value,…][@client=…][@path=…][@type=…][#nth=…|#times=…|#rate=…,seed=…]
//
// for instance "poll.5xx#times=2", "files.reset_at=5000@type=Patient" or
// "status:code=503,retry_after=1@path=/fhir/Patient". Every switch of the behaviour
// is a fault too, for the requests that meet it: "scope.version=v1#nth=1".
// docs/faults.md has all of them. Of several the first that a request fits, and
// that has a count left, meets it. Methods that send no request, such as
// RegisterClient, meet none. The error says what is wrong with the text.
func (w *World) Inject(text string) (*Fault, error) {
	rule, err := fault.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("sandbox: inject: %w", err)
	}
	return &Fault{w, w.workspace.Faults.Add(rule), rule.Text}, nil
}

// ClearFaults removes all faults.
func (w *World) ClearFaults() { w.workspace.Faults.Clear() }

// String is the fault as it was written.
func (f *Fault) String() string { return f.text }

// Hits is how many requests have met the fault; 0 once it is removed.
func (f *Fault) Hits() int {
	for _, state := range f.world.workspace.Faults.List() {
		if state.ID == f.id {
			return state.Hits
		}
	}
	return 0
}

// Remove ends the fault. One that is gone already is gone.
func (f *Fault) Remove() {
	_ = f.world.workspace.Faults.Remove(f.id) // its only error is that it is gone
}
