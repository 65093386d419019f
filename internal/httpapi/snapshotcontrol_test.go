package httpapi_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/sandbox"
)

// A controller resets, snapshots and restores a world in one of the ways that
// there are.
type controller struct {
	name                 string
	reset                func(*testing.T, *world)
	take, restore, leave func(*testing.T, *world, string)
}

func controllers() []controller {
	post := func(t *testing.T, w *world, path string, status int) {
		t.Helper()
		w.at().send(t, "POST", "/_sandbox"+path, "").want(t, status)
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return []controller{
		{"Go",
			func(t *testing.T, w *world) { must(t, w.Reset(t.Context())) },
			func(t *testing.T, w *world, name string) { _, err := w.TakeSnapshot(t.Context(), name); must(t, err) },
			func(t *testing.T, w *world, name string) { must(t, w.Restore(t.Context(), name)) },
			func(t *testing.T, w *world, name string) { must(t, w.DeleteSnapshot(name)) }},
		{"HTTP",
			func(t *testing.T, w *world) { post(t, w, "/reset", 200) },
			func(t *testing.T, w *world, name string) { post(t, w, "/snapshots/"+name, 201) },
			func(t *testing.T, w *world, name string) { post(t, w, "/snapshots/"+name+"/restore", 200) },
			func(t *testing.T, w *world, name string) {
				w.at().send(t, "DELETE", "/_sandbox/snapshots/"+name, "").want(t, 204)
			}},
	}
}

// TestSnapshotsAndReset changes a world behind a snapshot, and finds it as it was
// after the restore and as it began after the reset, in memory and in a data
// directory, from Go and over HTTP.
func TestSnapshotsAndReset(t *testing.T) {
	t.Parallel()
	for _, c := range controllers() {
		for _, kept := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, kept %v", c.name, kept), func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "loaded.ndjson")
				if err := os.WriteFile(file, []byte(patient("loaded")+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				opts := []sandbox.Option{sandbox.WithLoad(file)}
				if kept {
					opts = append(opts, sandbox.WithDataDir(t.TempDir()))
				}
				w := start(t, opts...)
				guest := w.client(t, "system/*.cruds")
				me := w.holder(t, guest)
				me.put(t, "/Patient/kept", patient("kept")).want(t, 201)
				job := me.get(t, "/$export?_type=Patient", "Accept", fhirJSON, "Prefer", "respond-async").want(t, 202).header.Get("Content-Location")
				w.Clock().Advance(time.Minute)
				w.Clock().Freeze()
				at := w.Clock().Now()
				c.take(t, w, "one")

				w.Clock().Follow()
				w.Clock().Advance(2 * time.Minute)
				me.put(t, "/Patient/later", patient("later")).want(t, 201)
				me.send(t, "DELETE", "/Patient/kept", "").want(t, 204)
				late := w.client(t, "system/*.cruds")
				lately := w.holder(t, late)
				if err := w.Service(guest.ID()).Delete(t.Context()); err != nil {
					t.Fatal(err)
				}
				me.get(t, "/Patient").refused(t, 401, "login")

				c.restore(t, w, "one")
				me.get(t, "/Patient/kept").want(t, 200)
				me.get(t, "/Patient/later").want(t, 404)
				me.get(t, "/Patient/loaded").want(t, 200)
				if a := me.get(t, job); a.status != 200 && a.status != 202 {
					t.Errorf("the job: got status %d", a.status)
				}
				lately.get(t, "/Patient").refused(t, 401, "login")
				if got := w.Clock().Now(); !got.Equal(at) {
					t.Errorf("the clock shows %v, want %v", got, at)
				}
				me.put(t, "/Patient/after", patient("after")).want(t, 201)
				c.restore(t, w, "one")
				me.get(t, "/Patient/after").want(t, 404)

				c.reset(t, w)
				me.get(t, "/Patient/kept").refused(t, 401, "login") // the guest is gone
				w.client(t, "system/*.cruds")                       // takes the number that the guest's tokens would have again
				again, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{ID: guest.ID()})
				if err != nil {
					t.Fatal(err)
				}
				me.get(t, "/Patient/kept").refused(t, 401, "login") // another of the same id
				me = w.holder(t, again)
				me.get(t, "/Patient/kept").want(t, 404)
				me.get(t, "/Patient/loaded").want(t, 200)
				if got := total(t, me.get(t, "/Patient?_summary=count")); got != patients+1 {
					t.Errorf("after the reset got %d patients, want %d", got, patients+1)
				}
				if d := w.Clock().Now().Sub(clock.System{}.Now()).Abs(); d > time.Minute {
					t.Errorf("after the reset the clock is off by %v", d)
				}
				c.leave(t, w, "one")
				if err := w.Restore(t.Context(), "one"); err == nil {
					t.Error("a snapshot was restored that was deleted")
				}
			})
		}
	}
}

func total(t *testing.T, a *answer) int {
	t.Helper()
	var bundle struct{ Total int }
	a.want(t, 200).decode(t, &bundle)
	return bundle.Total
}

