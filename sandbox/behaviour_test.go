package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sandfhir/sandfhir/sandbox"
)

// refusal returns the check by which a token request is refused, "" where it is
// granted.
func refusal(t *testing.T, c *sandbox.Client, opts ...sandbox.AssertionOption) string {
	t.Helper()
	assertion, err := c.Assertion(opts...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.TokenFor(t.Context(), assertion, "system/Patient.rs")
	var refused *sandbox.TokenError
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if refused == nil {
		return ""
	}
	return refused.Check
}

func TestBehaviour(t *testing.T) {
	t.Parallel()
	sb := start(t)
	strict := sb.Behaviour()
	if strict.Name != "strict" || strict.Differs() || strict.String() != "strict" || len(strict.Switches) < 30 || strict.Value("exp.max") != "300s" {
		t.Errorf("got %+v", strict)
	}
	for _, s := range strict.Switches {
		if s.Value != s.Default || s.Effect != "" || s.Meaning == "" || s.Source == "" {
			t.Errorf("got %+v", s)
		}
	}
	client := sb.DefaultClient()
	far := sandbox.WithExpiry(10 * time.Minute)
	if got := refusal(t, client, far); got != "C09" {
		t.Errorf("got %q", got)
	}
	if err := sb.SetBehaviour("", map[string]string{"exp.max": "600s", "jti.replay": "allow"}); err != nil {
		t.Fatal(err)
	}
	if got := refusal(t, client, far, sandbox.WithJTI("again")) + refusal(t, client, sandbox.WithJTI("again")); got != "" {
		t.Errorf("got %q", got)
	}
	b := sb.Behaviour()
	if b.Name != "strict" || !b.Differs() || b.String() != "strict (2 switches differ from strict)" || b.Value("exp.max") != "600s" {
		t.Errorf("got %v", b)
	}
	for _, s := range b.Switches {
		if s.Name == "exp.max" && (s.Effect != "milder" || s.Source != "SetBehaviour" || s.Default != "300s") {
			t.Errorf("got %+v", s)
		}
	}
	if err := sb.SetBehaviour("aidbox", nil); err != nil {
		t.Fatal(err)
	}
	if b := sb.Behaviour(); b.Name != "aidbox" || b.Value("jti.replay") != "refuse" || b.Extends != "strict" {
		t.Errorf("got %+v", b)
	}
	if got := refusal(t, client); got != "A09" { // its key is from before
		t.Errorf("got %q", got)
	}
}

func TestSetBehaviourRefuses(t *testing.T) {
	t.Parallel()
	sb := start(t)
	for _, c := range []struct {
		name, behaviour string
		switches        map[string]string
		want            string
	}{
		{"a name that is misspelt", "aidbx", nil, `sandbox: set behaviour: there is no behaviour "aidbx"; did you mean "aidbox"?`},
		{"a switch that is misspelt", "", map[string]string{"exp.mx": "1m"}, `there is no switch "exp.mx"; did you mean "exp.max"?`},
		{"one of two", "", map[string]string{"exp.max": "1m", "jti.max_len": "none"}, `jti.max_len: "none" is not a whole number`},
		{"a file that is not there", "./nowhere.json", nil, "./nowhere.json: the behaviour cannot be read"},
	} {
		err := sb.SetBehaviour(c.behaviour, c.switches)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if b := sb.Behaviour(); b.Differs() {
			t.Errorf("%s: it changed the behaviour: %v", c.name, b)
		}
	}
}

func TestBehaviourOptions(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "payer.json")
	if err := os.WriteFile(file, []byte(`{"name":"payer","extends":"aidbox","switches":{"exp.max":"60s"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		opts []sandbox.Option
		want map[string]string
	}{
		{"by name", []sandbox.Option{sandbox.WithBehaviour("aidbox")}, map[string]string{"": "aidbox", "token.type": "Bearer"}},
		{"by file", []sandbox.Option{sandbox.WithBehaviour(file)}, map[string]string{"": "payer", "token.type": "Bearer", "exp.max": "60s"}},
		{"a switch", []sandbox.Option{sandbox.WithSwitch("jti.max_len", "64")}, map[string]string{"": "strict", "jti.max_len": "64"}},
		{"a switch before the behaviour", []sandbox.Option{sandbox.WithSwitch("token.type", "bearer"), sandbox.WithBehaviour("aidbox")}, map[string]string{"": "aidbox", "token.type": "bearer", "basic.status": "400"}},
		{"the later one counts", []sandbox.Option{sandbox.WithBehaviour(file), sandbox.WithSwitch("exp.max", "1m"), sandbox.WithBehaviour("strict"), sandbox.WithSwitch("exp.max", "2m")}, map[string]string{"": "strict", "exp.max": "120s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, c.opts...).Behaviour()
			for name, want := range c.want {
				if got := b.Value(name); name != "" && got != want || name == "" && b.Name != want {
					t.Errorf("%s %s: got %q, want %q", b.Name, name, got, want)
				}
			}
		})
	}
}

// A server that takes RS384 only has clients that sign it, unless they are told
// otherwise.
func TestClientsSignWhatTheBehaviourTakes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	sb := start(t, sandbox.WithDataDir(dir))
	if got := sb.DefaultClient().Algorithm(); got != sandbox.ES384 {
		t.Errorf("strict: got %s", got)
	}
	first := sb.DefaultClient().KeyID()
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}

	sb = start(t, sandbox.WithDataDir(dir), sandbox.WithBehaviour("aidbox"))
	client := sb.DefaultClient()
	if client.Algorithm() != sandbox.RS384 || client.KeyID() == first {
		t.Errorf("aidbox: got %s by key %s", client.Algorithm(), client.KeyID())
	}
	if got := refusal(t, client); got != "" {
		t.Errorf("the default client is refused: %s", got)
	}
	second := client.KeyID()
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}

	sb = start(t, sandbox.WithDataDir(dir))
	if client := sb.DefaultClient(); client.KeyID() != second || refusal(t, client) != "" {
		t.Errorf("strict again: the key %s was not kept, or is refused", client.KeyID())
	}

	sb = start(t, sandbox.WithBehaviour("aidbox"))
	for _, c := range []struct {
		cfg  sandbox.ClientConfig
		want sandbox.Algorithm
	}{{sandbox.ClientConfig{}, sandbox.RS384}, {sandbox.ClientConfig{Algorithm: sandbox.ES384}, sandbox.ES384}} {
		client, err := sb.RegisterClient(t.Context(), c.cfg)
		if err != nil || client.Algorithm() != c.want {
			t.Errorf("got %v, %v; want one that signs %s", client, err, c.want)
		}
	}
}
