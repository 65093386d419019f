package authz

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
)

// diagnoseType explains a key whose type does not fit alg.
func (a *attempt) diagnoseType(k *publicKey, alg string, set *KeySet, story *keyStory) outcome {
	kty, _ := keyType(alg)
	o := outcome{finding: "A14", got: "kty " + k.kty, want: "kty " + kty}
	o.text = "alg " + alg + " needs a key of kty " + kty + "; key " + k.name() + " has kty " + quote(k.kty) +
		"." + story.tell(a.realTime)
	o.fix = "Sign with the private key that belongs to it"
	if fit := smartAlgorithm(k); fit != "" {
		o.fix += " and set alg to " + fit
		o.remedy = Remedy{KeyID: k.kid, Algorithm: fit}
	}
	o.fix += ", or name the kid of another key."
	match, as := a.anyKey(set, nil)
	switch {
	case match == nil || !match.hasKid:
		return o
	case as == alg:
		o.counterfactual = "The signature would verify with key " + match.name() + ": only the kid is wrong."
		o.fix = "Set the header's kid to " + match.name() + "."
	case match.kid == k.kid && as == smartAlgorithm(match):
		o.counterfactual = "The signature is that of key " + match.name() + " under " + as +
			": only the alg in the header is wrong."
		o.fix = "Set alg to " + as + "."
	default:
		o.counterfactual = "The signature is that of key " + match.name() + " under " + as + "."
		o.fix = "Set the header's kid to " + match.name() + ", and sign with " + smartAlgorithm(match) + "."
	}
	o.remedy = Remedy{KeyID: match.kid, Algorithm: smartAlgorithm(match)}
	return o
}

// diagnoseKid explains a kid that the set does not have.
func (a *attempt) diagnoseKid(kid string, set *KeySet, story *keyStory) outcome {
	kids := quoted(set.KeyIDs())
	o := outcome{finding: "A12", got: kid, want: list(kids)}
	o.text = "kid " + quote(kid) + " is not in the client's key set, which has " + list(kids) + "." +
		story.tell(a.realTime)
	alg, _ := a.jws.header.text("alg")
	if match, as := a.anyKey(set, nil); match != nil && match.hasKid {
		o.counterfactual = "The signature would verify with key " + match.name() + ": only the kid is wrong."
		o.fix = "Set the header's kid to " + match.name() + "."
		if as != alg {
			o.counterfactual = "The signature is that of key " + match.name() + " under " + as +
				": kid and alg are wrong."
			o.fix = "Set the header's kid to " + match.name() + ", and sign with " + smartAlgorithm(match) + "."
		}
		o.remedy = Remedy{KeyID: match.kid, Algorithm: smartAlgorithm(match)}
		return o
	}
	o.counterfactual = "None of its keys verifies the signature."
	if story.isOlder(a.realTime) {
		a.newerKey(&o, kid, story)
		return o
	}
	o.fix = "Register the public half of the key that you sign with, under this kid." + a.rotationOfInline(story)
	o.remedy = Remedy{Kind: RemedyKeySet, KeyID: kid}
	return o
}

// rotationOfInline reminds the owner of a set by value how its keys change; ""
// for a published one.
func (a *attempt) rotationOfInline(story *keyStory) string {
	if story != nil {
		return ""
	}
	return " A set that is registered by value changes only when you send another: at a rotation register " +
		"the new key beside the old one before you sign with it, or register a jwks_uri, which the server " +
		"reads again by itself."
}

// newerKey explains a kid that is missing from our copy of the set, where the
// copy may be older than the key.
func (a *attempt) newerKey(o *outcome, kid string, story *keyStory) {
	o.finding = "J05"
	o.text = "kid " + quote(kid) +
		" is not in the copy of the client's key set that this server has, which has " + o.want + "." +
		story.tell(a.realTime)
	o.fix = "Publish a new key before you sign with it, for longer than copies live, and keep the old one " +
		"published beside it meanwhile."
	if until := story.RefetchAfter; story.Failed == nil && until.After(a.realTime) {
		o.fix += " This server reads the set again for an unknown kid in " + seconds(until.Sub(a.realTime)) + "."
	}
	o.remedy = Remedy{Kind: RemedyKeySet, KeyID: kid}
}

