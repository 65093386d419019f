package authz_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
)

func TestParseScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		letters  string
		v1       bool
		out      string // "" is in
	}{
		{name: "SB-SCO-01 v2", in: "system/Patient.rs", letters: "rs"},
		{name: "SB-SCO-01 wildcard", in: "system/*.cruds", letters: "cruds"},
		{name: "SB-SCO-01 one letter", in: "system/Claim.d", letters: "d"},
		{name: "SB-SCO-02 read", in: "system/*.read", letters: "rs", v1: true},
		{name: "SB-SCO-02 write", in: "system/Patient.write", letters: "cud", v1: true},
		{name: "SB-SCO-02 star", in: "system/Patient.*", letters: "cruds", v1: true},
		{name: "SB-SCO-07 query", in: "system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory", letters: "rs"},
		{name: "SB-SCO-07 AND and OR", in: "system/Observation.r?category=a,b&code=c", letters: "r"},
		{name: "SB-SCO-05 escaped space stays escaped", in: "system/Patient.r?name=a%20b", letters: "r"},
		{name: "SB-SCO-06 needless escapes go", in: "system/Patient.r?name=%61%7Cb", letters: "r", out: "system/Patient.r?name=a|b"},
		{name: "escaped comma of search syntax", in: "system/Patient.r?name=a%5C,b,c", letters: "r"},
		{name: "a plus is a plus", in: "system/Patient.r?birthdate=ge2020-01-01T00:00:00%2B01:00", letters: "r"},
		{name: "repeated condition is one", in: "system/Patient.r?name=a&name=a", letters: "r", out: "system/Patient.r?name=a"},
		{name: "repeated parameter is two conditions", in: "system/Patient.r?name=a&name=b", letters: "r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := authz.ParseScope(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got.Letters.String() != c.letters || got.V1 != c.v1 {
				t.Errorf("letters %s, v1 %v; want %s, %v", got.Letters, got.V1, c.letters, c.v1)
			}
			want := c.out
			if want == "" {
				want = c.in
			}
			if got.String() != want {
				t.Errorf("written %s, want %s", got, want)
			}
		})
	}
}

func TestBadScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name, in, finding, meant string
		says                     []string
	}{
		{name: "S02 SB-SCO-11 patient", in: "patient/Patient.rs", finding: "S02", meant: "system/Patient.rs", says: []string{"neither user nor patient"}},
		{name: "S02 user", in: "user/*.read", finding: "S02", meant: "system/*.read"},
		{name: "level in upper case", in: "System/Patient.rs", meant: "system/Patient.rs"},
		{name: "unknown level", in: "sytem/Patient.rs", meant: "system/Patient.rs"},
		{name: "unknown level and more", in: "sytem/Patient", says: []string{"for instance system/Patient.rs"}},
		{name: "SB-SCO-13 a URL", in: "https://x/scope", says: []string{"is an extension scope", "for instance system/Patient.rs"}},
		{name: "SB-SCO-13 a URL of another server's scope", in: "https://x.example/Patient.read", says: []string{"is an extension scope"}},
		{name: "S04 comma", in: "system/Patient.read,system/Claim.read", finding: "S04", meant: "system/Patient.read system/Claim.read", says: []string{`comma after "system/Patient.read"`}},
		{name: "S04 trailing comma", in: "system/Account.read,", finding: "S04", meant: "system/Account.read"},
		{name: "S04 encoded twice", in: "system/Patient.read%20system/Claim.read", finding: "S04", meant: "system/Patient.read system/Claim.read", says: []string{"encoded twice"}},
		{name: "S07 order", in: "system/Patient.sr", finding: "S07", meant: "system/Patient.rs"},
		{name: "S07 SB-SCO-04 dus", in: "system/Patient.dus", finding: "S07", meant: "system/Patient.uds"},
		{name: "S07 repeated letter", in: "system/Patient.rr", finding: "S07", meant: "system/Patient.r"},
		{name: "SB-SCO-04 unknown letter", in: "system/Patient.x", says: []string{`"x" is none of the letters`}},
		{name: "SB-SCO-03 Read", in: "system/Patient.Read", meant: "system/Patient.read"},
		{name: "reads", in: "system/Patient.reads", says: []string{"none of the letters"}},
		{name: "no letters", in: "system/Patient", meant: "system/Patient.rs"},
		{name: "nothing after the dot", in: "system/Patient.", meant: "system/Patient.rs"},
		{name: "no slash", in: "Patient.rs", says: []string{"system/Type.letters"}},
		{name: "lower-case type", in: "system/patient.rs", meant: "system/Patient.rs", says: []string{"case-sensitive"}},
		{name: "plural type", in: "system/Encounters.rs", meant: "system/Encounter.rs"},
		{name: "unknown type", in: "system/Nothing.rs", says: []string{"no FHIR R4 resource type"}},
		{name: "type with a digit", in: "system/Pat1.rs", says: []string{"neither a FHIR resource type"}},
		{name: "quotation marks", in: `"system/Patient.rs"`, says: []string{"quotation mark at character 1"}},
		{name: "constraint on v1", in: "system/Observation.read?category=x", meant: "system/Observation.rs?category=x"},
		{name: "SB-SCO-08 modifier", in: "system/Observation.rs?code:in=x", says: []string{"modifier :in is experimental"}},
		{name: "SB-SCO-08 chain", in: "system/Observation.rs?patient.birthdate=x", says: []string{"chained"}},
		{name: "SB-SCO-08 _filter", in: "system/Observation.rs?_filter=x", says: []string{"experimental"}},
		{name: "result parameter", in: "system/Observation.rs?_count=5", says: []string{"shapes a search result"}},
		{name: "unknown parameter", in: "system/Observation.rs?birthdate=x", says: []string{"no search parameter of Observation"}},
		{name: "SB-SCO-09 parameter of one type on all", in: "system/*.rs?category=x", says: []string{"_id, _lastUpdated, _tag, _profile and _security"}},
		{name: "empty query", in: "system/Observation.rs?", says: []string{"question mark"}},
		{name: "no value", in: "system/Observation.rs?category", says: []string{"parameter=value"}},
		{name: "empty alternative", in: "system/Observation.rs?category=a,,b", says: []string{"empty value"}},
		{name: "broken escape", in: "system/Observation.rs?category=%zz", says: []string{"percent-encoding"}},
		{name: "no UTF-8", in: "system/Observation.rs?category=%ff", says: []string{"percent-encoding"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := w.server.CheckScopes(c.in)
			var bad *authz.ScopeError
			if !errors.As(err, &bad) {
				t.Fatalf("taken as %v", got)
			}
			if string(bad.Finding) != c.finding || bad.Meant != c.meant || bad.Fix == "" {
				t.Errorf("finding %q, meant %q, fix %q; want %q, %q\n%s", bad.Finding, bad.Meant, bad.Fix, c.finding, c.meant, bad)
			}
			for _, part := range append(c.says, c.meant) {
				if !strings.Contains(bad.Error(), part) {
					t.Errorf("does not say %q: %s", part, bad)
				}
			}
		})
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	const lab = "system/Observation.rs?category=lab"
	for _, c := range []struct {
		name, registered, asked, granted string
		partly                           bool // S05
	}{
		{name: "SB-NEG-01 all of it", registered: "system/*.rs", asked: "system/*.rs", granted: "system/*.rs"},
		{name: "SB-NEG-09 never widened", registered: "system/*.rs", asked: "system/Patient.rs", granted: "system/Patient.rs"},
		{name: "SB-NEG-04 letters intersect", registered: "system/*.rs", asked: "system/Patient.cruds", granted: "system/Patient.rs", partly: true},
		{name: "SB-NEG-04 wildcard to the list of types", registered: "system/Patient.rs system/Claim.r", asked: "system/*.rs", granted: "system/Patient.rs system/Claim.r", partly: true},
		{name: "SB-NEG-01 an unregistered scope is dropped", registered: "system/Patient.rs", asked: "system/Patient.rs system/Claim.rs", granted: "system/Patient.rs", partly: true},
		{name: "SB-NEG-06 v1 asked, v1 answered", registered: "system/*.rs", asked: "system/Patient.read", granted: "system/Patient.read"},
		{name: "SB-NEG-06 v2 asked, v2 answered", registered: "system/*.read", asked: "system/Patient.rs", granted: "system/Patient.rs"},
		{name: "SB-NEG-06 mixed", registered: "system/*.cruds", asked: "system/Patient.read system/Observation.rs", granted: "system/Patient.read system/Observation.rs"},
		{name: "SB-NEG-06 the same in both syntaxes", registered: "system/*.cruds", asked: "system/Patient.read system/Patient.rs", granted: "system/Patient.read system/Patient.rs"},
		{name: "SB-NEG-07 v1 that v1 cannot express", registered: "system/Patient.r", asked: "system/Patient.read", granted: "system/Patient.r", partly: true},
		{name: "SB-NEG-07 v1 star to read", registered: "system/*.rs", asked: "system/Patient.*", granted: "system/Patient.read", partly: true},
		{name: "SB-NEG-06 v1 from two registered letters", registered: "system/*.r system/*.s", asked: "system/Patient.read", granted: "system/Patient.read"},
		{name: "SB-NEG-08 no duplicates", registered: "system/*.cruds", asked: "system/Patient.rs system/Patient.rs system/Patient.r", granted: "system/Patient.rs"},
		{name: "SB-NEG-08 factored", registered: "system/*.cruds", asked: "system/Patient.r system/Patient.s", granted: "system/Patient.rs"},
		{name: "SB-NEG-08 covered by the wildcard", registered: "system/*.cruds", asked: "system/Patient.r system/*.rs", granted: "system/*.rs"},
		{name: "v1 words stay apart", registered: "system/*.cruds", asked: "system/Patient.read system/Patient.write", granted: "system/Patient.read system/Patient.write"},
		{name: "SB-NEG-05 asked free, registered constrained", registered: lab, asked: "system/Observation.rs", granted: lab, partly: true},
		{name: "SB-NEG-05 asked free in v1, registered constrained", registered: lab, asked: "system/Observation.read", granted: lab, partly: true},
		{name: "SB-NEG-05 asked constrained, registered free", registered: "system/*.rs", asked: lab, granted: lab},
		{name: "SB-NEG-05 equal after normalising", registered: "system/Observation.rs?category=a,b&code=c", asked: "system/Observation.rs?code=c&category=b,a", granted: "system/Observation.rs?code=c&category=b,a"},
		{name: "SB-NEG-05 with a condition more", registered: lab, asked: "system/Observation.rs?category=lab&code=c", granted: "system/Observation.rs?category=lab&code=c"},
		{name: "SB-NEG-05 with a value less", registered: "system/Observation.rs?category=lab,vital", asked: lab, granted: lab},
		{name: "SB-NEG-05 with a value more", registered: lab, asked: "system/Observation.rs?category=lab,vital", granted: lab, partly: true},
		{name: "a constraint on all types", registered: "system/*.rs?_tag=x", asked: "system/Patient.rs", granted: "system/Patient.rs?_tag=x", partly: true},
		{name: "SB-SCO-13 extension scopes are left out", registered: "system/*.rs", asked: "https://payer.example/scopes/claims system/*.rs __claims", granted: "system/*.rs", partly: true},
		{name: "SB-SCO-12 scopes of apps with a user are left out", registered: "system/*.rs", asked: "openid fhirUser launch launch/patient offline_access system/*.rs", granted: "system/*.rs", partly: true},
		{name: "SB-NEG-10 write asked by a reader is left out", registered: "system/*.rs", asked: "system/Patient.write system/Patient.read", granted: "system/Patient.read", partly: true},
		{name: "white space around and between", registered: "system/*.rs", asked: "  system/Patient.rs   system/Claim.r ", granted: "system/Patient.rs system/Claim.r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.change(func(client *authz.Client) { client.Scopes = scopes(t, c.registered) })
			a := w.newAsk()
			a.form.Set("scope", c.asked)
			d := a.send()
			if d.Err != nil {
				t.Fatalf("refused: %v", d.Err)
			}
			if got := d.Grant.Response.Scope; got != c.granted || got != d.Grant.Scopes.String() {
				t.Errorf("SB-NEG-02: granted %q, want %q", got, c.granted)
			}
			last := d.Checks[len(d.Checks)-1]
			if partly := last.ID() == "S05" && last.Result == authz.Warn; partly != c.partly {
				t.Errorf("the last check is %s %s, want S05: %v\n%s", last.ID(), last.Result, c.partly, last.Text)
			}
		})
	}
}

