package authz

import (
	"context"
	"slices"
	"strings"
)

// diagnoseAlg explains an algorithm that is not taken, and tries which key
// and algorithm the signature really is of.
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
		o.text = "alg is " + quote(got) + ", an HMAC with a shared secret. A public key must never serve as " +
			"an HMAC secret."
		o.fix = "Sign with your private key, alg " + allowed + "."
		return o
	case got == "RS384" || got == "ES384":
		o.finding = "A09"
		o.text = "alg is " + quote(got) + "; this server takes " + allowed +
			" only (see token_endpoint_auth_signing_alg_values_supported in discovery)."
		o.fix = "Register a key for " + allowed + " as well and sign with it here. SMART obliges a server to " +
			"take one of RS384 and ES384, not both."
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
		o.counterfactual = "The signature would verify with key " + match.name() + " as " + alg +
			": only the alg in the header is wrong."
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

// otherAlg says what to do instead of signing with an algorithm that is
// neither of SMART's two.
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

// claimedKeys returns the keys of the client that an assertion names, before
// anything about it was checked; nil if there are none.
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

func wrongAssertionType(got string) outcome {
	return outcome{finding: "A05", got: got, want: AssertionType,
		text: "client_assertion_type is " + quote(got) + "; it must be exactly " + AssertionType + " (" +
			differ(got, AssertionType) + ").",
		fix: "Send client_assertion_type=" + AssertionType + "."}
}

// tryWithoutBearer recognises a JWT that was copied from an Authorization
// header.
func tryWithoutBearer(broken *outcome, text string) {
	rest, found := strings.CutPrefix(text, "Bearer ")
	if !found {
		return
	}
	if _, still := splitJWS(rest); still == nil {
		broken.text = "client_assertion begins with \"Bearer \"."
		broken.counterfactual = "Without it, it is a JWT of three parts."
		broken.fix = "Put the bare JWT into the field."
	}
}

func typPassedOver() outcome {
	return outcome{finding: "A07", got: "absent", want: "JWT",
		text: `The header has no typ, which this server's behaviour lets pass; SMART requires "typ":"JWT".`,
		fix:  `Add "typ":"JWT" to the header.`}
}

func noTyp() outcome {
	return outcome{finding: "A07", got: "absent", want: "JWT",
		text: `The assertion's header has no typ; SMART requires "typ":"JWT".`,
		fix:  `Set "typ":"JWT" where you set alg and kid: some libraries leave it out unless told.`}
}

func (a *attempt) otherTyp() outcome {
	got := a.jws.header.show("typ")
	return outcome{finding: "A07", got: got, want: "JWT",
		text: `The assertion's header has "typ":` + got + `; SMART requires "typ":"JWT".`,
		fix:  `Set "typ":"JWT" in the header.`}
}

func criticalHeader(got string) outcome {
	return outcome{got: got, want: "absent",
		text: "The header's crit lists " + got + " as critical. This server understands no such extension " +
			"and must refuse the assertion (RFC 7515 section 4.1.11).",
		fix: "Leave crit out."}
}

func (a *attempt) noIssuer() outcome {
	o := outcome{got: a.jws.claims.show("iss"), want: "your client_id",
		text: "The assertion has no iss that is a string.",
		fix:  "Set iss and sub both to your client_id."}
	if sub, _ := a.jws.claims.text("sub"); sub != "" {
		o.text = "The assertion has no iss that is a string; its sub is " + quote(sub) + "."
		o.remedy.ClientID = sub
	}
	return o
}

func (a *attempt) otherSubject(got string) outcome {
	return outcome{finding: "C01", got: "iss=" + a.client.ID + ", sub=" + got, want: "sub=" + a.client.ID,
		text: "iss is " + quote(a.client.ID) + " and sub is " + got + "; both must be your client_id.",
		fix:  "Set sub to " + quote(a.client.ID) + "."}
}

func (a *attempt) otherFormClient(got string) outcome {
	return outcome{got: got, want: a.client.ID,
		text: "The form's client_id is " + quote(got) + ", the assertion's sub is " + quote(a.client.ID) + ".",
		fix:  "Leave client_id out of the form, or send the same one."}
}

const freshJTI = "a fresh string for each assertion, such as a UUID"

func noJTI() outcome {
	return outcome{finding: "C14", got: "absent", want: freshJTI,
		text: "The assertion has no jti.", fix: "Add a fresh UUID for every token request."}
}

func unusableJTI(got string) outcome {
	return outcome{finding: "C14", got: got, want: freshJTI,
		text: "jti is " + got + "; it must be a string that is not empty.",
		fix:  "Use a fresh UUID for every token request."}
}

func longJTI(got, limit int) outcome {
	return outcome{finding: "C17", got: itoa(got) + " bytes", want: "at most " + itoa(limit),
		text: "jti is " + itoa(got) + " bytes long; this server takes " + itoa(limit) + ".",
		fix:  "Use a UUID."}
}

// replayed tells when the jti was used before, and by which request.
func (a *attempt) replayed(jti string, earlier *JTIUse) outcome {
	o := outcome{finding: "C15", got: jti + ", used at " + stamp(earlier.At), want: "a jti that was not used before"}
	o.text = "jti " + quote(jti) + " was used " + seconds(a.realTime.Sub(earlier.At)) + " ago"
	if earlier.Exchange != "" {
		o.text += " by request " + earlier.Exchange
	}
	o.text += "."
	o.fix = "Build a new assertion with a new jti for every token request, retries included; do not cache assertions."
	return o
}

func (a *attempt) replayAllowed(jti string, earlier *JTIUse) outcome {
	o := a.replayed(jti, earlier)
	o.finding = "C16"
	o.text += " This server's behaviour accepts the replay; strict payers refuse it."
	return o
}
