package authz_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/sandfhir/sandfhir/authz"
)

func TestResultWords(t *testing.T) {
	t.Parallel()
	for _, r := range []authz.Result{authz.NotReached, authz.Pass, authz.Warn, authz.Fail} {
		text := mustJSON(t, authz.Check{Result: r})
		var back authz.Check
		if err := json.Unmarshal([]byte(text), &back); err != nil || back.Result != r {
			t.Errorf("%v: %s reads as %v, %v", r, text, back.Result, err)
		}
	}
	var r authz.Result
	if err := json.Unmarshal([]byte(`"maybe"`), &r); err == nil {
		t.Error("an unknown word is taken")
	}
}

func TestLadders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts       []authz.Part
		first, last string
	}{
		"assertion":     {authz.AssertionLadder(), "SB-TOK-01", "SB-NEG-01"},
		"secret":        {authz.SecretLadder(), "SB-TOK-01", "SB-NEG-01"},
		"introspection": {authz.IntrospectionLadder(), "SB-TOK-01", "SB-INT-06"},
		"revocation":    {authz.RevocationLadder(), "SB-TOK-01", "SB-REV-03"},
	} {
		ladder := authz.Ladder(c.parts...)
		if ladder[0].ID != c.first || ladder[len(ladder)-1].ID != c.last {
			t.Errorf("%s: from %s to %s, want from %s to %s", name, ladder[0].ID, ladder[len(ladder)-1].ID, c.first, c.last)
		}
	}
	// A secret's request walks the ladder of its name.
	w := newWorld(t)
	a := secretAsk(w)
	usingPost("web:1", "wrong")(a)
	var walked, want []string
	for _, check := range a.send().Checks {
		walked = append(walked, check.Requirement)
	}
	for _, r := range authz.Ladder(authz.SecretLadder()...) {
		want = append(want, r.ID)
	}
	if fmt.Sprint(walked) != fmt.Sprint(want) {
		t.Errorf("walked %v, want %v", walked, want)
	}
}

// error_description is printable ASCII without quotation mark and backslash
// (SB-TOK-10).
func TestDescription(t *testing.T) {
	t.Parallel()
	e := &authz.Error{Code: "invalid_client", Check: authz.Check{ID: "A16", Text: "  \"a\\b\"…\n\n≤ r‖s → “x” – \u00a0ü\x00§ 3 ≠ "}}
	if got, want := e.Description(), "A16: 'a/b'... <= r||s -> 'x' - ??section  3 !="; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := (&authz.Error{Check: authz.Check{ID: "SB-RS-02", Text: "t"}}).Error(); got != "no credentials (SB-RS-02): t" {
		t.Errorf("Error() is %q", got)
	}
}
