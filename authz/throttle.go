package authz

import (
	"sync"
	"time"
)

// throttleWindow is how long failures count.
const throttleWindow = time.Minute

// maxThrottled bounds the pairs of client and address that are counted.
const maxThrottled = 10_000

// throttle counts failed authentications by client and address in windows of
// real time. Servers that With made share it.
type throttle struct {
	mu      sync.Mutex
	windows map[throttleKey]throttleCount
}

type throttleKey struct{ client, remote string }

type throttleCount struct {
	since  time.Time
	failed int
}

func newThrottle() *throttle { return &throttle{windows: map[throttleKey]throttleCount{}} }

// wait returns how long a client at an address has to wait after so many
// failures, or 0.
func (t *throttle) wait(key throttleKey, limit int, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.windows[key]
	if w.failed < limit {
		return 0
	}
	return max(0, w.since.Add(throttleWindow).Sub(now))
}

// fail counts a failure.
func (t *throttle) fail(key throttleKey, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.windows[key]
	if now.Sub(w.since) >= throttleWindow {
		w = throttleCount{since: now}
	}
	w.failed++
	if len(t.windows) >= maxThrottled {
		clear(t.windows)
	}
	t.windows[key] = w
}

// throttled refuses a client that failed to authenticate too often of late from
// the same address, where the behaviour bounds that.
func (a *attempt) throttled() *Error {
	limit := a.behaviour.FailureLimit
	if limit == 0 {
		a.checks.pass(ruleThrottle, "no limit")
		return nil
	}
	a.counted = &throttleKey{a.claimedClient(), a.req.Remote}
	wait := a.server.throttle.wait(*a.counted, limit, a.realTime)
	if wait == 0 {
		a.checks.pass(ruleThrottle, "fewer than "+itoa(limit)+" failures")
		return nil
	}
	a.counted = nil
	e := a.checks.refusal(429, CodeTemporarilyUnavailable, ruleThrottle, a.tooManyFailures(limit, wait))
	e.RetryAfter = wait
	return e
}

// countFailure counts a failure to authenticate where they are limited; a dry
// run never counts.
func (a *attempt) countFailure(err *Error) {
	if a.counted != nil && !a.dry && err != nil && err.Code == CodeInvalidClient {
		a.server.throttle.fail(*a.counted, a.realTime)
	}
}

// claimedClient is the client that the request claims to come from, as far as
// that can be read before anything was checked.
func (a *attempt) claimedClient() string {
	id := a.form["client_id"]
	if a.scheme == "basic" {
		if basic, _, why := a.basicCredential(); why == "" {
			id = basic
		}
	}
	if j, broken := splitJWS(a.form["client_assertion"]); broken == nil && j.readMembers() == nil {
		if iss, ok := j.claims.text("iss"); ok {
			id = iss
		}
	}
	if a.clientID == "" {
		a.clientID = id
	}
	return id
}
