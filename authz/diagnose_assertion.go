package authz

import (
	"context"
	"slices"
	"strings"
)

// diagnoseAlg explains an algorithm that is not taken. Whether the signature
// is right otherwise is found out, so that the answer can say so.
func (a *attempt) diagnoseAlg(ctx context.Context, got string) outcome {
	allowed := either(a.behaviour.Algorithms)
	o := outcome{finding: "A08", got: a.jws.header.show("alg"), want: allowed}
	switch {
	case got == "":
		o.text = "The header's alg is " + o.got + "."
		o.fix = "Sign with " + allowed + " and name it in alg."
	case strings.EqualFold(got, "none"):
		o.finding = "A10"
		o.text = "alg is " + quote(got) + ": the assertion is not signed."
		o.fix = "Sign it with your private key, alg " + allowed + "."
		return o
	case isSymmetric(got):
		o.finding = "A10"
		o.text = "alg is " + quote(got) + ", an HMAC with a shared secret. A public key must never serve as an HMAC secret."
		o.fix = "Sign with your private key, alg " + allowed + "."
		return o
	case got == "RS384" || got == "ES384":
		o.finding = "A09"
		o.text = "alg is " + quote(got) + "; this server takes " + allowed + " only (see token_endpoint_auth_signing_alg_values_supported in discovery)."
		o.fix = "Register a key for " + allowed + " as well and sign with it here. SMART obliges a server to take one of RS384 and ES384, not both."
		o.remedy = Remedy{Kind: RemedyNewKey, Algorithm: a.behaviour.Algorithms[0]}
	case isTaken(a.behaviour.Algorithms, got):
		o.text = "alg is " + quote(got) + "; algorithm names are case-sensitive."
		o.fix = "Write " + strings.ToUpper(got) + "."
	default:
		o.text = "alg is " + quote(got) + "; this server takes " + allowed + "."
		o.fix = otherAlg(got)
		if kty, _ := keyType(got); kty == "EC" || got == "EdDSA" {
			o.remedy.Kind = RemedyNewKey
		}
	}
	a.tryAlgorithms(ctx, &o, got)
	return o
}

// tryAlgorithms adds which key and algorithm the signature is of.
func (a *attempt) tryAlgorithms(ctx context.Context, o *outcome, got string) {
	set := a.claimedKeys(ctx)
	if set == nil {
		return
	}
	switch match, alg := a.anyKey(set, nil); {
	case match == nil:
	case alg == got:
		o.counterfactual = "The signature checks out with key " + match.name() + "; it was signed with " + alg + "."
		if o.remedy.Kind == "" {
			o.remedy.KeyID = match.kid
		}
	case slices.Contains(a.behaviour.Algorithms, alg):
		o.counterfactual = "The signature would verify with key " + match.name() + " as " + alg + ": only the alg in the header is wrong."
		o.fix = "Set alg to " + alg + "."
		o.remedy = Remedy{KeyID: match.kid, Algorithm: alg}
	default:
		o.counterfactual = "The signature is that of key " + match.name() + " under " + alg + "."
		o.remedy.KeyID = match.kid
	}
}

func isTaken(algorithms []string, got string) bool {
	for _, alg := range algorithms {
		if strings.EqualFold(alg, got) {
			return true
		}
	}
	return false
}

// otherAlg says what to do about an algorithm that is none of SMART's two.
func otherAlg(got string) string {
	kty, _ := keyType(got)
	switch {
	case strings.HasPrefix(got, "RS"):
		return "Sign with RS384: change alg in the header, and the hash to SHA-384. The key can stay."
	case kty == "RSA":
		return "Sign with RS384 (PKCS #1 v1.5 padding and SHA-384). The key can stay."
	case kty == "EC":
		return "Make a key on curve P-384 (secp384r1), register it and sign with ES384."
	case got == "EdDSA":
		return "Make an EC key on P-384 or an RSA key: SMART has no Ed25519."
	}
	return "Sign with one of them."
}

// claimedKeys returns the key set of the client that an assertion names before
// anything about it was checked; nil if there is none.
func (a *attempt) claimedKeys(ctx context.Context) *KeySet {
	client, err := a.server.store.Client(ctx, a.server.env.Name, a.clientID)
	if err != nil {
		return nil
	}
	set, _, err := a.server.keysOf(ctx, client, "")
	if err != nil {
		return nil
	}
	return set
}

func (a *attempt) diagnoseNoKid(ctx context.Context) outcome {
	o := outcome{finding: "A11", got: a.jws.header.show("kid"), want: "the kid of one of your keys"}
	o.text = "The header has no kid that is a string; the server needs it to select one key of your set."
	set := a.claimedKeys(ctx)
	if set == nil || set.Len() == 0 {
		o.fix = `Give the key a kid in your JWKS and name it in the header: "kid":"…".`
		return o
	}
	o.text += " Your JWKS has " + plural(set.Len(), "key") + ": " + list(quoted(set.KeyIDs())) + "."
	o.fix = "Add the kid of the key that you sign with to the header."
	if match, alg := a.anyKey(set, nil); match != nil && match.hasKid {
		o.counterfactual = "The signature would verify with key " + match.name() + signedAs(alg, a.jws) + "."
		o.fix = `Add "kid":` + match.name() + " to the header."
		o.remedy.KeyID = match.kid
	}
	return o
}