func scopeCases() []assertionCase {
	scope := func(text string) func(*ask) { return func(a *ask) { a.form.Set("scope", text) } }
	refused := func(id string, says ...string) refusal {
		return refusal{id: id, code: "invalid_scope", status: 400, says: says}
	}
	versions := func(v ...int) []option {
		return []option{withBehaviour(func(b *authz.Behaviour) { b.ScopeVersions = v })}
	}
	return []assertionCase{
		{name: "S01 SB-ERR-22 no scope", edit: scope(""), want: refused("S01", "Registered for client \"app\": system/*.cruds")},
		{name: "S01 only spaces", edit: scope("  "), want: refused("S01")},
		{name: "S02 SB-SCO-11 patient scope", edit: scope("patient/*.read"), want: refused("S02", "Use system/*.read", "neither user nor patient")},
		{name: "S03 v1 is off", options: versions(2), edit: scope("system/*.read"), want: refused("S03", "v1 scope", "Ask for system/*.rs")},
		{name: "S03 v2 is off", options: versions(1), edit: scope("system/*.rs"), want: refused("S03", "v2 scope", "Ask for system/*.read")},
		{name: "S03 v2 without a v1 form", options: versions(1), edit: scope("system/*.r"), want: refused("S03")},
		{name: "S04 commas", edit: scope("system/Patient.read, system/Claim.read"), want: refused("S04", "separated by spaces")},
		{name: "S07 SB-ERR-23 order", edit: scope("system/Patient.rs system/Patient.dus"), want: refused("S07", "Use system/Patient.uds")},
		{name: "SB-ERR-23 malformed", edit: scope("system/Patient.xyz"), want: refused("SB-ERR-23")},
		{name: "SB-ERR-23 unknown type", edit: scope("system/UnknownType.rs"), want: refused("SB-ERR-23", "no FHIR R4 resource type")},
		{name: "S06 SB-ERR-24 SB-NEG-03 nothing registered", edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.Scopes = scopes(a.t, "system/Patient.rs") })
			a.form.Set("scope", "system/Claim.rs")
		}, want: refused("S06", `Nothing of "system/Claim.rs"`, "system/Patient.rs")},
		{name: "S06 SB-SCO-12 launch fhirUser", edit: scope("launch fhirUser"), want: refused("S06", "there is no launch")},
		{name: "S06 SB-SCO-13 extension scopes", edit: scope("https://payer.example/scopes/claims __claims"), want: refused("S06", "this server has no extension scopes")},
		{name: "SB-SCO-13 S04 a URI in a list with commas", edit: scope("system/*.rs,https://payer.example/scopes/claims"), want: refused("S04", "comma")},
		{name: "S06 SB-NEG-10 write asked by a reader", edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.Scopes = scopes(a.t, "system/*.read") })
			a.form.Set("scope", "system/Patient.write")
		}, want: refused("S06")},
		{name: "S06 SB-NEG-05 incomparable constraints", edit: func(a *ask) {
			a.change(func(c *authz.Client) { c.Scopes = scopes(a.t, "system/Observation.rs?category=lab") })
			a.form.Set("scope", "system/Observation.rs?code=x")
		}, want: refused("S06")},
	}
}

