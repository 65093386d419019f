package doctor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/jose"
)

// source is where the client's key set is; empty where the case has none.
func (d *diagnosis) source() keySource {
	if d.KeySet != nil {
		return keySource{jwks: d.KeySet.Data}
	}
	return keySource{uri: d.KeySetURL}
}

func (d *diagnosis) hasKeySet() bool { return d.KeySet != nil || d.KeySetURL != "" }

// lookAtKeySet gets and reads the set as a server does when a token is asked for, and judges every
// key of it as registration does.
func (d *diagnosis) lookAtKeySet(ctx context.Context) error {
	if !d.hasKeySet() {
		return nil
	}
	s := d.report.section("key-set", d.KeySetURL)
	if d.KeySet != nil {
		s.Subject = d.KeySet.Name
	}
	if d.KeySet != nil && len(bytes.TrimSpace(d.KeySet.Data)) == 0 {
		s.check(found(authz.Fail, authz.RuleIDKeySet, authz.FindingIDNoKeySet, "The file is empty.", `Write a JWK Set: {"keys":[…]}.`))
		return nil
	}
	stranger, err := d.stranger()
	if err != nil {
		return err
	}
	had, err := d.tryKey(ctx, stranger, strangersKid, d.source(), authz.RuleIDKeySet)
	if err != nil {
		return err
	}
	for i := range had {
		had[i] = d.notASet(s, had[i])
	}
	s.check(had...)
	if s.failed() {
		return nil
	}
	if err := d.readKeySet(ctx, s); err != nil || d.keySet == nil {
		return err
	}
	s.check(d.keySet.Checks(authz.Strict().Algorithms)...)
	for _, k := range d.keySet.Keys() {
		s.fact("key", cmp.Or(k.KeyID, "without a kid"), aboutKey(k))
	}
	if !s.failed() {
		s.check(passed(authz.RuleIDKeySetValue, ""))
	}
	return nil
}

// aboutKey is what there is to know about a key beside its kid.
func aboutKey(k authz.PublicKey) string {
	words := k.Description
	if k.Algorithm != "" {
		words += ", alg " + k.Algorithm
	}
	if k.Use != "" {
		words += ", use " + k.Use
	}
	switch print := k.Thumbprint(); print {
	case "":
	case k.KeyID:
		words += ", by its thumbprint"
	default:
		words += ", thumbprint " + print
	}
	return words
}

// readKeySet keeps the set that the server in memory has read.
func (d *diagnosis) readKeySet(ctx context.Context, s *Section) (err error) {
	if d.KeySet != nil {
		d.keySet, err = authz.ParseKeySet(d.KeySet.Data)
		return err
	}
	published, err := d.bench.keys.Keys(ctx, d.KeySetURL, "")
	var failed *authz.FetchError
	switch {
	case errors.As(err, &failed): // it was there a moment ago
		s.check(found(authz.Fail, authz.RuleIDKeySet, failed.Finding, failed.Text, failed.Fix))
		return nil
	case err != nil:
		return err
	}
	d.keySet = published.Set
	cache := published.CacheControl
	if cache == "" {
		cache = "none"
	}
	s.fact("Cache-Control", cache, "how long servers keep the set: a new key has to be published that long before it signs")
	if err := authz.NewFetcher(authz.FetchConfig{}).CheckURI(d.KeySetURL); err != nil {
		c := found(authz.Warn, authz.RuleIDKeySetURL, authz.FindingIDKeySetURL, "It was read from here, but payers will not.", err.Error())
		c.Got = d.KeySetURL
		s.check(c)
	}
	return nil
}

// notASet adds to the finding of a file that is no key set what can be made of it.
func (d *diagnosis) notASet(s *Section, c authz.Check) authz.Check {
	if c.Result != authz.Fail || d.KeySet == nil {
		return c
	}
	if text := bytes.TrimSpace(d.KeySet.Data); c.Finding == authz.FindingIDNoKeySet && len(text) > 0 && !bytes.ContainsAny(text[:1], "{[<") {
		c.Text = "The file is no JSON, which a JWK Set is." // how it begins is not repeated: it may be a key in a format that is not known here
	}
	file, err := jose.Read(d.KeySet.Data)
	if err != nil {
		return c
	}
	if file.Form == jose.Certificate {
		c.Finding = authz.FindingIDCertificate
		c.Text = "The file is an X.509 certificate, not a JWK Set."
	}
	if file.IsPrivate() {
		c.Text, c.Fix = "The file is a private key, not a JWK Set.", "Make the key set of its public half."
		s.check(found(authz.Fail, authz.RuleIDKeySetValue, authz.FindingIDPrivateMembers, "The file holds a private key.", "Never publish or register it: only its public half is."))
	}
	s.try("sandfhir doctor --jwks FILE --convert jwks")
	return c
}

// strangersKid is the kid of a key that no client has.
const strangersKid = "sandfhir-doctor"

// stranger returns a key that is not the client's, for an assertion that shall come as far as the
// key set.
func (d *diagnosis) stranger() (*jose.Key, error) {
	if slices.Contains(d.takes(), jose.ES384) {
		return jose.Generate(jose.ES384, 0)
	}
	return jose.Generate(jose.RS384, jose.MinBits)
}

// lookAtBoth tells whether the key belongs to the set, by an assertion that names it.
func (d *diagnosis) lookAtBoth(ctx context.Context) error {
	if d.key == nil || d.keySet == nil {
		return nil
	}
	s := d.report.section("key-in-set", d.Key.Name)
	checks, err := d.tryKey(ctx, d.key, d.kid(), d.source(), authz.RuleIDKeyMatch, authz.RuleIDKeyUsable, authz.RuleIDSignature)
	if err != nil {
		return err
	}
	s.check(checks...)
	print, err := d.key.Thumbprint()
	if err != nil {
		return err
	}
	var kids []string
	for _, k := range d.keySet.Keys() {
		if k.Thumbprint() == print {
			kids = append(kids, k.KeyID)
		}
	}
	switch {
	case len(kids) == 0:
		s.fact("in the set", "no", "no key of it has the thumbprint "+print)
	default:
		s.fact("in the set", strings.Join(kids, ", "), "the kid to name in the header")
	}
	return nil
}
