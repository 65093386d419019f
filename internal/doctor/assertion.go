package doctor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// An Assertion is one that a client made, alone or within the body of a token request.
type Assertion struct {
	Name string // the file, "" for one that was given as text
	JWT  string
	body string // the form that it came in, "" for an assertion alone
}

// ReadAssertion reads an assertion or the form of a token request that holds one. White space
// around it is not part of it.
func ReadAssertion(name, text string) *Assertion {
	text = strings.TrimSpace(text)
	a := &Assertion{Name: name, JWT: text}
	if strings.Contains(text, "client_assertion=") {
		if values, err := url.ParseQuery(text); err == nil && values.Get("client_assertion") != "" {
			a.JWT, a.body = values.Get("client_assertion"), text
		}
	}
	return a
}

// claims are what an assertion says about whose it is, "" where it does not say so.
type claims struct{ kid, iss, aud string }

// claims peeks into the assertion.
func (a *Assertion) claims() (c claims) {
	if a == nil {
		return c
	}
	var header struct{ Kid any }
	var payload struct{ Iss, Aud any }
	for i, to := range []any{&header, &payload} {
		if parts := strings.Split(a.JWT, "."); i < len(parts) {
			if raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[i], "=")); err == nil {
				_ = json.Unmarshal(raw, to) // what cannot be read says nothing
			}
		}
	}
	c.kid, _ = header.Kid.(string)
	c.iss, _ = payload.Iss.(string)
	switch aud := payload.Aud.(type) {
	case string:
		c.aud = aud
	case []any:
		if len(aud) > 0 {
			c.aud, _ = aud[0].(string)
		}
	}
	return c
}

// scope is what to ask for with the assertion.
func (d *diagnosis) scope() string {
	if len(d.Scopes) > 0 {
		return strings.Join(d.Scopes, " ")
	}
	return DefaultScope
}

// body is the token request with the assertion: the one that it came in, or one that is right.
func (d *diagnosis) body() []byte {
	if d.Assertion.body != "" {
		return []byte(d.Assertion.body)
	}
	return form(d.Assertion.JWT, d.scope())
}

// lookAtAssertion shows what the assertion says and judges it, as far as that can be done without
// its server.
func (d *diagnosis) lookAtAssertion(ctx context.Context) error {
	if d.Assertion == nil {
		return nil
	}
	s := d.report.section("assertion", d.Assertion.Name)
	if members, err := authz.DescribeAssertion(d.Assertion.JWT, d.Clock.Now()); err == nil {
		for _, m := range members {
			s.fact(string(m.Part)+" "+m.Name, m.Value, m.Words)
		}
	}
	keys := d.source()
	if !d.hasKeySet() && d.key != nil {
		var err error
		if keys.jwks, err = d.setFor(d.Assertion); err != nil {
			return err
		}
	}
	all, err := d.examineAssertion(ctx, keys)
	if err != nil {
		return err
	}
	parts := []authz.Part{authz.PartAssertion, authz.PartClaims, authz.PartKey}
	if d.Assertion.body != "" {
		parts = append(parts, authz.PartForm, authz.PartGrantType, authz.PartAuthentication)
	}
	if d.Assertion.body != "" || len(d.Scopes) > 0 {
		parts = append(parts, authz.PartScope)
	}
	s.check(d.offline(s, ofParts(all, parts...))...)
	return nil
}

// examineAssertion judges the assertion as one of the client that it names, so that all of it is
// judged, and then whether that is the client of the case.
func (d *diagnosis) examineAssertion(ctx context.Context, keys keySource) ([]authz.Check, error) {
	owner := d.Assertion.claims().iss
	if owner == "" {
		owner = d.client
	}
	all, err := d.bench.try(ctx, owner, keys, d.body())
	if err != nil || d.Client == "" || owner == d.Client {
		return all, err
	}
	asked, err := d.bench.try(ctx, d.Client, keys, d.body())
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].RuleID == authz.RuleIDIssuer {
			all[i] = checkOf(asked, authz.RuleIDIssuer)
		}
	}
	return all, nil
}

// offline drops what only the client's own server can judge.
func (d *diagnosis) offline(s *Section, checks []authz.Check) []authz.Check {
	checks = without(checks, authz.RuleIDReplay, authz.RuleIDClientGrant, authz.RuleIDScopeGranted)
	if d.Assertion.body == "" {
		checks = without(checks, authz.RuleIDFormClient, authz.RuleIDAssertionType)
	}
	if !d.hasKeySet() && d.key == nil {
		checks = without(checks, authz.RuleIDKeySet, authz.RuleIDKeyMatch, authz.RuleIDKeyUsable, authz.RuleIDSignature)
		s.notChecked("Key and signature: name the key set with --jwks, or the private key with --key.")
	}
	if !d.hasKeySet() && d.key != nil {
		checks = without(checks, authz.RuleIDKeySet)
		if d.KeyID == "" && d.key.ID == "" {
			s.notChecked("Whether kid is the registered one: name the key set with --jwks, or the kid with --kid.")
		}
	}
	if !d.audienceKnown() && checkOf(checks, authz.RuleIDAudience).Result == authz.Pass {
		checks = without(checks, authz.RuleIDAudience)
		s.notChecked("Whether aud is the token endpoint's URL: name that with --token-url, or the server with --fhir.")
	}
	for i := range checks {
		if c := &checks[i]; c.RuleID == authz.RuleIDIssuer && c.Finding == authz.FindingIDUnknownClient { // only this client was looked for
			c.Want = d.client
			c.Text = fmt.Sprintf("iss is %q, and the client is %q (--client).", d.Assertion.claims().iss, d.client)
			c.Counterfactual, c.Fix = "", "Set iss and sub both to the client's id."
		}
	}
	if d.Client == "" && checkOf(checks, authz.RuleIDIssuer).Result == authz.Pass {
		checks = without(checks, authz.RuleIDIssuer) // it was registered for that
	}
	if d.Server == nil {
		s.notChecked("Whether the client is registered, its status, its scopes and an earlier use of jti: only its server knows. Name that with --fhir.")
	}
	return checks
}

// setFor returns the public half of the key as a set in which the assertion finds it, unless it is
// known under which kid it is registered.
func (d *diagnosis) setFor(a *Assertion) ([]byte, error) {
	named := *d.key
	if kid := a.claims().kid; d.KeyID == "" && d.key.ID == "" && kid != "" {
		named.ID = kid
		return jose.PublicSet(&named)
	}
	return d.setOf(d.key, false)
}

// lookAtSigner tells whether the assertion was signed by the key, where the key set is another
// thing than the key.
func (d *diagnosis) lookAtSigner(ctx context.Context) error {
	if d.Assertion == nil || d.key == nil || !d.hasKeySet() {
		return nil
	}
	s := d.report.section("signed-by", d.Key.Name)
	named := *d.key
	named.ID, named.Members = d.Assertion.claims().kid, nil
	set, err := jose.PublicSet(&named)
	if err != nil {
		return err
	}
	all, err := d.bench.try(ctx, d.client, keySource{jwks: set}, d.body())
	if err != nil {
		return err
	}
	c := checkOf(all, authz.RuleIDSignature)
	if other := checkOf(all, authz.RuleIDKeyMatch); c.Result == authz.NotReached {
		c = other
	}
	if c.Result != authz.NotReached {
		s.check(c)
	}
	return nil
}
