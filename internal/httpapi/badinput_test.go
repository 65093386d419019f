package httpapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/sandbox"
)

// TestMalformedResources sends what is no resource, by create and by update
// (FR-CR-04, FR-CR-05). What was there before is there afterwards.
func TestMalformedResources(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	before := p.put(t, "/Patient/mine", `{"resourceType":"Patient","id":"mine","active":true}`).want(t, 201).body
	for _, c := range []struct {
		name, body string
		codes      []string
	}{
		{"FR-ER-07 nothing", "", []string{"structure", "required", "invalid"}},
		{"FR-ER-07 white space", " \n", []string{"structure"}},
		{"FR-ER-07 rubbish", "hello", []string{"structure"}},
		{"FR-ER-07 ends early", `{"resourceType":"Patient","id":"mine"`, []string{"structure"}},
		{"FR-ER-07 more behind", `{"resourceType":"Patient","id":"mine"} {}`, []string{"structure"}},
		{"FR-ER-07 comma too many", `{"resourceType":"Patient","id":"mine",}`, []string{"structure"}},
		{"FR-ER-07 comment", `{"resourceType":"Patient","id":"mine" /* x */}`, []string{"structure"}},
		{"FR-ER-07 single quotes", `{'resourceType':'Patient','id':'mine'}`, []string{"structure"}},
		{"FR-ER-07 number", `{"resourceType":"Patient","id":"mine","multipleBirthInteger":01}`, []string{"structure"}},
		{"FR-ER-07 half a surrogate", `{"resourceType":"Patient","id":"mine","language":"\ud800"}`, []string{"structure", "value"}},
		{"FR-ER-07 no UTF-8", "{\"resourceType\":\"Patient\",\"id\":\"mine\",\"language\":\"\xff\"}", []string{"structure", "value"}},
		{"FR-ER-07 control character", "{\"resourceType\":\"Patient\",\"id\":\"mine\",\"language\":\"a\nb\"}", []string{"structure", "value"}},
		{"FR-ER-07 too deep", `{"resourceType":"Patient","id":"mine","extension":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + "}", []string{"structure", "too-costly", "value"}},
		{"FR-CR-05 one member twice", `{"resourceType":"Patient","id":"mine","active":true,"active":false}`, []string{"structure", "invalid"}},
		{"FR-CR-05 one member twice below", `{"resourceType":"Patient","id":"mine","name":[{"family":"a","family":"b"}]}`, []string{"structure", "invalid"}},
		{"FR-CR-05 one member twice by an escape", `{"resourceType":"Patient","id":"mine","active":true,"\u0061ctive":false}`, []string{"structure", "invalid"}},
		{"FR-ER-08 array", `[{"resourceType":"Patient","id":"mine"}]`, []string{"structure", "invalid"}},
		{"FR-ER-08 text", `"Patient"`, []string{"structure", "invalid"}},
		{"FR-ER-09 no resourceType", `{"id":"mine"}`, []string{"required", "invalid", "structure"}},
		{"FR-CR-03 other resourceType", `{"resourceType":"Group","id":"mine"}`, []string{"invalid"}},
		{"FR-CR-03 unknown resourceType", `{"resourceType":"Nothing","id":"mine"}`, []string{"invalid"}},
		{"FR-CR-03 resourceType is a number", `{"resourceType":5,"id":"mine"}`, []string{"invalid", "structure"}},
		{"FR-ER-08 meta is text", `{"resourceType":"Patient","id":"mine","meta":"x"}`, []string{"structure", "invalid"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.put(t, "/Patient/mine", c.body).refused(t, 400, c.codes...)
			p.post(t, "/Patient", c.body).refused(t, 400, c.codes...)
		})
	}
	for _, contentType := range []string{"", "application/fhir+xml", "text/plain", "application/x-www-form-urlencoded", "application/fhir+json; fhirVersion=3.0", "application/xml+json", "nonsense"} {
		t.Run("FR-CN-03 "+contentType, func(t *testing.T) {
			a := p.put(t, "/Patient/mine", patient("mine"), "Content-Type", contentType)
			a.refused(t, 415, "not-supported")
			if !strings.Contains(a.header.Get("Accept"), fhirJSON) {
				t.Errorf("FR-CN-03: got Accept %q, want what is taken", a.header.Get("Accept"))
			}
			p.post(t, "/Patient", patient("mine"), "Content-Type", contentType).refused(t, 415, "not-supported")
		})
	}
	for _, charset := range []string{"iso-8859-1", "UTF-16", `"windows-1252"`} {
		t.Run("FR-CN-01 charset "+charset, func(t *testing.T) {
			contentType := func(media string) []string { return []string{"Content-Type", media + "; charset=" + charset} }
			for _, a := range []*answer{
				p.put(t, "/Patient/mine", patient("mine"), contentType(fhirJSON)...),
				p.post(t, "/Patient", patient("mine"), contentType("application/json")...),
				p.send(t, "PATCH", "/Patient/mine", "[]", contentType("application/json-patch+json")...),
				p.search(t, "/Patient/_search", "name=x", contentType(formType)...),
				p.post(t, "/$export", `{"resourceType":"Parameters"}`, exportHeader(contentType(fhirJSON)...)...),
			} {
				if i := a.refused(t, 415, "not-supported"); !strings.Contains(i.Diagnostics, "UTF-8") {
					t.Errorf("%s: got %q, want UTF-8 in it", a.request, i.Diagnostics)
				}
			}
		})
	}
	for name, header := range map[string][]string{
		"FR-CN-03 unknown Content-Encoding": {"Content-Encoding", "br"},
		"two codings":                       {"Content-Encoding", "gzip, br"},
	} {
		t.Run(name, func(t *testing.T) {
			p.put(t, "/Patient/mine", patient("mine"), header...).refused(t, 415, "not-supported")
		})
	}
	t.Run("not gzip as it says", func(t *testing.T) {
		p.put(t, "/Patient/mine", patient("mine"), "Content-Encoding", "gzip").refused(t, 400, "structure")
	})
	t.Run("gzip that ends early", func(t *testing.T) {
		compressed := zip(t, []byte(patient("mine")))
		p.put(t, "/Patient/mine", string(compressed[:len(compressed)-6]), "Content-Encoding", "gzip").refused(t, 400, "structure")
	})
	t.Run("gzip with another sum", func(t *testing.T) {
		compressed := zip(t, []byte(patient("mine")))
		compressed[len(compressed)-5] ^= 1
		p.put(t, "/Patient/mine", string(compressed), "Content-Encoding", "gzip").refused(t, 400, "structure")
	})
	if after := p.get(t, "/Patient/mine").want(t, 200).body; !bytes.Equal(before, after) {
		t.Errorf("got %s, want what was there before: %s", after, before)
	}
	if n := *p.get(t, "/Patient?_summary=count").bundle(t).Total; n != patients+1 {
		t.Errorf("got %d patients, want %d: what was refused is not stored", n, patients+1)
	}
	p.put(t, "/Patient/mine", string(zip(t, []byte(patient("mine")))), "Content-Encoding", "gzip").want(t, 200).wantHeader(t, "ETag", `W/"2"`)
	for _, charset := range []string{"utf-8", `"UTF-8"`, "US-ASCII"} {
		p.search(t, "/Patient/_search", "name=x", "Content-Type", formType+"; charset="+charset).want(t, 200)
		p.put(t, "/Patient/mine", patient("mine"), "Content-Type", fhirJSON+"; charset="+charset).want(t, 200)
	}
}

func zip(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// large is a Binary of about n bytes.
func large(id string, n int) string {
	return fmt.Sprintf(`{"resourceType":"Binary","id":%q,"contentType":"text/plain","data":"%s"}`, id, strings.Repeat("QUJD", n/4))
}

// upload sends FHIR JSON by PUT, in chunks of no length that is told before
// where chunked is true.
func (p party) upload(t *testing.T, path, body string, chunked bool) *answer {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	if chunked {
		r = struct{ io.Reader }{r}
	}
	a, err := p.try(t.Context(), http.MethodPut, path, r, "Content-Type", fhirJSON)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestLargeBodies is about bodies at and beyond the limits. A client gets to
// read the refusal, although it is still sending (FR-GE-10).
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := w.all
	body := large("five", 5<<20)
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("5 MB are taken, chunked %t", chunked), func(t *testing.T) {
			p.upload(t, "/Binary/five", body, chunked).want(t, map[bool]int{false: 201, true: 200}[chunked])
			if got := p.get(t, "/Binary/five", "Accept", fhirJSON).want(t, 200); len(got.body) < len(body) {
				t.Errorf("got %d bytes back of %d", len(got.body), len(body))
			}
		})
	}
	t.Run("5 MB of gzip are taken", func(t *testing.T) {
		p.put(t, "/Binary/five", string(zip(t, []byte(body))), "Content-Encoding", "gzip").want(t, 200)
	})
	beyond := large("beyond", 33<<20)
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("FR-ER-21 beyond 32 MiB, chunked %t", chunked), func(t *testing.T) {
			p.upload(t, "/Binary/beyond", beyond, chunked).refused(t, 413, "too-long")
		})
	}
	bomb := string(zip(t, make([]byte, 64<<20)))
	if len(bomb) > 100<<10 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	for _, door := range []struct{ method, path, contentType string }{
		{"PUT", "/Binary/beyond", fhirJSON}, {"POST", "/Binary", fhirJSON}, {"POST", "/$export", fhirJSON}, {"POST", "/Patient/_search", formType},
	} {
		t.Run("gzip bomb at "+door.path, func(t *testing.T) {
			a := p.send(t, door.method, door.path, bomb, exportHeader("Content-Type", door.contentType, "Content-Encoding", "gzip")...)
			a.refused(t, 413, "too-long")
		})
	}
	p.get(t, "/Binary/beyond").refused(t, 404, "not-found")
	for _, path := range []string{"/auth/token", "/auth/register", "/production/auth/token"} {
		contentType := formType
		if strings.HasSuffix(path, "register") {
			contentType = "application/json"
		}
		t.Run("413 of 5 MB at "+path, func(t *testing.T) {
			w.at().send(t, "POST", path, body, "Content-Type", contentType).oauth(t, 413, "invalid_request")
		})
		t.Run("413 of a gzip bomb at "+path, func(t *testing.T) {
			w.at().send(t, "POST", path, bomb, "Content-Type", contentType, "Content-Encoding", "gzip").oauth(t, 413, "invalid_request")
		})
	}
	t.Run("413 of 5 MB at the clock", func(t *testing.T) {
		w.at().send(t, "POST", "/_sandbox/clock", body, "Content-Type", "application/json").want(t, 413)
	})
	// A refusal that no body can change reaches a client that is still sending.
	for name, refusal := range map[string]func(t *testing.T){
		"401": func(t *testing.T) { w.stranger().put(t, "/Binary/x", body).refused(t, 401, "login") },
		"403": func(t *testing.T) {
			w.grant(t, "system/Patient.rs").put(t, "/Binary/x", body).refused(t, 403, "forbidden")
		},
		"404": func(t *testing.T) { p.post(t, "/Nothing", body).refused(t, 404, "not-supported") },
		"405": func(t *testing.T) {
			p.post(t, "/Patient/x", body).refused(t, 405, "not-supported")
		},
		"400 of a condition": func(t *testing.T) { p.put(t, "/Binary/x", body, "If-Match", "5").refused(t, 400, "value") },
		"415": func(t *testing.T) {
			p.send(t, "PUT", "/Patient/x", body, "Content-Type", "text/plain").refused(t, 415, "not-supported")
		},
		"400 of a kick-off":      func(t *testing.T) { p.post(t, "/$export", body).refused(t, 400, "required") },
		"404 of a path":          func(t *testing.T) { w.at().send(t, "POST", "/nothing", body).want(t, 404) },
		"405 of a token request": func(t *testing.T) { w.at().send(t, "PUT", "/auth/token", body).oauth(t, 405, "invalid_request") },
	} {
		t.Run("while sending 5 MB: "+name, refusal)
	}
	p.get(t, "/Patient").want(t, 200) // the server goes on
}

// TestExpectContinue is about clients that ask before they send a large body,
// as curl does.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	w := start(t)
	body := large("asked", 1<<20)
	for name, c := range map[string]struct {
		token  string
		status int
	}{"taken": {w.all.token, 201}, "refused": {"rubbish", 401}} {
		t.Run(name, func(t *testing.T) {
			conn := w.all.dial(t)
			_, err := fmt.Fprintf(conn, "PUT /fhir/Binary/asked HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", c.token, fhirJSON, len(body))
			if err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(conn)
			for {
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode == http.StatusContinue {
					if _, err := io.WriteString(conn, body); err != nil {
						t.Fatal(err)
					}
					continue
				}
				if resp.StatusCode != c.status {
					t.Errorf("got status %d, want %d", resp.StatusCode, c.status)
				}
				return
			}
		})
	}
}

// TestLongRequests is about long headers and long queries.
func TestLongRequests(t *testing.T) {
	t.Parallel()
	w := start(t)
	t.Run("SB-ISS-05 token of 8 KB", func(t *testing.T) {
		var scopes []string
		for n := range 120 {
			scopes = append(scopes, fmt.Sprintf("system/Observation.rs?_tag=http://example.org/tags/%04d|%04d", n, n))
		}
		long := w.grant(t, append(scopes, "system/Patient.rs")...)
		if len(long.token) < 8<<10 {
			t.Fatalf("the token has only %d bytes", len(long.token))
		}
		long.get(t, "/Patient").want(t, 200)
		long.get(t, "/Observation").want(t, 200)
		long.export(t, "/$export?_type=Patient")
		a := long.get(t, "/Encounter")
		a.refused(t, 403, "forbidden")
		a.challenge(t, "insufficient_scope")
		if n := len(a.header.Get("WWW-Authenticate")); n > 4<<10 {
			t.Errorf("WWW-Authenticate has %d bytes; many clients read 8 KB of headers at most", n)
		}
	})
	t.Run("query of 60 KB", func(t *testing.T) {
		people(t, w.all, 1, "Far")
		query := "_id=far-000&nothing=" + strings.Repeat("nobody-nobody-nobody,", 60<<10/21)
		if b := w.all.get(t, "/Patient?"+query).bundle(t); *b.Total != 1 {
			t.Errorf("got %d, want 1", *b.Total)
		}
		if b := w.all.search(t, "/Patient/_search", query+strings.Repeat(",x", 100<<10)).bundle(t); *b.Total != 1 {
			t.Errorf("POST: got %d, want 1", *b.Total)
		}
	})
	for name, size := range map[string]int{"query of 200 KB": 200 << 10, "query of 10 MB": 10 << 20} {
		t.Run(name, func(t *testing.T) {
			for range 20 { // a client that still sends when it is refused reads the answer nevertheless
				if a := w.all.get(t, "/Patient?_id="+strings.Repeat("x", size)); a.status != 431 {
					t.Fatalf("got status %d, want 431", a.status)
				}
			}
		})
	}
	t.Run("many parameters", func(t *testing.T) {
		w.all.get(t, "/Patient?"+strings.Repeat("active=true&", 300)).want(t, 200)
	})
}

// TestBadControls sends rubbish to the controls.
func TestBadControls(t *testing.T) {
	t.Parallel()
	w := start(t)
	before := w.Clock().Now()
	for _, body := range []string{
		"", "{", "[]", `"10m"`, `{"advance":10}`, `{"advance":"soon"}`, `{"set":"tomorrow"}`, `{"set":"2026-01-31"}`, `{"freeze":"yes"}`, `{"forward":"10m"}`, `{"advance":"10m"}{"advance":"10m"}`,
		`{"advance":"10m","set":"tomorrow"}`, `{"set":"2020-01-31T08:00:00Z","advance":"soon"}`, `{"advance":"10m","advance":"20m"}`,
	} {
		t.Run(body, func(t *testing.T) {
			a := w.at().send(t, "POST", "/_sandbox/clock", body, "Content-Type", "application/json").want(t, 400)
			if text, _ := a.object(t)["error"].(string); text == "" {
				t.Errorf("got %s, want it explained", a.body)
			}
		})
	}
	if d := w.Clock().Now().Sub(before); d.Abs().Minutes() > 1 {
		t.Errorf("requests that were refused moved the clock by %v", d)
	}
	for _, path := range []string{"/_sandbox/exchanges?limit=0", "/_sandbox/exchanges?limit=many", "/_sandbox/exchanges?limit=-1"} {
		w.at().get(t, path).want(t, 400)
	}
	for _, path := range []string{"/_sandbox/nothing", "/_sandbox/exchanges/0123", "/nothing", "/w/nobody/fhir/metadata", "/w/", "/production/nothing", "/productionfhir/metadata"} {
		w.at().get(t, path).want(t, 404)
	}
	w.at().send(t, "DELETE", "/_sandbox/clock", "").want(t, 405)
	for path, status := range map[string]int{"/livez": 200, "/readyz": 200} {
		w.at().get(t, path).want(t, status)
	}
}

// TestEveryRefusalIsExplained follows the link of refusals to their page.
func TestEveryRefusalIsExplained(t *testing.T) {
	t.Parallel()
	w := start(t)
	narrow := w.grant(t, "system/Patient.r")
	for name, a := range map[string]*answer{
		"401":                    w.stranger().get(t, "/Patient"),
		"403":                    narrow.get(t, "/Patient"),
		"404":                    w.all.get(t, "/Patient/nobody"),
		"400":                    w.all.put(t, "/Patient/x", "{"),
		"415":                    w.all.put(t, "/Patient/x", "{}", "Content-Type", "text/plain"),
		"406":                    w.all.get(t, "/Patient/x", "Accept", "text/html"),
		"405":                    w.all.send(t, "POST", "/Patient/x", ""),
		"400 of a kick-off":      w.all.get(t, "/$export"),
		"404 of a status":        w.all.get(t, "/_export/x"),
		"405 of a token request": w.at().get(t, "/auth/token"),
		"413 of a token request": w.at().search(t, "/auth/token", strings.Repeat("x", 70<<10)),
		"400 of a registration":  w.at().send(t, "POST", "/auth/register", "{", "Content-Type", "application/json"),
		"404 of an unknown path": w.all.get(t, "/a/b/c/d"),
		"400 of a control":       w.at().send(t, "POST", "/_sandbox/clock", "{"),
	} {
		t.Run(name, func(t *testing.T) {
			var page string
			if link := a.header.Get("Link"); strings.Contains(link, `rel="help"`) {
				page = strings.TrimPrefix(strings.SplitN(link, ">", 2)[0], "<")
			} else {
				var e oauthError
				a.decode(t, &e)
				page = e.URI
			}
			if !strings.HasPrefix(page, w.URL()+"/_sandbox/exchanges/") {
				t.Fatalf("%s: got page %q (Link %q, body %s)", a.request, page, a.header.Get("Link"), a.excerpt())
			}
			got := w.at().get(t, page).want(t, 200).object(t)
			if got["status"] != float64(a.status) || got["refusal"] == nil {
				t.Errorf("got status %v and refusal %v, want %d and a reason", got["status"], got["refusal"], a.status)
			}
			html := w.at().get(t, page, "Accept", "text/html").want(t, 200)
			if !strings.HasPrefix(html.header.Get("Content-Type"), "text/html") || !bytes.Contains(html.body, fmt.Append(nil, a.status)) {
				t.Errorf("got %s of %d bytes, want a page", html.header.Get("Content-Type"), len(html.body))
			}
		})
	}
	if n := len(w.Exchanges(sandbox.Exchange.Refused)); n < 10 {
		t.Errorf("the log has %d refusals", n)
	}
}
