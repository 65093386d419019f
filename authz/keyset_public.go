package authz

// PublicKey is what can be told of one key of a set.
type PublicKey struct {
	KeyID       string // "" where it has none
	Description string // "RSA of 2048 bits", "EC on P-384"
	Algorithm   string // as the key says
	Use         string // as the key says
	Signs       string // of SMART's two algorithms, the one that the key can sign, or ""

	key *publicKey
}

// Thumbprint computes the key's thumbprint (RFC 7638, SHA-256, base64url); ""
// where the key cannot be read.
func (k PublicKey) Thumbprint() string {
	if k.key.raw == nil {
		return ""
	}
	return k.key.jkt()
}

// Keys returns the keys of the set in order.
func (s *KeySet) Keys() []PublicKey {
	keys := make([]PublicKey, len(s.keys))
	for i, k := range s.keys {
		keys[i] = PublicKey{KeyID: k.kid, Description: k.describe(), Algorithm: k.alg, Use: k.use,
			Signs: smartAlgorithm(k), key: k}
	}
	return keys
}

// Checks judges the set as registration does at a server that takes these
// algorithms. It returns a failed check for everything that is wrong, not
// only for the first.
func (s *KeySet) Checks(algorithms []string) []Check {
	var checks []Check
	for _, p := range append(s.Problems(), s.unfit(algorithms)...) {
		l := new(checklist)
		checks = append(checks, l.fail(ruleRegisterKeySet, outcome{finding: p.Finding, got: "key " + quote(p.KeyID),
			text:   p.Text,
			fix:    p.Fix,
			remedy: Remedy{Kind: p.remedy}}))
	}
	return checks
}
