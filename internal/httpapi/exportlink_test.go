package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestFilesWithoutToken is about files whose URLs are capabilities (BD-FI-07).
func TestFilesWithoutToken(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithSwitch("files.token", "false"))
	p, stranger := w.all, w.stranger()
	status := p.kickOff(t, "/$export?_type=Patient,Observation")
	m := p.finish(t, status)
	if m.RequiresAccessToken {
		t.Error("BD-MF-03: requiresAccessToken is true")
	}
	patients, observations := m.of("Patient")[0].URL, m.of("Observation")[0].URL
	plain, query, _ := strings.Cut(patients, "?")
	whole := string(stranger.get(t, patients).want(t, 200).wantHeader(t, "Content-Type", "application/fhir+ndjson").body)
	if a := stranger.get(t, patients, "Range", "bytes=10-19").want(t, 206); string(a.body) != whole[10:20] {
		t.Errorf("BD-FI-09: got %q", a.body)
	}
	stranger.get(t, status).refused(t, 401, "login") // the status needs a token all the same
	t.Run("BD-FI-07 M04 a token is not looked at", func(t *testing.T) {
		// A download is recorded once it was sent.
		fetched := func(p party) sandbox.Exchange {
			before := len(w.Exchanges())
			p.get(t, patients).want(t, 200)
			await(t, "the record of a download", func() bool { return len(w.Exchanges()) > before })
			return w.latest(t)
		}
		if c := fetched(stranger.as("rubbish")).Checks; len(c) != 1 || c[0].ID != "M04" || c[0].Result != sandbox.Warn || c[0].Requirement != "BD-FI-07" {
			t.Errorf("got checks %+v, want a warning M04", c)
		}
		if c := fetched(stranger).Checks; len(c) != 0 {
			t.Errorf("without a token: got checks %+v", c)
		}
	})
	for name, url := range map[string]string{
		"another file's signature": strings.Split(observations, "?")[0] + "?" + query,
		"another time":             strings.Replace(patients, "expires=", "expires=9", 1),
		"another signature":        patients[:len(patients)-1] + map[bool]string{true: "1", false: "0"}[strings.HasSuffix(patients, "0")],
		"no time":                  plain + "?signature=" + strings.Split(query, "signature=")[1],
		"another job":              strings.Replace(patients, strings.Split(plain, "/")[5], "0123456789abcdef0123456789abcdef", 1),
	} {
		t.Run("BD-FI-08 "+name, func(t *testing.T) { stranger.get(t, url).refused(t, 404, "not-found") })
	}
	t.Run("BD-FI-06 without signature it takes a token", func(t *testing.T) {
		stranger.get(t, plain).refused(t, 401, "login")
		p.get(t, plain).want(t, 200)
	})
	t.Run("BD-FI-11 M08 a URL expires, and the manifest has fresh ones", func(t *testing.T) {
		w.Clock().Advance(301 * time.Second)
		if i := stranger.get(t, patients).refused(t, 404, "not-found"); !strings.Contains(i.Diagnostics, " ago; ask for the job") {
			t.Errorf("got %q", i.Diagnostics)
		}
		fresh := w.grant(t, "system/*.rs").finish(t, status)
		if string(stranger.get(t, fresh.of("Patient")[0].URL).want(t, 200).body) != whole {
			t.Error("BD-ST-14: the file has changed")
		}
		patients = fresh.of("Patient")[0].URL
	})
	t.Run("BD-SEC-15 a deleted job", func(t *testing.T) {
		w.grant(t, "system/*.rs").send(t, "DELETE", status, "").want(t, 202)
		stranger.get(t, patients).refused(t, 404, "not-found")
	})
	t.Run("no signature of a URL is on its exchange", func(t *testing.T) {
		for _, e := range w.Exchanges() {
			if strings.Contains(e.URL, "signature=") && !strings.Contains(e.URL, "(hidden)") {
				t.Errorf("got %s", e.URL)
			}
			if strings.Contains(e.ResponseBody, "signature=") && !strings.Contains(e.ResponseBody, "signature=(hidden)") {
				t.Errorf("got %s", e.ResponseBody)
			}
		}
	})
}

// TestLinksEndWithTheClient: URLs of files end when what the client has is
// revoked (BD-FI-08).
func TestLinksEndWithTheClient(t *testing.T) {
	t.Parallel()
	w := start(t, sandbox.WithSwitch("files.token", "false"))
	c := w.client(t, "system/Patient.rs")
	file := w.holder(t, c, "system/Patient.rs").export(t, "/$export?_type=Patient").of("Patient")[0].URL
	w.stranger().get(t, file).want(t, 200)
	head := w.stranger().send(t, "HEAD", file, "", "Range", "bytes=0-9")
	if head.status != 200 || head.header.Get("Content-Range") != "" {
		t.Errorf("HEAD with Range: got %d, Content-Range %q", head.status, head.header.Get("Content-Range"))
	}
	if err := c.Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.stranger().get(t, file).refused(t, 404, "not-found")
}
