package httpapi_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// kept is a resource with what careless servers lose: the order of members,
// the digits of decimals, extensions of primitives, contained resources and
// elements of no R4 definition.
const kept = `{"resourceType":"Observation","id":"kept","meta":{"profile":["http://example.org/p"],"tag":[{"system":"http://example.org","code":"mine"}]},` +
	`"contained":[{"resourceType":"Patient","id":"c","_birthDate":{"extension":[{"url":"http://example.org/e","valueCode":"unknown"}]}}],` +
	`"status":"final","code":{"text":"<b>größer & \"kleiner\"</b>"},"subject":{"reference":"#c"},"issued":"2020-01-01T00:00:00Z","_issued":{"id":"x"},"valueQuantity":{"value":1.10,"unit":"mg\/dl"},` +
	`"component":[{"code":{"text":"e"},"valueQuantity":{"value":1.5e3}},{"code":{"text":"n"},"valueQuantity":{"value":123456789012345678901234567890.10}}]}`

func TestRead(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	p.put(t, "/Observation/kept", kept).want(t, 201)
	p.put(t, "/Patient/gone", `{"resourceType":"Patient","id":"gone"}`).want(t, 201)
	p.send(t, "DELETE", "/Patient/gone", "").want(t, 204)

	t.Run("FR-RD-01 as it was sent", func(t *testing.T) {
		a := p.get(t, "/Observation/kept").want(t, 200).wantHeader(t, "Content-Type", fhirJSON).wantHeader(t, "ETag", `W/"1"`) // FR-GE-03, FR-GE-04
		r := a.resource(t)
		stamp := `"meta":{"versionId":"1","lastUpdated":"` + r.Meta.LastUpdated + `",`
		if want := strings.Replace(kept, `"meta":{`, stamp, 1); string(a.body) != want {
			t.Errorf("got\n%s\nwant\n%s", a.body, want)
		}
		modified, err := http.ParseTime(a.header.Get("Last-Modified"))
		if err != nil || !modified.Equal(r.at(t).Truncate(time.Second)) {
			t.Errorf("FR-GE-03: got Last-Modified %q, want lastUpdated %s", a.header.Get("Last-Modified"), r.Meta.LastUpdated)
		}
		if date, err := http.ParseTime(a.header.Get("Date")); err != nil || date.Before(modified.Add(-time.Second)) {
			t.Errorf("FR-GE-07: got Date %q: %v", a.header.Get("Date"), err)
		}
	})
	t.Run("FR-GE-06 HEAD", func(t *testing.T) {
		get, head := p.get(t, "/Observation/kept"), p.send(t, "HEAD", "/Observation/kept", "").want(t, 200)
		if head.length != int64(len(get.body)) || len(head.body) != 0 || head.header.Get("ETag") != get.header.Get("ETag") {
			t.Errorf("got Content-Length %d, ETag %q; want those of GET: %d, %q", head.length, head.header.Get("ETag"), len(get.body), get.header.Get("ETag"))
		}
		p.send(t, "HEAD", "/Observation/nobody", "").want(t, 404)
		p.send(t, "HEAD", "/Patient?_count=1", "").want(t, 200)
	})
	modified := p.get(t, "/Observation/kept").header.Get("Last-Modified")
	for _, c := range []struct {
		name   string
		path   string
		header []string
		status int
		code   string
	}{
		{"FR-RD-02 unknown id", "/Patient/nobody", nil, 404, "not-found"},
		{"FR-RD-02 deleted", "/Patient/gone", nil, 410, "deleted"},
		{"FR-GE-02 unknown type", "/Patients/x", nil, 404, "not-supported"},
		{"FR-GE-02 type in lower case", "/patient/x", nil, 404, "not-supported"},
		{"FR-GE-02 unknown path", "/Patient/x/y/z", nil, 404, "not-found"},
		{"FR-OP-06 unknown operation", "/Patient/$nothing", nil, 404, "not-supported"},
		{"FR-OP-06 unknown operation of a resource", "/Patient/gone/$nothing", nil, 404, "not-supported"},
		{"FR-OP-06 unknown operation of the system", "/$nothing", nil, 404, "not-supported"},
		{"id outside of the grammar", "/Patient/a_b", nil, 404, "not-found"},
		{"invalid percent-encoding", "/Patient/%25zz", nil, 404, "not-found"},
		{"slash in the id", "/Patient/a%2Fb", nil, 404, "not-supported"},
		{"NUL in the id", "/Patient/a%00b", nil, 404, "not-found"},
		{"FR-VR-01 unknown version", "/Observation/kept/_history/7", nil, 404, "not-found"},
		{"FR-VR-01 version 0", "/Observation/kept/_history/0", nil, 404, "not-found"},
		{"FR-VR-01 version that is no number", "/Observation/kept/_history/x", nil, 404, "not-found"},
		{"FR-VR-01 version with a sign", "/Observation/kept/_history/+1", nil, 404, "not-found"},
		{"FR-VR-02 deleting version", "/Patient/gone/_history/2", nil, 410, "deleted"},
		{"FR-VR-02 version before", "/Patient/gone/_history/1", nil, 200, ""},
		{"FR-HI-05 unknown id", "/Patient/nobody/_history", nil, 404, "not-found"},
		{"FR-HI-05 deleted", "/Patient/gone/_history", nil, 200, ""},
		{"FR-CN-02 Accept xml", "/Observation/kept", []string{"Accept", "application/fhir+xml"}, 406, "not-supported"},
		{"FR-CN-02 Accept with q", "/Observation/kept", []string{"Accept", "text/html, application/fhir+xml;q=0.9, */*;q=0.1"}, 200, ""},
		{"FR-CN-02 Accept text/html", "/Observation/kept", []string{"Accept", "text/html"}, 406, "not-supported"},
		{"FR-CN-04 _format=xml", "/Observation/kept?_format=xml", nil, 406, "not-supported"},
		{"FR-CN-04 _format=json", "/Observation/kept?_format=json", []string{"Accept", "text/html"}, 200, ""},
		{"FR-CN-07 fhirVersion", "/Observation/kept", []string{"Accept", "application/fhir+json; fhirVersion=5.0"}, 406, "not-supported"},
		{"FR-RD-04 If-None-Match", "/Observation/kept", []string{"If-None-Match", `W/"1"`}, 304, ""},
		{"FR-RD-04 If-None-Match, strong", "/Observation/kept", []string{"If-None-Match", `"1"`}, 304, ""},
		{"FR-RD-04 If-None-Match, list", "/Observation/kept", []string{"If-None-Match", `W/"7", W/"1"`}, 304, ""},
		{"FR-RD-04 If-None-Match, *", "/Observation/kept", []string{"If-None-Match", "*"}, 304, ""},
		{"FR-RD-04 If-None-Match, other", "/Observation/kept", []string{"If-None-Match", `W/"2"`}, 200, ""},
		{"FR-RD-04 If-Modified-Since", "/Observation/kept", []string{"If-Modified-Since", modified}, 304, ""},
		{"FR-RD-04 If-Modified-Since, earlier", "/Observation/kept", []string{"If-Modified-Since", "Thu, 01 Jan 2015 00:00:00 GMT"}, 200, ""},
		{"FR-RD-04 If-Modified-Since, malformed", "/Observation/kept", []string{"If-Modified-Since", "yesterday"}, 200, ""},
		{"FR-RD-04 If-None-Match counts", "/Observation/kept", []string{"If-None-Match", `W/"2"`, "If-Modified-Since", modified}, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := p.get(t, c.path, c.header...)
			switch {
			case c.code != "":
				a.refused(t, c.status, c.code)
			case c.status == 304:
				a.want(t, 304).wantHeader(t, "ETag", `W/"1"`).wantHeader(t, "Last-Modified", modified)
				if len(a.body) != 0 {
					t.Errorf("got a body: %s", a.body)
				}
			default:
				a.want(t, c.status)
			}
		})
	}
	t.Run("FR-GE-01 errors in the type asked for", func(t *testing.T) {
		a := p.get(t, "/Patient/nobody", "Accept", "application/json").want(t, 404)
		a.wantHeader(t, "Content-Type", "application/json")
	})
	t.Run("FR-GE-09 X-Request-Id", func(t *testing.T) {
		p.get(t, "/Patient/nobody", "X-Request-Id", "abc").want(t, 404).wantHeader(t, "X-Request-Id", "abc")
	})
}

