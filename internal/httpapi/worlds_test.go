package httpapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
	"github.com/sandfhir/sandfhir/sandbox"
)

const jsonType = "application/json"

// A madeWorld is what the control surface says of a workspace.
type madeWorld struct {
	Name, Created, Ends, Behaviour string
	URL, FHIR, Token, Registration string
	Portal, Control                string
	Production                     struct{ FHIR, Token string }
}

// postWorld asks for a workspace.
func (w *world) postWorld(t *testing.T, body string, header ...string) *answer {
	t.Helper()
	return w.at().send(t, "POST", "/_sandbox/workspaces", body, append([]string{"Content-Type", jsonType}, header...)...)
}

// newWorld makes a workspace from Go and returns it with a party that may do
// everything in it.
func (w *world) newWorld(t testing.TB, cfg sandbox.WorldConfig) (*sandbox.World, party) {
	t.Helper()
	made, err := w.NewWorld(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return made, w.holder(t, made.DefaultClient(), "system/*.cruds")
}

// TestWorldsOverHTTP makes a workspace, does in it what a client does, and ends
// it.
func TestWorldsOverHTTP(t *testing.T) {
	t.Parallel()
	w := start(t)
	var made madeWorld
	a := w.postWorld(t, `{"name":"suite-1","ttl":"10m","behaviour":"aidbox","patients":2}`).want(t, 201)
	a.decode(t, &made)
	a.wantHeader(t, "Location", w.URL()+"/_sandbox/workspaces/suite-1")
	root := w.URL() + "/w/suite-1"
	if made.Name != "suite-1" || made.Behaviour != "aidbox" || made.URL != root || made.FHIR != root+"/fhir" || made.Token != root+"/auth/token" ||
		made.Registration != root+"/auth/register" || made.Portal != root+"/" || made.Control != root+"/_sandbox" ||
		made.Production.FHIR != root+"/production/fhir" || made.Production.Token != root+"/production/auth/token" {
		t.Errorf("got %+v", made)
	}
	if got := instant(t, made.Ends).Sub(instant(t, made.Created)); got != 10*time.Minute {
		t.Errorf("it ends after %v, want 10m", got)
	}
	in := party{web: w.web, base: root}
	in.get(t, "/").want(t, 200)
	in.get(t, "/fhir/metadata").want(t, 200)
	in.get(t, "/production/fhir/metadata").want(t, 200)
	in.send(t, "POST", "/_sandbox/clock", `{"advance":"1h"}`).want(t, 200)
	in.send(t, "PUT", "/_sandbox/behaviour", `{"name":"strict"}`).want(t, 200)
	w.at().get(t, "/_sandbox/workspaces/suite-1").want(t, 200).decode(t, &made)
	if made.Behaviour != "strict" {
		t.Errorf("after a change got behaviour %q, want strict", made.Behaviour)
	}

	var other madeWorld
	w.at().send(t, "POST", "/_sandbox/workspaces", "").want(t, 201).decode(t, &other)
	if len(other.Name) < 20 || other.Ends != "" || other.Behaviour != "strict" {
		t.Errorf("without a body got %+v, want a name that nobody guesses and no end", other)
	}
	var all struct{ Workspaces []madeWorld }
	w.at().get(t, "/_sandbox/workspaces").want(t, 200).decode(t, &all)
	if len(all.Workspaces) != 2 || all.Workspaces[0].Name != "suite-1" || all.Workspaces[1].Name != other.Name {
		t.Errorf("got %+v, want both, the oldest first", all)
	}

	w.at().send(t, "DELETE", "/_sandbox/workspaces/suite-1", "").want(t, 204)
	asFHIR(t, in.get(t, "/fhir/Patient"), 404)
	w.at().send(t, "DELETE", "/_sandbox/workspaces/suite-1", "").want(t, 404)
	w.at().get(t, "/_sandbox/workspaces/suite-1").want(t, 404)
	w.postWorld(t, `{"name":"suite-1"}`).want(t, 201) // the name is free again
}

// TestWorldRefusals reads what mistaken wishes are told.
func TestWorldRefusals(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.postWorld(t, `{"name":"taken"}`).want(t, 201)
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{`{"name":"taken"}`, 409, "there is a workspace of this name already"},
		{`{"name":"a/b"}`, 400, "is no name of a workspace"},
		{`{"name":".."}`, 400, "is no name of a workspace"},
		{`{"name":"` + strings.Repeat("x", 65) + `"}`, 400, "1 to 64"},
		{`{"ttl":"soon"}`, 400, "ttl has to be a duration"},
		{`{"ttl":"-1s"}`, 400, "ttl has to be a duration"},
		{`{"behaviour":"lenient"}`, 400, "lenient"},
		{`{"patients":-1}`, 400, "is not from 0 to 1000"},
		{`{"patients":100000}`, 400, "is not from 0 to 1000"},
		{`{"patients":3,"empty":true}`, 400, "exclude each other"},
		{`{"days":3}`, 400, "a workspace takes"},
		{`[]`, 400, "a workspace takes"},
	} {
		if a := w.postWorld(t, c.body).want(t, c.status); !strings.Contains(string(a.body), c.want) {
			t.Errorf("%s: got %s, want %s", c.body, a.body, c.want)
		}
	}
	t.Run("no world makes another", func(t *testing.T) {
		in := party{web: w.web, base: w.URL() + "/w/taken"}
		asPlain(t, in.send(t, "POST", "/_sandbox/workspaces", ""), 404)
		asPlain(t, in.get(t, "/_sandbox/workspaces"), 404)
		asPlain(t, in.get(t, "/_sandbox/workspaces/taken"), 404)
		asPlain(t, in.send(t, "DELETE", "/_sandbox/workspaces/taken", ""), 404)
	})
	w.postWorld(t, `{}`, "Origin", "https://evil.example").want(t, 403)
	guarded := start(t, sandbox.WithAdminToken("correct-horse-battery-staple"))
	guarded.postWorld(t, `{}`).want(t, 401)
	guarded.postWorld(t, `{}`, "Authorization", "Bearer correct-horse-battery-staple").want(t, 201)
}

