package fault_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/internal/fault"
)

// catalogue is every fault that the catalogue of mistakes and mishaps names, as it
// spells it, by the row.
const catalogue = `
D02 discovery.html
D02 discovery.array
D02 discovery.text_plain
D03 tls.self_signed
D03 tls.missing_intermediate
D03 redirect.to_http
D06 discovery.omit:field=registration_endpoint
D07 discovery.omit:field=capabilities
D08 discovery.move_token_endpoint
A01 opaque=epic
A03 registration.propagation_delay=48h
A08 alg.allow=RS384,ES384
A09 alg.allow=RS384
A21 jwks.require_use
C03 aud.policy=token
C03 aud.policy=issuer
C03 aud.policy=fhirbase
C03 aud.policy=any
C04 aud.strict_slash
C06 aud.array=deny
C08 clock.skew=5s
C10 clock.skew=-2s
C12 iat.max_future=10s
C13 require=iat
C16 jti.replay=allow
C17 jti.max_len=36
J01 jwks.unreachable
J02 jwks.tls
J03 jwks.html
J03 jwks.redirect
J03 jwks.403
J05 jwks.stale=1h
J07 serverjwks.late_publish
J08 jwks.require_https
J09 jwks.slow=6s
K01 secret.expire_after=2160h
K02 basic.decode=raw
K06 ip.allow=10.0.0.0/8
S01 scope.missing=deny
S01 scope.missing=default
S03 scope.version=v1
S05 scope.narrow
S09 policy.none
S10 scope.wildcard=uscore18
S11 export.missing_scope=error_entry
S12 files.scope_v1_only
T01 token.expires_in_string
T02 bearer.case_sensitive
T03 token.ttl=60s
T03 token.die_after_requests=3
T06 token.revoke
T07 token.error_with_200
T08 token.503#times=1
T09 token.omit=scope
B01 export.strict_prefer
B02 export.strict_accept
B04 group.missing_500
B04 group.empty_exports_all
B05 export.unsupported=_elements
B06 export.outputformat_strict
B09 export.max_concurrent=1
B09 export.dup=429
B12 contentlocation.relative
B12 contentlocation.internal_host
P01 poll.rate=3000/5m
P01 poll.ban_after=3
P02 retryafter.httpdate
P03 retryafter=7200
P03 retryafter.epoch
P04 progress.text
P04 progress.none
P05 poll.5xx#times=2
P06 job.fail
P07 cancel.status=400
P08 job.ttl=1h
P09 status.303
P09 status.bundle
P10 token.401
M01 manifest.omit=error
M01 ig=4.0.0-ballot
M02 export.partial=Observation,Patient
M03 export.info_outcomes
M04 files.presigned
M06 manifest.lie_requires_token
M07 files.redirect=307
M08 files.ttl=60s
M09 token.die_after_requests=3
M10 files.reset_at=1000
M10 files.truncate=1000
M11 ndjson.blank_lines
M11 ndjson.crlf
M11 ndjson.bom
M11 ndjson.no_final_newline
M12 ndjson.long_line=70000
M13 files.gzip=encoding
M13 files.gzip=file
M13 files.gzip=mislabelled
M14 files.content_type=binary/octet-stream
M15 files.max_lines=100
M15 files.rate
M16 export.deleted=10
M18 export.organize
M19 manifest.pages=3
M20 manifest.count_wrong
M21 files.corrupt
M22 manifest.internal_request
L03 portal.deactivate
L04 secret.grace=1h
`

// Every fault of the catalogue is there, by the name and in the spelling that it has
// there, and says which row it plays.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	for _, line := range strings.Split(strings.TrimSpace(catalogue), "\n") {
		row, text, _ := strings.Cut(line, " ")
		r, err := fault.Parse(text)
		switch {
		case err != nil:
			t.Errorf("%s: %v", row, err)
		case !slices.Contains(strings.Fields(r.Fault.Rows), row):
			t.Errorf("%s: %s says %q", row, text, r.Fault.Rows)
		}
	}
}