// TestNoReturnRevivesTokens ends tokens in every way behind a snapshot: none of
// them opens anything again when it is restored.
func TestNoReturnRevivesTokens(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *world, *sandbox.Client, party){
		"expired": func(t *testing.T, w *world, _ *sandbox.Client, _ party) {
			if err := w.ExpireTokens(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"client revoked": func(t *testing.T, _ *world, c *sandbox.Client, _ party) {
			if err := c.Revoke(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"token revoked": func(t *testing.T, w *world, c *sandbox.Client, p party) {
			assertion, err := c.Assertion()
			if err != nil {
				t.Fatal(err)
			}
			w.at().send(t, "POST", "/auth/revoke", form("token", p.token, "client_assertion", assertion,
				"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), "Content-Type", formType).want(t, 200)
		},
	} {
		for _, kept := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, kept %v", name, kept), func(t *testing.T) {
				t.Parallel()
				var opts []sandbox.Option
				if kept {
					opts = append(opts, sandbox.WithDataDir(t.TempDir()))
				}
				w := start(t, opts...)
				client := w.client(t, "system/*.cruds")
				me := w.holder(t, client)
				if _, err := w.TakeSnapshot(t.Context(), "before"); err != nil {
					t.Fatal(err)
				}
				me.get(t, "/Patient").want(t, 200)
				end(t, w, client, me)
				me.get(t, "/Patient").want(t, 401)
				if err := w.Restore(t.Context(), "before"); err != nil {
					t.Fatal(err)
				}
				me.get(t, "/Patient").want(t, 401)
				w.holder(t, client).get(t, "/Patient").want(t, 200)
			})
		}
	}
}

// TestSnapshotsOutliveARestart restores in a data directory, and starts again
// with it.
func TestSnapshotsOutliveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := start(t, sandbox.WithDataDir(dir))
	w.all.put(t, "/Patient/kept", patient("kept")).want(t, 201)
	if _, err := w.TakeSnapshot(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	w.all.put(t, "/Patient/later", patient("later")).want(t, 201)
	if err := w.Restore(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	w.all.put(t, "/Patient/after", patient("after")).want(t, 201)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = start(t, sandbox.WithDataDir(dir))
	for id, status := range map[string]int{"kept": 200, "later": 404, "after": 200} {
		w.all.get(t, "/Patient/"+id).want(t, status)
	}
	if list, err := w.Snapshots(); err != nil || len(list) != 1 || list[0].Name != "one" {
		t.Errorf("got snapshots %v, %v; want the one", list, err)
	}
	if err := w.Restore(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	w.all.get(t, "/Patient/after").want(t, 404)
	if left, _ := filepath.Glob(filepath.Join(dir, "epoch-*")); len(left) != 1 {
		t.Errorf("there are %v, want one directory", left)
	}
}

// TestASnapshotIsOfOneInstant takes snapshots while pairs of Patients are written,
// into the sandbox first and into production next: of no pair may a snapshot have
// the second alone.
func TestASnapshotIsOfOneInstant(t *testing.T) {
	t.Parallel()
	w := start(t)
	there, err := w.Production().RegisterClient(t.Context(), sandbox.ClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	other := w.holder(t, there)
	var side sync.WaitGroup
	done := make(chan struct{})
	for n := range 3 {
		side.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				id := fmt.Sprintf("pair-%d-%d", n, i)
				for _, p := range []party{w.all, other} {
					a, err := p.try(t.Context(), "PUT", "/Patient/"+id, strings.NewReader(patient(id)), "Content-Type", fhirJSON)
					if err != nil || a.status != http.StatusCreated {
						t.Errorf("%s: %v, %v", id, a, err)
						return
					}
				}
			}
		})
	}
	for i := range 8 {
		if _, err := w.TakeSnapshot(t.Context(), fmt.Sprintf("s%d", i)); err != nil {
			t.Error(err)
		}
	}
	close(done)
	side.Wait()
	for i := range 8 {
		if err := w.Restore(t.Context(), fmt.Sprintf("s%d", i)); err != nil {
			t.Fatal(err)
		}
		first := total(t, w.all.get(t, "/Patient?_summary=count")) - patients
		second := total(t, other.get(t, "/Patient?_summary=count")) - patients
		if second > first || first > second+3 {
			t.Errorf("snapshot %d has %d and %d", i, first, second)
		}
	}
}

// TestAResetBehindRequests resets a world in the midst of many: each is answered
// as before it or as behind it.
func TestAResetBehindRequests(t *testing.T) {
	t.Parallel()
	w := start(t)
	var side sync.WaitGroup
	done := make(chan struct{})
	for n := range 4 {
		side.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				id := fmt.Sprintf("p-%d-%d", n, i)
				a, err := w.all.try(t.Context(), "PUT", "/Patient/"+id, strings.NewReader(patient(id)), "Content-Type", fhirJSON)
				if err != nil || a.status != 201 {
					t.Errorf("a write: %v, %v", a, err)
					return
				}
				a, err = w.all.try(t.Context(), "GET", "/Patient/"+id, nil)
				if err != nil || a.status != 200 && a.status != 404 {
					t.Errorf("a read: %v, %v", a, err)
					return
				}
			}
		})
	}
	for range 10 {
		w.at().send(t, "POST", "/_sandbox/reset", "").want(t, 200)
	}
	close(done)
	side.Wait()
}

// TestSnapshotRefusals reads what mistakes are told.
func TestSnapshotRefusals(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"POST", "/_sandbox/snapshots/-x", 400},
		{"POST", "/_sandbox/snapshots/none/restore", 404},
		{"DELETE", "/_sandbox/snapshots/none", 404},
		{"POST", "/_sandbox/snapshots/..%2Fx/restore", 404},
		{"DELETE", "/_sandbox/snapshots/..%2Fx", 404},
	} {
		asPlain(t, w.at().send(t, c.method, c.path, ""), c.status)
	}
}
