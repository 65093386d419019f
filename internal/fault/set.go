package fault

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A Set is a workspace's faults. The zero Set has none. It is safe for
// concurrent use.
type Set struct {
	mu    sync.Mutex
	rules []*counted
	last  int // number of the rule that was added last
	first []*Rule
}

// A counted rule knows whom it met.
type counted struct {
	*Rule
	id         string
	seen, hits int
	rand       *rand.Rand
	used       map[string]int         // by token, how often
	came       map[string][]time.Time // by client, when, within the time that a rate is about
	gone       chan struct{}          // closed when the rule is removed
}

// ErrNoRule says that there is no rule with an id.
var ErrNoRule = errors.New("there is no such fault")

// Begin adds the rules that the set begins with, and again after a Reset.
func (s *Set) Begin(rules ...*Rule) {
	s.first = rules
	for _, r := range rules {
		s.Add(r)
	}
}

// Reset has the set begin anew: what was added since is gone, and counts are at 0.
func (s *Set) Reset() {
	s.Clear()
	for _, r := range s.first {
		s.Add(r)
	}
}

// Add adds a rule behind those that are there, and returns its id.
func (s *Set) Add(r *Rule) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	c := &counted{Rule: r, id: strconv.Itoa(s.last), used: map[string]int{}, came: map[string][]time.Time{}, gone: make(chan struct{})}
	if r.rate > 0 {
		c.rand = rand.New(rand.NewPCG(r.seed, 0))
	}
	s.rules = append(s.rules, c)
	return c.id
}

// Remove removes a rule, or returns ErrNoRule.
func (s *Set) Remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.rules, func(c *counted) bool { return c.id == id })
	if i < 0 {
		return ErrNoRule
	}
	close(s.rules[i].gone)
	s.rules = slices.Delete(s.rules, i, i+1)
	return nil
}

// Clear removes all rules.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.rules {
		close(c.gone)
	}
	s.rules = nil
}

// Gone is closed when a rule of the set is removed: nobody waits for it then. Of
// a rule that is not in the set it is nil.
func (s *Set) Gone(r *Rule) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.rules {
		if c.Rule == r {
			return c.gone
		}
	}
	return nil
}

// A State is a rule with what became of it.
type State struct {
	ID    string
	Rule  *Rule
	Hits  int  // requests that met it
	Seen  int  // requests that it was meant for
	Spent bool // it meets no more
}

// List returns the rules in their order.
func (s *Set) List() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]State, len(s.rules))
	for i, c := range s.rules {
		list[i] = State{ID: c.id, Rule: c.Rule, Hits: c.hits, Seen: c.seen, Spent: c.spent()}
	}
	return list
}

func (c *counted) spent() bool {
	return c.times > 0 && c.hits >= c.times || c.nth > 0 && c.seen >= c.nth
}

// Meet returns the rule that a request meets at a stage: the first one that is
// for it and has a count left. It is nil where there is none.
func (s *Set) Meet(at Stage, q Request) *Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.rules {
		if c.isMet(at, q) {
			return c.Rule
		}
	}
	return nil
}

// MeetRules returns the rules of faults of the behaviour that a request meets: of
// each fault the first one that is for it and has a count left.
func (s *Set) MeetRules(q Request) (list []*Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.rules {
		same := func(r *Rule) bool { return r.Fault.ID == c.Fault.ID }
		if !slices.ContainsFunc(list, same) && c.isMet(Rules, q) {
			list = append(list, c.Rule)
		}
	}
	return list
}

func (c *counted) isMet(at Stage, q Request) bool {
	return c.Matches(at, q) && !c.spent() && (c.Fault.when == nil || c.Fault.when(c, q)) && c.meets()
}

// worn counts a use of a token and reports whether that is one too many. The tokens
// are good ones, so that there are no more than were issued.
func worn(c *counted, q Request) bool {
	c.used[q.Token]++
	return int64(c.used[q.Token]) > c.Number("n")
}

// tooFast counts a client's request and reports whether it is one more than the
// rule's limit allows within its time. Requests that were refused do not count.
func tooFast(c *counted, q Request) bool {
	most, per, _ := readRate(c.Value("limit")) // Parse looked at it
	came := slices.DeleteFunc(c.came[q.Client], func(at time.Time) bool { return q.At.Sub(at) >= per })
	if len(came) < most {
		c.came[q.Client] = append(came, q.At)
		return false
	}
	c.came[q.Client] = came
	return true
}

// Wait is how long a client that came too fast for a rule has to wait.
func (s *Set) Wait(r *Rule, q Request) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, per, _ := readRate(r.Value("limit")) // Parse looked at it
	for _, c := range s.rules {
		if came := c.came[q.Client]; c.Rule == r && len(came) > 0 {
			return per - q.At.Sub(came[0])
		}
	}
	return per
}

// notFrom reports whether a request comes from an address that the rule does not
// allow.
func notFrom(c *counted, q Request) bool {
	allowed, _ := readNetworks(c.Value("networks")) // Parse looked at it
	return !slices.ContainsFunc(allowed, func(n netip.Prefix) bool { return n.Contains(q.From.Unmap()) })
}

func repeats(_ *counted, q Request) bool { return q.Repeats != nil && q.Repeats() }

func (c *counted) meets() bool {
	c.seen++
	if c.nth > 0 && c.seen != c.nth || c.rand != nil && c.rand.Float64() >= c.rate {
		return false
	}
	c.hits++
	return true
}

// Stands reports whether there is a rule of a fault, whoever meets it.
func (s *Set) Stands(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.rules, func(c *counted) bool { return c.Fault.ID == id })
}

// Empty reports whether there are no rules.
func (s *Set) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rules) == 0
}
