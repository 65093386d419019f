package authz

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// jku checks that a key URL in the header is the registered one, byte for
// byte. Another one is never fetched (SB-JWT-08).
func (a *attempt) jku() *Error {
	if a.jws.header.kind("jku") == 0 {
		a.pass(ruleJKU, "absent")
		return nil
	}
	got, _ := a.jws.header.text("jku")
	want := a.client.JWKSURI
	if got == want && want != "" {
		a.pass(ruleJKU, got)
		return nil
	}
	o := outcome{finding: "A24", got: a.jws.header.show("jku"), want: want}
	if want == "" {
		o.want = "absent"
		o.text = "The header has a jku, " + o.got + ", but client " + quote(a.client.ID) + " is registered with a key set by value. Drop jku from the header, or register that URL as jwks_uri."
	} else {
		o.text = "The header's jku is " + quote(got) + "; the registered jwks_uri is " + quote(want) + " (" + differ(got, want) + "). Drop jku or register this URL. It was not fetched."
	}
	return a.refuseClient(ruleJKU, o)
}

// signature finds the one key that the header names and verifies with it
// (Signature Verification steps 1 to 4). Other keys are tried only to explain
// a refusal.
func (a *attempt) signature() *Error {
	kid, _ := a.jws.header.text("kid")
	set, story, err := a.keySet(kid)
	if err != nil {
		return err
	}
	key, err := a.matchKey(set, story, kid)
	if err != nil {
		return err
	}
	if err := a.usableKey(key); err != nil {
		return err
	}
	alg, _ := a.jws.header.text("alg")
	if !verifies(alg, key, a.jws.signingInput, a.jws.signature) {
		return a.refuseClient(ruleSignature, a.diagnoseSignature(alg, key, set, story))
	}
	a.pass(ruleSignature, alg+" with key "+key.name())
	return nil
}

// keyStory is where a key set came from; nil for a set by value.
type keyStory struct {
	uri string
	*PublishedKeys
}

// tell says how old the copy is, as a sentence.
func (k *keyStory) tell(now time.Time) string {
	if k == nil {
		return ""
	}
	text := " The set was read from " + clip(k.uri) + " " + seconds(now.Sub(k.FetchedAt)) + " ago"
	if k.CacheControl != "" {
		text += " (Cache-Control: " + clip(k.CacheControl) + ")"
	}
	text += "."
	if now.Before(k.RefetchAfter) {
		text += " It is read again before its time at most once every " + seconds(k.RefetchAfter.Sub(k.FetchedAt)) + "; publish a key before you sign with it."
	}
	return text
}

// keySet returns the client's keys: the set by value, or the published one.
func (a *attempt) keySet(kid string) (*KeySet, *keyStory, *Error) {
	set, story, err := a.keysOf(a.ctx, a.client, kid, a.behaviour.takesBareArrays())
	var bad *KeySetError
	var fetch *FetchError
	switch {
	case errors.As(err, &fetch):
		return nil, nil, a.refuseClient(ruleKeySet, outcome{finding: fetch.Finding, got: fetch.Short, want: "a JWK Set", text: fetch.Text})
	case errors.As(err, &bad):
		text := "The registered key set cannot be used. " + bad.Text
		return nil, nil, a.refuseClient(ruleKeySet, outcome{finding: bad.Finding, got: "a key set that cannot be read", want: "a JWK Set", text: text})
	case err != nil:
		return nil, nil, a.serverError(ruleKeySet, "get the client's key set", err)
	case set == nil:
		return nil, nil, a.refuseClient(ruleKeySet, outcome{got: "no key set", want: "jwks or jwks_uri",
			text: "Client " + quote(a.client.ID) + " has no key set registered. Register its public keys, by URL or by value."})
	case set.Len() == 0:
		return nil, nil, a.refuseClient(ruleKeySet, outcome{got: "an empty set", want: "at least one key",
			text: "The client's key set has no key in it." + story.tell(a.now) + " Publish the public half of the key you sign with."})
	}
	got := plural(set.Len(), "key") + " by value"
	if story != nil {
		got = plural(set.Len(), "key") + " from " + story.uri
	}
	a.pass(ruleKeySet, got)
	return set, story, nil
}

