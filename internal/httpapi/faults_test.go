package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// inject makes requests of the world fail.
func (w *world) inject(t *testing.T, text string) *sandbox.Fault {
	t.Helper()
	f, err := w.Inject(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// askFor asks for a token as the default client.
func (w *world) askFor(t *testing.T) *answer {
	t.Helper()
	assertion, err := w.DefaultClient().Assertion()
	if err != nil {
		t.Fatal(err)
	}
	return w.at().askToken(t, w.TokenURL(), assertion, "system/*.rs")
}

// A fault is met by a client, as often as it says, and the exchange tells of
// it; the request after it has its true answer.
func TestFaultsOfAnswers(t *testing.T) {
	t.Parallel()
	discovery := func(w *world, t *testing.T) *answer { return w.at().get(t, w.SMARTConfigurationURL()) }
	token := func(w *world, t *testing.T) *answer { return w.askFor(t) }
	read := func(w *world, t *testing.T) *answer { return w.all.get(t, "/Patient?_count=1") }
	serverKeys := func(w *world, t *testing.T) *answer { return w.at().get(t, "/auth/jwks") }
	kickOff := func(w *world, t *testing.T) *answer { return w.all.get(t, "/$export?_type=Patient", exportHeader()...) }
	groupKickOff := func(w *world, t *testing.T) *answer {
		w.all.put(t, "/Group/some", `{"resourceType":"Group","id":"some","type":"person","actual":true}`)
		w.all.get(t, "/$export?_type=Patient", exportHeader()...).want(t, 202) // is of no group
		return w.all.get(t, "/Group/some/$export?_type=Patient", exportHeader()...)
	}
	deleted := func(w *world, t *testing.T) *answer {
		job := w.all.kickOff(t, "/$export?_type=Patient")
		w.all.send(t, "DELETE", job, "").want(t, 202)
		return w.all.get(t, job)
	}
	pending := func(w *world, t *testing.T) *answer {
		return w.all.get(t, w.all.kickOff(t, "/$export?_type=Patient"))
	}
	done := func(w *world, t *testing.T) *answer {
		status := w.all.kickOff(t, "/$export?_type=Patient,Observation")
		w.all.get(t, status).want(t, 202)
		return w.all.get(t, status)
	}
	member := func(name string) func(*answer) string {
		return func(a *answer) string {
			var m map[string]json.RawMessage
			if json.Unmarshal(a.body, &m) != nil {
				return "no JSON"
			}
			return string(m[name])
		}
	}
	header := func(name string) func(*answer) string { return func(a *answer) string { return a.header.Get(name) } }
	all := func(a *answer) string {
		return fmt.Sprint(a.status, " ", a.header.Get("Content-Type"), " ", string(a.body))
	}
	status := func(a *answer) string { return fmt.Sprint(a.status) }
	for _, c := range []struct {
		fault string
		ask   func(*world, *testing.T) *answer
		shows func(*answer) string
		want  func(string) bool
	}{
		{"T01 token.expires_in_string", token, member("expires_in"), is(`"300"`)},
		{"T07 token.error_with_200", token, all, is(`200 application/json {"error":"invalid_client","error_description":"by the fault token.error_with_200"}`)},
		{"T08 token.503", token, status, is("503")},
		{"T09 token.omit:field=scope", token, member("scope"), is("")},
		{"S05 scope.narrow:to=system/Group.rs system/Patient.r", token, member("scope"), is(`"system/Group.rs system/Patient.r"`)},
		{"J07 serverjwks.late_publish", serverKeys, member("keys"), is("[]")},
		{"T03 token.401", read, func(a *answer) string { return fmt.Sprint(a.status, a.header.Get("WWW-Authenticate")) }, has(`401Bearer realm="fhir", error="invalid_token"`)},
		{"D02 discovery.html", discovery, all, has("200 text/html; charset=utf-8 <!doctype html>")},
		{"D02 discovery.array", discovery, all, is("200 application/json []")},
		{"D02 discovery.text_plain", discovery, header("Content-Type"), is("text/plain; charset=utf-8")},
		{"D06 discovery.omit:field=registration_endpoint", discovery, member("registration_endpoint"), is("")},
		{"D03 redirect.to_http", discovery, func(a *answer) string { return fmt.Sprint(a.status, a.header.Get("Location")) }, has("302http://127.0.0.1:")},
		{"status:code=502", read, all, is("502  ")},
		{"B09 too_many:retry_after=7", read, func(a *answer) string { return fmt.Sprint(a.status, a.header.Get("Retry-After")) }, is("4297")},
		{"P02 too_many:retry_after=date", read, header("Retry-After"), isDate},
		{"P03 too_many:retry_after=epoch", read, header("Retry-After"), has("1")},
		{"B04 group.missing_500", groupKickOff, status, is("500")},
		{"P07 cancel.status", deleted, status, is("400")},
		{"B12 contentlocation.relative", kickOff, header("Content-Location"), has("/fhir/_export/")},
		{"B12 contentlocation.internal_host", kickOff, header("Content-Location"), has("http://fhir-7c9f.internal:8080/fhir/_export/")},
		{"P05 poll.5xx", pending, all, has(`503 application/fhir+json {"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"transient"`)},
		{"P06 job.fail", pending, all, has(`500 application/fhir+json {"resourceType":"OperationOutcome"`)},
		{"P03 retryafter:seconds=7200", pending, header("Retry-After"), is("7200")},
		{"P02 retryafter.httpdate", pending, header("Retry-After"), isDate},
		{"P03 retryafter.epoch", pending, header("Retry-After"), func(s string) bool { n, err := strconv.Atoi(s); return err == nil && n > 1_700_000_000 }},
		{"P04 progress.text", pending, header("X-Progress"), is("In Progress, 80%")},
		{"P04 progress.none", pending, header("X-Progress"), is("")},
		{"P09 status.303", done, func(a *answer) string { return fmt.Sprint(a.status, a.header.Get("Location")) }, has("303http://")},
		{"P09 status.bundle", done, func(a *answer) string { return a.header.Get("Content-Type") + member("entry")(a) }, has(`application/fhir+json[{"resource":{"contentType":"application/json","data":"ey`)},
		{"M01 manifest.omit:field=error", done, member("error"), is("")},
		{"M06 manifest.lie_requires_token", done, member("requiresAccessToken"), is("false")},
		{"M20 manifest.count_wrong:by=3", done, member("output"), has(`"count":8`)},
		{"M22 manifest.internal_request", done, member("request"), has("http://fhir-7c9f.internal:8080/fhir/$export")},
		{"M02 export.partial:type=Observation", done, func(a *answer) string { return string(a.body) }, func(s string) bool {
			return !strings.Contains(s, "/1/Observation.ndjson") && strings.Contains(s, "/0/partial-Observation.ndjson")
		}},
		{"M03 export.info_outcomes", done, member("error"), has("/0/info.ndjson")},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			_, text, named := strings.Cut(c.fault, " ")
			if !named {
				text = c.fault
			}
			before := c.shows(c.ask(w, t))
			f := w.inject(t, text+"#times=1")
			if got := c.shows(c.ask(w, t)); !c.want(got) || got == before {
				t.Errorf("met: got %q; without the fault it is %q", got, before)
			}
			if f.Hits() != 1 {
				t.Errorf("it was met %d times, want once", f.Hits())
			}
			if !slices.ContainsFunc(w.Exchanges(), func(e sandbox.Exchange) bool { return e.Fault == text+"#times=1" }) {
				t.Error("no exchange tells of it")
			}
			if got := c.shows(c.ask(w, t)); got != before && !perRequest(before) {
				t.Errorf("afterwards: got %q, want %q", got, before)
			}
		})
	}
}