// TestWorldsShareNothing proves of two workspaces and the default one that what
// one has is unknown in another.
func TestWorldsShareNothing(t *testing.T) {
	t.Parallel()
	w := start(t)
	a, inA := w.newWorld(t, sandbox.WorldConfig{Name: "a"})
	b, inB := w.newWorld(t, sandbox.WorldConfig{Name: "b"})
	inA.put(t, "/Patient/mine", patient("mine")).want(t, 201)
	client, err := a.RegisterClient(t.Context(), sandbox.ClientConfig{ID: "only-in-a"})
	if err != nil {
		t.Fatal(err)
	}
	job := inA.get(t, "/$export", "Accept", fhirJSON, "Prefer", "respond-async").want(t, 202).header.Get("Content-Location")
	a.Clock().Advance(2 * time.Minute)
	for name, other := range map[string]party{"default": w.all, "b": inB} {
		t.Run(name, func(t *testing.T) {
			root := strings.TrimSuffix(other.base, "/fhir")
			other.get(t, "/Patient/mine").refused(t, 404, "not-found")
			said := other.as(inA.token).get(t, "/Patient/mine").refused(t, 401, "login")
			if !strings.Contains(said.Diagnostics, "workspace a") {
				t.Errorf("got %q, want it to name the workspace that the token is of", said.Diagnostics)
			}
			inA.as(other.token).get(t, "/Patient/mine").refused(t, 401, "login")
			assertion, err := client.Assertion(sandbox.WithClaim("aud", root+"/auth/token"))
			if err != nil {
				t.Fatal(err)
			}
			party{web: w.web}.askToken(t, root+"/auth/token", assertion, "system/*.rs").oauth(t, 400, "invalid_client")
			other.get(t, strings.Replace(job, inA.base, other.base, 1)).refused(t, 404, "not-found")
			var state struct{ Now string }
			party{web: w.web, base: root}.get(t, "/_sandbox/clock").want(t, 200).decode(t, &state)
			if ahead := instant(t, state.Now).Sub(clock.System{}.Now()); ahead > time.Minute {
				t.Errorf("its clock is %v ahead", ahead)
			}
			exchanges := a.Exchanges()
			party{web: w.web, base: root}.get(t, "/_sandbox/exchanges/"+exchanges[0].ID).want(t, 404)
		})
	}
	for _, e := range append(w.Exchanges(), b.Exchanges()...) {
		if strings.HasPrefix(e.URL, a.URL()+"/") {
			t.Errorf("%s %s is in the log of another workspace", e.Method, e.URL)
		}
	}
}

// TestWorldsEndByTheirTime lets real time pass, whatever the workspace's clock
// shows.
func TestWorldsEndByTheirTime(t *testing.T) {
	t.Parallel()
	w := start(t)
	short, in := w.newWorld(t, sandbox.WorldConfig{TTL: time.Second})
	long, inLong := w.newWorld(t, sandbox.WorldConfig{TTL: time.Hour})
	long.Clock().Advance(100 * time.Hour)
	await(t, "the world ends", func() bool {
		a, err := in.try(t.Context(), "GET", "/metadata", nil)
		return err == nil && a.status == 404
	})
	inLong.get(t, "/metadata").want(t, 200)
	if err := short.Close(); err != nil {
		t.Errorf("closing it behind its end: %v", err)
	}
	if err := long.Close(); err != nil {
		t.Error(err)
	}
	asFHIR(t, inLong.get(t, "/metadata"), 404)
}

