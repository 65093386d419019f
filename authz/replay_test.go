package authz_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
)

// SB-JWT-20: of a hundred parallel posts of one assertion one is granted.
func TestParallelReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const rounds, posts = 3, 100
	for round := range rounds {
		a := w.newAsk()
		req := a.request()
		var wg sync.WaitGroup
		decisions := make([]*authz.TokenDecision, posts)
		for i := range posts {
			req := req
			req.Exchange = fmt.Sprint("x", i)
			wg.Go(func() { decisions[i] = w.server.Token(t.Context(), req) })
		}
		wg.Wait()
		granted := 0
		for _, d := range decisions {
			if d.Err == nil {
				granted++
				continue
			}
			clientError("C15").check(t, d.Checks, d.Err)
		}
		if granted != 1 {
			t.Fatalf("round %d: %d of %d posts were granted, want 1", round, granted, posts)
		}
	}
}

// SB-JWT-20: an assertion that is refused for any other reason leaves its jti
// free, so that nobody can use up another client's.
func TestRefusedAssertionLeavesJTIFree(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.newAsk()
	forged := w.newAsk()
	forged.assertion = a.assertion
	forged.key = key(t, "rsa-b", "rsa-1")
	d := forged.send()
	clientError("A15").check(t, d.Checks, d.Err)
	a.granted()
}

// SB-JWT-19: the same jti of another issuer, and a jti whose assertion has
// expired, are new.
func TestJTIScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.newAsk()
	first.granted()

	client, err := w.store.Client(t.Context(), authz.Sandbox, "app")
	if err != nil {
		t.Fatal(err)
	}
	client.ID = "app2"
	w.put(client)
	other := w.newAsk()
	other.assertion.Claims["iss"], other.assertion.Claims["sub"] = "app2", "app2"
	other.assertion.Claims["jti"] = first.assertion.Claims["jti"]
	other.granted()

	for _, step := range []struct {
		after   time.Duration
		granted bool
	}{{269 * time.Second, false}, {time.Second, true}} { // exp is 240 s ahead, skew 30 s
		w.wall.Advance(step.after)
		again := w.newAsk()
		again.assertion.Claims["jti"] = first.assertion.Claims["jti"]
		if d := again.send(); (d.Err == nil) != step.granted {
			t.Errorf("%v later: %v, want granted: %v", step.after, d.Err, step.granted)
		}
	}
}

// SB-JWT-19: an assertion that was used stays used when the tolerated skew grows
// over its exp again.
func TestReplayWithMoreSkew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	none, more := authz.Strict(), authz.Strict()
	none.Skew = 0
	var err error
	if w.server, err = w.server.With(none); err != nil {
		t.Fatal(err)
	}
	a := w.newAsk()
	a.granted()
	w.wall.Advance(245 * time.Second) // exp was 240 s ahead
	if w.server, err = w.server.With(more); err != nil {
		t.Fatal(err)
	}
	clientError("C15").check(t, a.send().Checks, a.send().Err)
}

// What is explained is no attempt: it neither counts as a failure nor uses
// anything up.
func TestExplainingIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withBehaviour(func(b *authz.Behaviour) { b.FailureLimit = 2 }))
	for range 3 {
		a := w.newAsk()
		a.assertion.Claims["aud"] = "elsewhere"
		if d := w.server.Explain(t.Context(), a.request()); d.Err == nil || d.Err.Check.ID() != "C03" {
			t.Fatalf("explained as %v", d.Err)
		}
	}
	w.newAsk().granted()
}
