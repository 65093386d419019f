package doctor

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sandfhir/sandfhir/authz"
	"github.com/sandfhir/sandfhir/internal/jose"
	"github.com/sandfhir/sandfhir/internal/snippet"
)

// prescribe adds to every section in which a mistake was found the code that does it right, for
// the first one that there is code for. What a server said it told with its own.
func (d *diagnosis) prescribe() error {
	for _, s := range d.report.Sections {
		for _, c := range s.Checks {
			if s.Snippets != nil || c.Result != authz.Fail {
				continue
			}
			code, err := snippet.For(snippet.Kind(c.Remedy.Kind), d.facts(c.Remedy))
			if err != nil {
				return fmt.Errorf("write the code against %s: %w", c.ID(), err)
			}
			s.Snippets = code
		}
	}
	return nil
}

// facts are the values for the code, as far as the case has them.
func (d *diagnosis) facts(r authz.Remedy) snippet.Facts {
	f := snippet.Facts{
		ClientID: cmp.Or(r.ClientID, d.Client, d.Assertion.claims().iss), JWKSURI: d.KeySetURL,
		KeyID: r.KeyID, Algorithm: r.Algorithm, Scope: cmp.Or(r.Scope, d.scope()),
	}
	if d.audienceKnown() {
		f.TokenURL = d.tokenURL
	}
	if d.Server != nil {
		f.FHIRURL = d.Server.FHIR + "/Patient?_count=1"
	}
	if r.Kind == authz.RemedyNewKey {
		f.KeyID = "" // the new key has one of its own
	} else if d.key != nil {
		f.KeyID = cmp.Or(f.KeyID, d.kid())
		if alg, err := d.key.Algorithm(); err == nil {
			f.Algorithm = cmp.Or(f.Algorithm, alg)
		}
		if d.keyForm == jose.PKCS8PEM && d.Key.Mode != 0 { // as the code reads it, and no standard input
			f.KeyFile = d.Key.Name
		}
	} else {
		f.KeyID = cmp.Or(f.KeyID, d.Assertion.claims().kid)
	}
	if f.Algorithm == "" && len(d.algorithms) > 0 && !slices.Contains(d.algorithms, jose.RS384) {
		f.Algorithm = d.algorithms[0]
	}
	return f
}