// TestAWorldEndsBehindItsRequests ends a workspace while a token is being asked
// for, in the midst of fetching the client's keys: the client gets it, though
// whoever comes later finds no workspace.
func TestAWorldEndsBehindItsRequests(t *testing.T) {
	t.Parallel()
	w := start(t)
	made, in := w.newWorld(t, sandbox.WorldConfig{Name: "busy"})
	in.put(t, "/Patient/mine", patient("mine")).want(t, 201)
	asked, goOn := make(chan struct{}), make(chan struct{})
	var keys []byte
	host := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-goOn
		rw.Header().Set("Content-Type", jsonType)
		rw.Write(keys)
	}))
	defer host.Close()
	client, err := made.RegisterClient(t.Context(), sandbox.ClientConfig{JWKSURI: host.URL})
	if err != nil {
		t.Fatal(err)
	}
	keys = client.PublicJWKS()
	granted := make(chan error)
	go func() {
		_, err := client.Token(t.Context())
		granted <- err
	}()
	<-asked
	w.at().send(t, "DELETE", "/_sandbox/workspaces/busy", "").want(t, 202)
	in.get(t, "/Patient/mine").refused(t, 404, "not-found")
	close(goOn)
	if err := <-granted; err != nil {
		t.Errorf("the request under way: %v", err)
	}
	w.postWorld(t, `{"name":"busy"}`).want(t, 201)
	in.get(t, "/Patient/mine").refused(t, 401, "login") // nothing of the first one opens the second
}

// TestAThousandWorlds has many workspaces side by side, each with a client of the
// same name and a Patient of the same id, and finds in each its own.
func TestAThousandWorlds(t *testing.T) {
	t.Parallel()
	count := 1000
	if testing.Short() {
		count = 60
	}
	w := start(t)
	var side sync.WaitGroup
	worlds, tokens := make([]*sandbox.World, count), make([]party, count)
	next := make(chan int)
	each := func(do func(i int)) {
		next = make(chan int)
		for range 8 {
			side.Go(func() {
				for i := range next {
					do(i)
				}
			})
		}
		for i := range count {
			next <- i
		}
		close(next)
		side.Wait()
	}
	each(func(i int) {
		made, err := w.NewWorld(t.Context(), sandbox.WorldConfig{Name: fmt.Sprintf("w%d", i), Empty: i%10 == 0})
		if err != nil {
			t.Error(err)
			return
		}
		worlds[i] = made
		made.Clock().Advance(time.Duration(i) * time.Hour)
		token, err := made.DefaultClient().Token(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		tokens[i] = party{web: w.web, base: made.FHIRURL(), token: token.AccessToken}
		if i%10 == 0 {
			a, err := tokens[i].try(t.Context(), "PUT", "/Patient/same", strings.NewReader(fmt.Sprintf(`{"resourceType":"Patient","id":"same","name":[{"family":"Of-%d"}]}`, i)), "Content-Type", fhirJSON)
			if err != nil || a.status != 201 {
				t.Errorf("world %d: got %v, %v", i, a, err)
			}
		}
	})
	if t.Failed() {
		return
	}
	if _, err := w.NewWorld(t.Context(), sandbox.WorldConfig{Name: "w7"}); err == nil {
		t.Error("a second world of the same name was made")
	}
	each(func(i int) {
		status := func(p party, path string) int {
			a, err := p.try(t.Context(), "GET", path, nil)
			if err != nil {
				t.Error(err)
				return 0
			}
			if strings.HasSuffix(path, "/same") && a.status == 200 && !strings.Contains(string(a.body), fmt.Sprintf(`"Of-%d"`, i)) {
				t.Errorf("world %d: got %s", i, a.body)
			}
			return a.status
		}
		want := 404
		if i%10 == 0 {
			want = 200
		}
		if got := status(tokens[i], "/Patient/same"); got != want {
			t.Errorf("world %d: its Patient: got status %d, want %d", i, got, want)
		}
		other := tokens[(i+1)%count]
		if got := status(tokens[i].as(other.token), "/Patient/same"); got != 401 {
			t.Errorf("world %d: its neighbour's token: got status %d, want 401", i, got)
		}
		if ahead := worlds[i].Clock().Now().Sub(clock.System{}.Now()).Round(time.Hour); ahead != time.Duration(i)*time.Hour {
			t.Errorf("world %d: its clock is %v ahead, want %dh", i, ahead, i)
		}
		for _, e := range worlds[i].Exchanges() {
			if !strings.HasPrefix(e.URL, worlds[i].URL()+"/") {
				t.Errorf("world %d: its log has %s", i, e.URL)
			}
		}
	})
	each(func(i int) {
		if err := worlds[i].Close(); err != nil {
			t.Error(err)
		}
	})
	if a := w.at().send(t, http.MethodGet, "/_sandbox/workspaces", "").want(t, 200); string(a.body) != `{"workspaces":[]}` {
		t.Errorf("at the end there are %s", a.excerpt())
	}
}
