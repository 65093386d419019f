package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sandfhir/sandfhir/internal/behaviour"
	"github.com/sandfhir/sandfhir/sandbox"
)

// A behaviourAnswer is what the server tells of its behaviour.
type behaviourAnswer struct {
	Name, Description, Extends string
	Behaviours                 []struct{ Name, Description string }
	Switches                   []struct {
		Name, Kind, Effect, Meaning, Source string
		Value, Default                      any
		Differs                             bool
		IDs, Values                         []string
	}
}

func (b behaviourAnswer) value(name string) (value, source string) {
	for _, s := range b.Switches {
		if s.Name == name {
			text, _ := json.Marshal(s.Value)
			return string(text), s.Source
		}
	}
	return "", ""
}

func (x *lab) putBehaviour(change string, header ...string) *answer {
	x.t.Helper()
	return x.at().send(x.t, http.MethodPut, "/_sandbox/behaviour", change, append([]string{"Content-Type", "application/json"}, header...)...)
}

func TestBehaviourOverHTTP(t *testing.T) {
	t.Parallel()
	rsa := newRS384(t, "rs-1")
	x := newLab(t, rsa)
	read := func(t *testing.T) (got behaviourAnswer) {
		x.at().get(t, "/_sandbox/behaviour").want(t, 200).decode(t, &got)
		return got
	}
	got := read(t)
	if got.Name != "strict" || len(got.Switches) != len(behaviour.Table()) || len(got.Behaviours) != 2 || got.Behaviours[1].Name != "aidbox" {
		t.Errorf("got %+v", got)
	}
	for _, s := range got.Switches {
		if s.Differs || s.Effect != "" || s.Meaning == "" || s.Source == "" || s.Kind == "" || len(s.IDs) == 0 {
			t.Errorf("strict: got %+v", s)
		}
	}

	x.putBehaviour(`{"name":"aidbox","switches":{"alg.allow":["RS384","ES384"],"exp.max":"250s"}}`).want(t, 200).decode(t, &got)
	if got.Name != "aidbox" || got.Extends != "strict" {
		t.Errorf("got %+v", got)
	}
	for name, want := range map[string][2]string{
		"aud.accept": {`["any"]`, "SB-DIF-01: Aidbox tutorial, validation: aud is not validated"},
		"alg.allow":  {`["RS384","ES384"]`, "PUT /_sandbox/behaviour"},
		"exp.max":    {`"250s"`, "PUT /_sandbox/behaviour"},
		"jti.replay": {`"refuse"`, "SMART App Launch 2.2, client-confidential-asymmetric, Signature Verification: a jti is not seen before"},
	} {
		if value, source := got.value(name); value != want[0] || source != want[1] {
			t.Errorf("%s: got %s from %q, want %s from %q", name, value, source, want[0], want[1])
		}
	}
	t.Run("it holds for the next request, in both environments", func(t *testing.T) {
		if got := x.told(x.ask(x.es, withClaim("aud", "x")), "token_type"); got != "Bearer" {
			t.Errorf("got %s", got)
		}
		producer, err := x.Production().RegisterClient(t.Context(), sandbox.ClientConfig{Key: rsa.key, KeyID: rsa.kid})
		if err != nil {
			t.Fatal(err)
		}
		a := x.at().askToken(t, x.Production().TokenURL(), rsa.assertion(t, producer.ID(), "x"), "system/Patient.read").want(t, 200)
		if a.object(t)["token_type"] != "Bearer" {
			t.Errorf("got %s", a.body)
		}
	})
	t.Run("switches on top of what is in force", func(t *testing.T) {
		x.putBehaviour(`{"switches":{"jti.max_len":64}}`).want(t, 200)
		got := read(t)
		if value, _ := got.value("jti.max_len"); got.Name != "aidbox" || value != "64" {
			t.Errorf("got %s with jti.max_len %s", got.Name, value)
		}
		if value, _ := got.value("exp.max"); value != `"250s"` {
			t.Errorf("got exp.max %s", value)
		}
	})
	t.Run("the same as from Go", func(t *testing.T) {
		if b := x.Behaviour(); b.Name != "aidbox" || b.Value("jti.max_len") != "64" || b.Value("exp.max") != "250s" || b.Value("none") != "" {
			t.Errorf("got %+v", b)
		}
	})
	for _, c := range []struct{ name, body, want string }{
		{"a behaviour that is misspelt", `{"name":"stric"}`, `1:9: there is no behaviour \"stric\"; did you mean \"strict\"?`},
		{"a file of the server's", `{"name":"/etc/passwd.json"}`, `there is no behaviour \"/etc/passwd.json\"; there are strict, aidbox`},
		{"a switch that is misspelt", `{"switches":{"aud.acept":"any"}}`, `there is no switch \"aud.acept\"; did you mean \"aud.accept\"?`},
		{"a value that does not fit", `{"switches":{"exp.max":"long"}}`, `exp.max: \"long\" is not a duration such as 300s or 5m`},
		{"a good switch before a bad one", `{"switches":{"jti.replay":"allow","exp.max":0}}`, `exp.max: 0 is not from 1s`},
		{"no JSON", `name=aidbox`, `1:1: expected a value, got the word name`},
		{"nothing", ``, `the input is empty`},
	} {
		t.Run(c.name+" changes nothing", func(t *testing.T) {
			before := x.at().get(t, "/_sandbox/behaviour").body
			if a := x.putBehaviour(c.body).want(t, 400); !strings.Contains(string(a.body), c.want) {
				t.Errorf("got %s, want %s", a.body, c.want)
			}
			if after := x.at().get(t, "/_sandbox/behaviour").body; string(after) != string(before) {
				t.Error("the behaviour changed")
			}
		})
	}
	t.Run("back to strict", func(t *testing.T) {
		x.putBehaviour(`{"name":"strict"}`).want(t, 200)
		if got := x.says(x.ask(x.es, withClaim("aud", "x"))); got != "400 C03" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("not from the page of another site", func(t *testing.T) {
		x.putBehaviour(`{"name":"aidbox"}`, "Origin", "https://evil.example").want(t, 403)
		x.at().search(t, "/_sandbox/smart-configuration", "behaviour=aidbox", "Origin", "https://evil.example").want(t, 403)
		if got := read(t); got.Name != "strict" {
			t.Errorf("got %s", got.Name)
		}
	})
	t.Run("not without the admin token", func(t *testing.T) {
		const token = "admin-token-of-a-test"
		y := newLab(t, rsa, sandbox.WithAdminToken(token))
		y.at().get(t, "/_sandbox/behaviour").want(t, 401)
		y.putBehaviour(`{"name":"aidbox"}`).want(t, 401)
		y.at().get(t, "/_sandbox/smart-configuration").want(t, 401)
		y.putBehaviour(`{"name":"aidbox"}`, "Authorization", "Bearer "+token).want(t, 200)
	})
}

// TestBehaviourOfAFile proves that what a server began under can be asked for
// again by its name, and is told with its sources.
func TestBehaviourOfAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "payer.json")
	text := `{"name":"payer","description":"a payer of this test","extends":"aidbox","switches":{"exp.max":{"value":"60s","source":"manual, page 12"}}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	x := newLab(t, newRS384(t, "rs-1"), sandbox.WithBehaviour(file))
	if got := x.says(x.ask(x.rs, withClaim("exp", inSeconds(200)))); got != "400 C09" {
		t.Errorf("got %s", got)
	}
	x.putBehaviour(`{"name":"strict"}`).want(t, 200)
	var got behaviourAnswer
	x.putBehaviour(`{"name":"payer"}`).want(t, 200).decode(t, &got)
	if value, source := got.value("exp.max"); got.Name != "payer" || got.Extends != "aidbox" || value != `"60s"` || source != "manual, page 12" || len(got.Behaviours) != 3 {
		t.Errorf("got %+v", got)
	}
}

// TestConfigurationPage reads the page for people and presses its buttons.
func TestConfigurationPage(t *testing.T) {
	t.Parallel()
	x := newLab(t, newRS384(t, "rs-1"))
	page := func() string {
		a := x.at().get(t, "/_sandbox/smart-configuration", "Accept", "text/html").want(t, 200).wantHeader(t, "Content-Type", "text/html; charset=utf-8").wantHeader(t, "Cache-Control", "no-store")
		return string(a.body)
	}
	contains := func(text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("the page lacks %s", want)
			}
		}
	}
	contains(page(), "Under <b>strict</b>, every switch is as in strict.",
		x.TokenURL()+"&#34;", x.Production().TokenURL()+"&#34;", "permission-v2", "aud.accept", "hide_reasons")
	contains(string(x.at().get(t, "/").want(t, 200).body), `href="./_sandbox/smart-configuration"`, ">strict</a>")

	a := x.at().search(t, "/_sandbox/smart-configuration", "behaviour=aidbox").want(t, 303)
	target, err := url.Parse(x.URL() + "/_sandbox/smart-configuration")
	if err != nil {
		t.Fatal(err)
	}
	if target, err = target.Parse(a.header.Get("Location")); err != nil || target.Path != "/_sandbox/smart-configuration" {
		t.Errorf("it leads to %v, %v", target, err)
	}
	contains(page(), "<b>aidbox</b> differs from strict: 8 milder, 5 stricter, 5 different.", "SB-DIF-01: Aidbox tutorial", `<span class="effect">Milder</span>`)
	contains(string(x.at().get(t, "/").body), ">aidbox (18 switches differ from strict)</a>")
	x.at().search(t, "/_sandbox/smart-configuration", "behaviour=aidbocks").want(t, 400)
	x.at().search(t, "/_sandbox/smart-configuration", "behaviour=%zz").want(t, 400)
	x.at().search(t, "/_sandbox/smart-configuration", "").want(t, 400)
}

// TestBehaviourChangesWhileTokensAreAskedFor proves that every request sees one
// behaviour from beginning to end: an answer is wholly strict's or wholly the
// other's, and none is lost.
func TestBehaviourChangesWhileTokensAreAskedFor(t *testing.T) {
	t.Parallel()
	x := newLab(t, newRS384(t, "rs-1"))
	const clients, requests, changes = 4, 40, 60
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			for i := range requests {
				aud := x.TokenURL()
				if i%2 == 1 {
					aud = "https://payer.example/"
				}
				a, err := x.at().try(t.Context(), http.MethodPost, x.TokenURL(), strings.NewReader(tokenForm(x.rs.assertion(t, x.rs.id, aud), "system/*.read")), "Content-Type", formType)
				if err != nil {
					t.Errorf("client %d: %v", n, err)
					return
				}
				var got struct {
					Type  string `json:"token_type"`
					Scope string
					Error string
				}
				if err := json.Unmarshal(a.body, &got); err != nil {
					t.Errorf("got %s", a.body)
				}
				strict := got.Type == "bearer" && got.Scope == "system/*.read" && aud == x.TokenURL()
				refused := got.Error == "invalid_client" && aud != x.TokenURL()
				aidbox := got.Type == "Bearer" && got.Scope == ""
				if !strict && !refused && !aidbox {
					t.Errorf("got %d %s", a.status, a.body)
				}
			}
		})
	}
	for n := range 2 {
		wg.Go(func() {
			for i := range changes {
				name := []string{"strict", "aidbox"}[(i+n)%2]
				if n == 0 {
					if a, err := x.at().try(t.Context(), http.MethodPut, "/_sandbox/behaviour", strings.NewReader(`{"name":"`+name+`"}`)); err != nil || a.status != 200 {
						t.Errorf("got %+v, %v", a, err)
					}
					continue
				}
				if err := x.SetBehaviour(name, nil); err != nil {
					t.Error(err)
				}
				if got := x.Behaviour(); got.Value("aud.accept") == "any" != (got.Value("token.type") == "Bearer") {
					t.Errorf("it is half of one and half of the other: %+v", got)
				}
			}
		})
	}
	wg.Wait()
}