// perRequest reports whether an answer differs from one request to the next: it
// has the URL of a job or a token in it.
func perRequest(text string) bool {
	return strings.Contains(text, "/_export/") || strings.Contains(text, "access_token")
}

func is(want string) func(string) bool { return func(got string) bool { return got == want } }
func has(want string) func(string) bool {
	return func(got string) bool { return strings.Contains(got, want) }
}
func isDate(text string) bool { _, err := http.ParseTime(text); return err == nil }

// What a client makes of files that are not as they should be, byte for byte.
func TestFaultsOfFiles(t *testing.T) {
	t.Parallel()
	w := start(t)
	url := w.all.export(t, "/$export?_type=Patient").Output[0].URL
	get := func() (*http.Response, []byte, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.all.token)
		resp, err := w.web.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp, body, err
	}
	_, plain, err := get()
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(plain, []byte("\n")), []byte("\n"))
	joined := func(begin, end string, last bool) []byte {
		all := append([]byte(begin), bytes.Join(lines, []byte(end))...)
		if last {
			all = append(all, end...)
		}
		return all
	}
	for _, c := range []struct {
		fault string
		want  []byte
	}{
		{"M10 files.truncate:bytes=100", plain[:100]},
		{"M11 ndjson.blank_lines", joined("", "\n\n", true)},
		{"M11 ndjson.crlf", joined("", "\r\n", true)},
		{"M11 ndjson.bom", joined("\ufeff", "\n", true)},
		{"M11 ndjson.no_final_newline", joined("", "\n", false)},
		{"M21 files.corrupt:at=3", append(append(bytes.Clone(plain[:3]), plain[3]^1), plain[4:]...)},
		{"M14 files.content_type:value=binary/octet-stream", plain},
	} {
		text := c.fault[4:]
		f := w.inject(t, text)
		resp, got, err := get()
		if err != nil || resp.StatusCode != 200 || !bytes.Equal(got, c.want) {
			t.Errorf("%s: got %d, %d bytes, error %v; want %d bytes", c.fault, resp.StatusCode, len(got), err, len(c.want))
		}
		if text == "files.content_type:value=binary/octet-stream" && resp.Header.Get("Content-Type") != "binary/octet-stream" {
			t.Errorf("%s: got %s", c.fault, resp.Header.Get("Content-Type"))
		}
		f.Remove()
	}
	f := w.inject(t, "files.reset_at:bytes=100#times=1")
	resp, got, err := get()
	if !errors.Is(err, io.ErrUnexpectedEOF) || resp.ContentLength != int64(len(plain)) || !bytes.Equal(got, plain[:100]) {
		t.Errorf("M10 files.reset_at: got %d bytes of %d, error %v; want 100 and a broken end", len(got), resp.ContentLength, err)
	}
	if f.Hits() != 1 {
		t.Errorf("M10 was met %d times", f.Hits())
	}
	f = w.inject(t, "files.gzip_mislabelled")
	resp, got, err = get()
	zip, zerr := gzip.NewReader(bytes.NewReader(got))
	if err != nil || zerr != nil || resp.Header.Get("Content-Encoding") != "" {
		t.Fatalf("M13: got %v, %v, %v", err, zerr, resp.Header)
	}
	if inner, err := io.ReadAll(zip); err != nil || !bytes.Equal(inner, plain) {
		t.Errorf("M13: within it are %d bytes, %v", len(inner), err)
	}
	f.Remove()
	f = w.inject(t, "ndjson.long_line:bytes=1100000")
	if _, got, err = get(); err != nil || bytes.IndexByte(got, '\n') != 1_100_000 || !json.Valid(got[:1_100_000]) {
		t.Errorf("M12: the first line has %d bytes, %v", bytes.IndexByte(got, '\n'), err)
	}
	f.Remove()
	w.inject(t, "files.expired@type=Observation")
	if resp, got, err = get(); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("a fault of another type: %d, %v", resp.StatusCode, err)
	}
	w.inject(t, "files.expired@type=Patient#times=1")
	if resp, got, _ = get(); resp.StatusCode != 403 || !bytes.Contains(got, []byte("Request has expired")) {
		t.Errorf("M08: got %d, %s", resp.StatusCode, got)
	}
	status := w.all.kickOff(t, "/$export?_type=Patient")
	w.all.finish(t, status)
	w.all.get(t, status+"/0/info.ndjson").want(t, 404) // no fault has promised it
	w.inject(t, "export.partial")
	m := w.all.export(t, "/$export?_type=Patient,Observation")
	if outcome := w.all.lines(t, m.Error[0].URL); len(outcome) != 1 || outcome[0].ResourceType != "OperationOutcome" {
		t.Errorf("M02: got %+v", outcome)
	}
}

