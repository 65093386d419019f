package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/clock"
)

// levels are the three kinds of export.
var levels = []struct{ name, path string }{
	{"BD-KO-01 system", "/$export"},
	{"BD-KO-02 patient", "/Patient/$export"},
	{"BD-KO-03 group", "/Group/all/$export"},
}

// parameters is a Parameters resource of values with their types.
func parameters(list ...string) string {
	var b strings.Builder
	for i := 0; i < len(list); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":%q,%s}`, list[i], list[i+1])
	}
	return `{"resourceType":"Parameters","parameter":[` + b.String() + `]}`
}

// TestExport goes the whole way of an export at every level, in every form of
// the kick-off.
func TestExport(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	for _, level := range levels {
		for _, c := range []struct {
			name, method, query, body string
			header                    []string
		}{
			{"BD-PA-08 BD-KO-04 GET", "GET", "?_type=Patient,Observation", "", nil},
			{"BD-KO-08 GET, repeated", "GET", "?_type=Patient&_type=Observation", "", nil},
			{"BD-KO-05 POST", "POST", "", parameters("_type", `"valueString":"Patient,Observation"`, "_outputFormat", `"valueString":"application/fhir+ndjson"`), []string{"Content-Type", fhirJSON}},
			{"BD-KO-05 POST of application/json", "POST", "", parameters("_type", `"valueString":"Patient"`, "_type", `"valueString":"Observation"`), []string{"Content-Type", "application/json"}},
			{"BD-KO-10 POST without a body", "POST", "?_type=Patient,Observation", "", nil},
			{"BD-KO-10 POST without a body, of a type", "POST", "?_type=Patient,Observation", "", []string{"Content-Type", fhirJSON}},
		} {
			t.Run(level.name+", "+c.name, func(t *testing.T) {
				a := p.send(t, c.method, level.path+c.query, c.body, exportHeader(c.header...)...).want(t, 202)
				status := a.header.Get("Content-Location")
				if !strings.HasPrefix(status, w.FHIRURL()+"/") {
					t.Fatalf("BD-KR-01: got Content-Location %q", status)
				}
				if len(a.body) > 0 && a.resource(t).ResourceType != "OperationOutcome" {
					t.Errorf("BD-KR-02: got body %s", a.body)
				}
				if applied := a.header.Get("Preference-Applied"); applied != "respond-async" {
					t.Errorf("BD-HD-07: got Preference-Applied %q", applied)
				}
				wantRunning(t, p.get(t, status, "Accept", "application/json"))
				m := wantManifest(t, p.get(t, status, "Accept", "application/json"))
				if want := w.FHIRURL() + level.path; !strings.HasPrefix(m.Request, want) || c.method == "GET" && m.Request != want+c.query {
					t.Errorf("BD-MF-02: got request %q, want %q", m.Request, want+c.query)
				}
				if !slices.Equal(m.types(), []string{"Observation", "Patient"}) || len(m.Deleted) != 0 || len(m.Error) != 0 {
					t.Errorf("got %+v, want Observation and Patient and nothing else", m)
				}
				for _, typ := range m.types() {
					wantAll(t, p, m, typ)
				}
			})
		}
	}
}

// wantRunning checks the answer for a job that is not done.
func wantRunning(t *testing.T, a *answer) {
	t.Helper()
	a.want(t, 202) // BD-ST-01
	if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 {
		t.Errorf("BD-ST-03: got Retry-After %q, want whole seconds", a.header.Get("Retry-After"))
	}
	if progress := a.header.Get("X-Progress"); progress == "" || len(progress) >= 100 || progress[0] < '0' || progress[0] > '9' {
		t.Errorf("BD-ST-02: got X-Progress %q, want a number in under 100 characters", progress)
	}
	if a.header.Get("Content-Location") != "" {
		t.Error("BD-ST-04: a status answer has a Content-Location")
	}
	if len(a.body) == 0 && strings.Contains(a.header.Get("Content-Type"), "json") {
		t.Errorf("an empty body has Content-Type %q", a.header.Get("Content-Type"))
	}
}

