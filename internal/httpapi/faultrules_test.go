package httpapi_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A switch of the behaviour is another one for the requests that the fault is for, and
// for no other. That each has its effect is for TestSwitches.
func TestFaultsOfTheBehaviour(t *testing.T) {
	t.Parallel()
	w := start(t)
	some, other := w.service(t, nil, "system/*.rs"), w.service(t, nil, "system/*.rs")
	ask := func(s service) *answer {
		return w.at().askToken(t, w.TokenURL(), s.assertion(t, s.id, w.TokenURL()), "system/Patient.rs")
	}
	algorithms := func() string {
		return fmt.Sprint(w.at().get(t, w.SMARTConfigurationURL()).object(t)["token_endpoint_auth_signing_alg_values_supported"])
	}

	f := w.inject(t, "scope.version=v1@client="+some.id+"#times=1")
	ask(other).want(t, 200)
	ask(some).want(t, 400)
	if seen := w.lastRefused(t); seen.Fault != f.String() || !slices.ContainsFunc(seen.Checks, func(c sandbox.Check) bool { return c.ID == "S03" && c.Result == sandbox.Fail }) {
		t.Errorf("S03: the exchange tells of %q, %+v", seen.Fault, seen.Checks)
	}
	ask(some).want(t, 200)

	w.inject(t, "aud.accept=issuer#times=1")
	for _, s := range w.explanationOf(t, ask(some).want(t, 400)).Snippets {
		if issuer := strings.TrimSuffix(w.TokenURL(), "/token"); !strings.Contains(strings.ReplaceAll(s.Code, "'", `"`), issuer+`"`) {
			t.Errorf("C03: the snippet for %s does not set aud to the issuer:\n%s", s.Language, s.Code)
		}
	}
	if f.Hits() != 1 {
		t.Errorf("it was met %d times", f.Hits())
	}

	w.inject(t, "token.ttl=60s")
	w.inject(t, "token.ttl=90s")
	w.inject(t, "token.type=Bearer#nth=2")
	for i, want := range []string{"60 bearer", "60 Bearer", "60 bearer"} {
		if got := ask(some).object(t); fmt.Sprint(got["expires_in"], " ", got["token_type"]) != want {
			t.Errorf("request %d: got %v, want %s", i+1, got, want)
		}
	}
	w.ClearFaults()

	f = w.inject(t, "alg.allow=RS384")
	if got := algorithms(); got != "[RS384]" {
		t.Errorf("A09: discovery has %s", got)
	}
	f.Remove()
	w.inject(t, "alg.allow=RS384#times=1")
	if got := algorithms(); got != "[RS384 ES384]" {
		t.Errorf("A09: discovery has %s by a fault of one request", got)
	}
	ask(some).want(t, 400) // signs ES384
	ask(some).want(t, 200)

	w.inject(t, "opaque=epic#times=1")
	if got := string(w.at().askToken(t, w.TokenURL(), "x", "y").want(t, 400).body); got != `{"error":"invalid_client","error_description":null}` {
		t.Errorf("A01: got %s", got)
	}

	w.all.get(t, "/Patient", "X-Sandfhir-Fault", "bearer.case_sensitive").want(t, 200)
	w.at().get(t, w.FHIRURL()+"/Patient", "Authorization", "bearer "+w.all.token, "X-Sandfhir-Fault", "bearer.case_sensitive").want(t, 401)
	w.at().get(t, w.FHIRURL()+"/Patient", "Authorization", "bearer "+w.all.token).want(t, 200)
	w.all.get(t, "/$export", "Accept", fhirJSON, "X-Sandfhir-Fault", "export.strict_prefer=false").want(t, 202)
	w.all.get(t, "/Patient", "X-Sandfhir-Fault", "scope.version=v1").refused(t, 400, "value")

	register := func() (id string, expires any) {
		made := w.portal(t, "POST", "/portal/api/services", map[string]any{"name": "N", "description": "D", "contacts": []string{"a@example.org"}, "authentication": "secret", "scope": "system/Patient.rs"}).want(t, 201).object(t)
		return made["client_id"].(string), made["client_secret_expires_at"]
	}
	w.inject(t, "secret.expire_after=1h#times=1")
	id, expires := register()
	if _, never := register(); expires == 0.0 || never != 0.0 {
		t.Errorf("K01: the secrets expire at %v and %v", expires, never)
	}
	w.inject(t, "secret.expire_after=1h@client="+id)
	w.inject(t, "secret.expire_after=2h@client=another")
	if got := w.portal(t, "POST", "/portal/api/services/"+id+"/rotate-secret", nil).want(t, 200).object(t)["client_secret_expires_at"]; got == 0.0 {
		t.Errorf("K01: after a rotation the secret expires at %v", got)
	}
	if got := w.Behaviour().String(); got != "strict" {
		t.Errorf("afterwards the behaviour is %s", got)
	}
}

