package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestTokensEndByControl ends tokens from Go and over HTTP, and finds the same
// effect: the tokens there are refused, new ones are taken, and the job goes on.
func TestTokensEndByControl(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		check string
		end   func(*testing.T, *world, *sandbox.Client)
		all   bool // whether the tokens of others end too
	}{
		{"T03 expire from Go", "T03", func(t *testing.T, w *world, _ *sandbox.Client) {
			if err := w.ExpireTokens(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"T03 expire over HTTP", "T03", func(t *testing.T, w *world, _ *sandbox.Client) {
			w.at().send(t, "POST", "/_sandbox/tokens/expire", "").want(t, 200)
		}, true},
		{"T06 revoke a client from Go", "T06", func(t *testing.T, _ *world, c *sandbox.Client) {
			if err := c.Revoke(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"T06 revoke a client over HTTP", "T06", func(t *testing.T, w *world, c *sandbox.Client) {
			w.at().send(t, "POST", "/_sandbox/clients/"+c.ID()+"/revoke", "").want(t, 200)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			client := w.client(t, "system/*.cruds")
			me := w.holder(t, client)
			job := me.get(t, "/$export", "Accept", fhirJSON, "Prefer", "respond-async").want(t, 202).header.Get("Content-Location")
			before := w.Clock().Now()
			c.end(t, w, client)
			said := me.get(t, "/Patient").refused(t, 401, "expired", "login")
			if !strings.HasPrefix(said.Diagnostics, c.check+":") {
				t.Errorf("got %q, want finding %s", said.Diagnostics, c.check)
			}
			if status := w.all.get(t, "/Patient").status; (status == http.StatusUnauthorized) != c.all {
				t.Errorf("another client's token: got status %d", status)
			}
			again := w.holder(t, client)
			again.get(t, "/Patient").want(t, 200)
			if a := again.get(t, job); a.status != 200 && a.status != 202 {
				t.Errorf("the job: got status %d", a.status)
			}
			if moved := w.Clock().Now().Sub(before); moved.Minutes() > 1 {
				t.Errorf("the clock moved by %v", moved)
			}
		})
	}
	t.Run("nobody", func(t *testing.T) {
		w := start(t)
		asPlain(t, w.at().send(t, "POST", "/_sandbox/clients/nobody/revoke", ""), 404)
		asPlain(t, w.at().send(t, "POST", "/production/_sandbox/clients/default-client/revoke", ""), 404)
	})
}
