package httpapi_test

import (
	archive "archive/zip"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A sameControl is a control that can be used from Go and over HTTP.
type sameControl struct {
	name     string
	given    func(*testing.T, *world) // what is there before; may be nil
	fromGo   func(*testing.T, *world) error
	overHTTP func(*testing.T, *world)
	effect   func(*testing.T, *world) string // as a client, or the other way in, sees it
}

// posted is a control that is one request.
func posted(method, path, body string, status int) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		w.at().send(t, method, path, body).want(t, status)
	}
}

// statusOf is the status of a GET by the default client, whose token is from the
// beginning.
func statusOf(path string) func(*testing.T, *world) string {
	return func(t *testing.T, w *world) string { return fmt.Sprint(w.all.get(t, path).status) }
}

// clockOf is how far the workspace's clock is ahead of real time, and whether it stands.
func clockOf(t *testing.T, w *world) string {
	var got struct {
		Now    time.Time
		Frozen bool
	}
	w.at().get(t, "/_sandbox/clock").want(t, 200).decode(t, &got)
	return fmt.Sprint(time.Until(got.Now).Round(time.Hour), got.Frozen)
}

func onClock(change func(*sandbox.Clock)) func(*testing.T, *world) error {
	return func(_ *testing.T, w *world) error { change(w.Clock()); return nil }
}

const patientX = `{"resourceType":"Patient","id":"x","name":[{"family":"Loaded"}]}`

// registered is a service called "s" that has gone so far.
func registered(steps ...string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		if _, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "s", Name: "S", Scopes: []string{"system/Patient.rs"}, Status: sandbox.StatusDraft}); err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			w.at().send(t, "POST", servicesPath+"/s/"+step, `{"reason":"for a test"}`, "Content-Type", "application/json").want(t, 200)
		}
	}
}

// serviceState is where the service "s" stands.
func serviceState(t *testing.T, w *world) string {
	a := w.at().get(t, servicesPath+"/s")
	var got portalService
	if a.status == 200 {
		a.decode(t, &got)
	}
	live := w.at().get(t, "/production/Client/s").status
	return fmt.Sprint(a.status, got.Status, live)
}