// K06, L03, S09, T06: tokens and clients that are good, and are refused all the same.
func TestFaultsOfGoodClients(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.inject(t, "ip.allow#times=1")
	if a := w.all.get(t, "/Patient").want(t, 403); !strings.Contains(string(a.body), "the source 127.0.0.1 is not on the allow list") {
		t.Errorf("K06: got %s", a.body)
	}
	w.inject(t, "ip.allow=127.0.0.0/8 ::1")
	w.all.get(t, "/Patient").want(t, 200)
	w.ClearFaults()

	w.inject(t, "policy.none#times=2")
	w.stranger().get(t, "/Patient").want(t, 401)
	a := w.all.get(t, "/Patient").want(t, 403)
	w.tells(t, a, "S09")
	w.all.post(t, "", requests("batch", does("GET", "Patient?_count=1"))).want(t, 403)
	w.all.get(t, "/Patient").want(t, 200)

	c := w.client(t, "system/*.rs")
	one, two := w.holder(t, c, "system/*.rs"), w.holder(t, c, "system/*.rs")
	w.inject(t, "token.revoke@client="+c.ID()+"#times=1")
	w.all.get(t, "/Patient").want(t, 200)
	for _, p := range []party{one, two} {
		w.tells(t, p.get(t, "/Patient").want(t, 401), "T06")
	}
	w.holder(t, c, "system/*.rs").get(t, "/Patient").want(t, 200)

	key := newES384(t, "k1")
	id := w.portal(t, "POST", "/portal/api/services", map[string]any{
		"name": "N", "description": "D", "contacts": []string{"a@example.org"}, "authentication": "jwks", "jwks": keySet(key.jwk(t)), "scope": "system/Patient.rs",
	}).want(t, 201).object(t)["client_id"].(string)
	for _, step := range []string{"submit", "approve"} {
		w.portal(t, "POST", "/portal/api/services/"+id+"/"+step, map[string]any{}).want(t, 200)
	}
	ask := func() *answer {
		return w.at().askToken(t, w.TokenURL(), key.assertion(t, id, w.TokenURL()), "system/Patient.rs")
	}
	w.inject(t, "portal.deactivate:reason=the contract ended@client="+id+"#nth=2")
	ask().want(t, 200)
	w.tells(t, ask().want(t, 400), "L03")
	if got := w.portal(t, "GET", "/portal/api/services/"+id, nil).object(t); got["status"] != "rejected" || got["status_reason"] != "the contract ended" {
		t.Errorf("L03: got %v, %v", got["status"], got["status_reason"])
	}
}

// P01, M15, B09: limits by rate, and an export that is asked for twice.
func TestFaultsOfRates(t *testing.T) {
	t.Parallel()
	w := start(t)
	other := w.holder(t, w.client(t, "system/*.*"))
	f := w.inject(t, "poll.rate=2/1h")
	status, of := w.all.kickOff(t, "/$export?_type=Patient"), other.kickOff(t, "/$export?_type=Patient")
	w.all.get(t, status).want(t, 202)
	w.all.get(t, status).want(t, 200)
	for range 2 {
		if a := w.all.get(t, status).want(t, 429); a.header.Get("Retry-After") != "3600" && a.header.Get("Retry-After") != "3599" {
			t.Errorf("P01: Retry-After is %s", a.header.Get("Retry-After"))
		}
	}
	other.get(t, of).want(t, 202)
	if f.Hits() != 2 {
		t.Errorf("P01: it was met %d times", f.Hits())
	}
	w.ClearFaults()

	w.inject(t, "poll.rate=1/50ms")
	w.all.get(t, status).want(t, 200)
	time.Sleep(60 * time.Millisecond)
	w.all.get(t, status).want(t, 200)
	w.ClearFaults()

	w.inject(t, "files.rate=1/1h")
	m := w.all.finish(t, status)
	w.all.get(t, m.Output[0].URL).want(t, 200)
	w.all.get(t, m.Output[0].URL).want(t, 429)

	w.inject(t, "export.dup")
	job := w.all.kickOff(t, "/$export?_type=Group")
	w.all.get(t, "/$export?_type=Group", exportHeader()...).want(t, 429)
	w.all.kickOff(t, "/$export?_type=Patient")
	other.kickOff(t, "/$export?_type=Group")
	w.all.finish(t, job)
	w.all.kickOff(t, "/$export?_type=Group")
}

