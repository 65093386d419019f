package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// A nodeTask is what testdata/client.mjs is to do.
type nodeTask struct {
	FHIR   string    `json:"fhir"`
	Client string    `json:"client"`
	Keys   []nodeKey `json:"keys"`
	Scope  string    `json:"scope"`
	Type   string    `json:"type"`
	Ahead  int       `json:"ahead,omitempty"` // seconds, of exp
	Leaks  bool      `json:"leaks,omitempty"` // sends the token wherever it is led to
}

type nodeKey struct {
	Alg string `json:"alg"`
	KID string `json:"kid"`
	PEM string `json:"pem"`
}

// A nodeRun is what it met, and how many patients it got; -1 where it gave up.
type nodeRun struct {
	Log      []string `json:"log"`
	Patients int      `json:"patients"`
}

// An independent client meets every fault: it is of another language, has no library but
// what Node.js comes with, and tells what it saw. It gets all patients in the end, unless
// the case says otherwise.
func TestFaultsMetByAnotherClient(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("left out: programs are not run by -short")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("left out: there is no node")
	}
	const all = patients
	cases := []struct {
		faults   string   // after the rows that they play; several are separated by semicolons
		met      []string // lines of its log, in this order; those between may be others
		patients int      // that it got
		change   func(*nodeTask)
		notice   string // what an exchange says of the client
	}{
		{"none", []string{"token 200 RS384 bearer expires_in 300 scope system/*.rs", "read 200", "status 202 0%", "wait 1s"}, all, nil, ""},

		{"D02 discovery.html#times=1", []string{"discovery unusable: 200 text/html; charset=utf-8", "token 200"}, all, nil, ""},
		{"D02 discovery.array#times=1", []string{"discovery unusable: 200 application/json", "token 200"}, all, nil, ""},
		{"D02 discovery.text_plain", []string{"discovery as text/plain; charset=utf-8"}, all, nil, ""},
		{"D06 discovery.omit=registration_endpoint", []string{"discovery without registration_endpoint"}, all, nil, ""},
		{"D07 discovery.omit=capabilities", []string{"discovery without capabilities"}, all, nil, ""},
		{"D03 redirect.to_http#times=1", []string{"discovery unusable: 302 ", "token 200"}, all, nil, ""},
		{"A01 opaque=epic;aud.accept=issuer#times=1", []string{"token 400 invalid_client null", "token 200"}, all, nil, ""},
		{"A03 registration.propagation_delay=1h#times=2", []string{"token 400 invalid_client A03", "token 400 invalid_client A03", "token 200"}, all, nil, ""},
		{"A08 A09 alg.allow=ES384", []string{"token 200 ES384"}, all, nil, ""},
		{"A09 alg.allow=ES384#times=1", []string{"token 400 invalid_client A09", "token 200 RS384"}, all, nil, ""},
		{"C03 aud.policy=fhirbase#times=1", []string{"token 400 invalid_client C03", "token 200"}, all, nil, ""},
		{"C08 clock.offset=10m#times=1", []string{"token 400 invalid_client C08", "token 200"}, all, nil, ""},
		{"C09 exp.max=60s#times=1", []string{"token 400 invalid_client C09", "token 200"}, all, nil, ""},
		{"C10 clock.skew=-2s#times=1", []string{"token 400 invalid_client C09", "token 200"}, all, func(n *nodeTask) { n.Ahead = 300 }, ""},
		{"C13 require=iat#times=1", []string{"token 400 invalid_client C13", "token 200"}, all, nil, ""},
		{"C17 jti.max_len=20#times=1", []string{"token 400 invalid_client C17", "token 200"}, all, nil, ""},
		{"J01 jwks.unreachable#times=1", []string{"token 400 invalid_client J01", "token 200"}, all, nil, ""},
		{"J02 jwks.tls#times=1", []string{"token 400 invalid_client J02", "token 200"}, all, nil, ""},
		{"J03 jwks.html#times=1", []string{"token 400 invalid_client J03", "token 200"}, all, nil, ""},
		{"J03 jwks.redirect#times=1", []string{"token 400 invalid_client J03", "token 200"}, all, nil, ""},
		{"J03 jwks.403#times=1", []string{"token 400 invalid_client J03", "token 200"}, all, nil, ""},
		{"J04 jwks.array#times=1", []string{"token 400 invalid_client J04", "token 200"}, all, nil, ""},
		{"A12 jwks.omit=kid#times=1", []string{"token 400 invalid_client", "token 200"}, all, nil, ""},
		{"A13 jwks.duplicate_kid#times=1", []string{"token 400 invalid_client A13", "token 200"}, all, nil, ""},
		{"S03 scope.version=v1", []string{"token 400 invalid_scope S03", "token 200 RS384 bearer expires_in 300 scope system/*.read"}, all, nil, ""},
		{"S05 scope.narrow=system/Patient.rs", []string{"token 200 RS384 bearer expires_in 300 scope system/Patient.rs", "gave up: no export"}, -1, nil, ""},
		{"S09 policy.none#times=1", []string{"read 403"}, all, nil, ""},
		{"T01 token.expires_in_string", []string{`token 200 RS384 bearer expires_in "300" scope system/*.rs`}, all, nil, ""},
		{"T03 token.die_after_requests=2", []string{"token 200", "read 200", "status 401", "token 200"}, all, nil, ""},
		{"T03 M09 token.401@type=Observation#times=1", []string{"read 200", "file 401", "token 200"}, all, nil, ""},
		{"T06 token.revoke#nth=2", []string{"read 200", "kick-off 401", "token 200"}, all, nil, ""},
		{"T07 token.error_with_200#times=1", []string{"token 200 invalid_client by the fault token.error_with_200", "token 200 RS384"}, all, nil, ""},
		{"T08 token.503#times=2", []string{"token 503", "token 503", "token 200"}, all, nil, ""},
		{"T09 token.omit=scope", []string{"token 200 RS384 bearer expires_in 300 scope undefined"}, all, nil, ""},
		{"K06 ip.allow#times=1", []string{"token 403 unauthorized_client", "token 200"}, all, nil, ""},

		{"B09 export.max_concurrent=1;too_many=7@path=*export#times=1", []string{"kick-off 429", "wait 7s"}, all, nil, ""},
		{"B12 contentlocation.relative", []string{"kick-off with a relative URL"}, all, nil, ""},
		{"B12 contentlocation.internal_host", []string{"kick-off with the host fhir-7c9f.internal:8080"}, all, nil, ""},
		{"B04 status=500@path=*export#times=1", []string{"kick-off 500"}, all, nil, ""},
		{"P01 poll.early=refuse", []string{"status 202", "status 429", "wait 1s"}, -1, nil, "P01"},
		{"P01 poll.rate=1/1h#times=1", []string{"status 202", "status 429", "wait 3600s: too long"}, all, nil, ""},
		{"P02 retryafter.httpdate=3", []string{"status 202", "wait 3s, by a date"}, all, nil, ""},
		{"P03 retryafter=7200", []string{"wait 7200s: too long"}, all, nil, ""},
		{"P03 retryafter.epoch", []string{"too long"}, all, nil, ""},
		{"P04 progress.text", []string{"status 202 In Progress, 80%"}, all, nil, ""},
		{"P04 progress.none", []string{"status 202 without progress"}, all, nil, ""},
		{"P05 poll.5xx#times=2", []string{"status 503 transient", "status 503 transient", "status 202"}, all, nil, ""},
		{"P06 job.fail#times=1", []string{"job 500", "status 202"}, all, nil, ""},
		{"P09 status.303#times=1", []string{"status 303"}, all, nil, ""},
		{"P09 status.bundle", []string{"manifest in a Bundle"}, all, nil, ""},

		{"M01 manifest.omit=error", []string{"manifest without error"}, all, nil, ""},
		{"M02 export.partial=Patient", []string{"error file: error, the resources of the type Patient could not be exported"}, 0, nil, ""},
		{"M03 export.info_outcomes", []string{"error file: information, "}, all, nil, ""},
		{"M04 files.token=false", []string{"status 202"}, all, nil, ""},
		{"M04 files.token=false", []string{"status 202"}, all, func(n *nodeTask) { n.Leaks = true }, "M04"},
		{"M04 files.token=false;files.presigned#times=1", []string{"file 400 Only one auth mechanism allowed"}, all, func(n *nodeTask) { n.Leaks = true }, ""},
		{"M06 manifest.lie_requires_token", []string{"file 401", "gave up: no export"}, -1, nil, "M05"},
		{"M07 files.redirect=307", []string{"file 307"}, all, nil, ""},
		{"M07 files.redirect=307", []string{"file 307"}, all, func(n *nodeTask) { n.Leaks = true }, "M07"},
		{"M08 files.expired@type=Patient#times=1", []string{"file 403 Request has expired"}, all, nil, ""},
		{"M10 files.reset_at=1000@type=Patient#times=1", []string{"file cut at 1000 of "}, all, nil, ""},
		{"M10 files.truncate=1000@type=Patient#times=1", []string{"file ends without an end of line", "file has half a line", "count is 5, file has 0"}, 0, nil, ""},
		{"M11 ndjson.blank_lines", []string{"file has blank lines"}, all, nil, ""},
		{"M11 ndjson.crlf", []string{"file has CR LF"}, all, nil, ""},
		{"M11 ndjson.bom", []string{"file begins with a BOM"}, all, nil, ""},
		{"M11 ndjson.no_final_newline", []string{"file ends without an end of line"}, all, nil, ""},
		{"M12 ndjson.long_line=1100000", []string{"file has a line of 1100000"}, all, nil, ""},
		{"M13 files.gzip=mislabelled", []string{"file is gzip, says nothing"}, all, nil, ""},
		{"M13 files.gzip=encoding", []string{"file is gzip, says gzip"}, all, nil, ""},
		{"M13 files.gzip=file", []string{"file as application/gzip", "file is gzip, says nothing"}, all, nil, ""},
		{"M14 files.content_type=binary/octet-stream", []string{"file as binary/octet-stream"}, all, nil, ""},
		{"M15 files.max_lines=2", []string{"status 202"}, all, nil, ""},
		{"M15 files.rate=1/1h#times=1", []string{"file 429", "wait 3600s: too long"}, all, nil, ""},
		{"M16 export.deleted=20", []string{"deleted Patient/pt-000001"}, all - 1, nil, ""},
		{"M18 export.organize", []string{"entry without type", "entry without type"}, all, nil, ""},
		{"M19 manifest.pages=2", []string{"next page"}, all, nil, ""},
		{"M20 manifest.count_wrong=2", []string{"count is 7, file has 5"}, all, nil, ""},
		{"M21 manifest.checksum;files.corrupt=100@type=Patient#times=1", []string{"checksum differs"}, all, nil, ""},

		{"drop@path=/fhir/Patient#times=1", []string{"read without an answer", "read 200"}, all, nil, ""},
		{"too_many=date@path=/fhir/Patient#times=1", []string{"read 429", "wait 2s, by a date", "read 200"}, all, nil, ""},
		{"status:code=503,retry_after=3@path=/fhir/Patient#nth=1", []string{"read 503", "wait 3s", "read 200"}, all, nil, ""},
		{"slow=100ms@path=/fhir/Patient#times=1", []string{"read 200 late"}, all, nil, ""},
	}
	w := start(t)
	rs, es := newRS384(t, "rs"), newES384(t, "es")
	worlds, injected := make([]*sandbox.World, len(cases)), make([][]*sandbox.Fault, len(cases))
	var tasks bytes.Buffer
	for i, c := range cases {
		made, err := w.NewWorld(t.Context(), sandbox.WorldConfig{})
		if err != nil {
			t.Fatal(err)
		}
		cfg := sandbox.ClientConfig{Scopes: []string{"system/*.rs", "system/*.read"}, JWKS: marshal(t, keySet(rs.jwk(t), es.jwk(t)))}
		keys := []nodeKey{nodeKeyOf(t, rs), nodeKeyOf(t, es)}
		if strings.Contains(c.faults, "jwks.") {
			host, err := made.HostKeys(sandbox.KeyHostConfig{})
			if err != nil {
				t.Fatal(err)
			}
			keys = []nodeKey{nodeKeyOf(t, &signer{"ES384", host.KeyID(), host.Key()})}
			cfg.JWKS, cfg.JWKSURI, cfg.Key, cfg.KeyID = nil, host.URL(), host.Key(), host.KeyID()
		}
		client, err := made.RegisterClient(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		task := nodeTask{FHIR: made.FHIRURL(), Client: client.ID(), Keys: keys, Scope: "system/*.rs", Type: "Patient,Observation"}
		if c.change != nil {
			c.change(&task)
		}
		tasks.Write(append(marshal(t, task), '\n'))
		worlds[i] = made
		for _, text := range faultsOf(c.faults) {
			f, err := made.Inject(text)
			if err != nil {
				t.Fatal(err)
			}
			injected[i] = append(injected[i], f)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "testdata/client.mjs")
	cmd.Stdin, cmd.Stderr = &tasks, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for i, c := range cases {
		if !lines.Scan() {
			t.Fatal("a run is missing")
		}
		var run nodeRun
		if err := json.Unmarshal(lines.Bytes(), &run); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint(c.faults, " ", c.notice)
		if !inOrder(run.Log, c.met) || run.Patients != c.patients {
			t.Errorf("%s: got %d patients, want %d, and\n\t%s", name, run.Patients, c.patients, strings.Join(run.Log, "\n\t"))
		}
		for _, f := range injected[i] {
			if f.Hits() == 0 {
				t.Errorf("%s: nothing met %s", name, f)
			}
		}
		noticed := func(e sandbox.Exchange) bool {
			return slices.ContainsFunc(e.Checks, func(check sandbox.Check) bool { return check.ID == c.notice })
		}
		if c.notice != "" && !slices.ContainsFunc(worlds[i].Exchanges(), noticed) {
			t.Errorf("%s: no exchange notices %s", name, c.notice)
		}
	}
}

// faultsOf are the faults of a case without its rows.
func faultsOf(text string) (list []string) {
	for _, part := range strings.Split(text, ";") {
		words := strings.Fields(part)
		if last := words[len(words)-1]; last != "none" {
			list = append(list, last)
		}
	}
	return list
}

// inOrder reports whether lines hold some texts, one after the other.
func inOrder(lines, texts []string) bool {
	for _, line := range lines {
		if len(texts) > 0 && strings.Contains(line, texts[0]) {
			texts = texts[1:]
		}
	}
	return len(texts) == 0
}

func nodeKeyOf(t *testing.T, s *signer) nodeKey {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return nodeKey{s.alg, s.kid, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}
}
