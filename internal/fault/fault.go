// Package fault makes matching requests fail on purpose. It decides which
// request meets which fault; what answers requests carries it out, in one place
// that every request passes.
//
// It imports nothing of ours.
package fault

import (
	"fmt"
	"path"
	"sync"
	"time"
)

// A Rule makes matching requests fail.
type Rule struct {
	// Name tells people which fault a request met.
	Name string
	// Method and Path choose requests; empty means any. Path is a pattern of
	// package path, over the path below workspace and environment:
	// "/fhir/Patient/*".
	Method, Path string
	// After lets so many matching requests pass first; Times is how many then
	// fail, 0 meaning all.
	After, Times int

	Effect Effect
}

// An Effect is what happens to a request.
type Effect struct {
	// Delay holds the answer back.
	Delay time.Duration
	// Drop ends the connection without an answer.
	Drop bool
	// Status answers with this status, Header and Body in place of the real
	// answer; 0 gives the real one, late or not at all.
	Status int
	Header map[string]string
	Body   string
}

// Validate reports what is wrong with a rule.
func (r Rule) Validate() error {
	if r.Path != "" {
		if _, err := path.Match(r.Path, ""); err != nil {
			return fmt.Errorf("fault %s: path %q is no pattern: %w", r.Name, r.Path, err)
		}
	}
	switch e := r.Effect; {
	case r.Name == "":
		return fmt.Errorf("a fault needs a name")
	case r.After < 0 || r.Times < 0 || e.Delay < 0:
		return fmt.Errorf("fault %s: counts and delays are not negative", r.Name)
	case e.Status != 0 && (e.Status < 200 || e.Status > 599):
		return fmt.Errorf("fault %s: %d is no status of a final answer", r.Name, e.Status)
	case e.Delay == 0 && !e.Drop && e.Status == 0:
		return fmt.Errorf("fault %s has no effect", r.Name)
	}
	return nil
}

// A Set is a workspace's faults. The zero Set has none. It is safe for
// concurrent use.
type Set struct {
	mu    sync.Mutex
	rules []*counted
}

type counted struct {
	Rule
	seen int // matching requests so far
}

// Add adds a rule behind those that are there.
func (s *Set) Add(r Rule) error {
	if err := r.Validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, &counted{Rule: r})
	return nil
}

// Clear removes all rules.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// Meet counts a request and returns the rule that it meets: the first one that
// matches and has a request left to fail. It returns nil where there is none.
func (s *Set) Meet(method, at string) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if !r.matches(method, at) {
			continue
		}
		r.seen++
		if failed := r.seen - r.After; failed > 0 && (r.Times == 0 || failed <= r.Times) {
			return &r.Rule
		}
	}
	return nil
}

func (r *Rule) matches(method, at string) bool {
	if r.Method != "" && r.Method != method {
		return false
	}
	if r.Path == "" {
		return true
	}
	ok, _ := path.Match(r.Path, at) // Validate has looked at the pattern
	return ok
}