// wantManifest checks the answer for a job that is done.
func wantManifest(t *testing.T, a *answer) manifest {
	t.Helper()
	a.want(t, 200).wantHeader(t, "Content-Type", "application/json") // BD-ST-07
	expires, err := http.ParseTime(a.header.Get("Expires"))
	date, dateErr := http.ParseTime(a.header.Get("Date"))
	if err != nil || dateErr != nil || !expires.After(date) {
		t.Errorf("BD-ST-08: got Expires %q and Date %q, want an HTTP date later than Date", a.header.Get("Expires"), a.header.Get("Date"))
	}
	members := a.object(t)
	for _, name := range []string{"transactionTime", "request", "requiresAccessToken", "output", "error", "deleted"} {
		if v, ok := members[name]; !ok || v == nil {
			t.Errorf("BD-MF-01 to BD-MF-08: the manifest has no %s: %s", name, a.body)
		}
		delete(members, name)
	}
	if len(members) > 0 {
		t.Errorf("BD-MF-17: the manifest has members of other versions: %v", members)
	}
	var m manifest
	a.decode(t, &m)
	if at := instant(t, m.TransactionTime); at.After(clock.System{}.Now().Add(time.Minute)) {
		t.Errorf("BD-MF-01: got transactionTime %s, which is to come", m.TransactionTime)
	}
	if !m.RequiresAccessToken {
		t.Error("BD-MF-03: requiresAccessToken is false")
	}
	for _, i := range slices.Concat(m.Output, m.Error, m.Deleted) {
		if u, err := url.Parse(i.URL); err != nil || !u.IsAbs() || i.Type == "" || i.Count < 1 {
			t.Errorf("BD-MF-05: got item %+v, want a type, an absolute URL and a count", i)
		}
	}
	return m
}

// wantAll checks that an export has every resource of a type that a search
// finds, once, and nothing else; and that the file is as it should be.
func wantAll(t *testing.T, p party, m manifest, typ string) {
	t.Helper()
	var got []string
	for _, i := range m.of(typ) {
		a := p.get(t, i.URL).want(t, 200)
		if !strings.HasPrefix(a.header.Get("Content-Type"), "application/fhir+ndjson") {
			t.Errorf("BD-FI-01: got Content-Type %q", a.header.Get("Content-Type"))
		}
		if a.length != int64(len(a.body)) {
			t.Errorf("BD-FI-10: got Content-Length %d of %d bytes", a.length, len(a.body))
		}
		text := strings.TrimSuffix(string(a.body), "\n")
		if rows := strings.Count(text, "\n") + 1; rows != i.Count || strings.Contains(text, "\n\n") || strings.ContainsAny(text, "\r\ufeff") {
			t.Errorf("BD-FI-02 BD-MF-05: %d lines of %s, want %d without blank ones", rows, i.URL, i.Count)
		}
		for _, r := range p.lines(t, i.URL) {
			if r.ResourceType != typ || r.Meta.LastUpdated == "" {
				t.Fatalf("BD-FI-03 BD-FI-12: a file of %s has %+v", typ, r)
			}
			got = append(got, r.ID)
		}
	}
	want := p.ids(t, "/"+typ+"?_count=500")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("BD-DA-11: %d resources of %s are exported, and %d are there", len(got), typ, len(want))
	}
}

func TestKickOffHeaders(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"BD-HD-01 right", []string{"Accept", fhirJSON, "Prefer", "respond-async"}, 202},
		{"BD-HD-01 q-values", []string{"Accept", "application/fhir+json, */*; q=0.1", "Prefer", "respond-async"}, 202},
		{"BD-HD-01 last of a list", []string{"Accept", "text/html;q=0.5 , application/fhir+json;q=0.1", "Prefer", "respond-async"}, 202},
		{"BD-HD-01 fhirVersion", []string{"Accept", "application/fhir+json; fhirVersion=4.0", "Prefer", "respond-async"}, 202},
		{"BD-HD-01 two headers", []string{"Accept", "text/html", "Accept", fhirJSON, "Prefer", "respond-async"}, 202},
		{"BD-RJ-04 no Accept", []string{"Prefer", "respond-async"}, 400},
		{"BD-RJ-04 empty Accept", []string{"Accept", "", "Prefer", "respond-async"}, 400},
		{"BD-RJ-04 anything", []string{"Accept", "*/*", "Prefer", "respond-async"}, 400},
		{"BD-RJ-04 q=0", []string{"Accept", "application/fhir+json;q=0, */*", "Prefer", "respond-async"}, 400},
		{"BD-RJ-04 xml", []string{"Accept", "application/fhir+xml", "Prefer", "respond-async"}, 400},
		{"BD-RJ-04 ndjson", []string{"Accept", "application/fhir+ndjson", "Prefer", "respond-async"}, 400},
		{"BD-RJ-03 no Prefer", []string{"Accept", fhirJSON}, 400},
		{"BD-RJ-03 another preference", []string{"Accept", fhirJSON, "Prefer", "return=minimal"}, 400},
		{"BD-RJ-03 a longer word", []string{"Accept", fhirJSON, "Prefer", "respond-asynchronously"}, 400},
		{"BD-HD-03 comma", []string{"Accept", fhirJSON, "Prefer", "respond-async,handling=lenient"}, 202},
		{"BD-HD-03 semicolon", []string{"Accept", fhirJSON, "Prefer", "handling=lenient; respond-async"}, 202},
		{"BD-HD-03 capitals", []string{"Accept", fhirJSON, "Prefer", "Respond-Async"}, 202},
		{"BD-HD-03 two headers", []string{"Accept", fhirJSON, "Prefer", "handling=lenient", "Prefer", "respond-async"}, 202},
		{"BD-HD-03 wait", []string{"Accept", fhirJSON, "Prefer", "wait=10, respond-async"}, 202},
		{"BD-HD-06 separate-export-status", []string{"Accept", fhirJSON, "Prefer", "respond-async, separate-export-status"}, 202},
	} {
		for _, level := range levels {
			for _, method := range []string{"GET", "POST"} {
				t.Run(c.name+", "+level.name+" "+method, func(t *testing.T) {
					a := w.all.send(t, method, level.path, "", c.header...)
					if c.status == 202 {
						a.want(t, 202)
					} else {
						a.refused(t, c.status, "required")
					}
				})
			}
		}
	}
}

