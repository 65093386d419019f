package authz_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/authz/authztest"
)

// published is a world whose client app publishes its keys.
func published(t testing.TB, h *host) *world {
	w := newWorld(t)
	w.server = w.open(withKeys(authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, Clock: w.wall})))
	w.change(func(c *authz.Client) { c.JWKS, c.JWKSURI = nil, h.URL+"/jwks.json" })
	return w
}

func TestPublishedKeys(t *testing.T) {
	t.Parallel()
	h := plainHost(t)
	w := published(t, h)
	h.publish(authztest.JWKS(w.rsa), "Cache-Control", "max-age=600")
	w.newAsk().granted()

	a := w.newAsk() // SB-JWT-08: the registered jku
	a.assertion.Header["jku"] = h.URL + "/jwks.json"
	a.granted()

	a = w.newAsk() // SB-JWT-08: another one, never fetched
	a.assertion.Header["jku"] = h.URL + "/jwks.json/"
	before := h.hits.Load()
	d := a.send()
	clientError("A24", "a slash too many", "was not fetched").check(t, d.Checks, d.Err)
	if h.hits.Load() != before {
		t.Error("the unregistered jku was fetched")
	}

	h.publish(authztest.JWKS(w.rsa, w.ec), "Cache-Control", "max-age=600") // SB-KEY-06: rotation
	a = w.newAsk()
	a.signWith(w.ec)
	a.granted()

	w.wall.Advance(time.Second)
	stranger := func() *ask {
		a := w.newAsk()
		a.signWith(key(t, "rsa-b", "rsa-3"))
		return a
	}
	d = stranger().send() // J05: throttled, and said so
	clientError("J05", `"rsa-1" and "ec-1"`, "Cache-Control: max-age=600", "Publish a new key before you sign with it", "again for an unknown kid in 29 s").check(t, d.Checks, d.Err)

	a = w.newAsk() // A12: the copy is as old, but a key of it signed
	a.assertion.Header["kid"] = "rsa-3"
	d = a.send()
	clientError("A12", "only the kid is wrong").check(t, d.Checks, d.Err)

	w.wall.Advance(30 * time.Second) // A12: the set was read again for it
	d = stranger().send()
	clientError("A12", `"rsa-1" and "ec-1"`, "Register the public half").check(t, d.Checks, d.Err)

	h.answer(http.NotFound)
	w.wall.Advance(time.Minute) // J05: it could not be read again
	d = stranger().send()
	clientError("J05", "tried to read it again 0 s ago and failed").check(t, d.Checks, d.Err)
}

// J05: a server that keeps a copy whatever its headers say learns of a new key
// when that time is over by its own clock, and not before.
func TestStaleKeySets(t *testing.T) {
	t.Parallel()
	h := plainHost(t)
	w := newWorld(t)
	w.server = w.open(withKeys(authz.NewFetcher(authz.FetchConfig{Reach: authz.ReachLoopback, Clock: w.wall, ServerClock: w.clock})),
		withBehaviour(func(b *authz.Behaviour) { b.StaleKeySets = time.Hour }))
	w.change(func(c *authz.Client) { c.JWKS, c.JWKSURI = nil, h.URL+"/jwks.json" })
	h.publish(authztest.JWKS(w.rsa), "Cache-Control", "no-store")
	w.newAsk().granted()
	h.publish(authztest.JWKS(w.ec), "Cache-Control", "no-store")
	byEC := func() *ask {
		a := w.newAsk()
		a.signWith(w.ec)
		return a
	}
	w.wall.Advance(10 * time.Minute)
	w.clock.Advance(59 * time.Minute)
	d := byEC().send()
	clientError("J05", "keeps a set for 1 h by its own clock", "10 min ago", "keep the old one published").check(t, d.Checks, d.Err)
	w.newAsk().granted() // the old key goes on
	changed := w.newAsk()
	changed.key = key(t, "rsa-b", "rsa-1")
	d = changed.send()
	clientError("A15").check(t, d.Checks, d.Err) // it does not look whether the key was changed
	if hits := h.hits.Load(); hits != 1 {
		t.Errorf("the set was fetched %d times within the hour, want once", hits)
	}
	w.clock.Advance(time.Minute)
	byEC().granted()
}

func TestKeyChangedUnderItsKid(t *testing.T) {
	t.Parallel()
	h := plainHost(t)
	w := published(t, h)
	h.publish(authztest.JWKS(w.rsa), "Cache-Control", "max-age=600")
	w.newAsk().granted()
	changed := key(t, "rsa-b", "rsa-1")
	h.publish(authztest.JWKS(changed), "Cache-Control", "max-age=600")
	w.wall.Advance(time.Minute)
	a := w.newAsk()
	a.key = changed
	d := a.send()
	clientError("J06", "changed and kept its kid", "2026-03-04T12:00:00Z", "give every new key a new kid").check(t, d.Checks, d.Err)
	a = w.newAsk()
	a.key = changed
	a.granted()
}

func TestUnreachableKeys(t *testing.T) {
	t.Parallel()
	h := plainHost(t)
	w := published(t, h)
	h.answer(http.NotFound)
	d := w.newAsk().send()
	clientError("J03", "404").check(t, d.Checks, d.Err)
	w.server = w.open() // no KeySource
	d = w.newAsk().send()
	clientError("J08", "fetches no key sets").check(t, d.Checks, d.Err)
}
