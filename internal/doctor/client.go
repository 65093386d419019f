package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/snippet"
)

// explanation is a Sandfhir's answer to a token request that is not to be granted but explained.
type explanation struct {
	Granted bool          `json:"granted"`
	Scope   string        `json:"scope"`
	Checks  []authz.Check `json:"checks"`
	// Snippets is the code that puts a refusal right.
	Snippets []snippet.Snippet `json:"snippets"`
}

// askServer has the server explain a token request of the client: with the assertion of the case,
// with one made with the key, or, where there is neither, with one that is right in all but the
// key, which shows what the server knows about the client.
func (d *diagnosis) askServer(ctx context.Context) error {
	if d.Server.tokenURL == "" || d.Client == "" && d.Assertion == nil {
		return nil
	}
	s := d.report.section("client", d.client)
	if d.sandboxURL == "" {
		s.notChecked(d.Server.FHIR + " is no Sandfhir and explains nothing: everything above was checked offline.")
		s.try("sandfhir token --fhir " + d.Server.FHIR + " --client ID --key FILE")
		return nil
	}
	body, probe, err := d.question()
	if err != nil {
		return err
	}
	answer, why := d.Server.explain(ctx, d.sandboxURL, body)
	if why != "" {
		s.notChecked(why)
		s.try("sandfhir token --fhir " + d.Server.FHIR + " --client ID --key FILE")
		return nil
	}
	if answer.Granted {
		s.fact("granted scope", answer.Scope, "this token request would be granted; nothing was issued, and the assertion is unused")
	}
	s.check(d.answered(s, answer.Checks, probe)...)
	if s.failed() {
		s.Snippets = answer.Snippets
	}
	return nil
}

// question returns the token request to ask about, and whether it is a stranger's.
func (d *diagnosis) question() (body []byte, probe bool, err error) {
	if d.Assertion != nil {
		return d.body(), false, nil
	}
	key, kid := d.key, d.kid()
	if key == nil {
		if key, err = d.stranger(); err != nil {
			return nil, false, err
		}
		kid = strangersKid
	}
	assertion, err := key.ClientAssertion(kid, d.client, d.tokenURL, d.Clock.Now())
	if err != nil {
		return nil, false, err
	}
	return form(assertion, d.scope()), d.key == nil, nil
}

// answered returns the server's checks that say something about the client, and for an assertion
// that was judged already those that are the server's alone to judge.
func (d *diagnosis) answered(s *Section, all []authz.Check, probe bool) []authz.Check {
	parts := []authz.Part{authz.PartClient, authz.PartKey}
	if len(d.Scopes) > 0 || d.Assertion != nil && d.Assertion.body != "" {
		parts = append(parts, authz.PartScope)
	}
	checks := ofParts(all, parts...)
	if issuer := checkOf(all, authz.RuleIDIssuer); issuer.Result != authz.NotReached {
		checks = append([]authz.Check{issuer}, checks...)
	}
	for _, c := range all { // what ended it may be none of these
		if c.Result != authz.Fail || len(ofParts([]authz.Check{c}, authz.PartScope)) > 0 {
			continue // scopes that nobody named are not judged
		}
		if d.report.tells(c) {
			checks = without(checks, c.RuleID)
			s.notChecked("What comes after " + c.ID() + ", which the server refuses the assertion for as well.")
		} else if checkOf(checks, c.RuleID).Result == authz.NotReached {
			checks = append(checks, c)
		}
	}
	if !probe {
		return checks
	}
	if match := checkOf(checks, authz.RuleIDKeyMatch); match.Finding == authz.FindingIDUnknownKeyID {
		s.fact("registered keys", match.Want, "the kids of its key set")
		checks = without(checks, authz.RuleIDKeyMatch)
	}
	if checkOf(checks, authz.RuleIDIssuer).Result != authz.Fail {
		s.notChecked("Whether your key is one of the client's: name it with --key.")
	}
	return checks
}

// adminRealm is what a Sandfhir whose controls are guarded says in its challenge.
const adminRealm = `realm="sandfhir admin"`

// explain posts the token request to a Sandfhir; why says what kept the server from an explanation.
// An assertion works, and so does the admin token, so neither is sent to a server that has not
// shown what it is.
func (s *Server) explain(ctx context.Context, sandbox string, body []byte) (answer *explanation, why string) {
	once := *s
	once.HTTP = s.withoutRedirects()
	shown, failed := once.get(ctx, sandbox+"behaviour")
	if failed != nil {
		return nil, "What the server says: " + failed.Text
	}
	at, token := sandbox+"token/explain", ""
	var behaviour struct{ Name string }
	switch {
	case shown.status == http.StatusOK && json.Unmarshal(shown.body, &behaviour) == nil && behaviour.Name != "":
	case shown.status == http.StatusUnauthorized && strings.Contains(shown.challenge, adminRealm):
		if token = s.AdminToken; token == "" {
			return nil, wantsAdminToken
		}
	default:
		return nil, fmt.Sprintf("What the server says: %sbehaviour answers %d, so it is no Sandfhir, and everything above was checked offline.", sandbox, shown.status)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(string(body)))
	if err != nil {
		return nil, err.Error()
	}
	req.Header.Set("Content-Type", formType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	got, err := once.do(req)
	switch {
	case err != nil:
		return nil, "What the server says: POST " + at + " failed (" + err.Error() + ")."
	case got.status == http.StatusUnauthorized && strings.Contains(got.challenge, adminRealm):
		return nil, wantsAdminToken
	case got.status != http.StatusOK:
		return nil, fmt.Sprintf("What the server says: %s answers %d, and everything above was checked offline.", at, got.status)
	}
	answer = &explanation{}
	if err := json.Unmarshal(got.body, answer); err != nil || len(answer.Checks) == 0 {
		return nil, "What the server says: the answer of " + at + " is no explanation, and everything above was checked offline."
	}
	return answer, ""
}

const wantsAdminToken = "What the server says: its controls ask for the admin token; set SANDFHIR_ADMIN_TOKEN to the right one."
