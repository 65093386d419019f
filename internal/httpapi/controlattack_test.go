package httpapi_test

import (
	archive "archive/zip"
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// The clock shows what FHIR can tell and a duration can measure, and says so where
// it is asked for more.
func TestClockBounds(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, change := range []string{
		`{"set":"9999-12-31T23:59:59Z"}`, `{"set":"0000-01-01T00:00:00Z"}`, `{"set":"0001-01-01T00:00:00Z"}`, `{"advance":"2562047h"}`, `{"advance":"-2562047h"}`,
		`{"set":"2199-12-31T23:00:00Z","advance":"48h"}`,
	} {
		for _, frozen := range []string{"false", "true"} {
			w.setClock(t, `{"freeze":`+frozen+`}`).want(t, 200)
			before := w.Clock().Now()
			w.setClock(t, change).want(t, 400)
			if moved := w.Clock().Now().Sub(before); moved > time.Minute || moved < 0 {
				t.Errorf("%s: the clock moved by %v", change, moved)
			}
		}
	}
	w.setClock(t, `{"set":"1900-01-02T00:00:00Z","freeze":false}`).want(t, 200)
	w.setClock(t, `{"set":"2199-12-30T00:00:00Z"}`).want(t, 200)
	w.Clock().Advance(1 << 62)
	w.stranger().get(t, "/Patient").want(t, 401)
	w.at().get(t, "/_sandbox/exchanges").want(t, 200)
	w.at().get(t, "/_sandbox/exchanges.har").want(t, 200)
	w.at().get(t, "/_sandbox/state").want(t, 200)
}

// A state that would fill the disk is refused before it does.
func TestStatesThatInflate(t *testing.T) {
	t.Parallel()
	w := start(t)
	var file bytes.Buffer
	zipped := archive.NewWriter(&file)
	out, err := zipped.Create("production/1.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for range 300 {
		if _, err := out.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	a := w.at().send(t, "PUT", "/_sandbox/state", file.String()).want(t, 400)
	if !strings.Contains(string(a.body), "which no state of") {
		t.Errorf("got %s", a.body)
	}
}

// An answer that is held back comes when its fault goes.
func TestSlowEndsWithItsFault(t *testing.T) {
	t.Parallel()
	w := start(t)
	other, p := w.newWorld(t, sandbox.WorldConfig{Name: "slow", Empty: true})
	for name, end := range map[string]func(*sandbox.World){
		"removed": func(*sandbox.World) { w.ClearFaults() },
		"ended":   func(world *sandbox.World) { _ = world.Close() },
	} {
		asked, world := w.at(), w.World
		if name == "ended" {
			asked, world = p, other
		}
		if _, err := world.Inject("slow:by=9m"); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := asked.try(t.Context(), "GET", world.FHIRURL()+"/metadata", nil)
			done <- err
		}()
		await(t, name+": the request waits", func() bool { return slowHits(t, w, world) > 0 })
		end(world)
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: it still waits", name)
		}
	}
}

// slowHits is how many requests the faults of a world have met.
func slowHits(t *testing.T, w *world, world *sandbox.World) (n int) {
	t.Helper()
	var list struct{ Faults []struct{ Hits int } }
	w.at().get(t, world.URL()+"/_sandbox/faults").want(t, 200).decode(t, &list)
	for _, f := range list.Faults {
		n += f.Hits
	}
	return n
}

// Faults of tokens meet those that are good, and nobody else.
func TestFaultsOfGoodTokens(t *testing.T) {
	t.Parallel()
	w := start(t)
	dead := w.inject(t, "token.401")
	w.stranger().get(t, "/Patient").refused(t, 401, "login")
	w.all.as("nonsense").get(t, "/Patient").want(t, 401)
	if dead.Hits() != 0 {
		t.Errorf("it was met %d times", dead.Hits())
	}
	w.all.get(t, "/Patient").refused(t, 401, "expired")
	dead.Remove()
	dies := w.inject(t, "token.die_after_requests:n=1")
	for i := range 5 {
		w.all.as(fmt.Sprint("nonsense", i)).get(t, "/Patient").want(t, 401)
	}
	w.all.get(t, "/Patient").want(t, 200)
	w.all.get(t, "/Patient").refused(t, 401, "expired")
	if dies.Hits() != 1 {
		t.Errorf("it was met %d times", dies.Hits())
	}
}