// matchKey selects the single key with the kid and the type that alg needs;
// none or several fail (Signature Verification step 3).
func (a *attempt) matchKey(set *KeySet, story *keyStory, kid string) (*publicKey, *Error) {
	alg, _ := a.jws.header.text("alg")
	kty, crv := keyType(alg)
	named := set.withID(kid)
	if len(named) == 0 {
		return nil, a.refuseClient(ruleKeyMatch, a.diagnoseKid(kid, set, story))
	}
	var fitting []*publicKey
	for _, k := range named {
		if k.kty == kty {
			fitting = append(fitting, k)
		}
	}
	switch {
	case len(fitting) == 0:
		k := named[0]
		text := "alg " + alg + " needs a key of kty " + kty + "; key " + k.name() + " has kty " + quote(k.kty) + ". Sign with the private key that belongs to it"
		if fit := smartAlgorithm(k); fit != "" {
			text += " and set alg to " + fit
		}
		return nil, a.refuseClient(ruleKeyMatch, outcome{finding: "A14", got: "kty " + k.kty, want: "kty " + kty, text: text + ", or name the kid of another key." + story.tell(a.now)})
	case len(fitting) > 1:
		return nil, a.refuseClient(ruleKeyMatch, outcome{finding: "A13", got: plural(len(fitting), "key") + " with kid " + kid, want: "exactly one",
			text: plural(len(fitting), "key") + " of the client's set have kid " + quote(kid) + "; SMART requires exactly one match. Give every key a kid of its own." + story.tell(a.now)})
	case crv != "" && fitting[0].crv != crv:
		k := fitting[0]
		return nil, a.refuseClient(ruleKeyMatch, outcome{finding: "A17", got: "curve " + k.crv, want: "curve " + crv,
			text: "Key " + k.name() + " is on curve " + quote(k.crv) + ", which cannot sign " + alg + "; it needs " + crv + curveAlias(crv) + ". Make a key pair on that curve (openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:" + crv + ") and register its public half."})
	}
	a.pass(ruleKeyMatch, "kid "+kid+", "+fitting[0].describe())
	return fitting[0], nil
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

// smartAlgorithm returns the algorithm of SMART that the key can sign.
func smartAlgorithm(k *publicKey) string {
	switch {
	case k.kty == "RSA":
		return "RS384"
	case k.kty == "EC" && k.crv == "P-384":
		return "ES384"
	}
	return ""
}

// usableKey checks the key itself: public, for signatures, strong enough, its
// numbers well encoded.
func (a *attempt) usableKey(key *publicKey) *Error {
	for _, finding := range []string{"A20", "A22", "A18", "A21"} {
		for _, p := range key.problems {
			if p.Finding == finding {
				return a.refuseClient(ruleKeyUsable, outcome{finding: finding, got: "key " + key.name(), want: "a public signature key", text: p.Text})
			}
		}
	}
	if a.behaviour.RequireUse && key.use != "sig" {
		return a.refuseClient(ruleKeyUsable, outcome{finding: "A21", got: "no use", want: `"use":"sig"`,
			text: "Key " + key.name() + ` has no "use":"sig", which this server's behaviour requires, as some payers do. Add it to the JWK.`})
	}
	if alg, _ := a.jws.header.text("alg"); key.alg != "" && key.alg != alg {
		return a.refuseClient(ruleKeyUsable, outcome{got: `the key's "alg":` + quote(key.alg), want: alg,
			text: "Key " + key.name() + ` says "alg":` + quote(key.alg) + ", the assertion's header says " + quote(alg) + ". A key with an alg serves that one only (RFC 7517 section 4.4): drop alg from the JWK, or set it to " + alg + "."})
	}
	if key.raw == nil {
		return a.refuseClient(ruleKeyUsable, outcome{finding: "A18", got: "key " + key.name(), want: "a public signature key",
			text: "Key " + key.name() + " cannot be read. Publish kty, kid and the public numbers, n and e or crv, x and y."})
	}
	a.pass(ruleKeyUsable, key.describe())
	return nil
}

// diagnoseKid explains a kid that the set does not have.
func (a *attempt) diagnoseKid(kid string, set *KeySet, story *keyStory) outcome {
	kids := quoted(set.KeyIDs())
	o := outcome{finding: "A12", got: kid, want: list(kids)}
	o.text = "kid " + quote(kid) + " is not in the client's key set, which has " + list(kids) + "."
	if match, alg := a.anyKey(set, nil); match != nil && match.hasKid {
		o.text += " The signature would verify with key " + match.name() + signedAs(alg, a.jws) + ": only the kid is wrong. Set the header's kid to " + match.name() + "."
		return o
	}
	o.text += " None of its keys verifies the signature. Register the public half of the key you sign with, under this kid." + story.tell(a.now)
	return o
}

// diagnoseSignature explains a signature that does not verify with the key
// that the header names.
func (a *attempt) diagnoseSignature(alg string, key *publicKey, set *KeySet, story *keyStory) outcome {
	o := outcome{finding: "A15", got: "a signature of " + itoa(len(a.jws.signature)) + " bytes that does not verify", want: "the signature of key " + key.name()}
	if len(a.jws.signature) == 0 {
		o.got = "no signature"
		o.text = "The third part of the assertion is empty: it was not signed. Sign it with the private key of " + key.name() + "."
		return o
	}
	if der, found := a.diagnoseDER(alg, key); found {
		return der
	}
	if pub, ok := key.raw.(*rsa.PublicKey); ok && len(a.jws.signature) != pub.Size() {
		o.want = itoa(pub.Size()) + " bytes"
		o.text = "The signature has " + itoa(len(a.jws.signature)) + " bytes, that of an RSA key of " + itoa(8*len(a.jws.signature)) + " bits; key " + key.name() + " has " + itoa(8*pub.Size()) + " bits and makes signatures of " + itoa(pub.Size()) + " bytes. You signed with another private key than the one registered."
		return o
	}
	if pub, ok := key.raw.(*ecdsa.PublicKey); ok && len(a.jws.signature) != 2*((pub.Params().BitSize+7)/8) {
		o.want = itoa(2*((pub.Params().BitSize+7)/8)) + " bytes"
		o.text = "The signature has " + itoa(len(a.jws.signature)) + " bytes; " + alg + " has exactly " + o.want + ", r and s side by side (RFC 7518 section 3.4)."
		return o
	}
	if match, as := a.anyKey(set, key); match != nil {
		if match == key {
			o.text = "The header says alg " + alg + ", but the signature is key " + key.name() + "'s under " + as + ". Sign with " + alg + ", not only name it in the header."
			return o
		}
		o.finding = "A12"
		o.text = "The header names key " + key.name() + ", but the signature is that of key " + match.name() + signedAs(as, a.jws) + ": the kid is wrong. Set the header's kid to " + match.name() + ", or sign with the other key."
		return o
	}
	if changed, found := a.diagnoseChangedKey(alg, key, story); found {
		return changed
	}
	sum := sha256.Sum256([]byte(a.jws.signingInput))
	o.text = "The claims are fine; the signature does not match key " + key.name() + " (" + key.describe() + ", RFC 7638 thumbprint " + key.jkt() + "), nor any other key of the client's set. You sign with another private key than the one registered. Compare: openssl pkey -in private.pem -pubout -outform DER | openssl sha256 must show " + key.fingerprint() + ". If it does, the token was changed after it was signed: the signed bytes (header.claims) have SHA-256 " + hex.EncodeToString(sum[:]) + "." + story.tell(a.now)
	return o
}

// diagnoseDER recognises an ECDSA signature in ASN.1.
func (a *attempt) diagnoseDER(alg string, key *publicKey) (outcome, bool) {
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
	o := outcome{finding: "A16", got: itoa(len(signature)) + " bytes of ASN.1", want: itoa(2*size) + " bytes, r and s side by side"}
	o.text = "The signature is " + itoa(len(signature)) + " bytes and starts with 0x30: it is in ASN.1/DER. JWS " + alg + " needs r‖s, exactly " + itoa(2*size) + " bytes (RFC 7518 section 3.4)."
	if verifies(alg, key, a.jws.signingInput, raw) {
		o.text += " Decoded as DER it would verify: key and claims are right, only the format is wrong. Convert the signature, or let a JWT library sign."
	} else {
		o.text += " Decoded as DER it does not verify with key " + key.name() + " either: the private key is another one as well."
	}
	return o, true
}

// diagnoseChangedKey reads the published set again, if the throttle allows
// it, to see whether the key changed under its kid.
func (a *attempt) diagnoseChangedKey(alg string, key *publicKey, story *keyStory) (outcome, bool) {
	if story == nil {
		return outcome{}, false
	}
	fresh, err := a.keys.Refetch(a.ctx, story.uri)
	if err != nil || fresh == nil || fresh.Set == story.Set {
		return outcome{}, false
	}
	for _, k := range fresh.Set.withID(key.kid) {
		if k.raw == nil || k.jkt() == key.jkt() || !verifies(alg, k, a.jws.signingInput, a.jws.signature) {
			continue
		}
		return outcome{finding: "J06", got: "thumbprint " + k.jkt(), want: "thumbprint " + key.jkt(),
			text: "Key " + key.name() + " changed and kept its kid: in the copy of " + clip(story.uri) + " from " + stamp(story.FetchedAt) + " its thumbprint is " + key.jkt() + ", now it is " + k.jkt() + ", with which the signature would verify. The set has been read again and the next assertion will pass here; other servers keep the old copy for as long as your Cache-Control allows. Give every new key a new kid."}, true
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

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = quote(w)
	}
	if len(out) > 12 {
		out = append(out[:12], "and "+itoa(len(words)-12)+" more")
	}
	return out
}

// differ says in a few words how two strings differ that should be equal.
func differ(got, want string) string {
	switch {
	case got == want:
		return "no difference"
	case got == "":
		return "it is empty"
	case strings.TrimSpace(got) == want:
		return "white space around it"
	case strings.EqualFold(got, want):
		return "only in upper and lower case"
	case strings.TrimRight(got, "/") == strings.TrimRight(want, "/"):
		if len(got) > len(want) {
			return "a slash too many at its end"
		}
		return "a slash is missing at its end"
	case strings.HasPrefix(want, got):
		return quote(want[len(got):]) + " is missing at its end"
	case strings.HasPrefix(got, want):
		return quote(got[len(want):]) + " is too much at its end"
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	return "they differ from character " + itoa(i+1) + " on: " + quote(got[i:]) + " instead of " + quote(want[i:])
}