// diagnoseSignature explains a signature that does not verify with the key
// that the header names.
func (a *attempt) diagnoseSignature(ctx context.Context, alg string, key *publicKey, set *KeySet,
	story *keyStory) outcome {
	n := len(a.jws.signature)
	o := outcome{finding: "A15", got: "a signature of " + itoa(n) + " bytes that does not verify",
		want: "the signature of key " + key.name()}
	if n == 0 {
		o.got = "no signature"
		o.text = "The third part of the assertion is empty: it was not signed."
		o.fix = "Sign it with the private key of " + key.name() + "."
		return o
	}
	if der, found := a.diagnoseDER(alg, key, set); found {
		return der
	}
	if match, as := a.anyKey(set, key); match != nil {
		return anotherSignature(o, alg, key, match, as)
	}
	if pub, ok := key.raw.(*rsa.PublicKey); ok && n != pub.Size() {
		o.want = itoa(pub.Size()) + " bytes"
		o.text = "The signature has " + itoa(n) + " bytes, that of an RSA key of " + itoa(8*n) + " bits; key " +
			key.name() + " has " + itoa(8*pub.Size()) + " bits and makes signatures of " + itoa(pub.Size()) +
			" bytes. It was made with another private key than the one registered."
		o.fix = "Sign with the private key of " + key.name() + ", or register the public half of the one " +
			"that you sign with."
		o.remedy.Kind = RemedyKeySet
		return o
	}
	if pub, ok := key.raw.(*ecdsa.PublicKey); ok && n != 2*((pub.Params().BitSize+7)/8) {
		o.want = itoa(2*((pub.Params().BitSize+7)/8)) + " bytes"
		o.text = "The signature has " + itoa(n) + " bytes; " + alg + " has exactly " + o.want +
			", r and s side by side (RFC 7518 section 3.4)."
		o.fix = "Pad r and s with leading zeros to " + itoa((pub.Params().BitSize+7)/8) +
			" bytes each, or let a JWT library sign."
		return o
	}
	if changed, found := a.diagnoseChangedKey(ctx, alg, key, story); found {
		return changed
	}
	sum := sha256.Sum256([]byte(a.jws.signingInput))
	o.text = "The signature does not match key " + key.name() + " (" + key.describe() +
		", RFC 7638 thumbprint " + key.jkt() + ")." + story.tell(a.realTime)
	if !a.thorough { // then the rules before this one have passed
		o.text += " The claims are fine."
	}
	o.counterfactual = "No other key of the client's set verifies it either: it was signed with another " +
		"private key, or the token was changed afterwards (the signed bytes, header.claims, have SHA-256 " +
		hex.EncodeToString(sum[:]) + ")."
	o.fix = "Compare your key: openssl pkey -in private.pem -pubout -outform DER | openssl sha256 has to show " +
		key.fingerprint() + ", and sandfhir doctor --key private.pem the thumbprint above. " +
		"If they show something else, sign with the registered key, or register the public half of yours."
	o.remedy.Kind = RemedyKeySet
	return o
}

// anotherSignature explains a signature that another key or another algorithm
// than the header's makes.
func anotherSignature(o outcome, alg string, key, match *publicKey, as string) outcome {
	if match == key {
		o.text = "The header says alg " + alg + ", and the signature is not one of " + alg + "."
		o.counterfactual = "It is the signature of key " + key.name() + " under " + as + "."
		o.fix = "Sign with " + alg + ": to name it in the header is not enough."
		o.remedy = Remedy{KeyID: key.kid, Algorithm: alg}
		return o
	}
	o.finding = "A12"
	o.text = "The header names key " + key.name() + ", and the signature does not match that key."
	o.counterfactual = "The signature would verify with key " + match.name() + ": only the kid is wrong."
	o.fix = "Set the header's kid to " + match.name() + ", or sign with the key of " + key.name() + "."
	if as != alg {
		o.counterfactual = "The signature is that of key " + match.name() + " under " + as + ": kid and alg are wrong."
	}
	o.remedy.KeyID = match.kid
	return o
}

