package authz_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// approve puts the client app into production as of now.
func (w *world) approve(status authz.Status) {
	w.t.Helper()
	c, err := w.store.Client(w.t.Context(), authz.Sandbox, "app")
	if err != nil {
		w.t.Fatal(err)
	}
	c.Status, c.CreatedAt, c.StatusAt = status, w.clock.Now(), time.Time{}
	if _, err := w.store.PutClient(w.t.Context(), authz.Production, c); err != nil {
		w.t.Fatal(err)
	}
}

// L02: a client that production takes is told, on every call that it still
// makes to the sandbox, how many there were since its approval and where
// production is. Nothing is refused for it.
func TestApprovedClientsInTheSandbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	finding := func(checks []authz.Check, requirement authz.RuleID) authz.Check {
		t.Helper()
		for _, c := range checks {
			if c.RuleID == requirement {
				return c
			}
		}
		t.Fatalf("no check %s", requirement)
		return authz.Check{}
	}
	told := func(c authz.Check, parts ...string) {
		t.Helper()
		if c.Result != authz.Warn || c.ID() != "L02" {
			t.Fatalf("got %+v, want a warning L02", c)
		}
		for _, part := range parts {
			if !strings.Contains(c.Explanation(), part) {
				t.Errorf("does not say %q: %s", part, c.Explanation())
			}
		}
	}
	w.clock.Advance(time.Hour)
	if d := w.newAsk().send(); finding(d.Checks, "SB-ERR-27").Result != authz.Pass {
		t.Errorf("before the approval: %+v", finding(d.Checks, "SB-ERR-27"))
	}
	for _, status := range []authz.Status{authz.StatusUnderReview, authz.StatusRejected} {
		w.approve(status)
		if d := w.newAsk().send(); finding(d.Checks, "SB-ERR-27").Result != authz.Pass {
			t.Errorf("%s: %+v", status, finding(d.Checks, "SB-ERR-27"))
		}
	}
	w.approve(authz.StatusActive)
	grant := w.newAsk()
	d := grant.send()
	told(finding(d.Checks, "SB-ERR-27"), "is active in production since 2027-03-04T13:00:00Z", "1 call since then", otherToken, "http://127.0.0.1:8080/production/fhir")
	access := w.call(w.server, "Bearer "+d.Grant.Response.AccessToken)
	told(finding(access.Checks, "SB-ISS-06-CLIENT"), "2 calls since then")
	if dry := w.server.Explain(t.Context(), w.newAsk().request()); dry.Err != nil {
		t.Error(dry.Err)
	} else {
		told(finding(dry.Checks, "SB-ERR-27"), "2 calls since then")
	}
	got, approved := w.server.SinceApproval(t.Context(), "app")
	if !approved || got.Calls != 2 || !got.Approved.Equal(w.clock.Now()) || !got.Since.Equal(got.Approved) {
		t.Errorf("got %+v, %v; want two calls since now", got, approved)
	}
	again := w.open()
	told(finding(again.Token(t.Context(), w.newAsk().request()).Checks, "SB-ERR-27"), "1 call since then")
	w.clock.Advance(time.Hour)
	again = w.open()
	told(finding(again.Token(t.Context(), w.newAsk().request()).Checks, "SB-ERR-27"), "1 call since this server started at 2027-03-04T14:00:00Z")
	if _, approved := w.open(inProduction).SinceApproval(t.Context(), "app"); approved {
		t.Error("production tells its own clients that they are not there")
	}
}