// M13, M16, M18, M19: manifests and files that are otherwise than the client asked.
func TestFaultsOfManifests(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.inject(t, "manifest.pages=2#times=1")
	m := w.all.export(t, "/$export?_type=Patient,Observation,Encounter")
	if len(m.Output) != 2 || len(m.Link) != 1 || m.Link[0].Relation != "next" {
		t.Fatalf("M19: got %+v", m)
	}
	var second manifest
	if w.all.get(t, m.Link[0].URL).want(t, 200).decode(t, &second); len(second.Output) != 1 || len(second.Link) != 0 {
		t.Errorf("M19: the second page is %+v", second)
	}
	w.inject(t, "export.organize#times=1")
	if m = w.all.export(t, "/$export?_type=Patient,Encounter"); len(m.Output) != 2 || m.Output[0].Type != "" || m.Output[1].Type != "" {
		t.Errorf("M18: got %+v", m.Output)
	}
	w.inject(t, "export.partial=Patient,Encounter#times=1")
	if m = w.all.export(t, "/$export?_type=Patient,Observation,Encounter"); len(m.Output) != 1 || m.Output[0].Type != "Observation" || len(m.Error) != 2 {
		t.Errorf("M02: got %+v", m)
	}
	w.inject(t, "export.deleted=40#times=1")
	status := w.all.kickOff(t, "/$export?_type=Patient")
	m = w.all.finish(t, status)
	if gone := w.all.deletions(t, m); fmt.Sprint(gone) != "[Patient/pt-000001 Patient/pt-000002]" {
		t.Errorf("M16: got %v of %d patients", gone, patients)
	}
	w.inject(t, "export.deleted=40#times=1")
	status = w.all.kickOff(t, "/$export?_type=Patient")
	w.all.finish(t, status)
	w.all.send(t, "DELETE", status, "").want(t, 202)
	if w.noticed(t, "M16") == nil {
		t.Error("M16: nothing tells of deletions that were not fetched")
	}

	file := w.all.export(t, "/$export?_type=Patient").Output[0].URL
	plain := w.all.get(t, file).body
	for text, want := range map[string]string{"encoding": "gzip application/fhir+ndjson", "file": " application/gzip"} {
		w.inject(t, "files.gzip="+text+"#times=1")
		a := w.all.get(t, file).want(t, 200)
		if got := a.header.Get("Content-Encoding") + " " + a.header.Get("Content-Type"); got != want || gunzip(t, a.body) != string(plain) {
			t.Errorf("M13 %s: got %s", text, got)
		}
	}
}

// J01, J02, J03, J09: key sets that the server cannot have.
func TestFaultsOfFetches(t *testing.T) {
	t.Parallel()
	w := start(t)
	hosted := func() *sandbox.Client { return w.hosted(t, sandbox.KeyHostConfig{}).Client }
	for _, c := range []struct{ fault, finding string }{{"jwks.unreachable", "J01"}, {"jwks.tls", "J02"}, {"jwks.403", "J03"}} {
		f := w.inject(t, c.fault+"@path=*jwks.json#times=1")
		w.tells(t, w.ask(t, hosted()).want(t, 400), c.finding)
		if f.Hits() != 1 || !slices.ContainsFunc(w.Exchanges(), func(e sandbox.Exchange) bool { return e.Fault == f.String() }) {
			t.Errorf("%s: it was met %d times", c.fault, f.Hits())
		}
	}
	w.inject(t, "jwks.slow=120ms#times=1")
	begun := time.Now()
	if w.ask(t, hosted()).want(t, 200); time.Since(begun) < 120*time.Millisecond {
		t.Errorf("J09: it took %v", time.Since(begun))
	}
}