// TestKickOffRefusals has the rows of bulk-data.md section 8 that a request's
// parameters decide.
func TestKickOffRefusals(t *testing.T) {
	t.Parallel()
	w := start(t)
	tomorrow := url.QueryEscape(clock.System{}.Now().Add(24 * time.Hour).Format(time.RFC3339))
	for _, c := range []struct{ name, path, code string }{
		{"BD-RJ-05 html", "/$export?_outputFormat=text/html", "not-supported"},
		{"BD-RJ-05 xml", "/$export?_outputFormat=application/xml", "not-supported"},
		{"BD-RJ-05 json", "/Patient/$export?_outputFormat=application/fhir%2Bjson", "not-supported"},
		{"BD-PA-05 BD-RJ-06 no seconds", "/$export?_since=2020-01-01T00:00Z", "value"},
		{"BD-RJ-06 no zone", "/$export?_since=2020-01-01T00:00:00", "value"},
		{"BD-RJ-06 date", "/$export?_since=2020-01-01", "value"},
		{"BD-RJ-06 month 13", "/$export?_since=2020-13-01T00:00:00Z", "value"},
		{"BD-RJ-06 30 February", "/$export?_since=2020-02-30T00:00:00Z", "value"},
		{"BD-RJ-06 hour of one digit", "/$export?_since=2020-01-01T1:00:00Z", "value"},
		{"BD-RJ-06 comma for a point", "/$export?_since=2020-01-01T01:00:00%2C5Z", "value"},
		{"BD-RJ-06 rubbish", "/$export?_since=yesterday", "value"},
		{"BD-RJ-06 empty", "/$export?_since=", "value"},
		{"BD-RJ-06 to come", "/$export?_since=" + tomorrow, "value"},
		{"BD-RJ-06 _until rubbish", "/$export?_until=yesterday", "value"},
		{"BD-PA-07 _until before _since", "/$export?_since=2020-01-02T00:00:00Z&_until=2020-01-01T00:00:00Z", "value"},
		{"BD-RJ-07 unknown type", "/$export?_type=MissingType", "not-supported"},
		{"BD-RJ-07 unknown type among others", "/Patient/$export?_type=Patient,MissingType", "not-supported"},
		{"BD-RJ-07 lower case", "/$export?_type=patient", "not-supported"},
		{"BD-RJ-07 empty", "/$export?_type=", "not-supported"},
		{"BD-RJ-07 empty among others", "/$export?_type=Patient,,Observation", "not-supported"},
		{"BD-PA-10 BD-RJ-08 patient level", "/Patient/$export?_type=ValueSet", "not-supported"},
		{"BD-RJ-08 group level", "/Group/all/$export?_type=CodeSystem,ValueSet", "not-supported"},
		{"BD-RJ-09 no type", "/$export?_typeFilter=status%3Dfinal", "invalid"},
		{"BD-RJ-09 empty", "/$export?_typeFilter=", "invalid"},
		{"BD-RJ-09 unknown type", "/$export?_typeFilter=MissingType%3Fstatus%3Dfinal", "invalid"},
		{"BD-RJ-09 unknown parameter", "/$export?_typeFilter=Observation%3Fnothing%3D1", "invalid"},
		{"BD-RJ-09 modifier", "/$export?_typeFilter=Observation%3Fcode%3Ain%3Dx", "invalid"},
		{"BD-PA-23 BD-RJ-09 _count", "/$export?_typeFilter=Observation%3F_count%3D1", "invalid"},
		{"BD-RJ-09 _include", "/$export?_typeFilter=Observation%3F_include%3DObservation%3Asubject", "invalid"},
		{"BD-RJ-09 _sort", "/$export?_typeFilter=Observation%3F_sort%3Ddate", "invalid"},
		{"BD-RJ-09 bad value", "/$export?_typeFilter=Observation%3Fdate%3Dyesterday", "invalid"},
		{"BD-PA-25 type that _type leaves out", "/$export?_type=Patient&_typeFilter=Observation%3Fstatus%3Dfinal", "invalid"},
		{"BD-RJ-10 patient at system level", "/$export?patient=Patient/x", "not-supported"},
		{"BD-RJ-10 patient by GET", "/Patient/$export?patient=Patient/x", "not-supported"},
		{"BD-RJ-12 nested element", "/$export?_elements=Patient.name.family", "invalid"},
		{"BD-RJ-12 unknown type of an element", "/$export?_elements=MissingType.id", "invalid"},
		{"BD-RJ-13 includeAssociatedData", "/$export?includeAssociatedData=Everything", "not-supported"},
		{"BD-PA-27 BD-RJ-13 organizeOutputBy", "/$export?organizeOutputBy=Everything", "not-supported"},
		{"BD-RJ-14 unknown parameter", "/$export?nothing=1", "not-supported"},
		{"BD-RJ-14 parameter without underscore", "/$export?type=Patient", "not-supported"},
		{"BD-RJ-14 _since twice", "/$export?_since=2020-01-01T00:00:00Z&_since=2020-01-01T00:00:00Z", "invalid"},
		{"BD-RJ-14 _outputFormat twice", "/$export?_outputFormat=ndjson&_outputFormat=ndjson", "invalid"},
		{"invalid percent-encoding", "/$export?_type=%zz", "invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, method := range []string{"GET", "POST"} {
				codes := []string{c.code}
				if c.code == "invalid" {
					codes = append(codes, "not-supported", "value")
				} else if c.code == "not-supported" {
					codes = append(codes, "invalid")
				}
				a := w.all.send(t, method, c.path, "", exportHeader()...)
				a.refused(t, 400, codes...)
				if a.header.Get("Content-Location") != "" {
					t.Error("BD-KR-05: a refused kick-off has a Content-Location")
				}
			}
		})
	}
	t.Run("BD-RJ-16 unknown Group", func(t *testing.T) {
		w.all.get(t, "/Group/nobody/$export", exportHeader()...).refused(t, 404, "not-found")
	})
	t.Run("BD-RJ-16 deleted Group", func(t *testing.T) {
		w.all.put(t, "/Group/gone", `{"resourceType":"Group","id":"gone","type":"person","actual":true}`).want(t, 201)
		w.all.send(t, "DELETE", "/Group/gone", "").want(t, 204)
		if a := w.all.get(t, "/Group/gone/$export", exportHeader()...); a.status != 404 && a.status != 410 {
			t.Errorf("got status %d, want 404 or 410", a.status)
		}
	})
}

