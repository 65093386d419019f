package authz

// PublicKey is what can be told of one key of a set.
type PublicKey struct {
	KeyID       string `json:"kid,omitempty"`        // "" where it has none
	Description string `json:"description"`          // "RSA of 2048 bits", "EC on P-384"
	Algorithm   string `json:"alg,omitempty"`        // as the key says
	Use         string `json:"use,omitempty"`        // as the key says
	Thumbprint  string `json:"thumbprint,omitempty"` // RFC 7638; "" where the key cannot be read
	Signs       string `json:"-"`                    // of SMART's two algorithms, the one that the key can sign, or ""
}

// Keys returns the keys of the set in order.
func (s *KeySet) Keys() []PublicKey {
	keys := make([]PublicKey, len(s.keys))
	for i, k := range s.keys {
		keys[i] = PublicKey{KeyID: k.kid, Description: k.describe(), Algorithm: k.alg, Use: k.use, Signs: smartAlgorithm(k)}
		if k.raw != nil {
			keys[i].Thumbprint = k.jkt()
		}
	}
	return keys
}

// Checks judges the set as registration does, by a server that takes these
// algorithms, and returns a failed check for everything that is wrong with it
// instead of the first.
func (s *KeySet) Checks(algorithms []string) []Check {
	var checks []Check
	for _, p := range append(s.Problems(), s.unfit(algorithms)...) {
		l := newChecklist(nil)
		checks = append(checks, l.fail(ruleRegisterKeySet, outcome{finding: p.Finding, got: "key " + quote(p.KeyID), text: p.Text, fix: p.Fix, remedy: Remedy{Kind: p.remedy}}))
	}
	return checks
}
