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

// In JSON a check has the id that people look up, whether that is the rule's or
// a finding's, and both come back.
func TestCheckJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check authz.Check
		want  string
	}{
		{authz.Check{RuleID: "SB-TOK-01", Result: authz.Pass}, `{"id":"SB-TOK-01","requirement":"SB-TOK-01","rule":"","clause":"","result":"pass"}`},
		{authz.Check{RuleID: "SB-JWT-12", Finding: "C04", Result: authz.Fail, Text: "a > b"}, `{"id":"C04","requirement":"SB-JWT-12","rule":"","clause":"","result":"fail","text":"a > b"}`},
	} {
		got, err := c.check.MarshalJSON()
		if err != nil || string(got) != c.want {
			t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
		}
		var back authz.Check
		if err := json.Unmarshal(got, &back); err != nil || back != c.check {
			t.Errorf("%s reads as %+v, %v", got, back, err)
		}
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parts       []authz.Part
		first, last authz.RuleID
	}{
		"assertion":     {authz.PartsOf(authz.TokenEndpoint, authz.ByAssertion), "SB-TOK-01", "SB-NEG-01"},
		"secret":        {authz.PartsOf(authz.TokenEndpoint, authz.BySecret), "SB-TOK-01", "SB-NEG-01"},
		"introspection": {authz.PartsOf(authz.IntrospectionEndpoint, authz.ByAssertion), "SB-TOK-01", "SB-INT-06"},
		"by a token":    {authz.PartsOf(authz.IntrospectionEndpoint, authz.ByAccessToken), "SB-TOK-01", "SB-INT-06"},
		"revocation":    {authz.PartsOf(authz.RevocationEndpoint, authz.BySecret), "SB-TOK-01", "SB-REV-03"},
	} {
		checklist := authz.RulesOf(c.parts...)
		if checklist[0].ID != c.first || checklist[len(checklist)-1].ID != c.last {
			t.Errorf("%s: from %s to %s, want from %s to %s", name, checklist[0].ID, checklist[len(checklist)-1].ID, c.first, c.last)
		}
	}
	// A secret's request walks the checklist of its name.
	w := newWorld(t)
	a := secretAsk(w)
	usingPost("web:1", "wrong")(a)
	var walked, want []authz.RuleID
	for _, check := range a.send().Checks {
		walked = append(walked, check.RuleID)
	}
	for _, r := range authz.RulesOf(authz.PartsOf(authz.TokenEndpoint, authz.BySecret)...) {
		want = append(want, r.ID)
	}
	if fmt.Sprint(walked) != fmt.Sprint(want) {
		t.Errorf("walked %v, want %v", walked, want)
	}
}

// error_description is one sentence with what was got and what was wanted, in
// printable ASCII without quotation mark and backslash (SB-TOK-10).
func TestDescription(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  authz.Error
		want string
	}{
		{"SB-TOK-10 characters", authz.Error{Check: authz.Check{Finding: "A16", Text: "  \"a\\b\"…\n\n≤ r‖s → “x” – \u00a0ü\x00§ 3 ≠"}}, "A16: 'a/b'... <= r||s -> 'x' - ??section  3 !=."},
		{"SB-TOK-10 the first sentence", authz.Error{Check: authz.Check{Finding: "C14", Text: "jti is 7. Add one.", Want: "a string"}}, "C14: jti is 7; wanted: a string."},
		{"SB-TOK-10 a sentence that begins with a claim", authz.Error{Check: authz.Check{Finding: "C08", Text: "exp is past. iat is too.", Want: "later"}}, "C08: exp is past; wanted: later."},
		{"SB-TOK-10 the wish is in it", authz.Error{Check: authz.Check{Finding: "A14", Text: "kty is EC, not RSA. Change it.", Want: "RSA"}}, "A14: kty is EC, not RSA."},
		{"SB-TOK-10 a full stop that was sent", authz.Error{Check: authz.Check{Finding: "A02", Text: "No client \"a. B\\\". C\". Take yours."}}, "A02: No client 'a. B/'. C'."},
		{"SB-TOK-10 a number", authz.Error{Check: authz.Check{Finding: "C09", Text: "exp is 1.5 h ahead (section 4.1. 4). So."}}, "C09: exp is 1.5 h ahead (section 4.1. 4)."},
		{"SB-ERR-26 the server's fault is told whole", authz.Error{Status: 500, Check: authz.Check{RuleID: "SB-JWT-19", Text: "It failed. Try again.", Want: "x"}}, "SB-JWT-19: It failed. Try again."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.err.Description(); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
	if got := (&authz.Error{Check: authz.Check{RuleID: "SB-RS-02", Text: "t"}}).Error(); got != "no credentials (SB-RS-02): t" {
		t.Errorf("Error() is %q", got)
	}
}