func TestKickOffBodies(t *testing.T) {
	t.Parallel()
	w := start(t)
	one := w.all.exported(t, w.all.export(t, "/Group/one/$export?_type=Patient"), "Patient")
	all := w.all.ids(t, "/Patient")
	if len(one) != 1 || len(all) != patients {
		t.Fatalf("got %v in Group/one of %v", one, all)
	}
	in, out := "Patient/"+one[0].ID, "Patient/"+all[slices.IndexFunc(all, func(id string) bool { return id != one[0].ID })]
	refer := func(list ...string) string {
		var params []string
		for _, r := range list {
			params = append(params, "patient", fmt.Sprintf(`"valueReference":{"reference":%q}`, r))
		}
		return parameters(params...)
	}
	for _, c := range []struct {
		name, path, body, contentType string
		status                        int
		code                          string
	}{
		{"BD-RJ-15 no Parameters", "/$export", patient("x"), fhirJSON, 400, "structure"},
		{"BD-RJ-15 malformed JSON", "/$export", `{"resourceType":`, fhirJSON, 400, "structure"},
		{"BD-RJ-15 an array", "/$export", `[]`, fhirJSON, 400, "structure"},
		{"BD-RJ-15 parameter without a name", "/$export", `{"resourceType":"Parameters","parameter":[{"valueString":"x"}]}`, fhirJSON, 400, "structure"},
		{"BD-RJ-15 one member twice", "/$export", `{"resourceType":"Parameters","parameter":[],"parameter":[{"name":"_type","valueString":"Patient"}]}`, fhirJSON, 400, "structure"},
		{"BD-RJ-15 wrong type of a value", "/$export", parameters("_type", `"valueCode":"Patient"`), fhirJSON, 400, "value"},
		{"BD-RJ-15 instant as a string", "/$export", parameters("_since", `"valueString":"2020-01-01T00:00:00Z"`), fhirJSON, 400, "value"},
		{"BD-RJ-15 number for a string", "/$export", parameters("_type", `"valueString":5`), fhirJSON, 400, "value"},
		{"BD-RJ-15 xml", "/$export", "<Parameters/>", "application/fhir+xml", 415, "not-supported"},
		{"BD-RJ-15 form", "/$export", "_type=Patient", formType, 415, "not-supported"},
		{"BD-KO-10 body and query", "/$export?_type=Patient", parameters("_type", `"valueString":"Patient"`), fhirJSON, 400, "invalid"},
		{"BD-RJ-10 patient at system level", "/$export", refer(in), fhirJSON, 400, "not-supported"},
		{"BD-RJ-11 unknown patient", "/Patient/$export", refer("Patient/nobody"), fhirJSON, 400, "not-found"},
		{"BD-RJ-11 no member of the group", "/Group/one/$export", refer(out), fhirJSON, 400, "not-found"},
		{"BD-PA-17 reference to something else", "/Patient/$export", refer("Group/all"), fhirJSON, 400, "value"},
		{"BD-PA-17 reference to another server", "/Patient/$export", refer("https://example.org/fhir/" + in), fhirJSON, 400, "value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.all.send(t, "POST", c.path, c.body, exportHeader("Content-Type", c.contentType)...).refused(t, c.status, c.code)
		})
	}
	w.all.put(t, "/Patient/leaver", patient("leaver")).want(t, 201)
	w.all.send(t, "DELETE", "/Patient/leaver", "").want(t, 204)
	for _, c := range []struct{ name, path, body, says string }{
		{"BD-RJ-11 unknown patient", "/Patient/$export", refer("Patient/nobody"), `patient names Patient/nobody: there is no Patient with id "nobody"`},
		{"BD-RJ-11 unknown patient among others", "/Patient/$export", refer(in, "Patient/nobody"), `patient names Patient/nobody: there is no Patient with id "nobody"`},
		{"BD-RJ-11 unknown patient of a group", "/Group/one/$export", refer("Patient/nobody"), `patient names Patient/nobody: there is no Patient with id "nobody"`},
		{"BD-RJ-11 deleted patient", "/Patient/$export", refer("Patient/leaver"), "patient names Patient/leaver: Patient/leaver was deleted at "},
		{"BD-RJ-11 deleted patient of a group", "/Group/one/$export", refer("Patient/leaver"), "patient names Patient/leaver: Patient/leaver was deleted at "},
		{"BD-RJ-11 no member of the group", "/Group/one/$export", refer(out), out + " is no member of Group/one"},
	} {
		t.Run(c.name+", in words", func(t *testing.T) {
			a := w.all.send(t, "POST", c.path, c.body, exportHeader("Content-Type", fhirJSON)...)
			if got := a.refused(t, 400, "not-found").Diagnostics; !strings.HasPrefix(got, c.says) {
				t.Errorf("got %q, want %q", got, c.says)
			}
		})
	}
	for name, body := range map[string]string{
		"BD-PA-14 patient": refer(in), "BD-PA-17 absolute": refer(w.FHIRURL() + "/" + in), "BD-PA-14 two": refer(in, out), "BD-KO-06 no parameter": `{"resourceType":"Parameters"}`,
	} {
		t.Run(name, func(t *testing.T) {
			a := w.all.send(t, "POST", "/Patient/$export", body, exportHeader("Content-Type", fhirJSON)...).want(t, 202)
			m := w.all.finish(t, a.header.Get("Content-Location"))
			want := map[string]int{"BD-PA-14 two": 2, "BD-KO-06 no parameter": patients}[name]
			if got := len(w.all.exported(t, m, "Patient")); got != max(want, 1) {
				t.Errorf("got %d patients, want %d", got, max(want, 1))
			}
			if want == 0 {
				for _, line := range w.all.fileOf(t, m, "Observation") {
					if !strings.Contains(line, `"`+in+`"`) {
						t.Fatalf("BD-PA-14: got an Observation of another patient: %s", line)
					}
				}
			}
		})
	}
}
