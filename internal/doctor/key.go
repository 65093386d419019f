package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// lookAtKey judges the file with the private key, then the key.
func (d *diagnosis) lookAtKey(ctx context.Context) error {
	if d.Key == nil {
		return nil
	}
	s := d.report.section("key", d.Key.Name)
	file, err := jose.Read(d.Key.Data)
	var key *jose.Key
	if err == nil {
		key, err = file.PrivateKey(d.KeyID)
	}
	if err != nil {
		s.unreadable(err)
		if file != nil {
			s.describe(file)
		}
		return nil
	}
	alg, err := key.Algorithm()
	problems, wrong := d.judge(key)
	if wrong != nil {
		return wrong
	}
	got := fmt.Sprintf("%s, %s", file.Form, key.Describe())
	if err == nil {
		got += ", signs " + alg
	}
	s.fact("kind", got, "")
	if len(problems) == 0 {
		s.check(passed(RuleKeyFile, got))
	}
	s.check(problems...)
	if s.failed() {
		s.try("sandfhir keygen")
	} else {
		s.form(file)
	}
	if d.Key.Mode != 0 {
		s.mode(d.Key.Mode)
	}
	s.describe(&jose.File{Keys: []*jose.Key{key}})
	if err != nil || s.failed() {
		return nil
	}
	d.key, d.keyForm = key, file.Form
	checks, err := d.sign(ctx, key)
	s.check(checks...)
	return err
}

// unreadable notes that a file has no private key for SMART.
func (s *Section) unreadable(err error) {
	var bad *jose.FileError
	if !errors.As(err, &bad) {
		s.check(found(authz.Fail, RuleKeyFile, "A19", "The key cannot be read: "+err.Error()+".", "Name a file with one private key, in PEM or as a JWK."))
		return
	}
	s.check(found(authz.Fail, RuleKeyFile, authz.FindingID(bad.Finding), strings.ToUpper(bad.Text[:1])+bad.Text[1:], bad.Fix))
	s.try(bad.Command)
}

// form judges how the key is written down: what this program reads, others may not.
func (s *Section) form(file *jose.File) {
	var c authz.Check
	switch {
	case len(file.Oddities) > 0:
		c = found(authz.Warn, RuleKeyForm, "A19", "The file "+phrases(file.Oddities)+". Many libraries stumble over that.", "Convert it to PKCS #8.")
	case file.Form == jose.SEC1PEM || file.Form == jose.PKCS1PEM:
		c = found(authz.Warn, RuleKeyForm, "A19", "Libraries that want PKCS #8 (BEGIN PRIVATE KEY), as WebCrypto and Java do, cannot read this.", "Convert it to PKCS #8.")
		c.Want = string(jose.PKCS8PEM)
	default:
		s.check(passed(RuleKeyForm, string(file.Form)))
		return
	}
	c.Got = string(file.Form)
	s.check(c)
	s.try("sandfhir doctor --key FILE --convert pem --out key8.pem")
}

// mode judges who else can read the file.
func (s *Section) mode(mode fs.FileMode) {
	if mode = mode.Perm(); mode&0o077 == 0 {
		s.check(passed(RuleKeyMode, mode.String()))
		return
	}
	c := found(authz.Warn, RuleKeyMode, "", "Others on this machine can read or change the file.", "Take their rights away.")
	c.Got, c.Want = mode.String(), fs.FileMode(0o600).String()
	s.check(c)
	s.try("chmod 600 FILE")
}

// judge has the public half judged as a server judges it, with the members of a JWK as they were
// written.
func (d *diagnosis) judge(key *jose.Key) (problems []authz.Check, err error) {
	set, err := d.setOf(key, true)
	if err != nil {
		return nil, err
	}
	parsed, err := authz.ParseKeySet(set)
	if err != nil {
		return nil, fmt.Errorf("read the key set of the key: %w", err)
	}
	for _, c := range parsed.Checks(authz.Strict().Algorithms) {
		rule := rule(RuleKeyFile) // it is the key that is judged, and a set of it that was made for that
		c.RuleID, c.Rule, c.Clause, c.Got = rule.RuleID, rule.Rule, rule.Clause, ""
		if c.Finding == authz.FindingIDKeyEncoding { // nobody need ever see how the private key's file writes its numbers
			c.Result = authz.Warn
		}
		problems = append(problems, c)
	}
	return problems, nil
}

// setOf returns the public half as a key set, under the kid by which a server will look for it.
// asWritten leaves the numbers as the JWK writes them; else they are written as they should be.
func (d *diagnosis) setOf(key *jose.Key, asWritten bool) ([]byte, error) {
	kid, err := d.ownKid(key)
	if err != nil {
		return nil, err
	}
	right, err := key.PublicJWK()
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	for name, value := range right {
		members[name] = value
	}
	for name, value := range key.Members {
		if isNumber := slices.Contains([]string{"n", "e", "x", "y"}, name); asWritten || !isNumber {
			members[name] = value
		}
	}
	members["kid"] = kid
	return json.Marshal(map[string]any{"keys": []any{members}})
}

// ownKid is the kid of the key: as told, as the key itself says, or the thumbprint.
func (d *diagnosis) ownKid(key *jose.Key) (string, error) {
	if d.KeyID != "" {
		return d.KeyID, nil
	}
	return key.KeyID()
}

// sign makes an assertion with the key and returns what a server says of key and signature.
func (d *diagnosis) sign(ctx context.Context, key *jose.Key) ([]authz.Check, error) {
	kid, err := d.ownKid(key)
	if err != nil {
		return nil, err
	}
	set, err := d.setOf(key, false)
	if err != nil {
		return nil, err
	}
	return d.tryKey(ctx, key, kid, keySource{jwks: set}, authz.RuleIDKeyUsable, authz.RuleIDSignature)
}

// tryKey examines an assertion made with the key and returns the checks of these rules, or the one
// that kept the server from them: an algorithm that it does not take.
func (d *diagnosis) tryKey(ctx context.Context, key *jose.Key, kid string, keys keySource, ids ...authz.RuleID) ([]authz.Check, error) {
	assertion, err := key.ClientAssertion(kid, d.client, d.tokenURL, d.Clock.Now())
	if err != nil {
		return nil, err
	}
	all, err := d.bench.try(ctx, d.client, keys, form(assertion, anyScope))
	if err != nil {
		return nil, err
	}
	if alg := checkOf(all, authz.RuleIDAlgorithm); alg.Result == authz.Fail {
		return []authz.Check{alg}, nil
	}
	var checks []authz.Check
	for _, id := range ids {
		if c := checkOf(all, id); c.Result != authz.NotReached {
			checks = append(checks, c)
		}
	}
	return checks, nil
}

// describe tells what names the keys have.
func (s *Section) describe(file *jose.File) {
	for _, k := range file.Keys {
		if k.Private == nil {
			s.fact("kind", "the public half: "+k.Describe(), "")
		}
		print, err := k.Thumbprint()
		if err != nil {
			continue
		}
		if k.ID == print {
			s.fact("kid", k.ID, "the key's thumbprint")
			continue
		}
		s.fact("kid", k.ID, "as the JWK says")
		s.fact("thumbprint", print, "RFC 7638")
	}
}

// phrases joins predicates: "has a, has b and is c".
func phrases(all []string) string {
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
}