func TestRefusedScopes(t *testing.T) {
	t.Parallel()
	for _, c := range scopeCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newWorld(t, c.options...).newAsk()
			c.edit(a)
			d := a.send()
			c.want.check(t, d.Checks, d.Err)
		})
	}
}

func TestLenientScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withBehaviour(func(b *authz.Behaviour) { b.DefaultScopes, b.DropBadScopes = true, true }))
	for asked, granted := range map[string]string{
		"":                                     "system/*.cruds",
		"system/Patient.xyz system/Patient.rs": "system/Patient.rs",
	} {
		a := w.newAsk()
		a.form.Set("scope", asked)
		if got := a.granted().Response.Scope; got != granted {
			t.Errorf("asked %q, granted %q, want %q", asked, got, granted)
		}
	}
	a := w.newAsk()
	a.form.Set("scope", "system/Patient.xyz")
	d := a.send()
	refusal{id: "S06", code: "invalid_scope", status: 400}.check(t, d.Checks, d.Err)
}

func TestAllows(t *testing.T) {
	t.Parallel()
	const r, s, c, u = authz.Read, authz.Search, authz.Create, authz.Update
	for _, test := range []struct {
		name, scopes, typ string
		letters           authz.Letters
		granted           bool
		constraints       string // joined by " | "
		by                string
	}{
		{name: "type", scopes: "system/Patient.rs", typ: "Patient", letters: r, granted: true, by: "system/Patient.rs"},
		{name: "FR-SC-34 wildcard", scopes: "system/*.read", typ: "Group", letters: r | s, granted: true, by: "system/*.read"},
		{name: "other type", scopes: "system/Patient.rs", typ: "Claim", letters: r},
		{name: "FR-SC-31 r is not s", scopes: "system/Patient.r", typ: "Patient", letters: s},
		{name: "FR-SC-30 write is not read", scopes: "system/Patient.write", typ: "Patient", letters: r},
		{name: "SB-RS-12 union of letters", scopes: "system/Patient.c system/*.s", typ: "Patient", letters: c | s, granted: true, by: "system/Patient.c system/*.s"},
		{name: "one letter of two", scopes: "system/Patient.c", typ: "Patient", letters: c | s},
		{name: "constrained", scopes: "system/Observation.rs?category=lab", typ: "Observation", letters: r, granted: true, constraints: "category=lab", by: "system/Observation.rs?category=lab"},
		{name: "SB-RS-12 union of constraints", scopes: "system/Observation.rs?category=lab system/Observation.r?code=x", typ: "Observation", letters: r, granted: true, constraints: "category=lab | code=x", by: "system/Observation.rs?category=lab system/Observation.r?code=x"},
		{name: "only those with the letter", scopes: "system/Observation.rs?category=lab system/Observation.r?code=x", typ: "Observation", letters: s, granted: true, constraints: "category=lab", by: "system/Observation.rs?category=lab"},
		{name: "SB-RS-12 unconstrained wins", scopes: "system/Observation.rs?category=lab system/*.r", typ: "Observation", letters: r, granted: true, by: "system/*.r"},
		{name: "unconstrained wins for its letters only", scopes: "system/Observation.rs?category=lab system/*.r", typ: "Observation", letters: r | s, granted: true, constraints: "category=lab", by: "system/*.r system/Observation.rs?category=lab"},
		{name: "both letters constrained", scopes: "system/Observation.u?category=lab system/Observation.s?code=x", typ: "Observation", letters: u | s, granted: true, constraints: "category=lab&code=x", by: "system/Observation.u?category=lab system/Observation.s?code=x"},
		{name: "no scopes", scopes: "", typ: "Patient", letters: r},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			access := authz.Access{Scopes: scopes(t, test.scopes)}
			p := access.Allows(test.typ, test.letters)
			var constraints []string
			for _, q := range p.Constraints {
				constraints = append(constraints, q.String())
			}
			if p.Granted != test.granted || strings.Join(constraints, " | ") != test.constraints || p.By.String() != test.by {
				t.Errorf("got %v by %q under %q, want %v by %q under %q", p.Granted, p.By, constraints, test.granted, test.by, test.constraints)
			}
		})
	}
}