// M21: a client that holds a file against its checksum finds a byte that is another
// one.
func TestFaultsOfChecksums(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.inject(t, "manifest.checksum")
	m := w.all.export(t, "/$export?_type=Patient,Encounter&_elements=Encounter.status")
	if len(m.Output) != 2 {
		t.Fatalf("got %d files", len(m.Output))
	}
	holds := func(file item) bool {
		body := w.all.get(t, file.URL).want(t, 200).body
		sum := sha256.Sum256(body)
		return len(file.Extension) == 2 && file.Extension[0].ValueString == "sha256:"+hex.EncodeToString(sum[:]) && file.Extension[1].ValueDecimal == int64(len(body))
	}
	for _, file := range m.Output {
		if !holds(file) {
			t.Errorf("%s: %+v does not hold", file.Type, file.Extension)
		}
	}
	w.inject(t, "files.corrupt@type=Patient#times=1")
	if i := slices.IndexFunc(m.Output, func(f item) bool { return f.Type == "Patient" }); holds(m.Output[i]) {
		t.Error("a file with a byte that is another one holds")
	}
}

// B04: a server that takes a group without members for everybody.
func TestFaultsOfGroups(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.all.put(t, "/Group/nobody", `{"resourceType":"Group","id":"nobody","type":"person","actual":true}`).want(t, 201)
	w.all.put(t, "/Group/somebody", `{"resourceType":"Group","id":"somebody","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/pt-000001"}}]}`).want(t, 201)
	count := func(group string) (n int) {
		for _, file := range w.all.export(t, "/Group/"+group+"/$export?_type=Patient").Output {
			n += file.Count
		}
		return n
	}
	if n := count("nobody"); n != 0 {
		t.Fatalf("a group of nobody has %d patients", n)
	}
	f := w.inject(t, "group.empty_exports_all")
	if none, one := count("nobody"), count("somebody"); none != patients || one != 1 {
		t.Errorf("got %d and %d patients, want %d and 1", none, one, patients)
	}
	if f.Hits() != 2 {
		t.Errorf("it was met %d times", f.Hits())
	}
}