// diagnoseDER recognises an ECDSA signature in ASN.1.
func (a *attempt) diagnoseDER(alg string, key *publicKey, set *KeySet) (outcome, bool) {
	signature := a.jws.signature
	pub, ok := key.raw.(*ecdsa.PublicKey)
	if !ok || signature[0] != 0x30 {
		return outcome{}, false
	}
	size := (pub.Params().BitSize + 7) / 8
	raw, ok := rawSignature(signature, size)
	if !ok {
		return outcome{}, false
	}
	o := outcome{finding: "A16", got: itoa(len(signature)) + " bytes of ASN.1",
		want: itoa(2*size) + " bytes, r and s side by side"}
	o.text = "The signature is " + itoa(len(signature)) +
		" bytes and starts with 0x30: it is in ASN.1/DER. JWS " + alg + " needs r‖s, exactly " + itoa(2*size) +
		" bytes (RFC 7518 section 3.4)."
	o.fix = "Convert the signature to r‖s, or let a JWT library sign."
	o.remedy.KeyID = key.kid
	for _, k := range append([]*publicKey{key}, set.keys...) {
		if k.raw == nil || k.kty != key.kty || k.crv != key.crv || !verifies(alg, k, a.jws.signingInput, raw) {
			continue
		}
		o.counterfactual = "Decoded as DER it would verify: key and claims are right, only the format is wrong."
		if k != key && k.kid != key.kid {
			o.counterfactual = "Decoded as DER it would verify with key " + k.name() + ": the kid is wrong as well."
			o.fix += " Set the header's kid to " + k.name() + "."
			o.remedy.KeyID = k.kid
		}
		return o, true
	}
	o.counterfactual = "Decoded as DER it does not verify with key " + key.name() + " either."
	o.fix += " Sign with the private key of " + key.name() + ", or register the public half of the one that " +
		"you sign with."
	return o, true
}

// diagnoseChangedKey reads the published set again, if the throttle allows
// it, to see whether the key changed under its kid.
func (a *attempt) diagnoseChangedKey(ctx context.Context, alg string, key *publicKey, story *keyStory) (outcome, bool) {
	if story == nil || story.stale > 0 { // such a server does not read it again
		return outcome{}, false
	}
	fresh, err := a.server.keys.Refetch(ctx, story.uri)
	if err != nil || fresh == nil {
		return outcome{}, false
	}
	if fresh.Set == story.Set {
		story.PublishedKeys = fresh // it may tell of a fetch that failed
		return outcome{}, false
	}
	for _, k := range fresh.Set.withID(key.kid) {
		if k.raw == nil || k.jkt() == key.jkt() || !verifies(alg, k, a.jws.signingInput, a.jws.signature) {
			continue
		}
		return outcome{finding: "J06", got: "thumbprint " + k.jkt(), want: "thumbprint " + key.jkt(),
			text: "Key " + key.name() + " changed and kept its kid: in the copy of " +
				clip(story.uri) + " from " + stamp(story.FetchedAt) + " its thumbprint is " + key.jkt() +
				", now it is " + k.jkt() + ".",
			counterfactual: "The signature would verify with the key as it is published now.",
			fix: "Send a new assertion: the set has been read again here. Other servers keep the " +
				"old copy for as long as your Cache-Control allows, so give every new key a new kid.",
			remedy: Remedy{KeyID: k.kid}}, true
	}
	return outcome{}, false
}

// maxTrials bounds the verifications made to explain one refusal.
const maxTrials = 24