func TestRequire(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, scopes string
		need         authz.Need
		id, scope    string
		says         []string
	}{
		{"S08 search without s", "system/Observation.r", authz.Need{Type: "Observation", Letters: authz.Search, Doing: "GET /fhir/Observation?code=1 is a search"},
			"S08", "system/Observation.s", []string{"GET /fhir/Observation?code=1 is a search; the token's scopes are system/Observation.r.", "needs the letter s"}},
		{"S11 type without scope", "system/Patient.rs", authz.Need{Type: "Claim", Letters: authz.Read}, "S11", "system/Claim.r", []string{"None of them covers Claim"}},
		{"SB-RS-04 letter missing", "system/*.rs", authz.Need{Type: "Claim", Letters: authz.Create}, "SB-RS-04", "system/Claim.c", []string{"Missing: c on Claim"}},
		{"v1 token, v1 advice", "system/*.read", authz.Need{Type: "Claim", Letters: authz.Update}, "SB-RS-04", "system/Claim.write", nil},
		{"v1 token, mixed letters", "system/Claim.read", authz.Need{Type: "Claim", Letters: authz.Create | authz.Search}, "SB-RS-04", "system/Claim.*", []string{"Missing: c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			access := authz.Access{Scopes: scopes(t, c.scopes)}
			p, check, err := access.Require(c.need)
			if err == nil || p.Granted {
				t.Fatal("granted")
			}
			if err.Check != check || check.ID() != c.id || err.Status != 403 || err.Code != "insufficient_scope" {
				t.Errorf("got %d %s %s, want 403 insufficient_scope %s", err.Status, err.Code, check.ID(), c.id)
			}
			challenge := err.Challenge.String()
			if !strings.HasPrefix(challenge, `Bearer realm="fhir", error="insufficient_scope", error_description="`) || !strings.HasSuffix(challenge, `, scope="`+c.scope+`"`) {
				t.Errorf("challenge %s", err.Challenge)
			}
			for _, part := range append(c.says, c.scope) {
				if !strings.Contains(check.Explanation(), part) {
					t.Errorf("does not say %q: %s", part, check.Explanation())
				}
			}
		})
	}
	access := authz.Access{Scopes: scopes(t, "system/*.rs")}
	p, check, err := access.Require(authz.Need{Type: "Claim", Letters: authz.Read})
	if err != nil || !p.Granted || check.Result != authz.Pass || check.RuleID != "SB-RS-04" {
		t.Errorf("granted need: %+v %+v %v", p, check, err)
	}
}
