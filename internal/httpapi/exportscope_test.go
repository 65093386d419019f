package httpapi_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestKickOffScopes (FR-SC-24) is about what a token may export (BD-SEC-03 to BD-SEC-09).
func TestKickOffScopes(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		name, scope, path string
		types             []string // in the output, or nil for a refusal
		wanted            string   // scope of the challenge
	}{
		{"BD-SEC-07 rs", "system/Patient.rs", "/$export", []string{"Patient"}, ""},
		{"BD-SEC-07 v1", "system/Patient.read", "/Patient/$export", []string{"Patient"}, ""},
		{"BD-SEC-06 without _type what is covered", "system/Patient.rs system/Condition.rs system/Observation.r", "/Patient/$export", []string{"Condition", "Patient"}, ""},
		{"BD-SEC-07 r is not enough", "system/Patient.r", "/$export?_type=Patient", nil, "system/Patient.rs"},
		{"BD-SEC-07 s is not enough", "system/Patient.s", "/$export?_type=Patient", nil, "system/Patient.rs"},
		{"BD-RJ-02 explicit type", "system/Patient.rs", "/$export?_type=Patient,Observation", nil, "system/Observation.rs"},
		{"BD-RJ-02 explicit type, v1", "system/Patient.read", "/Patient/$export?_type=Observation", nil, "system/Observation.read"},
		{"BD-SEC-08 nothing to read", "system/Patient.cud", "/$export", nil, ""},
		{"BD-SEC-08 r alone", "system/*.r", "/$export", nil, ""},
		{"BD-SEC-09 Group.r", "system/Patient.rs system/Group.r", "/Group/all/$export", []string{"Patient"}, ""},
		{"BD-SEC-09 Group.read", "system/Patient.read system/Group.read", "/Group/all/$export", []string{"Patient"}, ""},
		{"BD-SEC-09 no Group", "system/Patient.rs", "/Group/all/$export", nil, "system/Group.r"},
		{"BD-SEC-09 Group.s", "system/Patient.rs system/Group.s", "/Group/all/$export", nil, "system/Group.r"},
		{"BD-SEC-09 unknown Group without the scope", "system/Patient.rs", "/Group/nobody/$export", nil, "system/Group.r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := w.grant(t, c.scope)
			if c.types != nil {
				if got := p.export(t, c.path).types(); !slices.Equal(got, c.types) {
					t.Errorf("got %v, want %v", got, c.types)
				}
				return
			}
			for _, method := range []string{"GET", "POST"} {
				a := p.send(t, method, c.path, "", exportHeader()...)
				a.refused(t, 403, "forbidden")
				if challenge := a.challenge(t, "insufficient_scope"); c.wanted != "" && !strings.Contains(challenge, `scope="`+c.wanted+`"`) {
					t.Errorf("got WWW-Authenticate %q, want scope %s", challenge, c.wanted)
				}
			}
		})
	}
	t.Run("BD-SEC-03 status and files", func(t *testing.T) {
		status := w.all.kickOff(t, "/Patient/$export?_type=Patient,Observation")
		m := w.all.finish(t, status)
		narrow, other := w.grant(t, "system/Patient.rs"), w.grant(t, "system/Observation.rs system/Patient.r")
		for _, p := range []party{narrow, other} {
			a := p.get(t, status)
			a.refused(t, 403, "forbidden")
			a.challenge(t, "insufficient_scope")
		}
		narrow.get(t, m.of("Patient")[0].URL).want(t, 200) // BD-SEC-12
		a := narrow.get(t, m.of("Observation")[0].URL)
		a.refused(t, 403, "forbidden")
		if challenge := a.challenge(t, "insufficient_scope"); !strings.Contains(challenge, `scope="system/Observation.rs"`) {
			t.Errorf("BD-SEC-12: got WWW-Authenticate %q", challenge)
		}
		other.get(t, m.of("Patient")[0].URL).refused(t, 403, "forbidden")
		w.grant(t, "system/*.read").get(t, status).want(t, 200)
	})
	t.Run("BD-SEC-03 an export of nothing but deletions", func(t *testing.T) {
		w.all.put(t, "/Patient/leaver", patient("leaver")).want(t, 201)
		since := url.QueryEscape(w.all.export(t, "/$export?_type=Patient").TransactionTime)
		w.all.send(t, "DELETE", "/Patient/leaver", "").want(t, 204)
		status := w.all.kickOff(t, "/$export?_type=Patient&_since="+since)
		m := w.all.finish(t, status)
		if len(m.Output) != 0 || len(m.Deleted) != 1 {
			t.Fatalf("got %+v, want deletions alone", m)
		}
		other := w.grant(t, "system/Observation.rs")
		for _, of := range []string{status, m.Deleted[0].URL} {
			a := other.get(t, of)
			a.refused(t, 403, "forbidden")
			if challenge := a.challenge(t, "insufficient_scope"); !strings.Contains(challenge, `scope="system/Patient.rs"`) {
				t.Errorf("BD-SEC-12: got WWW-Authenticate %q", challenge)
			}
			w.grant(t, "system/Patient.rs").get(t, of).want(t, 200)
		}
	})
	t.Run("BD-SEC-04 another client's job", func(t *testing.T) {
		foreign := w.holder(t, w.client(t, "system/*.cruds"))
		status := w.all.kickOff(t, "/Patient/$export")
		foreign.get(t, status).refused(t, 404, "not-found")
		m := w.all.finish(t, status)
		foreign.get(t, status).refused(t, 404, "not-found")
		foreign.send(t, "DELETE", status, "").refused(t, 404, "not-found") // BD-ST-17
		foreign.get(t, m.Output[0].URL).refused(t, 404, "not-found")
		w.all.get(t, m.Output[0].URL).want(t, 200)
	})
	t.Run("BD-SEC-04 a job of the other environment", func(t *testing.T) {
		producer, err := w.Production().RegisterClient(t.Context(), sandbox.ClientConfig{ID: w.DefaultClient().ID()})
		if err != nil {
			t.Fatal(err)
		}
		status := w.all.kickOff(t, "/Patient/$export")
		w.holder(t, producer).get(t, strings.Replace(status, "/fhir/", "/production/fhir/", 1)).refused(t, 404, "not-found")
	})
}

// S11: what an export went on without is in the exchange of its kick-off, with the scope that would
// have done.
func TestWithheldTypesAreExplained(t *testing.T) {
	t.Parallel()
	sb := sandbox.Start(t, sandbox.WithPatients(patients), sandbox.WithSwitch("export.missing_scope", "omit"))
	w := &world{Server: sb, web: newWeb(t)}
	p := w.grant(t, "system/Patient.rs")
	p.get(t, "/$export?_type=Patient,Observation,Condition", exportHeader()...).want(t, 202)
	seen := sb.Exchanges(func(e sandbox.Exchange) bool { return strings.Contains(e.URL, "$export") })
	for _, c := range seen[len(seen)-1].Checks {
		if c.ID == "S11" {
			if c.Result != sandbox.Warn || c.Want != "system/Observation.rs system/Condition.rs" || !strings.Contains(c.Text, "Observation and Condition") {
				t.Errorf("got %+v", c)
			}
			return
		}
	}
	t.Errorf("no check tells of it: %+v", seen)
}
