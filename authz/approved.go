package authz

import (
	"context"
	"slices"
	"sync"
	"time"
)

// SinceApproval counts what a client still asks of the sandbox after
// production has admitted it (L02).
type SinceApproval struct {
	Approved time.Time // workspace time
	// Since is when the counting began: at the approval, or when this server
	// started, if that was later.
	Since time.Time
	Calls int // token requests and requests with a token, granted or not by scope
}

// SinceApproval returns what the client has asked of the sandbox since
// production admits it. It is false if production does not, and in any other
// environment than the sandbox.
func (s *Server) SinceApproval(ctx context.Context, clientID string) (SinceApproval, bool) {
	return s.sinceApproval(ctx, clientID, 0)
}

// sinceApproval adds calls to those that were counted.
func (s *Server) sinceApproval(ctx context.Context, clientID string, calls int) (SinceApproval, bool) {
	if s.env.Name != Sandbox || !slices.Contains(s.others, Production) {
		return SinceApproval{}, false
	}
	approved, err := s.store.Client(ctx, Production, clientID)
	if err != nil ||
		!(Environment{Name: Production}).Admits(approved.Status) { // or the store failed: then nothing is said
		return SinceApproval{}, false
	}
	at := approved.CreatedAt
	if approved.StatusAt.After(at) {
		at = approved.StatusAt
	}
	return s.calls.add(clientID, at, calls), true
}

// stillInSandbox counts calls to the sandbox of a client that production
// admits, and returns what to tell it; nil for any other client.
func (s *Server) stillInSandbox(ctx context.Context, client *Client, addresses Addresses, calls int) *outcome {
	found, approved := s.sinceApproval(ctx, client.ID, calls)
	if !approved {
		return nil
	}
	since := "since then"
	if found.Since.After(found.Approved) {
		since = "since this server started at " + stamp(found.Since)
	}
	o := &outcome{finding: "L02", got: plural(found.Calls, "call") + " to the sandbox", want: "calls to production",
		text: client.display() + " is active in production since " + stamp(found.Approved) +
			" and still calls the sandbox, whose data are made up: " + plural(found.Calls, "call") + " " +
			since + ".",
		remedy: Remedy{Environment: Production}}
	production := addresses.Other[Production]
	o.fix = "If that is not on purpose, use production: token URL and aud " + production.TokenURL +
		", FHIR base " + production.FHIRBase + "."
	if production.TokenURL == "" {
		o.fix = "If that is not on purpose, use production's token URL and FHIR base."
	}
	return o
}

// A callCounter counts by client.
type callCounter struct {
	begun time.Time

	mu     sync.Mutex
	counts map[string]*SinceApproval
}

// add counts calls of a client that was approved at that time. A new approval
// starts from zero.
func (c *callCounter) add(clientID string, approved time.Time, calls int) SinceApproval {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := c.counts[clientID]
	if count == nil || !count.Approved.Equal(approved) {
		count = &SinceApproval{Approved: approved, Since: approved}
		if c.begun.After(approved) {
			count.Since = c.begun
		}
		c.counts[clientID] = count
	}
	count.Calls += calls
	return *count
}