// A client that follows the redirect of a finished job gets its manifest.
func TestRedirectToTheManifest(t *testing.T) {
	t.Parallel()
	w := start(t)
	status := w.all.kickOff(t, "/$export?_type=Patient")
	w.all.get(t, status).want(t, 202)
	w.inject(t, "status.303")
	at := w.all.get(t, status).want(t, 303).header.Get("Location")
	var m manifest
	w.all.get(t, at).want(t, 200).decode(t, &m)
	if len(m.Output) != 1 {
		t.Errorf("got %+v", m)
	}
}

// By its header a fault is for this one request, and one that it can meet.
func TestFaultHeader(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery-staple"
	w := start(t, sandbox.WithAdminToken(secret))
	ask := func(fault string, more ...string) *answer {
		return w.all.get(t, "/Patient?_count=1", append([]string{"X-Sandfhir-Admin", secret, "X-Sandfhir-Fault", fault}, more...)...)
	}
	ask("too_many").want(t, 429)
	ask("token.401").refused(t, 401, "expired")
	for _, fault := range []string{"token.503", "token.die_after_requests:n=5", "discovery.move_token_endpoint", "poll.5xx", "status#times=1", ""} {
		ask(fault).refused(t, 400, "value")
	}
	w.at().get(t, "/fhir/metadata", "X-Sandfhir-Admin", secret, "X-Sandfhir-Fault", "token.401").refused(t, 400, "value") // takes no token
	w.all.get(t, "/Patient", "X-Sandfhir-Fault", "too_many").want(t, 401)
	w.all.get(t, "/Patient", "X-Sandfhir-Fault", "too_many", "X-Sandfhir-Admin", "wrong").want(t, 401)
	w.at().get(t, "/_sandbox/clock", "X-Sandfhir-Admin", secret, "X-Sandfhir-Fault", "status").want(t, 400) // controls meet none
	for _, e := range w.Exchanges() {
		wantHidden(t, w, e.ID, secret)
	}
	w.at().send(t, "DELETE", "/_sandbox/faults/", "", "X-Sandfhir-Admin", secret).want(t, 404)
}

// Those who watch over the process are told the truth.
func TestProbesMeetNoFault(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.inject(t, "drop")
	w.at().get(t, "/livez").want(t, 200)
	w.at().get(t, "/readyz").want(t, 200)
}

// Credentials that are misspelt, wrapped or sent in another place are hidden too.
func TestOddCredentialsAreHidden(t *testing.T) {
	t.Parallel()
	w := start(t)
	const secret = "S3CRETvalue"
	send := []func(){
		func() {
			w.at().send(t, "POST", "/auth/register", `"{\"client_secret\":\"`+secret+`\",\"jwks\":{\"keys\":[{\"kty\":\"EC\",\"d\":\"`+secret+`\"}]}}"`, "Content-Type", "application/json")
		},
		func() {
			w.at().send(t, "POST", servicesPath, `{"name":"x","note":"{\"kty\":\"EC\",\"d\":\"`+secret+`\"}"}`, "Content-Type", "application/json")
		},
		func() {
			w.at().send(t, "POST", servicesPath, `{"secret":["`+secret+`"],"client_secret":{"a":"`+secret+`"},"ClientSecret":"`+secret+`"}`, "Content-Type", "application/json")
		},
		func() {
			w.at().search(t, w.TokenURL(), "Client_Secret="+secret+"&clientSecret="+secret+"&client_secret%20="+secret)
		},
		func() { w.stranger().get(t, "/Patient?clientSecret="+secret) },
		func() {
			w.stranger().get(t, "/Patient", "X-Api-Key", secret, "X-Auth-Token", secret, "X-Amz-Security-Token", secret, "Referer", "http://x.example/#access_token="+secret)
		},
	}
	for i, ask := range send {
		ask()
		for _, path := range []string{"/_sandbox/exchanges?limit=1", "/_sandbox/exchanges.har"} {
			if body := string(w.at().get(t, path).want(t, 200).body); strings.Contains(body, secret) || strings.Contains(body, url.QueryEscape(secret)) {
				t.Errorf("%d: %s has it: %.600s", i, path, body)
			}
		}
	}
}