// D03: certificates that no client should take.
func TestFaultsOfCertificates(t *testing.T) {
	t.Parallel()
	sb := sandbox.Start(t, sandbox.WithPatients(patients), sandbox.WithTLS())
	get := func() error {
		client := sb.HTTPClient()
		defer client.CloseIdleConnections()
		resp, err := client.Get(sb.SMARTConfigurationURL())
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	for text, want := range map[string]any{"tls.self_signed": &unknown, "tls.missing_intermediate": &unknown, "tls.expired": &invalid, "tls.other_name": &host} {
		f, err := sb.Inject(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := get(); !errors.As(err, want) {
			t.Errorf("D03 %s: got %v", text, err)
		}
		if f.Hits() == 0 {
			t.Errorf("D03 %s: no handshake met it", text)
		}
		f.Remove()
		if err := get(); err != nil {
			t.Errorf("D03 without %s: %v", text, err)
		}
	}
}

// A transcript is what a client sees of a run: of every answer the status, the headers
// that it goes by, and the body but for ids and times.
func (w *world) transcript(t *testing.T) string {
	t.Helper()
	var seen bytes.Buffer
	note := func(what string, a *answer, err error) *answer {
		if err != nil {
			fmt.Fprintln(&seen, what, "no answer")
			return nil
		}
		fmt.Fprintln(&seen, what, a.status, a.header.Get("Content-Type"), a.header.Get("Retry-After"), a.header.Get("X-Progress"), len(a.body) > 0)
		return a
	}
	do := func(p party, what, path string, header ...string) *answer {
		a, err := p.try(t.Context(), http.MethodGet, path, nil, header...)
		return note(what, a, err)
	}
	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // which would ask again by itself
	for i := range 16 {
		a := w.askFor(t)
		note("token", a, nil)
		var token tokenAnswer
		if a.status != 200 {
			continue
		}
		members := a.object(t)
		fmt.Fprintf(&seen, "%T %v\n", members["expires_in"], members["scope"])
		if token.AccessToken, _ = members["access_token"].(string); token.AccessToken == "" {
			continue
		}
		p := party{web: web, base: w.FHIRURL(), token: token.AccessToken}
		for range 4 {
			if a := do(p, "read", "/Patient?_count=2"); a != nil {
				seen.Write(bytes.ReplaceAll(a.body, []byte(w.URL()), nil))
			}
		}
		a = do(p, "kick-off", fmt.Sprintf("/$export?_type=Patient&_since=2020-01-%02dT00:00:00Z", i+1), exportHeader()...)
		if a == nil || a.status != 202 {
			continue
		}
		status := a.header.Get("Content-Location")
		var m manifest
		for range 6 {
			a = do(p, "status", status)
			if a != nil && a.status == 200 && strings.Contains(string(a.body), `"output"`) {
				a.decode(t, &m)
				break
			}
		}
		for _, file := range m.Output {
			if a := do(p, "file", file.URL); a != nil {
				seen.Write(a.body)
			}
		}
	}
	return seen.String()
}

// The same seed twice, the same transcript: of tokens, reads, exports and files.
func TestSameSeedSameTranscript(t *testing.T) {
	t.Parallel()
	run := func(seed int) string {
		w := start(t)
		for _, text := range []string{
			"token.503#rate=0.3", "token.expires_in_string#rate=0.4", "scope.version=v1#rate=0.2", "drop@path=/fhir/Patient#rate=0.2",
			"too_many:retry_after=7@type=Patient#rate=0.3", "poll.5xx#rate=0.4", "retryafter=3#rate=0.5", "export.max_concurrent=1#rate=0.3",
			"files.truncate=700#rate=0.3", "ndjson.crlf#rate=0.5", "files.corrupt=10#rate=0.5",
		} {
			w.inject(t, fmt.Sprintf("%s,seed=%d", text, seed))
		}
		return w.transcript(t)
	}
	one, again, other := run(7), run(7), run(8)
	if one != again {
		t.Errorf("two runs differ:\n%s", firstDifference(one, again))
	}
	if one == other {
		t.Error("another seed has the same run")
	}
	for _, want := range []string{"token 503", "read 429", "read 200", "no answer", "status 503", "status 200", "file 200", "float64", "string", "\r\n"} {
		if !strings.Contains(one, want) {
			t.Errorf("the transcript has no %q", want)
		}
	}
}

// firstDifference is the first line in which two texts differ.
func firstDifference(a, b string) string {
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return fmt.Sprintf("line %d:\n%.300s\n%.300s", i+1, left[i], right[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(left), len(right))
}
