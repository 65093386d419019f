package behaviour_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/sandfhir/sandfhir/internal/behaviour"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       map[string]string // switches that differ from strict
	}{
		{"nothing but a name", `{"name":"payer"}`, map[string]string{}},
		{"extends strict", `{"name":"payer","extends":"strict","switches":{}}`, map[string]string{}},
		{"values as they are", `{"name":"payer","description":"a payer","switches":{"nbf.check":false,"jti.max_len":64,"alg.allow":["ES384"],"exp.max":"2m","token.type":"Bearer"}}`,
			map[string]string{"nbf.check": "false", "jti.max_len": "64", "alg.allow": "ES384", "exp.max": "120s", "token.type": "Bearer"}},
		{"values as text", `{"name":"payer","switches":{"nbf.check":"false","jti.max_len":"64","alg.allow":"ES384","aud.accept":"token, issuer"}}`,
			map[string]string{"nbf.check": "false", "jti.max_len": "64", "alg.allow": "ES384", "aud.accept": "token issuer"}},
		{"values with their sources", `{"name":"payer","switches":{"exp.max":{"value":"120s","source":"manual, page 12"},"basic.status":{"value":400}}}`,
			map[string]string{"exp.max": "120s", "basic.status": "400"}},
		{"what is wanted as strict has it", `{"name":"payer","switches":{"exp.max":"300s"}}`, map[string]string{}},
		{"a switch of what is extended turned back", `{"name":"payer","extends":"aidbox","switches":{"alg.allow":["RS384","ES384"],"scope.wildcard":"all","aud.accept":["token"],"exp.max":"5m","nbf.check":true,"iat.check":true,"jwks.require_use":false,"jwks.inline":"object","basic.status":"401","token.accept_json":false,"token.type":"bearer","token.omit_scope":false,"scope.missing":"refuse","scope.superset":"narrow","export.gzip":false,"export.max_concurrent":0,"export.dump":false,"files.token":true}}`,
			map[string]string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := behaviour.Read("payer.json", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, s := range b.Settings() {
				if s.Effect != behaviour.Same {
					got[s.Name] = s.Value
				}
			}
			if !reflect.DeepEqual(got, c.want) || b.Name != "payer" {
				t.Errorf("%s differs in %v, want %v", b.Name, got, c.want)
			}
		})
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	b, err := behaviour.Read("payer.json", []byte(`{"name":"payer","extends":"aidbox","switches":{"exp.max":{"value":"120s","source":"manual, page 12"},"alg.allow":"ES384"}}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"exp.max": "manual, page 12", "alg.allow": "payer.json",
		"aud.accept": "SB-DIF-01: Aidbox tutorial, validation: aud is not validated",
		"jti.replay": "SMART App Launch 2.2, client-confidential-asymmetric, Signature Verification: a jti is not seen before",
	} {
		if got := settingOf(t, b, name).Source; got != want {
			t.Errorf("%s: got source %q, want %q", name, got, want)
		}
	}
	if b.Extends != "aidbox" {
		t.Errorf("it extends %q", b.Extends)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"nothing", ``, `payer.json:1:1: the input is empty`},
		{"no JSON", "{\n  name: 1\n}", `payer.json:2:3: expected a member name in double quotes, got the word name`},
		{"a comment", `{"name":"payer", // mine`, `payer.json:1:18: expected a member name in double quotes, got '/'`},
		{"a comma too many", "{\"name\":\"payer\",\n}", `payer.json:1:16: a comma stands before the closing '}'`},
		{"a switch twice", `{"name":"payer","switches":{"exp.max":"1m","exp.max":"2m"}}`, `payer.json:1:44: the member "exp.max" occurs twice in one object`},
		{"an array", `[]`, `payer.json:1:1: a behaviour is a JSON object, not an array`},
		{"no name", `{"switches":{}}`, `payer.json:1:1: the behaviour has no name`},
		{"an empty name", `{"name":" "}`, `payer.json:1:9: name has to be one line of at most 200 bytes, and not empty`},
		{"a name of lines", `{"name":"a\nb"}`, `payer.json:1:9: name has to be one line of at most 200 bytes, and not empty`},
		{"a long description", `{"name":"payer","description":"` + strings.Repeat("x", 201) + `"}`, `payer.json:1:31: description has to be one line of at most 200 bytes, and not empty`},
		{"a name that is a number", `{"name":7}`, `payer.json:1:9: name is a text, not a number`},
		{"a name that is taken", `{"name":"aidbox"}`, `payer.json:1:9: the name "aidbox" is taken by a behaviour that comes with the program`},
		{"a member that is misspelt", `{"name":"payer","extend":"strict"}`, `payer.json:1:17: there is no member "extend" here; did you mean "extends"?`},
		{"extends what is not there", `{"name":"payer","extends":"aidbocks"}`, `payer.json:1:27: there is no behaviour "aidbocks"; did you mean "aidbox"?`},
		{"extends what is like nothing", `{"name":"payer","extends":"epic"}`, `payer.json:1:27: there is no behaviour "epic"; there are strict, aidbox`},
		{"switches as an array", `{"name":"payer","switches":[]}`, `payer.json:1:28: switches is an object, not an array`},
		{"a switch that is misspelt", "{\"name\":\"payer\",\n \"switches\": {\n  \"aud.acept\": \"any\"}}", `payer.json:3:3: there is no switch "aud.acept"; did you mean "aud.accept"?`},
		{"a switch that is like nothing", `{"name":"payer","switches":{"xyzzy":1}}`, `payer.json:1:29: there is no switch "xyzzy"`},
		{"a word for a flag", `{"name":"payer","switches":{"nbf.check":"off"}}`, `payer.json:1:41: nbf.check: "off" is neither true nor false`},
		{"a number for a duration", `{"name":"payer","switches":{"exp.max":300}}`, `payer.json:1:39: exp.max: "300" is not a duration such as 300s or 5m`},
		{"a word that is misspelt", `{"name":"payer","switches":{"jti.replay":"alow"}}`, `payer.json:1:42: jti.replay: "alow" is none of refuse, allow; did you mean "allow"?`},
		{"a type that is misspelt", `{"name":"payer","switches":{"scope.wildcard":["Patient","Observations"]}}`, `payer.json:1:46: scope.wildcard: "Observations" is no resource type; did you mean "Observation"?`},
		{"a list for a choice", `{"name":"payer","switches":{"jti.replay":["allow"]}}`, `payer.json:1:42: jti.replay takes one of refuse, allow, not an array`},
		{"null", `{"name":"payer","switches":{"jti.max_len":null}}`, `payer.json:1:43: jti.max_len takes a whole number, not null`},
		{"numbers in a list", `{"name":"payer","switches":{"alg.allow":["RS384",384]}}`, `payer.json:1:50: alg.allow: the items of the list are texts, not a number`},
		{"an item of two words", `{"name":"payer","switches":{"alg.allow":["RS384 ES384"]}}`, `payer.json:1:42: alg.allow: "RS384 ES384" is not one word`},
		{"an empty list", `{"name":"payer","switches":{"alg.allow":[]}}`, `payer.json:1:41: alg.allow: the list is empty`},
		{"a source without a value", `{"name":"payer","switches":{"exp.max":{"source":"manual"}}}`, `payer.json:1:39: exp.max has no value`},
		{"a member of a switch that is misspelt", `{"name":"payer","switches":{"exp.max":{"value":"1m","sauce":"manual"}}}`, `payer.json:1:53: there is no member "sauce" here; did you mean "source"?`},
		{"an object for a value", `{"name":"payer","switches":{"exp.max":{"value":{}}}}`, `payer.json:1:48: exp.max takes a duration such as 300s, not an object`},
		{"a file that extends a file, from no file", `{"name":"payer","extends":"./other.json"}`, `payer.json:1:27: there is no behaviour "./other.json"; there are strict, aidbox`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := behaviour.Read("payer.json", []byte(c.text))
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("base.json", `{"name":"base","extends":"aidbox","switches":{"exp.max":"120s"}}`)
	payer := write("payer.json", `{"name":"payer","extends":"./base.json","switches":{"jti.max_len":64}}`)
	b, err := behaviour.Load(payer)
	if err != nil {
		t.Fatal(err)
	}
	if r := b.Authz(); r.MaxJTI != 64 || r.MaxAssertion.Seconds() != 120 || r.TokenType != "Bearer" || b.Extends != "base" {
		t.Errorf("got %+v", b)
	}
	one := write("one.json", `{"name":"one","extends":"two.json"}`)
	write("two.json", `{"name":"two","extends":"one.json"}`)
	bad := write("bad.json", "{\"name\":\"bad\",\n\"extends\":\"worse.json\"}")
	write("worse.json", `{"name":"worse","switches":{"exp.max":"never"}}`)
	for _, c := range []struct{ name, load, want string }{
		{"a name that is misspelt", "aidbx", `there is no behaviour "aidbx"; did you mean "aidbox"? (a file's name ends in .json)`},
		{"a file that is not there", filepath.Join(dir, "none.json"), "none.json: the behaviour cannot be read: no such file or directory"},
		{"a directory", dir, "the behaviour cannot be read: is a directory"},
		{"a file that extends itself", one, "it extends itself, by way of"},
		{"a mistake in what is extended", bad, `worse.json:1:39: exp.max: "never" is not a duration`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := behaviour.Load(c.load)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	if _, err := behaviour.Load(bad); err == nil || !strings.Contains(err.Error(), "bad.json:2:11: ") {
		t.Errorf("got %v, want the place of extends too", err)
	}
}

func TestChange(t *testing.T) {
	t.Parallel()
	now, err := behaviour.Strict().With("jti.max_len", "64", "before")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, text   string
		want         string // name
		jti, algs    string
		algsFrom     string
		wantMistaken string
	}{
		{name: "nothing", text: `{}`, want: "strict", jti: "64", algs: "RS384 ES384"},
		{name: "a switch", text: `{"switches":{"alg.allow":["ES384"]}}`, want: "strict", jti: "64", algs: "ES384", algsFrom: "the test"},
		{name: "a name is taken afresh", text: `{"name":"aidbox"}`, want: "aidbox", jti: "255", algs: "RS384"},
		{name: "a name and a switch", text: `{"name":"aidbox","switches":{"alg.allow":"RS384 ES384"}}`, want: "aidbox", jti: "255", algs: "RS384 ES384", algsFrom: "the test"},
		{name: "the same name is taken afresh", text: `{"name":"strict"}`, want: "strict", jti: "255", algs: "RS384 ES384"},
		{name: "a name that is not there", text: `{"name":"./payer.json"}`, wantMistaken: `the test:1:9: there is no behaviour "./payer.json"; there are strict, aidbox`},
		{name: "a member too many", text: `{"extends":"aidbox"}`, wantMistaken: `the test:1:2: there is no member "extends" here`},
		{name: "a value that does not fit", text: `{"switches":{"exp.max":"x"}}`, wantMistaken: `the test:1:24: exp.max: "x" is not a duration such as 300s or 5m`},
		{name: "no JSON", text: `x`, wantMistaken: `the test:1:1: `},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := now.Change(behaviour.Builtin(), []byte(c.text), "the test")
			if c.wantMistaken != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.wantMistaken) {
					t.Errorf("got %v, want %s", err, c.wantMistaken)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			algs := settingOf(t, b, "alg.allow")
			if b.Name != c.want || settingOf(t, b, "jti.max_len").Value != c.jti || algs.Value != c.algs {
				t.Errorf("got %s with jti.max_len %s and alg.allow %s", b.Name, settingOf(t, b, "jti.max_len").Value, algs.Value)
			}
			if c.algsFrom != "" && algs.Source != c.algsFrom {
				t.Errorf("alg.allow is from %q, want %q", algs.Source, c.algsFrom)
			}
		})
	}
}

// Whatever is read makes sense, and says the same when it is written and read
// again.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"strict.json", "aidbox.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(strings.Replace(string(text), `"name": "`, `"name": "my `, 1)))
	}
	f.Add([]byte(`{"name":"payer","extends":"aidbox","switches":{"scope.wildcard":["Patient"],"hide_reasons.description":"no","jti.max_len":7}}`))
	f.Add([]byte(`{"name":"payer","switches":{"exp.max":{"value":"1h2m3.5s","source":"é"}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := behaviour.Read("f.json", text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.json:") {
				t.Errorf("the error does not say where: %v", err)
			}
			return
		}
		if err := b.Authz().Validate(); err != nil {
			t.Errorf("it was read and makes no sense: %v", err)
		}
		again := behaviour.Strict()
		for _, s := range b.Settings() {
			if again, err = again.With(s.Name, s.Value, s.Source); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(again.Authz(), b.Authz()) {
			t.Errorf("written and read again it is\n%+v\nnot\n%+v", again.Authz(), b.Authz())
		}
	})
}