// Connections that end, answers that are late, tokens that die, and an endpoint
// that moves.
func TestFaultsOfTheWay(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.inject(t, "drop@path=/fhir/Patient#times=1")
	if _, err := w.all.try(t.Context(), "GET", "/Patient", nil); err == nil {
		t.Error("a dropped request was answered")
	}
	w.all.get(t, "/Patient").want(t, 200)
	w.inject(t, "slow:by=150ms#times=1")
	begun := time.Now()
	if w.all.get(t, "/Patient").want(t, 200); time.Since(begun) < 150*time.Millisecond {
		t.Errorf("it took %v, want 150 ms or more", time.Since(begun))
	}
	w.ClearFaults()
	dies := w.inject(t, "token.die_after_requests:n=3")
	fresh := w.grant(t, "system/*.rs")
	var got []int
	for range 5 {
		got = append(got, fresh.get(t, "/Patient?_count=1").status)
	}
	if fmt.Sprint(got) != "[200 200 200 401 401]" || dies.Hits() != 2 {
		t.Errorf("T03: got %v and %d hits", got, dies.Hits())
	}
	w.grant(t, "system/*.rs").get(t, "/Patient?_count=1").want(t, 200)
	w.ClearFaults()

	old := w.TokenURL()
	w.inject(t, "discovery.move_token_endpoint")
	moved := w.at().get(t, w.SMARTConfigurationURL()).want(t, 200).object(t)["token_endpoint"].(string)
	if moved == old {
		t.Fatal("D08: discovery has the old token endpoint")
	}
	w.askFor(t).want(t, 404)
	key := newES384(t, "k1")
	c, err := w.RegisterClient(t.Context(), sandbox.ClientConfig{Key: key.key, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	w.at().askToken(t, moved, key.assertion(t, c.ID(), moved), "system/Patient.rs").want(t, 200)
	w.ClearFaults()
	w.at().askToken(t, moved, key.assertion(t, c.ID(), old), "system/Patient.rs").want(t, 404)
	w.askFor(t).want(t, 200)
}

// Faults by every way in: the control surface, the header of a request, Go.
func TestFaultsAreControlled(t *testing.T) {
	t.Parallel()
	w := start(t)
	made := w.portal(t, "POST", "/_sandbox/faults", map[string]string{"fault": "status:code=503@client=default-client#times=2"}).want(t, 201).object(t)
	id := made["id"].(string)
	other := w.holder(t, w.client(t))
	other.get(t, "/Patient").want(t, 200)
	w.all.get(t, "/Patient").want(t, 503)
	if got := w.at().get(t, "/_sandbox/faults/"+id).want(t, 200).object(t); got["hits"] != 1.0 || got["spent"] != false {
		t.Errorf("got %v", got)
	}
	w.at().send(t, "DELETE", "/_sandbox/faults/"+id, "").want(t, 204)
	w.at().send(t, "DELETE", "/_sandbox/faults/"+id, "").want(t, 404)
	w.all.get(t, "/Patient").want(t, 200)
	if a := w.portal(t, "POST", "/_sandbox/faults", map[string]string{"fault": "pol.5xx"}).want(t, 400); !strings.Contains(string(a.body), "did you mean poll.5xx?") {
		t.Errorf("got %s", a.body)
	}
	w.all.get(t, "/Patient", "X-Sandfhir-Fault", "status:code=418").want(t, 418)
	w.all.get(t, "/Patient").want(t, 200)
	w.all.get(t, "/Patient", "X-Sandfhir-Fault", "nonsense").refused(t, 400, "value")
	w.all.get(t, "/Patient", "X-Sandfhir-Fault", "status#times=2").refused(t, 400, "value")
	w.sendForm(t, "/_sandbox/faults", "fault", "slow:by=1ms").page(t, 200, "slow:by=1ms", "What there is", "poll.5xx")
	w.sendForm(t, "/_sandbox/faults", "fault", "slov").page(t, 400, "did you mean slow?", `value="slov"`)
	w.sendForm(t, "/_sandbox/faults", "remove", "all").page(t, 200, "Every request gets a true answer.")

	flagged := start(t, sandbox.WithFault("status:code=503@path=/fhir/Group"))
	flagged.all.get(t, "/Group").want(t, 503)
	flagged.all.get(t, "/Patient").want(t, 200)
	guarded := start(t, sandbox.WithAdminToken("secret-of-the-admin"))
	guarded.all.get(t, "/Patient", "X-Sandfhir-Fault", "status").want(t, 401)
	w.all.get(t, "/Patient", "X-Sandfhir-Fault", "status", "Origin", "https://evil.example").want(t, 403)
}

// The same seed makes the same run.
func TestFaultsByRate(t *testing.T) {
	t.Parallel()
	run := func() (statuses string) {
		w := start(t)
		w.inject(t, "status#rate=0.4,seed=11")
		for range 40 {
			statuses += fmt.Sprint(w.all.get(t, "/Patient?_count=1").status, " ")
		}
		return statuses
	}
	if one, two := run(), run(); one != two || !strings.Contains(one, "503") || !strings.Contains(one, "200") {
		t.Errorf("got\n%s\nand\n%s", one, two)
	}
}
