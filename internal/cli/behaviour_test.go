package cli_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestServeUnderABehaviour starts servers by flag, variable and file, and gets
// tokens with the client that the server keeps for the commands.
func TestServeUnderABehaviour(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	payer := writeFile(t, dir, "payer.json", `{"name":"payer","extends":"aidbox","switches":{"alg.allow":["RS384","ES384"]}}`)
	settings := writeFile(t, dir, "sandfhir.toml", `behaviour = '`+payer+`'`)
	for name, c := range map[string]struct {
		environ, args []string
		want          []string // in the greeting; not in it where it begins with !
		name          string
	}{
		"by default":            {nil, nil, []string{"!  Behaviour ", "signs ES384"}, "strict"},
		"by flag":               {nil, []string{"--behaviour", "aidbox"}, []string{"Behaviour    aidbox (18 switches differ from strict)", "signs RS384"}, "aidbox"},
		"by variable":           {[]string{"SANDFHIR_BEHAVIOUR=aidbox"}, nil, []string{"Behaviour    aidbox"}, "aidbox"},
		"by file":               {nil, []string{"--config", settings}, []string{"Behaviour    payer (17 switches differ from strict)", "signs ES384"}, "payer"},
		"with a data directory": {nil, []string{"--behaviour", "aidbox", "--data", filepath.Join(dir, "data")}, []string{"signs RS384"}, "aidbox"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveIn(t, t.TempDir(), c.environ, c.args...)
			for _, want := range c.want {
				text, absent := strings.CutPrefix(want, "!")
				if strings.Contains(s.greeted, text) == absent {
					t.Errorf("the greeting is\n%s\nwant %s", s.greeted, want)
				}
			}
			if status, text := s.ask(t, "GET", "/_sandbox/behaviour", ""); status != 200 || !strings.HasPrefix(text, `{"name":"`+c.name+`"`) {
				t.Errorf("got status %d: %.80s", status, text)
			}
			if got := s.run(t, "get", "Patient?_count=1"); got.code != 0 {
				t.Errorf("get: %+v", got)
			}
		})
	}
}