// What stands behind the id is the first parameter, and further names mean what they
// say.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"retryafter=60":                         "retryafter seconds=60",
		"retryafter:seconds=60":                 "retryafter seconds=60",
		"status=418,retry_after=2@client=c":     "status code=418",
		"alg.allow=ES384,RS384@client=c#nth=2":  "alg.allow value=ES384,RS384",
		"scope.version":                         "scope.version value=v1",
		"aud.policy=fhirbase":                   "aud.accept value=fhir-base",
		"aud.strict_slash":                      "aud.accept value=token",
		"require=iat":                           "iat.require value=true",
		"require":                               "iat.require value=true",
		"scope.missing=default#times=1":         "scope.missing value=registered",
		"files.redirect=307":                    "files.redirect value=true",
		"files.gzip_mislabelled":                "files.gzip as=mislabelled",
		"files.gzip_mislabelled=file":           "files.gzip as=file",
		"progress.text=50%25, about%2C %23 %40": "progress.text text=50%25, about, # @",
	} {
		r := parse(t, text)
		first := r.Fault.Params[0].Name
		if got := r.Fault.ID + " " + first + "=" + r.Value(first); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"drop=1":                    "takes no value",
		"alg.allow=HS256":           "value of the fault alg.allow: ",
		"alg.allow=":                "value of the fault alg.allow: ",
		"clock.skew=-2":             "value of the fault clock.skew: ",
		"scope.version=v1@type=Any": "no such resource type",
		"scope.version@type=Group":  "would never be met",
		"scope.verson=v1":           "did you mean scope.version?",
		"xyz":                       "the page /_sandbox/faults has all",
		"jti.something.else":        "beginning with jti. there are jti.max_len, jti.replay",
		"retryafter=x":              "seconds of the fault retryafter",
		"poll.rate=3":               "limit of the fault poll.rate",
		"poll.rate=0/1s":            "limit of the fault poll.rate",
		"poll.rate=1/0s":            "limit of the fault poll.rate",
		"ip.allow=10.0.0/8":         "networks of the fault ip.allow",
		"manifest.pages=0":          "pages of the fault manifest.pages",
		"export.deleted=101":        "percent of the fault export.deleted",
		"files.gzip=zip":            "as of the fault files.gzip",
		"tls.expired#times=1":       "@ and # mean nothing",
		"export.partial=Patients":   "type of the fault export.partial",
	} {
		if _, err := fault.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	if got := fault.Split("scope.version=v1; opaque=epic;ig=3.0.0;progress.text=a;b=c"); strings.Join(got, "|") != "scope.version=v1|opaque=epic|ig=3.0.0|progress.text=a;b=c" {
		t.Errorf("got %q", got)
	}
}

// Every switch of the behaviour is a fault, whose value where none is written is not
// that of strict, and changes it alone.
func TestFaultsOfTheBehaviour(t *testing.T) {
	t.Parallel()
	strict := behaviour.Strict()
	ids := map[string]int{}
	for _, f := range fault.Table() {
		ids[f.ID]++
	}
	for _, s := range strict.Settings() {
		if ids[s.Name] != 1 {
			t.Errorf("there are %d faults by the name of the switch %s", ids[s.Name], s.Name)
			continue
		}
		r := parse(t, s.Name)
		b, err := r.Change(strict)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		for _, got := range b.Settings() {
			differs := got.Value != got.Strict
			said := s.Name == "export.strict_prefer" || s.Name == "export.strict_accept" // strict is what their names say
			if got.Name == s.Name && differs == said || got.Name != s.Name && differs {
				t.Errorf("%s: %s is %s", s.Name, got.Name, got.Value)
			}
			if got.Name == s.Name && got.Source != "the fault "+s.Name {
				t.Errorf("%s follows %q", s.Name, got.Source)
			}
		}
	}
}

// Of each switch the first rule that fits prevails; a rule with counts is not for
// those that only show the switch.
func TestMeetRules(t *testing.T) {
	t.Parallel()
	var s fault.Set
	for _, text := range []string{"scope.version=v1#times=1", "token.ttl=60s", "scope.version=v2", "token.ttl=90s"} {
		s.Add(parse(t, text))
	}
	meets := func(kind fault.Kind) string {
		var texts []string
		for _, r := range s.MeetRules(fault.Request{Kinds: []fault.Kind{kind}}) {
			texts = append(texts, r.Text)
		}
		return strings.Join(texts, " ")
	}
	if got := meets(fault.Discovery); got != "scope.version=v2" {
		t.Errorf("discovery, first of all: got %s", got)
	}
	for i, want := range []string{"scope.version=v1#times=1 token.ttl=60s", "token.ttl=60s scope.version=v2"} {
		if got := meets(fault.Token); got != want {
			t.Errorf("request %d: got %s, want %s", i+1, got, want)
		}
	}
	if got := meets(fault.Discovery); got != "scope.version=v2" {
		t.Errorf("discovery: got %s", got)
	}
	if got := meets(fault.FHIR); got != "" {
		t.Errorf("FHIR: got %s", got)
	}
	if s.Meet(fault.Before, fault.Request{Kinds: []fault.Kind{fault.Token}}) != nil {
		t.Error("a fault of the behaviour is met at another stage")
	}
}

// A client that came too fast waits until the first of its requests is out of the time
// that the limit is about; others do not.
func TestWait(t *testing.T) {
	t.Parallel()
	var s fault.Set
	r := parse(t, "poll.rate=2/1m")
	s.Add(r)
	begun := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(client string, seconds int) fault.Request {
		return fault.Request{Kinds: []fault.Kind{fault.Status}, Client: client, At: begun.Add(time.Duration(seconds) * time.Second)}
	}
	for _, c := range []struct {
		client string
		second int
		met    bool
	}{{"a", 0, false}, {"a", 30, false}, {"a", 40, true}, {"b", 40, false}, {"a", 59, true}, {"a", 60, false}, {"a", 61, true}, {"a", 90, false}} {
		if met := s.Meet(fault.Before, at(c.client, c.second)) != nil; met != c.met {
			t.Errorf("%s at %d s: met is %t", c.client, c.second, met)
		}
		if c.second == 40 && c.client == "a" {
			if wait := s.Wait(r, at("a", 40)); wait != 20*time.Second {
				t.Errorf("it has to wait %v, want 20 s", wait)
			}
		}
	}
}