// anyKey returns the key of the set, and the algorithm, that verifies the
// signature. The key named first is tried under all algorithms of its kind.
func (a *attempt) anyKey(set *KeySet, first *publicKey) (*publicKey, string) {
	alg, _ := a.jws.header.text("alg")
	trials := 0
	try := func(k *publicKey, alg string) bool {
		if trials++; trials > maxTrials {
			return false
		}
		return verifies(alg, k, a.jws.signingInput, a.jws.signature)
	}
	keys := make([]*publicKey, 0, len(set.keys))
	if first != nil {
		keys = append(keys, first)
	}
	for _, k := range set.keys {
		if k != first && k.raw != nil {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		if k != first && try(k, alg) {
			return k, alg
		}
	}
	for _, k := range keys {
		for _, other := range SupportedAlgorithms() {
			if kty, crv := keyType(other); other == alg || kty != k.kty || crv != "" && crv != k.crv {
				continue
			}
			if try(k, other) {
				return k, other
			}
		}
	}
	return nil, ""
}

// signedAs adds the algorithm where it is not the one the header names.
func signedAs(alg string, j *compactJWS) string {
	if named, _ := j.header.text("alg"); named == alg {
		return ""
	}
	return " (as " + alg + ")"
}

func curveAlias(crv string) string {
	switch crv {
	case "P-256":
		return " (secp256r1)"
	case "P-384":
		return " (secp384r1)"
	}
	return ""
}

// needlessJKU explains a key URL of a client whose key set is registered by
// value.
func (a *attempt) needlessJKU() outcome {
	got := a.jws.header.show("jku")
	return outcome{finding: "A24", got: got, want: "absent",
		text: "The header has a jku, " + got + ", but client " + quote(a.client.ID) + " is registered with a " +
			"key set by value.",
		fix: "Drop jku from the header, or register that URL as jwks_uri."}
}

func (a *attempt) otherJKU(got string) outcome {
	want := a.client.JWKSURI
	return outcome{finding: "A24", got: a.jws.header.show("jku"), want: want,
		text: "The header's jku is " + quote(got) + "; the registered jwks_uri is " + quote(want) + " (" +
			differ(got, want) + "). It was not fetched.",
		fix: "Drop jku from the header, or register this URL as jwks_uri."}
}

func (e *KeySetError) outcome() outcome {
	return outcome{finding: e.Finding, got: "a key set that cannot be read", want: "a JWK Set",
		text: e.Text, counterfactual: e.Counterfactual, fix: e.Fix}
}

func (a *attempt) noKeySet() outcome {
	return outcome{got: "no key set", want: "jwks or jwks_uri",
		text: "Client " + quote(a.client.ID) + " has no key set registered.",
		fix:  "Register its public keys, by URL or by value."}
}

func (a *attempt) emptyKeySet(story *keyStory) outcome {
	return outcome{got: "an empty set", want: "at least one key",
		text: "The client's key set has no key in it." + story.tell(a.realTime),
		fix:  "Publish the public half of the key that you sign with."}
}

func (a *attempt) ambiguousKey(kid string, n int, story *keyStory) outcome {
	return outcome{finding: "A13", got: plural(n, "key") + " with kid " + kid, want: "exactly one",
		text: plural(n, "key") + " of the client's set have kid " + quote(kid) + "; SMART requires exactly " +
			"one match." + story.tell(a.realTime),
		fix: "Give every key a kid of its own."}
}

func wrongCurve(k *publicKey, alg, crv string) outcome {
	return outcome{finding: "A17", got: "curve " + k.crv, want: "curve " + crv,
		text: "Key " + k.name() + " is on curve " + quote(k.crv) + ", which cannot sign " + alg +
			"; it needs " + crv + curveAlias(crv) + ".",
		fix: "Make a key pair on that curve (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:" +
			crv + ") and register its public half.",
		remedy: Remedy{Algorithm: alg}}
}

func (p *KeyProblem) outcome(key *publicKey) outcome {
	return outcome{finding: p.Finding, got: "key " + key.name(), want: "a public signature key",
		text: p.Text,
		fix:  p.Fix}
}

func withoutUse(key *publicKey) outcome {
	return outcome{finding: "A21", got: "no use", want: `"use":"sig"`,
		text: "Key " + key.name() + ` has no "use":"sig", which this server's behaviour requires, as some payers do.`,
		fix:  `Add "use":"sig" to the JWK.`}
}

func ofOtherAlgorithm(key *publicKey, alg string) outcome {
	return outcome{got: `the key's "alg":` + quote(key.alg), want: alg,
		text: "Key " + key.name() + ` says "alg":` + quote(key.alg) + ", the assertion's header says " +
			quote(alg) + ". A key with an alg serves that one only (RFC 7517 section 4.4).",
		fix: "Drop alg from the JWK, or set it to " + alg + "."}
}

func unreadable(key *publicKey) outcome {
	return outcome{finding: "A18", got: "key " + key.name(), want: "a public signature key",
		text: "Key " + key.name() + " cannot be read.",
		fix:  "Publish kty, kid and the public numbers: n and e, or crv, x and y."}
}

// smartAlgorithm returns which of SMART's algorithms the key can sign; "" if
// none.
func smartAlgorithm(k *publicKey) string {
	switch {
	case k.kty == "RSA":
		return "RS384"
	case k.kty == "EC" && k.crv == "P-384":
		return "ES384"
	}
	return ""
}
