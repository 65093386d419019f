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

	a = w.newAsk() // J05 in the strict server: throttled, and said so
	a.signWith(key(t, "rsa-b", "rsa-3"))
	d = a.send()
	clientError("A12", `"rsa-1" and "ec-1"`, "Cache-Control: max-age=600", "publish a key before you sign with it").check(t, d.Checks, d.Err)
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