// sameControls are the controls.
func sameControls() []sameControl {
	var states sync.Map // of *world: what it was, as a file
	stateOf := func(w *world) []byte { state, _ := states.Load(w); return state.([]byte) }
	withSnapshot := func(t *testing.T, w *world) {
		posted("POST", "/_sandbox/snapshots/kept", "", 201)(t, w)
		w.all.put(t, "/Patient/x", patientX).want(t, 201)
	}
	withHost := posted("POST", "/_sandbox/keys", `{"name":"app"}`, 201)
	keyIDs := func(t *testing.T, w *world) string {
		a := w.at().get(t, "/_sandbox/keys/app/jwks.json")
		return fmt.Sprint(a.status, strings.Count(string(a.body), `"kid"`))
	}
	return []sameControl{
		{"clock advance", nil, onClock(func(c *sandbox.Clock) { c.Advance(2 * time.Hour) }), posted("POST", "/_sandbox/clock", `{"advance":"2h"}`, 200), clockOf},
		{"clock advance, as tokens see it", nil, onClock(func(c *sandbox.Clock) { c.Advance(6 * time.Minute) }), posted("POST", "/_sandbox/clock", `{"advance":"6m"}`, 200), statusOf("/Patient?_count=1")},
		{"clock set", nil, onClock(func(c *sandbox.Clock) { c.Set(time.Now().Add(-3 * time.Hour)) }),
			func(t *testing.T, w *world) {
				posted("POST", "/_sandbox/clock", `{"set":"`+time.Now().Add(-3*time.Hour).Format(time.RFC3339)+`"}`, 200)(t, w)
			}, clockOf},
		{"clock freeze", nil, onClock((*sandbox.Clock).Freeze), posted("POST", "/_sandbox/clock", `{"freeze":true}`, 200), clockOf},
		{"clock follow", posted("POST", "/_sandbox/clock", `{"freeze":true}`, 200), onClock((*sandbox.Clock).Follow), posted("POST", "/_sandbox/clock", `{"freeze":false}`, 200), clockOf},
		{"fault", nil,
			func(_ *testing.T, w *world) error {
				_, err := w.Inject("status:code=418@type=Patient#times=1")
				return err
			},
			posted("POST", "/_sandbox/faults", `{"fault":"status:code=418@type=Patient#times=1"}`, 201), statusOf("/Patient?_count=1")},
		{"faults cleared", func(t *testing.T, w *world) { w.inject(t, "status:code=418") },
			func(_ *testing.T, w *world) error { w.ClearFaults(); return nil },
			posted("DELETE", "/_sandbox/faults", "", 204), statusOf("/Patient?_count=1")},
		{"behaviour", nil, func(_ *testing.T, w *world) error {
			return w.SetBehaviour("aidbox", map[string]string{"token.ttl": "77s"})
		},
			posted("PUT", "/_sandbox/behaviour", `{"name":"aidbox","switches":{"token.ttl":"77s"}}`, 200),
			func(t *testing.T, w *world) string {
				var got struct {
					Algs []string `json:"token_endpoint_auth_signing_alg_values_supported"`
				}
				w.at().get(t, "/fhir/.well-known/smart-configuration").want(t, 200).decode(t, &got)
				return fmt.Sprint(got.Algs, w.Behaviour().Value("token.ttl"))
			}},
		{"tokens expire", nil, func(t *testing.T, w *world) error { return w.ExpireTokens(t.Context()) }, posted("POST", "/_sandbox/tokens/expire", "", 200), statusOf("/Patient?_count=1")},
		{"a client's tokens are revoked", nil, func(t *testing.T, w *world) error { return w.DefaultClient().Revoke(t.Context()) },
			func(t *testing.T, w *world) {
				posted("POST", "/_sandbox/clients/"+w.DefaultClient().ID()+"/revoke", "", 200)(t, w)
			}, statusOf("/Patient?_count=1")},
		{"world", nil, func(t *testing.T, w *world) error {
			_, err := w.NewWorld(t.Context(), sandbox.WorldConfig{Name: "a", Empty: true, Behaviour: "aidbox"})
			return err
		}, posted("POST", "/_sandbox/workspaces", `{"name":"a","empty":true,"behaviour":"aidbox"}`, 201),
			func(t *testing.T, w *world) string {
				a := w.at().get(t, "/w/a/_sandbox/data")
				return fmt.Sprint(a.status, string(a.body), string(w.at().get(t, "/w/a/fhir/.well-known/smart-configuration").body) != "")
			}},
		{"snapshot", nil, func(t *testing.T, w *world) error { _, err := w.TakeSnapshot(t.Context(), "kept"); return err },
			posted("POST", "/_sandbox/snapshots/kept", "", 201),
			func(t *testing.T, w *world) string {
				list, err := w.Snapshots()
				return fmt.Sprint(len(list), err, w.at().send(t, "POST", "/_sandbox/snapshots/kept/restore", "").status)
			}},
		{"restore", withSnapshot, func(t *testing.T, w *world) error { return w.Restore(t.Context(), "kept") }, posted("POST", "/_sandbox/snapshots/kept/restore", "", 200), statusOf("/Patient/x")},
		{"snapshot deleted", withSnapshot, func(_ *testing.T, w *world) error { return w.DeleteSnapshot("kept") }, posted("DELETE", "/_sandbox/snapshots/kept", "", 204),
			func(t *testing.T, w *world) string {
				return fmt.Sprint(strings.Contains(string(w.at().get(t, "/_sandbox/snapshots").want(t, 200).body), "kept"))
			}},
		{"reset", registered(), func(t *testing.T, w *world) error { return w.Reset(t.Context()) }, posted("POST", "/_sandbox/reset", "", 200), serviceState},
		{"state imported", func(t *testing.T, w *world) {
			w.all.put(t, "/Patient/x", patientX).want(t, 201)
			var state bytes.Buffer
			if err := w.ExportState(t.Context(), &state); err != nil {
				t.Fatal(err)
			}
			states.Store(w, state.Bytes())
			w.all.send(t, "DELETE", "/Patient/x", "").want(t, 204)
		}, func(t *testing.T, w *world) error { return w.ImportState(t.Context(), bytes.NewReader(stateOf(w))) },
			func(t *testing.T, w *world) {
				posted("PUT", "/_sandbox/state", string(stateOf(w)), 200)(t, w)
			}, statusOf("/Patient/x")},
		{"load", nil, func(t *testing.T, w *world) error { _, err := w.Load(t.Context(), []byte(patientX)); return err },
			posted("POST", "/_sandbox/data/load", patientX, 200), statusOf("/Patient/x")},
		{"evolve", nil, func(t *testing.T, w *world) error { _, err := w.Evolve(t.Context(), 30); return err },
			posted("POST", "/_sandbox/data/evolve", `{"days":30}`, 200),
			func(t *testing.T, w *world) string {
				counts, err := w.Counts(t.Context())
				return fmt.Sprint(counts, err)
			}},
		{"keys hosted", nil, func(_ *testing.T, w *world) error {
			_, err := w.HostKeys(sandbox.KeyHostConfig{Name: "app"})
			return err
		}, withHost, keyIDs},
		{"origin", nil, func(_ *testing.T, w *world) error { _, err := w.Origin(sandbox.ExpiredCertificate); return err },
			posted("POST", "/_sandbox/origins", `{"certificate":"expired"}`, 201),
			func(t *testing.T, w *world) string {
				return fmt.Sprint(strings.Count(string(w.at().get(t, "/_sandbox/origins").want(t, 200).body), `"https://`))
			}},
		{"submit", registered(), func(t *testing.T, w *world) error { return w.Service("s").Submit(t.Context()) }, posted("POST", servicesPath+"/s/submit", "", 200), serviceState},
		{"approve", registered("submit"), func(t *testing.T, w *world) error { return w.Service("s").Approve(t.Context()) }, posted("POST", servicesPath+"/s/approve", "", 200), serviceState},
		{"reject", registered("submit"), func(t *testing.T, w *world) error { return w.Service("s").Reject(t.Context(), "no") }, posted("POST", servicesPath+"/s/reject", `{"reason":"no"}`, 200), serviceState},
		{"deactivate", registered("submit", "approve"), func(t *testing.T, w *world) error { return w.Service("s").Deactivate(t.Context(), "no") }, posted("POST", servicesPath+"/s/deactivate", `{"reason":"no"}`, 200), serviceState},
		{"service deleted", registered("submit", "approve"), func(t *testing.T, w *world) error { return w.Service("s").Delete(t.Context()) }, posted("DELETE", servicesPath+"/s", "", 204), serviceState},
	}
}