// TestRawPaths sends what net/http's client would not.
func TestRawPaths(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct{ name, line string }{
		{"invalid percent-encoding in the path", "GET /fhir/Patient/%zz HTTP/1.1"},
		{"percent at the end of the path", "GET /fhir/Patient/a% HTTP/1.1"},
		{"invalid percent-encoding in the type", "GET /fhir/%zz HTTP/1.1"},
		{"dots", "GET /fhir/Patient/../../../etc/passwd HTTP/1.1"},
		{"encoded dots", "GET /fhir/Patient/%2e%2e%2f%2e%2e HTTP/1.1"},
		{"double slash", "GET /fhir//Patient HTTP/1.1"},
		{"bytes that are no UTF-8", "GET /fhir/Patient/\xff\xfe HTTP/1.1"},
		{"encoded bytes that are no UTF-8", "GET /fhir/Patient/%FF%FE HTTP/1.1"},
		{"semicolon", "GET /fhir/Patient;x=1/y HTTP/1.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.all.raw(t, c.line+"\r\nHost: x\r\nAuthorization: Bearer "+w.all.token+"\r\n\r\n")
			if a.status != 400 && a.status != 404 {
				t.Fatalf("got status %d, want 400 or 404: %s", a.status, a.excerpt())
			}
			if strings.Contains(c.line, "..") || strings.Contains(c.line, "%2e") {
				return // may lead out of the FHIR surface
			}
			if code := a.object(t)["resourceType"]; code != "OperationOutcome" {
				t.Errorf("got %s, want an OperationOutcome", a.excerpt())
			}
		})
	}
	t.Run("no Host", func(t *testing.T) {
		w.all.raw(t, "GET /fhir/metadata HTTP/1.1\r\n\r\n").want(t, 400) // RFC 9112 section 3.2
	})
	for _, path := range []string{"/fhir/Patient/%24export", "/fhir/%24export", "/fhir/Group/all/%24export"} {
		t.Run("encoded $ "+path, func(t *testing.T) {
			w.at().as(w.all.token).get(t, path, exportHeader()...).want(t, 202)
		})
	}
}