// Every control has the same effect from Go and over HTTP, and has one.
func TestControlsFromGoAndOverHTTP(t *testing.T) {
	t.Parallel()
	for _, c := range sameControls() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			effect := func(act func(*world)) string {
				w := start(t)
				if c.given != nil {
					c.given(t, w)
				}
				act(w)
				return c.effect(t, w)
			}
			before := effect(func(*world) {})
			fromGo := effect(func(w *world) {
				if err := c.fromGo(t, w); err != nil {
					t.Fatal(err)
				}
			})
			overHTTP := effect(func(w *world) { c.overHTTP(t, w) })
			if fromGo != overHTTP || fromGo == before {
				t.Errorf("from Go %q, over HTTP %q, and before %q", fromGo, overHTTP, before)
			}
		})
	}
}

// What the controls tell is the same from Go and over HTTP.
func TestControlsTellTheSame(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.stranger().get(t, "/Patient").want(t, 401)
	fault := w.inject(t, "status:code=418@type=Patient")
	w.all.get(t, "/Patient").want(t, 418)
	t.Run("exchanges", func(t *testing.T) {
		var list []struct{ ID string }
		w.at().get(t, "/_sandbox/exchanges").want(t, 200).decode(t, &list)
		var got, want []string
		for _, e := range list {
			got = append(got, e.ID)
		}
		for _, e := range w.Exchanges() {
			want = append(want, e.ID)
		}
		slices.Sort(got)
		slices.Sort(want)
		if len(want) < 2 || !slices.Equal(got, want) {
			t.Errorf("over HTTP %v, from Go %v", got, want)
		}
	})
	t.Run("faults", func(t *testing.T) {
		var list struct {
			Faults []struct {
				Fault string
				Hits  int
			}
		}
		w.at().get(t, "/_sandbox/faults").want(t, 200).decode(t, &list)
		if len(list.Faults) != 1 || list.Faults[0].Fault != fault.String() || list.Faults[0].Hits != fault.Hits() || fault.Hits() != 1 {
			t.Errorf("over HTTP %v, from Go %v with %d hits", list.Faults, fault, fault.Hits())
		}
	})
	t.Run("counts", func(t *testing.T) {
		var list struct {
			Types []struct {
				Type  string
				Count int64
			}
		}
		w.at().get(t, "/_sandbox/data").want(t, 200).decode(t, &list)
		got := map[string]int64{}
		for _, c := range list.Types {
			got[c.Type] = c.Count
		}
		want, err := w.Counts(t.Context())
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) || len(want) < 20 {
			t.Errorf("over HTTP %v, from Go %v, %v", got, want, err)
		}
	})
	t.Run("behaviour", func(t *testing.T) {
		var got struct{ Name string }
		w.at().get(t, "/_sandbox/behaviour").want(t, 200).decode(t, &got)
		if want := w.Behaviour().Name; got.Name != want {
			t.Errorf("over HTTP %s, from Go %s", got.Name, want)
		}
	})
	t.Run("state", func(t *testing.T) {
		var fromGo bytes.Buffer
		if err := w.ExportState(t.Context(), &fromGo); err != nil {
			t.Fatal(err)
		}
		got, want := zipped(t, w.at().get(t, "/_sandbox/state").want(t, 200).body), zipped(t, fromGo.Bytes())
		if !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("over HTTP %v, from Go %v", got, want)
		}
	})
}

// zipped lists the names of the files in a ZIP.
func zipped(t *testing.T, file []byte) (names []string) {
	t.Helper()
	r, err := archive.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}