func TestMethodsNotOffered(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, c := range []struct{ method, path, allow string }{
		{"POST", "/Patient/x", "GET, PUT, PATCH, DELETE"},
		{"PATCH", "/Patient/$export", "GET, POST"},
		{"PUT", "/$export", "GET, POST"},
		{"DELETE", "/Patient/$export", "GET, POST"},
		{"PUT", "/Group/all/$export", "GET, POST"},
		{"POST", "/_export/x", "GET, DELETE"},
		{"DELETE", "/_export/x/1/Patient.ndjson", "GET"},
		{"POST", "/Patient/x/_history", "GET"},
		{"PUT", "/Patient/x/_history/1", "GET"},
		{"GET", "/Patient/_search", "POST"},
	} {
		t.Run("FR-GE-02 "+c.method+" "+c.path, func(t *testing.T) {
			a := w.all.send(t, c.method, c.path, "")
			a.refused(t, 405, "not-supported")
			allowed := strings.Split(strings.ReplaceAll(a.header.Get("Allow"), " ", ""), ",")
			for _, m := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
				if want, got := containsAll(strings.Split(c.allow, ", "), m), containsAll(allowed, m); want != got {
					t.Errorf("got Allow %q, want %s", a.header.Get("Allow"), c.allow)
				}
			}
		})
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	const path = "/Patient/mine"
	p.put(t, path, `{"resourceType":"Patient","id":"mine","active":true}`).want(t, 201)
	p.put(t, path, `{"resourceType":"Patient","id":"mine","active":false}`).want(t, 200)
	p.send(t, "DELETE", path, "").want(t, 204)
	p.put(t, path, `{"resourceType":"Patient","id":"mine"}`).want(t, 201).wantHeader(t, "ETag", `W/"4"`) // FR-UP-02: revived

	b := p.get(t, path+"/_history").want(t, 200).bundle(t)
	if b.Type != "history" || b.Total == nil || *b.Total != 4 || len(b.Entry) != 4 || b.link("self") != w.FHIRURL()+path+"/_history" {
		t.Fatalf("FR-HI-01: got type %q, total %v, %d entries, links %v", b.Type, b.Total, len(b.Entry), b.Link)
	}
	var earlier time.Time
	instants := map[int]string{} // by index
	for i, want := range []struct{ version, method, status string }{{"4", "PUT", "201"}, {"3", "DELETE", "204"}, {"2", "PUT", "200"}, {"1", "PUT", "201"}} {
		e := b.Entry[i]
		if e.FullURL != w.FHIRURL()+path || e.Request.URL != "Patient/mine" {
			t.Errorf("FR-HI-06: entry %d: got fullUrl %q and url %q", i, e.FullURL, e.Request.URL)
		}
		if e.Request.Method != want.method || !strings.HasPrefix(e.Response.Status, want.status) || e.Response.ETag != `W/"`+want.version+`"` {
			t.Errorf("FR-HI-02: entry %d: got %s, want %+v", i, e.raw, want)
		}
		if (e.Resource == nil) != (want.method == "DELETE") || e.Resource != nil && e.Resource.Meta.VersionID != want.version {
			t.Errorf("FR-HI-02: entry %d: got resource %+v, want version %s", i, e.Resource, want.version)
		}
		at := instant(t, e.Response.LastModified)
		instants[i] = e.Response.LastModified
		if i > 0 && !at.Before(earlier) {
			t.Errorf("FR-HI-01 FR-GE-11: entry %d is of %v, not before the newer one, %v", i, at, earlier)
		}
		earlier = at
	}
	for version, active := range map[string]any{"1": true, "2": false, "4": nil} {
		a := p.get(t, path+"/_history/"+version).want(t, 200).wantHeader(t, "ETag", `W/"`+version+`"`) // FR-VR-01
		if got := a.object(t)["active"]; got != active {
			t.Errorf("FR-VR-01: version %s: got active %v, want %v", version, got, active)
		}
	}
	for query, want := range map[string][]string{ // FR-HI-03
		"_count=2": {"4", "3"}, "_since=" + url.QueryEscape(instants[2]): {"4", "3", "2"}, "_since=2999-01-01T00:00:00Z": nil,
	} {
		var got []string
		a := p.get(t, path+"/_history?"+query)
		for _, e := range a.bundle(t).Entry {
			got = append(got, strings.Trim(e.Response.ETag, `W/"`))
		}
		if !slices.Equal(got, want) {
			t.Errorf("FR-HI-03 %s: got versions %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"_count=-1", "_count=x", "_since=yesterday", "_count=1&_count=2"} {
		p.get(t, path+"/_history?"+query).refused(t, 400, "value", "invalid")
	}
	created := p.post(t, "/Patient", `{"resourceType":"Patient"}`).want(t, 201).resource(t)
	e := p.get(t, "/Patient/"+created.ID+"/_history").bundle(t).Entry[0]
	if !strings.HasPrefix(e.Response.Status, "201") || e.Request.Method == "PUT" && e.Request.URL != "Patient/"+created.ID || e.Request.Method == "POST" && e.Request.URL != "Patient" {
		t.Errorf("FR-HI-02: the entry of a create is %s", e.raw)
	}
}
